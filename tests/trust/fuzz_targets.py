"""What fuzzing calls: each target takes any bytes, and fails where something else comes of them than a clear answer.

`test_fuzz.py` gives them a few mutated seeds in every test run; `fuzz.py` lets atheris look for more (`make fuzz`).
"""

from __future__ import annotations

import atexit
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from codesets_support import FIXTURES, fixture, layouts
from ingest_support import CORPUS, ROOT, parser
from query_support import CLINIC, CLINIC_RULES, index_of
from test_ingest_archives import WARC

import codesearch
from codesearch.codes import bare, readings, written
from codesearch.errors import CodesearchError, UnknownCodeError
from codesearch.formats import csv_lines, json_line, one_line
from codesearch.index.reader import IndexReader
from codesearch.ingest.codesets import Loaded, load
from codesearch.ingest.inputs import InputFile, PageForm
from codesearch.ingest.page import PageInput
from codesearch.ingest.reading import InputReader
from codesearch.processes import Crew
from codesearch.query.codes_typed import CodeRecogniser
from codesearch.records import (
    CodeRecord,
    InputWarning,
    PackedRecord,
    Reject,
    Skip,
    Source,
    decode_record,
    encode_record,
)

SUFFIXES = (
    *(".html", ".txt", ".md", ".json", ".jsonl", ".csv", ".tsv", ".xml"),
    *(".xlsx", ".zip", ".tar", ".tar.gz", ".tgz", ".warc", ".warc.gz"),
)
FORMS: tuple[PageForm | None, ...] = ("html", "text", None)
QUERIES = (
    *("type 2 diabetes", "E11.9", "e 11.9", "0FT4?ZZ", "99202-99215 visit", "W21.89A", "sugar diabets", "MI", "hives"),
    *("*a*a*a*", "(primary) hypertension", "x-ray / b12", "E11*", "LT", "AB-77.1", '"back pain" NOT rest', "ménière"),
    *(
        '"bone cement" -neck',
        "+fever AND (cough OR pain) -aura",
        "name:pain steps:(needle cement)",
        "system:(cpt hcpcs) x",
    ),
    *("22510-22514 -name:kyphoplasty", "code:(K0001 E11)", "cpt4-22512", "E10 E11 neuropathy", 'excludes:"x y" OR -z'),
)


class Target(NamedTuple):
    """Something to be called with bytes, and bytes to begin with."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


@cache
def work_folder() -> Path:
    """A folder in memory, if there is one, that is removed at the end."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="codesearch-fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# Pages


def page(data: bytes) -> None:
    """A page gives a record that survives being written, or a reject."""
    form = FORMS[data[0] % 3] if data else None
    found = parser().parse(PageInput("x", data[1:], form, "cpt-22512.html", "https://a.example/code/22512"))
    if isinstance(found, CodeRecord):
        assert decode_record(encode_record(found)) == found
        json_line(found.to_dict())
    else:
        assert isinstance(found, Reject)
        assert found.message


def _page_seeds() -> list[bytes]:
    paths = [path for path in sorted(CORPUS.rglob("*")) if path.suffix in {".html", ".txt", ".md"}]
    return [bytes([path.suffix != ".html"]) + path.read_bytes() for path in paths]


# Code-set files


def codeset(data: bytes) -> None:
    """Every loader, on content that is perhaps not its own, gives records, rejects and warnings."""
    if not data:
        return
    layout = layouts()[data[0] % len(layouts())]
    for item in load(io.BytesIO(data[1:]), Source(path="file", sha256="00"), layout):
        assert isinstance(item, Loaded)
        if isinstance(item, CodeRecord):
            assert decode_record(encode_record(item)) == item


def _codeset_seeds() -> list[bytes]:
    names = {layout.name: number for number, layout in enumerate(layouts())}
    seeds = []
    for path in sorted(FIXTURES.iterdir()):
        layout = next((name for name in names if name.startswith(path.stem.replace("_", "-"))), "own-codes")
        seeds.append(bytes([names[layout]]) + path.read_bytes())
    return seeds


# Whole inputs, of every kind


@cache
def _reader() -> InputReader:
    return InputReader(ROOT / "ingest")


def any_input(data: bytes) -> None:
    """A file of any name and content gives records, rejects, skips and warnings."""
    if not data:
        return
    path = work_folder() / f"cpt-22512{SUFFIXES[data[0] % len(SUFFIXES)]}"
    path.write_bytes(data[1:])
    for _, item in _reader().items([InputFile(path, "x")], Crew(1)):
        assert isinstance(item, PackedRecord | Reject | Skip | InputWarning)


def _input_seeds() -> list[bytes]:
    pages = io.BytesIO()
    with zipfile.ZipFile(pages, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("icd10cm_order.txt", "own.csv"):
            archive.writestr(name, fixture(name))
        archive.writestr("cpt-22512.html", next(CORPUS.rglob("*.html")).read_bytes())
    jsonl = next(CORPUS.rglob("*.jsonl")).read_bytes()
    seeds = {
        ".zip": pages.getvalue(),
        ".xlsx": _workbook(),
        ".jsonl": jsonl[:20_000],
        ".json": b'[{"url": "https://x.example/cpt/22512", "html": "<h1>Repair</h1><h2>Risks</h2><p>Pain</p>"}]',
        ".warc": WARC,
        **{path.suffix: path.read_bytes() for path in sorted(FIXTURES.iterdir())},
    }
    return [bytes([SUFFIXES.index(suffix)]) + data for suffix, data in seeds.items()]


def _workbook() -> bytes:
    import openpyxl

    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(["HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "SHORT DESCRIPTION"])
    sheet.append(["A0001", "00100", "3", "A thing of our own", "Thing"])
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


# Queries


@cache
def _index() -> codesearch.Index:
    return index_of(work_folder() / "index", *CLINIC, rules=CLINIC_RULES)


def query(data: bytes) -> None:
    """Any text is searched, and what is found can be printed."""
    chosen, text = data[0] if data else 0, data[1:].decode("utf-8", "surrogateescape")
    results = _index().search(
        text,
        system=("CPT", None, ("ICD10CM", "LOCAL"), None)[chosen & 3],
        billable=(None, True, None, False)[chosen >> 2 & 3],
        limit=(10, 0, 3, 100)[chosen >> 4 & 3],
        cursor=(None, "start")[chosen >> 5 & 1],
        sort="code" if chosen & 64 else "rank",
        exact=bool(chosen & 128),
        group=chosen % 5 == 0,
    )
    hits = [hit.to_dict() for hit in results]
    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    assert len({(hit["system"], hit["code"], hit["name"]) for hit in hits}) == len(hits) <= results.total
    for line in (*map(json_line, hits), *csv_lines(hits), *(one_line(str(rewrite)) for rewrite in results.rewrites)):
        assert "\x1b" not in line
        assert "\0" not in line


def suggest(data: bytes) -> None:
    """Any text that is being typed may become something, or nothing."""
    text = data.decode("utf-8", "surrogateescape")
    index = _index()
    for found in (index.suggest(text), index.suggest(text, system="CPT", billable=True), index.complete_code(text)):
        assert len(found) <= 10
        for one in found:
            json_line(one.to_dict())


def _query_seeds() -> list[bytes]:
    return [bytes([number * 37 % 256]) + text.encode() for number, text in enumerate(QUERIES)]


# Codes


@cache
def _recogniser() -> tuple[CodeRecogniser, tuple[str, ...]]:
    folder = _index().path / "generations" / _index().generation
    reader = IndexReader(folder)
    return CodeRecogniser(reader), tuple(reader.systems)


def code(data: bytes) -> None:
    """Codes are found in any text; the forms of a code are stable."""
    text = data.decode("utf-8", "surrogateescape")
    recogniser, systems = _recogniser()
    matches, rest = recogniser.split(text, systems)
    assert all(match.documents or match.reading for match in matches)
    assert len(rest) <= len(text)
    assert bare(bare(text)) == bare(text)
    for system, form in readings(text):
        assert written(system, form) == form
    _index().get(text)
    _index().all_of(text)
    # They look for the nearest codes, which takes ten times what all else does: one of them, now and then.
    for look_up in (_index().families, _index().similar, _index().policies)[sum(data) % 30 :][:1]:
        with suppress(UnknownCodeError):
            look_up(text)


def _code_seeds() -> list[bytes]:
    return [text.encode() for text in QUERIES]


def expect_clear_answer(work: Callable[[], object]) -> None:
    """Runs something that may fail only by an error of ours, with its three parts."""
    try:
        work()
    except CodesearchError as error:
        if not (error.subject and error.reason and error.next_step):
            raise AssertionError("the error lacks a part") from error


TARGETS = {
    "page": Target(page, _page_seeds),
    "codeset": Target(codeset, _codeset_seeds),
    "input": Target(any_input, _input_seeds),
    "query": Target(query, _query_seeds),
    "suggest": Target(suggest, _code_seeds),
    "code": Target(code, _code_seeds),
}
