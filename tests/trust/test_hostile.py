"""Hostile input gets a clear answer in bounded time and memory: archives, files, markup, queries."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import resource
import shutil
import signal
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from ingest_support import ROOT
from query_support import CLINIC, cm, index_of
from reindex_support import small_config
from trust_support import status_of

import codesearch
from codesearch.batch import answers
from codesearch.errors import UsageError
from codesearch.ingest.inputs import InputFile
from codesearch.ingest.reading import InputReader
from codesearch.processes import Crew
from codesearch.records import CodeRecord, PackedRecord, Reject
from codesearch.verify import verify

MEGABYTE = 1_000_000
HEADER = "system,code,name\n"


def bounded(work: Callable[[], object], seconds: int = 10, megabytes: int = 400) -> None:
    """Does some work in a copy of this process that may take so much processor time and so much more memory."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        signal.alarm(20 * seconds)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
        assert grown < megabytes, f"took {grown:.0f} MB"

    assert status_of(limited) == 0


@cache
def tight() -> Path:
    """The configuration with limits of files that are quickly reached."""
    folder = Path(mkdtemp(prefix="codesearch-tight-"))
    shutil.copytree(ROOT / "ingest", folder / "ingest")
    gate = folder / "ingest" / "gate.toml"
    text = gate.read_text(encoding="utf-8")
    for name, value in (("max_json_bytes", 100_000), ("max_member_bytes", MEGABYTE), ("max_unpacked_bytes", 3_000_000)):
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    gate.write_text(re.sub(r"^max_bytes = 500.*$", "max_bytes = 2000000", text, flags=re.MULTILINE), encoding="utf-8")
    return folder


def items(path: Path, config: Path | None = None) -> list[object]:
    """What an input gives."""
    reader = InputReader((config or small_config()) / "ingest")
    return [item for _, item in reader.items([InputFile(path, path.name)], Crew(1))]


def reasons(path: Path, config: Path | None = None) -> list[str]:
    """Why an input, or parts of it, were rejected."""
    return [item.reason for item in items(path, config) if isinstance(item, Reject)]


# Archives


def test_members_of_a_zip_that_lie_on_top_of_each_other_are_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.html", bytes(range(256)) * 3000)
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry, count = data[start:end], 300
    tail = bytearray(data[end:])
    tail[8:12] = count.to_bytes(2, "little") * 2
    tail[12:16] = (count * len(entry)).to_bytes(4, "little")
    path.write_bytes(data[:start] + entry * count + bytes(tail))
    bounded(lambda: expect(reasons(path, tight()), "too-large"))
    assert len(items(path, tight())) < 10


def expect(found: list[str], reason: str) -> None:
    assert reason in found, found


def test_an_archive_that_unpacks_to_too_much_in_all_is_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5):
            archive.writestr(f"{number}.html", os.urandom(900_000))
    assert "too-large" in reasons(path, tight())


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_the_header_of_a_tar_cannot_ask_for_any_amount_of_memory(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 3_000_000_000
    path = tmp_path / "x.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(info.tobuf(tarfile.PAX_FORMAT))
        file.write(b"\0" * MEGABYTE)
    bounded(lambda: expect(reasons(path), "archive-bomb"), megabytes=100)


def test_a_huge_member_of_a_packed_tar_is_a_bomb(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.html")
    info.size = 10**12
    path = tmp_path / "x.tar.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(info.tobuf())
        file.write(b"\0" * MEGABYTE)
    bounded(lambda: expect(reasons(path), "archive-bomb"), megabytes=100)


@pytest.mark.parametrize("head", [b"", b"WARC/1.0\r\n", b"WARC/1.0\r\nWARC-Type: response\r\nX: "])
def test_a_line_without_end_in_a_warc_is_a_bomb(tmp_path: Path, head: bytes) -> None:
    pytest.importorskip("warcio")
    path = tmp_path / "x.warc.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(head)
        for _ in range(300):
            file.write(b"a" * MEGABYTE)
    bounded(lambda: expect(reasons(path), "archive-bomb"), megabytes=100)


def test_an_archive_inside_an_archive_is_not_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.html", "x")
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    assert [type(item).__name__ for item in items(path)] == ["Skip"]


@pytest.mark.parametrize("name", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_workbook_that_unpacks_to_too_much_is_not_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr(name, b" " * 50 * MEGABYTE)
    bounded(lambda: expect(reasons(path), "too-large"), megabytes=100)


def workbook(path: Path, size: str, rows: str) -> None:
    """A HCPCS workbook with one code, and with rows of its own below it, that claims to have a size."""
    openpyxl = pytest.importorskip("openpyxl")
    whole = io.BytesIO()
    book = openpyxl.Workbook()
    book.worksheets[0].append(["HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION"])
    book.worksheets[0].append(["A0001", "00100", "3", "A thing of our own", "Thing"])
    book.save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name).decode()
            if name.endswith("sheet1.xml"):
                data = re.sub('<dimension ref="[^"]*"', f'<dimension ref="{size}"', data)
                data = data.replace("</sheetData>", f"{rows}</sheetData>")
            target.writestr(name, data)


SHEETS = {
    "a last row and column": ("A1:XFD1048576", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    "a row beyond all": ("A1:ZZZ999999999", '<row r="999999999"><c r="A999999999"><v>1</v></c></row>'),
    "many wide rows": (
        "A1:ZZZ20000",
        "".join(f'<row r="{n}"><c r="ZZZ{n}"><v>1</v></c></row>' for n in range(3, 9999)),
    ),
}


@pytest.mark.parametrize("name", SHEETS)
def test_the_size_that_a_sheet_claims_costs_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.xlsx"
    workbook(path, *SHEETS[name])

    def read() -> None:
        assert [item.code for item in items(path) if isinstance(item, PackedRecord)] == ["A0001"]

    bounded(read, seconds=5, megabytes=100)


# Files


@pytest.mark.parametrize("suffix", [".csv", ".html", ".json", ".jsonl", ".txt", ".xml", ".xlsx", ".md"])
def test_a_file_of_two_gigabytes_is_not_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.touch()
    os.truncate(path, 2 * 10**9)
    bounded(lambda: expect(reasons(path), "too-large"), seconds=2, megabytes=50)


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".warc", ".warc.gz"])
def test_an_archive_of_two_gigabytes_of_nothing_is_read_or_told_in_time(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("warcio")
    path = tmp_path / f"x{suffix}"
    path.touch()
    os.truncate(path, 2 * 10**9)
    bounded(lambda: items(path), megabytes=50)


def test_a_file_that_is_too_large_is_not_even_summed(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "own.csv").write_text(f"{HEADER}LOCAL,A1,First\n", encoding="utf-8")
    large = sources / "large.csv"
    large.touch()
    os.truncate(large, 10**12)

    def build() -> None:
        report = codesearch.reindex(
            [sources], tmp_path / "index", jobs=1, config=small_config(), max_rejects=100, force=True
        )
        assert [reject.reason for reject in report.rejects] == ["too-large"]

    bounded(build, seconds=5)


NESTED = 100_000
DEEP = {
    "x.json": b"[" * NESTED,
    "x.jsonl": b'{"url": "x", "html": ' + b"[" * NESTED + b"\n" + b'{"a":' * NESTED,
    "own.jsonl": b'{"system": "LOCAL", "code": "A1", "name": "First"}\n{"system": "LOCAL", "code": "A2", "name": '
    + b"[" * NESTED
    + b"\n",
    "x.xml": b"<ICD10CM.tabular>" + b"<a>" * NESTED,
    "index.xml": b"<ICD10CM.index>" + b"<mainTerm><term>" * NESTED,
    "x.html": b"<div>" * 9000 + b"<h1>Repair</h1>" + b"</div>" * 9000,
    "script.html": b'<h1>Repair</h1><script type="application/ld+json">' + b"[" * NESTED + b"</script>",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(DEEP[name])
    bounded(lambda: expect_any(reasons(path)), megabytes=300)


def expect_any(found: list[str]) -> None:
    assert found


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9)
)
BOMB = f'<?xml version="1.0"?>{ENTITIES}]>'


@pytest.mark.parametrize("root", ["ICD10CM.tabular", "ICD10CM.index", "ICD10PCS.tabular", "ICD10PCS.index", "html"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("before", ["", "<!-- " + "x" * 70_000 + " -->"], ids=["plain", "after a long comment"])
def test_entities_are_never_expanded(tmp_path: Path, root: str, encoding: str, before: str) -> None:
    path = tmp_path / ("x.html" if root == "html" else "x.xml")
    body = f"{before}<{root}><h1>Repair &j; now</h1><diag><name>A00</name><desc>&j;&j;</desc></diag></{root}>"
    path.write_text(f"{BOMB}{body}", encoding=encoding)
    bounded(lambda: expect_no_expansion(items(path)), megabytes=100)


def expect_no_expansion(found: list[object]) -> None:
    assert not any("aaaaaaaaaa" in str(item) for item in found)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_entities_in_a_workbook_are_never_expanded(tmp_path: Path, part: str) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    whole = io.BytesIO()
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].append(["HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION"])
    workbook.save(whole)
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name).decode()
            if name == part:
                data = BOMB + re.sub(r"<\?xml.*?\?>", "", data).replace("</", "&j;</", 1)
            target.writestr(name, data)
    bounded(lambda: items(path), megabytes=100)


LONG = {
    "one.csv": lambda: HEADER.encode() + b"LOCAL,A1," + b"a" * 20 * MEGABYTE,
    "quote.csv": lambda: HEADER.encode() + b'LOCAL,A1,"' + b"a,\n" * 5 * MEGABYTE,
    "cells.csv": lambda: HEADER.encode() + b"LOCAL,A1" + b",a" * 5 * MEGABYTE,
    "own.jsonl": lambda: b'{"system":"L","code":"A1","name":"x"}\n{"name":"' + b"a" * 20 * MEGABYTE + b'"}\n',
    "line.txt": lambda: b"a" * 20 * MEGABYTE,
    "order.txt": lambda: b"00001 A00     0 Cholera".ljust(77) + b"C" * 20 * MEGABYTE + b"\n",
    "x.json": lambda: b'[{"url":"x","html":"' + b"a" * 20 * MEGABYTE + b'"}]',
    "list.json": lambda: b"[" + b"{}," * 3 * MEGABYTE + b"{}]",
    "x.html": lambda: b"<h1>" + b"a" * 3_900_000,
    "marks.html": lambda: ("<h1>Repair a" + "\u0301\u0323" * 400_000 + "</h1><h2>Risks</h2>").encode(),
    "x.xml": lambda: b"<ICD10CM.tabular><diag><name>" + b"A" * 20 * MEGABYTE,
}


@pytest.mark.parametrize("name", LONG)
def test_a_line_without_end_is_read_or_told_in_time(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(LONG[name]())
    bounded(lambda: items(path), megabytes=600)


def test_a_row_of_a_short_table_cannot_span_any_number_of_codes(tmp_path: Path) -> None:
    labels = "".join(f'<label code="{number}">x</label>' for number in range(300))
    axes = "".join(f"<axis><title>T{number}</title>{labels}</axis>" for number in range(4))
    heads = "".join(
        f'<axis pos="{number}"><title>T</title><label code="{number}">x</label></axis>' for number in range(3)
    )
    path = tmp_path / "tables.xml"
    path.write_text(f"<ICD10PCS.tabular><pcsTable>{heads}<pcsRow>{axes}</pcsRow></pcsTable></ICD10PCS.tabular>")
    bounded(lambda: expect(reasons(path), "bad-table"), megabytes=100)


def test_a_pile_of_marks_is_indexed_and_searched_in_time(tmp_path: Path) -> None:
    marks = "a" + "\u0301\u0323" * 100_000

    def build_and_search() -> None:
        with index_of(tmp_path / "index", cm("A00", f"Fever {marks} end")) as index:
            assert index.search(f"fever {marks}").hits[0].snippet

    bounded(build_and_search)


# Queries


@cache
def long_codes() -> codesearch.Index:
    """An index with long codes of a user's own, of letters that repeat."""
    records = [CodeRecord("LOCAL", "A" * 22 + f"{number % 10}{number}", f"Room {number}") for number in range(2000)]
    return index_of(Path(mkdtemp(prefix="codesearch-long-")) / "index", *records, *CLINIC)


QUERIES: dict[str, Callable[[], str]] = {
    "stars": lambda: "*A" * 12 + "*1",
    "stars and question marks": lambda: "?*A?*A?*A?*A?*A?*A?*1",
    "a*a*a*a*": lambda: "*a*a*a*",
    "a million letters": lambda: "a" * MEGABYTE,
    "a million digits": lambda: "1" * MEGABYTE,
    "words": lambda: "fever pain " * 90_000,
    "unknown words": lambda: " ".join(f"zz{'abcdefgh'[number % 8] * 9}q" for number in range(50_000)),
    "10,000 words with OR": lambda: " OR ".join(f"word{number}" for number in range(10_000)),
    "10,000 codes with OR": lambda: " OR ".join(f"E{number:04d}" for number in range(10_000)),
    "codes": lambda: "E11.9 " * 160_000,
    "ranges": lambda: "10000-99999 A00-Z99 " * 50_000,
    "parentheses": lambda: "(" * MEGABYTE,
    "quotes": lambda: '"a" ' * 250_000,
    "only stars": lambda: "*" * MEGABYTE,
    "hyphens": lambda: "x-" * 500_000,
    "dots": lambda: "1." * 500_000,
    "letters like digits": lambda: "OIL" * 300_000 + "1",
    "blanks": lambda: " " * MEGABYTE + "x",
    "lines": lambda: "\n" * MEGABYTE,
    "slashes": lambda: "a/" * 500_000,
    "apostrophes": lambda: "a'" * 500_000,
    "marks": lambda: "a" + "\u0301\u0323" * 500_000,
    "nothing": lambda: "\0" * MEGABYTE,
    "halves of characters": lambda: "\udc80\ud800" * 500_000,
    "right to left": lambda: "\u202e" * MEGABYTE,
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_any_size_is_answered_in_time(name: str) -> None:
    index, text = long_codes(), QUERIES[name]()

    def ask() -> None:
        for exact in (True, False):
            results = index.search(text, exact=exact)
            assert results.total >= len([hit.to_dict() for hit in results])
        index.get(text)
        index.all_of(text)

    bounded(ask, seconds=4, megabytes=300)


ASKED: dict[str, Callable[[codesearch.Index, str], object]] = {
    "setting": lambda index, text: index.search("fever", setting=text),
    "chapter": lambda index, text: index.search("fever", chapter=text),
    "kind": lambda index, text: index.search("fever", kind=text),
    "parent": lambda index, text: index.search("fever", parent=text),
    "on": lambda index, text: index.search("fever", on=text),
    "system": lambda index, text: index.search("fever", system=text),
    "cursor": lambda index, text: index.search("fever", cursor=text),
    "policy": lambda index, text: index.codes_with_policy(text),
    "payer": lambda index, text: index.codes_with_policy(payer=text),
    "families": lambda index, text: index.families(text),
    "similar": lambda index, text: index.similar(text),
    "suggest": lambda index, text: index.suggest(text),
    "complete_code": lambda index, text: index.complete_code(text),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("text", ["1 ", "fever pain ", "\ufdfa", "\udcff", "a\u0301", "*"], ids=ascii)
def test_what_is_given_beside_a_query_may_have_any_size(name: str, text: str) -> None:
    index = long_codes()

    def ask() -> None:
        with suppress(UsageError):
            ASKED[name](index, text * (MEGABYTE // len(text)))

    bounded(ask, seconds=4, megabytes=300)


@pytest.mark.parametrize("offset", [10**9, 2**63 - 1, 10**30])
def test_a_page_beyond_all_pages_is_empty(offset: int) -> None:
    for sort in ("rank", "code"):
        assert len(long_codes().search("fever", offset=offset, sort=sort)) == 0


def test_a_line_of_a_batch_without_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "queries"
    path.write_bytes(b"fever\n" + b"a" * 50 * MEGABYTE + b"\nfever\n")
    index = long_codes()

    def ask() -> None:
        with path.open("rb") as stream:
            rows = [json.loads(row) for rows in answers(index, stream, {}, jobs=1) for row in rows.splitlines()]
        assert [len(row.get("hits", ())) > 0 for row in rows] == [True, False, True]
        assert "more than 1,000,000 bytes" in rows[1]["error"]
        assert rows[0] == rows[2]

    bounded(ask, seconds=4, megabytes=100)


# Tables


def stacked(folder: Path, codes: int, is_ring: bool) -> codesearch.Index:
    """An index of codes each of which stands below the next, the last below none or below the first."""
    parents = [*(f"A{number:06d}" for number in range(1, codes)), "A000000" if is_ring else ""]
    rows = (f"LOCAL,A{number:06d},Room {number},{parent}\n" for number, parent in enumerate(parents))
    (folder / "own.csv").write_text("system,code,name,parent\n" + "".join(rows), encoding="utf-8")
    codesearch.reindex([folder / "own.csv"], folder / "index", jobs=1, config=small_config())
    return codesearch.open_index(folder / "index")


@pytest.mark.parametrize("is_ring", [False, True])
def test_codes_may_stand_below_each_other_without_end(tmp_path: Path, is_ring: bool) -> None:
    count = 20_000
    index = stacked(tmp_path, count, is_ring)

    def ask() -> None:
        (family,) = index.families("A000003")
        assert 8 < len(family.parents) < 20
        assert [one.code for one in family.children] == ["A000002"]
        assert index.search("room", parent=f"A{count - 1:06d}").total == count - (0 if is_ring else 1)

    bounded(ask, seconds=3, megabytes=100)


def test_an_index_without_a_record_answers(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("system,code,name\nLOCAL,,Nobody's\n", encoding="utf-8")
    report = codesearch.reindex([tmp_path / "own.csv"], tmp_path / "index", jobs=1, config=small_config(), force=True)
    assert (report.records, len(report.rejects)) == (0, 1)
    with codesearch.open_index(tmp_path / "index") as index:
        results = index.search("nobody OR E11*")
        assert (results.total, list(results), results.nothing is not None) == (0, [], True)
        assert (index.get("E11"), index.suggest("no"), index.complete_code("E1")) == (None, (), ())
        index.warm_up()
        assert not index.search("nobody").total
    assert list(verify(tmp_path / "index")) == []
