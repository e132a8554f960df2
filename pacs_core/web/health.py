"""Liveness for anybody, readiness in detail and metrics for who may know them (contract.md, Addresses)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from pacs_core.archive import codec
from pacs_core.archive import models as m
from pacs_core.archive.routes import JSON
from pacs_core.web.blocking import Blocking
from pacs_core.web.callers import caller_of
from pacs_core.web.guard import HEALTH
from pacs_core.web.node import Metric, WebNode
from pacs_core.web.routing import At

METRICS = "/metrics"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Traffic:
    """Counts requests and their seconds for the metrics; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds = 0.0

    def seen(self, method: str, status: int, seconds: float) -> None:
        """One more request; a status of 0 is one whose caller went away."""
        with self._lock:
            self._requests[(method if method in _METHODS else "other", status)] += 1
            self._seconds += seconds

    def metrics(self) -> list[Metric]:
        """The counts so far."""
        with self._lock:
            counts, seconds = dict(self._requests), self._seconds
        words = "HTTP requests by method and status"
        samples = [
            Metric(
                "reading_room_http_requests_total", words, n, (("method", method), ("status", str(status)))
            )
            for (method, status), n in sorted(counts.items())
        ]
        return [*samples, Metric("reading_room_http_seconds_total", "Seconds spent answering HTTP", seconds)]


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Health:
    """``/health`` and ``/metrics``."""

    def __init__(self, node: WebNode, blocking: Blocking, traffic: Traffic) -> None:
        self._node = node
        self._blocking = blocking
        self._traffic = traffic

    def endpoints(self) -> list[At]:
        """Both paths."""
        return [At(HEALTH, "GET", self._health), At(METRICS, "GET", self._metrics)]

    async def _health(self, request: Request) -> Response:
        if caller_of(request).actor is None:
            return Response(b'{"status":"alive"}', media_type=JSON)
        checks = await self._blocking.run(self._node.checks)
        ready = not any(c.state == "fail" for c in checks)
        members = {
            "status": "ready" if ready else "not ready",
            "checks": codec.to_jsonable(tuple[m.Check, ...], checks),
        }
        return Response(codec.dump(members), 200 if ready else 503, media_type=JSON)

    async def _metrics(self, request: Request) -> Response:
        caller_of(request)
        metrics = await self._blocking.run(lambda: [*self._node.metrics(), *self._traffic.metrics()])
        return Response(prometheus(metrics), headers={"Content-Type": PROMETHEUS})


def prometheus(metrics: Iterable[Metric]) -> bytes:
    """Samples in Prometheus' text format, those of one name together under its help."""
    by_name: dict[str, list[Metric]] = {}
    for metric in metrics:
        by_name.setdefault(metric.name, []).append(metric)
    lines: list[str] = []
    for name, samples in by_name.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        words = samples[0].help.replace("\\", "\\\\").replace("\n", "\\n")
        lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{_labels(s.labels)} {s.value:.17g}" for s in samples]
    return ("\n".join(lines) + "\n").encode()


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
