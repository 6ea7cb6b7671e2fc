"""Scrapers' JSON gives its pages, however it is laid out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.ingest.page import PageInput
from codesearch.ingest.scraped_json import pages
from codesearch.records import Reject

PAGE = {"url": "https://x.example/cpt4/22512", "html": "<h1>é</h1>", "fetched": "2026-01-01"}
OTHER = {"url": "https://x.example/cpt4/22513", "text": "Text"}


def read(data: bytes) -> list[PageInput | Reject]:
    """What a file gives."""
    return list(pages(data, "f.json", 1_000_000))


def page(member: dict[str, Any]) -> PageInput:
    """The page of one object."""
    (found,) = read(json.dumps(member).encode())
    assert isinstance(found, PageInput)
    return found


def lines(*members: Any, **options: Any) -> bytes:
    """Objects, one a line."""
    return "\n".join(json.dumps(member, **options) for member in members).encode()


def test_a_line_is_a_page_with_its_url_form_and_time() -> None:
    first, second = read(lines(PAGE, OTHER))
    assert first == PageInput("f.json:1", "<h1>é</h1>".encode(), "html", "", PAGE["url"], "2026-01-01")
    assert second == PageInput("f.json:2", b"Text", "text", "", OTHER["url"])


@pytest.mark.parametrize(
    "data",
    [
        lines([PAGE, OTHER]),
        json.dumps([PAGE, OTHER], indent=2).encode(),
        json.dumps({"pages": [PAGE, OTHER], "count": 2}, indent=2).encode(),
        b"\n" + lines(PAGE) + b"\n\n" + lines(OTHER) + b"\n",
        b"\xef\xbb\xbf" + lines(PAGE, OTHER),
        lines(PAGE, OTHER).replace(b"\n", b"\r\n"),
        lines(PAGE, OTHER).decode().encode("utf-16"),
    ],
    ids=["list", "pretty list", "wrapped list", "blank lines", "byte order mark", "CRLF", "UTF-16"],
)
def test_every_layout_of_two_pages_gives_two_pages(data: bytes) -> None:
    assert [found.url for found in read(data) if isinstance(found, PageInput)] == [PAGE["url"], OTHER["url"]]


def test_one_object_over_several_lines_is_one_page() -> None:
    (found,) = read(json.dumps(PAGE, indent=2).encode())
    assert isinstance(found, PageInput)
    assert found.location == "f.json"


def test_broken_line_is_a_reject_with_its_number_and_the_rest_goes_on() -> None:
    first, second, third = read(b'{"url": "x", "html"\n' + lines(OTHER) + b"\nnull")
    assert isinstance(first, Reject)
    assert (first.location, first.reason) == ("f.json:1", "bad-json")
    assert isinstance(second, PageInput)
    assert isinstance(third, Reject)
    assert third.reason == "no-page"


def test_answer_of_an_error_is_a_reject() -> None:
    (found,) = read(lines({**PAGE, "status": 404}))
    assert isinstance(found, Reject)
    assert found.reason == "error-page"
    assert isinstance(read(lines({**PAGE, "status_code": 200}))[0], PageInput)


@pytest.mark.parametrize("member", [{}, {"url": "x"}, {"html": None}, {"html": ["x"]}, [], 5])
def test_object_without_content_is_a_reject(member: Any) -> None:
    found = read(b"\n".join([lines(member), lines(OTHER)]))
    assert isinstance(found[0], Reject)
    assert found[0].reason == "no-page"


def test_first_content_that_is_not_blank_is_the_page() -> None:
    assert page({"html": " ", "text": "Text"}).data == b"Text"
    assert page({"html": None, "body": "<p>x"}).form is None


def test_bytes_of_another_encoding_are_read() -> None:
    (found,) = read('{"url": "x", "text": "38.5 °C in the patient\'s room, measured at noon"}'.encode("cp1252"))
    assert isinstance(found, PageInput)
    assert "38.5 °C" in found.data.decode()


def test_what_cannot_be_written_becomes_a_question_mark() -> None:
    assert page({"url": "x\ud800", "text": "a\udfffb"}) == PageInput("f.json:1", b"a?b", "text", "", "x?")


def test_numbers_too_long_and_nesting_too_deep_are_rejects() -> None:
    assert all(isinstance(found, Reject) for found in read(b"9" * 10_000 + b"\n" + b"[" * 100_000))


@given(st.binary(max_size=200))
def test_any_bytes_are_read(data: bytes) -> None:
    read(data)


def test_codes_in_a_list_are_told_how_they_are_read() -> None:
    [found] = pages(b'[{"system": "CPT", "code": "99213", "name": "Visit"}]', "codes.json", 1000)
    assert isinstance(found, Reject)
    assert found.message.endswith("write codes one object a line")
