"""A hit says why it is one: the words that matched, as they are written, and the passage that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from codesets_support import REAL, needs_real_files
from hypothesis import HealthCheck, given, settings
from query_support import clinic, cm, index_of
from random_corpora import RULES, corpora, queries

import codesearch
from codesearch.library import Index, open_index
from codesearch.query.passage import PASSAGE_LENGTH
from codesearch.query.results import Hit
from codesearch.records import CodeRecord, Purpose, Risks

LONG = "Nothing of note is said here. " * 20 + "Then the Vertebræ’s kyphoplasty follows. " + "And more is said. " * 20


@pytest.fixture(scope="module")
def shipped(pages: Path) -> Iterator[Index]:
    """The open index of the shipped pages."""
    with open_index(pages) as index:
        yield index


def hit_of(path: Path, text: str, *records: CodeRecord, rules: str = "") -> Hit:
    """The first hit of a text, with its evidence."""
    with index_of(path, *records, rules=rules) as index:
        hit = index.search(text).hits[0]
        assert hit.snippet
        return hit


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("Crohn's DISEASE of tumours", "crohn disease tumor", ("Crohn's", "DISEASE", "tumours")),
        ("Ménière’s vertigo", "meniere vertigo", ("Ménière’s", "vertigo")),
        ("Hæmorrhage", "hemorrhage", ("Hæmorrhage",)),
        ("Type II diabetes", "type 2", ("Type", "II")),
        ("Nausea/vomiting", "vomiting", ("vomiting",)),
        ("Dose of 2.5 mg", "2.5", ("2.5",)),
    ],
)
def test_matched_words_stand_as_they_are_written(tmp_path: Path, name: str, typed: str, words: tuple[str, ...]) -> None:
    assert hit_of(tmp_path, typed, cm("A00", name)).matched == {"name": words}


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Chest x-ray", "xray"),
        ("Post-operative pain", "postoperative"),
        ("Chest xray", "x ray"),
        ("20 pack years", "packyears"),
    ],
)
def test_words_that_match_joined_or_apart_are_shown(tmp_path: Path, name: str, typed: str) -> None:
    hit = hit_of(tmp_path, typed, cm("A00", name))
    assert hit.matched["name"]
    assert all(word in name for word in hit.matched["name"])


def test_every_field_that_matches_is_named(tmp_path: Path) -> None:
    record = cm(
        "A00",
        "Fever",
        synonyms=("High fever",),
        purpose=Purpose(conditions=("Fevers of children",)),
        notes=("No fever",),
    )
    assert hit_of(tmp_path, "fever", record).matched == {
        "name": ("Fever",),
        "synonyms": ("fever",),
        "purpose.conditions": ("Fevers",),
        "notes": ("fever",),
    }


def test_exclusions_are_no_evidence(tmp_path: Path) -> None:
    record = cm("A00", "Fever", excludes=("Fever of cattle",))
    hit = hit_of(tmp_path, "fever cattle", record)
    assert hit.matched == {"name": ("Fever",)}
    assert "cattle" not in hit.snippet


def test_words_that_an_expansion_or_correction_found_are_shown(tmp_path: Path) -> None:
    assert hit_of(tmp_path, "hives", cm("A00", "Acute urticaria"), rules="hives => urticaria | lay").matched == {
        "name": ("urticaria",)
    }
    assert hit_of(tmp_path / "more", "urticariq", cm("A00", "Acute urticaria")).matched == {"name": ("urticaria",)}


def test_part_of_a_phrase_is_no_evidence_for_it(tmp_path: Path) -> None:
    """Only the whole phrase stands for what was typed, so only the whole phrase matched."""
    record = cm("A00", "Chest pain", inclusion_terms=("Pain in myocardial disease",))
    assert (
        "inclusion_terms"
        in hit_of(tmp_path, "chest pain mi", record, rules="mi => myocardial infarction | abbreviation").matched
    )
    words = hit_of(
        tmp_path / "more", "chest mi", record, cm("A01", "Infarction"), rules="mi => myocardial infarction | lay"
    ).matched
    assert words == {"name": ("Chest",)}


def test_the_snippet_is_the_passage_that_holds_most(tmp_path: Path) -> None:
    record = cm("A00", "Repair", notes=("Use a stent.", "The stent opens the artery."), summary="An artery is opened.")
    assert hit_of(tmp_path, "stent artery", record).snippet == "The stent opens the artery."


def test_another_passage_that_holds_as_much_shows_more_than_the_name(tmp_path: Path) -> None:
    record = cm("A00", "Stent", summary="A stent opens the artery.")
    assert hit_of(tmp_path, "stent", record).snippet == "A stent opens the artery."


def test_a_long_passage_is_cut_around_its_first_match(tmp_path: Path) -> None:
    snippet = hit_of(tmp_path, "kyphoplasty", cm("A00", "Repair", summary=LONG)).snippet
    assert "kyphoplasty" in snippet
    assert snippet.startswith("… ")
    assert snippet.endswith(" …")
    assert len(snippet) <= PASSAGE_LENGTH + 4
    assert snippet.strip("… ") in LONG


@pytest.mark.parametrize("place", [0, 1, 50, 107, 108, 500, 993, 1000])
def test_windows_hold_the_match_wherever_it_stands(tmp_path: Path, place: int) -> None:
    words = ["filler"] * 200
    words.insert(place * 200 // 1000, "kyphoplasty")
    snippet = hit_of(tmp_path, "kyphoplasty", cm("A00", "Repair", summary=" ".join(words))).snippet
    assert "kyphoplasty" in snippet
    assert len(snippet) <= PASSAGE_LENGTH + 4


@pytest.mark.parametrize(
    "text", ["x" * 5000 + " stent", "stent " + "x" * 5000, "x" * 100 + " stent " + "x" * 3000, "stent" + "," * 4000]
)
def test_windows_of_texts_without_blanks_are_short(tmp_path: Path, text: str) -> None:
    snippet = hit_of(tmp_path, "stent", cm("A00", "Repair", summary=text)).snippet
    assert "stent" in snippet
    assert len(snippet) <= PASSAGE_LENGTH + 4


def test_a_hit_by_its_code_shows_its_summary_or_name() -> None:
    assert clinic().search("22510").hits[0].snippet == "Bone cement is injected into a broken vertebra."
    assert clinic().search("I10").hits[0].snippet == "Essential (primary) hypertension"
    assert clinic().search("I10").hits[0].matched == {}


def test_a_hit_by_its_code_and_words_shows_the_words() -> None:
    assert clinic().search("I10 hypertension").hits[0].matched == {"name": ("hypertension",)}


# Passages and their marks


def test_the_passage_stands_under_the_title_of_its_section(tmp_path: Path) -> None:
    record = cm("A00", "Repair", risks=Risks(common=("Bleeding of the gums",)), other_sections={"At home": "Rest."})
    with index_of(tmp_path, record) as index:
        passage = index.search("bleeding gums").hits[0].passage
        assert (passage.field, passage.title) == ("risks.common", "Risks, common")
        assert passage.highlight("[", "]") == "[Bleeding] of the [gums]"
        passage = index.search("rest").hits[0].passage
        assert (passage.title, passage.highlight("[", "]")) == ("At home", "[Rest].")


@pytest.mark.parametrize(
    ("name", "typed", "marked"),
    [
        ("Fevers of tumours", "tumor fever", "[Fevers] of [tumours]"),
        ("Acute urticaria", "hives", "Acute [urticaria]"),
        ("Acute urticaria", "urticariq", "Acute [urticaria]"),
        ("Chlamydial infection", "chlamydiasis", "[Chlamydial] infection"),
        ("Disease of gallbladder", "gallbladderdisease", "[Disease] of [gallbladder]"),
        ("Chronic obstructive lung disease", "cold", "[Chronic] [obstructive] [lung] [disease]"),
        ("Chest x-ray, two views", "xray", "Chest [x-ray], two views"),
        ("Chest x-ray, two views", "x-ray", "Chest [x-ray], two views"),
        ("Crohn’s disease", "crohn", "[Crohn’s] disease"),
        ("Myocardial infarction", "heart attack", "[Myocardial] [infarction]"),
    ],
)
def test_the_name_is_marked_however_it_was_found(tmp_path: Path, name: str, typed: str, marked: str) -> None:
    rules = "hives => urticaria | lay\nheart attack => myocardial infarction | lay"
    assert hit_of(tmp_path, typed, cm("A00", name), rules=rules).marked_name.highlight("[", "]") == marked


def test_a_long_passage_is_cut_where_most_of_the_query_stands(tmp_path: Path) -> None:
    summary = (
        "A stent is one thing. " + "Nothing is said here. " * 20 + "The stent opens the artery. " + "More words. " * 20
    )
    passage = hit_of(tmp_path, "stent artery", cm("A00", "Repair", summary=summary)).passage
    assert "The [stent] opens the [artery]." in passage.highlight("[", "]")


def test_a_phrase_that_is_spread_over_sections_is_marked_where_nothing_else_is(tmp_path: Path) -> None:
    rules = "mi => myocardial infarction | abbreviation"
    spread = {"notes": ("An infarction.",), "summary": "A myocardial disease."}
    hit = hit_of(tmp_path, "mi", cm("A00", "Repair", **spread), rules=rules)
    assert hit.matched == {"summary": ("myocardial",), "notes": ("infarction",)}
    more = {**spread, "risks": Risks(common=("Myocardial infarction",))}
    assert hit_of(tmp_path / "more", "mi", cm("A00", "Repair", **more), rules=rules).matched == {
        "risks.common": ("Myocardial", "infarction")
    }


def test_a_snippet_is_the_text_of_the_passage(tmp_path: Path) -> None:
    hit = hit_of(tmp_path, "kyphoplasty", cm("A00", "Repair", summary=LONG))
    assert hit.snippet == hit.passage.text


def test_a_hit_by_its_code_has_a_passage_without_marks(tmp_path: Path) -> None:
    hit = hit_of(tmp_path, "A00", cm("A00", "Repair", summary=LONG))
    assert (hit.passage.field, hit.passage.marks, hit.marked_name.marks) == ("summary", (), ())
    assert hit.passage.text.endswith(" …")


def assert_something_is_marked(hits: Iterable[Hit]) -> None:
    """Every hit by text shows why it is one: in its passage, and in what matched."""
    for hit in hits:
        if hit.tier == 3:
            assert hit.matched, hit
            assert hit.passage.marks, hit
            for passage in (hit.passage, hit.marked_name):
                for part, is_marked in passage.parts():
                    assert not is_marked or any(char.isalnum() for char in part)


@given(records=corpora(), text=queries)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_hit_of_any_query_is_marked(records: list[CodeRecord], text: str) -> None:
    with TemporaryDirectory() as folder, index_of(Path(folder), *records, rules=RULES) as index:
        assert_something_is_marked(index.search(text, limit=50))


PAGES = [
    "bone cement for a broken vertebra",
    "vertibra",
    "xray",
    "t12 compresion fracture",
    "blood sugar",
    "knee replacement pain",
    "mri",
    "copd",
    "leak of cement",
    "kneecap",
]


def test_every_hit_among_the_shipped_pages_is_marked(shipped: Index) -> None:
    for text in PAGES:
        assert_something_is_marked(shipped.search(text, limit=50))


@needs_real_files
def test_every_hit_of_judged_queries_is_marked(tmp_path: Path) -> None:
    codesearch.reindex([next(REAL.glob("icd10cm_order_2026*"))], tmp_path)
    with open_index(tmp_path) as index:
        for name in ("typo", "do"):
            file = REAL.parent / "judged" / "dev" / f"{name}_queries.queries.tsv"
            for line in file.read_text(encoding="utf-8").splitlines()[::8]:
                assert_something_is_marked(index.search(line.split("\t")[1]))


@pytest.mark.parametrize(
    "text", [*RULES.split("\n"), "bone cement for a broken vertebra", "renal calculus", "typhod fever", "x ray"]
)
def test_every_hit_by_text_shows_at_least_one_word(text: str) -> None:
    for hit in clinic().search(text, limit=100):
        if hit.tier == 3:
            assert hit.matched, (text, hit)
            for words in hit.matched.values():
                assert words
                assert len(set(words)) == len(words)
