"""The ICD-10-CM tabular list: hierarchy, notes, 7th characters, and XML that is not to be trusted."""

from __future__ import annotations

from codesets_support import fixture, read

TABULAR = fixture("icd10cm_tabular.xml")


def test_chapters_and_sections_are_records_of_their_own() -> None:
    codes = read(TABULAR).by_code()
    chapter, section = codes["S00-T88"], codes["S00-S09"]
    assert (chapter.kind, chapter.name, chapter.properties) == (
        "chapter",
        "Injury and other consequences of external causes",
        {"level": "chapter"},
    )
    assert (section.kind, section.properties, section.chapter) == ("chapter", {"level": "section"}, "19")


def test_a_section_lies_in_the_narrowest_one_around_it() -> None:
    codes = read(TABULAR).by_code()
    assert codes["S00-S09"].parent == "S00-T14"
    assert codes["S00-T14"].parent == "S00-T88"
    assert codes["S00-T88"].parent is None


def test_a_section_of_one_category_is_not_taken_for_the_category() -> None:
    codes = read(TABULAR).by_code()
    assert codes["T14-T14"].kind == "chapter"
    assert (codes["T14"].kind, codes["T14"].parent, codes["T14"].billable) == ("code", "T14-T14", True)


def test_every_code_knows_its_parent_and_chapter() -> None:
    codes = read(TABULAR).by_code()
    assert (codes["S06"].parent, codes["S06.1X"].parent, codes["S06.1X0A"].parent) == ("S00-S09", "S06.1", "S06.1X0")
    assert {record.chapter for code, record in codes.items() if str(code).startswith("S06")} == {"19"}
    assert codes["W08"].chapter == "20"


def test_notes_go_to_their_fields() -> None:
    injury = read(TABULAR).by_code()["S06"]
    assert injury.inclusion_terms == ("traumatic brain injury",)
    assert injury.excludes == ("Excludes1: head injury NOS (S09.90)", "Excludes2: open wound of head (S01.-)")
    assert "Code first: if applicable, underlying disease" in injury.notes
    assert "Code also: skull fracture (S02.-)" in injury.notes
    assert any(note.startswith("7th character: The appropriate") for note in injury.notes)
    chapter = read(TABULAR).by_code()["S00-T88"]
    assert chapter.notes == ("Use additional code: to identify any retained foreign body (Z18.-)",)


def test_seventh_characters_come_from_the_ancestor_with_placeholders_and_full_names() -> None:
    codes = read(TABULAR).by_code()
    assert codes["S06.0XXA"].name == "Concussion, initial encounter"
    assert codes["S06.1X0S"].name == "Traumatic cerebral edema without loss of consciousness, sequela"
    assert (codes["S06.0"].kind, codes["S06.0"].billable) == ("header", False)
    assert (codes["S06.0XXA"].kind, codes["S06.0XXA"].billable) == ("code", True)


def test_a_note_takes_seventh_characters_away() -> None:
    codes = read(TABULAR).by_code()
    assert "S06.1X7A" in codes
    assert not {"S06.1X7D", "S06.1X7S"} & codes.keys()
    assert {"S06.1X0D", "S06.1X0S"} <= codes.keys()


def test_a_note_on_seventh_characters_in_other_words_is_a_warning() -> None:
    changed = TABULAR.replace(b"do not apply to codes in category S06", b"are not to be applied, not in S06,")
    assert read(changed).kinds() == ["missing-section", "unread-exception"]


def test_notes_among_seventh_characters_are_other_words_for_them() -> None:
    codes = read(TABULAR).by_code()
    assert codes["W08.XXXA"].inclusion_terms == ("Fall from other furniture, first encounter of any kind",)
    assert codes["W08"].inclusion_terms == ("Fall from stool",)


def test_a_section_that_the_list_names_and_lacks_is_a_warning() -> None:
    reading = read(TABULAR)
    assert reading.kinds() == ["missing-section"]
    assert "T79" in reading.warnings[0].message


def test_an_element_that_nobody_knows_is_a_warning() -> None:
    changed = TABULAR.replace(b"<codeAlso>", b"<perhaps>").replace(b"</codeAlso>", b"</perhaps>")
    reading = read(changed)
    assert "unknown-element" in reading.kinds()
    assert any("perhaps" in warning.message for warning in reading.warnings)


def test_the_release_is_that_of_the_file() -> None:
    assert {record.release for record in read(TABULAR).records} == {"2031"}


def test_a_cut_file_gives_what_was_complete() -> None:
    reading = read(TABULAR[: TABULAR.index(b"<name>W08") - 20])
    assert reading.reasons() == ["cut-file"]
    assert {"S06.0XXA", "T14"} <= reading.by_code().keys()


def test_broken_xml_in_the_middle_is_told_from_a_cut_file() -> None:
    reading = read(TABULAR.replace(b"<name>T14</name>", b"<name>T14</nome>"))
    assert reading.reasons() == ["bad-xml"]
    assert "S06.0XXA" in reading.by_code()


BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE ICD10CM.tabular [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
"""


def test_a_document_that_declares_entities_is_refused() -> None:
    body = TABULAR[TABULAR.index(b"<ICD10CM") :].replace(b"Concussion", b"&b;")
    reading = read(BOMB + body)
    assert (reading.records, reading.reasons()) == ([], ["xml-entities"])


def test_a_declaration_hidden_behind_a_comment_is_refused_too() -> None:
    body = TABULAR[TABULAR.index(b"<ICD10CM") :]
    reading = read(b"<!-- <a> -->" + BOMB.split(b"\n", 1)[1] + body)
    assert (reading.records, reading.reasons()) == ([], ["xml-entities"])
