"""How long to keep trying: the retry policy of a destination (contract, promise 4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FIRST_DELAY_S = 2.0
DELAY_CAP_S = 600.0


class DeliveryState(StrEnum):
    """Where a result on its way stands; withdrawn is what was for an order its study no longer belongs to."""

    WAITING = "waiting"
    SILENT = "silent"
    REFUSED = "refused"
    DELIVERED = "delivered"
    DEAD = "needs a person"
    WITHDRAWN = "withdrawn"


class OutcomeKind(StrEnum):
    """What came back from the other side."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one attempt: MSA-1 code and text as received, or why there was none."""

    kind: OutcomeKind
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What a destination makes of a refusal; silence is retried for ever whatever it says."""

    refused_tries: int = 3
    first_delay_s: float = FIRST_DELAY_S
    delay_cap_s: float = DELAY_CAP_S


@dataclass(frozen=True, slots=True)
class NextStep:
    """What becomes of the delivery after an attempt; `delay_s` counts from now."""

    state: DeliveryState
    delay_s: float = 0.0


def next_step(policy: RetryPolicy, outcome: Outcome, silent_before: int, refused_before: int) -> NextStep:
    """Decide by policy: acknowledged is done, silence waits longer each time, a refusal ends with a
    person.
    """
    if outcome.kind is OutcomeKind.ACKNOWLEDGED:
        return NextStep(DeliveryState.DELIVERED)
    if outcome.kind is OutcomeKind.REFUSED:
        if refused_before + 1 >= policy.refused_tries:
            return NextStep(DeliveryState.DEAD)
        return NextStep(DeliveryState.REFUSED, _backoff(policy, refused_before))
    return NextStep(DeliveryState.SILENT, _backoff(policy, silent_before))


def _backoff(policy: RetryPolicy, before: int) -> float:
    return min(policy.delay_cap_s, policy.first_delay_s * float(2 ** min(before, 16)))
