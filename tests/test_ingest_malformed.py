"""Malformed pages never stop the reading, and never take long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from ingest_support import CORPUS, parser

from codesearch.ingest.page import PageInput
from codesearch.records import CodeRecord, encode_record

SEEDS = [path.read_bytes() for path in sorted(CORPUS.rglob("*")) if path.is_file() and path.suffix != ".jsonl"]
TAGS = (
    b"<div> </div> <b> </p> <table> </tr> <li> </ul> <a> <script> <!-- --> <style> </html> <td> </section> <form>"
).split()
PIECES = [
    b"<div>",
    b"<li>x",
    b"<b><p>",
    b"<table><tr><td>",
    b"<a href=x>y",
    b"{{",
    b"{%",
    b"<?php ",
    b"<%",
    b"&amp;",
    b"<!--",
]
PIECES += [
    b"\n",
    b"a\n\n",
    b"# ",
    b"**a",
    b"[x](",
    b"- ",
    b",;",
    b"CPT ",
    b"22512 ",
    b"##### a: ",
    b"word ",
    b"\xe9",
    b'"a",',
    b"&#1",
]
STARTS = [
    b"",
    b"<h1>CPT 22512</h1>",
    b"Title\n\nSummary\n\n",
    b'<script type="application/ld+json">[',
    b"<h1>x</h1><h2>Policies</h2><p>",
]


def truncated(rng: random.Random) -> bytes:
    """A page that ends too soon."""
    page = rng.choice(SEEDS)
    return page[: rng.randrange(len(page))]


def mis_nested(rng: random.Random) -> bytes:
    """A page with tags strewn over it."""
    page = rng.choice(SEEDS)
    for _ in range(rng.randrange(1, 60)):
        place = rng.randrange(len(page))
        page = page[:place] + rng.choice(TAGS) + page[place:]
    return page


def with_nul_bytes(rng: random.Random) -> bytes:
    """A page with NUL bytes in it."""
    page = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randrange(1, 300)):
        page.insert(rng.randrange(len(page)), 0)
    return bytes(page)


def of_another_charset(rng: random.Random) -> bytes:
    """A page in an encoding that it does not declare."""
    text = rng.choice(SEEDS).decode("utf-8", "replace")
    return text.encode(
        rng.choice(["utf-16", "utf-16-be", "utf-32", "cp1252", "shift_jis", "utf-7", "cp500", "gb18030"]), "replace"
    )


def of_random_bytes(rng: random.Random) -> bytes:
    """No page at all."""
    return rng.randbytes(rng.choice([1, 10, 1000, 100_000]))


def of_one_piece(rng: random.Random) -> bytes:
    """A piece of a page over and over."""
    piece = rng.choice(PIECES)
    return rng.choice(STARTS) + piece * (rng.choice([10_000, 300_000]) // len(piece))


MAKERS = [truncated, mis_nested, with_nul_bytes, of_another_charset, of_random_bytes, of_one_piece]


def seconds(data: bytes, form: str | None = None) -> float:
    """The processor time that a page takes to be read and written; other work on the machine does not count."""
    start = time.process_time()
    found = parser().parse(PageInput("x", data, form, "cpt-22512.html"))  # type: ignore[arg-type]
    if isinstance(found, CodeRecord):
        encode_record(found)
    return time.process_time() - start


@pytest.mark.parametrize("make", MAKERS)
def test_malformed_pages_are_read_or_rejected_in_time(make: Callable[[random.Random], bytes]) -> None:
    rng = random.Random(make.__name__)
    assert max(seconds(make(rng), rng.choice([None, "html", "text"])) for _ in range(60)) < 1


@pytest.mark.parametrize("size", [200_000, 5_000_000])
@pytest.mark.parametrize("piece", [b"<div>", b"<div ", b"word ", b"1. ", b"{{", b"<", b"a\r"])
def test_long_pages_are_read_or_rejected_in_time(piece: bytes, size: int) -> None:
    assert seconds(b"<h1>x</h1>" + piece * (size // len(piece))) < 1


@pytest.mark.parametrize(
    "data",
    [
        b"<h1>x</h1>" + b'<ul class="item cookie"><li>Risks <b>a' * 3300,
        b"<h1>Summary</h1>" + b"".join(b"<p>word%d b</p>" % number for number in range(4900)),
        b"Title x\n\nSummary\n" + b"".join(b"line %d is a text; and more\n" % number for number in range(39_000)),
        b"<h1>x</h1>" + b'<div class="ad">' * 190 + b"<h1>y</h1>" + b"<li>a" * 9000,
        b"<h1>x</h1><h2>Similar codes</h2>"
        + b"".join(b'<li><a href="/cpt4/%05d">%05d</a>' % (n, n) for n in range(4900)),
        b"<h1>x</h1><table>" + b"<tr><td>Risks:<td>some text" * 3300,
        b'<script type="application/ld+json">['
        + b",".join(b'{"a%d":"x <b>y</b>"}' % n for n in range(3000))
        + b"]</script>",
    ],
    ids=["deep", "paragraphs", "lines", "nested furniture", "codes", "rows", "values"],
)
def test_pages_near_the_limits_are_read_in_time(data: bytes) -> None:
    assert seconds(data) < 1.5
