"""How a record gives the texts of its fields."""

from __future__ import annotations

import pytest

from codesearch.index.fields import Fields, FieldsConfig, SectionReader, keyword_values, title_texts
from codesearch.records import CodeRecord, Policy, Purpose, Risks


def test_every_name_is_an_entry_and_no_text_stands_twice() -> None:
    record = CodeRecord("CPT", "1", "Bone", full_name="Bone", synonyms=("Os", "Bone", "Os"), inclusion_terms=("Ossa",))
    fields = ("name", "full_name", "inclusion_terms", "synonyms")
    assert list(title_texts(record, fields)) == [(0, "Bone"), (2, "Ossa"), (3, "Os")]


@pytest.mark.parametrize(
    ("field", "record", "texts"),
    [
        ("summary", CodeRecord("CPT", "1", "n", summary="s"), ("s",)),
        ("purpose.goals", CodeRecord("CPT", "1", "n", purpose=Purpose(goals=("a", "b"))), ("a", "b")),
        (
            "other_sections",
            CodeRecord("CPT", "1", "n", other_sections={"Tips": "t", "Empty": ""}),
            ("Tips", "t", "Empty"),
        ),
        ("policies", CodeRecord("CPT", "1", "n", policies=(Policy("p", "Payer", "u"),)), ("p Payer",)),
    ],
)
def test_a_section_gives_its_texts(field: str, record: CodeRecord, texts: tuple[str, ...]) -> None:
    assert list(SectionReader((field,)).texts(record)) == [(0, texts)]


def test_empty_sections_give_nothing() -> None:
    record = CodeRecord("CPT", "1", "n", risks=Risks(rare=("r",)))
    assert list(SectionReader(("summary", "risks.common", "risks.rare", "notes")).texts(record)) == [(2, ("r",))]


def test_keywords_are_texts_whatever_the_record_holds() -> None:
    records = [
        CodeRecord("CPT", "1", "n", billable=True, properties={"specialty": "surgery"}),
        CodeRecord("CPT", "2", "n", billable=False),
    ]
    assert keyword_values(records, "billable") == ["yes", "no"]
    assert keyword_values(records, "properties.specialty") == ["surgery", ""]
    assert keyword_values(records, "chapter") == ["", ""]


def test_unscored_sections_come_last() -> None:
    config = FieldsConfig(1, title={"name": 1.0}, clinical={"summary": 2.0}, unscored={"excludes": 0.0}, keywords={})
    assert Fields.of(config) == Fields(("name",), ("summary", "excludes"), (2.0, 0.0), {})
