"""A text typed so far as what an entry must hold: its earlier words, and a word that begins with the last one.

One text has several readings, tried one after the other: as it is typed; the phrases that a rule gives for the whole of
it (an abbreviation, a lay word); and, for want of anything better, with two words joined or a misspelt one corrected.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.expansions import Expansion
from codesearch.index.reader import IndexReader
from codesearch.index.remembered import remembering
from codesearch.query.entry_finder import Terms
from codesearch.query.misspelt import AFTER_ALL, WordList
from codesearch.query.plan import Rewrite

Array = npt.NDArray[Any]

MAX_WORDS = 100
"""Longer texts are not read: hardly an entry has so many words."""
_MAX_WORDS_REREAD = 12
"""Longer texts are read as they are typed only: there are too many other ways."""
_MAX_CORRECTED = 3
_OF_A_PHRASE = 3
"""So many codes of a rule's phrase: what continues the typed text must have room as well."""
_FEW_OTHERS = 0.05
"""A share of postings: it is not worth reading entries to keep so few behind."""
_REMEMBERED = 4096
_INITIALS = "initials"


class Typed(NamedTuple):
    """The words of a text, and whether the last of them may go on."""

    words: tuple[str, ...]
    is_open: bool


class Part(NamedTuple):
    """A typed word, and what answers to it.

    An entry needs one of the `terms`; for a stop word there are none. `beginnings` are how a word of it should begin,
    none where its term says enough; `is_mixed` when many entries with these terms have other forms of such words.
    `kind` is the class of the rewrite where the terms are not those of the typed word.
    """

    typed: str
    terms: Terms
    beginnings: tuple[str, ...] = ()
    is_mixed: bool = False
    kind: str = ""


class Reading(NamedTuple):
    """Parts that one entry must answer to; `phrase` is what stands for the typed text, `most` how many codes of it."""

    parts: tuple[Part, ...]
    phrase: Rewrite | None = None
    most: int | None = None


class TypedReader:
    """Reads typed texts against the words of an index; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._analyzer = reader.analyzer
        self._offsets = reader.arrays["title.offsets"]
        # Few letters begin many words, and come often.

    def typed(self, text: str) -> Typed:
        """The words of a text; none where there are too many."""
        folded = self._analyzer.fold(text)
        words = tuple(self._analyzer.words(folded))
        return Typed(words, folded.endswith(words[-1])) if 0 < len(words) <= MAX_WORDS else Typed((), False)

    def direct(self, typed: Typed) -> Iterator[Reading]:
        """The text as it is typed, and phrases for the whole of it; these before words that only begin like it."""
        words, is_open = typed
        if not words:
            return
        rules = [one for one in self._rules(words) if one.weight_class != _INITIALS]
        if not is_open:
            yield from self._reading(typed, {})
            yield from self._phrases(words, rules)
            return
        last = len(words) - 1
        rules = [one for one in rules if not self._holds_beginning(one.phrase, words[last])]
        if rules:
            yield from self._reading(typed, {last: self._typed_whole(words[last])})
            yield from self._phrases(words, rules)
        yield from self._reading(typed, {})
        if last and not self._analyzer.term(words[last]):
            yield from self._reading(Typed(words[:last], False), {})

    def for_want(self, typed: Typed) -> Iterator[Reading]:
        """Other readings, for want of anything better: initials, two words as one, misspelt words."""
        if not 0 < len(typed.words) <= _MAX_WORDS_REREAD:
            return
        initials = [one for one in self._rules(typed.words) if one.weight_class == _INITIALS]
        yield from self._phrases(typed.words, initials)
        yield from self._joined(typed)
        yield from self._corrected(typed)

    def _reading(self, typed: Typed, parts: Mapping[int, Part | None]) -> Iterator[Reading]:
        """The reading with these parts at their places, if something answers to every other word as well."""
        found: dict[Terms, Part] = {}
        for place in range(len(typed.words)):
            part = parts[place] if place in parts else self._part(typed, place)
            if part is None:
                return
            if part.terms:
                found[part.terms] = _both(found.get(part.terms, part), part)
        if found:
            yield Reading(tuple(found.values()))

    def _part(self, typed: Typed, place: int) -> Part | None:
        """What answers to a word as it is typed; None where nothing does."""
        word = typed.words[place]
        if typed.is_open and place == len(typed.words) - 1:
            return self._begun(word, (word,), "")
        return self._whole(word)

    def _whole(self, word: str) -> Part | None:
        term = self._analyzer.term(word)
        if not term:
            return Part(word, ())
        number = self._number(term)
        return None if number is None else Part(word, _only(number))

    def _typed_whole(self, word: str) -> Part | None:
        """What answers to the last word when it is complete: a word that is written so, or at least begins so."""
        part = self._whole(word)
        return part and part._replace(beginnings=self._spellings((word,)), is_mixed=True)

    @remembering(_REMEMBERED)
    def _begun(self, word: str, beginnings: tuple[str, ...], kind: str) -> Part | None:
        """What answers to a word of which one of the beginnings is typed, or is meant."""
        forms = self._spellings(beginnings)
        is_begun = np.zeros(len(self._word_terms), bool)
        is_wanted = np.zeros(len(self._word_counts), bool)
        for form in forms:
            is_begun[slice(*self._words.slice(form))] = True
            # A term is in American spelling: by it words in another one are found too.
            is_wanted[slice(*self._terms_slice(form))] = True
            whole = self._number(self._analyzer.term(form))
            if whole is not None:
                is_wanted[whole] = True
        begun = self._word_terms[is_begun]
        is_wanted[begun] = True
        terms = np.flatnonzero(is_wanted)
        postings = self._offsets[terms + 1] - self._offsets[terms]
        if not postings.any():
            return None
        others = np.bincount(begun, minlength=len(self._word_counts))[terms] < self._word_counts[terms]
        is_mixed = bool(postings[others].sum() > _FEW_OTHERS * postings.sum())
        return Part(word, _ranges(terms), forms, is_mixed, kind)

    def _spellings(self, beginnings: Sequence[str]) -> tuple[str, ...]:
        """The beginnings and what they are folded to: `haem` to `hem`, a Roman numeral to its number."""
        forms = [*beginnings, *map(self._analyzer.fold_spelling, beginnings)]
        forms += filter(str.isdigit, map(self._analyzer.term, beginnings))
        return tuple(dict.fromkeys(forms))

    def _rules(self, words: Sequence[str]) -> Sequence[Expansion]:
        """What is searched as well for the whole text; a single letter is the beginning of a word."""
        if words == tuple(words[0][:1]):
            return ()
        return self._reader.expansions.get(" ".join(filter(None, map(self._analyzer.term, words))), ())

    def _holds_beginning(self, phrase: str, typed: str) -> bool:
        """Whether a phrase goes on from what is typed (`lap`, laparoscopic), so that it stands for nothing else."""
        return any(word.startswith(typed) for word in self._analyzer.words(self._analyzer.fold(phrase)))

    def _phrases(self, words: Sequence[str], rules: Sequence[Expansion]) -> Iterator[Reading]:
        """The readings of a text as the phrases of some rules."""
        typed = " ".join(words)
        for one in rules:
            numbers = [self._number(term) for term in one.terms]
            parts = tuple(Part(typed, _only(number)) for number in dict.fromkeys(numbers) if number is not None)
            if None not in numbers:
                yield Reading(parts, Rewrite(one.weight_class, typed, one.phrase), _OF_A_PHRASE)

    def _joined(self, typed: Typed) -> Iterator[Reading]:
        """The text with two neighbouring words as one."""
        words = typed.words
        for place, (word, following) in enumerate(pairwise(words)):
            together = Typed((*words[:place], word + following, *words[place + 2 :]), typed.is_open)
            part = self._part(together, place)
            if part is not None:
                joined = part._replace(typed=f"{word} {following}", kind="joined")
                yield from self._reading(together, {place: joined})

    def _corrected(self, typed: Typed) -> Iterator[Reading]:
        """The text with all words corrected that nothing answers to; if there are none, with one word corrected."""
        places = range(len(typed.words))
        unknown = [place for place in places if self._part(typed, place) is None]
        if len(unknown) > _MAX_CORRECTED:
            return
        for misspelt in [unknown] if unknown else [[place] for place in reversed(places)]:
            yield from self._reading(typed, {place: self._meant(typed, place) for place in misspelt})

    def _meant(self, typed: Typed, place: int) -> Part | None:
        """What answers to the words, or the beginnings of words, one edit from a typed word."""
        word = typed.words[place]
        spelling = self._analyzer.fold_spelling(word)
        if typed.is_open and place == len(typed.words) - 1:
            beginnings = self._words.beginnings_near(spelling)
            return self._begun(word, beginnings, "spelling") if beginnings else None
        numbers = {self._number(self._analyzer.term(near)) for near in self._words.words_near(spelling)}
        terms = sorted(number for number in numbers if number is not None)
        return Part(word, _ranges(terms), kind="spelling") if terms else None

    def _number(self, term: str) -> int | None:
        """The number of a term; None where no entry holds it."""
        number = self._reader.terms.get(term)
        return number if number is not None and self._offsets[number + 1] > self._offsets[number] else None

    def _terms_slice(self, beginning: str) -> tuple[int, int]:
        terms = self._reader.term_list
        return bisect_left(terms, beginning), bisect_left(terms, beginning + AFTER_ALL)

    @cached_property
    def _words(self) -> WordList:
        """The words of entries; those of sections alone complete nothing."""
        words = self._reader.words.all()
        return WordList([words[number] for number in self._in_entries.tolist()])

    @cached_property
    def _word_terms(self) -> Array:
        """The term of each of the words."""
        terms: Array = self._reader.arrays["word.term"][self._in_entries]
        return terms

    @cached_property
    def _word_counts(self) -> Array:
        """How many words each term has."""
        return np.bincount(self._word_terms, minlength=len(self._offsets) - 1)

    @cached_property
    def _in_entries(self) -> Array:
        """The words whose terms stand in entries."""
        terms = self._reader.arrays["word.term"]
        return np.flatnonzero(self._offsets[terms + 1] > self._offsets[terms])


def _both(part: Part, again: Part) -> Part:
    """One part for two words that the same terms answer to; what was not typed so is told of both."""
    if not again.kind or again.typed == part.typed:
        return part
    return part._replace(typed=f"{part.typed} {again.typed}" if part.kind else again.typed, kind=again.kind)


def _only(number: int) -> Terms:
    return (range(number, number + 1),)


def _ranges(numbers: Sequence[int] | Array) -> Terms:
    """Numbers in order as ranges."""
    found = np.asarray(numbers, np.int64)
    breaks = np.flatnonzero(found[1:] != found[:-1] + 1)
    firsts, lasts = found[np.append(0, breaks + 1)], found[np.append(breaks, len(found) - 1)]
    return tuple(range(first, last + 1) for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True))
