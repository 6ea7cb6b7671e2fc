"""Which elements of an HTML page are furniture (menus, cookie banners, footers), by the rules of `furniture.toml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from bs4 import Tag

from codesearch.config import read_toml

_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike "
    "strong sub sup time tt u var wbr"
)
INLINE = frozenset(_INLINE_NAMES.split())
"""Elements that stand inside a line; they are never furniture, whatever they are called."""


class FurnitureFile(msgspec.Struct, forbid_unknown_fields=True):
    """`ingest/furniture.toml`; the keys are explained there."""

    never_text: list[str]
    tags: list[str]
    roles: list[str]
    names: list[str]
    item_names: list[str]


class FurnitureRules:
    """Decides which elements are furniture, and which stand for list items."""

    def __init__(self, rules: FurnitureFile, site_names: Iterable[str] = ()) -> None:
        self._never_text = frozenset(rules.never_text)
        self._tags = frozenset(rules.tags)
        self._roles = frozenset(rules.roles)
        self._names = _whole_words([*rules.names, *site_names])
        self._item_names = _whole_words(rules.item_names)
        self._by_name: dict[str, tuple[bool, bool]] = {}

    def matches(self, tag: Tag, is_kept: Callable[[Tag], bool]) -> bool:
        """Whether an element is furniture, unless the page needs it (`HtmlPage.needs`)."""
        if tag.name in self._never_text:
            return True
        attributes = tag.attrs
        furniture = tag.name in self._tags or (
            bool(attributes)
            and ("hidden" in attributes or attributes.get("role") in self._roles or self._named(tag)[0])
        )
        return furniture and not is_kept(tag)

    def is_item(self, tag: Tag) -> bool:
        """Whether an element that is no `<li>` is a list item by its class."""
        return bool(tag.attrs) and self._named(tag)[1]

    def _named(self, tag: Tag) -> tuple[bool, bool]:
        """Whether the class and id names are those of furniture, and of list items."""
        given = [tag.attrs.get("class", ""), tag.attrs.get("id", "")]
        name = " ".join(value if isinstance(value, str) else " ".join(value) for value in given if value)
        if not name:
            return False, False
        known = self._by_name.get(name)
        if known is None:
            known = self._names.search(name) is not None, self._item_names.search(name) is not None
            if len(self._by_name) < 10_000 and len(name) < 200:
                self._by_name[name] = known
        return known


def read_furniture(path: Path) -> FurnitureFile:
    """Reads `ingest/furniture.toml`.

    Raises:
        ConfigError: the file is wrong.
    """
    return read_toml(path, FurnitureFile)


def _whole_words(words: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[\s_-])(?:{'|'.join(map(re.escape, words))})(?:$|[\s_-])", re.IGNORECASE)
