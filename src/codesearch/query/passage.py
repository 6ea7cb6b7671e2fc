"""A passage: a piece of a record's text in which what matched is marked, shown as text, as HTML or on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from codesearch.formats import printable

PASSAGE_LENGTH = 160
_BEFORE = PASSAGE_LENGTH // 3
"""Characters that are shown before the first mark."""
_OPENING, _CLOSING = "… ", " …"

Span = tuple[int, int]


class Passage(NamedTuple):
    """Some text of a record: its field, the title of its section, and the spans (start, end) of what matched in it."""

    field: str
    title: str
    text: str
    marks: tuple[Span, ...] = ()

    def parts(self) -> Iterator[tuple[str, bool]]:
        """The text in pieces, and whether each is marked."""
        last = 0
        for start, end in self.marks:
            if last < start:
                yield self.text[last:start], False
            yield self.text[start:end], True
            last = end
        if last < len(self.text):
            yield self.text[last:], False

    def from_first_mark(self, before: int) -> Passage:
        """The passage from a blank at most so many characters before what matched first, for where there is no room."""
        start = self.marks[0][0] if self.marks else 0
        if start <= before:
            return self
        cut = self.text.find(" ", start - before, start) + 1 or start
        shift = len(_OPENING) - cut
        marks = tuple((low + shift, high + shift) for low, high in self.marks)
        return self._replace(text=f"{_OPENING}{self.text[cut:]}", marks=marks)

    def highlight(self, before: str, after: str) -> str:
        """The text as it is, with these around what matched."""
        return "".join(f"{before}{part}{after}" if is_marked else part for part, is_marked in self.parts())

    def to_html(self) -> str:
        """The text for a page: escaped, with `<mark>` around what matched."""
        from html import escape

        escaped = ((escape(printable(part)), is_marked) for part, is_marked in self.parts())
        return "".join(f"<mark>{part}</mark>" if is_marked else part for part, is_marked in escaped)


def cut_passage(field: str, title: str, whole: str, spans: Iterable[Span], start: int, end: int) -> Passage:
    """A text, or its part around the slice from `start` to `end` where it is long, cut at blanks where any are near."""
    if len(whole) <= PASSAGE_LENGTH:
        return Passage(field, title, whole, tuple(spans))
    before = max(0, min(_BEFORE, PASSAGE_LENGTH - (end - start)))
    first = max(0, min(start - before, len(whole) - PASSAGE_LENGTH))
    first = whole.find(" ", first, start) + 1 or first if first else 0
    last = min(first + PASSAGE_LENGTH, len(whole))
    if last < len(whole):
        blank = whole.rfind(" ", min(end, last), last)
        last = blank if blank > first else last
    first += len(whole[first:last]) - len(whole[first:last].lstrip())
    opening = _OPENING if first else ""
    shift = len(opening) - first
    marks = tuple(
        (max(low, first) + shift, min(high, last) + shift) for low, high in spans if low < last and high > first
    )
    return Passage(field, title, f"{opening}{whole[first:last].rstrip()}{_CLOSING if last < len(whole) else ''}", marks)
