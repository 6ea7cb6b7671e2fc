"""The record file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.errors import IndexCorruptError
from codesearch.index.record_file import RecordFile, StoredRecord, key_of, write_records, writing_records
from codesearch.records import CodeRecord, Source, decode_record

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


@given(STORED)
def test_the_lines_given_while_writing_say_all_but_where_it_comes_from(records: list[StoredRecord]) -> None:
    with TemporaryDirectory() as folder:
        lines = b"".join(batch.lines for batch in writing_records(Path(folder), records)).splitlines()
    found = [msgspec.json.decode(line, type=StoredRecord) for line in lines]
    # What stands after the sources in a record are its warnings, which nothing searches.
    expected = [
        StoredRecord(
            msgspec.structs.replace(one.record, source=(), warnings=() if one.record.source else one.record.warnings)
        )
        for one in records
    ]
    assert found == expected


def test_batches_follow_each_other(tmp_path: Path) -> None:
    long = StoredRecord(CodeRecord("CPT", "22512", "x" * 100_000))
    batches = list(writing_records(tmp_path, [long] * 30))
    assert len(batches) > 1
    counts = [len(batch.lines.splitlines()) for batch in batches]
    assert [batch.first for batch in batches] == [sum(counts[:number]) for number in range(len(counts))]
    assert sum(counts) == 30


def hashes(tmp_path: Path, record: CodeRecord, *fragments: CodeRecord) -> tuple[int, int]:
    write_records(tmp_path, [StoredRecord(record, fragments)])
    file = RecordFile(tmp_path)
    keys, contents = file.hashes
    file.close()
    return int(keys[0]), int(contents[0])


def test_where_a_record_comes_from_does_not_change_what_it_says(tmp_path: Path) -> None:
    one = CodeRecord("CPT", "22512", "Bone", source=(Source(path="a", sha256="1"),))
    other = CodeRecord("CPT", "22512", "Bone", source=(Source(path="a", sha256="2"),))
    assert hashes(tmp_path, one) == hashes(tmp_path, other, one, other)


def test_what_a_record_says_changes_its_hash(tmp_path: Path) -> None:
    one = CodeRecord("CPT", "22512", "Bone", source=(Source(path="a"),))
    other = CodeRecord("CPT", "22512", "Bone", summary='It is ,"source":[ of pain', source=(Source(path="a"),))
    third = CodeRecord("CPT", "22512", "Bone", summary='It is ,"source":[ of ease', source=(Source(path="a"),))
    found = [hashes(tmp_path, record) for record in (one, other, third)]
    assert len({content for _, content in found}) == 3
    assert len({key for key, _ in found}) == 1


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
