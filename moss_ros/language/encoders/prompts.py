"""Sentences that a text is put into before a model reads it; the mean of several says more than one."""

from __future__ import annotations

from collections.abc import Sequence

# Short and about single things in rooms, because that is what is asked for.
TEMPLATES = (
    "{}",
    "a photo of a {}.",
    "a photo of the {}.",
    "a close-up photo of a {}.",
    "a photo of a {} in a room.",
    "there is a {} in the scene.",
)


def checked_text(text: str) -> str:
    """The text with single spaces. Raises ValueError when nothing is left."""
    tidy = " ".join(text.split())
    if not tidy:
        raise ValueError("an empty text says nothing to look for: write what is meant, e.g. 'red mug'")
    return tidy


def checked_templates(templates: Sequence[str]) -> tuple[str, ...]:
    """Raises ValueError when there is none or one has not exactly one {}."""
    if not templates or any(t.count("{}") != 1 for t in templates):
        raise ValueError(f"prompt templates need one {{}} each, got {list(templates)}")
    return tuple(templates)


def prompts_for(text: str, templates: Sequence[str]) -> list[str]:
    """The text in each template."""
    return [template.replace("{}", text) for template in templates]
