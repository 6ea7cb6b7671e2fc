"""The place of a code among others: what stands above it, what below, and how much of that may be billed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import clinic, cm, header, reader_of

from codesearch.index.reader import IndexReader
from codesearch.query.family import CodeSummary, children, descendants, family, parents, siblings, summaries
from codesearch.records import CodeRecord

TREE = [
    CodeRecord("ICD10CM", "S70-S79", "Injuries to the hip", kind="chapter"),
    header("S72", "Fracture of femur", parent="S70-S79"),
    header("S72.0", "Fracture of neck of femur", parent="S72"),
    cm("S72.01", "Fracture of head", parent="S72.0"),
    cm("S72.02", "Fracture of base", parent="S72.0", terminated="2020-10-01"),
    header("S72.1", "Fracture below the neck", parent="S72"),
    cm("S72.11", "Fracture of the trochanter", parent="S72.1"),
    header("S73", "Dislocation of hip", parent="S70-S79"),
    cm("S99", "An orphan", parent="S98"),
]


@pytest.fixture(scope="module")
def reader() -> Iterator[IndexReader]:
    with reader_of(TREE) as opened:
        yield opened


def codes_of(reader: IndexReader, documents: list[int]) -> list[str]:
    return [reader.codes[document] for document in documents]


def document(reader: IndexReader, code: str) -> int:
    found = reader.find("ICD10CM", code)
    assert found is not None
    return found


def test_parents_are_a_chain_from_the_top(reader: IndexReader) -> None:
    assert codes_of(reader, parents(reader, document(reader, "S72.01"))) == ["S70-S79", "S72", "S72.0"]
    assert parents(reader, document(reader, "S70-S79")) == []


def test_a_parent_that_the_index_lacks_is_none(reader: IndexReader) -> None:
    assert parents(reader, document(reader, "S99")) == []
    assert siblings(reader, document(reader, "S99")) == []


def test_children_stand_directly_below_in_the_order_of_codes(reader: IndexReader) -> None:
    assert codes_of(reader, children(reader, document(reader, "S72"))) == ["S72.0", "S72.1"]
    assert children(reader, document(reader, "S72.11")) == []


def test_siblings_have_the_same_parent(reader: IndexReader) -> None:
    assert codes_of(reader, siblings(reader, document(reader, "S72.0"))) == ["S72.1"]
    assert siblings(reader, document(reader, "S70-S79")) == []


def test_descendants_are_on_all_levels(reader: IndexReader) -> None:
    below = descendants(reader, document(reader, "S72"))
    assert codes_of(reader, below.nonzero()[0].tolist()) == ["S72.0", "S72.01", "S72.02", "S72.1", "S72.11"]


def test_billable_codes_are_counted_on_all_levels(reader: IndexReader) -> None:
    wanted = [document(reader, code) for code in ("S70-S79", "S72", "S72.0", "S72.01", "S73")]
    assert [one.billable_below for one in summaries(reader, wanted)] == [3, 3, 2, 0, 0]


def test_where_no_source_says_what_is_billable_nothing_is() -> None:
    records = [CodeRecord("LOCAL", "A", "Ward"), CodeRecord("LOCAL", "B", "Bed", parent="A")]
    with reader_of(records) as reader:
        assert [one.billable_below for one in summaries(reader, [0, 1])] == [0, 0]


def test_a_family_is_a_record_with_what_stands_around_it(reader: IndexReader) -> None:
    found = family(reader, document(reader, "S72.0"))
    assert found.record == TREE[2]
    assert [one.code for one in found.parents] == ["S70-S79", "S72"]
    assert found.children == (
        CodeSummary("ICD10CM", "S72.01", "code", "Fracture of head", True, None, 0),
        CodeSummary("ICD10CM", "S72.02", "code", "Fracture of base", True, "2020-10-01", 0),
    )


@given(st.data())
def test_what_is_below_and_what_is_above_agree_also_in_rings(data: st.DataObject) -> None:
    names = [f"N{number}" for number in range(data.draw(st.integers(1, 8)))]
    records = [
        CodeRecord("LOCAL", name, name, parent=data.draw(st.none() | st.sampled_from(names)), billable=True)
        for name in names
    ]
    with reader_of(records) as reader:
        for one in range(reader.documents):
            above = parents(reader, one)
            assert len(set(above)) == len(above)
            assert one not in above
            for other in above:
                assert descendants(reader, other)[one]
            assert all(reader.arrays["parent"][child] == one for child in children(reader, one))


class TestLibrary:
    def test_parents_and_children_are_light_hits(self) -> None:
        assert [one.to_dict() for one in clinic().parents("e1165")] == [
            {
                "system": "ICD10CM",
                "code": "E11",
                "kind": "header",
                "name": "Type 2 diabetes mellitus",
                "billable": False,
                "terminated": None,
                "billable_below": 2,
            },
            {
                "system": "ICD10CM",
                "code": "E11.6",
                "kind": "header",
                "name": "Type 2 diabetes mellitus with other specified complications",
                "billable": False,
                "terminated": None,
                "billable_below": 1,
            },
        ]
        assert [one.code for one in clinic().children("E11")] == ["E11.6", "E11.9"]
        assert clinic().children("22512") == clinic().parents("22512") == ()

    def test_families_are_of_every_system_that_has_the_code(self) -> None:
        both = clinic().families("a0100")
        assert [one.record.system for one in both] == ["HCPCS", "ICD10CM"]
        assert [one.code for one in both[1].parents] == ["A01", "A01.0"]
        assert [one.record.system for one in clinic().families("a0100", "icd10cm")] == ["ICD10CM"]
