"""Conditions let through what Whoosh's own queries find through our codec, and what their words say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import whoosh.query
from hypothesis import given, settings
from hypothesis import strategies as st
from query_support import ANALYZER, CLINIC, PLAIN, cm, reader_of, with_rules
from random_corpora import WORDS, corpora

from codesearch.index.reader import IndexReader
from codesearch.index.segment import open_segment
from codesearch.query.codes_typed import CodeRecogniser
from codesearch.query.constraints import Constraints
from codesearch.query.grammar import And, Field, Group, Must, Node, Not, Or, Phrase, Word, parse, written
from codesearch.query.named_fields import NamedFields
from codesearch.query.plan import Planner
from codesearch.query.values import Values
from codesearch.records import CodeRecord, Procedure, Risks

# Whoosh is typed in parts, and exports its queries for the interpreter only.
query: Any = whoosh.query
Query = Any

FIELDS = PLAIN.fields
NAMED = NamedFields(FIELDS)
SCORED = (*FIELDS.title, *(name for name, weight in zip(FIELDS.sections, FIELDS.weights, strict=True) if weight > 0))
MEANT = {
    "name": ("name", "full_name"),
    "synonyms": ("synonyms",),
    "risks": ("risks.common", "risks.rare"),
    "common": ("risks.common",),
    "purpose.conditions": ("purpose.conditions",),
    "excludes": ("excludes",),
}
"""Names in queries, and the fields that each means."""


def constraints_of(reader: IndexReader) -> Constraints:
    """What evaluates conditions on an index."""
    recogniser = CodeRecogniser(reader)
    return Constraints(reader, recogniser, Values(reader, recogniser))


# The same tree as a query of Whoosh


def segmentations(words: Sequence[str], known: Collection[str]) -> Iterator[list[str]]:
    """The terms of words side by side: as they stand, two joined to one, and one cut in two.

    Words are joined and cut to terms that the index knows; nothing could be found by any other.
    """
    if not words:
        yield []
        return
    taken = [(1, [words[0]]), *((1, [words[0][:cut], words[0][cut:]]) for cut in range(1, len(words[0])))]
    if len(words) > 1:
        taken.append((2, [words[0] + words[1]]))
    for count, parts in taken:
        terms = [ANALYZER.term(part) for part in parts]
        if all(terms) and (parts == [words[0]] or all(term in known for term in terms)):
            yield from ([*terms, *rest] for rest in segmentations(words[count:], known))


def phrase_query(text: str, known: Collection[str], fields: Sequence[str]) -> Query:
    """Words side by side in one of some fields."""
    words = [word for word in ANALYZER.words(ANALYZER.fold(text)) if ANALYZER.term(word)]
    return query.Or([query.Phrase(name, terms) for name in fields for terms in segmentations(words, known)])


def whoosh_query(node: Node, known: Collection[str], fields: Sequence[str] = SCORED) -> Query:
    """A tree as Whoosh has it, on an index that knows these terms."""
    match node:
        case Word(text) | Phrase(text):
            return phrase_query(text, known, fields)
        case Not(part):
            return query.Not(whoosh_query(part, known, fields))
        case Must(part):
            return whoosh_query(part, known, fields)
        case Field(name, part):
            return whoosh_query(part, known, MEANT[name])
        case Or(parts):
            return query.Or([whoosh_query(part, known, fields) for part in parts])
        case Group(parts) | And(parts):
            return query.And([query.Every(), *(whoosh_query(part, known, fields) for part in parts)])


_phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(lambda words: Phrase(" ".join(words)))
_leaves = st.one_of(st.sampled_from(WORDS).map(Word), _phrases, st.sampled_from([Word("xray"), Word("postoperative")]))


def _grown(part: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    parts = st.lists(part, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        parts.map(And),
        parts.map(Or),
        parts.map(Group),
        part.map(Not),
        part.map(Must),
        st.builds(Field, st.sampled_from(sorted(MEANT)), part),
    )


trees: st.SearchStrategy[Node] = st.recursive(_leaves, _grown, max_leaves=6)


@settings(max_examples=40, deadline=None)
@given(corpora(), st.lists(trees, min_size=5, max_size=15))
def test_a_tree_lets_through_what_whoosh_finds(records: list[CodeRecord], asked: list[Node]) -> None:
    with reader_of(records) as reader, open_segment(reader.folder, PLAIN).searcher() as searcher:
        constraints = constraints_of(reader)
        for node in asked:
            found = constraints.mask(node, list(reader.systems), ())
            assert found is not None
            expected = set(searcher.docs_for_query(whoosh_query(node, reader.terms)))
            assert set(np.flatnonzero(found).tolist()) == expected, written([node])


# What words and fields mean

PAGES = [
    CodeRecord(
        "CPT",
        "22510",
        "Vertebroplasty of the neck",
        kind="code",
        risks=Risks(common=("Infection of the wound",), rare=("Cement leak",)),
        procedure=Procedure(steps=("The needle is placed under x-ray.", "Cement is injected.")),
        excludes=("Kyphoplasty",),
        setting="Outpatient clinic",
        synonyms=("Bone cement",),
        properties={"specialty": "Interventional radiology"},
    ),
    CodeRecord(
        "CPT",
        "22511",
        "Vertebroplasty of the back",
        risks=Risks(rare=("Infection",)),
        procedure=Procedure(steps=("Cement is mixed; the needle comes later.",)),
        setting="Hospital",
    ),
    cm("E10", "Type 1 diabetes", kind="header", billable=False, chapter="4"),
    cm("E10.9", "Type 1 diabetes, plain", parent="E10", chapter="4"),
    cm("E11.9", "Type 2 diabetes", chapter="4"),
    cm("J45", "Asthma", chapter="10"),
]


@pytest.fixture(scope="module")
def pages() -> Iterator[IndexReader]:
    """An index of pages."""
    with ExitStack() as stack:
        yield stack.enter_context(reader_of(PAGES))


def let_through(reader: IndexReader, text: str) -> list[str]:
    """The codes that a condition lets through."""
    (node,) = parse(text, NAMED.names).nodes
    found = constraints_of(reader).mask(node, list(reader.systems), ())
    assert found is not None
    return [reader.codes[document] for document in np.flatnonzero(found).tolist()]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("risks:infection", ["22510", "22511"]),
        ("common:infection", ["22510"]),
        ("risks.rare:infection", ["22511"]),
        ("rare:(infection OR leak)", ["22510", "22511"]),
        ("risks:(infection leak)", ["22510"]),
        ("risks:(infection -leak)", ["22511"]),
        ("rare:(infection leak)", []),
        ("steps:needle", ["22510", "22511"]),
        ('steps:"needle cement"', []),
        ('steps:"cement is injected"', ["22510"]),
        ('steps:"placed under xray"', ["22510"]),
        ('steps:"placed under x ray"', ["22510"]),
        ("name:cement", []),
        ("synonyms:cement", ["22510"]),
        ('"bone cement"', ["22510"]),
        ("+kyphoplasty", []),
        ("excludes:kyphoplasty", ["22510"]),
        ("-excludes:kyphoplasty", ["22511", "E10", "E10.9", "E11.9", "J45"]),
        ("setting:outpatient", ["22510"]),
        ("specialty:radiology", ["22510"]),
        ("system:icd10", ["E10", "E10.9", "E11.9", "J45"]),
        ("system:(cpt icd-10-cm)", ["22510", "22511", "E10", "E10.9", "E11.9", "J45"]),
        ("kind:header", ["E10"]),
        ("billable:no", ["E10"]),
        ("billable:true", ["E10.9", "E11.9", "J45"]),
        ("chapter:4", ["E10", "E10.9", "E11.9"]),
        ("chapter:1", []),
        ("parent:E10", ["E10.9"]),
        ("code:e10", ["E10", "E10.9"]),
        ("code:E1*", ["E10", "E10.9", "E11.9"]),
        ("code:E10-J45", ["E10", "E10.9", "E11.9", "J45"]),
        ("code:(E11.9 J45)", ["E11.9", "J45"]),
        ("code:(E10 -E10.9)", ["E10"]),
        ("code:banana", []),
        ("-E10", ["22510", "22511", "E11.9", "J45"]),
        ("-E1*", ["22510", "22511", "J45"]),
        ("E11.9 OR asthma", ["E11.9", "J45"]),
        ("-(type OR cement)", ["J45"]),
        ("name:(diabetes -plain)", ["E10", "E11.9"]),
    ],
)
def test_conditions(pages: IndexReader, text: str, codes: list[str]) -> None:
    assert let_through(pages, text) == codes


def test_a_word_that_says_nothing_makes_no_condition(pages: IndexReader) -> None:
    constraints = constraints_of(pages)
    assert constraints.mask(Phrase("of the"), ["CPT"], ()) is None
    assert constraints.mask(Not(Word("-")), ["CPT"], ()) is None
    assert not constraints.says(Phrase("of the"))
    assert constraints.says(Field("system", Word("is")))


def test_a_required_word_matches_by_what_stands_for_it_and_a_quoted_one_does_not() -> None:
    records = [cm("A00", "Kidney stone"), cm("A01", "Renal calculus"), cm("A02", "Stone")]
    with reader_of(records, with_rules("kidney, renal | same\nkidney stone => renal calculus | lay")) as reader:
        constraints = constraints_of(reader)
        slots, _, _ = Planner(reader).slots("kidney stone", False)

        def found(text: str) -> list[str]:
            (node,) = parse(text).nodes
            mask = constraints.mask(node, ["ICD10CM"], slots)
            assert mask is not None
            return [reader.codes[document] for document in np.flatnonzero(mask).tolist()]

        assert found("+kidney") == ["A00", "A01"]
        assert found("+stone") == ["A00", "A01", "A02"]
        assert found('"kidney"') == ["A00"]
        assert found("-kidney") == ["A01", "A02"]
        assert found("-(kidney OR stone)") == ["A01"]


def test_every_code_and_kind_of_the_clinic_is_let_through_by_its_own_value() -> None:
    with reader_of(CLINIC) as reader:
        for document in range(reader.documents):
            code = reader.codes[document]
            assert (
                not code or reader.keyword("kind", document) == "chapter" or code in let_through(reader, f"code:{code}")
            )
            assert code in let_through(reader, f"system:{reader.keyword('system', document)}")
