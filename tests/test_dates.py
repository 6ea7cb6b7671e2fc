"""Dates become numbers in their order, and say from when to when a code is in force."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.index.dates import UNKNOWN, begins, date_number, ends
from codesearch.records import CodeRecord


@given(st.dates(), st.dates())
def test_numbers_stand_in_the_order_of_their_dates(one: date, other: date) -> None:
    numbers = date_number(one.isoformat()), date_number(other.isoformat())
    assert None not in numbers
    assert (one < other) == (numbers[0] < numbers[1])  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2025-01-31", 20250131),
        ("20250131", 20250131),
        ("2025-01", 20250101),
        ("2025", 20250101),
        (" 2025-01-31T00:00:00Z", 20250131),
        ("2025-02-30", None),
        ("2025-13-01", None),
        ("01/31/2025", None),
        ("soon", None),
        ("", None),
        ("202501311", None),
    ],
)
def test_iso_dates_are_read(text: str, number: int | None) -> None:
    assert date_number(text) == number


@pytest.mark.parametrize(
    ("effective", "added", "terminated", "span"),
    [
        (None, None, None, (UNKNOWN, UNKNOWN)),
        ("2020-01-01", None, None, (20200101, UNKNOWN)),
        ("2020-01-01", "1990-01-01", None, (19900101, UNKNOWN)),
        ("1980-01-01", "1990-01-01", None, (19800101, UNKNOWN)),
        ("2020-01-01", None, "2021-01-01", (20200101, 20210101)),
        ("2021-01-01", "1990-01-01", "2020-12-31", (19900101, 20201231)),
        ("2021-01-01", None, "2020-12-31", (UNKNOWN, 20201231)),
        (None, None, "long ago", (UNKNOWN, 1)),
    ],
)
def test_a_code_is_in_force_between_two_dates(
    effective: str | None, added: str | None, terminated: str | None, span: tuple[int, int]
) -> None:
    properties = {"added": added} if added else {}
    record = CodeRecord("HCPCS", "A0100", "Taxi", effective=effective, terminated=terminated, properties=properties)
    assert (begins(record), ends(record)) == span
