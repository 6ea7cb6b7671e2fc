"""The ranking over arrays is that of the documented formula, and the compiled ranking is the same to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_support import cm, codes, header, index_of, reader_of, with_rules
from random_corpora import RULES, Filter, corpora, filters, queries
from reference_ranking import ReferenceRanking

from codesearch.query import compiled as compiled_path
from codesearch.query.compiled import CompiledRanking
from codesearch.query.explain import EXACT_NAME
from codesearch.query.plan import Planner, Slot
from codesearch.query.score import Collection, Ranked, power, rank, score_documents
from codesearch.records import CodeRecord, Purpose

SETTINGS = with_rules(RULES)
TOLERANCE = 1e-4
Ranking = Callable[[Sequence[Slot], tuple[int, int], "np.ndarray | None", int], Ranked]


def assert_same(found: Ranked, expected: Ranked) -> None:
    """Equal to the bit: documents, scores and best entries, in the same order."""
    assert found.documents.tolist() == expected.documents.tolist()
    assert found.scores.tobytes() == expected.scores.tobytes()
    assert found.entries.tolist() == expected.entries.tolist()


def assert_agrees(found: Ranked, expected: Sequence[tuple[int, float]], limit: int) -> None:
    """The same scores, and the same order but for documents whose scores are nearly equal."""
    truth = dict(expected)
    assert len(found.documents) == min(limit, len(expected))
    for place, (document, score) in enumerate(zip(found.documents.tolist(), found.scores.tolist(), strict=True)):
        assert math.isclose(score, truth[document], rel_tol=TOLERANCE), (place, document)
        assert math.isclose(score, expected[place][1], rel_tol=TOLERANCE), (place, document)
    assert len(set(found.documents.tolist())) == len(found.documents)


@given(
    records=corpora(), text=queries, limit=st.integers(1, 20), block=st.sampled_from([1, 3, 8, 8192]), data=st.data()
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_array_compiled_and_reference_ranking_agree(
    records: list[CodeRecord], text: str, limit: int, block: int, data: st.DataObject
) -> None:
    chosen: Filter = data.draw(filters(len(records)))
    with reader_of(records, SETTINGS) as reader, pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_path, "PART", block)
        collection = Collection(reader)
        slots, _, _ = Planner(reader).slots(text, False)
        by_arrays = rank(collection, slots, chosen.span, chosen.allowed, limit)
        compiled = CompiledRanking(collection).rank(slots, chosen.span, chosen.allowed, limit)
        reference = ReferenceRanking(records, SETTINGS).rank(slots, reader.term_list, chosen.lets)
    assert_same(compiled, by_arrays)
    assert_agrees(by_arrays, reference, limit)


# What a score says


def ranked(path: Path, text: str, *records: CodeRecord, rules: str = "") -> list[str | None]:
    """The codes that a text finds, best first."""
    with index_of(path, *records, rules=rules) as index:
        return codes(index.search(text))


def test_nothing_but_stop_words_ranks_nothing() -> None:
    with reader_of([cm("A00", "Cholera")]) as reader:
        collection = Collection(reader)
        assert len(rank(collection, (), (0, 1), None, 10).documents) == 0
        assert len(CompiledRanking(collection).rank((), (0, 1), None, 10).documents) == 0
        assert len(score_documents(collection, ())[0]) == 0


def test_a_code_scores_as_its_best_name(tmp_path: Path) -> None:
    split = cm("A01", "Cough", inclusion_terms=("Fever of unknown origin", "Malaise", "Headache"))
    whole = cm("A00", "Cough with fever of unknown cause and unknown origin, malaise or headache")
    assert ranked(tmp_path, "fever of unknown origin", split, whole) == ["A01", "A00"]


def test_more_of_the_query_beats_more_of_one_word(tmp_path: Path) -> None:
    both, one = cm("A01", "Stone in the bladder neck"), cm("A00", "Stone stone stone")
    assert ranked(tmp_path, "bladder stone", both, one)[0] == "A01"


def test_an_entry_that_the_query_covers_beats_one_with_more_words(tmp_path: Path) -> None:
    assert ranked(tmp_path, "fever", cm("A00", "Fever with cough"), cm("A01", "Fever")) == ["A01", "A00"]


def test_words_in_parentheses_match_but_do_not_count_in_the_length(tmp_path: Path) -> None:
    long, short = cm("A00", "Hypertension essential arterial"), cm("A01", "Hypertension (essential) (arterial)")
    assert ranked(tmp_path, "hypertension", long, short) == ["A01", "A00"]
    with index_of(tmp_path / "more", short) as index:
        assert codes(index.search("arterial")) == ["A01"]


def test_words_of_ancestors_count_towards_the_share_of_the_query(tmp_path: Path) -> None:
    records = [
        header("S01", "Injury of scalp"),
        cm("S01.1", "Laceration with foreign body", parent="S01"),
        header("R01", "Injury of thorax"),
        cm("R01.1", "Laceration with foreign body", parent="R01"),
    ]
    assert ranked(tmp_path, "scalp laceration foreign body", *records)[0] == "S01.1"
    assert ranked(tmp_path, "thorax laceration foreign body", *records)[0] == "R01.1"


def test_a_word_that_tells_siblings_apart_does_not_count_where_an_ancestor_has_it(tmp_path: Path) -> None:
    records = [
        header("M50", "Other dorsopathies"),
        cm("M54.50", "Low back pain, unspecified", parent="M50"),
        cm("M54.59", "Other low back pain", parent="M50"),
    ]
    assert ranked(tmp_path, "other low back pain", *records)[:2] == ["M54.59", "M54.50"]
    assert ranked(tmp_path / "more", "low back pain", *records)[:2] == ["M54.50", "M54.59"]


def test_a_name_that_is_just_what_was_typed_outweighs_priors(tmp_path: Path) -> None:
    lag, unspecified = cm("G47.25", "Sleep disorder, jet lag type"), cm("G47.20", "Sleep disorder, unspecified type")
    assert ranked(tmp_path, "type of jet lag: sleep disorder", lag, unspecified)[0] == "G47.25"


def test_a_header_s_name_is_never_exact(tmp_path: Path) -> None:
    """A code that may be billed stands before it."""
    with index_of(tmp_path, header("A00", "Fever"), cm("A00.0", "Fever", parent="A00"), cm("A01", "Pain")) as index:
        parts = {hit.code: hit.explanation.name for hit in index.search("fever")}
    assert [EXACT_NAME in part.priors for part in parts.values() if part] == [True, False]
    assert list(parts) == ["A00.0", "A00"]


@pytest.mark.parametrize("kind", ["full_name", "inclusion_terms", "synonyms"])
def test_no_other_title_outranks_the_same_match_of_a_name(tmp_path: Path, kind: str) -> None:
    value = "Bonecrusher fever" if kind == "full_name" else ("Bonecrusher fever",)
    other, named = cm("A00", "Dengue", **{kind: value}), cm("A01", "Bonecrusher fever")
    assert ranked(tmp_path, "bonecrusher fever", other, named) == ["A01", "A00"]


def test_titles_outweigh_sections(tmp_path: Path) -> None:
    section = cm("A00", "Dengue", purpose=Purpose(conditions=("Bonecrusher",)))
    assert ranked(tmp_path, "bonecrusher", section, cm("A01", "Bonecrusher")) == ["A01", "A00"]


def test_a_billable_code_stands_before_a_header_of_the_same_name(tmp_path: Path) -> None:
    assert ranked(tmp_path, "fever", header("A00", "Fever"), cm("A00.0", "Fever", parent="A00")) == ["A00.0", "A00"]


def test_an_unspecified_code_stands_before_its_siblings(tmp_path: Path) -> None:
    records = [cm("A00.0", "Fever of cattle"), cm("A00.1", "Fever, unspecified")]
    assert ranked(tmp_path, "fever", *records) == ["A00.1", "A00.0"]


def test_a_terminated_code_stands_after_its_equals(tmp_path: Path) -> None:
    assert ranked(tmp_path, "fever", cm("A00", "Fever", terminated="2020-10-01"), cm("A01", "Fever")) == ["A01", "A00"]


@pytest.mark.parametrize(
    "worse", [{"terminated": "2020-10-01"}, {"kind": "header", "billable": False}], ids=["terminated", "header"]
)
def test_sections_alone_do_not_lift_what_ranks_last_among_equals(tmp_path: Path, worse: dict[str, object]) -> None:
    notes = {"notes": ("Use with bonecrusher fever.",)}
    assert ranked(tmp_path, "bonecrusher", cm("A00", "Dengue", **notes, **worse), cm("A01", "Dengue", **notes)) == [
        "A01",
        "A00",
    ]


@pytest.mark.parametrize("field", ["name", "inclusion_terms", "notes", "summary"])
def test_a_chapter_is_never_a_hit(tmp_path: Path, field: str) -> None:
    text = "Bonecrusher fevers"
    value = text if field in {"name", "summary"} else (text,)
    chapter = msgspec.structs.replace(CodeRecord("ICD10CM", "A00-B99", "Chapter", kind="chapter"), **{field: value})
    assert ranked(tmp_path, "bonecrusher", chapter, cm("A00", "Cholera")) == []


@pytest.mark.parametrize("text", ["gestational", "gestational diabetes"])
def test_what_a_code_excludes_is_no_match(tmp_path: Path, text: str) -> None:
    excluding = cm("E11.9", "Type 2 mellitus", excludes=("Gestational diabetes",))
    assert ranked(tmp_path, text, excluding, cm("O24", "Gestational diabetes")) == ["O24"]
    with index_of(tmp_path / "alone", excluding) as index:
        assert index.search(text).total == 0


@pytest.mark.parametrize("kind", ["same", "abbreviation", "eponym", "lay", "archaic", "related", "initials"])
@pytest.mark.parametrize("typed_are", ["rare", "common"])
def test_what_was_not_typed_weighs_less_than_what_was(tmp_path: Path, kind: str, typed_are: str) -> None:
    """Also where the typed word is common and the expansion rare, which makes the expansion's own weight high."""
    common, rare = ("kidney", "renal") if typed_are == "rare" else ("renal", "kidney")
    others = [cm(f"B{number:02d}", f"Trouble {common} {number}") for number in range(30)]
    records = [cm("A00", "Failure, kidney"), cm("A01", "Failure, renal"), *others]
    assert rare != common
    assert ranked(tmp_path, "renal failure", *records, rules=f"renal => kidney | {kind}")[:2] == ["A01", "A00"]


def test_a_word_that_is_repeated_counts_once(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "Fever of cattle"), cm("A01", "Cough and fever")) as index:
        once, often = index.search("fever cough"), index.search("fever cough fever FEVER fevers cough")
        assert [(hit.code, hit.score) for hit in once] == [(hit.code, hit.score) for hit in often]


@given(st.lists(st.floats(0, 1, width=32), max_size=20), st.integers(0, 6))
def test_a_power_in_halves_is_that_power(shares: list[float], halves: int) -> None:
    found = power(np.array(shares, np.float32), halves)
    assert np.allclose(found, np.array(shares) ** (halves / 2), rtol=1e-5)
