"""Pair colour and depth images by stamp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class StampPairer:
    """Keeps a few images of each kind and pairs those whose stamps agree within the tolerance.

    ``on_drop(reason, text)`` is called for every image that leaves without a partner.
    """

    def __init__(self, tolerance_ns: int, size: int, on_drop: Callable[[str, str], None]) -> None:
        self._tolerance_ns = tolerance_ns
        self._size = size
        self._on_drop = on_drop
        self._waiting: dict[str, dict[int, Any]] = {"color": {}, "depth": {}}

    def add(self, kind: str, stamp_ns: int, message: Any) -> tuple[int, Any, Any] | None:
        """Returns (colour stamp, colour, depth) when the image completes a pair."""
        other_kind = "depth" if kind == "color" else "color"
        mine, others = self._waiting[kind], self._waiting[other_kind]
        if stamp_ns in mine:
            self._on_drop("duplicate", f"two {kind} images have the stamp {stamp_ns} ns; is the topic published twice?")
            return None
        partner = min(others, key=lambda s: (abs(s - stamp_ns), s), default=None)
        if partner is None or abs(partner - stamp_ns) > self._tolerance_ns:
            mine[stamp_ns] = message
            self._trim(kind)
            return None
        other = others.pop(partner)
        # Older images than the pair's will not find a partner any more: topics come in order.
        self._forget_before(other_kind, partner)
        self._forget_before(kind, stamp_ns)
        return (stamp_ns, message, other) if kind == "color" else (partner, other, message)

    def clear(self) -> int:
        """Forget all waiting images; returns how many there were."""
        count = sum(len(images) for images in self._waiting.values())
        for images in self._waiting.values():
            images.clear()
        return count

    def _forget_before(self, kind: str, stamp_ns: int) -> None:
        for old in [s for s in self._waiting[kind] if s < stamp_ns]:
            del self._waiting[kind][old]
            self._lost(kind)

    def _trim(self, kind: str) -> None:
        images = self._waiting[kind]
        if len(images) > self._size:
            del images[min(images)]
            self._lost(kind)

    def _lost(self, kind: str) -> None:
        other = "depth" if kind == "color" else "color"
        self._on_drop(
            f"no_{other}",
            f"a {kind} image found no {other} image within input.sync_tolerance_s = {self._tolerance_ns / 1e9} s; "
            "check that both topics are published and stamped by one clock, or raise the tolerance",
        )
