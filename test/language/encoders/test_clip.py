"""The encoder: one contract for every way to read masks, and texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_clip import DIMENSIONS, SIZE, clip_model, loaded, timm_visual, torch

from moss_ros.language.encoders import clip
from moss_ros.language.encoders.alpha_clip import ALPHA_KEY, AlphaClipReader, converted, square_around
from moss_ros.language.encoders.clip import ClipEncoder, MaskTokenReader, window_images
from moss_ros.language.encoders.crops import CropReader, crop_box
from moss_ros.language.encoders.prompts import TEMPLATES, checked_templates, checked_text, prompts_for
from moss_ros.language.encoders.towers import UnsupportedTowerError
from moss_ros.language.encoders.windows import Window, whole_frame
from moss_ros.weights.table import MissingWeightsError

COLOR = np.random.default_rng(5).integers(0, 255, (60, 80, 3), dtype=np.uint8)


def some_masks() -> np.ndarray:
    masks = np.zeros((4, 60, 80), bool)
    masks[0, 10:30, 15:40] = True
    masks[2, 40:42, 70:73] = True
    masks[3, 5:55, 2:78] = True
    return masks


def alpha_checkpoint(model: Any, folder: Path, kernel: torch.Tensor | None = None) -> Path:
    """The image tower as Alpha-CLIP writes it."""
    state = {key.replace("attn.in_proj_", "attn.in_proj."): value for key, value in model.visual.state_dict().items()}
    shape = (state["conv1.weight"].shape[0], 1, *state["conv1.weight"].shape[2:])
    state[ALPHA_KEY] = 0.05 * torch.randn(shape) if kernel is None else kernel
    torch.save(state, folder / "alpha.pth")
    return folder / "alpha.pth"


def alpha_encoder(folder: Path) -> ClipEncoder:
    model = clip_model()
    small = loaded(model)
    return ClipEncoder(small, AlphaClipReader(small, alpha_checkpoint(model, folder)))


def timm_encoder(folder: Path) -> ClipEncoder:
    model = clip_model()
    model.visual = timm_visual()
    return ClipEncoder(loaded(model))


def crop_encoder(folder: Path) -> ClipEncoder:
    small = loaded(clip_model())
    return ClipEncoder(small, CropReader(small))


ENCODERS: dict[str, Callable[[Path], ClipEncoder]] = {
    "mask tokens": lambda folder: ClipEncoder(loaded(clip_model())),
    "mask tokens, whole image": lambda f: ClipEncoder(
        loaded(clip_model()), MaskTokenReader(loaded(clip_model()), windows=False)
    ),
    "mask tokens of timm": timm_encoder,
    "alpha": alpha_encoder,
    "crops": crop_encoder,
}


@pytest.fixture(params=list(ENCODERS))
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> ClipEncoder:
    return ENCODERS[request.param](tmp_path)


def test_contract_of_masks(encoder: ClipEncoder) -> None:
    masks = some_masks()
    rows = encoder.encode_masks(COLOR, masks)
    assert rows.shape == (4, encoder.dimensions) == (4, DIMENSIONS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1, 0, 1, 1], atol=1e-5)
    np.testing.assert_allclose(encoder.encode_masks(COLOR, masks.astype(np.float32)), rows, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_masks(COLOR, masks), rows, atol=1e-6)
    assert np.abs(rows[0] - rows[2]).max() > 1e-4
    assert encoder.encode_masks(COLOR, masks[:0]).shape == (0, DIMENSIONS)
    assert (encoder.encode_masks(COLOR, masks[1:2]) == 0).all()
    with pytest.raises(ValueError, match="masks must be"):
        encoder.encode_masks(COLOR, masks[:, :-1])


def test_contract_of_texts(encoder: ClipEncoder) -> None:
    rows = encoder.encode_texts(["mug", "red chair", "mug"])
    assert rows.shape == (3, DIMENSIONS) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert (rows[0] == rows[2]).all()
    assert np.abs(rows[0] - rows[1]).max() > 1e-3
    assert encoder.encode_texts([]).shape == (0, DIMENSIONS)


def test_a_mask_alone_is_what_it_is_among_others_on_the_whole_image() -> None:
    small = loaded(clip_model())
    encoder = ClipEncoder(small, MaskTokenReader(small, windows=False))
    rows = encoder.encode_masks(COLOR, some_masks())
    for index in (0, 2, 3):
        alone = encoder.encode_masks(COLOR, some_masks()[[index]])
        np.testing.assert_allclose(alone[0], rows[index], atol=1e-5)


def test_windows_in_batches_give_the_same() -> None:
    small = loaded(clip_model())
    one, many = MaskTokenReader(small), MaskTokenReader(small)
    one._at_once, many._at_once = 1, 8
    masks = np.zeros((6, 300, 400), bool)
    for i in range(6):
        masks[i, 40 * i : 40 * i + 30 + 9 * i, 50 * i : 50 * i + 20] = True
    color = np.random.default_rng(6).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    expected = ClipEncoder(small, one).encode_masks(color, masks)
    np.testing.assert_allclose(ClipEncoder(small, many).encode_masks(color, masks), expected, atol=1e-5)


def test_a_mask_of_a_whole_square_image_is_the_image_of_the_model() -> None:
    small = loaded(clip_model())
    encoder = ClipEncoder(small, MaskTokenReader(small, start_layer_share=0.0))
    color = np.ascontiguousarray(COLOR[:60, :60])
    with torch.inference_mode():
        plain = small.model.encode_image(window_images(color, [whole_frame(60, 60, (0,))], small), normalize=True)
    rows = encoder.encode_masks(color, np.ones((1, 60, 60), bool))
    np.testing.assert_allclose(rows, plain.numpy(), atol=1e-6)


def test_both_ends_of_a_wide_image_can_be_told_apart() -> None:
    """Nothing of a 4:3 image is cut away: only its outermost columns change, and the mask there notices."""
    small = loaded(clip_model())
    encoder = ClipEncoder(small, MaskTokenReader(small, windows=False))
    mask = np.zeros((1, 60, 80), bool)
    mask[0, :, :4] = True
    other = COLOR.copy()
    other[:, :4] = 255 - other[:, :4]
    assert np.abs(encoder.encode_masks(COLOR, mask) - encoder.encode_masks(other, mask)).max() > 1e-4


def test_the_input_is_normalised_as_the_model_wants() -> None:
    small = loaded(clip_model())
    color = np.full((SIZE, SIZE, 3), (255, 0, 51), np.uint8)
    images = window_images(color, [Window(0, 0, SIZE, ())], small)
    expected = (np.array([1, 0, 0.2]) - small.mean) / small.std
    np.testing.assert_allclose(images[0, :, 3, 4].numpy(), expected, atol=1e-6)


def test_templates_are_averaged() -> None:
    small = loaded(clip_model())
    both = ClipEncoder(small).encode_texts(["mug"])[0]
    each = [ClipEncoder(replace(small, templates=(t,))).encode_texts(["mug"])[0] for t in small.templates]
    mean = (each[0] + each[1]) / 2
    np.testing.assert_allclose(both, mean / np.linalg.norm(mean), atol=1e-5)


class Counting:
    """Counts the texts that reach the model."""

    def __init__(self, encoder: ClipEncoder) -> None:
        self.texts: list[str] = []
        read = encoder._read_texts

        def counted(texts: list[str]) -> np.ndarray:
            self.texts += texts
            return read(texts)

        encoder._read_texts = counted  # type: ignore[method-assign]


def test_texts_are_read_once_and_the_oldest_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip, "TEXTS_KEPT", 2)
    encoder = ClipEncoder(loaded(clip_model()))
    seen = Counting(encoder)
    first = encoder.encode_texts(["mug", " mug ", "chair"])
    assert seen.texts == ["mug", "chair"]
    encoder.encode_texts(["mug"])  # now chair is the oldest
    encoder.encode_texts(["table"])
    assert seen.texts == ["mug", "chair", "table"]
    again = encoder.encode_texts(["mug", "chair"])
    assert seen.texts == ["mug", "chair", "table", "chair"]
    np.testing.assert_allclose(again, first[[0, 2]], atol=1e-5)
    many = encoder.encode_texts(["a", "b", "c", "a", "mug", "b"])  # more than are kept
    assert (many[0] == many[3]).all() and (many[1] == many[5]).all() and np.allclose(many[4], first[0], atol=1e-5)


def test_texts_that_say_nothing_or_too_much_are_refused() -> None:
    encoder = ClipEncoder(loaded(clip_model()))
    for empty in ("", "  \n"):
        with pytest.raises(ValueError, match="empty text"):
            encoder.encode_texts(["mug", empty])
    with pytest.raises(ValueError, match="24 tokens.*fewer words"):
        encoder.encode_texts(["the mug " * 20])
    with pytest.raises(ValueError, match="list of texts"):
        encoder.encode_texts("mug")
    fits = "mug " * 17  # with "a photo of a", the stop and the marks: 24
    assert encoder.encode_texts([fits]).shape == (1, DIMENSIONS)
    with pytest.raises(ValueError, match="fewer words"):
        encoder.encode_texts([fits + "mug"])


def test_prompts() -> None:
    assert prompts_for("mug", ("{}", "a {}.")) == ["mug", "a mug."]
    assert prompts_for("{}", ("a {}",)) == ["a {}"]
    assert checked_text(" red\n mug ") == "red mug"
    assert checked_templates(TEMPLATES) == TEMPLATES
    for wrong in ((), ("a mug",), ("{} and {}",)):
        with pytest.raises(ValueError, match="templates"):
            checked_templates(wrong)


def test_crops_grow_and_stay_inside() -> None:
    assert crop_box(np.array([10, 20, 30, 60]), 0, 100, 100) == (10, 20, 30, 60)
    assert crop_box(np.array([10, 20, 30, 60]), 2, 100, 100) == (6, 12, 34, 68)
    assert crop_box(np.array([0, 0, 100, 90]), 2, 100, 100) == (0, 0, 100, 100)


def test_squares_of_alpha_clip() -> None:
    assert square_around(np.array([40, 40, 60, 50]), 100, 100, (3,)) == Window(35, 30, 30, (3,))
    assert square_around(np.array([0, 90, 20, 100]), 100, 100, (0,)) == Window(0, 70, 30, (0,))
    assert square_around(np.array([0, 0, 60, 80]), 60, 80, (0,)) == whole_frame(60, 80, (0,))


def test_names_of_alpha_clip_weights() -> None:
    state = {
        "visual.transformer.resblocks.0.attn.in_proj.weight": torch.ones(1, dtype=torch.float16),
        "transformer.resblocks.1.attn.in_proj.bias": torch.ones(2),
        "transformer.resblocks.1.attn.out_proj.weight": torch.ones(3),
    }
    out = converted(state)
    assert list(out) == [
        "transformer.resblocks.0.attn.in_proj_weight",
        "transformer.resblocks.1.attn.in_proj_bias",
        "transformer.resblocks.1.attn.out_proj.weight",
    ]
    assert all(v.dtype == torch.float32 for v in out.values())


@pytest.mark.parametrize("kernel", ["zero", "random"])
def test_alpha_clip_without_a_say_is_clip(kernel: str, tmp_path: Path) -> None:
    """A mask convolution of zeros changes nothing; any other adds its response to the alpha of the mask."""
    model = clip_model()
    small = loaded(model)
    weight = torch.zeros(32, 1, 16, 16) if kernel == "zero" else 0.05 * torch.randn(32, 1, 16, 16)
    images = torch.randn(2, 3, SIZE, SIZE)
    with torch.inference_mode():
        plain = model.visual(images).numpy()
    reader = AlphaClipReader(small, alpha_checkpoint(model, tmp_path, weight))
    found = reader.forward(images, np.ones((2, SIZE, SIZE), np.float32))
    if kernel == "zero":
        np.testing.assert_allclose(found, plain, atol=1e-6)
        return
    # All-one alpha adds the same (1 - 0.5) / 0.26 x sum of the kernel to each channel of each patch.
    bias = weight.sum((1, 2, 3)) * (0.5 / 0.26)
    tower = reader._tower
    with torch.inference_mode():
        tokens, _ = tower.embed_patches(model.visual.conv1(images) + bias[None, :, None, None])
        for block in tower.blocks:
            tokens = block(tokens)
        expected = tower.finish(tokens)[:, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found - plain).max() > 1e-4


def test_alpha_clip_checkpoints_that_do_not_fit(tmp_path: Path) -> None:
    model = clip_model()
    small = loaded(model)
    with pytest.raises(MissingWeightsError, match="SunzeY"):
        AlphaClipReader(small, tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("no tensors")
    with pytest.raises(MissingWeightsError, match="cannot be read"):
        AlphaClipReader(small, tmp_path / "text.pth")
    torch.save(model.visual.state_dict(), tmp_path / "plain.pth")
    with pytest.raises(MissingWeightsError, match="conv1_alpha"):
        AlphaClipReader(small, tmp_path / "plain.pth")
    other = alpha_checkpoint(clip_model(layers=3), tmp_path)
    with pytest.raises(MissingWeightsError, match=r"transformer\.resblocks\.3"):
        AlphaClipReader(small, other)
    model.visual = timm_visual()
    with pytest.raises(UnsupportedTowerError, match="ViT-L-14"):
        AlphaClipReader(small, other)


@pytest.mark.parametrize("kind", ENCODERS)
def test_masks_may_be_coarser_than_the_image(kind: str, tmp_path: Path) -> None:
    encoder = ENCODERS[kind](tmp_path)
    coarse = some_masks()[:, ::2, ::2]
    expected = encoder.encode_masks(COLOR, coarse.repeat(2, 1).repeat(2, 2))
    np.testing.assert_allclose(encoder.encode_masks(COLOR, coarse), expected, atol=1e-5)


def test_half_precision_says_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = timm_encoder(Path())
    rows, texts = encoder.encode_masks(COLOR, some_masks()), encoder.encode_texts(["mug"])
    monkeypatch.setattr(clip, "half_precision", lambda device: torch.autocast("cpu", torch.bfloat16))
    half = timm_encoder(Path())
    seen = rows.any(1)
    assert ((half.encode_masks(COLOR, some_masks()) * rows).sum(1)[seen] > 0.999).all()
    assert (half.encode_texts(["mug"]) * texts).sum() > 0.999
