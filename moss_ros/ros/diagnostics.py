"""What the node knows about its own health, for /diagnostics and for throttled warnings."""

from __future__ import annotations

import resource
from collections import Counter
from dataclasses import dataclass

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

STAGE_FIGURES = ("median_ms", "p95_ms", "max_ms", "n")
STAGE_SUFFIX = " ms (median, p95, max, n)"


@dataclass(frozen=True, slots=True)
class Health:
    """The numbers of one moment."""

    received: int  # colour images
    used: int  # frames that went into the map
    drops: Counter[str]  # by reason
    messages: dict[str, str]  # last message of each reason
    stages: dict[str, dict[str, float]]  # latencies
    worker_alive: bool
    instances: int
    active: bool = True  # lifecycle state; else frames are ignored on purpose


class HealthReport:
    """Compares each moment with the one before, so that old trouble does not warn for ever."""

    def __init__(self, name: str, color_topic: str, warn_period_s: float) -> None:
        self._name = name
        self._color_topic = color_topic
        self._warn_period_s = warn_period_s
        self._before: Counter[str] = Counter()
        self._received_before = 0
        self._counted: Counter[str] = Counter()
        self._warned_s: dict[str, float] = {}

    def message(self, health: Health, stamp: Time) -> DiagnosticArray:
        """The DiagnosticArray of this moment."""
        fresh = health.drops - self._before
        level, text = self._judge(health, fresh)
        self._before, self._received_before = health.drops, health.received
        values = {
            "received": str(health.received),
            "used": str(health.used),
            "instances": str(health.instances),
        }
        values["peak_rss_mb"] = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"
        for reason, count in sorted(health.drops.items()):
            values[f"dropped {reason}"] = str(count)
            values[f"why {reason}"] = health.messages.get(reason, "")
        for stage, latency in health.stages.items():
            values[stage + STAGE_SUFFIX] = ", ".join(f"{latency[figure]:.1f}" for figure in STAGE_FIGURES)
        status = DiagnosticStatus(level=level, name=self._name, message=text, hardware_id="")
        status.values = [KeyValue(key=key, value=value) for key, value in values.items()]
        return DiagnosticArray(header=Header(stamp=stamp), status=[status])

    def warnings(self, health: Health, now_s: float) -> list[str]:
        """Sentences to log: reasons that grew, each at most once a period."""
        out = []
        for reason in sorted(health.drops - self._counted):
            if now_s - self._warned_s.get(reason, -1e18) >= self._warn_period_s:
                grown = health.drops[reason] - self._counted[reason]
                out.append(f"{reason} (+{grown}, {health.drops[reason]} in all): {health.messages.get(reason, '')}")
                self._warned_s[reason] = now_s
                self._counted[reason] = health.drops[reason]
        return out

    def _judge(self, health: Health, fresh: Counter[str]) -> tuple[bytes, str]:
        if not health.worker_alive:
            return DiagnosticStatus.ERROR, "the mapping thread ended: restart the node"
        if not health.active:
            return DiagnosticStatus.OK, "inactive: images are ignored until the node is activated"
        if health.received == 0:
            return DiagnosticStatus.WARN, f"no colour image on {self._color_topic} yet"
        if health.received == self._received_before:
            return DiagnosticStatus.WARN, f"no new colour image on {self._color_topic}"
        if fresh:
            return DiagnosticStatus.WARN, "dropping: " + ", ".join(f"{r} {n}" for r, n in sorted(fresh.items()))
        return DiagnosticStatus.OK, f"{health.used} frames mapped, {health.instances} instances"
