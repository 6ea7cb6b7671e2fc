"""Data on stdout, JSON lines and CSV, and the escapes that make text from strangers' pages safe to print."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

PIPE_WIDTH = 100
"""Columns of a table that goes to a file or a pipe."""

HIT_COLUMNS = (
    "rank",
    "system",
    "code",
    "kind",
    "name",
    "billable",
    "terminated",
    "release",
    "score",
    "tier",
    "snippet",
    "matched",
)
"""The columns of a hit in CSV: the fields of its JSON object."""

BATCH_COLUMNS = ("query", *HIT_COLUMNS, "error")
"""The columns of a batch in CSV: a row a hit, and one with the query alone where there is none."""

SIMILAR_COLUMNS = (
    *("rank", "system", "code", "kind", "name", "billable", "terminated", "billable_below", "in_index"),
    *("reason", "sentence"),
)
"""The columns of a similar code in CSV; the reason is its kind, and a sentence."""

POLICY_COLUMNS = ("system", "code", "name", "title", "payer", "url", "effective")
"""The columns of a code and a policy that names it: the fields of their JSON object."""

SUGGESTION_COLUMNS = ("system", "code", "text", "name", "kind", "billable", "terminated", "entry", "rewrites")
"""The columns of a suggestion in CSV."""

# Control characters but tab and line feed; marks that change the direction of text; line separators; lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]",
)
_FORMULA = re.compile(r"[=+\-@\t\r]")


def printable(text: str) -> str:
    """The text with everything escaped that could steer a terminal or turn the reading direction."""
    return _UNSAFE.sub(_escape, text)


def one_line(text: str) -> str:
    """The text as `printable` gives it, with all white space as single blanks."""
    return printable(" ".join(text.split()))


def fitting(start: str, words: Sequence[str], end: str, width: int) -> str:
    """One line of the words that fit, at least one, and how many more there are."""
    room = width - len(start) - len(end) - len(", and 99 more")
    shown: list[str] = []
    for word in words:
        room -= len(word) + 2
        if shown and room < 0:
            break
        shown.append(word)
    left = len(words) - len(shown)
    more = f" and {left} more" if left else ""
    return start + ", ".join(shown) + more + end


def json_line(value: Any) -> str:
    """One JSON object on one line, without the line end; whatever splits lines or steers a terminal is escaped."""
    return escaped_json(json.dumps(value, ensure_ascii=False))


def escaped_json(text: str) -> str:
    """A line of JSON with everything escaped that splits lines or steers a terminal."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def csv_lines(rows: Iterable[dict[str, Any]], columns: Sequence[str] = HIT_COLUMNS) -> Iterator[str]:
    """The header and one row each, grouped hits with a column more; no cell is taken for a formula by a spreadsheet."""
    given = iter(rows)
    first = next(given, None)
    if first and "siblings" in first:
        columns = (*columns, "siblings")
    yield ",".join(columns)
    for hit in chain((first,) if first else (), given):
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow([_cell(hit.get(column)) for column in columns])
        yield row.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        value = "; ".join(f"{field}: {', '.join(words)}" for field, words in value.items())
    if isinstance(value, list):
        value = "; ".join(value)
    if isinstance(value, str):
        guard = "'" if _FORMULA.match(value) else ""
        return guard + printable(value)
    return value


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
