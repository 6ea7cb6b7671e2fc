"""Dates as whole numbers that compare as they follow each other: 2025-01-31 is 20250131."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from codesearch.records import CodeRecord

_ISO = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?!\d)")

UNKNOWN = 0
"""Of a date that is not told."""


@lru_cache(maxsize=10_000)
def date_number(text: str) -> int | None:
    """The number of a date as ISO 8601 writes it; the first day where only a month or a year is told. None where it is
    no date."""
    match = _ISO.match(text.strip())
    if match is None:
        return None
    year, month, day = (int(part or 1) for part in match.groups())
    try:
        return int(date(year, month, day).strftime("%Y%m%d"))
    except ValueError:
        return None


def begins(record: CodeRecord) -> int:
    """From when a code is in force; `UNKNOWN`, as far back as one likes, where nobody says.

    A HCPCS file gives the date on which a code was added, and as `effective` the date of its last change, which for a
    code that ended is its end: the earlier one counts, and none that does not lie before the end.
    """
    told = (record.effective, record.properties.get("added"))
    known = [number for text in told if text and (number := date_number(text))]
    begin, end = min(known, default=UNKNOWN), ends(record)
    return UNKNOWN if end and begin >= end else begin


def ends(record: CodeRecord) -> int:
    """From when a code is no longer in force; `UNKNOWN` where nobody says, and always where what is said is no date."""
    return UNKNOWN if record.terminated is None else date_number(record.terminated) or 1
