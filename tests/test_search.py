"""A search keeps its contract: tiers, filters, pages, totals, and no text that stops it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import CLINIC, SHIPPED, clinic, cm, codes, header, index_of, kinds_of_rewrites, publish, with_rules
from random_corpora import RULES, large_corpus, large_queries
from reference_ranking import ReferenceRanking

from codesearch.codes import order_key
from codesearch.errors import UsageError
from codesearch.library import Index, open_index
from codesearch.records import CodeRecord

QUERIES = [
    "type 2 diabetes mellitus",
    "kidney",
    "E11 diabetes",
    "99202-99213 visit",
    "0FT4?ZZ gallbladder",
    "acute failure infarction",
    "unspecified",
    "MI",
    "vertebroplasty body",
    "E11.9 I10",
    "W21.8",
    "striking against sports equipment",
]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of a thousand codes."""
    folder = tmp_path_factory.mktemp("many")
    publish(folder, large_corpus(1, 1000), with_rules(RULES))
    with ExitStack() as stack:
        yield stack.enter_context(open_index(folder))


# Tiers and filters


@pytest.mark.parametrize("text", QUERIES)
def test_tiers_never_mix(text: str) -> None:
    tiers = [hit.tier for hit in clinic().search(text, limit=100)]
    assert tiers == sorted(tiers)


@pytest.mark.parametrize("text", QUERIES)
def test_scores_of_text_fall(text: str) -> None:
    hits = clinic().search(text, limit=100).hits
    scores = [(-hit.score, hit.document) for hit in hits if hit.tier == 3]
    assert scores == sorted(scores)
    assert all(score < 0 for score, _ in scores)


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("billable", [None, True, False])
@pytest.mark.parametrize("systems", [(), ("ICD10CM",), ("CPT", "ICD10PCS"), ("HCPCS", "LOCAL")])
def test_filters_cut_candidates_and_not_results(text: str, billable: bool | None, systems: tuple[str, ...]) -> None:
    everything = clinic().search(text, limit=1000)
    wanted = [
        hit.code
        for hit in everything
        if (not systems or hit.system in systems) and (billable is None or hit.billable is billable)
    ]
    found = clinic().search(text, limit=1000, billable=billable, system=systems)
    assert sorted(map(str, codes(found))) == sorted(map(str, wanted))
    assert found.total == len(wanted)
    if not {"E11.9"} & set(wanted):  # codes stand in the order in which they are typed, whatever the filter
        assert codes(found) == wanted


@pytest.mark.parametrize(
    "name", ["ICD10CM", "icd-10-cm", "ICD-10-CM code", "http://hl7.org/fhir/sid/icd-10-cm", "icd10"]
)
def test_a_system_goes_by_any_of_its_names(name: str) -> None:
    assert {hit.system for hit in clinic().search("diabetes", system=name)} == {"ICD10CM"}


def test_an_own_system_goes_by_its_name() -> None:
    assert codes(clinic().search("huddle", system="local")) == ["AB-77.1"]


def test_a_system_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"SNOMED.*CPT.*ICD10CM"):
        clinic().search("fever", system="SNOMED")


@pytest.mark.parametrize(("limit", "offset"), [(-1, 0), (10, -1), (100_001, 0)])
def test_numbers_out_of_range_are_refused(limit: int, offset: int) -> None:
    with pytest.raises(UsageError, match="out of range"):
        clinic().search("fever", limit=limit, offset=offset)


def test_an_order_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="alphabet"):
        clinic().search("fever", sort="alphabet")  # type: ignore[arg-type]


# Pages and totals


@pytest.mark.parametrize("sort", ["rank", "code"])
@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_put_together_are_one_big_page(text: str, size: int, sort: str) -> None:
    whole = clinic().search(text, limit=100, sort=sort)  # type: ignore[arg-type]
    pages = [clinic().search(text, limit=size, offset=start, sort=sort) for start in range(0, len(whole) + size, size)]  # type: ignore[arg-type]
    hits = [hit for page in pages for hit in page]
    assert [(hit.system, hit.code, hit.score, hit.tier) for hit in hits] == [
        (hit.system, hit.code, hit.score, hit.tier) for hit in whole
    ]
    assert [hit.rank for hit in hits] == list(range(1, len(whole) + 1))
    assert {page.total for page in pages} == {whole.total} == {len(whole)}


def test_pages_of_a_larger_index_are_stable(many: Index) -> None:
    for text in large_queries(5, 12, 1000):
        whole = [(hit.document, hit.score) for hit in many.search(text, limit=1000)]
        for size in (1, 10, 333):
            last = min(len(whole), 40 * size)
            pages = [many.search(text, limit=size, offset=start).hits for start in range(0, last, size)]
            assert [(hit.document, hit.score) for page in pages for hit in page][:last] == whole[:last]


def test_totals_are_exact(many: Index) -> None:
    records = large_corpus(1, 1000)
    reference = ReferenceRanking(records, with_rules(RULES))
    for text in large_queries(6, 12, 1000):
        found = many.search(text, limit=3)
        exhaustive = reference.rank(found.plan.slots, many._reader.term_list, lambda _: True)
        assert found.total == len(exhaustive) == len(many.search(text, limit=100_000))


def test_no_hits_may_be_asked_for() -> None:
    results = clinic().search("diabetes", limit=0)
    assert len(results) == 0
    assert results.total > 0


@pytest.mark.parametrize("text", QUERIES)
def test_a_page_beyond_the_last_is_empty(text: str) -> None:
    results = clinic().search(text, offset=5000)
    assert results.hits == []
    assert results.total == clinic().search(text).total


@pytest.mark.parametrize("text", QUERIES)
def test_sorted_by_code(text: str) -> None:
    by_rank, by_code = clinic().search(text, limit=100), clinic().search(text, limit=100, sort="code")
    keys = [order_key(hit.system, hit.code) for hit in by_code]
    assert keys == sorted(keys)
    ranked = {hit.document: (hit.tier, hit.score) for hit in by_rank}
    assert {hit.document: (hit.tier, hit.score) for hit in by_code} == ranked


def test_a_code_in_a_range_and_by_itself_is_exact_in_either_order() -> None:
    for sort in ("rank", "code"):
        tiers = {hit.code: hit.tier for hit in clinic().search("E11.0-E11.9 E11.9", sort=sort)}
        assert tiers["E11.9"] == 1
        assert tiers["E11.65"] == 2


# What was not typed


@pytest.mark.parametrize(
    "text", [*QUERIES, "hives", "kidny", "heartattack", "sugar disease", "W21.89A", "appendectomy", "copd"]
)
def test_exact_searches_what_is_typed_and_nothing_else(text: str) -> None:
    exact, usual = clinic().search(text, limit=100, exact=True), clinic().search(text, limit=100)
    assert exact.rewrites == ()
    assert set(codes(exact)) <= set(codes(usual)) or usual.plan.codes != exact.plan.codes
    assert {one.weight_class for slot in exact.plan.slots for one in slot.alternatives} <= {"typed"}


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("renal calculus", "same", "N20.0"),
        ("hives", "lay", "L50.9"),
        ("sugar disease type 1", "lay", "E10.9"),
        ("copd", "abbreviation", "J44.9"),
        ("appendectomy open", "procedure", "0DTJ0ZZ"),
        ("hyperglycmia", "spelling", "E11.65"),
        ("vertebro plasty", "joined", "22510"),
    ],
)
def test_what_was_searched_instead_is_disclosed(text: str, kind: str, code: str) -> None:
    results = clinic().search(text)
    assert results.hits[0].code == code
    assert kind in kinds_of_rewrites(results)


def test_other_words_choose_among_the_senses_of_an_abbreviation() -> None:
    assert codes(clinic().search("acute MI"))[0] in {"I21", "I21.9"}
    assert codes(clinic().search("rheumatic MI"))[0] == "I05.1"


def test_codes_that_a_synonym_finds_stand_after_those_that_hold_the_word() -> None:
    found = codes(clinic().search("renal failure"))
    assert found[0] == "N17.9"
    assert "N20.0" in found


def test_the_ranking_does_not_depend_on_case_or_order_of_words() -> None:
    one, other = clinic().search("acute kidney failure"), clinic().search("FAILURE  kidney,  (Acute)")
    assert sorted((hit.code, round(hit.score, 4)) for hit in one) == sorted(
        (hit.code, round(hit.score, 4)) for hit in other
    )


# Spellings


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Hemorrhage of esophagus", "oesophageal haemorrhage"),
        ("Haemophilia", "hemophilia"),
        ("Chest X-ray", "chest x ray"),
        ("Chest X-ray", "chest xray"),
        ("Chest x ray", "chest x-ray"),
        ("Chest x ray", "chest xray"),
        ("Chest xray", "chest x-ray"),
        ("Chest xray", "chest x ray"),
        ("Smoking, 20 pack-years", "pack years"),
        ("Smoking, 20 pack years", "pack-years"),
        ("Smoking, 20 pack years", "packyears"),
        ("Postoperative pain", "post-operative pain"),
        ("Post-operative pain", "postoperative pain"),
        ("Ear, nose & throat", "ear nose and throat"),
        ("Nausea and vomiting", "nausea/vomiting"),
        ("Vasectomy", "(vasectomy"),
        ("Vasectomy", "vasectomy)"),
        ("Ménière disease", "meniere's disease"),
        ("Meniere's disease", "Ménière’s disease"),
        ("Crohn's disease", "crohns disease"),
        ("Down syndrome", "Down's syndrome"),
        ("Type II diabetes", "type 2 diabetes"),
        ("Type 2 diabetes", "type II diabetes"),
        ("Bipolar I disorder", "bipolar 1 disorder"),
        ("Factor VIII deficiency", "factor 8 deficiency"),
        ("Fractures of ribs", "rib fracture"),
    ],
)
def test_spellings_find_each_other(tmp_path: Path, name: str, typed: str) -> None:
    with index_of(tmp_path, cm("A00", name), cm("A01", "Something else entirely"), cm("A02", "Other matters")) as index:
        assert codes(index.search(typed)) == ["A00"]


def test_stoma_is_no_stomach(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "Ulcer of stomach"), cm("A01", "Care of stoma")) as index:
        assert codes(index.search("stoma")) == ["A01"]
        assert codes(index.search("stomach")) == ["A00"]


# Whatever is typed

ODD = [
    "",
    " ",
    "\n\t",
    "of the and",
    "!?.,;:-_()[]{}\"'/\\|&%$#@~^+=<>",
    "🙂",
    "🙂 diabetes 🦠",
    "\0",
    "dia\0betes",
    "\ud800",
    "糖尿病",
    "السكري",
    "e\u0301" * 100,
    "a" * 20_000,
    "diabetes " * 2000,
    "(" * 10_000,
    "-" * 10_000,
    "'" * 10_000,
    "E11.9 " * 1600,
    "E" * 7,
    "1" * 10_000,
    " ".join(f"word{number}" for number in range(500)),
    " ".join(random.Random(1).choices(["kidney", "failure", "E11.9", "99202-99213", "0FT4?ZZ", "zzz", "MI"], k=500)),
]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_any_text_is_answered(text: str, exact: bool) -> None:
    results = clinic().search(text, exact=exact)
    assert results.total >= len(results)
    for hit in results:
        assert hit.to_dict()


@pytest.mark.parametrize("text", ["", "  ", "of the and", "?!", "🙂", "\0", "()"])
def test_a_text_without_words_finds_nothing(text: str) -> None:
    results = clinic().search(text)
    assert (results.hits, results.total, results.rewrites) == ([], 0, ())
    assert clinic().search(text, sort="code").hits == []


def test_words_among_oddities_are_found() -> None:
    assert codes(clinic().search("🙂 urticaria\0 (((")) == ["L50.9"]


def test_of_five_hundred_words_the_first_count_and_the_rest_is_named() -> None:
    results = clinic().search("urticaria " + " ".join(f"word{number}" for number in range(500)))
    assert results.hits[0].code == "L50.9"
    assert len(results.plan.slots) == 32
    assert len(results.plan.ignored) == 469


@given(st.text(max_size=60), st.integers(0, 5), st.integers(0, 5), st.sampled_from([None, True, False]), st.booleans())
def test_no_text_breaks_a_search(text: str, limit: int, offset: int, billable: bool | None, exact: bool) -> None:
    results = clinic().search(text, limit=limit, offset=offset, billable=billable, exact=exact)
    assert len(results) <= limit
    assert results.total >= len(results)


_words = sorted(
    {word for record in CLINIC for word in record.name.split()} | {"hives", "MI", "kidny", "E11", "99202-99213"}
)


@given(st.lists(st.sampled_from(_words), min_size=1, max_size=6).map(" ".join))
def test_every_search_keeps_the_contract(text: str) -> None:
    results = clinic().search(text, limit=100)
    assert len({hit.document for hit in results}) == len(results) == results.total
    assert [hit.tier for hit in results] == sorted(hit.tier for hit in results)
    assert all(hit.kind != "chapter" for hit in results)
    first_three = [(hit.document, hit.score) for hit in clinic().search(text, limit=3)]
    assert first_three == [(hit.document, hit.score) for hit in results.hits[:3]]


# Odd indexes


def test_an_index_of_chapters_only_finds_nothing(tmp_path: Path) -> None:
    with index_of(tmp_path, CodeRecord("ICD10CM", "A00-B99", "Infections", kind="chapter")) as index:
        assert index.search("infections").total == 0


def test_records_without_a_code_are_found_by_their_words() -> None:
    (hit,) = clinic().search("bedside singing")
    assert (hit.system, hit.code, hit.name) == ("CPT", None, "Bedside singing therapy")


def test_names_of_stop_words_and_signs_do_not_disturb(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "Of the"), cm("A01", "!!!"), cm("A02", "Fever"), cm("A03", "")) as index:
        assert codes(index.search("fever")) == ["A02"]
        assert codes(index.search("A01")) == ["A01"]


def test_long_codes_of_an_own_system_are_found(tmp_path: Path) -> None:
    long = [CodeRecord("LOCAL", f"WARD-7-CARDIOLOGY-INTENSIVE-CARE-ROOM-00{number}", "Bed") for number in range(3)]
    with index_of(tmp_path, *long) as index:
        assert codes(index.search("ward-7-cardiology-intensive-care-room-001"))[:1] == [
            "WARD-7-CARDIOLOGY-INTENSIVE-CARE-ROOM-001"
        ]


def test_the_shipped_settings_search_as_the_others(tmp_path: Path) -> None:
    publish(tmp_path, CLINIC, SHIPPED)
    with open_index(tmp_path) as index:
        assert codes(index.search("kidney stone"))[0] == "N20.0"
        assert codes(index.search("heart attack"))[0] in {"I21", "I21.9"}
        assert codes(index.search("low back pain"))[0] == "M54.50"


def test_headers_say_that_they_are_not_billable(tmp_path: Path) -> None:
    with index_of(tmp_path, header("A00", "Fever"), CodeRecord("CPT", "12345", "Fever")) as index:
        assert {hit.code: hit.billable for hit in index.search("fever")} == {"A00": False, "12345": None}
