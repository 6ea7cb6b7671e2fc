"""Codes that differ in the side or the encounter alone are one row; nothing is lost, and pages are stable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import cm, codes, header, index_of

from codesearch.library import Index
from codesearch.records import CodeRecord


def _fracture(code: str, side: str) -> list[CodeRecord]:
    """A header of a side, and its encounters."""
    name = f"Fracture of neck of {side} femur"
    encounters = {
        "A": "initial encounter for closed fracture",
        "D": "subsequent encounter with routine healing",
        "S": "sequela",
    }
    codes_of_encounters = [cm(f"{code}{letter}", f"{name}, {text}", parent=code) for letter, text in encounters.items()]
    return [header(code, name, parent="S72.00"), *codes_of_encounters]


RECORDS = [
    header("M25.56", "Pain in knee"),
    cm("M25.561", "Pain in right knee", parent="M25.56"),
    cm("M25.562", "Pain in left knee", parent="M25.56"),
    cm("M25.569", "Pain in unspecified knee", parent="M25.56"),
    header("M25.5", "Pain in joint"),
    cm("M25.50", "Pain in unspecified joint", parent="M25.5"),
    cm("M25.51", "Pain in joint, right", parent="M25.5", kind="header"),
    header("S72.00", "Fracture of neck of femur"),
    *_fracture("S72.001", "right"),
    *_fracture("S72.002", "left"),
    header("I69.3", "Sequelae of infarction"),
    cm("I69.30", "Unspecified sequela of infarction", parent="I69.3"),
    cm("I69.31", "Pain, sequela of infarction", parent="I69.3"),
    header("Q10", "Asthma"),
    cm("Q10.1", "Unspecified asthma", parent="Q10"),
    cm("Q10.2", "Asthma", parent="Q10"),
    CodeRecord("CPT", "73560", "Pain film of right knee"),
    CodeRecord("CPT", "73562", "Pain film of left knee"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of the records."""
    with ExitStack() as stack:
        yield stack.enter_context(index_of(tmp_path_factory.mktemp("siblings"), *RECORDS))


def groups(index: Index, text: str) -> list[set[str | None]]:
    """The codes of each row."""
    return [{hit.code, *hit.siblings} for hit in index.search(text, limit=100, group=True)]


def test_sides_are_one_row(index: Index) -> None:
    assert {"M25.561", "M25.562", "M25.569"} in groups(index, "knee pain")
    assert {"M25.56"} in groups(index, "knee pain")


def test_encounters_of_both_sides_are_one_row(index: Index) -> None:
    found = groups(index, "fracture of neck of femur")
    sides = {f"S72.00{side}{letter}" for side in "12" for letter in ("", "A", "D", "S")}
    assert sides in found
    assert {"S72.00"} in found


@pytest.mark.parametrize("text", ["I69.30", "I69.31", "Q10.1", "Q10.2", "73560"])
def test_other_codes_stand_by_themselves(index: Index, text: str) -> None:
    assert groups(index, f"code:{text}") == [{text}]


def test_a_row_is_led_by_its_best_hit(index: Index) -> None:
    ranked = codes(index.search("left knee pain", limit=100))
    rows = index.search("left knee pain", limit=100, group=True).hits
    assert rows[0].code == "M25.562"
    for row in rows:
        places = [ranked.index(code) for code in (row.code, *row.siblings)]
        assert places == sorted(places)
    assert [ranked.index(row.code) for row in rows] == sorted(ranked.index(row.code) for row in rows)


def test_only_what_matches_is_in_a_row(index: Index) -> None:
    assert {"M25.561"} in groups(index, "pain +right knee")


def test_a_hit_of_a_group_tells_its_siblings_and_others_do_not(index: Index) -> None:
    (row,) = index.search("code:(M25.561 M25.562)", group=True)
    assert row.to_dict()["siblings"] == ["M25.562"]
    assert "siblings" not in index.search("M25.561").hits[0].to_dict()


@given(
    st.sampled_from(["pain", "fracture femur", "M25*", "knee", "encounter", "unspecified", "system:icd10cm"]),
    st.sampled_from(["rank", "code"]),
    st.integers(1, 5),
)
def test_nothing_is_lost_and_pages_are_stable(index: Index, text: str, sort: str, size: int) -> None:
    plain = index.search(text, limit=100, sort=sort)  # type: ignore[arg-type]
    whole = index.search(text, limit=100, sort=sort, group=True)  # type: ignore[arg-type]
    assert whole.total == plain.total == len(plain)
    assert sorted(code or "" for hit in whole for code in (hit.code, *hit.siblings)) == sorted(map(str, codes(plain)))
    assert whole.rows == len(whole) <= whole.total
    pages = [
        hit.to_dict()
        for start in range(0, len(whole), size)
        for hit in index.search(text, limit=size, offset=start, sort=sort, group=True)  # type: ignore[arg-type]
    ]
    assert pages == [hit.to_dict() for hit in whole]
