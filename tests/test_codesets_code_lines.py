"""Order files and code files: one code a line, in fixed columns."""

from __future__ import annotations

from codesets_support import fixture, read
from hypothesis import given
from hypothesis import strategies as st

ORDER = fixture("icd10cm_order.txt")


def test_headers_and_codes_are_told_apart_by_their_flag() -> None:
    codes = read(ORDER).by_code()
    assert (codes["A00"].kind, codes["A00"].billable) == ("header", False)
    assert (codes["A00.0"].kind, codes["A00.0"].billable) == ("code", True)
    assert codes["A00.0"].name == "Cholera due to Vibrio cholerae 01, biovar cholerae"


def test_the_parent_is_the_longest_header_that_the_code_begins_with() -> None:
    codes = read(ORDER).by_code()
    assert codes["A00.9"].parent == "A00"
    assert codes["W08.XXXA"].parent == "W08"
    assert codes["A00"].parent is None
    assert read(fixture("icd10pcs_order.txt")).by_code()["0DTJ4ZZ"].parent == "0DT"


def test_the_short_title_is_kept_where_it_differs() -> None:
    codes = read(ORDER).by_code()
    assert codes["QA0.0"].properties == {"short title": "Oth genetic disorders"}
    assert codes["A00.9"].properties == {}


def test_a_code_file_gives_billable_codes_only() -> None:
    codes = read(fixture("icd10cm_codes.txt"))
    assert {record.billable for record in codes.records} == {True}
    assert codes.by_code()["W08.XXXS"].name == "Fall from other furniture, sequela"
    assert read(fixture("icd10pcs_codes.txt")).by_code()["0DTJ0ZZ"].system == "ICD10PCS"


def test_every_record_shares_one_source_with_the_layout_filled_in() -> None:
    records = read(ORDER, "a.zip!order.txt").records
    assert len({id(record.source[0]) for record in records}) == 1
    source = records[0].source[0]
    assert (source.path, source.sha256, source.layout, source.role) == (
        "a.zip!order.txt",
        "00",
        "icd10cm-order",
        "codeset",
    )
    assert source.layout_version >= 1


def test_a_whole_file_gives_neither_rejects_nor_warnings() -> None:
    reading = read(ORDER)
    assert (reading.rejects, reading.warnings) == ([], [])


def test_a_lost_line_is_noticed_by_the_order_numbers() -> None:
    lines = ORDER.splitlines(keepends=True)
    reading = read(b"".join(lines[:2] + lines[3:]))
    assert reading.kinds() == ["order-gap"]
    assert "1 order numbers are missing" in reading.warnings[0].message
    assert len(reading.records) == len(lines) - 1


def test_a_repeated_line_is_noticed() -> None:
    lines = ORDER.splitlines(keepends=True)
    assert read(b"".join([*lines, lines[-1]])).kinds() == ["order-repeated", "duplicate-code"]


def test_a_file_cut_in_the_middle_keeps_what_is_whole() -> None:
    lines = ORDER.splitlines(keepends=True)
    reading = read(b"".join(lines[:-1]) + lines[-1][:40])
    assert reading.reasons() == ["cut-file"]
    assert reading.kinds() == ["cut-file"]
    assert len(reading.records) == len(lines) - 1


def test_a_last_line_cut_within_its_long_title_is_no_code() -> None:
    cut = ORDER.rstrip(b"\r\n")[: -len(" sequela") + 1]
    assert read(cut).reasons() == ["cut-file"]


def test_a_last_line_that_only_lacks_its_end_is_kept_with_a_warning() -> None:
    reading = read(ORDER.rstrip(b"\r\n"))
    assert reading.kinds() == ["no-line-end"]
    assert "W08.XXXS" in reading.by_code()


def test_a_file_without_long_titles_is_refused_as_a_whole() -> None:
    shortened = b"".join(line[:60].rstrip() + b"\r\n" for line in ORDER.splitlines())
    reading = read(shortened)
    assert reading.reasons() == ["missing-column"]
    assert "column 78" in reading.rejects[0].message


def test_an_order_file_without_order_numbers_is_no_code_file() -> None:
    reading = read(b"".join(line[6:] + b"\r\n" for line in ORDER.splitlines()))
    assert (reading.records, reading.reasons()) == ([], ["missing-column"])


def test_a_wrong_line_is_a_reject_with_its_number() -> None:
    lines = ORDER.splitlines(keepends=True)
    lines[1] = lines[1].replace(b" 1 Cholera", b" 7 Cholera", 1)
    reading = read(b"".join(lines), "order.txt")
    assert [(reject.location, reject.reason) for reject in reading.rejects] == [("order.txt:2", "bad-flag")]
    assert len(reading.records) == len(lines) - 1


@given(st.integers(min_value=200, max_value=len(ORDER)))
def test_wherever_a_file_is_cut_the_whole_lines_before_it_are_read(length: int) -> None:
    whole = {record.code: record.name for record in read(ORDER).records}
    cut = read(ORDER[:length])
    complete = ORDER[:length].count(b"\n")
    assert len(cut.records) >= complete
    assert [record.name for record in cut.records][:complete] == list(whole.values())[:complete]
    if ORDER[length - 1 : length] not in (b"\r", b"\n"):
        assert cut.kinds()
