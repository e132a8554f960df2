"""What every part of the archive in this process works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pacs_core.archive import models as m
from pacs_core.domain.access import Actor
from pacs_core.services.bundle import Services


class NodeFacts(Protocol):
    """What the archive asks of the node around it."""

    def info(self) -> m.NodeInfo:
        """Addresses, data folder, warnings and checks of the running node."""
        ...

    def echo(self, title: str) -> m.Check:
        """C-ECHO a peer."""
        ...

    def process(self, message_id: int) -> None:
        """Carry out a journalled HL7 message now."""
        ...

    def stop_soon(self) -> None:
        """End the node once this call is answered; raises Conflict where it cannot."""
        ...

    def settings_list(self) -> tuple[m.Setting, ...]:
        """Every setting with its words."""
        ...

    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        """Write settings to the configuration file."""
        ...

    def check_field_map(self, text: str) -> None:
        """Raise InvalidValue naming the line of a bad HL7 field map."""
        ...


class Part:
    """What every part works with."""

    def __init__(self, services: Services, actor: Actor, node: NodeFacts, *, local_files: bool) -> None:
        self.services = services
        self.actor = actor
        self.facts = node
        self.local_files = local_files
