"""Codes looked up: in any spelling, in the systems that have them, and the nearest where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import CLINIC, clinic, index_of, reader_of

from codesearch.errors import UnknownCodeError
from codesearch.query.lookup import document_of, documents_of, existing_documents, nearest
from codesearch.records import CodeRecord


def found(code: str, system: str | None = None) -> list[str]:
    with reader_of(CLINIC) as reader:
        return [reader.keyword("system", document) for document in documents_of(reader, code, system)]


def near(code: str, system: str | None = None) -> list[str]:
    with reader_of(CLINIC) as reader:
        return [reader.codes[document] for document in nearest(reader, code, system)]


def test_the_systems_whose_shape_a_code_has_come_first() -> None:
    assert found("a0100") == ["HCPCS", "ICD10CM"]
    assert found("A01.00") == ["ICD10CM"]
    assert found("A0100", "icd-10-cm") == ["ICD10CM"]


def test_a_code_of_an_own_system_is_found_in_any_spelling() -> None:
    assert found("ab77 1") == ["LOCAL"]


@pytest.mark.parametrize("code", ["", " ", ".-", "E11.99", "x" * 10_000, "🙂", "\0"])
def test_nothing_is_found_where_nothing_is(code: str) -> None:
    assert found(code) == []


def test_the_documents_of_a_code_stand_in_the_order_of_systems() -> None:
    with reader_of(CLINIC) as reader:
        documents = existing_documents(reader, "a0100")
        assert documents == sorted(documents)
        assert document_of(reader, "a0100") in documents


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("E11.99", ["E11.9", "E11.65", "E11.6"]),  # the longest prefix that exists comes first
        ("E11.5", ["E11", "E11.6", "E11.65"]),
        ("W21.89A", ["W21.89", "W21.89XA", "W21.89XD"]),
        ("22519", ["22512", "22511", "22510"]),
        ("0FT4", ["0FT40ZZ", "0FT44ZZ", "0FT"]),
        ("zz", []),
        ("q", []),
    ],
)
def test_the_nearest_codes_share_the_longest_prefix(typed: str, expected: list[str]) -> None:
    assert near(typed) == expected


def test_chapters_are_not_near_for_they_are_no_codes() -> None:
    assert near("A00") == ["A01", "A01.0", "A01.00"]


def test_the_nearest_are_of_the_system_that_was_asked_for() -> None:
    assert near("A0101", "hcpcs") == ["A0100"]
    assert near("22513", "icd10cm") == []


@given(st.text(max_size=30))
def test_any_text_has_at_most_three_nearest_codes(text: str) -> None:
    reader = clinic()._reader
    documents = nearest(reader, text)
    assert len(set(documents)) == len(documents) <= 3


class TestUnknownCode:
    def test_the_error_names_the_code_and_the_nearest(self) -> None:
        with pytest.raises(UnknownCodeError) as raised:
            clinic().similar(" E11.\n99 ")
        assert raised.value.subject == "E11. 99"
        assert "no such code in this index" in str(raised.value)
        assert "E11.9 (Type 2 diabetes mellitus without complications)" in str(raised.value)
        assert raised.value.exit_status == 1

    def test_it_names_the_system(self) -> None:
        with pytest.raises(UnknownCodeError, match="in CPT"):
            clinic().policies("E11.9", system="cpt4")

    def test_where_nothing_is_near_it_says_how_to_search(self) -> None:
        with pytest.raises(UnknownCodeError, match='codesearch search "zz"'):
            clinic().parents("zz")

    def test_what_is_long_is_cut(self, tmp_path: Path) -> None:
        record = CodeRecord("LOCAL", "AB-1", "word " * 1000)
        with index_of(tmp_path, record) as index, pytest.raises(UnknownCodeError) as raised:
            index.children("AB" + "9" * 100_000)
        assert len(str(raised.value)) < 300
