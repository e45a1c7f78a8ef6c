"""Nouns in the short sentences in which people name things."""

from __future__ import annotations

import random

from moss_ros.train.words.phrases import plural

TEMPLATES = (
    "{}",
    "{}",
    "a {}",
    "the {}",
    "a photo of a {}",
    "my {}",
    "the {} in the room",
    "find the {}",
    "this is a {}",
)
PLURAL_TEMPLATES = ("{}", "all the {}", "all {}", "how many {}", "some {}", "the {}", "a pile of {}")
_PLURAL_SHARE = 0.15


def fill(template: str, noun: str) -> str:
    """The noun in a template, "an" before a vowel."""
    if template.endswith(" a {}") or template == "a {}":
        template = template[:-3] + (" {}" if noun[:1] not in "aeiou" else "n {}")
    return template.format(noun)


def in_template(noun: str, draw: random.Random) -> str:
    """The noun, or its plural, in a template drawn by chance."""
    if draw.random() < _PLURAL_SHARE:
        return draw.choice(PLURAL_TEMPLATES).format(plural(noun))
    return fill(draw.choice(TEMPLATES), noun)
