from __future__ import annotations

from pathlib import Path

import pytest

from moss_ros.train.words.household import Thing, read_household


def test_every_line_of_the_list_is_read() -> None:
    things = read_household()
    assert len(things) > 150
    assert all(t.names and t.phrases for t in things)
    assert any("trainer" in t.names and t.kind == "shoe" for t in things)


def test_a_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# a comment\n\nmug, tea mug | cup | something to drink from; it holds tea\n", encoding="utf-8")
    assert read_household(path) == [Thing(("mug", "tea mug"), "cup", ("something to drink from", "it holds tea"))]


@pytest.mark.parametrize("line", ["mug | cup", "mug | | drink", "a | b | c | d"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# first\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="list.txt:2"):
        read_household(path)
