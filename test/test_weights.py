"""The weights table: rows, paths, downloads from a local server, checks, and the command."""

from __future__ import annotations

import hashlib
import sys
import threading
import types
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from moss_ros.cli import main
from moss_ros.weights import fetch as fetching
from moss_ros.weights import report, table
from moss_ros.weights.fetch import fetch
from moss_ros.weights.store import sha256_of, verified, weights_folder, weights_path
from moss_ros.weights.table import TABLE, MissingWeightsError, Weights, find

CONTENT = bytes(range(256)) * 20
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Gives CONTENT; breaks_at: closes the connection after so many bytes, once."""

    breaks_at: int | None = None
    ranges = True
    asked: list[str | None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if first >= len(CONTENT):
            return self.send_error(416)
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(CONTENT) - first))
        self.end_headers()
        last, self.server.breaks_at = self.server.breaks_at, None
        self.wfile.write(CONTENT[first:last])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    served = Server(("127.0.0.1", 0), Handler)
    served.asked = []
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOSS_WEIGHTS", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def row(server: Server, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """A row whose file the local server gives."""
    url = f"http://127.0.0.1:{server.server_address[1]}/w.pth"
    made = Weights("tiny", "file", "tests", url, "w.pth", SUM, len(CONTENT), "MIT")
    monkeypatch.setattr(table, "TABLE", (made,))
    monkeypatch.setattr(report, "TABLE", (made,))
    return made


def test_rows_are_sound() -> None:
    assert len({w.name for w in TABLE}) == len(TABLE)
    for w in TABLE:
        assert w.kind in ("file", "huggingface", "open_clip")
        assert bool(w.file_name) == (w.kind != "open_clip")
        assert w.licence and w.purpose and w.source
        assert not w.sha256 or (len(w.sha256) == 64 and set(w.sha256) <= set("0123456789abcdef"))
        if w.kind == "file":
            assert w.source.startswith("https://") and w.source.endswith(w.file_name) and w.size_bytes > 1e8


def test_open_clip_knows_its_rows() -> None:
    from moss_ros.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from open_clip.pretrained import get_pretrained_cfg

    for w in (w for w in TABLE if w.kind == "open_clip"):
        assert get_pretrained_cfg(*w.source.split("/")), w.name


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(MissingWeightsError, match="did you mean sam_vit_h"):
        find("sam_vit_hh")
    with pytest.raises(MissingWeightsError, match="moss weights list"):
        find("zzzz")


def test_folder_follows_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOSS_WEIGHTS", "~/w")
    assert weights_folder() == Path.home() / "w"
    monkeypatch.delenv("MOSS_WEIGHTS")
    assert weights_folder() == Path.home() / ".cache" / "moss_ros" / "weights"


def test_missing_weights_name_the_command(folder: Path) -> None:
    with pytest.raises(MissingWeightsError, match="moss weights fetch sam_vit_b"):
        weights_path("sam_vit_b")
    with pytest.raises(MissingWeightsError, match="/nowhere/x.pth"):
        weights_path("sam_vit_b", "/nowhere/x.pth")
    with pytest.raises(MissingWeightsError, match="ViT-B-16/openai"):
        weights_path("clip_vit_b_16")


def test_safetensors_are_preferred(folder: Path) -> None:
    folder.mkdir()
    pth, better = folder / "sam_vit_b_01ec64.pth", folder / "sam_vit_b_01ec64.safetensors"
    pth.touch()
    assert weights_path("sam_vit_b") == pth
    better.touch()
    assert weights_path("sam_vit_b") == better
    pth.unlink()
    assert weights_path("sam_vit_b") == better
    assert "converted" in verified(find("sam_vit_b"))
    assert weights_path("sam_vit_b", str(folder)) == folder


def test_fetch_then_verify(server: Server, row: Weights, folder: Path) -> None:
    assert "SHA-256 is right" in fetch(row)
    assert (folder / "w.pth").read_bytes() == CONTENT
    assert [p.name for p in folder.iterdir()] == ["w.pth"]
    assert "SHA-256 is right" in fetch(row) and len(server.asked) == 1  # not fetched again
    assert verified(row) == "SHA-256 is right"
    (folder / "w.pth").write_bytes(b"other")
    with pytest.raises(MissingWeightsError, match="delete it and run `moss weights fetch tiny`"):
        verified(row)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(server: Server, row: Weights, folder: Path, ranges: bool) -> None:
    server.breaks_at, server.ranges = 1000, ranges
    with pytest.raises(MissingWeightsError, match="run the command again"):
        fetch(row)
    assert not (folder / "w.pth").exists()
    assert (folder / "w.pth.part").read_bytes() == CONTENT[:1000]
    fetch(row)
    assert server.asked == [None, "bytes=1000-"]
    assert (folder / "w.pth").read_bytes() == CONTENT


def test_a_whole_part_is_only_checked(server: Server, row: Weights, folder: Path) -> None:
    folder.mkdir()
    (folder / "w.pth.part").write_bytes(CONTENT)
    assert "right" in fetch(row)
    assert server.asked == [f"bytes={len(CONTENT)}-"]


def test_a_wrong_file_is_not_kept(row: Weights, folder: Path) -> None:
    with pytest.raises(MissingWeightsError, match="was deleted"):
        fetch(replace(row, sha256="0" * 64))
    assert list(folder.iterdir()) == []


def test_short_or_missing_sums_are_said(row: Weights, folder: Path) -> None:
    assert f"first 8 digits of the SHA-256 are right, {SUM}" in fetch(replace(row, sha256=SUM[:8]))
    assert f"no sum is known for it; SHA-256 of this file: {SUM}" in fetch(replace(row, sha256=""))


def test_no_network_says_what_to_do(row: Weights, folder: Path) -> None:
    nobody = replace(row, source="http://127.0.0.1:9/w.pth")  # the discard port: nothing listens
    with pytest.raises(MissingWeightsError, match=r"https_proxy.*copy it to .*kept/w\.pth"):
        fetch(nobody)


def test_a_proxy_of_the_environment_is_used(
    server: Server, row: Weights, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_address[1]}")
    fetch(replace(row, source="http://no-such-host.invalid/w.pth"))
    assert (folder / "w.pth").read_bytes() == CONTENT


def test_folders_come_from_the_hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(repository: str, local_dir: Path, allow_patterns: list[str]) -> None:
        assert repository == "facebook/sam2.1-hiera-tiny" and "*.json" in allow_patterns
        local_dir.mkdir(parents=True)
        (local_dir / "config.json").touch()

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=snapshot_download))
    tiny = find("sam2.1_hiera_tiny")
    with pytest.raises(MissingWeightsError, match="moss weights fetch sam2"):
        verified(tiny)
    assert fetch(tiny) == str(folder / "sam2.1_hiera_tiny")
    with pytest.raises(MissingWeightsError, match="model.safetensors"):
        verified(tiny)
    (folder / "sam2.1_hiera_tiny" / "model.safetensors").write_bytes(CONTENT)
    assert SUM in verified(tiny)
    assert weights_path("sam2.1_hiera_tiny") == folder / "sam2.1_hiera_tiny"


def test_missing_hub_library_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingWeightsError, match="pip install"):
        fetch(find("sam3"))


def test_open_clip_fetches_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import open_clip.pretrained as pretrained

    monkeypatch.setattr(pretrained, "download_pretrained", lambda known: f"/cache/{known['hf_hub']}")
    assert fetch(find("clip_vit_l_14_336")) == "/cache/timm/vit_large_patch14_clip_336.openai/: checked by open_clip"
    with pytest.raises(MissingWeightsError, match="does not know ViT-B-16/nobody"):
        fetch(replace(find("clip_vit_b_16"), source="ViT-B-16/nobody"))


def test_sum_of_a_file_larger_than_a_block(tmp_path: Path) -> None:
    data = b"moss" * 600_000
    (tmp_path / "f").write_bytes(data)
    assert sha256_of(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_the_command(row: Weights, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    out = capsys.readouterr().out
    assert "tiny  no" in out and row.source in out and str(folder) in out
    assert main(["weights", "verify"]) == 0
    assert "no weights are in" in capsys.readouterr().out
    assert main(["weights", "verify", "tiny"]) == 1
    assert main(["weights", "fetch"]) == 2
    assert "moss weights fetch sam_vit_b" in capsys.readouterr().err
    assert main(["weights", "fetch", "tiny"]) == 0
    assert main(["weights", "fetch", "large"]) == 2
    assert main(["weights", "list"]) == 0
    assert "tiny  yes" in capsys.readouterr().out
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out == "tiny: SHA-256 is right\n"


def test_downloads_show_their_progress(
    row: Weights, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetching.sys.stderr, "isatty", lambda: True, raising=False)
    fetch(row)
    assert "w.pth" in capsys.readouterr().err
