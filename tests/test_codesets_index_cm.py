"""The ICD-10-CM index and tables: terms as synonyms of their codes."""

from __future__ import annotations

from codesets_support import fixture, read


def _synonyms(name: str = "icd10cm_index.xml") -> dict[str | None, tuple[str, ...]]:
    return {code: record.synonyms for code, record in read(fixture(name)).by_code().items()}


def test_nested_terms_read_as_one_text() -> None:
    found = _synonyms()
    assert "Diabetes, diabetic (mellitus) (sugar), type 2, with hyperglycemia" in found["E11.65"]
    assert found["R10.0"] == ("Abdomen, abdominal, acute",)


def test_nonessential_words_stay_in_parentheses_and_text_after_them_is_kept() -> None:
    found = _synonyms()
    assert found["F44.4"] == ("Abasia (-astasia) (hysterical)",)
    assert found["Q27.8"] == ("Aberrant (congenital), vein (peripheral) NEC",)


def test_an_ending_in_parentheses_stays_with_its_word() -> None:
    assert "Infarct(s), myocardium, myocardial (acute)" in _synonyms()["I21.9"]


def test_a_reference_makes_the_term_a_synonym_of_where_it_leads() -> None:
    assert "Hyperglycemia in diabetes" in _synonyms()["E11.65"]


def test_a_reference_to_a_reference_is_followed() -> None:
    assert {"Infarct(s), cardiac", "Heart attack"} <= set(_synonyms()["I21.9"])


def test_see_also_counts_only_where_the_term_has_no_code() -> None:
    found = _synonyms()
    assert "Poliomyelitis" not in found["F44.4"]
    assert found["M01"] == ("Arthritis in infection",)


def test_see_also_condition_is_advice_not_a_reference() -> None:
    assert _synonyms()["R69"] == ("Condition",)


def test_a_code_that_ends_in_a_hyphen_is_its_category() -> None:
    assert _synonyms()["A80"] == ("Poliomyelitis",)


def test_a_manifestation_code_has_the_term_too() -> None:
    assert _synonyms()["I43"] == ("Amyloid heart (disease)",)


def test_a_title_that_reads_false_is_a_title() -> None:
    assert _synonyms()["F64.9"] == ("Transsexualism, false",)


def test_references_in_a_circle_and_wrong_codes_are_warnings() -> None:
    reading = read(fixture("icd10cm_index.xml"))
    assert reading.kinds() == ["bad-code", "see-unresolved"]
    assert "2 of" in reading.warnings[1].message


def test_cells_of_a_table_carry_the_heading_of_their_column() -> None:
    found = _synonyms("icd10cm_neoplasm.xml")
    assert found["C41.9"] == ("Neoplasm, neoplastic, bone, Malignant Primary",)
    assert found["D36.9"] == ("Neoplasm, neoplastic, Benign",)


def test_index_records_only_enrich() -> None:
    reading = read(fixture("icd10cm_index.xml"))
    assert {(record.name, record.source[0].role) for record in reading.records} == {("", "enrichment")}
