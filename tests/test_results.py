"""Results and hits: what they say, when they count, and how they look as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from query_support import clinic, cm, codes, header, index_of

from codesearch.query.plan import Plan
from codesearch.query.results import Results
from codesearch.records import CodeRecord

FIELDS = [
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
]


def counting(answers: list[int]) -> Callable[[], int]:
    """A count that gives its answers one by one."""
    return lambda: answers.pop(0)


def test_the_total_is_counted_when_it_is_read_and_once() -> None:
    answers = [42, 43]
    results = Results([], Plan("", (), (), ()), counting(answers))
    assert answers == [42, 43]
    assert (results.total, results.total) == (42, 42)
    assert answers == [43]


def test_results_are_iterable_and_have_a_length() -> None:
    results = clinic().search("diabetes", limit=2)
    assert [hit.rank for hit in results] == [1, 2]
    assert list(results) == results.hits
    assert len(results) == 2 < results.total


def test_a_hit_is_the_json_object_of_the_design() -> None:
    hit = clinic().search("taxi transportation").hits[0]
    plain = json.loads(json.dumps(hit.to_dict()))
    assert list(plain) == FIELDS
    assert plain == {
        "rank": 1,
        "system": "HCPCS",
        "code": "A0100",
        "kind": "code",
        "name": "Nonemergency transportation; taxi",
        "billable": None,
        "terminated": None,
        "release": "2025",
        "score": round(hit.score, 4),
        "tier": 3,
        "snippet": "Nonemergency transportation; taxi",
        "matched": {"name": ["transportation", "taxi"]},
    }


@pytest.mark.parametrize("text", ["E11", "MI", "bedside singing", "0FT", "LT", "99202-99213"])
def test_every_hit_is_plain_data(text: str) -> None:
    for hit in clinic().search(text):
        assert list(json.loads(json.dumps(hit.to_dict()))) == FIELDS


def test_a_hit_has_its_record() -> None:
    hit = clinic().search("22510").hits[0]
    assert hit.record.purpose.goals == ("Relief of pain",)
    assert (hit.record.system, hit.record.code, hit.record.name) == (hit.system, hit.code, hit.name)


def test_codes_are_shown_in_their_written_form() -> None:
    assert codes(clinic().search("e119")) == ["E11.9"]
    assert codes(clinic().search("0ft44zz")) == ["0FT44ZZ"]


def test_a_terminated_code_says_since_when() -> None:
    hits = {hit.code: hit.terminated for hit in clinic().search("low back pain")}
    assert hits["M54.5"] == "2021-10-01"
    assert hits["M54.50"] is None


def test_billable_is_yes_no_or_unknown(tmp_path: Path) -> None:
    records = [cm("A00.0", "Fever"), header("A00", "Fever"), CodeRecord("CPT", "12345", "Fever")]
    with index_of(tmp_path, *records) as index:
        assert {hit.code: hit.billable for hit in index.search("fever")} == {"A00.0": True, "A00": False, "12345": None}


def test_a_plan_keeps_what_was_typed() -> None:
    results = clinic().search("  N20.0 hives ")
    assert results.plan.text == "  N20.0 hives "
    assert [match.typed for match in results.plan.codes] == ["N20.0"]
    assert [slot.word for slot in results.plan.slots] == ["hives"]
    assert results.rewrites == results.plan.rewrites


def test_a_hit_shows_what_it_is() -> None:
    assert "E11.9" in repr(clinic().search("E11.9").hits[0])
