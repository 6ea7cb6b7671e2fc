"""The texts of a document: each with its field, the title of its section, and its terms."""

from __future__ import annotations

import pytest
from query_support import PLAIN, cm, reader_of

from codesearch.query import texts
from codesearch.query.texts import TextReader, title_of
from codesearch.records import CodeRecord, Policy, Recovery, Risks

FULL = cm(
    "A00",
    "Cholera",
    inclusion_terms=("Asiatic cholera",),
    summary="An infection of the gut.",
    risks=Risks(common=("Thirst",)),
    recovery=Recovery(follow_up=("Visit in a week",)),
    other_sections={"How it spreads": "By water.", "Empty": ""},
    policies=(Policy("Vaccines", "Acme"),),
    excludes=("Food poisoning",),
)


def read(*records: CodeRecord) -> list[list[tuple[str, str, str]]]:
    """(Field, title, text) of every text of each record."""
    with reader_of(records) as reader:
        source = TextReader(reader)
        found = [source.of(document).texts for document in range(reader.documents)]
    return [[(text.field, text.title, text.text) for text in of] for of in found]


def test_every_searched_text_stands_under_the_title_of_its_section() -> None:
    assert read(FULL) == [
        [
            ("name", "Name", "Cholera"),
            ("inclusion_terms", "Includes", "Asiatic cholera"),
            ("summary", "Summary", "An infection of the gut."),
            ("risks.common", "Risks, common", "Thirst"),
            ("recovery.follow_up", "Recovery, follow-up", "Visit in a week"),
            ("other_sections", "Empty", "Empty"),
            ("other_sections", "How it spreads", "How it spreads"),
            ("other_sections", "How it spreads", "By water."),
            ("policies", "Policies", "Vaccines Acme"),
        ]
    ]


@pytest.mark.parametrize("field", [*PLAIN.fields.title, *PLAIN.fields.sections])
def test_every_field_has_a_title_for_readers(field: str) -> None:
    title = title_of(field)
    assert title[0].isupper()
    assert not set(title) & set("._")


def test_a_document_that_has_a_name_only_needs_no_record() -> None:
    with reader_of([cm("A00", "Cholera", excludes=("Plague",)), cm("A01", "Typhoid", notes=("Wash hands",))]) as reader:
        source = TextReader(reader)
        reader.records.close()
        assert [text.text for text in source.of(0).texts] == ["Cholera"]
        assert source.summary(0) == ""
        with pytest.raises(ValueError, match="closed file"):
            source.of(1)


def test_a_document_without_a_name_has_other_texts() -> None:
    assert read(cm("A00", "", full_name="Cholera")) == [[("full_name", "Full name", "Cholera")]]


def test_what_is_forgotten_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "REMEMBERED_TERMS", 3)
    with reader_of([cm(f"A{number:02d}", f"Fever {number} of cattle") for number in range(20)]) as reader:
        source = TextReader(reader)
        for _ in range(2):
            for document in range(20):
                assert source.of(document).texts[0].text == reader.names[document]
