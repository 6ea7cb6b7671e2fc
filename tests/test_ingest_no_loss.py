"""Nothing of a page's main content is lost: every word of it stands somewhere in the record."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_support import CORPUS, parser, record

from codesearch.ingest.decoding import decode
from codesearch.ingest.layouts import fold_heading
from codesearch.records import encode_record

# Words of these letters are no heading, no furniture and no code; each page has each of them once.
WORD = st.text("bcdfghjkmvwxz", min_size=3, max_size=9)
KNOWN = [
    *("Summary", "Purpose", "Goals", "Risks and Complications", "Common Risks", "Rare Risks", "Procedure Description"),
    *("Duration", "Setting", "Personnel", "Benefits", "Timeline", "Recovery", "Restrictions", "Alternatives"),
    *("Also known as", "Excludes1", "Notes", "Specialty", "Tools Used", "Patient Experience", "After the Procedure"),
    *("Name of the Procedure", "Code", "Code system", "Short description", "Medical policies", "Similar Codes"),
    *("Related codes", "Medical Policies and Guidelines for"),
]
PIECES = (
    "paragraph",
    "lines",
    "bullets",
    "numbers",
    "labelled",
    "table",
    "headed table",
    "divs",
    "definitions",
    "glued",
)


class Page:
    """A page as a tree of random words, which can be written in any form; `words` are all of its own."""

    def __init__(self, title: str, sections: list[tuple[str, list[tuple[str, list[str]]]]]) -> None:
        self.title = title
        self.sections = sections

    @property
    def words(self) -> set[str]:
        texts = [self.title]
        for heading, pieces in self.sections:
            texts += [heading, *(text for _, piece in pieces for text in piece)]
        known = {word.lower() for heading in KNOWN for word in heading.split()}
        return {word.lower() for text in texts for word in text.split()} - known


def sentence(words: list[str], ends: list[int]) -> str:
    """Some words as a text, capitalised."""
    return " ".join(words).capitalize() + ("." if ends and len(words) > 4 else "")


TEXT = st.builds(sentence, st.lists(WORD, min_size=1, max_size=9), st.lists(st.integers(), max_size=1))
SHORT = st.builds(sentence, st.lists(WORD, min_size=1, max_size=3), st.just([]))
PIECE = st.tuples(st.sampled_from(PIECES), st.lists(TEXT, min_size=1, max_size=5))
HEADING = st.one_of(st.sampled_from(KNOWN), SHORT, st.builds("Medical Policies and Guidelines for {}".format, SHORT))
PAGE = st.builds(
    Page,
    st.builds(sentence, st.lists(WORD, min_size=2, max_size=6), st.just([])),
    st.lists(st.tuples(HEADING, st.lists(PIECE, min_size=0, max_size=4)), min_size=2, max_size=7),
)


def as_text(page: Page) -> str:
    """The page as scraped plain text."""
    lines = [page.title, "", "CPT4 code", "", "Summary", "", "Eight words at least make this a page.", ""]
    for heading, pieces in page.sections:
        lines += [heading, ""]
        for kind, texts in pieces:
            lines += [*_text_piece(kind, texts), ""]
    return "\n".join(lines)


def _text_piece(kind: str, texts: list[str]) -> list[str]:
    if kind == "bullets":
        return [f"  • {text}" for text in texts]
    if kind == "numbers":
        return [f"  {number}. {text}" for number, text in enumerate(texts, 1)]
    if kind == "labelled":
        return [f"{text.split()[0]}: {text}" for text in texts]
    if kind == "glued":
        return [f"  • {text} ##### {text.split()[-1]}:" for text in texts]
    if kind == "lines":
        return [line for text in texts for line in (text, "")]
    return texts


def as_html(page: Page) -> str:
    """The page as HTML, its sections as different as sites write them."""
    body = [f"<h1>{page.title}</h1><h2>Summary</h2><p>Eight words at least make this a page.</p>"]
    marks: list[Callable[[str], str]] = [
        "<h2>{}</h2>".format,
        "<p><b>{}:</b></p>".format,
        "<br><strong>{}</strong><br>".format,
    ]
    for number, (heading, pieces) in enumerate(page.sections):
        body.append(marks[number % 3](html.escape(heading)))
        body += [_html_piece(kind, texts) for kind, texts in pieces]
    return f"<html><body><nav>Menu</nav><main>{''.join(body)}</main><footer>Imprint</footer></body></html>"


def _html_piece(kind: str, texts: list[str]) -> str:
    wraps = {
        "bullets": ("<ul>", "<li>{}</li>", "</ul>"),
        "numbers": ("<ol>", "<li><p>{}</p></li>", "</ol>"),
        "divs": ("<div class='list'>", "<div class='item'>{}</div>", "</div>"),
        "definitions": ("<dl>", "<dt>{}</dt><dd>{}</dd>", "</dl>"),
        "table": ("<table>", "<tr><td>{}</td><td>{}</td></tr>", "</table>"),
        "headed table": (
            "<table><tr><th>Common</th><th>Rare</th></tr>",
            "<tr><td>{}</td><td>{}</td><td>x</td></tr>",
            "</table>",
        ),
        "lines": ("<p>", "{}<br>", "</p>"),
        "labelled": ("", "<p><strong>{}:</strong> {}</p>", ""),
        "glued": ("<ul>", "<li>{}<span>{}</span></li>", "</ul>"),
    }
    start, member, end = wraps.get(kind, ("", "<p>{}</p>", ""))
    return start + "".join(member.format(text, text.split()[0]) for text in texts) + end


def lost(page: Page, encoded: bytes) -> set[str]:
    """The page's words that are not in the record."""
    found = encoded.decode().lower()
    return {word for word in page.words if word.strip(".") not in found}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PAGE)
def test_every_word_of_a_text_page_is_in_its_record(page: Page) -> None:
    assert not lost(page, encode_record(record(as_text(page), "cpt-22512.txt")))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PAGE)
def test_every_word_of_an_html_page_is_in_its_record(page: Page) -> None:
    assert not lost(page, encode_record(record(as_html(page))))


def as_json(page: Page) -> str:
    """The page as a script that a browser would build it from."""
    sections = [_json_section(heading, number, pieces) for number, (heading, pieces) in enumerate(page.sections)]
    summary = "Eight words at least make this a page."
    code = {"name": page.title, "codeType": "cpt4", "id": 7, "summary": summary, "sections": sections}
    data = json.dumps({"props": {"pageProps": {"session": None, "code": code, "trending": [{"code": "99214"}]}}})
    return (
        f'<html><body><div id="__next"></div><script id="__NEXT_DATA__" '
        f'type="application/json">{data}</script></body></html>'
    )


def _json_section(heading: str, number: int, pieces: list[tuple[str, list[str]]]) -> dict[str, object]:
    texts = [text for _, piece in pieces for text in piece]
    forms: list[dict[str, object]] = [
        {"title": heading, "items": texts},
        {"heading": heading, "html": "".join(_html_piece(kind, piece) for kind, piece in pieces)},
        {"title": heading, "text": "\n".join(f"- {text}" for text in texts)},
        {"question": heading, "answer": {"text": " ".join(texts)}},
        {"name": heading, "body": {f"key{place}": text for place, text in enumerate(texts)}},
    ]
    return forms[number % len(forms)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PAGE)
def test_every_word_of_an_embedded_page_is_in_its_record(page: Page) -> None:
    assert not lost(page, encode_record(record(as_json(page))))


SITES = sorted(path for folder in ("divs", "plain", "semantic") for path in (CORPUS / folder).iterdir())
LEFT_OUT = {"policy", "codeatlas", "code", "codes", "cpt4"}
"""Words that the cleaning of policy titles takes out, and those of the furniture that runs on after plain pages."""


def _main_text(path: Path) -> str:
    """The text that a reader would call the page's content, taken by its site's own marks."""
    data = re.sub(r"<\?php.*?\?>", " ", decode(path.read_bytes()).text)
    if path.suffix in {".txt", ".md"}:
        return re.sub(
            r"^(?:We use|This page uses|©|Privacy|Sign up|Skip|Search all).*$|\]\(\S+\)", "", data, flags=re.M
        )
    content = BeautifulSoup(data, "lxml").select_one("#c, article, main")
    assert content is not None
    for furniture in content.select("nav, aside, form, button, #foot, .box, .share, .ad, .adslot, .kind"):
        furniture.decompose()
    return re.sub(r"<%.*?%>|\{%.*?%\}|\{\{.*?\}\}|Reviewed by .*", " ", content.get_text(" "))


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.name)
def test_every_word_of_the_corpus_is_in_its_record(path: Path) -> None:
    found = record(path.read_bytes(), path.name)
    layout = next(layout for layout in parser().layouts if layout.name == found.source[0].layout)
    known = {word for heading in layout.exact for word in heading.split()}
    encoded = fold_heading(encode_record(found).decode())
    words = {word for word in fold_heading(_main_text(path)).split() if len(word) > 3}
    cut = fold_heading(found.full_name).split()[-1:] + fold_heading(found.name).split()[-1:]
    lost = {word for word in words - known - LEFT_OUT if word not in encoded}
    assert not lost - {word for word in lost if any(last.startswith(word) for last in cut)}
