"""Blocks: a page as a flat run of headings, labels, items and texts, whatever it was written in.

HTML, plain text and embedded JSON all become blocks; what a block means is decided later, by the layout. This module
holds the block itself and the reading of plain text and Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

BlockKind = Literal["heading", "label", "lone", "item", "text"]


class Link(NamedTuple):
    """A link inside a block: its text, and where it leads as the page writes it."""

    text: str
    url: str


class Block(NamedTuple):
    """One piece of a page.

    A `heading` is marked as one (`<h2>`, `##`); a `label` looks like one (bold, ends in a colon, a `<dt>`); a `lone`
    line is short and stands between blank lines, and may be either a heading or a text; an `item` stands in a list;
    anything else is `text`. `lead` is the bold beginning of a text; `cells` are the (header, text) pairs of a table
    row or the (key, value) pairs of an embedded object.
    """

    kind: BlockKind
    text: str
    links: tuple[Link, ...] = ()
    lead: str = ""
    cells: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """Where the first link leads; empty where there is none."""
        return self.links[0].url if self.links else ""


# No pattern below may look for its end anew at every place of a long line: a page of 5 MB must not take minutes.
_BULLET = re.compile(r"\s*(?:[•●○▪■◦‣⁃∙·*–—-]|\(?\d{1,2}[.)](?=\s))\s*(?=\S)")
_DASHED_WORD = re.compile(r"\s*[*–—-](?=\S)")
_HASHES = re.compile(r"(?:^|(?<=\s))(?:#{2,6}(?:\s+|$)|#{3,6}(?=[A-Z]))")
_MARKDOWN_HEADING = re.compile(r"\s{0,3}#{1,6}(?=\s)")
_MARKDOWN_BOLD = re.compile(r"\*\*([^*]{1,300})\*\*|__([^_]{1,300})__")
_MARKDOWN_LINK = re.compile(r"\[([^\][]{0,500})\]\(([^()\s]{0,2000})\)")
_INDENTED = re.compile(r"\s{4}|\t")
_HEADING_LIKE = re.compile(r"(?:[A-Z]|\d{1,2}(?:st|nd|rd|th) )[^\W\d_]*(?:[ /&'’-]+[^\W\d_]+){0,5}\??$")
_BLANKS = re.compile(r"\s{2,}|[^\S ]")
_LONG = 10_000  # a list of words needs ten times the memory of a text
_LABEL_WORDS = 8


def squeeze(text: str) -> str:
    """The text with every run of white space (no-break spaces too) as one blank."""
    return " ".join(text.split()) if len(text) < _LONG else _BLANKS.sub(" ", text).strip()


def strip_bullet(text: str) -> str | None:
    """The text after its bullet or number (`• `, `3. `, `2) `); None where it has none."""
    match = None if text[:1].isalpha() else _BULLET.match(text)
    if match is None or _DASHED_WORD.match(text):
        return None
    return text[match.end() :].strip()


def split_glued(block: Block) -> Iterator[Block]:
    """A block in its parts where headings are glued into it: `Hemangiomas ##### Goals:` is an item and a label.

    After the hashes, a short text up to a colon is a label and the rest its text; a short text alone is a label.
    """
    if "##" not in block.text:
        yield block
        return
    first, *glued = _HASHES.split(block.text)
    if not glued:
        yield block
        return
    if first.strip():
        yield block._replace(text=first.strip())
    for part in glued:
        label, colon, rest = part.partition(":")
        if colon and len(label.split()) <= _LABEL_WORDS:
            yield Block("label", label.strip())
            if rest.strip():
                yield Block("text", rest.strip())
        elif part.strip():
            yield Block("label" if len(part.split()) <= _LABEL_WORDS else "text", part.strip())


def text_blocks(text: str) -> Iterator[Block]:
    """The blocks of a plain or Markdown text, a line each; an indented line after an item continues it.

    A short line between two blank ones is `lone`, for that is how plain text writes its headings; a text of a single
    line is no heading of itself.
    """
    lines = ["", *text.split("\n"), ""]
    single = sum(1 for line in lines if line.strip()) == 1
    item: Block | None = None
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        block = _line_block(line) if line.strip() else None
        if item and block and block.kind == "text" and _INDENTED.match(line):
            item = item._replace(text=f"{item.text} {block.text}")
            continue
        if item:
            yield from split_glued(item)
        item = block if block and block.kind == "item" else None
        if block and item is None:
            alone = not (single or before.strip() or after.strip()) and block.kind == "text"
            yield from split_glued(
                block._replace(kind="lone") if alone and _HEADING_LIKE.match(line.strip()) else block
            )
    if item:
        yield from split_glued(item)


def _line_block(line: str) -> Block:
    heading = _MARKDOWN_HEADING.match(line)
    if heading and line[heading.end() :].strip(" #\t"):
        title = line[heading.end() :].strip().rstrip("#")
        return Block("heading", squeeze(_plain(title)).removesuffix(":"))
    links = tuple(Link(squeeze(text), url) for text, url in _MARKDOWN_LINK.findall(line)) if "](" in line else ()
    bold = _MARKDOWN_BOLD.match(line.strip())
    lead = squeeze(bold[1] or bold[2]) if bold else ""
    item = None if bold else strip_bullet(line)
    text = squeeze(_plain(line if item is None else item))
    if item is not None:
        return Block("item", text, links)
    if lead and text.rstrip(":") == lead.rstrip(":"):
        return Block("label", text)
    return Block("text", text, links, lead)


def _plain(text: str) -> str:
    text = _MARKDOWN_BOLD.sub(lambda match: match[1] or match[2], text)
    return _MARKDOWN_LINK.sub(lambda match: match[1], text)
