"""Indexes that a stranger made: their manifests fit, their parts do not. What fuzzing found is in `test_fuzz.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fuzz_index import by_a_stranger, change_header, header_of, sound, use
from msgspec.structs import replace

import codesearch
from codesearch.errors import IndexCorruptError
from codesearch.index.record_file import RECORDS, RecordFile, StoredRecord, write_records
from codesearch.verify import verify

Files = dict[str, bytearray]
ARRAYS, EXPANSIONS, RECORD_ARRAYS = "index.arrays", "expansions.json", f"{RECORDS}.arrays"


def shaped(file: str, name: str, shape: list[int]) -> Callable[[Files], None]:
    """Gives an array another shape."""

    def change(header: dict[str, Any]) -> None:
        header["arrays"][name][1] = shape

    return lambda files: change_header(files[file], change)


def numbered(name: str, kind: str, number: float) -> Callable[[Files], None]:
    """Puts a number in the midst of an array."""

    def change(files: Files) -> None:
        data = files[ARRAYS]
        _, (count,), start = msgspec.json.decode(data[header_of(data)])["arrays"][name]
        place = start + count // 2 * np.dtype(kind).itemsize
        data[place : place + np.dtype(kind).itemsize] = np.array(number, kind).tobytes()

    return change


def expanding(phrases: list[Any]) -> Callable[[Files], None]:
    """Gives words of the queries an expansion."""

    def change(files: Files) -> None:
        table = dict.fromkeys(("hive", "mi", "diabet"), phrases)
        files[EXPANSIONS][:] = msgspec.json.encode({"phrases": table, "by_rarest": {}})

    return change


FILES: dict[str, tuple[str, Callable[[Files], None]]] = {
    "an array without dimensions": (ARRAYS, shaped(ARRAYS, "title.documents", [])),
    "an array of two dimensions": (ARRAYS, shaped(ARRAYS, "bare", [1, 1])),
    "an array of seventy dimensions": (ARRAYS, shaped(ARRAYS, "term.offsets", [1] * 70)),
    "no rows, and more columns than numpy can count": (ARRAYS, shaped(ARRAYS, "keyword.system", [0, 10**30])),
    "more items than a file can have": (ARRAYS, shaped(ARRAYS, "name.offsets", [2**63])),
    "fewer items than none": (ARRAYS, shaped(ARRAYS, "name.offsets", [-1])),
    "blocks without dimensions": (RECORD_ARRAYS, shaped(RECORD_ARRAYS, "blocks", [])),
    "an entry whose terms weigh nothing": (ARRAYS, numbered("title.mass", "<f4", 0)),
    "an entry whose terms weigh no number": (ARRAYS, numbered("title.mass", "<f4", float("nan"))),
    "an entry of less than no words": (ARRAYS, numbered("title.lengths", "<i4", -1)),
    "a truth value of three": (ARRAYS, numbered("ended", "|u1", 3)),
    "a term more often than it has places": (ARRAYS, numbered("title.weights", "|u1", 9)),
    "an expansion without terms": (EXPANSIONS, expanding([[[], "lay", "nothing"]])),
    "an expansion of a class that has no weight": (EXPANSIONS, expanding([[["pain"], "none", "pain"]])),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_leads_out_of_itself_is_named(name: str) -> None:
    file, change = FILES[name]
    files, config = sound()
    change(files)
    with by_a_stranger(files, config) as index:
        for ask in (use, lambda index: list(verify(index))):
            with pytest.raises(IndexCorruptError) as told:
                ask(index)
            assert told.value.subject.endswith(file)


PATTERNS = {
    "nesting without end": ("(" * 5000 + ")" * 5000, "x"),
    "more repetitions than can be counted": ("a{99999999999}", "x"),
    "a group that is not there": ("a", r"\9"),
    "half of a character": ("a", "\ud800"),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_that_cannot_be_used_is_told(name: str) -> None:
    files, config = sound()
    pattern, replacement = PATTERNS[name]
    config["analysis"]["spellings"].append({"from": pattern, "to": replacement})
    with by_a_stranger(files, config) as index, pytest.raises(IndexCorruptError) as told:
        use(index)
    assert told.value.subject.endswith("manifest.json")


@pytest.mark.parametrize("change", ["fewer", "without their other names"])
def test_records_of_another_index_are_told(tmp_path: Path, change: str) -> None:
    files, config = sound()
    (tmp_path / f"{RECORDS}.bin").write_bytes(files[f"{RECORDS}.bin"])
    (tmp_path / f"{RECORDS}.arrays").write_bytes(files[f"{RECORDS}.arrays"])
    with closing(RecordFile(tmp_path)) as file:
        records = [stored.record for stored in file.all()]
    plain = [replace(record, inclusion_terms=(), synonyms=()) for record in records]
    write_records(tmp_path, map(StoredRecord, records[1:] if change == "fewer" else plain))
    for name in (f"{RECORDS}.bin", f"{RECORDS}.arrays"):
        files[name][:] = (tmp_path / name).read_bytes()
    with by_a_stranger(files, config) as index, pytest.raises(IndexCorruptError, match="records"):
        suggest_all(index, [name for record in records for name in (*record.inclusion_terms, *record.synonyms)])


def suggest_all(place: Path, names: Sequence[str]) -> None:
    with codesearch.open_index(place) as index:
        for name in names:
            index.suggest(name)
