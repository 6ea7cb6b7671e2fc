"""Code-set files as other programs write them: other encodings, line ends, and ends of files."""

from __future__ import annotations

import pytest
from codesets_support import fixture, layout_name, read

NAMES = ["icd10cm_order.txt", "icd10cm_codes.txt", "icd10pcs_order.txt", "hcpcs_anweb.txt", "own.csv", "own.jsonl"]
ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
EMPTY = [
    b"system,code,name\r\n",
    b'<?xml version="1.0"?><ICD10CM.tabular><version>2027</version></ICD10CM.tabular>',
    b"<ICD10CM.index><title>Index</title></ICD10CM.index>",
    b"<ICD10PCS.tabular></ICD10PCS.tabular>",
]


def _text(name: str) -> str:
    return fixture(name).decode("latin-1" if name.startswith("hcpcs") else "utf-8")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_in_another_encoding_gives_the_same(name: str, encoding: str) -> None:
    assert read(_text(name).encode(encoding))[1:] == read(fixture(name))[1:]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", NAMES)
def test_lines_may_end_as_in_any_system(name: str, end: str) -> None:
    text = _text(name).replace("\r\n", "\n").replace("\n", end)
    assert read(text.encode())[1:] == read(fixture(name))[1:]


@pytest.mark.parametrize("filling", [b"\x1a", b"\x1a" * 300, b"\0" * 200, b"\x1a\0\0"])
@pytest.mark.parametrize("name", NAMES)
def test_what_dos_ends_a_file_with_is_no_line(name: str, filling: bytes) -> None:
    assert read(fixture(name) + filling)[1:] == read(fixture(name))[1:]


def test_a_character_that_utf_8_has_not_does_not_hide_the_header() -> None:
    rows = "system,code,name\nLOCAL,X-1,Ménière visit\n"
    [record] = read(b"\xef\xbb\xbf" + rows.encode("latin-1")).records
    assert (record.system, record.code, record.name) == ("LOCAL", "X-1", "Ménière visit")


@pytest.mark.parametrize("line", ["sep=;", "sep=;\r", '"sep=;"', "SEP=;"])
def test_the_line_in_which_a_spreadsheet_program_tells_its_delimiter_is_passed_by(line: str) -> None:
    reading = read(f"{line}\nsystem;code;name\nLOCAL;X-1;Visit, long\nLOCAL;;Visit\n".encode(), "own.csv")
    assert [record.name for record in reading.records] == ["Visit, long"]
    assert [reject.location for reject in reading.rejects] == ["own.csv:4"]


@pytest.mark.parametrize("data", EMPTY)
def test_a_file_that_is_recognised_and_holds_no_code_is_told(data: bytes) -> None:
    reading = read(data, "file.xml")
    assert [(reject.location, reject.reason) for reject in reading.rejects] == [("file.xml", "no-records")]
    assert str(layout_name(data)) in reading.rejects[0].message
