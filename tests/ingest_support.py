"""What the tests of the page ingest share: the parser of this checkout, and pages given as text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from codesearch.ingest.page import PageInput, PageParser
from codesearch.records import CodeRecord, Reject, Skip

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "corpus"
PAGES = ROOT / "tests" / "fixtures" / "pages"
SEED = ROOT.parent / "shared" / "seed" / "page.txt"


@cache
def parser() -> PageParser:
    """The parser with the configuration of this checkout."""
    return PageParser(ROOT / "ingest")


def parse(content: str | bytes, name: str = "cpt-22512.html", url: str = "") -> CodeRecord | Reject | Skip:
    """What a page gives, whose form is that of its name."""
    data = content if isinstance(content, bytes) else content.encode()
    form = {"html": "html", "txt": "text", "md": "text"}.get(name.rpartition(".")[2])
    page = PageInput(location=name, data=data, file_name=name, url=url)
    return parser().parse(page._replace(form="html" if form == "html" else "text" if form else None))


def record(content: str | bytes, name: str = "cpt-22512.html", url: str = "") -> CodeRecord:
    """The record of a page that gives one."""
    result = parse(content, name, url)
    assert isinstance(result, CodeRecord), result
    return result


def html_record(body: str, name: str = "cpt-22512.html") -> CodeRecord:
    """The record of an HTML page with a title and this body."""
    return record(
        f"<html><body><main><h1>Repair of a thing that broke in daily use</h1>{body}</main></body></html>", name
    )


def reject(content: str | bytes, name: str = "page.html") -> Reject:
    """The reject of a page that gives one."""
    result = parse(content, name)
    assert isinstance(result, Reject), result
    return result


def kinds(found: CodeRecord) -> list[str]:
    """The kinds of a record's warnings."""
    return [warning.kind for warning in found.warnings]
