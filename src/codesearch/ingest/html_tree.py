"""The tree of an HTML page: BeautifulSoup over lxml, building no more of it than is read afterwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag
from bs4.builder import ParserRejectedMarkup
from bs4.builder._lxml import LXMLTreeBuilder  # `bs4.builder` gives it at run time only, unknown to its types

from codesearch.ingest.furniture import INLINE

_INDEXED = frozenset({"h1", "main", "article", "script", "link", "meta", "title", "body"})
_XML_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*>", re.IGNORECASE)


class Unparsable(Exception):
    """The parser refuses the markup."""


class Tree(NamedTuple):
    """A parsed page, and by name those of its elements that are asked for by name, in their order."""

    soup: BeautifulSoup
    found: Mapping[str, list[Tag]]


def parse_html(markup: str) -> Tree:
    """The tree of a page or a fragment.

    Raises:
        Unparsable: the parser refuses it.
    """
    # BeautifulSoup warns of texts without a tag and of XML; a scraper's page may be either.
    markup = _XML_DECLARATION.sub("", markup, count=1)
    builder = _Builder()
    try:
        soup = BeautifulSoup(markup if "<" in markup else f"<p>{markup}</p>", builder=builder)
    except ParserRejectedMarkup as error:
        raise Unparsable(str(error)) from error
    return Tree(soup, builder.found)


class _Builder(LXMLTreeBuilder):
    """BeautifulSoup's own builder for lxml without what HTML has no use for: namespaces, and lists of class names.

    White space where a line begins is not kept: between two `<li>` there is mostly some, and it would be a third of
    the tree. Each element costs as much as all that is done with it later, so every step here counts.
    """

    def __init__(self) -> None:
        super().__init__(multi_valued_attributes=None)
        self.attribute_dict_class = dict
        self.found: dict[str, list[Tag]] = {name: [] for name in _INDEXED}
        self._begins_line = True

    def start(self, name: str, attrs: Mapping[str, str], _: object = None) -> None:
        """Called by lxml for a start tag."""
        self._begins_line = name not in INLINE
        tag = self.soup.handle_starttag(name, None, None, attrs)
        if name in _INDEXED:
            self.found[name].append(tag)

    def end(self, name: str) -> None:
        """Called by lxml for an end tag, also for one that the page leaves out."""
        self._begins_line = name not in INLINE
        self.soup.handle_endtag(name)

    def data(self, content: str) -> None:
        """Called by lxml for text."""
        if self._begins_line and content.isspace():
            return
        self._begins_line = False
        self.soup.handle_data(content)
