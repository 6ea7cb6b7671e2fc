"""Code-set files as other programs write them: other encodings, line ends, and ends of files."""

from __future__ import annotations

import pytest
from codesets_support import fixture, layout_name, read

from codesearch.records import Skip

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


def _addenda(name: str, columns: slice) -> bytes:
    kinds = ("Add:         ", "Delete:      ", "Revise from: ", "Revise to:   ")
    lines = _text(name).splitlines()
    return "".join(f"{kinds[number % 4]}{line[columns]}\r\n" for number, line in enumerate(lines)).encode()


COMPANIONS = {
    "order addenda": _addenda("icd10cm_order.txt", slice(14, None)),
    "code addenda": _addenda("icd10cm_codes.txt", slice(None)),
    "PCS addenda": _addenda("icd10pcs_codes.txt", slice(None)),
    "mapping to ICD-9": b"A000    0010  00000\r\nA0100   0020  10000\r\nT1490XA NoDx  11000\r\nB971   V158 10111\r\n",
    "mapping of procedures": b"0DTJ0ZZ 4709  10000\r\n0DTJ4ZZ 4701  10000\r\n0DTJ4ZZ NoPCS 11000\r\n",
    "definitions": b'<?xml version="1.0"?><ICD10PCS.definitions><section/></ICD10PCS.definitions>',
}


@pytest.mark.parametrize("data", COMPANIONS.values(), ids=COMPANIONS.keys())
def test_what_agencies_publish_beside_code_sets_is_skipped(data: bytes) -> None:
    reading = read(data, "file")
    assert reading.layout.reader == "skip"
    assert (reading.records, reading.rejects, reading.warnings) == ([], [], [])
    assert reading.skips == [Skip("file", reading.layout.reason)]


@pytest.mark.parametrize("line", [b"A000    B000 10/1/2025", b"0DTJ0ZZ 0DTJ4ZZ 2027", b"A000    1"])
def test_lines_without_a_title_are_no_code_file(line: bytes) -> None:
    assert layout_name(b"".join(line + b"\r\n" for _ in range(20))) is None
