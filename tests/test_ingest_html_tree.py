"""The tree of a page is the one that BeautifulSoup builds by itself, but for what nobody reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag

from codesearch.ingest.html_tree import parse_html

ROOT = Path(__file__).parent.parent
PAGES = sorted(path for place in ("corpus", "tests/fixtures/pages") for path in (ROOT / place).rglob("*.htm*"))


def told(soup: BeautifulSoup) -> list[object]:
    """Elements with their attributes, and texts that are more than white space, each with the element it stands in."""
    nodes: list[object] = []
    for node in soup.descendants:
        parent = node.parent.name if node.parent else ""
        if isinstance(node, Tag):
            nodes.append((parent, node.name, dict(node.attrs)))
        elif isinstance(node, NavigableString) and node.strip():
            nodes.append((parent, type(node), node.strip()))
    return nodes


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_elements_and_texts_are_those_of_beautifulsoup(path: Path) -> None:
    markup = path.read_text(encoding="utf-8", errors="replace")
    assert told(parse_html(markup).soup) == told(BeautifulSoup(markup, "lxml", multi_valued_attributes=None))


def test_white_space_is_kept_inside_a_line_and_left_out_between_lines() -> None:
    soup = parse_html("<ul>\n <li>\n<b>One</b> <i>two</i></li>\n</ul>").soup
    assert [node for node in soup.descendants if isinstance(node, NavigableString)] == ["One", " ", "two"]


def test_elements_asked_for_by_name_are_found_in_their_order() -> None:
    found = parse_html("<title>T</title><h1>First</h1><div><h1>Second</h1></div>").found
    assert [tag.get_text() for tag in found["h1"]] == ["First", "Second"]
    assert (len(found["title"]), len(found["body"]), found["main"]) == (1, 1, [])
