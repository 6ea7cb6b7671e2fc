"""The record file."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.errors import IndexCorruptError
from codesearch.index.record_file import (
    MergedRecord,
    RecordFile,
    RecordWriter,
    StoredRecord,
    key_of,
    lines_of,
    write_records,
)
from codesearch.records import CodeRecord, Source, decode_record, encode_record

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
RECORDS = st.builds(
    CodeRecord,
    system=st.sampled_from(["CPT", "ICD10CM"]),
    code=st.none() | st.sampled_from(["22512", "E11.9"]),
    name=TEXT,
    summary=TEXT,
    other_sections=st.dictionaries(TEXT, TEXT, max_size=2),
    synonyms=st.lists(TEXT, max_size=3).map(tuple),
    source=st.lists(st.builds(Source, path=TEXT), max_size=2).map(tuple),
)
STORED = st.lists(st.builds(StoredRecord, RECORDS, st.lists(RECORDS, max_size=2).map(tuple)), max_size=8)


@given(STORED)
def test_what_is_written_is_read_again(records: list[StoredRecord]) -> None:
    with TemporaryDirectory() as folder:
        write_records(Path(folder), records)
        file = RecordFile(Path(folder))
        assert len(file) == len(records)
        assert list(file.all()) == records
        assert [file.stored(document) for document in reversed(range(len(records)))] == records[::-1]
        for line, stored in zip(file.lines(), records, strict=True):
            assert tuple(map(decode_record, file.decode_raw(line).sources())) == stored.sources()
        file.close()


@given(st.lists(st.integers(0, 40_000), max_size=12), st.sets(st.integers(0, 12)))
def test_lines_may_be_added_in_any_pieces(lengths: list[int], cuts: set[int]) -> None:
    records = [StoredRecord(CodeRecord("CPT", str(place), "x" * length)) for place, length in enumerate(lengths)]
    with TemporaryDirectory() as folder:
        with RecordWriter(Path(folder)) as writer:
            for first, last in pairwise((0, *sorted(cuts), len(records))):
                writer.add(lines_of(records[first:last]))
        with closing(RecordFile(Path(folder))) as file:
            assert list(file.all()) == records
            assert [file.stored(document) for document in range(len(records))] == records


def test_a_block_ends_with_the_line_that_fills_it_and_with_the_last_of_a_piece(tmp_path: Path) -> None:
    records = [StoredRecord(CodeRecord("CPT", "22512", "x" * 5_000))] * 9
    with RecordWriter(tmp_path) as writer:
        writer.add(lines_of(records))
        writer.add(lines_of(records[:2]))
    with closing(RecordFile(tmp_path)) as file:
        assert np.bincount(file._block_of).tolist() == [4, 4, 1, 2]


@given(STORED)
def test_fragments_that_are_json_already_are_written_as_they_are(records: list[StoredRecord]) -> None:
    raw = [
        MergedRecord(one.record, tuple(msgspec.Raw(encode_record(each)) for each in one.fragments)) for one in records
    ]
    assert lines_of(raw).blocks == lines_of(records).blocks


def hashed(tmp_path: Path, record: CodeRecord, *fragments: CodeRecord) -> int:
    write_records(tmp_path, [StoredRecord(record, fragments)])
    with closing(RecordFile(tmp_path)) as file:
        assert list(file.keys([0])) == [key_of(record)]
        return int(file.contents[0])


def test_where_a_record_comes_from_does_not_change_what_it_says(tmp_path: Path) -> None:
    one = CodeRecord("CPT", "22512", "Bone", source=(Source(path="a", sha256="1"),))
    other = CodeRecord("CPT", "22512", "Bone", source=(Source(path="a", sha256="2"),))
    assert hashed(tmp_path, one) == hashed(tmp_path, other, one, other)


def test_what_a_record_says_changes_its_hash(tmp_path: Path) -> None:
    one = CodeRecord("CPT", "22512", "Bone", source=(Source(path="a"),))
    other = CodeRecord("CPT", "22512", "Bone", summary='It is ,"source":[ of pain', source=(Source(path="a"),))
    third = CodeRecord("CPT", "22512", "Bone", summary='It is ,"source":[ of ease', source=(Source(path="a"),))
    assert len({hashed(tmp_path, record) for record in (one, other, third)}) == 3


def test_a_record_without_a_code_is_known_by_its_place_and_name() -> None:
    one = CodeRecord("CPT", None, "Bone", source=(Source(path="a", url="https://x.example/1"),))
    other = CodeRecord("CPT", None, "Bone", source=(Source(path="a", url="https://x.example/2"),))
    assert key_of(one) != key_of(other)


@pytest.mark.parametrize("keep", [0, 10])
def test_a_cut_file_is_told(tmp_path: Path, keep: int) -> None:
    write_records(tmp_path, [StoredRecord(CodeRecord("CPT", "22512", "Bone"))])
    path = tmp_path / "records.bin"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(IndexCorruptError, match=r"records.bin"):
        RecordFile(tmp_path)


def test_a_changed_block_is_told(tmp_path: Path) -> None:
    write_records(tmp_path, [StoredRecord(CodeRecord("CPT", "22512", "Bone"))])
    path = tmp_path / "records.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with closing(RecordFile(tmp_path)) as file, pytest.raises(IndexCorruptError, match=r"records.bin"):
        file.get(0)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexCorruptError):
        RecordFile(tmp_path)
