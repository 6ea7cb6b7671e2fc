"""Words one edit from a typed one: a letter left out, too many or another, or two neighbours swapped.

Few strings of letters begin a word, so edits are tried only where the letters before them do, and what no word begins
with is dropped. That needs no table, and finds the beginnings of words as well as whole ones.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from string import ascii_lowercase

from codesearch.index.remembered import remembering

MIN_LENGTH = 4
"""Shorter words are never corrected: too many others are near."""
MAX_LENGTH = 64
"""Longer runs of letters are no words."""
AFTER_ALL = "\x7f"
"""Stands behind every character of a word."""
_REMEMBERED = 10_000


class WordList:
    """The words of an index: lower-case ASCII letters, digits and points, in order."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._known = frozenset(words)
        # The same misspelt word comes again with every letter that follows it.

    def slice(self, beginning: str) -> tuple[int, int]:
        """The words that begin so, as the numbers (start, end)."""
        return bisect_left(self._words, beginning), bisect_left(self._words, beginning + AFTER_ALL)

    def begins(self, beginning: str) -> bool:
        """Whether a word begins so."""
        place = bisect_left(self._words, beginning)
        return place < len(self._words) and self._words[place].startswith(beginning)

    @remembering(_REMEMBERED)
    def beginnings_near(self, typed: str) -> tuple[str, ...]:
        """The beginnings of words one edit from a typed one: the likeliest ones, in order."""
        return _likeliest(typed, filter(self.begins, self._variants(typed)))

    @remembering(_REMEMBERED)
    def words_near(self, typed: str) -> tuple[str, ...]:
        """The words one edit from a typed one: the likeliest ones, in order."""
        return _likeliest(typed, self._known.intersection(self._variants(typed)))

    def _variants(self, typed: str) -> Iterator[str]:
        if not MIN_LENGTH <= len(typed) <= MAX_LENGTH or not (typed.isascii() and typed.isalpha()):
            return
        for place in range(len(typed) + 1):
            if not self.begins(typed[:place]):
                return
            for rest in _edits(typed[place:]):
                yield typed[:place] + rest


def _likeliest(typed: str, variants: Iterable[str]) -> tuple[str, ...]:
    """Of some variants those with the first letter and all others that are typed; else with the first; else all."""
    found = set(variants) - {typed}
    alike = {variant for variant in found if variant[:1] == typed[0]}
    whole = {variant for variant in alike if len(variant) > len(typed) or sorted(variant) == sorted(typed)}
    return tuple(sorted(whole or alike or found))


def _edits(text: str) -> Iterator[str]:
    """A text with its first letter dropped, swapped with the next or replaced, or with another before it."""
    if text:
        yield text[1:]
    if len(text) > 1:
        yield text[1] + text[0] + text[2:]
    for letter in ascii_lowercase:
        yield letter + text
        if text:
            yield letter + text[1:]
