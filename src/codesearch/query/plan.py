"""A query as a plan: the codes in it, and a slot for each word with all that may stand for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeMatch
from codesearch.query.grammar import Node
from codesearch.query.unknown import UnknownWords

MAX_SLOTS = 32
"""Words of a query that are searched; the rest is ignored, and said so."""


class Alternative(NamedTuple):
    """Terms that stand for the words `first` to `last` (exclusive) of a query: all must be in one entry.

    `weight` is that of its class; `phrase` is how the alternative is written, empty for the word itself.
    """

    terms: tuple[int, ...]
    weight: float
    weight_class: str
    phrase: str
    first: int
    last: int


class Slot(NamedTuple):
    """A typed word: its weight in the query, and what may stand for it, the word itself first where it is known."""

    word: str
    term: str
    mass: float
    alternatives: tuple[Alternative, ...]


class Rewrite(NamedTuple):
    """Something that the user did not type and that was searched: `kind` is a weight class or `code`."""

    kind: str
    typed: str
    used: str

    def __str__(self) -> str:
        return f"{self.typed} -> {self.used} ({self.kind})"


class Plan(NamedTuple):
    """A parsed query: codes that stand first, words that rank, and what every hit must fulfil.

    `within` are ranges and other sets of codes that the text is searched in, `conditions` trees of the grammar, and
    `notes` say what was not read as it may have been meant.
    """

    text: str
    codes: tuple[CodeMatch, ...]
    slots: tuple[Slot, ...]
    rewrites: tuple[Rewrite, ...]
    ignored: tuple[str, ...] = ()
    within: tuple[CodeMatch, ...] = ()
    conditions: tuple[Node, ...] = ()
    notes: tuple[str, ...] = ()


class _Word(NamedTuple):
    word: str
    term: str
    number: int | None


_Resolved = tuple[tuple[tuple[int, ...], float, str, str], ...]
"""Expansions as term numbers, weight, class and phrase."""


class Planner:
    """Makes plans for the text of queries."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._used: bytes = (reader.arrays["term.frequency"] > 0).tobytes()
        self._classes = reader.settings.ranking.classes
        self._unknown = UnknownWords(reader)
        self._resolved: dict[str, _Resolved] = {}

    def slots(self, text: str, exact: bool) -> tuple[tuple[Slot, ...], tuple[Rewrite, ...], tuple[str, ...]]:
        """The slots of a text, what was rewritten in them, and the words beyond the limit.

        With `exact` only what is typed is searched.
        """
        words = self._words(text)
        kept, ignored = words[:MAX_SLOTS], words[MAX_SLOTS:]
        found = [] if exact else self._expansions(kept)
        known = [[self._typed(place, word)] if word.number is not None else [] for place, word in enumerate(kept)]
        if not exact:
            expanded = {place for one in found for place in range(one.first, one.last)}
            for place, word in enumerate(kept):
                if word.number is None and place not in expanded:
                    found += self._replacements(place, word)
        slots = []
        for place, word in enumerate(kept):
            alternatives = _distinct((*known[place], *(one for one in found if one.first <= place < one.last)))
            slots.append(Slot(word.word, word.term, self._mass(word, alternatives), alternatives))
        return tuple(slots), _rewrites(kept, found), tuple(word.word for word in ignored)

    def _words(self, text: str) -> list[_Word]:
        """The words of a text that are no stop words, each term once."""
        analyzer = self._reader.analyzer
        words: dict[str, _Word] = {}
        for word in analyzer.words(analyzer.fold(text)):
            term = analyzer.term(word)
            if term and term not in words:
                words[term] = _Word(word, term, self._number(term))
        return list(words.values())

    def _number(self, term: str) -> int | None:
        """A term's number, None where no entry and no scored section holds it."""
        number = self._reader.terms.get(term)
        return number if number is not None and self._used[number] else None

    def _typed(self, place: int, word: _Word) -> Alternative:
        return Alternative((word.number or 0,), 1.0, "typed", "", place, place + 1)

    def _mass(self, word: _Word, alternatives: Sequence[Alternative]) -> float:
        idf, ranking = self._reader.idf, self._reader.settings.ranking
        if word.number is not None:
            return float(idf[word.number])
        shares = (sum(float(idf[term]) for term in one.terms) / (one.last - one.first) for one in alternatives)
        return min(10.0, max(shares, default=ranking.unknown_mass))

    def _expansions(self, words: Sequence[_Word]) -> list[Alternative]:
        """What the rules give for every run of words, and neighbours that are one word when joined."""
        found: list[Alternative] = []
        table, longest, resolved = self._reader.expansions, self._longest_rules, self._resolved
        terms = [word.term for word in words]
        for first in range(len(words)):
            for last in range(first + 1, min(len(words), first + longest.get(terms[first], 0)) + 1):
                typed = " ".join(terms[first:last])
                expansions = resolved.get(typed)
                if expansions is None:
                    if typed not in table:
                        continue
                    expansions = resolved[typed] = self._resolve(typed)
                for numbers, weight, weight_class, phrase in expansions:
                    if weight_class != "initials" or words[first].number is None or len(words) == 1:
                        found.append(Alternative(numbers, weight, weight_class, phrase, first, last))
            if first + 1 < len(words):
                joined = words[first].word + words[first + 1].word
                number = self._number(self._reader.analyzer.term(joined))
                if number is not None:
                    weight = self._classes["joined"]
                    found.append(Alternative((number,), weight, "joined", joined, first, first + 2))
        return found

    def _resolve(self, typed: str) -> _Resolved:
        """What the rules give for some typed terms, as term numbers; without phrases that hold an unused word."""
        resolved = []
        for one in self._reader.expansions[typed]:
            numbers = {self._number(term) for term in one.terms}
            if None not in numbers:
                known = tuple(sorted(number for number in numbers if number is not None))
                resolved.append((known, self._classes[one.weight_class], one.weight_class, one.phrase))
        return tuple(resolved)

    @cached_property
    def _longest_rules(self) -> dict[str, int]:
        """The words of the longest rule that begins with a term."""
        longest: dict[str, int] = {}
        for typed in self._reader.expansions:
            words = typed.split(" ")
            longest[words[0]] = max(longest.get(words[0], 0), len(words))
        return longest

    def _replacements(self, place: int, word: _Word) -> list[Alternative]:
        """What stands for a word that the index does not hold."""
        found = self._unknown.replacements(word.word, word.term)
        weights = [self._classes[one.weight_class] * one.share for one in found]
        return [
            Alternative(one.terms, weight, one.weight_class, one.written, place, place + 1)
            for one, weight in zip(found, weights, strict=True)
        ]


def _distinct(alternatives: tuple[Alternative, ...]) -> tuple[Alternative, ...]:
    """The alternatives with each set of terms once: that which stands for the fewest words, then the weightiest."""
    if len(alternatives) < 2:
        return alternatives
    best: dict[tuple[int, ...], Alternative] = {}
    for one in alternatives:
        other = best.get(one.terms)
        if other is None or (one.last - one.first, -one.weight) < (other.last - other.first, -other.weight):
            best[one.terms] = one
    return tuple(best.values())


def _rewrites(words: Sequence[_Word], found: Sequence[Alternative]) -> tuple[Rewrite, ...]:
    spans = (" ".join(word.word for word in words[one.first : one.last]) for one in found)
    rewrites = (Rewrite(one.weight_class, typed, one.phrase) for one, typed in zip(found, spans, strict=True))
    return tuple(dict.fromkeys(rewrites))
