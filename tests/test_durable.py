"""Files survive a crash whole, and tell when they were changed."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.errors import IndexCorruptError, IndexUnusableError
from codesearch.index import durable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text().filter(lambda key: key != "sha256"), JSON, max_size=4)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to let any file grow beyond this size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_replacing_leaves_the_new_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.replace_file(path, b"old")
    durable.replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_replacement_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.replace_file(path, b"old")
    with pytest.raises(IndexUnusableError, match=r"File too large.*ulimit"), durable.writing(path), largest_file(10):
        durable.replace_file(path, b"more than ten bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_replacement_left_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / ".file.new").write_bytes(b"half of something much longer")
    durable.replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "right to write"),
        (errno.EROFS, "file system writable"),
        (errno.EIO, "Check the disk"),
    ],
)
def test_each_failure_to_write_says_what_to_do(tmp_path: Path, number: int, advice: str) -> None:
    with pytest.raises(IndexUnusableError, match=advice) as caught, durable.writing(tmp_path):
        raise OSError(number, os.strerror(number))
    assert caught.value.exit_status == 3
    assert str(tmp_path) in str(caught.value)
    assert os.strerror(number) in str(caught.value)


def test_a_full_disk_is_an_answer() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(IndexUnusableError, match="Free some space"), durable.writing(full), full.open("wb", 0) as file:
        file.write(b"x")


def test_syncing_a_tree_reaches_every_folder_and_reports_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x")
    durable.sync_tree(tmp_path)
    with pytest.raises(FileNotFoundError):
        durable.sync_tree(tmp_path / "nowhere")


@given(DOCUMENTS)
def test_a_sealed_document_comes_back_as_it_was(document: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "sealed")
        durable.write_sealed(path, document)
        assert durable.read_sealed(path) == document
        assert path.read_bytes().count(b"\n") == 1


@given(DOCUMENTS, st.data())
def test_a_changed_byte_never_changes_what_is_read(document: dict[str, Any], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "sealed")
        durable.write_sealed(path, document)
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        with suppress(IndexCorruptError):
            assert durable.read_sealed(path) == document


def test_equal_documents_give_equal_bytes(tmp_path: Path) -> None:
    durable.write_sealed(tmp_path / "1", {"a": 1, "b": {"c": 2, "d": 3}})
    durable.write_sealed(tmp_path / "2", {"b": {"d": 3, "c": 2}, "a": 1})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"a": NaN, "sha256": ""}', "is no JSON"),
        (b"[]", "checksum"),
        (b"{}", "checksum"),
        (b'{"sha256": 1}', "checksum"),
    ],
)
def test_what_is_no_sealed_document_is_corrupt(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(content)
    with pytest.raises(IndexCorruptError, match=reason):
        durable.read_sealed(path)


def test_a_huge_document_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sealed"
    path.touch()
    os.truncate(path, durable.MAX_SEALED + 1)
    with pytest.raises(IndexCorruptError, match="more than any of ours"):
        durable.read_sealed(path)


def test_a_pipe_in_place_of_a_document_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sealed")
    with pytest.raises(IndexCorruptError, match="no regular file"):
        durable.read_sealed(tmp_path / "sealed")


def test_a_missing_document_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert durable.read_sealed(tmp_path / "nowhere") is None
    assert durable.read_sealed(tmp_path / "file" / "below") is None
