"""The tower equals open_clip's, learns, and its file loads into open_clip's model strictly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from moss_ros.torchvision_ops import ensure_torchvision
from moss_ros.train.words.similarity import Concept, Pair
from moss_ros.train.words.tokens import VOCABULARY, families, stem, tokenize
from moss_ros.train.words.tower import DIMENSIONS, WIDTH, WordTower, save
from moss_ros.train.words.train import Settings, Training, run, write

INFORMATION = [0.0, 1.0, 1.0, 1.0]
PAIRS = [
    Pair("a mug", "something to drink from", Concept(frozenset({0, 1}), 1.0)),
    Pair("the hammer", "a tool for driving nails", Concept(frozenset({0, 2}), 1.0)),
    Pair("a chair", "something to sit on", Concept(frozenset({0, 3}), 1.0)),
]


def new_tower(seed: int = 0) -> WordTower:
    torch.manual_seed(seed)
    return WordTower(np.arange(VOCABULARY) % 5000)


def test_tokens_are_those_of_open_clip() -> None:
    ensure_torchvision()
    from open_clip.tokenizer import SimpleTokenizer

    texts = ["A mug", "something to play (video) games with, or not; 2 of them", "the rubik's cube"]
    ours = tokenize(texts)
    theirs = SimpleTokenizer(context_length=32)(texts).numpy()
    assert np.array_equal(ours, theirs[:, : ours.shape[1]])
    assert not theirs[:, ours.shape[1] :].any()


def test_a_long_text_is_cut_and_ends_with_its_mark() -> None:
    assert tokenize(["mug " * 50]).shape == (1, 32)
    assert tokenize(["mug " * 50], 8)[0, -1] == VOCABULARY - 1


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        (("chair", "chairs"), "chair"),
        (("cut", "cutting", "cuts"), "cut"),
        (("bake", "baked", "baking", "bakes"), "bak"),
        (("battery", "batteries"), "battery"),
        (("glass",), "glass"),
    ],
)
def test_forms_of_a_word_share_their_stem(forms: tuple[str, ...], expected: str) -> None:
    assert {stem(f) for f in forms} == {expected}


def test_the_end_alone_equals_open_clips_forward() -> None:
    from open_clip.transformer import TextTransformer

    tower = new_tower()
    theirs = TextTransformer(32, VOCABULARY, WIDTH, 4, 1, output_dim=DIMENSIONS)
    table = tower.own.weight + tower.shared.weight[tower.family]
    theirs.load_state_dict({**tower.text.state_dict(), "token_embedding.weight": table}, strict=True)
    tokens = tokenize(["a mug", "something to clean the teeth with", ""])
    full = np.zeros((3, 32), np.int64)
    full[:, : tokens.shape[1]] = tokens
    with torch.no_grad():
        expected = torch.nn.functional.normalize(theirs(torch.from_numpy(full)), dim=-1)
        assert torch.allclose(tower(torch.from_numpy(tokens)), expected, atol=1e-5)


def test_training_brings_partners_together() -> None:
    training = Training(Settings(steps=30, warm_up_steps=1), new_tower())
    losses = [training.train_on(PAIRS, INFORMATION) for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]
    left, right = (training.tower.encode([getattr(p, side) for p in PAIRS]) for side in ("left", "right"))
    assert (left @ right.T).argmax(1).tolist() == [0, 1, 2]


class FixedSampler:
    """Stands in for the sampler: always the same pairs."""

    information = INFORMATION

    def batch(self, size: int) -> list[Pair]:
        return PAIRS


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = Training(Settings(steps=4), new_tower())
    run(whole, FixedSampler(), tmp_path, 1e9, lambda line: None)  # type: ignore[arg-type]
    half = Training(Settings(steps=4), new_tower())
    for _ in range(2):
        half.train_on(PAIRS, INFORMATION)
    resumed = Training(Settings(steps=4), new_tower(seed=1))
    resumed.restore(half.state())
    run(resumed, FixedSampler(), tmp_path, 1e9, lambda line: None)  # type: ignore[arg-type]
    for one, other in zip(whole.tower.parameters(), resumed.tower.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_seed_is_refused() -> None:
    state = Training(Settings(seed=1), new_tower()).state()
    with pytest.raises(ValueError, match="--seed"):
        Training(Settings(seed=2), new_tower()).restore(state)


def test_the_file_loads_into_open_clips_model_strictly(tmp_path: Path) -> None:
    ensure_torchvision()
    import open_clip
    from safetensors.torch import load_file

    write(Training(Settings(), new_tower()), tmp_path)
    config = json.loads((tmp_path / "text_cfg.json").read_text())
    vision = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16}
    model = open_clip.CLIP(config["embed_dim"], vision, config["text_cfg"])
    weights = load_file(str(tmp_path / "text.safetensors"))
    assert all(v.dtype == torch.float16 for v in weights.values())
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert unexpected == []
    assert all(name == "logit_scale" or name.startswith("visual.") for name in missing)


def test_the_note_stands_in_the_header(tmp_path: Path) -> None:
    from safetensors import safe_open

    save(new_tower(), tmp_path / "text.safetensors", {"step": "7"})
    with safe_open(str(tmp_path / "text.safetensors"), "pt") as stream:
        assert stream.metadata()["step"] == "7"


def test_families_join_a_word_and_its_pieces() -> None:
    family, numbers = families()
    assert family.shape == (VOCABULARY,)
    (book,), (books,) = tokenize(["book"])[:, 1], tokenize(["books"])[:, 1]
    assert family[book] == family[books] == numbers["book"]
