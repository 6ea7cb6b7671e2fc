"""The difference between two generations of records."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from codesearch.difference import Difference, difference
from codesearch.index.record_file import RecordFile, StoredRecord, write_records
from codesearch.records import CodeRecord, Source

NAMES = st.dictionaries(st.integers(0, 12).map(str), st.sampled_from(["Bone", "Blood"]), max_size=8)


def between(before: list[CodeRecord], now: list[CodeRecord]) -> Difference:
    with TemporaryDirectory() as folder:
        places = Path(folder, "before"), Path(folder, "now")
        for place, records in zip(places, (before, now), strict=True):
            place.mkdir()
            write_records(place, map(StoredRecord, records))
        with closing(RecordFile(places[0])) as one, closing(RecordFile(places[1])) as other:
            return difference(one, other)


def records(names: dict[str, str], path: str) -> list[CodeRecord]:
    return [CodeRecord("CPT", code, name, source=(Source(path=path),)) for code, name in sorted(names.items())]


@given(NAMES, NAMES)
def test_records_are_compared_by_code_and_by_what_they_say(before: dict[str, str], now: dict[str, str]) -> None:
    both = before.keys() & now.keys()
    unchanged = sum(before[code] == now[code] for code in both)
    assert between(records(before, "a.txt"), records(now, "b.txt")) == Difference(
        added=len(now.keys() - both),
        changed=len(both) - unchanged,
        unchanged=unchanged,
        removed=len(before.keys() - both),
    )


def test_pages_without_a_code_that_say_the_same_are_counted_one_by_one() -> None:
    pages = [CodeRecord("CPT", None, "Bone", source=(Source(path=path),)) for path in "abc"]
    assert between(pages, pages) == Difference(0, 0, 3, 0)
    assert between(pages, pages[:2]) == Difference(0, 0, 2, 1)
    assert between(pages[:1], pages) == Difference(2, 0, 1, 0)
