"""Fragments that are parked on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesearch.errors import IndexUnusableError
from codesearch.fragments import Spool, loaded
from codesearch.records import CodeRecord, Source, encode_record

RECORDS = [CodeRecord("CPT", str(10000 + number), "x" * number, source=(Source(path="p"),)) for number in range(200)]


def test_what_is_parked_is_loaded_in_any_order_also_between_parkings(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        parked = []
        for record in RECORDS:
            parked.append(spool.park(record, encode_record(record)))
            assert loaded(parked[len(parked) // 2]) == RECORDS[len(parked) // 2]
        assert [loaded(fragment) for fragment in reversed(parked)] == RECORDS[::-1]


def test_what_must_be_known_is_known_without_loading(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        parked = spool.park(RECORDS[3], b"anything")
    assert (parked.system, parked.code, parked.name, parked.kind) == ("CPT", "10003", "xxx", "code")
    assert parked.source == RECORDS[3].source


def test_a_record_that_is_not_parked_is_itself() -> None:
    assert loaded(RECORDS[0]) is RECORDS[0]


def test_the_file_has_no_name(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.park(RECORDS[0], encode_record(RECORDS[0]))
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexUnusableError, match="cannot be written"):
        Spool(tmp_path / "nothing")
