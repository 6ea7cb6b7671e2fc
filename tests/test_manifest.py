"""The manifest says how every file of a generation must look, and notices each that does not."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesearch.errors import IndexCorruptError, IndexUnusableError, UntrustedIndexError
from codesearch.index import manifest
from codesearch.index.durable import read_sealed, write_sealed
from codesearch.index.manifest import FORMAT_VERSION, MANIFEST, Manifest, Problem, SourceCount

COUNTS = {"CPT": {"total": 3, "code": 2, "header": 1}}
SOURCES = [SourceCount("corpus", 3, 1), SourceCount("icd10cm", 0, 0, release="2025")]
CONFIG = {"boosts": {"name": 4.0, "steps": 0.5}, "systems": ["CPT"]}


def build(folder: Path) -> Manifest:
    folder.mkdir(exist_ok=True)
    (folder / "postings.bin").write_bytes(b"postings")
    (folder / "records.jsonl").write_bytes(b"{}\n")
    (folder / "empty.bin").touch()
    return manifest.write(folder, tool_version="0.1.0", counts=COUNTS, sources=SOURCES, config=CONFIG)


def craft(folder: Path, **changes: Any) -> None:
    """Change the manifest as one could who knows how it is sealed."""
    document = read_sealed(folder / MANIFEST)
    assert document is not None
    write_sealed(folder / MANIFEST, document | changes)


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = build(tmp_path)
    loaded = manifest.load(tmp_path)
    assert loaded == written
    assert loaded.counts == COUNTS
    assert loaded.sources == tuple(SOURCES)
    assert loaded.config == CONFIG
    assert loaded.files.keys() == {"postings.bin", "records.jsonl", "empty.bin"}
    assert loaded.size == len(b"postings{}\n")
    loaded.check_sizes(tmp_path)
    assert list(loaded.check_sums(tmp_path)) == []


def test_equal_files_give_equal_manifests_whenever_they_are_built(tmp_path: Path) -> None:
    build(tmp_path / "1")
    build(tmp_path / "2")
    os.utime(tmp_path / "2" / "postings.bin", (0, 0))
    build(tmp_path / "2")
    assert (tmp_path / "1" / MANIFEST).read_bytes() == (tmp_path / "2" / MANIFEST).read_bytes()


def test_a_source_name_need_not_be_valid_unicode(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.html")
    manifest.write(tmp_path, tool_version="1", counts={}, sources=[SourceCount(name, 1, 0)], config={})
    assert manifest.load(tmp_path).sources[0].name == name


def test_each_wrong_file_is_named(tmp_path: Path) -> None:
    loaded = build(tmp_path)
    (tmp_path / "records.jsonl").unlink()
    (tmp_path / "postings.bin").write_bytes(b"postingz")
    (tmp_path / "empty.bin").write_bytes(b"x")
    (tmp_path / "stranger").touch()
    assert sorted(loaded.check_sums(tmp_path)) == [
        Problem("empty.bin", "has 1 bytes instead of 0"),
        Problem("postings.bin", "does not match its checksum"),
        Problem("records.jsonl", "is missing"),
        Problem("stranger", "does not belong to the index"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("postings.bin", b"postin", "has 6 bytes instead of 8"),
        ("postings.bin", None, "is missing"),
        ("stranger", b"", "does not belong"),
    ],
)
def test_opening_notices_wrong_names_and_sizes(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    loaded = build(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(IndexCorruptError, match=reason) as caught:
        loaded.check_sizes(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    loaded = build(tmp_path / "index")
    (tmp_path / "index" / "postings.bin").rename(tmp_path / "elsewhere")
    (tmp_path / "index" / "postings.bin").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IndexCorruptError, match="no regular file"):
        loaded.check_sizes(tmp_path / "index")
    assert [problem.name for problem in loaded.check_sums(tmp_path / "index")] == ["postings.bin"]


def test_a_folder_among_the_files_cannot_be_described(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IndexCorruptError, match="no regular file"):
        build(tmp_path)


def test_a_missing_generation_is_an_answer(tmp_path: Path) -> None:
    loaded = build(tmp_path)
    with pytest.raises(IndexCorruptError, match="is missing"):
        manifest.load(tmp_path / "nowhere")
    with pytest.raises(IndexUnusableError, match="cannot be read"):
        loaded.check_sizes(tmp_path / "nowhere")


@settings(max_examples=50)
@given(position=st.integers(0), value=st.integers(0, 255))
def test_a_changed_byte_in_the_manifest_never_passes_for_another_manifest(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("index")
    written = build(folder)
    content = bytearray((folder / MANIFEST).read_bytes())
    content[position % len(content)] = value
    (folder / MANIFEST).write_bytes(content)
    with suppress(IndexCorruptError):
        assert manifest.load(folder) == written


@pytest.mark.parametrize(
    ("version", "step"), [(FORMAT_VERSION + 1, "Upgrade codesearch"), (FORMAT_VERSION - 1, "Rebuild it")]
)
def test_another_format_says_what_to_do(tmp_path: Path, version: int, step: str) -> None:
    build(tmp_path)
    craft(tmp_path, format_version=version, something_new=1)
    with pytest.raises(IndexUnusableError, match=step):
        manifest.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"format_version": "1"},
        {"counts": {"CPT": {"total": -1}}},
        {"files": {"a": {"size": 1, "sha256": "short"}}},
        {"sources": "corpus"},
        {"stranger": 1},
    ],
)
def test_a_sealed_document_of_another_shape_is_corrupt(tmp_path: Path, changes: dict[str, Any]) -> None:
    build(tmp_path)
    craft(tmp_path, **changes)
    with pytest.raises(IndexCorruptError, match=str(tmp_path / MANIFEST)):
        manifest.load(tmp_path)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "a\\b", "..", ".", "", "a\0b", MANIFEST])
def test_a_manifest_cannot_name_files_elsewhere(tmp_path: Path, name: str) -> None:
    build(tmp_path)
    craft(tmp_path, files={name: {"size": 1, "sha256": "0" * 64}})
    with pytest.raises(UntrustedIndexError):
        manifest.load(tmp_path)
