"""A query becomes a plan: codes that stand first, sets of codes that text is searched within, words, conditions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import CLINIC, clinic, cm, codes, header, index_of

from codesearch.codes import bare
from codesearch.query.plan import Plan
from codesearch.query.results import Results


def plan(text: str, *, exact: bool = False, systems: Sequence[str] | None = None) -> Plan:
    """The plan of a query to the clinic's index."""
    return clinic()._searcher.plan(text, systems or clinic().systems, exact)


def words(text: str) -> list[str]:
    """The words that rank."""
    return [slot.word for slot in plan(text).slots]


def tiers(results: Results) -> list[tuple[str | None, int]]:
    """The code and tier of each hit."""
    return [(hit.code, hit.tier) for hit in results]


def search(text: str) -> Results:
    """What the clinic's index finds, at most a hundred hits."""
    return clinic().search(text, limit=100)


# Words that rank


@pytest.mark.parametrize(
    ("text", "ranking"),
    [
        ("kidney stone", ["kidney", "stone"]),
        ('"kidney stone" acute', ["acute", "kidney", "stone"]),
        ("kidney -stone", ["kidney"]),
        ("+kidney stone", ["stone", "kidney"]),
        ("kidney AND stone", ["kidney", "stone"]),
        ("(kidney OR stone) acute", ["acute", "kidney", "stone"]),
        ("name:kidney", ["kidney"]),
        ("excludes:pregnancy", []),
        ("system:cpt kind:code", []),
        ("code:E11", []),
        ("E11 OR kidney", ["kidney"]),
        ('-"kidney stone" acute', ["acute"]),
    ],
)
def test_words_that_rank_are_those_that_may_or_must_match(text: str, ranking: list[str]) -> None:
    assert words(text) == ranking


_plain_words = sorted({word.strip("(),;") for record in CLINIC for word in record.name.split()})


@given(st.lists(st.sampled_from([*_plain_words, "E11.9", "N20.0", "kidny"]), max_size=6).map(" ".join))
def test_plain_text_has_no_conditions(text: str) -> None:
    found = plan(text)
    assert (found.conditions, found.notes) == ((), ())
    assert found.text == text


def test_all_words_of_a_condition_that_says_nothing_are_told() -> None:
    found = plan('kidney -"of the"')
    assert found.conditions == ()
    assert found.notes == ('ignored -"of the" (small words and signs say nothing)',)


@pytest.mark.parametrize("text", ["-kidney", '-"kidney stone" NOT E11', "NOT (acute OR kidney)"])
def test_exclusions_alone_find_nothing_and_it_is_told(text: str) -> None:
    results = search(text)
    assert results.total == 0
    assert "only exclusions" in results.plan.notes[-1]


def test_an_unknown_field_is_told_with_near_ones() -> None:
    results = search("nme:kidney")
    assert codes(results)[0] in {"N17.9", "N20.0"}
    assert "nme: is no field; near it: name" in results.plan.notes[0]


# Codes beside text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("99202-99213 telehealth", ["99213", "99202", "99203", "99211"]),
        ("99202-99213 -telehealth", ["99202", "99203", "99211"]),
        ("99202-99213 zzyzx", ["99202", "99203", "99211", "99213"]),
        ("W21* subsequent", ["W21.89XD", "W21", "W21.8", "W21.89", "W21.89XA"]),
        ("0FT4?ZZ endoscopic", ["0FT44ZZ", "0FT40ZZ"]),
        ("0FT* 0DT* appendix", ["0DTJ0ZZ", "0DTJ4ZZ", "0DT", "0FT", "0FT40ZZ", "0FT44ZZ"]),
        ("code:E11 hyperglycemia", ["E11.65", "E11", "E11.6", "E11.9"]),
        ('E11 "other specified"', ["E11.6"]),
        ("(E11 OR N20.0) calculus", ["N20.0", "E11", "E11.6", "E11.65", "E11.9"]),
    ],
)
def test_text_beside_a_set_of_codes_is_searched_within_it(text: str, found: list[str]) -> None:
    results = search(text)
    assert codes(results)[: len(found)] == found
    assert {tier for _, tier in tiers(results)} == {2}
    assert results.total == len(results) == len(found)


def test_an_exact_code_beside_text_stands_first_and_restricts_nothing() -> None:
    assert tiers(search("N20.0 urticaria")) == [("N20.0", 1), ("L50.9", 3)]
    assert tiers(search("E11.9 99202-99213 telehealth"))[:2] == [("E11.9", 1), ("99213", 2)]


def test_several_categories_beside_text_are_a_set() -> None:
    results = search("E11 W21 mellitus")
    assert tiers(results)[:2] == [("E11", 1), ("W21", 1)]
    below = tiers(results)[2:]
    assert {tier for _, tier in below} == {2}
    assert {code for code, _ in below[:3]} == {"E11.9", "E11.65", "E11.6"}
    assert all((code or "").startswith(("E11", "W21")) for code, _ in below)
    assert "E10.9" not in codes(results)


def test_a_category_that_is_missing_from_a_set_is_told() -> None:
    results = search("E11 E12 hyperglycemia")
    assert all((code or "").startswith("E11") for code in codes(results))
    assert results.plan.notes == ("there is no code E12",)


def test_one_category_beside_text_is_no_set() -> None:
    assert {tier for _, tier in tiers(search("E11 diabetes"))} == {1, 3}
    assert {tier for _, tier in tiers(search("E11 b12 deficiency"))} == {1, 3}


def test_codes_alone_keep_their_order_under_conditions() -> None:
    assert tiers(search("E11 -hyperglycemia")) == [("E11", 1), ("E11.6", 2), ("E11.9", 2)]
    assert tiers(search("E11.9 I10 kind:code")) == [("E11.9", 1), ("I10", 1)]
    assert tiers(search("E11.9 OR I10")) == [("E11.9", 1), ("I10", 1)]
    assert tiers(search("code:E11 system:icd10")) == tiers(search("E11"))


def test_a_code_that_an_exclusion_names_goes_with_those_below_it() -> None:
    assert codes(search("W21* -W21.89")) == ["W21", "W21.8"]
    assert "E11.9" not in codes(search("diabetes -E11"))


def test_short_codes_that_are_words_too_give_both(tmp_path_factory: pytest.TempPathFactory) -> None:
    records = [
        cm("T40.1", "Poisoning by heroin"),
        cm("T45.2", "Poisoning by vitamins"),
        cm("E07.9", "Thyroxine disorder", synonyms=("T4 disorder",)),
        header("P53", "Bleeding of newborn"),
        cm("A00", "P53 mutation"),
    ]
    with index_of(tmp_path_factory.mktemp("short"), *records, rules="t4 => thyroxine | abbreviation") as index:
        assert tiers(index.search("t4")) == [("T40.1", 2), ("T45.2", 2), ("E07.9", 3)]
        assert tiers(index.search("t4 -vitamins")) == [("T40.1", 2), ("E07.9", 3)]
        assert tiers(index.search("T40")) == [("T40.1", 2)]
        assert tiers(index.search("p53")) == [("P53", 1)]
        assert tiers(index.search("zq")) == []


# Exact


@pytest.mark.parametrize("text", ["W21.89A sports", "code:W21.89A", "+W21.89A sports"])
def test_with_exact_no_code_is_read_as_another(text: str) -> None:
    assert not any(rewrite.kind == "code" for rewrite in plan(text, exact=True).rewrites)
    assert plan(text, exact=True).codes == ()


def test_a_code_is_not_lost_beside_one_that_is_read_as_another() -> None:
    found = plan("W21.89A E11.9 sports", exact=True)
    assert [match.typed for match in found.codes] == ["E11.9"]
    assert {bare(slot.word) for slot in found.slots} >= {"SPORTS"}
