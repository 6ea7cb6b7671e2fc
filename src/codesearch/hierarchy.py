"""The place of a code above which others stand: parents and chapters, where a code's own sources do not tell them.

An order file knows neither chapters nor what stands above a category; the tabular list does, by the ranges of its
chapters and sections. Records must come in their order, so that a code comes after those that it begins with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from codesearch.codes import bare
from codesearch.merge import OFFICIAL
from codesearch.records import CodeRecord, Outline

_CATEGORY = 3


class _Range(NamedTuple):
    """A chapter or section: the categories from `first` to `last`."""

    first: str
    last: str
    code: str
    chapter: str | None


class _Known(NamedTuple):
    """What has been said of a code that lies above others."""

    code: str
    chapter: str | None


class Hierarchy:
    """Fills in parents and chapters of the systems whose chapters are known."""

    def __init__(self, chapters: Iterable[CodeRecord]) -> None:
        """Takes the records of kind `chapter`."""
        self._ranges: dict[str, list[_Range]] = {}
        for one in chapters:
            first, dash, last = (one.code or "").partition("-")
            if dash:
                self._ranges.setdefault(one.system, []).append(_Range(first, last, f"{first}-{last}", one.chapter))
        self._above: dict[str, dict[str, _Known]] = {system: {} for system in self._ranges}

    def place(self, record: Outline) -> tuple[str | None, str | None]:
        """The parent and the chapter of a record, None where they cannot be told."""
        parent, chapter = record.parent, record.chapter
        above = self._above.get(record.system)
        if above is None or record.code is None or record.kind == "chapter":
            return parent, chapter
        code, plain = record.code, bare(record.code)
        if (parent is None or chapter is None) and _is_official(record):
            known = self._nearest(plain, above) or self._enclosing(record.system, plain)
            if known is not None:
                parent, chapter = parent or known.code, chapter or known.chapter
        if record.kind == "header":
            above[plain] = _Known(code, chapter)
        return parent, chapter

    def _nearest(self, plain: str, above: dict[str, _Known]) -> _Known | None:
        for length in range(len(plain) - 1, _CATEGORY - 1, -1):
            known = above.get(plain[:length])
            if known is not None:
                return known
        return None

    def _enclosing(self, system: str, plain: str) -> _Known | None:
        """The smallest section or chapter whose range holds the category."""
        category = plain[:_CATEGORY]
        holding = [one for one in self._ranges[system] if one.first <= category <= one.last]
        if not holding:
            return None
        # The smallest begins last; of two that begin together, it ends first.
        smallest = min(
            (one for one in holding if one.first == max(each.first for each in holding)), key=lambda one: one.last
        )
        return _Known(smallest.code, smallest.chapter)


def _is_official(record: Outline) -> bool:
    return any(source.role in OFFICIAL for source in record.source)
