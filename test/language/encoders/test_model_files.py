"""Loading models: from files, through open_clip's names, and what is said when they are not there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_clip import TEXT, VISION, clip_model, loaded, stem_visual, torch

from moss_ros.config import ConfigError, LanguageConfig
from moss_ros.language.encoders import choose, model_files
from moss_ros.language.encoders.choose import configured_encoder
from moss_ros.language.encoders.clip import ClipEncoder
from moss_ros.language.encoders.model_files import chosen_device, load_files, load_model
from moss_ros.weights.table import MissingWeightsError

MOSS = {"name": "moss/small", "templates": ["one {}"], "image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}


@pytest.fixture(autouse=True)
def fresh() -> None:
    choose._encoder.cache_clear()


def write_model(folder: Path, model: Any | None = None, stem: str = "small_test", **moss: Any) -> tuple[Path, Path]:
    """An open_clip configuration and weights in half precision."""
    from safetensors.torch import save_file

    config = {"embed_dim": 16, "vision_cfg": VISION, "text_cfg": TEXT}
    (folder / f"{stem}.json").write_text(json.dumps({**config, **({"moss": moss} if moss else {})}))
    state = (model or clip_model()).state_dict()
    save_file({k: v.half().contiguous() for k, v in state.items()}, folder / f"{stem}.safetensors")
    return folder / f"{stem}.json", folder / f"{stem}.safetensors"


def test_a_model_comes_back_from_its_files(tmp_path: Path) -> None:
    model = clip_model()
    found = load_files(*write_model(tmp_path, model, **MOSS), device="cpu")
    assert (found.name, found.dimensions, found.image_size, found.templates) == ("moss/small", 16, 64, ("one {}",))
    np.testing.assert_allclose(found.mean, MOSS["image_mean"])
    np.testing.assert_allclose(found.std, MOSS["image_std"])
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        # Half precision rounds weights at the fourth digit.
        torch.testing.assert_close(found.model.visual(image), model.visual(image), atol=2e-2, rtol=1e-2)
    assert not found.model.training
    rows = ClipEncoder(found).encode_masks(np.zeros((40, 50, 3), np.uint8), np.ones((2, 40, 50), bool))
    assert rows.shape == (2, 16)


def test_without_an_entry_of_its_own_a_model_has_the_usual_values(tmp_path: Path) -> None:
    found = load_files(*write_model(tmp_path, stem="plain_test"), device="cpu")
    assert found.name == "plain_test"
    np.testing.assert_allclose(found.mean, [0.48145466, 0.4578275, 0.40821073], atol=1e-6)


def test_mask_tokens_start_where_the_model_was_trained_to_start_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_model(tmp_path, start_layer_share=0.0)
    assert load_files(*files, device="cpu").start_layer_share == 0.0
    monkeypatch.setattr(model_files, "bundled_files", lambda: files)
    monkeypatch.setattr(choose, "bundled_files", lambda: files)

    def start(**config: float) -> int:
        choose._encoder.cache_clear()
        encoder = configured_encoder(LanguageConfig(enabled="always", device="cpu", **config))
        assert isinstance(encoder, ClipEncoder)
        return encoder._reader._mask_tokens.start

    assert start() == 0
    assert start(start_layer_share=0.5) == VISION["layers"] // 2 > 0


def test_larger_images_interpolate_the_positions(tmp_path: Path) -> None:
    found = load_files(*write_model(tmp_path, stem="large_test"), image_size=128, device="cpu")
    assert found.image_size == 128
    assert found.model.visual.positional_embedding.shape == (65, 32)
    rows = ClipEncoder(found).encode_masks(np.zeros((40, 50, 3), np.uint8), np.ones((1, 40, 50), bool))
    np.testing.assert_allclose(np.linalg.norm(rows), 1, atol=1e-5)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    files = write_model(tmp_path, clip_model(layers=3), stem="other_test")
    with pytest.raises(MissingWeightsError, match="other_test"):
        load_files(*files, device="cpu")


def test_missing_files_and_names_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, **k: None)
    with pytest.raises(MissingWeightsError, match="is missing"):
        load_files(tmp_path / "none.json", tmp_path / "none.safetensors")
    with pytest.raises(MissingWeightsError, match="knows no model 'ViT-X'"):
        load_model("ViT-X", "openai")
    with pytest.raises(MissingWeightsError, match=r"language\.weights.*openai"):
        load_model("ViT-B-16")
    with pytest.raises(MissingWeightsError, match="moss weights fetch clip_vit_b_16"):
        load_model("ViT-B-16", "openai")
    with pytest.raises(MissingWeightsError, match="download_pretrained"):
        load_model("ViT-B-32", "laion2b_s34b_b79k")
    with pytest.raises(MissingWeightsError, match="neither a checkpoint nor a pretrained tag"):
        load_model("ViT-B-16", str(tmp_path / "none.pt"))


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == chosen_device("cpu") == "cpu"
    with pytest.raises(ValueError, match="no GPU"):
        chosen_device("cuda")


CONFIG = LanguageConfig(device="cpu")


def test_the_configuration_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_model(tmp_path, stem="chosen_test")
    for module in (choose, model_files):
        monkeypatch.setattr(module, "bundled_files", lambda: files)
    encoder = configured_encoder(CONFIG)
    assert isinstance(encoder, ClipEncoder) and encoder.name == "chosen_test"
    assert configured_encoder(replace(CONFIG, label_min_score=0.5)) is encoder, "made once a process"
    crops = configured_encoder(replace(CONFIG, backend="crops"))
    assert crops is not None and crops is not encoder
    assert configured_encoder(replace(CONFIG, enabled="never")) is None
    with pytest.raises(ConfigError, match="alpha_weights"):
        configured_encoder(replace(CONFIG, backend="alpha_clip"))
    with pytest.raises(ConfigError, match="SunzeY"):
        configured_encoder(replace(CONFIG, backend="alpha_clip", alpha_weights=str(tmp_path / "none.pth")))
    with pytest.raises(ConfigError, match=r"language\.weights"):
        configured_encoder(replace(CONFIG, model="ViT-B-16"))


def test_auto_is_off_where_something_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = (tmp_path / "a.json", tmp_path / "a.safetensors")
    for module in (choose, model_files):
        monkeypatch.setattr(module, "bundled_files", lambda: missing)
    assert configured_encoder(CONFIG) is None
    with pytest.raises(ConfigError, match="is missing"):
        configured_encoder(replace(CONFIG, enabled="always"))
    monkeypatch.setattr(choose.importlib.util, "find_spec", lambda name: None)
    assert configured_encoder(replace(CONFIG, model="ViT-B-16", weights="openai")) is None


def test_without_open_clip_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ConfigError, match=r"pip install 'moss_ros\[language\]'"):
        configured_encoder(replace(CONFIG, enabled="always", model="ViT-B-16", weights="openai"))


def test_the_bundled_model_reads_masks_and_texts() -> None:
    encoder = configured_encoder(replace(CONFIG, enabled="always"))
    assert encoder is not None
    rows = encoder.encode_masks(np.full((48, 64, 3), 90, np.uint8), np.ones((1, 48, 64), bool))
    np.testing.assert_allclose(np.linalg.norm(rows), 1, atol=1e-5)
    assert encoder.encode_texts(["mug"]).shape == (1, encoder.dimensions)


def test_ready_to_run_means_the_same() -> None:
    model = clip_model()
    model.visual = stem_visual()
    image = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = model.visual(image)
        found = loaded(model).ready_to_run().model.visual
        assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in found.modules())
        torch.testing.assert_close(found(image), expected, atol=1e-5, rtol=1e-4)
