"""Filters let through the records that say what is asked, and name what there is where none could."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import codes, index_of

from codesearch.errors import UsageError
from codesearch.library import Index
from codesearch.records import CodeRecord, Kind

KINDS: tuple[Kind, ...] = ("code", "header", "modifier")
DAYS = ("1999-12-31", "2010-01-01", "2015-06-30", "2020-01-01", "2030-01-01")


def _record(number: int) -> CodeRecord:
    """One of many records, each of another make."""
    return CodeRecord(
        ("CPT", "HCPCS", "LOCAL")[number % 3],
        f"A{number:04d}" if number % 3 else f"{10000 + number}",
        f"Fever {number}",
        kind=KINDS[number % 3],
        chapter=(None, "1", "10")[number % 4 % 3],
        billable=(None, True, False)[number // 2 % 3],
        setting=("", "Outpatient clinic", "Hospital, outpatient", "Home")[number % 4],
        effective=(None, "2000-01-01", "2015-06-30")[number % 5 % 3],
        terminated=(None, None, "2020-01-01")[number % 7 % 3],
        parent=f"A{number - number % 10 + 1:04d}" if number % 10 not in {0, 1} and number % 3 else None,
    )


RECORDS = [_record(number) for number in range(120)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of the records."""
    with ExitStack() as stack:
        yield stack.enter_context(index_of(tmp_path_factory.mktemp("filters"), *RECORDS))


def _in_force(record: CodeRecord, day: str) -> bool:
    return (record.effective or "") <= day and (record.terminated is None or day < record.terminated)


def _is_below(record: CodeRecord, parent: str) -> bool:
    known = {(one.system, one.code) for one in RECORDS}
    return record.parent == parent and (record.system, parent) in known


WANTED: dict[str, tuple[list[Any], Callable[[CodeRecord, Any], bool]]] = {
    "system": (["cpt", "HCPCS", "local"], lambda record, value: record.system == value.upper()),
    "billable": ([True, False], lambda record, value: record.billable is value),
    "kind": (list(KINDS), lambda record, value: record.kind == value),
    "chapter": (["1", "10"], lambda record, value: record.chapter == value),
    "setting": (
        ["outpatient", "clinic outpatient", "home"],
        lambda record, value: set(value.split()) <= set(record.setting.lower().replace(",", "").split()),
    ),
    "on": (list(DAYS), _in_force),
    "parent": (["A0011", "A0031"], _is_below),
}
"""Each filter with values, and whether a record has a value."""

filters = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, (values, _) in WANTED.items()})


@given(filters, st.sampled_from(["rank", "code"]))
def test_filters_let_through_what_records_say(index: Index, given_filters: dict[str, Any], sort: Any) -> None:
    wanted = {
        record.code
        for record in RECORDS
        if all(WANTED[name][1](record, value) for name, value in given_filters.items())
    }
    found = index.search("fever", limit=1000, sort=sort, **given_filters)
    assert set(codes(found)) == wanted
    assert found.total == len(wanted)


@given(filters)
def test_filters_and_conditions_of_the_same_name_agree(index: Index, given_filters: dict[str, Any]) -> None:
    asked = {name: value for name, value in given_filters.items() if name != "on"}
    written = {True: "yes", False: "no"}
    conditions = [f"{name}:({written.get(value, value)})" for name, value in asked.items()]
    by_query = index.search(" ".join(["fever", *conditions]), limit=1000)
    assert set(codes(by_query)) == set(codes(index.search("fever", limit=1000, **asked)))


@pytest.mark.parametrize(
    ("given_filters", "told"),
    [
        ({"kind": "banana"}, "There are: code, header, modifier"),
        ({"chapter": "99"}, "There are: 1, 10"),
        ({"parent": "Z99"}, "codesearch show"),
        ({"on": "yesterday"}, "2025-01-31"),
        ({"on": "2025-02-30"}, "2025-01-31"),
        ({"setting": "of the"}, "at least one word"),
        ({"kind": ""}, "There are"),
    ],
)
def test_what_no_record_could_fit_is_told(index: Index, given_filters: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        index.search("fever", **given_filters)


def test_below_a_code_are_its_children_and_theirs(tmp_path: Path) -> None:
    chapter = CodeRecord("ICD10CM", "E00-E89", "Metabolic", kind="chapter")
    header = CodeRecord("ICD10CM", "E11", "Diabetes", kind="header", parent="E00-E89")
    child = CodeRecord("ICD10CM", "E11.9", "Diabetes, plain", parent="E11")
    with index_of(tmp_path, chapter, header, child) as index:
        assert set(codes(index.search("diabetes", parent="E00-E89"))) == {"E11", "E11.9"}
        assert codes(index.search("diabetes", parent="e11")) == ["E11.9"]
        assert codes(index.search("parent:E00-E89")) == ["E11", "E11.9"]


def test_parents_in_a_circle_end(tmp_path: Path) -> None:
    circle = [CodeRecord("LOCAL", "A1", "Hen", parent="A2"), CodeRecord("LOCAL", "A2", "Egg", parent="A1")]
    with index_of(tmp_path, *circle) as index:
        assert set(codes(index.search("parent:A1"))) == {"A1", "A2"}
