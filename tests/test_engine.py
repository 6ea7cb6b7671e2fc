"""The engine ranks at once, and the same when it has compiled."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import PLAIN, cm, reader_of, with_rules, write_generation
from random_corpora import RULES, large_corpus, large_queries
from test_score import assert_same

from codesearch.errors import IndexCorruptError
from codesearch.index import manifest
from codesearch.index.arrays import write_arrays
from codesearch.index.reader import IndexReader
from codesearch.query import compiled as compiled_path
from codesearch.query import packing
from codesearch.query.compiled import CompiledRanking, _parts
from codesearch.query.engine import SEARCHES_BEFORE_COMPILING, Engine
from codesearch.query.plan import Planner
from codesearch.query.score import Collection, rank


def test_an_engine_answers_the_same_before_while_and_after_it_compiles() -> None:
    with reader_of(large_corpus(1, 500), with_rules(RULES)) as reader:
        collection, planner = Collection(reader), Planner(reader)
        ranking, span = Engine(collection), (0, reader.documents)
        for text in large_queries(2, 3 * SEARCHES_BEFORE_COMPILING, 500):
            slots, _, _ = planner.slots(text, exact=False)
            assert_same(ranking.rank(slots, span, None, 10), rank(collection, slots, span, None, 10))
        ranking.compile()
        for text in large_queries(3, 20, 500):
            slots, _, _ = planner.slots(text, exact=False)
            assert_same(ranking.rank(slots, span, None, 10), rank(collection, slots, span, None, 10))


@pytest.mark.parametrize("limit", [1, 1000, 1001, 50_000])
def test_any_number_of_hits_may_be_asked_for(limit: int) -> None:
    with reader_of([cm(f"A{number:04d}", "Fever") for number in range(1500)]) as reader:
        collection = Collection(reader)
        ranking = Engine(collection)
        ranking.compile()
        slots, _, _ = Planner(reader).slots("fever", exact=False)
        assert len(ranking.rank(slots, (0, 1500), None, limit).documents) == min(limit, 1500)


def private_memory() -> int:
    """Bytes that this process has for itself."""
    rows = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(row.split()[1]) for row in rows if row.startswith("RssAnon:"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is Linux's")
def test_threads_that_load_one_ranking_after_the_other_leave_no_memory_behind() -> None:
    with reader_of(large_corpus(1, 500)) as reader:
        kept = [CompiledRanking(Collection(reader))]
        before = private_memory()
        for _ in range(10):
            # As a process does that goes over to new generations: the old ranking goes when the new one is there.
            thread = threading.Thread(target=lambda: kept.append(CompiledRanking(Collection(reader))))
            thread.start()
            thread.join()
            kept.pop(0)
        assert private_memory() - before < 10_000_000


def test_phrases_that_do_not_fit_begin_the_memory_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "POSTINGS", 60)
    with reader_of(large_corpus(1, 500), with_rules(RULES)) as reader:
        collection, planner = Collection(reader), Planner(reader)
        compiled, span = CompiledRanking(collection), (0, reader.documents)
        for text in [
            "heart attack",
            "thigh bone",
            "mi crf",
            "heart attack",
            "bleeding mi sugar",
            "crf",
            "heart attack",
        ] * 2:
            slots, _, _ = planner.slots(text, exact=False)
            assert_same(compiled.rank(slots, span, None, 10), rank(collection, slots, span, None, 10))


def test_threads_share_a_compiled_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "POSTINGS", 200)
    with reader_of(large_corpus(1, 2000), with_rules(RULES)) as reader:
        collection, planner = Collection(reader), Planner(reader)
        compiled, span = CompiledRanking(collection), (0, reader.documents)
        plans = [planner.slots(text, exact=False)[0] for text in large_queries(4, 60, 2000)]
        expected = [rank(collection, slots, span, None, 10) for slots in plans]
        wrong: list[int] = []

        def search(first: int) -> None:
            for number in range(200):
                place = (first + number) % len(plans)
                found = compiled.rank(plans[place], span, None, 10)
                if found.scores.tobytes() != expected[place].scores.tobytes():
                    wrong.append(place)

        threads = [threading.Thread(target=search, args=(7 * number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


@given(st.lists(st.integers(1, 12), max_size=60), st.integers(1, 10))
def test_parts_hold_every_entry_and_cut_no_document(counts: list[int], size: int) -> None:
    owners = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_path, "PART", size)
        bounds = _parts(owners).tolist()
    assert bounds == sorted(set(bounds))
    assert (bounds[0], bounds[-1]) == (0, len(owners))
    assert all(owners[bound - 1] < owners[bound] for bound in bounds[1:-1])
    assert all(end - start <= max(size, *counts) for start, end in pairwise(bounds))


@pytest.mark.parametrize("name", ["title.entries", "title.offsets", "title.documents", "ancestor.offsets"])
@pytest.mark.parametrize("value", [-5, 0, 1, 2, 100_000_000])
def test_arrays_that_lead_out_of_bounds_are_never_compiled_for(tmp_path: Path, name: str, value: int) -> None:
    """Compiled code looks at no bounds: an index from elsewhere could write where it likes."""
    records = [cm(f"A{number:04d}", f"Fever kind{number % 7}", parent="A0000") for number in range(300)]
    write_generation(tmp_path, records, PLAIN)
    with closing(IndexReader(tmp_path)) as reader:
        arrays = {each: np.array(reader.arrays[each]) for each in reader.arrays.names()}
        meta = reader.arrays.meta
    arrays[name][len(arrays[name]) // 2 :] = value
    write_arrays(tmp_path / "index.arrays", arrays, meta)
    manifest.write(tmp_path, tool_version="0", counts={}, sources=[], config=PLAIN.frozen())
    with pytest.raises(IndexCorruptError), closing(IndexReader(tmp_path)) as reader, reader.explaining():
        CompiledRanking(Collection(reader))


def test_a_search_that_ends_at_once_does_not_wait_for_the_compiler() -> None:
    with reader_of([cm("A00", "Fever")]) as reader:
        ranking, (slots, _, _) = Engine(Collection(reader)), Planner(reader).slots("fever", exact=False)
        for _ in range(SEARCHES_BEFORE_COMPILING - 1):
            ranking.rank(slots, (0, 1), None, 10)
        assert "codesearch-compile" not in {thread.name for thread in threading.enumerate()}


def test_compiling_waits_for_a_thread_that_is_at_it() -> None:
    with reader_of([cm("A00", "Fever")]) as reader:
        ranking, (slots, _, _) = Engine(Collection(reader)), Planner(reader).slots("fever", exact=False)
        for _ in range(SEARCHES_BEFORE_COMPILING):
            ranking.rank(slots, (0, 1), None, 10)
        ranking.compile()
        assert "codesearch-compile" not in {thread.name for thread in threading.enumerate()}
