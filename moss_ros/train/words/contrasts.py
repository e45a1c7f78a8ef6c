"""Groups of pairs that differ in one word, hard negatives of each other: attributes, contents and compounds."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence

from moss_ros.train.words.similarity import Pair
from moss_ros.train.words.templates import fill, in_template
from moss_ros.train.words.wordnet import FOOD, MADE_OR_EATEN, WordNet

COLORS = (
    *("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey", "gray"),
    *("beige", "turquoise", "silver", "gold"),
)
MATERIALS = (
    *("wooden", "metal", "plastic", "glass", "leather", "paper", "cardboard", "ceramic", "steel", "brass"),
    *("rubber", "woollen", "cotton", "stone"),
)
LOOKS = (
    *("big", "small", "tall", "low", "round", "square", "old", "new", "striped", "dotted", "flowered"),
    *("patterned", "plain", "shiny", "dark", "light", "empty"),
)
COLORS_THAT_ARE_THINGS = ("orange", "gold", "silver", "pink")
CONTAINERS = (
    *("can", "tin", "bottle", "box", "jar", "bag", "cup", "mug", "glass", "bowl", "plate", "packet"),
    *("tube", "bucket", "basket", "jug"),
)
ATTRIBUTE_FORMS = ("a {n} that is {a}", "{n}, {a}", "{a} {n}", "{n} which looks {a}", "the {a} one of the {n}s")

Named = tuple[str, int]  # a noun and the row of its meaning


class Contrasts:
    """Draws groups. `pair_of` gives a pair of names and sayings of a meaning."""

    def __init__(
        self, words: WordNet, nouns: Sequence[Named], draw: random.Random, pair_of: Callable[[int], Pair]
    ) -> None:
        self.words = words
        self._nouns = list(nouns)
        self._draw = draw
        self._pair_of = pair_of
        rows = [r for r, s in enumerate(words.synsets) if s.key[0] == "noun" and s.file in MADE_OR_EATEN]
        food = [r for r in rows if words.synsets[r].file == FOOD and words.uses.get(r, 0) > 1]
        self._food = [(words.usual_lemmas(r)[0].lower(), r) for r in food]
        self._containers = [(c, r) for c in CONTAINERS if (r := words.thing(c)) is not None]
        self._compounds = _by_first_word(words, rows)

    def attributes(self) -> list[Pair]:
        """Two nouns, each with the same two attributes."""
        draw = self._draw
        nouns = draw.sample(self._nouns, 2) if len(self._nouns) > 1 else self._nouns * 2
        among = draw.choice((COLORS, COLORS, MATERIALS, LOOKS))
        two = draw.sample(among, 2)
        if among is COLORS and "orange" not in two and draw.random() < 0.15:
            two[0] = "orange"  # the color that is most often mistaken for a thing
        pairs = [self._attribute_pair(a, name, row) for name, row in nouns for a in two]
        name, row = nouns[0]
        if draw.random() < 0.3:
            pairs[0] = Pair(in_template(f"{two[0]} {name}", draw), name, self.words.concept(row))
        trap = next((self.words.thing(a) for a in two if a in COLORS_THAT_ARE_THINGS), None)
        if trap is not None:
            pairs[-1] = self._pair_of(trap)
        return pairs

    def _attribute_pair(self, attribute: str, noun: str, row: int) -> Pair:
        right = self._draw.choice(ATTRIBUTE_FORMS).format(n=noun, a=attribute)
        return Pair(in_template(f"{attribute} {noun}", self._draw), right, self.words.concept(row))

    def contents(self) -> list[Pair]:
        """Two containers of the same food and the food: "a can of coffee" is a can. Attributes where it knows none."""
        if len(self._containers) < 2 or not self._food:
            return self.attributes()
        food, food_row = self._draw.choice(self._food)
        pairs = []
        for container, row in self._draw.sample(self._containers, 2):
            right = self._draw.choice((container, f"a {food} {container}", f"{container}, {food} in it"))
            pairs.append(Pair(in_template(f"{container} of {food}", self._draw), right, self.words.concept(row)))
        return [*pairs, self._pair_of(food_row)]

    def compounds(self) -> list[Pair]:
        """Up to three names that share their first word (coffee cup, coffee table): the last word says what each is."""
        if not self._compounds:
            return self.attributes()
        group = self._draw.choice(self._compounds)
        pairs = []
        for row, name, head in self._draw.sample(group, min(3, len(group))):
            right = fill(self._draw.choice(("{}", "a {}", "a kind of {}")), head)
            pairs.append(Pair(in_template(name, self._draw), right, self.words.concept(row)))
        return pairs


def _by_first_word(words: WordNet, rows: Sequence[int]) -> list[list[tuple[int, str, str]]]:
    """(meaning, compound, what it is a kind of) in groups of two and more that share their first word."""
    groups: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for row in rows:
        kinds = {w.lower() for p in words.parents(row) for w in words.synsets[p].lemmas}
        for lemma in words.synsets[row].lemmas:
            first, _, head = lemma.lower().partition(" ")
            if head in kinds:
                groups[first].append((row, lemma.lower(), head))
    return [g for _, g in sorted(groups.items()) if len(g) > 1]
