"""What is wrong with a message, in a form that can be counted and read."""

from __future__ import annotations


class MessageError(ValueError):
    """A message cannot be used. ``reason`` is a short key to count by; the text names the fix."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
