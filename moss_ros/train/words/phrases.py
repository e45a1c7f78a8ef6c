"""Turns dictionary definitions into the phrases by which people ask for a thing: "something to clean teeth with"."""

from __future__ import annotations

import re

_USED = re.compile(r"\b(?:used|designed|intended|made|serves|worn|suitable) (to|for|in|as|on|by) ([^;,()]+)")
_FOR_DOING = re.compile(r"\bfor (?:the )?([a-z]+ing\b[^;,()]*)")
_THAT = re.compile(r"\b(?:that|which) (?:is |are |can be )?([^;,()]+)")
_PLACE = re.compile(r"\b(?:where|in which) ([^;,()]+)")
# A short syllable would have doubled its last letter (cutting): where it did not, an e was dropped (writing).
_ONE_SYLLABLE = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]$")
_SILENT_E = re.compile(r"(?:[vcu]|[adr]g|[^aeiouwl]l|[aeiou]z|[aeiou]{2}s|os|rang|[^aeiou]ur|[aeiou].*[^aeiou]at)$")
_VOWELS = "aeiou"
_IRREGULAR_PLURALS = {
    "shelf": "shelves",
    "knife": "knives",
    "loaf": "loaves",
    "leaf": "leaves",
    "mouse": "mice",
    "foot": "feet",
    "tooth": "teeth",
    "child": "children",
    "man": "men",
    "woman": "women",
    "scissors": "scissors",
    "trousers": "trousers",
    "glasses": "glasses",
    "furniture": "furniture",
    "fruit": "fruit",
    "clothes": "clothes",
}


def function_phrases(definition: str) -> list[str]:
    """Ways to ask for a thing by what it is for, cut from its definition; empty when that does not say."""
    phrases: list[str] = []
    for how, what in _USED.findall(definition):
        what = what.strip()
        phrases += [f"something used {how} {what}", f"a thing {how} {what}"]
        if how == "to":
            phrases += [f"something to {what}", f"something to {what} with", f"a tool to {what}"]
    for what in _FOR_DOING.findall(definition):
        verb, _, rest = what.strip().partition(" ")
        phrases += [f"something for {what.strip()}", f"something used for {what.strip()}"]
        phrases.append(f"something to {base_form(verb)} {rest}".strip())
    phrases += [f"something that {what.strip()}" for what in _THAT.findall(definition)]
    for what in _PLACE.findall(definition):
        phrases += [f"where {what.strip()}", f"a place where {what.strip()}"]
    return list(dict.fromkeys(phrases))


def base_form(verb: str) -> str:
    """ "cutting" -> "cut", "writing" -> "write", "holding" -> "hold"; by spelling alone, right for most verbs."""
    stem = verb.removesuffix("ing")
    if stem == verb or not re.search("[aeiouy]", stem):
        return verb
    if stem[-2:-1] == stem[-1] and stem[-1] not in "lsfze":
        return stem[:-1]
    return stem + "e" if _ONE_SYLLABLE.match(stem) or _SILENT_E.search(stem) else stem


def plural(noun: str) -> str:
    """Plural of a noun, of the last word of a compound, of the first part of "can of coffee"; by spelling mostly."""
    first, of, content = noun.partition(" of ")
    if of:
        return plural(first) + of + content
    before, _, last = noun.rpartition(" ")
    if last in _IRREGULAR_PLURALS:
        last = _IRREGULAR_PLURALS[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        last += "" if last.endswith("s") and not last.endswith("ss") else "es"
    elif last.endswith("y") and last[-2:-1] not in _VOWELS:
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{before} {last}".strip()
