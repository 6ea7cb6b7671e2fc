"""Sources are walked in order, and what is no source is named with its reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codesearch.errors import SourceError
from codesearch.ingest.inputs import InputFile, shown, skip_reason, walk
from codesearch.records import Reject, Skip


def write(path: Path) -> Path:
    """A file with some text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("text", encoding="utf-8")
    return path


def test_a_file_is_given_as_it_is() -> None:
    assert list(walk(Path(__file__))) == [InputFile(Path(__file__), __file__)]


def test_a_folder_is_walked_to_its_end_in_the_order_of_names(tmp_path: Path) -> None:
    names = ["b.html", "a/2.txt", "a/1.md", "c.jsonl", "d.zip", "e.tar.gz", "f.warc.gz", "g.xml", "h.csv"]
    for name in names:
        write(tmp_path / name)
    assert [shown(item.path.relative_to(tmp_path)) for item in walk(tmp_path) if isinstance(item, InputFile)] == sorted(
        names
    )


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    for name in (".git/x.html", ".hidden.html", "__MACOSX/a.html"):
        write(tmp_path / name)
    assert list(walk(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("README.md", "documentation, no code source"),
        ("LICENSE", "documentation, no code source"),
        ("CHANGELOG.txt", "documentation, no code source"),
        ("logo.png", "no code source by its name (.png)"),
        ("Makefile", "no code source by its name (no extension)"),
    ],
)
def test_what_is_no_source_is_skipped_with_its_reason(tmp_path: Path, name: str, reason: str) -> None:
    write(tmp_path / name)
    assert list(walk(tmp_path)) == [Skip(str(tmp_path / name), reason)]


@pytest.mark.parametrize("name", ["E11.9", "99213", "code.aspx", "index.php?code=J1885"])
def test_a_page_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf\r\n<!DOCTYPE HTML><title>x</title>")
    assert list(walk(tmp_path)) == [InputFile(tmp_path / name, str(tmp_path / name))]


def test_what_is_no_regular_file_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.html")
    (tmp_path / "loop.html").symlink_to(tmp_path / "loop.html")
    (tmp_path / "folder").symlink_to(tmp_path, target_is_directory=True)
    assert {item.reason for item in walk(tmp_path) if isinstance(item, Skip)} == {"no regular file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_cannot_be_read_is_rejected(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    (found,) = walk(tmp_path)
    assert isinstance(found, Reject)
    assert found.reason == "unreadable"
    locked.chmod(0o700)


def test_a_source_that_is_missing_or_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        list(walk(tmp_path / "nothing"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        list(walk(tmp_path / "pipe"))


def test_names_that_are_no_utf8_can_be_shown() -> None:
    path = Path(os.fsdecode(b"caf\xe9.html"))
    assert shown(path) == "caf\ufffd.html"
    assert skip_reason(path.name) == ""
