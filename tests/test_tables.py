"""The tables by document, and what is computed from postings."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from random_corpora import WORDS
from reindex_support import small_config

from codesearch.index.analysis import Analyzer
from codesearch.index.arrays import ARRAYS_NAME, Array, ArrayFile
from codesearch.index.build import as_they_are, sort_key, write_index
from codesearch.index.record_file import StoredRecord
from codesearch.index.settings import read_settings
from codesearch.records import CodeRecord, Purpose

SETTINGS = read_settings(small_config() / "index")


def texts(arrays: dict[str, Array], name: str) -> list[str]:
    text, offsets = arrays[f"{name}.text"].tobytes(), arrays[f"{name}.offsets"].tolist()
    return [text[start:end].decode() for start, end in pairwise(offsets)]


def tables_of(records: list[CodeRecord]) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of an index of records, and what stands beside them."""
    with TemporaryDirectory() as folder:
        write_index(Path(folder), [map(StoredRecord, records)], SETTINGS, as_they_are)
        file = ArrayFile(Path(folder, ARRAYS_NAME))
    return {name: file[name] for name in file.names()}, file.meta


def record(code: str | None, name: str, parent: str | None = None, **fields: object) -> CodeRecord:
    return CodeRecord("ICD10CM", code, name, parent=parent, **fields)  # type: ignore[arg-type]


def test_codes_names_and_keywords_stand_by_document() -> None:
    records = [
        record("A00", "Cholera", billable=False),
        record("A00.0", "Ünïcode", "A00", billable=True),
        record(None, "X"),
    ]
    arrays, meta = tables_of(records)
    assert texts(arrays, "code") == ["A00", "A00.0", ""]
    assert texts(arrays, "name") == ["Cholera", "Ünïcode", "X"]
    assert arrays["bare"].tolist() == [b"A00", b"A000", b""]
    assert [meta["keywords"]["billable"][number] for number in arrays["keyword.billable"]] == ["no", "yes", ""]
    assert meta["documents"] == 3


def test_a_parent_is_the_document_of_its_code_if_there_is_one() -> None:
    records = [record("A00", "a"), record("A00.0", "b", "A00"), record("A00.1", "c", "A99"), record(None, "d")]
    assert tables_of(records)[0]["parent"].tolist() == [-1, 0, -1, -1]


def test_a_parent_is_looked_for_in_its_own_system() -> None:
    records = [CodeRecord("CPT", "A00", "a"), record("A00.0", "b", "A00")]
    assert tables_of(records)[0]["parent"].tolist() == [-1, -1]


def test_the_words_of_all_ancestors_are_those_of_a_code() -> None:
    records = [record("A00", "fever"), record("A00.0", "chest", "A00"), record("A00.00", "pain", "A00.0")]
    arrays, _ = tables_of(records)
    found = {}
    for number, term in enumerate(texts(arrays, "term")):
        start, end = arrays["ancestor.offsets"][number : number + 2]
        found[term] = arrays["ancestor.bounds"][start:end].tolist()
    assert found == {"fever": [1, 3], "chest": [2, 3], "pain": []}


@given(st.lists(st.tuples(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), st.integers(-1, 9)), max_size=10))
def test_runs_of_documents_are_those_below_whatever_their_parents(named: list[tuple[list[str], int]]) -> None:
    """Parents that stand anywhere, also in a ring: then runs end where documents with other parents begin."""
    records = [
        record(f"A{place:02d}", " ".join(words), f"A{parent:02d}" if parent >= 0 else None)
        for place, (words, parent) in enumerate(named)
    ]
    arrays, _ = tables_of(records)
    parents = arrays["parent"].tolist()
    analyzer = Analyzer(SETTINGS.analysis)
    own = set(map(analyzer.term, SETTINGS.ranking.own_words))
    below: list[set[str]] = []
    for document in range(len(records)):
        above, terms = parents[document], set[str]()
        for _ in range(len(records)):
            if above >= 0:
                terms |= {term for term, _, _ in analyzer.places(records[above].name)} - own
                above = parents[above]
        below.append(terms)
    for number, term in enumerate(texts(arrays, "term")):
        start, end = arrays["ancestor.offsets"][number : number + 2]
        bounds = arrays["ancestor.bounds"][start:end].tolist()
        assert bounds == sorted(set(bounds)), "runs that touch are one"
        runs = [range(begin, stop) for begin, stop in zip(bounds[::2], bounds[1::2], strict=True)]
        assert [document for run in runs for document in run] == [
            document for document, terms in enumerate(below) if term in terms
        ]


def test_a_circle_of_parents_ends() -> None:
    assert tables_of([record("A00", "fever", "A01"), record("A01", "pain", "A00")])[0]["parent"].tolist() == [
        1,
        0,
    ]


def test_no_records_give_an_index_all_the_same() -> None:
    arrays, meta = tables_of([])
    assert meta["documents"] == 0
    assert texts(arrays, "term") == []


RECORDS = st.lists(
    st.builds(
        lambda number, name, synonyms, goals, excludes: record(
            f"A{number:02d}",
            name,
            synonyms=tuple(synonyms),
            purpose=Purpose(goals=tuple(goals)),
            excludes=tuple(excludes),
        ),
        st.integers(0, 99),
        *[st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)],
        *[st.lists(st.sampled_from(WORDS), max_size=2)] * 3,
    ),
    max_size=8,
    unique_by=lambda record: record.code,
).map(lambda records: sorted(records, key=lambda record: sort_key(StoredRecord(record))))


@given(RECORDS)
def test_a_frequency_counts_the_codes_that_have_the_term_where_it_is_scored(records: list[CodeRecord]) -> None:
    arrays, _ = tables_of(records)
    fields = len(SETTINGS.fields.title), sum(weight > 0 for weight in SETTINGS.fields.weights)
    found: list[set[int]] = [set() for _ in texts(arrays, "term")]
    for part, scored in zip(("title", "section"), fields, strict=True):
        offsets = arrays[f"{part}.offsets"]
        for number, documents in enumerate(found):
            for entry in arrays[f"{part}.entries"][offsets[number] : offsets[number + 1]]:
                if arrays[f"{part}.fields"][entry] < scored:
                    documents.add(int(arrays[f"{part}.documents"][entry]))
    assert arrays["term.frequency"].tolist() == [len(documents) for documents in found]


@given(RECORDS)
def test_terms_and_words_stand_in_order_each_word_with_its_term(records: list[CodeRecord]) -> None:
    arrays, _ = tables_of(records)
    terms, words = texts(arrays, "term"), texts(arrays, "word")
    assert terms == sorted(set(terms), key=str.encode)
    assert words == sorted(set(words))
    assert len(arrays["word.term"]) == len(words)
    assert np.all(arrays["word.term"] < max(1, len(terms)))
