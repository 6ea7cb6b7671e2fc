"""A query as a plan: the codes in it, and a slot for each word with all that may stand for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from codesearch.index.reader import IndexReader
from codesearch.index.remembered import remembering
from codesearch.query.codes_typed import CodeMatch
from codesearch.query.grammar import Node
from codesearch.query.kernel_rows import MAX_SLOTS
from codesearch.query.unknown import UnknownWords

_REMEMBERED, _REMEMBERED_TOGETHER = 50_000, 5_000
"""Words whose slots are kept ready, and runs of words: people ask alike."""


_NUMBERED = re.compile(r"([a-z]{2,})\d{1,3}(?:[a-z]\d{0,2})?")


class Alternative(NamedTuple):
    """Terms that stand for one or several words of a query: all must be in one entry.

    `weight` is that of its class; `phrase` is how the alternative is written, empty for the word itself; `words` are
    the typed words it stands for. `share` is the part of its score that the slot gets: what stands for several words
    gives each its part, and terms that are rarer than the typed words score no more than they do.
    """

    terms: tuple[int, ...]
    weight: float
    weight_class: str
    phrase: str
    words: tuple[str, ...]
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Slot:
    """A typed word: its weight in the query, and what may stand for it, the word itself first where it is known.

    Its hash is made once: slots are looked up in every search, and that of a tuple in tuples takes a microsecond.
    """

    word: str
    term: str
    mass: float
    alternatives: tuple[Alternative, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.word, self.mass, self.alternatives)))

    def __hash__(self) -> int:
        return self._hash


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


class _Ready(NamedTuple):
    """The slot of a word by itself, and what of it was not typed."""

    slot: Slot
    rewrites: tuple[Rewrite, ...]


class _Span(NamedTuple):
    """An alternative for the words of several terms."""

    terms: frozenset[str]
    alternative: Alternative


_Resolved = tuple[tuple[tuple[int, ...], float, str, str], ...]
"""Expansions as term numbers, weight, class and phrase."""


class Planner:
    """Makes plans for the text of queries. What a word by itself becomes is kept ready: words come again and again."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._classes = reader.settings.ranking.classes
        self._unknown = UnknownWords(reader)
        self._resolved: dict[str, _Resolved] = {}
        self._split: dict[str, list[tuple[str, frozenset[str]]]] = {}
        self._words: dict[str, _Word] = {}
        self._ready: dict[tuple[str, bool], _Ready] = {}
        self._ready_exactly: dict[str, Slot] = {}

    def slots(self, text: str, exact: bool) -> tuple[tuple[Slot, ...], tuple[Rewrite, ...], tuple[str, ...]]:
        """The slots of a text, what was rewritten in them, and the words beyond the limit.

        With `exact` only what is typed is searched.
        """
        words = self._words_of(text)
        kept, ignored = words[:MAX_SLOTS], tuple([word.word for word in words[MAX_SLOTS:]])
        if exact:
            return tuple([self._exact_slot(word) for word in kept]), (), ignored
        return *self._together(kept), ignored

    @remembering(_REMEMBERED_TOGETHER)
    def _together(self, words: tuple[_Word, ...]) -> tuple[tuple[Slot, ...], tuple[Rewrite, ...]]:
        """The slots of words, and what was rewritten in them."""
        spans = self._spans(words) if len(words) > 1 else []
        if not spans:
            ready = [self._slot(word, len(words) == 1) for word in words]
            slots = tuple([one.slot for one in ready])
        else:
            ready = [self._slot_within(word, spans) for word in words]
            slots = _shared([one.slot for one in ready])
        rewrites = [rewrite for one in ready for rewrite in one.rewrites]
        return slots, tuple(dict.fromkeys(rewrites)) if rewrites else ()

    def _words_of(self, text: str) -> tuple[_Word, ...]:
        """The words of a text that are no stop words, each term once."""
        analyzer, known = self._reader.analyzer, self._words
        words: dict[str, _Word] = {}
        for typed in analyzer.words(analyzer.fold(text)):
            word = known.get(typed)
            if word is None:
                if len(known) >= _REMEMBERED:
                    known.clear()
                term = analyzer.term(typed)
                word = known[typed] = _Word(typed, term, self._reader.used(term))
            if word.term:
                words.setdefault(word.term, word)
        return tuple(words.values())

    # A word by itself

    def _exact_slot(self, word: _Word) -> Slot:
        slot = self._ready_exactly.get(word.word)
        if slot is None:
            if len(self._ready_exactly) >= _REMEMBERED:
                self._ready_exactly.clear()
            slot = self._ready_exactly[word.word] = self._made(word, self._typed(word))
        return slot

    def _slot(self, word: _Word, alone: bool) -> _Ready:
        """The slot of a word that no rule takes together with its neighbours."""
        ready = self._ready.get((word.word, alone))
        if ready is None:
            if len(self._ready) >= _REMEMBERED:
                self._ready.clear()
            found = self._expansions(word, alone)
            if not found and word.number is None:
                found = self._numbered(word) or self._replacements(word)
            ready = self._ready[word.word, alone] = _ready(self._made(word, [*self._typed(word), *found]))
        return ready

    def _typed(self, word: _Word) -> list[Alternative]:
        return [Alternative((word.number,), 1.0, "typed", "", (word.word,))] if word.number is not None else []

    def _made(self, word: _Word, alternatives: Sequence[Alternative]) -> Slot:
        distinct = _distinct(alternatives)
        return Slot(word.word, word.term, self._mass(word, distinct), distinct)

    def _mass(self, word: _Word, alternatives: Sequence[Alternative]) -> float:
        idf, ranking = self._reader.idf, self._reader.settings.ranking
        if word.number is not None:
            return float(idf[word.number])
        shares = (sum(float(idf[term]) for term in one.terms) / len(one.words) for one in alternatives)
        return min(10.0, max(shares, default=ranking.unknown_mass))

    def _expansions(self, word: _Word, alone: bool) -> list[Alternative]:
        """What the rules give for one word; initials of titles only for a word that is none, or that stands alone."""
        return [
            one
            for one in self._expanded(word.term, (word,))
            if one.weight_class != "initials" or word.number is None or alone
        ]

    def _numbered(self, word: _Word) -> list[Alternative]:
        """What the rules give for the letters of a name with a number (`SPG21`), which names one of a family."""
        parts = _NUMBERED.fullmatch(word.word)
        return self._expanded(self._reader.analyzer.term(parts[1]), (word,)) if parts else []

    def _expanded(self, typed: str, words: Sequence[_Word]) -> list[Alternative]:
        """What the rules give for some typed terms, which are those of the words."""
        expansions = self._resolved.get(typed)
        if expansions is None:
            if typed not in self._reader.expansions:
                return []
            expansions = self._resolved[typed] = self._resolve(typed)
        written = tuple([word.word for word in words])
        return [self._scaled(Alternative(*one, written), words) for one in expansions]

    def _resolve(self, typed: str) -> _Resolved:
        """What the rules give for some typed terms, as term numbers; without phrases that hold an unused word."""
        resolved = []
        for one in self._reader.expansions[typed]:
            known = self._reader.all_used(one.terms)
            if known is not None:
                resolved.append((known, self._classes[one.weight_class], one.weight_class, one.phrase))
        return tuple(resolved)

    def _scaled(self, one: Alternative, words: Sequence[_Word]) -> Alternative:
        """The alternative, scoring no more than the words it stands for where the index has all of them."""
        idf, typed = self._reader.idf, 0.0
        for word in words:
            if word.number is None:
                return one
            typed += float(idf[word.number])
        own = sum(float(idf[term]) for term in one.terms)
        return one if own <= typed else one._replace(share=typed / own)

    def _replacements(self, word: _Word) -> list[Alternative]:
        """What stands for a word that the index does not hold."""
        return [
            Alternative(
                one.terms, self._classes[one.weight_class] * one.share, one.weight_class, one.written, (word.word,)
            )
            for one in self._unknown.replacements(word.word, word.term)
        ]

    # Words together

    def _spans(self, words: Sequence[_Word]) -> list[_Span]:
        """What the rules give for several words, in any order, and neighbours that are one word when joined."""
        found: list[_Span] = []
        present = {word.term for word in words}
        for word in words:
            for typed, terms in self._rules(word.term):
                if terms <= present:
                    run = [one for one in words if one.term in terms]
                    found += [_Span(terms, one) for one in self._expanded(typed, run)]
        for first, second in pairwise(words):
            joined = first.word + second.word
            number = self._joined(joined)
            if number is not None:
                one = Alternative((number,), self._classes["joined"], "joined", joined, (first.word, second.word))
                found.append(_Span(frozenset((first.term, second.term)), self._scaled(one, (first, second))))
        return found

    def _joined(self, word: str) -> int | None:
        known = self._words.get(word)
        return known.number if known else self._reader.used(self._reader.analyzer.term(word))

    def _slot_within(self, word: _Word, spans: Sequence[_Span]) -> _Ready:
        """The slot of a word that rules may take together with others."""
        found = [span.alternative for span in spans if word.term in span.terms]
        if word.number is None and found:
            return _ready(self._made(word, [*self._expansions(word, alone=False), *found]))
        slot, rewrites = ready = self._slot(word, alone=False)
        if not found:
            return ready
        alternatives = _distinct([*slot.alternatives, *found])
        told = tuple([Rewrite(one.weight_class, " ".join(one.words), one.phrase) for one in found])
        return _Ready(Slot(slot.word, slot.term, slot.mass, alternatives), rewrites + told)

    def _rules(self, rarest: str) -> list[tuple[str, frozenset[str]]]:
        """The rules of several terms of which this is the rarest, and the terms of each."""
        found = self._split.get(rarest)
        if found is None:
            typed = self._reader.expansions.by_rarest.get(rarest)
            if typed is None:
                return []
            found = self._split[rarest] = [(one, frozenset(one.split(" "))) for one in typed]
        return found


def _distinct(alternatives: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """The alternatives with each set of terms once: that which stands for the fewest words, then the weightiest."""
    if len(alternatives) < 2:
        return tuple(alternatives)
    best: dict[tuple[int, ...], Alternative] = {}
    for one in alternatives:
        other = best.get(one.terms)
        if other is None or (len(one.words), -one.weight) < (len(other.words), -other.weight):
            best[one.terms] = one
    return tuple(best.values())


def _ready(slot: Slot) -> _Ready:
    return _Ready(slot, tuple(_rewrites(slot)))


def _rewrites(slot: Slot) -> Iterator[Rewrite]:
    for one in slot.alternatives:
        if one.weight_class != "typed":
            yield Rewrite(one.weight_class, " ".join(one.words), one.phrase)


def _shared(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """The slots, each with its part of the score of what stands for several words."""
    masses = {slot.word: slot.mass for slot in slots}
    shared = []
    for slot in slots:
        if any(len(one.words) > 1 for one in slot.alternatives):
            alternatives = tuple([_part(one, slot.mass, masses) for one in slot.alternatives])
            slot = Slot(slot.word, slot.term, slot.mass, alternatives)
        shared.append(slot)
    return tuple(shared)


def _part(one: Alternative, mass: float, masses: dict[str, float]) -> Alternative:
    """The alternative with the share of a slot of this mass."""
    if len(one.words) == 1:
        return one
    share = one.share * mass / max(1e-6, sum([masses[word] for word in one.words]))
    return Alternative(one.terms, one.weight, one.weight_class, one.phrase, one.words, share)
