"""Where nothing is found, what stands in the way is named, and what is named instead finds something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import clinic, cm, index_of

from codesearch.nothing_lines import command, nothing_lines
from codesearch.query.nothing import Cause, Nothing


def nothing(text: str, **options: Any) -> Nothing:
    """Why a text finds nothing."""
    results = clinic().search(text, **options)
    assert results.total == 0
    assert results.nothing is not None
    return results.nothing


def causes(text: str, **options: Any) -> list[tuple[str, str, str]]:
    """Kind, condition and the query that finds something, of each cause."""
    return [(cause.kind, cause.what, cause.text) for cause in nothing(text, **options).causes]


def test_where_there_are_hits_there_is_nothing_to_tell() -> None:
    assert clinic().search("kidney").nothing is None
    assert clinic().search("kidney", offset=5000).nothing is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"failure kidney"', [("condition", '"failure kidney"', "failure kidney")]),
        ("+zzyzx kidney", [("condition", "+zzyzx", "zzyzx kidney")]),
        ("kidney AND urticaria", [("condition", "kidney", "+urticaria"), ("condition", "urticaria", "+kidney")]),
        ("urticaria -unspecified", [("condition", "-unspecified", "urticaria")]),
        ("name:cement", [("condition", "name:cement", "cement")]),
        ("urticaria kind:header", [("condition", "kind:header", "urticaria")]),
        ("E11* -diabetes", [("condition", "-diabetes", "E11*")]),
    ],
)
def test_the_condition_in_the_way_is_named(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert causes(text) == expected


@pytest.mark.parametrize(
    ("options", "name", "systems"),
    [
        ({"system": "CPT"}, "system", {"ICD10CM": 1}),
        ({"kind": "header"}, "kind", {"ICD10CM": 1}),
        ({"parent": "E11"}, "parent", {"ICD10CM": 1}),
        ({"billable": False}, "billable", {"ICD10CM": 1}),
        ({"setting": "moon"}, "setting", {"ICD10CM": 1}),
    ],
)
def test_the_filter_in_the_way_is_named_with_where_there_are_hits(
    options: dict[str, Any], name: str, systems: dict[str, int]
) -> None:
    (cause,) = nothing("urticaria", **options).causes
    assert (cause.kind, cause.what, cause.options, cause.systems) == ("filter", name, {}, systems)


def test_of_two_filters_the_one_in_the_way_is_named() -> None:
    (cause,) = nothing("urticaria", system="CPT", billable=True).causes
    assert (cause.what, cause.options) == ("system", {"billable": True})


def test_filters_that_are_in_the_way_together_are_named_together() -> None:
    (cause,) = nothing("urticaria", system="CPT", kind="header").causes
    assert (cause.what, cause.options) == ("filters", {})


def test_the_nearest_spelling_is_named() -> None:
    assert causes('"kidny failure"')[0] == ("spelling", "kidny", '"kidney failure"')
    found = nothing("urticarai", exact=True)
    assert [(cause.kind, cause.text) for cause in found.causes] == [("spelling", "urticaria"), ("exact", "urticarai")]
    assert found.causes[1].options == {}
    assert found.unknown == ("urticarai",)


def test_words_and_codes_that_are_nowhere_are_named() -> None:
    assert nothing('"zzyzx blorp"').unknown == ("zzyzx", "blorp")
    assert nothing("code:Z99.9").unknown == ("Z99.9",)
    assert nothing("zzyzx system:cpt -qqqq").unknown == ("zzyzx",)
    assert nothing("E10-E11 E11.9 0FT* +zzyzx").unknown == ("zzyzx",)


@pytest.mark.parametrize("text", ["", "of the", "-kidney", "?!", "zzyzx"])
def test_where_nothing_would_help_no_cause_is_named(text: str) -> None:
    assert nothing(text).causes == ()


_words = st.sampled_from(["kidney", "failure", "urticaria", "zzyzx", "diabetes", "E11", "type"])
_texts = st.lists(
    st.one_of(
        _words,
        _words.map("-{}".format),
        _words.map("+{}".format),
        st.lists(_words, min_size=2, max_size=2).map(" AND ".join),
        _words.map('"acute {}"'.format),
        _words.map("name:{}".format),
    ),
    min_size=1,
    max_size=4,
).map(" ".join)
_options = st.fixed_dictionaries(
    {}, optional={"system": st.sampled_from(["CPT", "ICD10PCS"]), "kind": st.just("header"), "exact": st.booleans()}
)


@given(_texts, _options)
def test_what_a_cause_names_finds_as_much_as_it_says(text: str, options: dict[str, Any]) -> None:
    results = clinic().search(text, **options)
    assert (results.nothing is None) == (results.total > 0)
    for cause in results.nothing.causes if results.nothing else ():
        found = clinic().search(cause.text, **cause.options)
        assert found.total == cause.hits == sum(cause.systems.values()) > 0


# What is told of it


def lines(text: str, **options: Any) -> list[str]:
    """What is printed."""
    return list(nothing_lines(clinic().search(text, **options)))


def test_at_most_four_lines_are_told() -> None:
    told = lines('"kidny failure" -renal kidney AND zzyzx', system="CPT")
    assert len(told) <= 4
    assert told[0].startswith("no hits for")


def test_the_lines_are_a_reason_and_a_command() -> None:
    assert lines("urticaria", system="CPT") == [
        "no hits for urticaria",
        "1 in ICD10CM without --system: codesearch search urticaria",
    ]
    assert lines('"failure kidney"', kind="code") == [
        'no hits for "failure kidney"',
        "2 without \"failure kidney\": codesearch search --kind code 'failure kidney'",
    ]


def test_filters_that_are_in_the_way_together_are_told_together() -> None:
    assert (
        lines("urticaria", system="CPT", kind="header")[1]
        == "1 in ICD10CM without filters: codesearch search urticaria"
    )


def test_a_page_beyond_the_last_is_told_as_such() -> None:
    assert lines("urticaria", offset=7) == ["no hits from there on: 1 in all"]


def test_text_in_lines_is_safe_to_print(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "Fever")) as index:
        told = "".join(nothing_lines(index.search('"\x1b[31m fever"\u202e +zz\x07')))
    assert not set(told) & set("\x1b\x07\u202e")


def test_commands_take_their_arguments_as_they_are_meant() -> None:
    cause = Cause("filter", "on", "-pain 'x'", {"system": ("CPT", "HCPCS"), "billable": True, "on": "2025"}, 1, {})
    assert command(cause.text, cause.options) == (
        "codesearch search --system CPT --system HCPCS --billable --on 2025 -- '-pain '\"'\"'x'\"'\"''"
    )
