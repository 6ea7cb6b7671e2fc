"""A Whoosh index is opened without running anything that it holds."""

import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whoosh import fields, index
from whoosh.analysis.analyzers import StandardAnalyzer, StemmingAnalyzer
from whoosh.analysis.filters import CharsetFilter
from whoosh.analysis.ngrams import NgramWordAnalyzer
from whoosh.codec.whoosh3 import W3Codec, W3Segment, W3TermInfo
from whoosh.filedb.structfile import StructFile
from whoosh.qparser.default import QueryParser

from codesearch.errors import CodesearchError, ConfigError, IndexCorruptError, UntrustedIndexError
from codesearch.index.trusted import MAX_TABLE, open_whoosh

SCHEMA = fields.Schema(
    code=fields.ID(unique=True),
    name=fields.TEXT(analyzer=StemmingAnalyzer(), phrase=True),
    plain=fields.TEXT(analyzer=StandardAnalyzer() | CharsetFilter({ord("é"): "e"})),
    billable=fields.BOOLEAN,
    order=fields.NUMERIC(sortable=True),
    kinds=fields.KEYWORD(commas=True, lowercase=True, sortable=True),
)
DOCUMENTS = 300


class Command:
    """Its pickle runs a command of the shell; short enough to take the place of other pickles."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (">m",)


COMMAND = b"cposix\nsystem\n(S'>m'\ntR."


def build(folder: Path, compound: bool = False) -> Path:
    with index.create_in(str(folder), SCHEMA).writer(compound=compound) as writer:
        for number in range(DOCUMENTS):
            name = f"bone cement number{number} " + "bone " * (number % 7)
            writer.add_document(
                code=f"C{number}", name=name, plain=name, billable=True, order=number, kinds="code,header"
            )
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of ours, and its folder as the place where commands would leave their mark."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "index").mkdir()
    return build(tmp_path / "index")


def table(folder: Path) -> Path:
    return folder / "_MAIN_1.toc"


def craft(folder: Path, schema: bytes | None = None, segments: bytes | None = None) -> None:
    """Put other pickles into the table of contents."""
    with StructFile(table(folder).open("rb")) as old:
        for read in (*[old.read_varint] * 3, old.read_int, old.read_int, *[old.read_varint] * 3):
            read()
        end = old.tell()
        header = old.get(0, end)
        true_schema, numbers, true_segments = old.read_string(), old.read(8), old.read()
    with StructFile(table(folder).open("wb")) as new:
        new.write(header)
        new.write_string(true_schema if schema is None else schema)
        new.write(numbers)
        new.write(true_segments if segments is None else segments)


def search(folder: Path, field: str, text: str, **options: Any) -> list[int]:
    """The numbers of the documents found."""
    with open_whoosh(folder, SCHEMA).searcher() as searcher:
        hits = searcher.search(QueryParser(field, SCHEMA).parse(text), limit=None, **options)
        return [hit.docnum for hit in hits]


def was_run() -> bool:
    return Path("m").exists()


def test_the_crafted_pickles_of_this_test_do_run_when_they_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for crafted in (COMMAND, pickle.dumps(Command())):
        pickle.loads(crafted)
        assert was_run()
        Path("m").unlink()


@pytest.mark.parametrize(
    ("field", "text", "found"),
    [
        ("code", "C17", [17]),
        ("name", "number17 bone", [17]),
        ("name", '"cement number17"', [17]),
        ("plain", "number29*", [29, *range(290, 300)]),
        ("name", "bones", list(range(DOCUMENTS))),
        ("billable", "yes", list(range(DOCUMENTS))),
        ("kinds", "header", list(range(DOCUMENTS))),
        ("order", "[7 TO 9]", [7, 8, 9]),
    ],
)
def test_an_index_of_ours_is_searched_as_ever(folder: Path, field: str, text: str, found: list[int]) -> None:
    assert sorted(search(folder, field, text)) == found
    assert search(folder, field, text, sortedby="order") == found


def test_opening_writes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
    search(folder, "name", "bone")
    assert {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())} == before


@pytest.mark.parametrize("crafted", [COMMAND, pickle.dumps([Command()], 2), pickle.dumps([Command()])])
@pytest.mark.parametrize("place", ["schema", "segments"])
def test_a_crafted_table_of_contents_is_refused_and_not_run(folder: Path, place: str, crafted: bytes) -> None:
    craft(folder, **{place: crafted})
    with pytest.raises(UntrustedIndexError, match="holds a pickle that") as caught:
        open_whoosh(folder, SCHEMA)
    assert caught.value.exit_status == 3
    assert str(table(folder)) in str(caught.value)
    assert not was_run()


def test_what_a_crafted_pickle_names_is_told(folder: Path) -> None:
    craft(folder, segments=pickle.dumps(Command()))
    with pytest.raises(UntrustedIndexError, match=r"names posix\.system"):
        open_whoosh(folder, SCHEMA)
    craft(folder, schema=COMMAND)
    with pytest.raises(UntrustedIndexError, match=r"names posix\.system"):
        open_whoosh(folder, SCHEMA)


def segment(**state: object) -> W3Segment:
    made = W3Segment(W3Codec(), "MAIN", doccount=1, segid="abc")  # type: ignore[no-untyped-call]
    vars(made).update(state)
    return made


def colouring_a_class() -> bytes:
    """Sets an attribute of the class itself, for the rest of the process."""
    name = b"\x8c\x14whoosh.codec.whoosh3\x8c\x09W3Segment\x93"
    return b"\x80\x04]" + name + b"N}\x8c\x06colour\x8c\x03reds\x86ba."


def slow_to_hash() -> bytes:
    """A tuple of two of a tuple of two ... as a key."""
    return b"\x80\x04]}" + b"K\x01" + b"2\x86" * 64 + b"K\x01sa."


@pytest.mark.parametrize(
    "crafted",
    [
        pickle.dumps([segment(segid="../../etc")]),
        pickle.dumps([segment(indexname="OTHER")]),
        pickle.dumps([1, 2]),
        pickle.dumps({}),
        b"\x80\x04]r\xff\xff\xff\x7f.",  # a memo of 2 ** 31 places
        b"\x80\x04\x82\x01.",  # an extension code
        colouring_a_class(),
        slow_to_hash(),
    ],
)
def test_segments_that_no_index_of_ours_has_are_refused(folder: Path, crafted: bytes) -> None:
    craft(folder, segments=crafted)
    with pytest.raises(UntrustedIndexError):
        open_whoosh(folder, SCHEMA)
    assert not hasattr(W3Segment, "colour")


@pytest.mark.parametrize(
    "crafted",
    [
        b"",
        b"garbage",
        b"\x80\x05",
        pickle.dumps([segment()])[:-20],
        b"\x80\x04\x8c\xffshort.",
        b"\x80\x04]}K\x01b.",
        pickle.dumps([segment(segment_id=1)]),
    ],
)
def test_segments_that_are_garbage_are_corrupt(folder: Path, crafted: bytes) -> None:
    craft(folder, segments=crafted)
    with pytest.raises(IndexCorruptError, match=r"_MAIN_1\.toc"):
        open_whoosh(folder, SCHEMA)


@pytest.mark.parametrize("crafted", [b"", b"garbage", b"\x80\x02c"])
def test_a_schema_that_is_garbage_is_corrupt(folder: Path, crafted: bytes) -> None:
    craft(folder, schema=crafted)
    with pytest.raises(IndexCorruptError, match=r"_MAIN_1\.toc"):
        open_whoosh(folder, SCHEMA)


def test_a_table_cut_anywhere_is_corrupt(folder: Path) -> None:
    whole = table(folder).read_bytes()
    for size in (*range(0, len(whole), 101), len(whole) - 1):
        table(folder).write_bytes(whole[:size])
        with pytest.raises(IndexCorruptError, match=r"_MAIN_1\.toc"):
            open_whoosh(folder, SCHEMA)


def test_a_changed_byte_never_gives_another_error(tmp_path: Path) -> None:
    whole = table(build(tmp_path)).read_bytes()

    @given(st.integers(0, len(whole) - 1), st.integers(0, 255))
    def change(position: int, value: int) -> None:
        table(tmp_path).write_bytes(whole[:position] + bytes([value]) + whole[position + 1 :])
        try:
            open_whoosh(tmp_path, SCHEMA)
        except CodesearchError as error:
            refusal: CodesearchError | None = error
        else:
            refusal = None
        assert refusal is None or refusal.exit_status == 3

    change()


def test_every_table_of_contents_is_checked(folder: Path) -> None:
    whole = table(folder).read_bytes()
    craft(folder, segments=pickle.dumps([Command()]))
    table(folder).rename(folder / "_MAIN_7.toc")
    table(folder).write_bytes(whole)
    with pytest.raises(UntrustedIndexError, match=r"_MAIN_7\.toc"):
        open_whoosh(folder, SCHEMA)


def test_a_missing_or_huge_table_is_corrupt(folder: Path) -> None:
    os.truncate(table(folder), MAX_TABLE + 1)
    with pytest.raises(IndexCorruptError, match="more than"):
        open_whoosh(folder, SCHEMA)
    table(folder).unlink()
    with pytest.raises(IndexCorruptError, match="no table of contents"):
        open_whoosh(folder, SCHEMA)


def test_the_schema_of_the_index_is_never_wanted(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no fields"):
        open_whoosh(folder, fields.Schema())
    opened = open_whoosh(folder, SCHEMA)
    with pytest.raises(UntrustedIndexError):
        type(opened)(opened.storage, indexname=opened.indexname)


def test_an_index_made_with_things_unknown_to_our_schema_is_refused(tmp_path: Path) -> None:
    index.create_in(str(tmp_path), fields.Schema(name=fields.TEXT(analyzer=NgramWordAnalyzer(2))))
    with pytest.raises(UntrustedIndexError, match=r"whoosh\.analysis\.ngrams"):
        open_whoosh(tmp_path, SCHEMA)


def crafted_postings(folder: Path) -> None:
    """The head of each block of postings."""
    for path in folder.glob("*.pst"):
        data = path.read_bytes()
        for start in find_all(data, b"W3Bl"):
            data = overwrite(data, start + 4 + struct.calcsize("!i"), COMMAND)
        path.write_bytes(data)


def crafted_blocks(folder: Path) -> None:
    """The ids, weights and values of each small (so not compressed) block of postings."""
    for path in folder.glob("*.pst"):
        data = path.read_bytes()
        for start in find_all(data, b"\x80\x02"):
            data = overwrite(data, start, COMMAND)
        path.write_bytes(data)


def crafted_terms(folder: Path) -> None:
    """The fields of the list of terms, which lie at its end, before their length."""
    for path in folder.glob("*.trm"):
        data = path.read_bytes()
        length = struct.unpack("!i", data[-4:])[0]
        path.write_bytes(overwrite(data, len(data) - 4 - length, COMMAND))


def find_all(data: bytes, what: bytes) -> list[int]:
    return [start for start in range(len(data)) if data.startswith(what, start)]


def overwrite(data: bytes, start: int, new: bytes) -> bytes:
    return data[:start] + new + data[start + len(new) :]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh leaves damaged files open
@pytest.mark.parametrize(
    ("forge", "text"),
    [
        (crafted_postings, "name:bone"),
        (crafted_blocks, "name:number17 code:C17"),
        (crafted_terms, "name:bone"),
    ],
)
def test_a_crafted_segment_is_not_run_by_searching(folder: Path, forge: Callable[[Path], None], text: str) -> None:
    forge(folder)
    with pytest.raises(Exception, match=r"names posix\.system"):  # Whoosh wraps it in an error of its own
        search(folder, "name", text)
    assert not was_run()


def test_crafted_postings_among_the_terms_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written: Callable[[W3TermInfo], bytes] = W3TermInfo.to_bytes
    with monkeypatch.context() as forging:  # the flag says that a pickle of the postings follows the numbers
        forging.setattr(W3TermInfo, "to_bytes", lambda term: bytes([1]) + written(term)[1:-12] + COMMAND)
        build(tmp_path)
    with pytest.raises(UntrustedIndexError, match=r"names posix\.system"):
        search(tmp_path, "code", "C17")
    assert not was_run()


def test_stored_fields_cannot_be_read(folder: Path) -> None:
    with open_whoosh(folder, SCHEMA).searcher() as searcher, pytest.raises(UntrustedIndexError, match="_stored"):
        searcher.stored_fields(0)


def test_a_compound_segment_cannot_be_read(tmp_path: Path) -> None:
    opened: Any = open_whoosh(build(tmp_path, compound=True), SCHEMA)
    with pytest.raises(UntrustedIndexError, match=r"\.seg"):
        opened.reader()


def test_nothing_outside_the_folder_can_be_opened(folder: Path) -> None:
    storage: Any = open_whoosh(folder, SCHEMA).storage
    for name in ("../secret", "/etc/passwd", "a/b"):
        with pytest.raises(UntrustedIndexError):
            storage.open_file(name)
