"""Scrapers' JSON to pages: objects `{url, html | text, fetched}`, one a line, in a list, or alone."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from codesearch.ingest.decoding import decode
from codesearch.ingest.inputs import PageForm
from codesearch.ingest.page import PageInput
from codesearch.records import Reject

_BODIES: tuple[tuple[str, PageForm | None], ...] = (
    ("html", "html"),
    ("text", "text"),
    ("body", None),
    ("content", None),
    ("markdown", "text"),
)
_FETCHED = ("fetched", "fetched_at", "timestamp", "date", "crawled")
_STATUS = ("status", "status_code", "http_status")
_FIRST_ERROR = 400


def pages(data: bytes, location: str, most: int) -> Iterator[PageInput | Reject]:
    """The pages of a scraper's file; a line that is none is a reject with its number, and the rest goes on.

    `most` is how many bytes a JSON document may have: the whole file, or a line where each line is a page.
    """
    data = _as_utf8(data)
    document = _whole_document(data.strip()) if len(data) <= most else None
    if isinstance(document, list):
        for number, member in enumerate(document, 1):
            yield _page(member, f"{location}:{number}")
    elif document is not None:
        yield _page(document, location)
    else:
        for number, line in enumerate(data.splitlines(), 1):
            if len(line) > most:
                message = f"{len(line):,} bytes are more than a JSON document may have ({most:,}); write a page a line"
                yield Reject(f"{location}:{number}", "too-large", message)
            elif line.strip():
                yield _of_line(line, f"{location}:{number}")


def _as_utf8(data: bytes) -> bytes:
    """The file as UTF-8 without a byte order mark, so that its lines can be told apart."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(codecs.BOM_UTF8)


def _whole_document(data: bytes) -> Any:
    """The one value of a file: a list of pages, or a page spread over lines; None where each line is a page."""
    begins_list = data.startswith(b"[")
    if not begins_list and data.partition(b"\n")[0].rstrip().endswith(b"}"):
        return None
    try:
        document = _loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, dict) and not any(key in document for key, _ in _BODIES):
        lists = [value for value in document.values() if isinstance(value, list) and value]
        return lists[0] if len(lists) == 1 else document
    return document


def _of_line(line: bytes, location: str) -> PageInput | Reject:
    try:
        return _page(_loads(line), location)
    except (ValueError, RecursionError) as error:
        message = f"this is no JSON ({error}); write one object {{url, html, fetched}} a line"
        return Reject(location, "bad-json", message)


def _loads(data: bytes) -> Any:
    try:
        return json.loads(data)
    except UnicodeDecodeError:
        return json.loads(decode(data).text)


def _page(member: Any, location: str) -> PageInput | Reject:
    given = member if isinstance(member, dict) else {}
    status = next((given[key] for key in _STATUS if isinstance(given.get(key), int)), 200)
    if status >= _FIRST_ERROR:
        return Reject(location, "error-page", f"the server answered {status}; fetch the page again")
    bodies = [(given[key], form) for key, form in _BODIES if isinstance(given.get(key), str)]
    if not bodies:
        next_step = "write codes one object a line" if "code" in given else "name the page's content so"
        return Reject(location, "no-page", f"the object has neither html nor text; {next_step}")
    body, form = next((pair for pair in bodies if pair[0].strip()), bodies[0])
    return PageInput(
        location=location,
        data=body.encode("utf-8", "replace"),
        form=form,
        url=_text(given.get("url")),
        fetched=next((_text(given[name]) for name in _FETCHED if given.get(name)), ""),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
