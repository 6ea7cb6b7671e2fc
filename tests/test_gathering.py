"""Which codes exist, and in which order they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.gathering import Gathering, Settled, make_records
from codesearch.records import CodeRecord, Kind, Role, Source, decode_record, pack


def fragment(
    code: str | None, role: Role, name: str = "", system: str = "ICD10CM", kind: Kind = "code", **fields: object
) -> CodeRecord:
    source = Source(path=f"{role}.txt", role=role)
    return CodeRecord(system, code, name, kind, source=(source,), **fields)  # type: ignore[arg-type]


def settled(*fragments: CodeRecord) -> Settled:
    gathering = Gathering()
    for place, one in enumerate(fragments):
        gathering.add(place, pack(one))
    return gathering.settle()


def codes(*fragments: CodeRecord) -> list[str | None]:
    return [one.record.code for one in settled(*fragments).records()]


def test_a_page_and_a_row_of_one_code_are_one_record_that_keeps_both() -> None:
    (only,) = settled(fragment("e11.9", "page", "Diabetes"), fragment("E11.9", "codeset", "Type 2 diabetes")).records()
    assert only.record.name == "Type 2 diabetes"
    assert [decode_record(line).source[0].role for line in only.fragments] == ["codeset", "page"]


def test_one_code_in_two_systems_is_two_records() -> None:
    assert codes(fragment("A0100", "page", "x", "HCPCS"), fragment("A01.00", "page", "y")) == ["A0100", "A01.00"]


def test_enrichment_of_a_code_that_nobody_else_names_is_no_record_but_a_warning() -> None:
    found = settled(fragment("E11.9", "codeset", "Diabetes"), fragment("E11.8", "enrichment", synonyms=("x",)))
    assert [one.code for one in found.orphans] == ["E11.8"]
    (warning,) = found.warnings()
    assert warning.kind == "unknown-code"
    assert "E11.8" in warning.message
    assert [one.record.code for one in found.records()] == ["E11.9"]


def test_the_tabular_list_establishes_codes_only_where_no_code_set_is_loaded() -> None:
    tabular = fragment("E11.8", "tabular", "Diabetes")
    assert codes(tabular) == ["E11.8"]
    assert codes(tabular, fragment("E11.9", "codeset", "Diabetes")) == ["E11.9"]
    assert codes(tabular, fragment("A0130", "codeset", "Van", "HCPCS")) == ["A0130", "E11.8"]


def test_chapters_exist_beside_a_code_set_and_are_counted_apart() -> None:
    found = settled(
        fragment("E00-E89", "tabular", "Endocrine", kind="chapter"), fragment("E11.9", "codeset", "Diabetes")
    )
    assert found.counts == {"ICD10CM": {"total": 2, "code": 1, "chapter": 1}}


def test_pages_without_a_code_stay_apart_even_under_one_name() -> None:
    one = CodeRecord("CPT", None, "Vertebroplasty", source=(Source(path="a.html"),))
    other = CodeRecord("CPT", None, "Vertebroplasty", source=(Source(path="b.html"),))
    assert len(list(settled(one, other).records())) == 2


def test_records_stand_by_system_and_code_those_without_a_code_last() -> None:
    found = codes(
        fragment("Z1", "page", "z", "MINE"),
        fragment("A01", "page", "a"),
        CodeRecord("ICD10CM", None, "n"),
        fragment("99202", "page", "v", "CPT"),
    )
    assert found == ["99202", "A01", None, "Z1"]


def test_terms_of_the_procedure_index_become_synonyms_of_the_codes_they_begin() -> None:
    index = Source(path="index.xml", role="enrichment", layout="icd10pcs-index")
    term = CodeRecord("ICD10PCS", "0DTJ", "", "header", synonyms=("Appendectomy",), source=(index,))
    full = fragment("0DTJ4ZZ", "codeset", "Resection of Appendix", "ICD10PCS")
    found = settled(term, full)
    assert list(found.orphans) == [term]
    (only,) = found.records()
    assert only.record.synonyms == ("Appendectomy",)
    assert list(map(decode_record, only.fragments)) == [full]


FRAGMENTS = [
    fragment("E11.9", "codeset", "New", release="2026"),
    fragment("E11.9", "codeset", "Old", release="2025"),
    fragment("E11.9", "tabular", "T", notes=("n",)),
    fragment("E11.9", "page", "P", summary="s"),
    fragment("E11.9", "enrichment", synonyms=("x",)),
    fragment("E11.8", "enrichment", synonyms=("y",)),
    fragment("E11.7", "page", "Q"),
]


@given(st.permutations(list(enumerate(FRAGMENTS))))
def test_the_order_in_which_fragments_come_does_not_matter(placed: list[tuple[int, CodeRecord]]) -> None:
    gathering = Gathering()
    for place, one in placed:
        gathering.add(place, pack(one))
    found = gathering.settle()
    expected = settled(*FRAGMENTS)
    assert list(found.orphans) == list(expected.orphans)
    assert list(found.records()) == list(expected.records())


def test_parts_hold_what_records_are_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codesearch.gathering._PART_BYTES", 300)
    parts = list(settled(*FRAGMENTS, *(fragment(f"S{number}", "page") for number in range(20))).parts())
    assert len(parts) > 3
    made = [record for part in parts for record in make_records(part)]
    assert made == list(settled(*FRAGMENTS, *(fragment(f"S{number}", "page") for number in range(20))).records())


def test_a_record_that_its_one_source_says_whole_has_no_fragments() -> None:
    plain, chapter, below = settled(
        fragment("A00", "codeset", "Cholera"),
        fragment("E00-E89", "tabular", "Endocrine", kind="chapter", chapter="4"),
        fragment("E11", "codeset", "Diabetes"),
    ).records()
    assert (plain.fragments, chapter.fragments) == ((), ())
    assert (below.record.parent, below.record.chapter) == ("E00-E89", "4")
    assert len(below.fragments) == 1
