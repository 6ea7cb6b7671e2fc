"""An explanation gives the parts of a score, and they add up to it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from query_support import clinic, cm, header, index_of, publish, with_rules
from random_corpora import RULES, corpora, large_corpus, large_queries, queries

from codesearch.library import open_index
from codesearch.query.explain import ANCESTOR, CONDITION, MISSING, Explanation, NamePart, SectionsPart, WordPart
from codesearch.query.results import Hit, Results
from codesearch.records import CodeRecord, Purpose

TOLERANCE = 1e-4


def assert_adds_up(hit: Hit) -> None:
    """Every figure of a hit's explanation follows from those below it."""
    found = hit.explanation
    assert found.tier == hit.tier
    if hit.tier < 3:
        assert (found.score, hit.score, found.name, found.sections) == (0.0, 0.0, None, None)
        assert found.typed
        return
    assert math.isclose(found.score, hit.score, rel_tol=TOLERANCE), hit
    parts = [part for part in (found.name, found.sections) if part]
    assert (found.reason == "text") == bool(parts)
    assert math.isclose(found.score, sum(part.score for part in parts), rel_tol=TOLERANCE)
    for part in parts:
        points = sum(word.points for word in part.words)
        factors = math.prod([part.query_factor, *part.priors.values(), _own_factor(part)])
        assert math.isclose(part.score, points * factors, rel_tol=TOLERANCE)
        mass = sum(word.mass for word in part.words)
        assert math.isclose(part.query_coverage, sum(word.counts for word in part.words) / mass, rel_tol=TOLERANCE)
        for word in part.words:
            below = sum(term.points for term in word.terms)
            assert math.isclose(word.points, below * word.weight * word.share, rel_tol=TOLERANCE)


def _own_factor(part: NamePart | SectionsPart) -> float:
    return part.entry_factor if isinstance(part, NamePart) else part.weight


def assert_all_add_up(results: Results) -> int:
    """How many hits there are, all of whose explanations add up."""
    for hit in results:
        assert_adds_up(hit)
    return len(results)


@given(records=corpora(), text=queries)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_parts_add_up_on_any_corpus(records: list[CodeRecord], text: str) -> None:
    with TemporaryDirectory() as folder, index_of(Path(folder), *records, rules=RULES) as index:
        assert_all_add_up(index.search(text, limit=50))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_parts_add_up_for_many_queries(tmp_path: Path, seed: int) -> None:
    publish(tmp_path, large_corpus(seed, 600), with_rules(RULES))
    with open_index(tmp_path) as index:
        assert sum(assert_all_add_up(index.search(text, limit=5)) for text in large_queries(seed, 500, 600)) > 1000


def test_the_parts_add_up_on_the_shipped_pages(pages: Path) -> None:
    with open_index(pages) as index:
        for text in ("bone cement for a broken vertebra", "type 2 diabetes", "vertibra xray", "22512 pain", "knee"):
            assert assert_all_add_up(index.search(text, limit=50))


# What it says


def explained(path: Path, text: str, *records: CodeRecord, rules: str = "") -> Explanation:
    """The explanation of the first hit."""
    with index_of(path, *records, rules=rules) as index:
        hit = index.search(text).hits[0]
        assert_adds_up(hit)
        return hit.explanation


def words(part: NamePart | SectionsPart | None) -> dict[str, WordPart]:
    """The words of a part."""
    assert part is not None
    return {word.word: word for word in part.words}


def test_each_word_says_what_was_found_for_it(tmp_path: Path) -> None:
    rules = "hives => urticaria | lay\nheart attack => myocardial infarction | lay"
    record = cm("A00", "Urticaria after myocardial infarction of cattle")
    found = words(explained(tmp_path, "hives heart attack catle zzzzz", record, rules=rules).name)
    assert {word.word: (word.used, word.kind) for word in found.values()} == {
        "hives": ("urticaria", "lay"),
        "heart": ("myocardial infarction", "lay"),
        "attack": ("myocardial infarction", "lay"),
        "catle": ("cattle", "spelling"),
        "zzzzz": ("", MISSING),
    }
    assert [len(found[word].terms) for word in ("hives", "heart", "zzzzz")] == [1, 2, 0]
    assert math.isclose(found["heart"].share + found["attack"].share, 1)
    assert found["hives"].weight < 1


def test_the_best_name_is_the_one_explained(tmp_path: Path) -> None:
    part = explained(tmp_path, "high fever", cm("A00", "Pyrexia", inclusion_terms=("Fever", "High fever"))).name
    assert part is not None
    assert (part.field, part.text, part.entry_coverage) == ("inclusion_terms", "High fever", 1.0)
    assert part.priors["inclusion_terms"] < 1


def test_words_that_an_ancestor_gives_name_it(tmp_path: Path) -> None:
    records = [
        header("S01", "Injury of scalp"),
        header("S01.1", "Cut", parent="S01"),
        cm("S01.11", "Wound", parent="S01.1"),
    ]
    part = explained(tmp_path, "scalp wound", *records).name
    assert part is not None
    assert (words(part)["scalp"].kind, words(part)["scalp"].used, words(part)["scalp"].points) == (ANCESTOR, "S01", 0)
    assert part.query_coverage == 1.0
    assert 0 < part.ancestor_coverage < 1


def test_priors_that_apply_are_told(tmp_path: Path) -> None:
    part = explained(tmp_path, "fever", cm("A00", "Fever, unspecified", terminated="2020-10-01")).name
    assert part is not None
    assert list(part.priors) == ["name", "unspecified", "billable", "terminated"]


def test_sections_are_explained_beside_the_name(tmp_path: Path) -> None:
    record = cm("A00", "Cholera", purpose=Purpose(conditions=("Thirst",)), notes=("Much thirst.",))
    found = explained(tmp_path, "cholera thirst", record)
    assert found.name is not None
    assert found.sections is not None
    assert found.sections.sections == ("Purpose, conditions", "Notes")
    assert words(found.name)["thirst"].kind == words(found.sections)["cholera"].kind == MISSING


def test_a_hit_by_sections_alone_has_no_name_part(tmp_path: Path) -> None:
    found = explained(tmp_path, "thirst", cm("A00", "Cholera", notes=("Thirst",)))
    assert found.name is None
    assert found.sections is not None


def test_what_repeats_counts_its_frequency(tmp_path: Path) -> None:
    found = words(explained(tmp_path, "fever", cm("A00", "Fever after fever")).name)
    assert [term.frequency for term in found["fever"].terms] == [2]


@pytest.mark.parametrize(
    ("text", "tier", "reason", "typed", "reading"),
    [
        ("e119", 1, "exact code", "e119", ""),
        ("W21.89A", 1, "exact code", "W21.89A", "W21.89XA"),
        ("E11", 1, "exact code", "E11", ""),
        ("99202-99213", 2, "code prefix or range", "99202-99213", ""),
    ],
)
def test_codes_say_what_they_were_found_by(text: str, tier: int, reason: str, typed: str, reading: str) -> None:
    found = clinic().search(text).hits[0].explanation
    assert (found.tier, found.reason, found.typed, found.reading) == (tier, reason, typed, reading)


def test_codes_below_another_are_of_tier_2() -> None:
    assert [hit.explanation.tier for hit in clinic().search("E11")] == [1, 2, 2, 2]


@pytest.mark.parametrize(
    "text",
    ["system:cpt", "excludes:gestational", "excludes:gestational hypertension", '"kidney failure" -stone', "kidney*"],
)
def test_hits_by_conditions_are_explained_too(text: str) -> None:
    """What a query demands need not rank: a filter, a word in a field that is not scored."""
    results = clinic().search(text)
    assert assert_all_add_up(results)
    if not results.plan.slots:
        assert {hit.explanation.reason for hit in results} == {CONDITION}


def test_an_explanation_is_plain_data() -> None:
    hit = clinic().search("kidney failure").hits[0]
    plain = json.loads(json.dumps(hit.explanation.to_dict()))
    assert plain["name"]["words"][0]["word"] == "kidney"
    assert plain["sections"] is None
    assert list(hit.to_explained_dict()) == [*hit.to_dict(), "explanation"]
