"""A hit says why it is one: the words that matched, as they are written, and the passage that holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from query_support import clinic, cm, index_of
from random_corpora import RULES

from codesearch.query.evidence import PASSAGE_LENGTH
from codesearch.query.results import Hit
from codesearch.records import CodeRecord, Purpose

LONG = "Nothing of note is said here. " * 20 + "Then the Vertebræ’s kyphoplasty follows. " + "And more is said. " * 20


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
