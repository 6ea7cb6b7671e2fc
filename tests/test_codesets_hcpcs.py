"""HCPCS: the fixed-width file and the workbook hold the same codes."""

from __future__ import annotations

import builtins
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from codesets_support import fixture, layouts, read

from codesearch.errors import SourceError
from codesearch.ingest.codesets import load, recognise
from codesearch.records import Source

openpyxl = pytest.importorskip("openpyxl", reason="the extra xlsx is not installed")

ANWEB = fixture("hcpcs_anweb.txt")
TITLES = ("HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION", "PRICE1", "COV", "ACT EFF DT", "TERM DT")
DISCLAIMER: tuple[tuple[Any, ...], ...] = (("***Disclaimers",), (None,), ("*Inclusion does not imply coverage.",)) + (
    (None,),
) * 7
ROWS: tuple[tuple[Any, ...], ...] = (
    ("   A1", "0010", "7", "Dressing for one wound", "Dressing for one wound", None, "C", "20020701", None),
    ("A0130", 10, 3, "Non-emergency transportation: wheelchair van", "Noner transport", "00", "I", 19820101, None),
    ("G0503", "0010", "3", "Subsequent care, with  the following", "Subseq care", "13", "C", "20180101", "20171231"),
    ("G0503", "0020", "4", "required elements", None, None, None, None, None),
)


def workbook(*rows: Sequence[Any], other_sheet: bool = False) -> bytes:
    notes = {"Notes": [("Notes to readers",)]} if other_sheet else {}
    return workbook_of({**notes, "Codes": rows})


def workbook_of(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(tuple(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_descriptions_run_over_continuation_lines() -> None:
    codes = read(ANWEB).by_code()
    assert codes["AD"].name.endswith("more than four concurrent anesthesia procedures")
    assert codes["G0503"].name.endswith("required elements: tracking patient follow-up and progress")


def test_latin_1_is_read() -> None:
    assert "café-based" in read(ANWEB).by_code()["G0503"].name


def test_modifiers_are_told_from_codes() -> None:
    codes = read(ANWEB).by_code()
    assert (codes["A1"].kind, codes["A1"].billable) == ("modifier", None)
    assert (codes["J1100"].kind, codes["J1100"].billable) == ("code", True)


def test_a_terminated_code_is_not_billable() -> None:
    code = read(ANWEB).by_code()["G0503"]
    assert (code.billable, code.effective, code.terminated) == (False, "2018-01-01", "2017-12-31")


def test_administrative_fields_say_what_they_mean() -> None:
    properties = read(ANWEB).by_code()["J1100"].properties
    assert properties["coverage"] == "D (special coverage instructions apply)"
    assert properties["pricing"] == "51 (drugs)"
    assert properties["betos"] == "O1E (other drugs)"
    assert properties["type of service"].startswith("1 (medical care); P (")
    assert properties["added"] == "1982-01-01"


def test_the_short_name_is_a_synonym_where_it_differs() -> None:
    codes = read(ANWEB).by_code()
    assert codes["J1100"].synonyms == ("Dexamethasone sodium phos",)
    assert codes["A1"].synonyms == ()


def test_the_preamble_is_no_reject() -> None:
    reading = read(ANWEB)
    assert (reading.rejects, reading.warnings) == ([], [])
    assert len(reading.records) == 5


def test_a_line_lost_within_a_description_is_noticed() -> None:
    lines = ANWEB.splitlines(keepends=True)
    assert read(b"".join(line for line in lines if not line.startswith(b"G0503002004"))).kinds() == ["sequence-gap"]


def test_a_continuation_without_its_first_line_is_a_reject() -> None:
    lines = ANWEB.splitlines(keepends=True)
    reading = read(b"".join(line for line in lines if not line.startswith(b"G0503001003")))
    assert reading.reasons() == ["stray-row", "stray-row"]
    assert "G0503" not in reading.by_code()


def test_a_file_cut_in_the_middle_keeps_what_is_whole() -> None:
    reading = read(ANWEB[:-200])
    assert (reading.reasons(), reading.kinds()) == (["cut-file"], ["cut-file"])
    assert "J1100" not in reading.by_code()
    assert "G0503" in reading.by_code()


@pytest.mark.parametrize("above", [(), DISCLAIMER])
def test_a_workbook_is_read_wherever_its_titles_stand(above: tuple[tuple[Any, ...], ...]) -> None:
    codes = read(workbook(*above, TITLES, *ROWS)).by_code()
    assert codes["G0503"].name == "Subsequent care, with the following required elements"
    assert codes["A0130"].effective == "1982-01-01"
    assert codes["A1"].kind == "modifier"
    assert codes["A0130"].properties["pricing"] == "00 (service not separately priced by part B)"


def test_titles_are_known_in_other_spellings() -> None:
    titles = ("HCPCS Code", "Sequence_Number", "rec id", "Long Description", "short_description", *TITLES[5:])
    assert len(read(workbook(titles, *ROWS)).records) == 3


def test_all_sheets_with_the_columns_are_read() -> None:
    first, *others = ROWS
    stray = ("G0504", "0020", "4", "without its first row")
    sheets = {"Modifiers": [TITLES, first], "Notes": [("Notes",)], "Codes": [("Codes",), TITLES[::-1]]}
    sheets["Codes"] += [row[::-1] for row in (*others, stray + (None,) * (len(TITLES) - len(stray)))]
    reading = read(workbook_of(sheets), "codes.xlsx")
    assert reading.records == read(workbook(TITLES, *ROWS), "codes.xlsx").records
    assert [reject.location for reject in reading.rejects] == ["codes.xlsx:Codes:6"]


def test_the_sheet_with_the_columns_is_found() -> None:
    assert len(read(workbook(TITLES, *ROWS, other_sheet=True)).records) == 3


def test_a_missing_column_is_named() -> None:
    kept = [place for place, title in enumerate(TITLES) if title != "LONG DESCRIPTION"]
    reading = read(workbook(*(tuple(row[place] for place in kept) for row in (TITLES, *ROWS))))
    assert reading.reasons() == ["missing-column"]
    assert "'LONG DESCRIPTION'" in reading.rejects[0].message


def test_a_workbook_without_the_titles_is_a_reject() -> None:
    reading = read(workbook(("Town", "People"), ("Paris", 2)))
    assert reading.reasons() == ["no-title-row"]


def test_a_cut_workbook_is_a_reject() -> None:
    assert read(workbook(TITLES, *ROWS)[:-100]).reasons() == ["bad-workbook"]


def test_without_openpyxl_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_openpyxl(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "openpyxl":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    stream = io.BytesIO(workbook(TITLES, *ROWS))
    layout = recognise(stream, layouts())
    assert layout is not None
    monkeypatch.setattr(builtins, "__import__", without_openpyxl)
    with pytest.raises(SourceError, match=r"pip install 'medical-codesearch\[xlsx\]'"):
        list(load(stream, Source(path="codes.xlsx"), layout))
