"""A few steps on a tiny set; what is exported is an ordinary open_clip model."""

import json

import numpy as np
import pytest

from moss_ros.torchvision_ops import ensure_torchvision

torch = pytest.importorskip("torch")
ensure_torchvision()
pytest.importorskip("open_clip")
pytest.importorskip("timm")

from moss_ros.language.encoders.bundled_tower import IMAGE_SIZE_PX, PATCH_PX  # noqa: E402
from moss_ros.language.encoders.mask_tokens import MaskTokens  # noqa: E402
from moss_ros.train.pictures import windows  # noqa: E402
from moss_ros.train.pictures.batches import BatchPlan, Source, joined  # noqa: E402
from moss_ros.train.pictures.export import export  # noqa: E402
from moss_ros.train.pictures.learn import save_checkpoint  # noqa: E402
from moss_ros.train.pictures.losses import NEVER, WordTargets, smooth_loss  # noqa: E402
from moss_ros.train.pictures.tower import embed_masks, make_tower, normalised  # noqa: E402
from moss_ros.train.pictures.training import Settings, Training  # noqa: E402
from moss_ros.train.pictures.words import ChanceWords, TowerWords  # noqa: E402
from moss_ros.train.words.tower import DIMENSIONS, TEXT_CONFIG  # noqa: E402


@pytest.fixture(scope="module")
def source(objects_folder) -> Source:
    return Source(objects_folder, None)


def _training(source: Source, steps: int = 40) -> Training:
    return Training(
        Settings(steps=steps, warm_up_steps=2, batch=3, average=0.5), WordTargets(source.categories, ChanceWords())
    )


def test_sizes_agree() -> None:
    assert (windows.SIZE_PX, windows.PATCH_PX) == (IMAGE_SIZE_PX, PATCH_PX)


def test_steps_reduce_the_loss(source) -> None:
    training = _training(source)
    batch = source.batch(BatchPlan(0, 3), 0)
    losses = [training.train_on(batch) for _ in range(8)]
    assert losses[-1] < 0.75 * losses[0]


def test_batch_depends_on_seed_and_number_alone(source) -> None:
    plan = BatchPlan(3, 2)
    a, b, c = source.batch(plan, 5), source.batch(plan, 5), source.batch(plan, 6)
    assert np.array_equal(a.color_rgb, b.color_rgb) and np.array_equal(a.shares, b.shares)
    assert a.captions == b.captions
    assert not np.array_equal(a.color_rgb, c.color_rgb)
    assert ((a.category >= 0) == (a.shares.max((2, 3)) > 0)).all()


def test_batches_are_joined_in_order(source) -> None:
    parts = [source.batch(BatchPlan(0, 2), k) for k in range(2)]
    whole = joined(parts)
    assert whole.captions == parts[0].captions + parts[1].captions
    assert np.array_equal(whole.shares[2:], parts[1].shares) and np.array_equal(whole.color_rgb[:2], parts[0].color_rgb)


def test_training_goes_on_where_it_stopped(source) -> None:
    batches = [source.batch(BatchPlan(0, 2), k) for k in range(3)]
    whole = _training(source)
    for batch in batches:
        whole.train_on(batch)
    first = _training(source)
    first.train_on(batches[0])
    second = _training(source)
    second.restore(first.state())
    for batch in batches[1:]:
        second.train_on(batch)
    for a, b in zip(whole.tower.parameters(), second.tower.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    with pytest.raises(ValueError, match="seed"):
        Training(Settings(seed=9), whole.targets).restore(first.state())


def test_smooth_loss_leaves_excluded_classes_out() -> None:
    logits = torch.tensor([[0.0, 0.0, NEVER]])
    assert smooth_loss(logits, torch.tensor([0])).item() == pytest.approx(np.log(2), abs=1e-6)


def test_mask_tokens_are_those_of_the_encoder() -> None:
    torch.manual_seed(0)
    tower = make_tower().eval()
    rng = np.random.default_rng(0)
    images = normalised(rng.integers(0, 256, (2, IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3), dtype=np.uint8))
    shares = (rng.random((2, 3, 8, 8)) * (rng.random((2, 3, 8, 8)) < 0.3)).astype(np.float32)
    outside = np.zeros((2, 8, 8), bool)
    outside[1, :2] = True
    shares[1, :, :2] = 0
    with torch.inference_mode():
        ours = embed_masks(tower, images, torch.from_numpy(shares), torch.from_numpy(outside)).numpy()
    theirs = MaskTokens(tower, 0.0).forward(images, shares, outside)
    theirs /= np.linalg.norm(theirs, axis=-1, keepdims=True)
    assert np.abs(ours - theirs).max() < 1e-5


@pytest.fixture(scope="module")
def exported(source, tmp_path_factory):
    """A model of one training step and a text tower by chance, written and joined."""
    from open_clip.model import CLIP
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("export")
    training = _training(source)
    training.train_on(source.batch(BatchPlan(0, 2), 0))
    save_checkpoint(training, folder)
    torch.manual_seed(1)
    small = {"layers": 1, "width": 64, "patch_size": 32, "image_size": 32}
    text = {
        k: v.half().contiguous()
        for k, v in CLIP(DIMENSIONS, small, TEXT_CONFIG).state_dict().items()
        if not k.startswith("visual.") and k != "logit_scale"
    }
    save_file(text, str(folder / "text.safetensors"))
    config, weights = folder / "moss_small.json", folder / "moss_small.safetensors"
    export(folder / "image.safetensors", folder / "text.safetensors", config, weights)
    return training, folder, config, weights


def test_export_loads_strictly_and_a_full_mask_is_the_image(exported) -> None:
    from open_clip.model import CLIP
    from safetensors.torch import load_file

    training, _, config, weights = exported
    entries = json.loads(config.read_text())
    assert entries.pop("moss")["start_layer_share"] == 0.0
    model = CLIP(**entries).eval()
    state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(str(weights)).items()}
    model.load_state_dict(state, strict=True)
    images = torch.randn(2, 3, IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    with torch.inference_mode():
        plain = model.encode_image(images).numpy()
        trained = training.average.eval()(images).numpy()
    full = MaskTokens(model.visual, 0.0).forward(images, np.ones((2, 1, 8, 8)))[:, 0]
    assert np.abs(full - plain).max() < 1e-4 * np.abs(plain).max()
    assert np.abs(trained - plain).max() < 0.02 * np.abs(plain).max()  # half precision


def test_words_of_the_exported_tower(exported) -> None:
    _, folder, _, _ = exported
    words = TowerWords(folder / "text.safetensors")
    rows = words.vectors(["a mug", "a chair", "a mug"])
    assert rows.shape == (3, DIMENSIONS) and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(rows[0], rows[2])
    with pytest.raises(FileNotFoundError, match=r"moss_ros.train.words"):
        TowerWords(folder / "nothing.safetensors")


def test_words_by_chance_share_what_texts_share() -> None:
    rows = ChanceWords().vectors(["a red mug", "mug", "the mug", "chair"])
    assert np.allclose(rows[1], rows[2])
    assert rows[0] @ rows[1] > 0.5 > abs(rows[1] @ rows[3])
