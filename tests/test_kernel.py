"""The compiled ranking over many blocks of entries cuts nothing off that belongs to the best."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from query_support import cm, reader_of, with_rules
from random_corpora import RULES, large_corpus, large_filters, large_queries
from reference_ranking import ReferenceRanking
from test_score import assert_agrees, assert_same

from codesearch.index.reader import IndexReader
from codesearch.query import compiled as compiled_path
from codesearch.query.compiled import CompiledRanking
from codesearch.query.plan import Planner
from codesearch.query.score import Collection, rank, score_documents

SETTINGS = with_rules(RULES)
CODES = 20_000
LIMITS = (1, 2, 10, 100, 1000)


@pytest.fixture(scope="module")
def reader() -> Iterator[IndexReader]:
    """An index whose entries fill several blocks of the kernel."""
    with ExitStack() as stack:
        yield stack.enter_context(reader_of(large_corpus(1, CODES), SETTINGS))


@pytest.fixture(scope="module")
def collection(reader: IndexReader) -> Collection:
    """What ranking needs of the index."""
    return Collection(reader)


def test_the_corpus_fills_several_parts_and_has_long_lists(collection: Collection) -> None:
    assert len(collection.documents) > 2 * 8192
    assert np.diff(collection.offsets).max() > 5000


def test_many_queries_rank_as_without_pruning(reader: IndexReader, collection: Collection) -> None:
    planner, compiled = Planner(reader), CompiledRanking(collection)
    filters = large_filters(2, reader.documents)
    for number, text in enumerate(large_queries(3, 400, CODES)):
        slots, _, _ = planner.slots(text, exact=number % 7 == 0)
        chosen, limit = filters[number % len(filters)], LIMITS[number % len(LIMITS)]
        expected = rank(collection, slots, chosen.span, chosen.allowed, limit)
        assert_same(compiled.rank(slots, chosen.span, chosen.allowed, limit), expected)


@pytest.mark.parametrize("block", [64, 1000])
def test_the_size_of_a_block_changes_nothing(
    reader: IndexReader, collection: Collection, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_path, "PART", block)
    planner, compiled = Planner(reader), CompiledRanking(collection)
    for text in large_queries(4, 60, CODES):
        slots, _, _ = planner.slots(text, exact=False)
        span = (0, reader.documents)
        assert_same(compiled.rank(slots, span, None, 10), rank(collection, slots, span, None, 10))


def test_a_large_index_ranks_as_the_formula_says(reader: IndexReader, collection: Collection) -> None:
    reference = ReferenceRanking(large_corpus(1, CODES), SETTINGS)
    planner, compiled = Planner(reader), CompiledRanking(collection)
    filters = large_filters(5, reader.documents)
    for number, text in enumerate(large_queries(6, 8, CODES)):
        slots, _, _ = planner.slots(text, exact=False)
        chosen = filters[number % len(filters)]
        found = compiled.rank(slots, chosen.span, chosen.allowed, 20)
        assert_agrees(found, reference.rank(slots, reader.term_list, chosen.lets), 20)


def test_the_first_hits_are_the_same_whatever_the_limit(reader: IndexReader, collection: Collection) -> None:
    planner, compiled = Planner(reader), CompiledRanking(collection)
    for text in large_queries(7, 10, CODES):
        slots, _, _ = planner.slots(text, exact=False)
        most = compiled.rank(slots, (0, reader.documents), None, 1000)
        for limit in (1, 7, 50):
            found = compiled.rank(slots, (0, reader.documents), None, limit)
            assert found.documents.tolist() == most.documents[:limit].tolist()


def test_equal_names_stand_in_the_order_of_their_codes() -> None:
    records = [cm(f"A{number:04d}", "Fever of unknown origin") for number in range(3000)]
    with reader_of(records) as reader:
        compiled = CompiledRanking(Collection(reader))
        slots, _, _ = Planner(reader).slots("fever origin", exact=False)
        assert compiled.rank(slots, (0, 3000), None, 50).documents.tolist() == list(range(50))
        assert compiled.rank(slots, (1000, 3000), None, 50).documents.tolist() == list(range(1000, 1050))
        allowed = np.arange(3000) % 100 == 99
        assert compiled.rank(slots, (0, 3000), allowed, 50).documents.tolist() == list(range(99, 3000, 100))


def test_a_code_with_more_names_than_a_block_is_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_path, "PART", 4)
    names = tuple(f"Fever variant{chr(97 + number)}" for number in range(20))
    records = [cm("A00", "Fever"), cm("A01", "Cough", inclusion_terms=names), cm("A02", "Fever again")]
    with reader_of(records) as reader:
        collection = Collection(reader)
        slots, _, _ = Planner(reader).slots("fever variantc", exact=False)
        found = CompiledRanking(collection).rank(slots, (0, 3), None, 10)
        assert_same(found, rank(collection, slots, (0, 3), None, 10))
        assert found.documents.tolist() == [1, 0, 2]


def test_thirty_two_words_are_told_apart(reader: IndexReader, collection: Collection) -> None:
    text = " ".join(dict.fromkeys(" ".join(large_queries(8, 40, CODES)).split()))
    slots, _, ignored = Planner(reader).slots(text, exact=False)
    assert len(slots) == 32
    assert ignored
    span = (0, reader.documents)
    assert_same(CompiledRanking(collection).rank(slots, span, None, 30), rank(collection, slots, span, None, 30))


def test_codes_without_a_name_do_not_disturb_the_others() -> None:
    records = [
        cm(f"A{number:04d}", "Fever" if number % 50 == 0 else "", notes=("Fever may come.",)) for number in range(500)
    ]
    with reader_of(records) as reader:
        collection = Collection(reader)
        slots, _, _ = Planner(reader).slots("fever", exact=False)
        expected = rank(collection, slots, (0, 500), None, 500)
        assert len(expected.documents) == 500
        assert_same(CompiledRanking(collection).rank(slots, (0, 500), None, 500), expected)


def test_every_document_is_counted_that_is_ranked(reader: IndexReader, collection: Collection) -> None:
    slots, _, _ = Planner(reader).slots("kidney pain", exact=False)
    documents, _, _ = score_documents(collection, slots)
    everything = rank(collection, slots, (0, reader.documents), None, reader.documents)
    assert sorted(everything.documents.tolist()) == documents.tolist()
