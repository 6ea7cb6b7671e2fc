"""HTML as blocks: headings, labels, lists, definition lists and tables in their order, without furniture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from bs4 import NavigableString, Tag
from bs4.element import PreformattedString

from codesearch.ingest.blocks import Block, Link, split_glued, squeeze, strip_bullet
from codesearch.ingest.furniture import INLINE, FurnitureRules

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "caption", "summary", "legend"})
_BOLD = frozenset({"b", "strong"})
_BREAKS = frozenset({"br", "hr"})
_LISTS = frozenset({"ul", "ol", "dl"})
_CELLS = frozenset({"th", "td"})
_TABLE_PARTS = frozenset({"table", "thead", "tbody", "tfoot", "tr", "colgroup", "col"})
_LABEL_WORDS = 10
MAX_DEPTH = 200
"""How deep tags may nest; real pages stay under 60, and the walk below is recursive."""


class TooDeep(Exception):
    """Tags nest deeper than `MAX_DEPTH`."""


class Reading(NamedTuple):
    """How a tree is read: `known` tells whether a text is a heading of the layout, `is_kept` what is no furniture."""

    furniture: FurnitureRules
    known: Callable[[str], bool]
    is_kept: Callable[[Tag], bool]


def html_blocks(root: Tag, reading: Reading) -> list[Block]:
    """The blocks below an element.

    Raises:
        TooDeep: tags nest deeper than `MAX_DEPTH`.
    """
    walk = _Walk(reading)
    walk.children(root, 0)
    walk.end()
    return [part for block in walk.blocks for part in split_glued(block)]


def heading_text(tag: Tag) -> str:
    """A heading's text; where two elements touch (`CPT 10060<span>Incision`), a blank goes between them."""
    return squeeze(" ".join(_strings(tag)))


def _strings(tag: Tag) -> Iterator[str]:
    return (str(node) for node in tag.descendants if type(node) is NavigableString)


def _links(tag: Tag) -> tuple[Link, ...]:
    return tuple(Link(heading_text(link), str(link.get("href", ""))) for link in tag.find_all("a", href=True))


class _Walk:
    """One walk over a tree: collects inline text until a block ends, then turns it into a block."""

    def __init__(self, reading: Reading) -> None:
        self.blocks: list[Block] = []
        self._is_known = reading.known
        self._is_furniture = reading.furniture.matches
        self._is_item_name = reading.furniture.is_item
        self._is_kept = reading.is_kept
        self._text: list[str] = []
        self._lead: list[str] = []
        self._links: list[Link] = []
        self._href = ""
        self._is_item = False

    def end(self) -> None:
        """Ends the current block, if there is one."""
        if not self._text:
            return
        text = squeeze("".join(self._text))
        if text:
            links = (Link(text, self._href),) if self._href and not self._links else tuple(self._links)
            self._add(text, squeeze("".join(self._lead)) if self._lead else "", links)
        self._start()

    def _start(self) -> None:
        self._text, self._lead, self._links = [], [], []

    def _add(self, text: str, lead: str, links: tuple[Link, ...]) -> None:
        bullet = strip_bullet(text)
        all_bold = bool(lead) and lead.rstrip(" :") == text.rstrip(" :") and len(text.split()) <= _LABEL_WORDS
        if self._is_item or bullet is not None:
            is_label = all_bold and self._is_known(text)
            self.blocks.append(Block("label" if is_label else "item", text if bullet is None else bullet, links))
        elif all_bold and not links:
            self.blocks.append(Block("label", text))
        else:
            self.blocks.append(Block("text", text, links, lead if text.startswith(lead) else ""))

    def children(self, tag: Tag, depth: int) -> None:
        """Walks everything below an element."""
        if depth > MAX_DEPTH:
            raise TooDeep
        for child in cast(list[Tag | NavigableString], tag.contents):
            if isinstance(child, Tag):
                self._element(child, depth + 1)
            elif (self._text or not child.isspace()) and not isinstance(child, PreformattedString):
                self._text.append(child)

    def _element(self, tag: Tag, depth: int) -> None:
        name = tag.name
        if name in INLINE:
            self._inline(tag, depth)
        elif name in _BREAKS or self._is_furniture(tag, self._is_kept):
            self.end()
        elif name in _HEADINGS:
            self.end()
            text = heading_text(tag)
            if text:
                self.blocks.append(Block("heading", text))
        elif name == "table":
            self.end()
            self._table(tag, depth)
        else:
            self._block(tag, depth)

    def _inline(self, tag: Tag, depth: int) -> None:
        name = tag.name
        if name not in _BOLD and name != "a":
            self.children(tag, depth)
            return
        block = self._text
        begin = len(block)
        is_lead = name in _BOLD and not "".join(block).strip()
        outer, self._href = self._href, str(tag.get("href", "")) if name == "a" else self._href
        self.children(tag, depth)
        if block is self._text:  # no block ended inside
            if is_lead:
                self._lead = block[begin:]
            text = squeeze("".join(block[begin:])) if name == "a" and self._href else ""
            if text:
                self._links.append(Link(text, self._href))
        self._href = outer

    def _block(self, tag: Tag, depth: int) -> None:
        self.end()
        outer = self._is_item
        self._is_item = tag.name in {"li", "dd"} or (outer and tag.name not in _LISTS) or self._is_item_name(tag)
        self.children(tag, depth)
        if tag.name == "dt":
            self._term()
        else:
            self.end()
        self._is_item = outer

    def _term(self) -> None:
        text = squeeze("".join(self._text))
        self._start()
        if text:
            self.blocks.append(Block("label", text))

    def _table(self, table: Tag, depth: int) -> None:
        parts = _table_parts(table)
        if parts is None:
            self._block(table, depth)
            return
        caption, rows = parts
        if caption:
            self.blocks.append(Block("heading", caption))
        headed = len(rows) > 1 and all(cell.name == "th" for cell in rows[0])
        header = [heading_text(cell) for cell in rows[0]] if headed else []
        if len(header) > 1 and any(self._is_known(text) for text in header):
            self._columns(header, rows[1:], depth)
        else:
            for number, row in enumerate(rows[1:] if header else rows, 1):
                is_numbered = len(row) > 1 and heading_text(row[0]).rstrip(".)") == str(number)
                self._row(header, row[1:] if is_numbered and not header else row, depth)

    def _columns(self, header: list[str], rows: list[list[Tag]], depth: int) -> None:
        """A table whose columns are fields: `Common risks | Rare risks`."""
        for column, text in enumerate(header):
            self.blocks.append(Block("label", text))
            for row in rows:
                if column < len(row):
                    self._cell(row[column], depth)
        for row in rows:
            for cell in row[len(header) :]:
                self._cell(cell, depth)

    def _cell(self, cell: Tag, depth: int) -> None:
        """A cell's content as list items."""
        outer, self._is_item = self._is_item, True
        self._block(cell, depth)
        self._is_item = outer

    def _row(self, header: list[str], row: list[Tag], depth: int) -> None:
        if len(row) == 1:
            self._block(row[0], depth)
            return
        texts = [heading_text(cell) for cell in row]
        if not header and len(row) == 2 and (row[0].name == "th" or self._is_label(row[0], texts[0])):
            self.blocks.append(Block("label", texts[0]))
            self._cell(row[1], depth)
            return
        headed = zip([*header, *[""] * (len(row) - len(header))], texts, strict=False)
        cells = tuple((name, text) for name, text in headed if text or name)
        line = "; ".join(f"{name}: {text}" if name else text for name, text in cells)
        if any(texts):
            links = tuple(link for cell in row for link in _links(cell))
            self.blocks.append(Block("item", line, links, cells=cells))

    def _is_label(self, cell: Tag, text: str) -> bool:
        """Whether the first of two cells titles the second: a known heading, one that ends in a colon, or bold."""
        if not text or len(text.split()) > _LABEL_WORDS:
            return False
        bold = cell.find(_BOLD)
        all_bold = isinstance(bold, Tag) and heading_text(bold) == text
        return text.endswith(":") or all_bold or self._is_known(text)


def _table_parts(table: Tag) -> tuple[str, list[list[Tag]]] | None:
    """A table's caption and rows of cells; None where it only places things on the page, or holds loose text."""
    caption, rows = "", list[list[Tag]]()
    for node in table.descendants:
        loose = node.parent is not None and node.parent.name in _TABLE_PARTS
        if not isinstance(node, Tag):
            if loose and type(node) is NavigableString and node.strip():
                return None
        elif node.name == "caption":
            caption = heading_text(node)
        elif node.name == "tr":
            rows.append([])
        elif node.name in _CELLS and rows:
            rows[-1].append(node)
        elif node.name == "table" or node.name in _HEADINGS or (loose and node.name not in _TABLE_PARTS):
            return None
    return caption, [row for row in rows if row]
