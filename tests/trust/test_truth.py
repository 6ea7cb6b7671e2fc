"""The same input gives the same index and the same answers, on every road and in every surrounding."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import msgspec
import pytest
from codesets_support import FIXTURES, read
from ingest_support import CORPUS, parser
from reindex_support import generation
from test_codec import FIELDS, TEXTS, Pair, statistics, walked

import codesearch
from codesearch.batch import answers
from codesearch.index.generations import GenerationStore
from codesearch.index.record_file import RecordFile
from codesearch.index.schema import identifiers
from codesearch.ingest.page import PageInput
from codesearch.records import CodeRecord

QUERIES = (
    *("bone cement", "E11.9", "e 11.9", "99202-99215", "0FT4?ZZ", "kidny stone", "hives", "pain", "b12", "x-ray"),
    *("Ménière", "(", "E11", "fracture of femur", "type 2 diabetes", "sugar", "MI", "chest", "22512 cement", "zzzz"),
)


@cache
def corpus_index() -> Path:
    """The index of the shipped pages and of the fixtures of code-set files."""
    place = Path(mkdtemp(prefix="codesearch-truth-"))
    shutil.copytree(CORPUS, place / "corpus")
    shutil.copytree(FIXTURES, place / "codesets")
    codesearch.reindex([place / "corpus", place / "codesets"], place / "index", jobs=1, force=True)
    return place / "index"


@cache
def corpus_records() -> list[CodeRecord]:
    file = RecordFile(GenerationStore(corpus_index()).current().folder)
    try:
        return [stored.record for stored in file.all()]
    finally:
        file.close()


def test_every_term_of_real_records_stands_where_a_stock_whoosh_index_has_it(tmp_path: Path) -> None:
    compared = 0
    with Pair(tmp_path, corpus_records()) as pair:
        ours, stock = pair.ours.reader(), pair.stock.reader()
        for field in (*TEXTS, *identifiers(FIELDS)):
            assert list(ours.lexicon(field)) == list(stock.lexicon(field))
            for term in stock.lexicon(field):
                assert walked(pair.ours, field, term) == walked(pair.stock, field, term)
                assert statistics(pair.ours, field, term) == statistics(pair.stock, field, term)
                compared += 1
    assert compared > 3000


def batch(index: codesearch.Index, options: dict[str, object], copies: int = 1) -> list[dict[str, Any]]:
    """The answers to all queries, so many times."""
    stream = io.BytesIO("\n".join(QUERIES * copies).encode())
    return [json.loads(line) for lines in answers(index, stream, options) for line in lines.splitlines()]


@pytest.mark.parametrize("options", [{}, {"exact": True}, {"system": "ICD10CM", "limit": 3}, {"sort": "code"}], ids=str)
def test_a_batch_answers_what_single_searches_answer(options: dict[str, object]) -> None:
    with codesearch.open_index(corpus_index()) as index:
        rows = batch(index, options)
    for query, row in zip(QUERIES, rows, strict=True):
        with codesearch.open_index(corpus_index()) as alone:
            results = alone.search(query, **options)  # type: ignore[arg-type]
            assert row["hits"] == json.loads(json.dumps([hit.to_dict() for hit in results]))
            assert row["total"] == results.total


def surroundings() -> Iterator[dict[str, str]]:
    """What a process may find around it."""
    yield {"PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0", "TZ": "Pacific/Kiritimati"}
    yield {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "TZ": "America/St_Johns", "PYTHONOPTIMIZE": "1"}
    yield {"PYTHONHASHSEED": "3", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "COLUMNS": "40", "NO_COLOR": "1"}


@pytest.mark.parametrize("variables", list(surroundings()), ids=str)
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_the_surroundings_of_a_build_change_no_byte(tmp_path: Path, variables: dict[str, str], jobs: str) -> None:
    sources = [str(corpus_index().parent / name) for name in ("corpus", "codesets")]
    command = [sys.executable, "-m", "codesearch", "reindex", *sources, "--index", str(tmp_path / "index")]
    done = subprocess.run([*command, "--jobs", jobs, "--force"], env=os.environ | variables, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert generation(tmp_path / "index") == generation(corpus_index())


@pytest.mark.parametrize("variables", list(surroundings()), ids=str)
def test_the_surroundings_of_a_search_change_no_answer(variables: dict[str, str]) -> None:
    command = [sys.executable, "-m", "codesearch", "search", "--batch", "-", "--index", str(corpus_index())]
    done = subprocess.run(
        command, input="\n".join(QUERIES).encode(), env=os.environ | variables, capture_output=True, check=True
    )
    with codesearch.open_index(corpus_index()) as index:
        assert [json.loads(line) for line in done.stdout.splitlines()] == batch(index, {})


def test_workers_of_a_batch_change_no_answer() -> None:
    with codesearch.open_index(corpus_index()) as index:
        assert batch(index, {}, copies=15) == 15 * batch(index, {})


def said(record: CodeRecord) -> CodeRecord:
    """A record without what it says of its source."""
    return msgspec.structs.replace(record, source=())


TEXT_FILES = [path for path in sorted(FIXTURES.iterdir()) if path.suffix != ".xlsx"]


@pytest.mark.parametrize("path", TEXT_FILES, ids=lambda path: path.name)
def test_line_ends_of_another_platform_change_no_code_set(path: Path) -> None:
    data = path.read_bytes().replace(b"\r\n", b"\n")
    unix, windows = read(data), read(data.replace(b"\n", b"\r\n"))
    assert unix.layout == windows.layout
    assert list(map(said, unix.records)) == list(map(said, windows.records))
    assert (unix.rejects, unix.warnings) == (windows.rejects, windows.warnings)


PAGES = [
    path
    for path in sorted(CORPUS.rglob("*"))
    if path.suffix in {".html", ".txt", ".md"} and b"\0" not in path.read_bytes()  # UTF-16 has line ends of two bytes
]


@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["windows", "old mac"])
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_line_ends_of_another_platform_change_no_page(path: Path, end: bytes) -> None:
    data = path.read_bytes().replace(b"\r\n", b"\n")
    form = "html" if path.suffix == ".html" else "text"
    page = PageInput(path.name, data, form, path.name)  # type: ignore[arg-type]
    unix, other = parser().parse(page), parser().parse(page._replace(data=data.replace(b"\n", end)))
    assert isinstance(unix, CodeRecord)
    assert isinstance(other, CodeRecord)
    assert said(unix) == said(other)


def test_a_file_without_its_last_line_end_gives_the_same_codes() -> None:
    for path in TEXT_FILES:
        data = path.read_bytes().rstrip(b"\r\n")
        stream = io.BytesIO(data)
        assert [said(one) for one in read(stream.getvalue()).records] == [
            said(one) for one in read(path.read_bytes()).records
        ], path.name
