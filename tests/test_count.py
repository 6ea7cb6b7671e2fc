"""The total is counted without scoring, compiled or not, and is just the number of documents that score."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from query_support import PLAIN, clinic, cm, index_of, reader_of, with_rules
from random_corpora import RULES, corpora, large_corpus, large_queries, queries

from codesearch.index.settings import IndexSettings
from codesearch.query import count
from codesearch.query.compiled import CompiledRanking
from codesearch.query.count import MatchCounter
from codesearch.query.plan import Planner
from codesearch.query.score import Collection, score_documents
from codesearch.records import CodeRecord

SETTINGS = with_rules(RULES)


def assert_counts_what_scores(records: list[CodeRecord], texts: list[str], settings: IndexSettings) -> None:
    """The same documents match by the masks as by their scores."""
    with reader_of(records, settings) as reader:
        collection, planner = Collection(reader), Planner(reader)
        counter, compiled = MatchCounter(collection), CompiledRanking(collection)
        for text in texts:
            slots, _, _ = planner.slots(text, exact=False)
            scored, _, _ = score_documents(collection, slots)
            assert np.flatnonzero(counter.matching(slots)).tolist() == scored.tolist(), text
            assert np.flatnonzero(compiled.matching(slots)).tolist() == scored.tolist(), text


@given(records=corpora(), text=queries)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_matches_is_what_scores(records: list[CodeRecord], text: str) -> None:
    assert_counts_what_scores(records, [text], SETTINGS)


@pytest.mark.parametrize("limit", [0, 500, count.REMEMBERED_DOCUMENTS])
def test_it_is_also_when_little_is_remembered(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(count, "REMEMBERED_DOCUMENTS", limit)
    assert_counts_what_scores(large_corpus(1, 800), large_queries(2, 60, 800), SETTINGS)


def test_sections_that_weigh_nothing_do_not_match() -> None:
    ranking = msgspec.structs.replace(PLAIN.ranking, clinical=0.0)
    settings = PLAIN._replace(config=msgspec.structs.replace(PLAIN.config, ranking=ranking))
    assert_counts_what_scores([cm("A00", "Cholera", notes=("Fever",)), cm("A01", "Fever")], ["fever"], settings)


@pytest.mark.parametrize("text", ["diabetes", "E11", "E11 diabetes", "e119", "MI", "99202-99213 office", "", "zzz"])
@pytest.mark.parametrize(("system", "billable"), [(None, None), ("CPT", None), (["ICD10CM", "HCPCS"], True)])
def test_the_total_is_the_number_of_all_hits(text: str, system: str | list[str] | None, billable: bool | None) -> None:
    found = clinic().search(text, system=system, billable=billable, limit=3)
    assert found.total == len(clinic().search(text, system=system, billable=billable, limit=1000))
    assert found.total == clinic().search(text, system=system, billable=billable, sort="code").total


def test_a_code_that_its_words_find_too_counts_once(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "Cholera"), cm("A01", "Cholera of cattle")) as index:
        assert index.search("A00 cholera").total == 2
