"""Fragments that are parked on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesearch.errors import IndexCorruptError, IndexUnusableError
from codesearch.fragments import Spool, loaded
from codesearch.records import CodeRecord, Outline, PackedRecord, Source, pack, packed

RECORDS = [
    CodeRecord("CPT", str(10000 + number), "x" * number * 20, source=(Source(path="p"),)) for number in range(200)
]


def test_what_is_kept_is_loaded_in_any_order_also_between_keepings(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        kept = []
        for record in RECORDS:
            kept.append(spool.keep(pack(record)))
            assert loaded(kept[len(kept) // 2]) == RECORDS[len(kept) // 2]
        assert [loaded(fragment) for fragment in reversed(kept)] == RECORDS[::-1]


def test_only_long_fragments_are_parked(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        assert spool.keep(pack(RECORDS[3])) == pack(RECORDS[3])
        assert not isinstance(spool.keep(pack(RECORDS[-1])), PackedRecord)


def test_what_must_be_known_is_known_without_loading(tmp_path: Path) -> None:
    record = CodeRecord(
        "CPT", "10003", "x" * 2000, "header", parent="1", chapter="2", release="2026", source=RECORDS[3].source
    )
    with Spool(tmp_path) as spool:
        parked = spool.keep(pack(record))
    for field in Outline.__struct_fields__:
        assert getattr(parked, field) == getattr(record, field)


def test_a_broken_fragment_is_told_with_the_way_out() -> None:
    broken = packed(RECORDS[3], b'{"system":"CPT","code":"10003","name":"x","synonyms":7}')
    with pytest.raises(IndexCorruptError, match=r"the index: holds a broken record .*--full"):
        loaded(broken)


def test_the_file_has_no_name(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.keep(pack(RECORDS[-1]))
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexUnusableError, match="cannot be written"):
        Spool(tmp_path / "nothing")
