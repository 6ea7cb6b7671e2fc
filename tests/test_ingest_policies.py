"""Rows of policies and similar codes are taken apart."""

from __future__ import annotations

import pytest

from codesearch.ingest.blocks import Block, Link
from codesearch.ingest.policies import clean_title, read_policies, read_similar_codes
from codesearch.records import Policy, SimilarCode


def item(text: str, *links: tuple[str, str]) -> Block:
    """A row of a list."""
    return Block("item", text, tuple(Link(*link) for link in links))


def policy(row: Block) -> Policy:
    """The one policy of a row."""
    ((found,), left) = read_policies([row])
    assert left == []
    return found


def code(row: Block, system: str = "CPT") -> SimilarCode:
    """The one similar code of a row."""
    ((found,), left) = read_similar_codes([row], system)
    assert left == []
    return found


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("Acupuncture (CG013) \xa0(CG013)Policy", "Acupuncture (CG013)"),
        ("Acupuncture (CG013)(CG013)Policy", "Acupuncture (CG013)"),
        ("Acupuncture (CG013) Policy", "Acupuncture (CG013)"),
        ("Acupuncture", "Acupuncture"),
        ("Medical Policy", "Medical Policy"),
        ("Scans (CT) (CG1) (CG1)Policy", "Scans (CT) (CG1)"),
        ("(CG013)Policy", "(CG013)"),
    ],
)
def test_titles_lose_what_they_repeat(title: str, clean: str) -> None:
    assert clean_title(title) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Knee Surgery (K1) - Harbor Mutual",
        "Knee Surgery (K1) (Harbor Mutual)",
        "Knee Surgery (K1) | Harbor Mutual",
        "Knee Surgery (K1), Harbor Mutual",
    ],
)
def test_payer_after_the_link_is_told_apart(text: str) -> None:
    assert policy(item(text, ("Knee Surgery (K1)", "/k1"))) == Policy("Knee Surgery (K1)", "Harbor Mutual", "/k1")


def test_payer_after_the_id_is_told_apart_without_a_link() -> None:
    assert policy(item("Knee Surgery (K1), Harbor Mutual")) == Policy("Knee Surgery (K1)", "Harbor Mutual")
    assert policy(item("Knee Surgery (K1) payer: Harbor Mutual")) == Policy("Knee Surgery (K1)", "Harbor Mutual")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("effective 2024-03-01", "2024-03-01"),
        ("(Effective date: 3/1/2024)", "3/1/2024"),
        ("eff. March 1, 2024", "March 1, 2024"),
        ("in force since 1 March 2024", "1 March 2024"),
        ("effective from March 2024", "March 2024"),
    ],
)
def test_effective_date_is_kept_as_the_page_writes_it(text: str, date: str) -> None:
    row = item(f"Knee Surgery (K1) Harbor Mutual {text}", ("Knee Surgery (K1)", "/k1"))
    assert policy(row) == Policy("Knee Surgery (K1)", "Harbor Mutual", "/k1", date)


def test_table_row_gives_its_cells() -> None:
    cells = (("Policy", "Oxygen (D7) \xa0(D7)Policy"), ("Plan", "Northlake"), ("Effective", "2024-09-01"))
    row = Block("item", "x", (Link("Oxygen", "/d7"),), cells=cells)
    assert policy(row) == Policy("Oxygen (D7)", "Northlake", "/d7", "2024-09-01")


def test_cell_that_is_a_dash_is_empty() -> None:
    row = Block("item", "x", cells=(("Policy", "Oxygen"), ("Effective", "—")))
    assert policy(row) == Policy("Oxygen")


def test_cells_of_other_columns_are_left_for_the_other_sections() -> None:
    row = Block("item", "x", cells=(("Policy", "Oxygen"), ("Region", "West")))
    assert read_policies([row]) == ((Policy("Oxygen"),), ["Region: West"])


def test_one_paragraph_of_several_links_is_several_policies() -> None:
    row = Block(
        "text", "Knees (K1) (Harbor); Hips (H2) (Meridian)", (Link("Knees (K1)", "/k"), Link("Hips (H2)", "/h"))
    )
    assert read_policies([row])[0] == (Policy("Knees (K1)", "Harbor", "/k"), Policy("Hips (H2)", "Meridian", "/h"))


def test_sentence_among_policies_is_no_policy() -> None:
    note = Block("text", "Policies change: check with your plan.")
    assert read_policies([item("Knees (K1)"), note]) == ((Policy("Knees (K1)"),), [note.text])


@pytest.mark.parametrize(
    "text",
    [
        "22513 - Balloon kyphoplasty",
        "22513: Balloon kyphoplasty",
        "22513 Balloon kyphoplasty",
        "(22513) Balloon kyphoplasty",
        "22513Balloon kyphoplasty",
        "CPT 22513 Balloon kyphoplasty",
        "Balloon kyphoplasty (22513)",
        "Balloon kyphoplasty – 22513",
    ],
)
def test_code_is_found_at_either_end_of_its_row(text: str) -> None:
    assert code(item(text)) == SimilarCode("Balloon kyphoplasty", "CPT", "22513")


def test_brackets_of_the_name_stay() -> None:
    assert code(item("19301 Part of the breast (lumpectomy)")).name == "Part of the breast (lumpectomy)"


def test_code_alone_takes_the_next_row_as_its_name() -> None:
    rows = [Block("text", "22511"), Block("text", "Lower back"), Block("text", "22512"), Block("text", "Each further")]
    codes, left = read_similar_codes(rows, "CPT")
    assert [(one.code, one.name) for one in codes] == [("22511", "Lower back"), ("22512", "Each further")]
    assert left == []


def test_list_of_bare_codes_is_split() -> None:
    codes, _ = read_similar_codes([Block("text", "22510, 22511 and 22513")], "CPT")
    assert [one.code for one in codes] == ["22510", "22511", "22513"]


def test_rows_between_semicolons_are_split() -> None:
    codes, _ = read_similar_codes([Block("text", "22510 Neck; 22511 Lower back, with scans")], "CPT")
    assert [(one.code, one.name) for one in codes] == [("22510", "Neck"), ("22511", "Lower back, with scans")]


def test_system_is_told_by_shape_then_link_then_page() -> None:
    assert code(item("G0121 Screening"), "CPT").system == "HCPCS"
    assert code(item("A4253 Strips"), "HCPCS").system == "HCPCS"
    assert code(item("A01.00 Fever"), "HCPCS").system == "ICD10CM"
    assert code(item("A0100 Fever", ("A0100", "/icd10cm/a0100")), "HCPCS").system == "ICD10CM"
    assert code(item("e119 Diabetes"), "ICD10CM").code == "E11.9"


def test_row_without_a_code_takes_that_of_its_link() -> None:
    assert code(item("Lower back", ("Lower back", "/code/cpt4/22511-lower"))) == SimilarCode(
        "Lower back", "CPT", "22511", "/code/cpt4/22511-lower"
    )


def test_headerless_cells_are_read_as_one_row() -> None:
    row = Block("item", "K0002; Hemi chair", cells=(("", "K0002"), ("", "Hemi chair (low seat)")))
    assert code(row, "HCPCS") == SimilarCode("Hemi chair (low seat)", "HCPCS", "K0002")


def test_list_of_names_alone_is_kept_as_names() -> None:
    codes, left = read_similar_codes([item("Kyphoplasty"), item("Spinal fusion")], "CPT")
    assert [(one.name, one.code) for one in codes] == [("Kyphoplasty", None), ("Spinal fusion", None)]
    assert left == []


@pytest.mark.parametrize("footer", ["Privacy | Terms | Contact", "All codes are looked up, not advised on.", "Imprint"])
def test_footer_that_runs_on_after_the_codes_is_no_code(footer: str) -> None:
    codes, left = read_similar_codes([Block("text", "22511 - Lower back"), Block("text", footer)], "CPT")
    assert [one.code for one in codes] == ["22511"]
    assert left == [footer]


def test_repeated_rows_are_given_once() -> None:
    assert len(read_similar_codes([item("22511 Lower back")] * 2, "CPT")[0]) == 1
    assert len(read_policies([item("Knees (K1)")] * 2)[0]) == 1
