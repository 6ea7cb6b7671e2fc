"""A parsed HTML page: its tree, the element that holds the content, its title and what its head says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

from bs4 import NavigableString, Tag

from codesearch.ingest.blocks import Block, squeeze
from codesearch.ingest.html_blocks import Reading, heading_text, html_blocks
from codesearch.ingest.html_tree import parse_html

_SITE_NAME = re.compile(r"\s[|·»\u2013\u2014-]\s")
_SITE_WORDS = 4
_MOST = 0.5
_LONG = 2000


class HtmlPage:
    """A parsed page."""

    def __init__(self, markup: str) -> None:
        """Parses a page.

        Raises:
            Unparsable: the parser refuses it.
        """
        self.soup, self._found = parse_html(markup)

    @property
    def scripts(self) -> list[Tag]:
        """The page's `<script>` elements."""
        return self._found["script"]

    def needs(self, tag: Tag) -> bool:
        """Whether an element is no furniture, whatever it is called: it holds an `<h1>`, or most of a longer page."""
        return id(tag) in self._around_headings or (_holds(tag, _LONG) and id(tag) in self._holding_most)

    @cached_property
    def _around_headings(self) -> set[int]:
        """The `id()` of every element that holds an `<h1>`."""
        kept: set[int] = set()
        for heading in self._found["h1"]:
            for parent in heading.parents:
                if id(parent) in kept:
                    break
                kept.add(id(parent))
        return kept

    @cached_property
    def _holding_most(self) -> set[int]:
        """The `id()` of every element that holds most of the page's text: one walk, as such elements may nest."""
        total, opened, lengths = 0, list[tuple[Tag, int]](), dict[int, int]()
        for node in self.soup.descendants:
            while opened and node.parent is not opened[-1][0]:
                tag, before = opened.pop()
                lengths[id(tag)] = total - before
            if isinstance(node, Tag):
                opened.append((node, total))
            elif type(node) is NavigableString:
                total += len(str(node).strip())
        lengths |= {id(tag): total - before for tag, before in opened}
        return {tag for tag, length in lengths.items() if length > _MOST * total}

    def main(self) -> Tag:
        """The element that holds the content: `<main>`, a lone `<article>` with most of the text, else the body."""
        for name in ("main", "article"):
            found = self._found[name]
            if len(found) == 1 and (_holds(found[0], 1) if name == "main" else id(found[0]) in self._holding_most):
                return found[0]
        return self._found["body"][0] if self._found["body"] else self.soup

    def first_heading(self) -> str:
        """The text of the page's first `<h1>` that has one, wherever it stands."""
        return next((text for text in map(heading_text, self._found["h1"]) if text), "")

    def url(self) -> str:
        """The canonical URL, else `og:url`; empty where there is none."""
        for link in self._found["link"]:
            if "canonical" in str(link.get("rel", "")).lower().split() and link.get("href"):
                return str(link["href"]).strip()
        return self._meta("og:url")

    def title(self, site_names: Sequence[str]) -> str:
        """`og:title`, else `<title>`, without the site's name at its end."""
        titles = (str(title.string) for title in self._found["title"] if title.string)
        title = self._meta("og:title") or next(titles, "")
        return without_site_name(squeeze(title), [*site_names, self._meta("og:site_name")])

    def _meta(self, name: str) -> str:
        for meta in self._found["meta"]:
            if name in (meta.get("property"), meta.get("name")) and meta.get("content"):
                return str(meta["content"]).strip()
        return ""


def _holds(tag: Tag, length: int) -> bool:
    """Whether an element holds at least so many characters of text."""
    return any(total >= length for total in accumulate(len(string.strip()) for string in tag.strings))


def fragment_blocks(fragments: Sequence[str], reading: Reading) -> dict[str, list[Block]]:
    """The blocks of each fragment of HTML; all are parsed at once, as each parse costs more than its fragment."""
    soup, _ = parse_html("".join(f"<section>{fragment}</section>" for fragment in fragments))
    sections = soup.body.contents if soup.body else []
    if len(sections) != len(fragments) or any(getattr(part, "name", "") != "section" for part in sections):
        return {fragment: html_blocks(parse_html(fragment).soup, reading) for fragment in fragments}
    parts = (part for part in sections if isinstance(part, Tag))
    return {fragment: html_blocks(part, reading) for fragment, part in zip(fragments, parts, strict=True)}


def without_site_name(title: str, site_names: Sequence[str]) -> str:
    """A title without the site's name after a bar or dash: one that is known, or a last part of a few words."""
    if len(title) > 1000:
        return title
    known = {name.casefold() for name in site_names if name}
    cut = title
    for _ in range(3):
        breaks = list(_SITE_NAME.finditer(cut))
        if not breaks or cut[breaks[-1].end() :].strip().casefold() not in known:
            break
        cut = cut[: breaks[-1].start()].strip()
    breaks = list(_SITE_NAME.finditer(cut))
    if cut != title or not breaks:
        return cut
    first, last = cut[: breaks[-1].start()].strip(), cut[breaks[-1].end() :].split()
    return first if len(last) <= _SITE_WORDS and len(first.split()) > len(last) else cut
