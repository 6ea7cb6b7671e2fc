"""ICD-10-PCS tables and index: axes as properties, terms for codes, prefixes and official words."""

from __future__ import annotations

from codesets_support import fixture, read

from codesearch.ingest.codesets import Known, spread


def test_every_code_of_a_row_has_the_labels_of_its_axes() -> None:
    appendix = read(fixture("icd10pcs_tables.xml")).by_code()["0DTJ4ZZ"]
    assert appendix.properties == {
        "section": "Medical and Surgical",
        "body system": "Gastrointestinal System",
        "root operation": "Resection",
        "body part": "Appendix",
        "approach": "Percutaneous Endoscopic",
    }


def test_the_definition_of_the_operation_stands_at_its_table_only() -> None:
    codes = read(fixture("icd10pcs_tables.xml")).by_code()
    assert codes["0DT"].notes == ("Definition: Cutting out or off, without replacement, all of a body part",)
    assert codes["0DTJ4ZZ"].notes == ()


def test_axes_with_one_title_share_their_property() -> None:
    test = read(fixture("icd10pcs_tables.xml")).by_code()["GZ101Z2"]
    assert test.properties["qualifier"] == "First; Second"
    assert test.properties["root operation"] == "Psychological Tests"
    assert "body system" not in test.properties


def test_a_row_that_spans_another_number_of_codes_than_it_says_is_a_warning() -> None:
    reading = read(fixture("icd10pcs_tables.xml"))
    assert reading.kinds() == ["row-count"]
    assert "says 5 codes and spans 1" in reading.warnings[0].message


def test_the_index_gives_terms_to_codes_and_prefixes() -> None:
    codes = read(fixture("icd10pcs_index.xml")).by_code()
    assert codes["0DTJ4ZZ"].synonyms == ("Keyhole appendix surgery",)
    assert codes["0DTJ"].synonyms == ("Appendectomy", "Resection, Appendix")
    assert codes["0DT"].synonyms == ("Colectomy",)


def test_the_index_gives_terms_to_official_words_and_their_places() -> None:
    words = {
        (record.name, record.properties.get("in")): record.synonyms
        for record in read(fixture("icd10pcs_index.xml")).records
        if record.code is None
    }
    assert words == {
        ("Appendix", None): ("Vermiform appendix",),
        ("Resection", None): ("Extirpation",),
        ("Synthetic Substitute", "0FT"): ("SuperMesh(R) pro",),
        ("Synthetic Substitute", "Gastrointestinal System"): ("SuperMesh(R)",),
    }


def _existing() -> dict[str, Known]:
    """The codes of the order file with the properties of the tables, and one that only the tables name."""
    tables = read(fixture("icd10pcs_tables.xml")).by_code()
    merged = {str(record.code): record for record in read(fixture("icd10pcs_order.txt")).records}
    merged["0DTK0JX"] = tables["0DTK0JX"]
    return {
        code: Known(record.name, record.kind, tables[code].properties if code in tables else {})
        for code, record in merged.items()
    }


def test_terms_spread_to_the_codes_that_exist() -> None:
    given = {
        record.code: record.synonyms for record in spread(read(fixture("icd10pcs_index.xml")).records, _existing())
    }
    assert given["0DTJ0ZZ"] == ("Appendectomy", "Vermiform appendix", "Extirpation")
    assert set(given["0DTJ4ZZ"]) == {"Appendectomy", "Extirpation", "Keyhole appendix surgery", "Vermiform appendix"}
    assert "SuperMesh(R)" in given["0DTK0JX"]
    assert "SuperMesh(R) pro" not in given["0DTK0JX"]
    assert "0DTJ" not in given


def test_a_term_that_says_nothing_new_is_not_spread() -> None:
    given = {
        record.code: record.synonyms for record in spread(read(fixture("icd10pcs_index.xml")).records, _existing())
    }
    assert all("Resection, Appendix" not in synonyms for synonyms in given.values())


def test_spread_records_keep_their_source() -> None:
    reading = read(fixture("icd10pcs_index.xml"))
    assert {record.source for record in spread(reading.records, _existing())} == {reading.records[0].source}
