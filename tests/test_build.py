"""The files of a generation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from reindex_support import small_config

from codesearch.index.arrays import ARRAYS_NAME, ArrayFile
from codesearch.index.build import as_they_are, sort_key, write_index
from codesearch.index.record_file import RecordFile, StoredRecord
from codesearch.index.settings import read_settings
from codesearch.processes import Crew
from codesearch.records import CodeRecord, Purpose, RecordWarning, decode_record, encode_record

RECORDS = sorted(
    (
        StoredRecord(
            CodeRecord(
                "ICD10CM" if number % 2 else "HCPCS",
                f"A{number:04d}",
                f"Disease (acute) number {number} of the x-ray department",
                synonyms=(f"Ailment {number}", "Übel"),
                purpose=Purpose(conditions=(f"Pain of word{number % 50}",)),
                summary="A long text. " * 50,
            )
        )
        for number in range(4000)
    ),
    key=sort_key,
)
PARTS = [RECORDS[first : first + 300] for first in range(0, len(RECORDS), 300)]
LINES = [[encode_record(stored.record) for stored in part] for part in PARTS]


def from_lines(lines: list[bytes]) -> list[StoredRecord]:
    return [StoredRecord(decode_record(line)) for line in lines]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def written(folder: Path, size: int) -> dict[str, bytes]:
    folder.mkdir()
    with Crew(size) as crew:
        write_index(folder, iter(LINES), read_settings(small_config() / "index"), from_lines, crew=crew)
    return files(folder)


def test_any_number_of_processes_writes_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "1", 1) == written(tmp_path / "2", 2) == written(tmp_path / "5", 5)


def test_parents_are_found_in_any_part_by_the_whole_code(tmp_path: Path) -> None:
    long = "HOUSE" * 6
    parent_of = {"B1": "A", "C": None, f"{long}1": long, f"{long}2": f"{long}1", "Z": "nowhere", "Z1": "", "A": None}
    parent_of |= {long: "A", "Z2": "."}
    records = [
        StoredRecord(CodeRecord(system, code, "Ward", parent=parent))
        for system in ("HOUSE", "ICD10CM")
        for code, parent in parent_of.items()
    ]
    records.append(StoredRecord(CodeRecord("HOUSE", None, "A ward without a code")))
    records.sort(key=sort_key)
    for size in (1, 3, 30):
        parts = [records[first : first + size] for first in range(0, len(records), size)]
        folder = tmp_path / str(size)
        folder.mkdir()
        write_index(folder, parts, read_settings(small_config() / "index"), as_they_are)
        parents = ArrayFile(folder / ARRAYS_NAME)["parent"].tolist()
        found = [
            (records[place].record.system, records[place].record.code) if place >= 0 else None for place in parents
        ]
        for stored, parent in zip(records, found, strict=True):
            wanted = parent_of.get(stored.record.code or "")
            assert parent == ((stored.record.system, wanted) if wanted in parent_of else None)


def test_records_are_told_as_they_are_done(tmp_path: Path) -> None:
    told: list[int] = []
    write_index(tmp_path, PARTS, read_settings(small_config() / "index"), as_they_are, told.append)
    assert told == sorted(told)
    assert told[-1] == len(RECORDS)
    assert len(told) > 1


def test_records_stand_in_their_order(tmp_path: Path) -> None:
    write_index(tmp_path, [RECORDS[:7], [], RECORDS[7:20]], read_settings(small_config() / "index"), as_they_are)
    file = RecordFile(tmp_path)
    assert list(file.all()) == RECORDS[:20]
    file.close()


def test_records_with_warnings_are_given_back(tmp_path: Path) -> None:
    warned = StoredRecord(CodeRecord("HCPCS", "A9", "Ward", warnings=(RecordWarning("name-conflict", "x"),)))
    parts = [RECORDS[:3], [warned]]
    assert write_index(tmp_path, parts, read_settings(small_config() / "index"), as_they_are) == [warned.record]


_WRITE = """
import sys; sys.path[:0] = sys.argv[2:]
from pathlib import Path
from test_build import written
written(Path(sys.argv[1]), 2)
"""


def test_neither_the_seed_of_hashes_nor_the_locale_matters(tmp_path: Path) -> None:
    for seed, locale in (("1", "C"), ("2", "tr_TR.UTF-8")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": locale}
        command = [sys.executable, "-c", _WRITE, str(tmp_path / seed), *sys.path]
        subprocess.run(command, check=True, env=environment, timeout=60)
    assert files(tmp_path / "1") == files(tmp_path / "2")
