"""Verifying: a sound index has no problems; a changed file, or a record that its code does not find, is one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from query_support import reader_of
from random_corpora import large_corpus

import codesearch
from codesearch.index import manifest, structure
from codesearch.index.limits import MAX_FREQUENCY
from codesearch.index.record_file import RecordFile, write_records
from codesearch.verify import verify

ROWS = "system,code,name\nLOCAL,A-1,First\nLOCAL,A-2,Second\nICD10CM,E11.9,Type 2 diabetes\n"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of three codes."""
    (tmp_path / "own.csv").write_text(ROWS)
    codesearch.reindex([tmp_path / "own.csv"], tmp_path / "index", jobs=1)
    return tmp_path / "index"


def folder_of(index: Path) -> Path:
    return index / "generations" / "000001"


def test_a_sound_index_has_no_problems(index: Path) -> None:
    assert list(verify(index)) == []


def test_every_file_is_under_a_checksum(index: Path) -> None:
    for file in sorted(folder_of(index).iterdir()):
        if file.name == manifest.MANIFEST:
            continue
        sound = file.read_bytes()
        if not sound:
            continue
        file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        assert [problem.name for problem in verify(index)] == [file.name]
        file.write_bytes(sound)


def test_records_that_their_codes_do_not_find_are_told(index: Path) -> None:
    folder = folder_of(index)
    records = RecordFile(folder)
    turned = list(records.all())[::-1]
    records.close()
    write_records(folder, turned)
    reseal(folder)
    reasons = [problem.reason for problem in verify(index)]
    assert "record 0 (LOCAL A-2) is not found by its code" in reasons
    assert len(reasons) == 2  # the one in the middle stands where it stood


def test_a_record_too_few_is_told(index: Path) -> None:
    folder = folder_of(index)
    records = RecordFile(folder)
    fewer = list(records.all())[:-1]
    records.close()
    write_records(folder, fewer)
    reseal(folder)
    with pytest.raises(codesearch.IndexCorruptError, match="holds 2 records for 3 documents"):
        list(verify(index))


def test_a_record_that_was_not_indexed_so_is_told(index: Path) -> None:
    folder = folder_of(index)
    records = RecordFile(folder)
    first, *others = records.all()
    records.close()
    renamed = msgspec.structs.replace(first.record, name="Another name")
    write_records(folder, [msgspec.structs.replace(first, record=renamed), *others])
    reseal(folder)
    assert [problem.reason for problem in verify(index)] == [
        f"record 0 ({renamed.system} {renamed.code}) is another than was indexed"
    ]


def test_there_must_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(codesearch.IndexMissingError):
        list(verify(tmp_path))


def reseal(folder: Path) -> None:
    """Gives the files of a generation a manifest that fits them."""
    before = manifest.load(folder)
    manifest.write(
        folder,
        tool_version=before.tool_version,
        counts=before.counts,
        sources=before.sources,
        config=before.config,
    )


@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
def test_places_are_counted_whatever_the_size_of_a_piece(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "_PIECE", piece)
    with reader_of(large_corpus(1, 60)) as reader:
        structure.check_postings(reader.arrays, reader.documents)
        offsets, places = reader.arrays["title.offsets"], reader.arrays["title.position_offsets"]
        frequencies = reader.arrays["title.weights"] & MAX_FREQUENCY
        for term in range(0, len(places), 5):
            wrong = places.copy()
            wrong[term] += 1
            assert not structure._counts_places(offsets, frequencies, wrong)
