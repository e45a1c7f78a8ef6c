"""Two small objects and one background, made here."""

import json

import cv2
import numpy as np
import pytest

from moss_ros.train.pictures.cutouts import CutOuts, load_cutouts


@pytest.fixture(scope="session")
def objects_folder(tmp_path_factory: pytest.TempPathFactory):
    """A folder in the form of data/objects: a red ball and a blue cup to train on, a green ball kept apart."""
    folder = tmp_path_factory.mktemp("objects")
    entries = []
    for name, category, rgb, color, split in (
        ("a", "ball", (220, 40, 40), "red", "train"),
        ("b", "cup", (40, 70, 200), "blue", "train"),
        ("c", "ball", (40, 160, 60), "green", "val"),
    ):
        image = np.zeros((90, 90, 4), np.uint8)
        image[..., :3] = rgb[::-1]
        if category == "ball":
            cv2.circle(image, (45, 45), 44, (*rgb[::-1], 255), -1)
        else:
            image[:, 20:70, 3] = 255
        cv2.imwrite(str(folder / f"{name}.webp"), image)
        entries.append(
            {
                "id": name,
                "category": category,
                "synonyms": ["toy" if category == "ball" else "drinking vessel"],
                "attributes": {"colours": [color], "material": "plastic", "pattern": "plain", "text": None},
                "caption": f"caption of {name}",
                "split": split,
                "views": [{"file": f"{name}.webp"}],
            }
        )
    cv2.imwrite(str(folder / "room.jpg"), np.full((480, 640, 3), 128, np.uint8))
    listed = {"objects": entries, "backgrounds": [{"file": "room.jpg"}]}
    (folder / "objects.json").write_text(json.dumps(listed), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def cutouts(objects_folder) -> CutOuts:
    return load_cutouts(objects_folder, "train")
