"""How a record gives the texts of its fields."""

from __future__ import annotations

import pytest

from codesearch.index.fields import Fields, FieldsConfig, SectionReader, keyword_text, keyword_values, title_texts
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
    columns = {"billable": (True, False), "properties": ({"specialty": "surgery"}, {}), "chapter": (None, None)}
    values = {path: keyword_values(columns, path) for path in ("billable", "properties.specialty", "chapter")}
    assert {path: [keyword_text(value) for value in found] for path, found in values.items()} == {
        "billable": ["yes", "no"],
        "properties.specialty": ["surgery", ""],
        "chapter": ["", ""],
    }


def test_sections_of_many_records_are_those_of_each() -> None:
    records = [
        CodeRecord("CPT", "1", "n", notes=("a", "b"), risks=Risks(rare=("r",))),
        CodeRecord("CPT", "2", "n"),
        CodeRecord("CPT", "3", "n", summary="s", risks=Risks(common=("c",))),
    ]
    reader = SectionReader(("summary", "risks.common", "notes", "risks.rare"))
    columns = {name: tuple(getattr(one, name) for one in records) for name in ("summary", "risks", "notes")}
    each = [(place, *found) for place, record in enumerate(records) for found in reader.texts(record)]
    assert sorted(reader.texts_of_all(columns)) == sorted(each)
    assert [found[:2] for found in reader.texts_of_all(columns)] == [(0, 2), (0, 3), (2, 0), (2, 1)]


def test_unscored_sections_come_last() -> None:
    config = FieldsConfig(1, title={"name": 1.0}, clinical={"summary": 2.0}, unscored={"excludes": 0.0}, keywords={})
    assert Fields.of(config) == Fields(("name",), ("summary", "excludes"), (2.0, 0.0), {})
