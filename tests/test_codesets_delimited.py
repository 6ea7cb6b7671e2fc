"""A user's own codes: CSV, TSV and JSON Lines with a header."""

from __future__ import annotations

import csv
import io

import pytest
from codesets_support import fixture, layout_name, read
from hypothesis import given
from hypothesis import strategies as st

OWN = fixture("own.csv")


def test_columns_fill_the_fields_of_a_record() -> None:
    visit = read(OWN).by_code()["X-1"]
    assert (visit.system, visit.name, visit.billable) == ("LOCAL", "Walk-in visit", True)
    assert visit.synonyms == ("drop-in", "no appointment")


def test_other_columns_become_properties() -> None:
    assert read(OWN).by_code()["X-1"].properties == {"specialty": "general practice"}


def test_codes_of_known_systems_are_put_into_their_written_form() -> None:
    diabetes = read(OWN).by_code()["E11.9"]
    assert (diabetes.system, diabetes.synonyms) == ("ICD10CM", ("DM2", "T2DM"))


def test_a_wrong_line_is_a_reject_and_the_rest_goes_on() -> None:
    reading = read(OWN, "own.csv")
    assert [(reject.location, reject.reason) for reject in reading.rejects] == [
        ("own.csv:4", "no-code"),
        ("own.csv:5", "no-system"),
        ("own.csv:6", "bad-code"),
        ("own.csv:7", "bad-field"),
        ("own.csv:8", "bad-line"),
    ]
    assert reading.by_code()["X-5"].name == "Telephone visit, short"


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_seen_in_the_header(delimiter: str) -> None:
    rows = [["Code", "Description", "System"], ["X-1", "Walk-in visit", "LOCAL"]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert read(text.encode("utf-8-sig")).by_code()["X-1"].name == "Walk-in visit"


def test_a_quoted_cell_may_hold_a_line_break() -> None:
    reading = read(b'system,code,name,summary\nLOCAL,X-1,Visit,"two\nlines"\nLOCAL,,,\n', "f")
    assert reading.by_code()["X-1"].summary == "two\nlines"
    assert reading.rejects[0].location == "f:4"


def test_json_lines_hold_whole_parts_of_a_record() -> None:
    reading = read(fixture("own.jsonl"), "own.jsonl")
    visit = reading.by_code()["X-1"]
    assert (visit.synonyms, visit.risks.common, visit.properties) == (("drop-in",), ("waiting",), {"room": "4"})
    assert reading.by_code()["X-3"].synonyms == ("house call", "visit at home")
    assert [(reject.location, reject.reason) for reject in reading.rejects] == [("own.jsonl:2", "bad-line")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"system": "LOCAL", "code": "X", "name": "y", "kind": "thing"}', "bad-kind"),
        (b'{"system": "LOCAL", "code": "X", "name": "y", "risks": 3}', "bad-field"),
        (b'{"system": "LOCAL", "code": ["X"], "name": "y"}', "no-code"),
        (b'{"system": "LOCAL", "code": "X", "name": ""}', "no-name"),
        (b'{"system": 3, "code": "X", "name": "y"}', "no-system"),
        (b"[1, 2]", "bad-line"),
    ],
)
def test_a_json_line_that_is_no_record_says_why(line: bytes, reason: str) -> None:
    first = b'{"system": "LOCAL", "code": "OK", "name": "fine"}\n'
    reading = read(first + line + b"\n")
    assert (reading.reasons(), len(reading.records)) == ([reason], 1)


_CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).map(str.strip)


@given(st.lists(st.tuples(_CELL.filter(bool), _CELL.filter(bool)), min_size=1, max_size=8))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(
        [("system", "code", "name"), *(("LOCAL", f"X{n}-{a}", b) for n, (a, b) in enumerate(rows))]
    )
    records = read(text.getvalue().encode()).records
    assert [record.name for record in records] == [name for _, name in rows]


@pytest.mark.parametrize("rows", [3, 20_000])
def test_a_quote_that_is_never_closed_costs_one_line(rows: int) -> None:
    lines = [f"LOCAL,X-{number},Visit {number}" for number in range(rows)]
    lines[1] = 'LOCAL,X-1,"Visit 1'
    reading = read("\n".join(["system,code,name", *lines, ""]).encode(), "own.csv")
    assert [(reject.location, reject.reason) for reject in reading.rejects] == [("own.csv:3", "bad-line")]
    assert len(reading.records) == rows - 1


@pytest.mark.parametrize("last", ['LOCAL,X-2,"Visit"', 'LOCAL,X-2,"5"" brace\n"', 'LOCAL,X-2,5" brace,"two\nlines"'])
def test_quotes_of_the_last_row_that_are_closed_are_no_fault(last: str) -> None:
    reading = read(f"system,code,name,note\nLOCAL,X-1,Visit\n{last}".encode(), "own.csv")
    assert [record.code for record in reading.records] == ["X-1", "X-2"]
    assert reading.rejects == []


def test_cells_may_run_over_several_lines() -> None:
    reading = read(b'system,code,name\nLOCAL,X-1,"Visit,\nlong"\nLOCAL,,Visit\nLOCAL,X-2,"5"" brace\n"\n', "own.csv")
    assert [record.name for record in reading.records] == ["Visit,\nlong", '5" brace']
    assert [reject.location for reject in reading.rejects] == ["own.csv:4"]


def test_the_system_may_stand_in_the_title_of_the_code() -> None:
    chargemaster = b"Charge code,Description,CPT/HCPCS Code\n7,Visit,99213\n8,Shot,j1885\n9,Odd,ZZZ\n10,None,\n"
    reading = read(chargemaster, "charges.csv")
    assert [(record.system, record.code, record.name) for record in reading.records] == [
        ("CPT", "99213", "Visit"),
        ("HCPCS", "J1885", "Shot"),
    ]
    assert reading.records[0].properties == {"Charge code": "7"}
    assert [(reject.location, reject.reason) for reject in reading.rejects] == [
        ("charges.csv:4", "bad-code"),
        ("charges.csv:5", "no-system"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "system", "code"),
    [
        ("ICD-10-CM Code;Title", "E119;Sugar", "ICD10CM", "E11.9"),
        ("Diagnosis code,Name", "E11.9,Sugar", "ICD10CM", "E11.9"),
        ("CPT,HCPCS,Description", ",A0428,Ride", "HCPCS", "A0428"),
        ("CPT,Code,System,Name", "99213,X-1,LOCAL,Visit", "LOCAL", "X-1"),
        ("ICD-10-PCS code\tname", "0DTJ4ZZ\tOut with it", "ICD10PCS", "0DTJ4ZZ"),
    ],
)
def test_titles_that_name_a_system(header: str, row: str, system: str, code: str) -> None:
    [record] = read(f"{header}\n{row}\n".encode()).records
    assert (record.system, record.code) == (system, code)


def test_keys_of_json_that_name_a_system() -> None:
    [record] = read(b'{"cpt": 99214, "name": "Visit, longer"}\n').records
    assert (record.system, record.code) == ("CPT", "99214")


def test_a_column_of_diagnoses_holds_names() -> None:
    assert layout_name(b"Diagnosis,Description\nE11.9,Sugar\n") is None
