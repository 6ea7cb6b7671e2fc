"""Conditions cut candidates and change neither scores nor order; totals and pages are exact with them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_support import PLAIN, clinic, publish, reader_of
from random_corpora import WORDS, corpora, large_corpus, large_queries

from codesearch.library import Index, open_index
from codesearch.query.explain import CONDITION
from codesearch.query.request import Request
from codesearch.query.results import Results
from codesearch.query.search import Searcher
from codesearch.records import CodeRecord

QUERIES = [
    "diabetes -type",
    '"type 2" diabetes',
    '"type 2" diabetes -hyperglycemia',
    "+kidney failure",
    "kidney AND failure",
    "(kidney OR pain) unspecified",
    "99202-99213 telehealth -established",
    "E11 -hyperglycemia",
    "excludes:gestational diabetes",
    "system:icd10cm kind:header",
    "conditions:fracture OR steps:cement",
    "code:(E11 N20.0) calculus",
    "-kidney",
]

_word = st.sampled_from(WORDS)
_condition = st.one_of(
    _word.map("-{}".format),
    _word.map("+{}".format),
    st.lists(_word, min_size=1, max_size=2).map(lambda words: f'"{" ".join(words)}"'),
    st.lists(_word, min_size=2, max_size=3).map(" OR ".join).map("({})".format),
    st.lists(_word, min_size=2, max_size=2).map(" AND ".join),
    st.builds("{}:{}".format, st.sampled_from(["name", "risks", "conditions", "excludes"]), _word),
    st.sampled_from(["system:cpt", "kind:code", "billable:yes", "-kind:header"]),
)
queries = st.tuples(st.lists(_word, max_size=3), st.lists(_condition, max_size=3)).map(
    lambda parts: " ".join([*parts[0], *parts[1]])
)


def rows(results: Results) -> list[tuple[int, float, int]]:
    """Document, score and tier of each hit."""
    return [(hit.document, hit.score, hit.tier) for hit in results]


@settings(max_examples=40, deadline=None)
@given(corpora(), st.lists(queries, min_size=3, max_size=8), st.booleans())
def test_hits_are_what_conditions_let_through_in_the_order_of_their_scores(
    records: list[CodeRecord], texts: list[str], exact: bool
) -> None:
    with reader_of(records, PLAIN) as reader:
        searcher = Searcher(reader)
        constraints = searcher._matcher.constraints
        for text in texts:
            plan = searcher.plan(text, list(reader.systems), exact)
            # The same words without any condition.
            unbound = searcher._matcher.engine.rank(plan.slots, (0, reader.documents), None, reader.documents)
            scores = dict(zip(unbound.documents.tolist(), unbound.scores.tolist(), strict=True))
            allowed = np.array([reader.keyword("kind", document) != "chapter" for document in range(reader.documents)])
            for node in plan.conditions:
                mask = constraints.mask(node, list(reader.systems), plan.slots)
                assert mask is not None
                allowed &= mask
            ranked = [document for document in unbound.documents.tolist() if allowed[document]]
            expected = [(document, scores[document], 3) for document in ranked]
            is_positive = any(map(constraints.anchors, plan.conditions))
            if is_positive or (not plan.slots and any(not text.startswith("-") for text in text.split())):
                expected += [(each, 0.0, 3) for each in np.flatnonzero(allowed).tolist() if each not in scores]
            found = searcher.search(Request(text, exact=exact), 1000)
            assert rows(found) == expected, text
            assert found.total == len(expected)
            assert rows(searcher.search(Request(text, exact=exact), 2, 1)) == expected[1:3]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index of a thousand codes."""
    folder = tmp_path_factory.mktemp("many")
    publish(folder, large_corpus(2, 1000))
    with ExitStack() as stack:
        yield stack.enter_context(open_index(folder))


def test_pages_and_totals_are_those_of_the_compiled_ranking_too(many: Index) -> None:
    for number, words in enumerate(large_queries(7, 10, 1000)):
        text = f"{words} -{WORDS[number % len(WORDS)]} (kidney OR {WORDS[number % 7]})"
        plain = many.search(text, limit=1000)
        many._searcher.compile()
        compiled = many.search(text, limit=1000)
        assert rows(plain) == rows(compiled)
        assert plain.total == compiled.total == len(plain)
        pages = [hit for start in range(0, len(plain), 33) for hit in many.search(text, limit=33, offset=start)]
        assert [(hit.document, hit.score, hit.tier) for hit in pages] == rows(plain)


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("sort", ["rank", "code"])
def test_pages_put_together_are_one_big_page(text: str, sort: str) -> None:
    whole = clinic().search(text, limit=100, sort=sort)  # type: ignore[arg-type]
    for size in (1, 3):
        pages = [clinic().search(text, limit=size, offset=start, sort=sort) for start in range(0, len(whole), size)]  # type: ignore[arg-type]
        assert [row for page in pages for row in rows(page)] == rows(whole)
        assert {page.total for page in pages} <= {whole.total}
    assert whole.total == len(whole)
    assert sorted(rows(whole)) == sorted(rows(clinic().search(text, limit=100)))


@pytest.mark.parametrize("text", QUERIES)
def test_an_explanation_gives_the_score(text: str) -> None:
    for hit in clinic().search(text, limit=100):
        found = hit.explanation
        assert math.isclose(found.score, hit.score, rel_tol=1e-4)
        assert (found.tier, bool(found.typed)) == (hit.tier, hit.tier < 3)
        assert (found.reason == CONDITION) == (hit.tier == 3 and not hit.score)


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("system", ["CPT", "ICD10CM"])
def test_filters_cut_what_conditions_let_through(text: str, system: str) -> None:
    everything = [hit.document for hit in clinic().search(text, limit=100) if hit.system == system]
    assert [hit.document for hit in clinic().search(text, limit=100, system=system)] == everything


def test_an_excluded_word_takes_nothing_else_away() -> None:
    kept = rows(clinic().search("kidney failure -stone", limit=100))
    everything = clinic().search("kidney failure", limit=100)
    assert kept == [row for row, hit in zip(rows(everything), everything, strict=True) if hit.code != "N20.0"]


def test_what_matches_by_a_condition_alone_stands_behind_what_the_words_rank() -> None:
    found = clinic().search("system:icd10cm kind:header (fever OR striking)", limit=100)
    assert [hit.code for hit in found][:1] == ["A01.0"]
    assert {hit.code for hit in found} == {"A01", "A01.0", "W21", "W21.8", "W21.89"}
    only_excluded = clinic().search("excludes:gestational", limit=100)
    assert [(hit.code, hit.score, hit.tier) for hit in only_excluded] == [("E11", 0.0, 3)]


def test_chapters_are_found_by_their_kind_only() -> None:
    assert [hit.code for hit in clinic().search("kind:chapter")] == ["A00-B99"]
    assert clinic().search('"infectious and parasitic diseases"').total == 0
    assert "A00-B99" not in [hit.code for hit in clinic().search("system:icd10cm", limit=100)]


def test_headers_and_codes_of_a_field_stand_in_the_order_of_codes() -> None:
    hits = clinic().search("system:icd10pcs", limit=100)
    assert [hit.code for hit in hits] == sorted(hit.code or "" for hit in hits)
