"""Text to terms: one analysis for records and for queries, read from `index/analysis.toml`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import accumulate
from operator import itemgetter
from typing import Any, NamedTuple, cast

import msgspec
import Stemmer

from codesearch.accents import without_accents


class Numerals(msgspec.Struct, forbid_unknown_fields=True):
    """Roman numerals: those that are always numbers, and those that are only after one of the words."""

    always: dict[str, str]
    after: dict[str, str]
    words: list[str]


class Spelling(msgspec.Struct, forbid_unknown_fields=True, rename={"pattern": "from", "replacement": "to"}):
    """A rule that folds a spelling: a regular expression on a lower-case word, and what stands for it."""

    pattern: str
    replacement: str


class AnalysisConfig(msgspec.Struct, forbid_unknown_fields=True):
    """`index/analysis.toml`."""

    version: int
    stop_words: list[str]
    shorthand: dict[str, str]
    numerals: Numerals
    spellings: list[Spelling]
    nonessential: list[str] = []


class Token(NamedTuple):
    """A word of a text: its term, its place among the terms, and where it stands in the text as given."""

    term: str
    position: int
    start: int
    end: int


Place = tuple[str, int, int]
"""A term, and from where to where it stands in a text."""

_LONGEST_WORD = 64
"""Longer runs of letters are no words: they are neither folded nor stemmed."""
_NUMBER = re.compile(r"\d+(?:\.\d+)+", re.ASCII)
_WORD = re.compile(rf"{_NUMBER.pattern}|[a-z0-9]+", re.ASCII)
_DECIMAL = re.compile(r"\d\.\d")
# Possessive, from the beginning of a word: a run of a million letters is looked at once, not a million times. Parts of
# decimal numbers (`1.5-2.5`) are no words.
_JOINED = re.compile(r"(?<![a-z0-9])(?<!\d\.)[a-z0-9]++(?:-[a-z0-9]++)++(?!\.\d)")
_DIGITS = frozenset("0123456789")
_WORD_CHARACTERS = _DIGITS.union("abcdefghijklmnopqrstuvwxyz")
_APOSTROPHES = "'’‘`"
_APOSTROPHE = re.compile(rf"[{_APOSTROPHES}](?:s\b)?")
_NO_WORDS = {"": ""}
"""The terms of words, none yet; nothing is a word without a term."""
_ASSERTION = re.compile(r"(?:\^|\(\?<[=!](?:[\w.]|\[[\w-]+\]|\{\d+\})*\))(?![*+?{])")
"""What a pattern may ask of what stands before, in its simplest forms; not where it is repeated."""
_LETTERS = {"æ": "ae", "œ": "oe", "ß": "ss", "ø": "o", "µ": "u", "μ": "u"}
_PLAIN = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | _LETTERS)


def _beginning(rule: Spelling) -> str:
    """A pattern that finds whatever the rule's does, and does so sooner: without what it asks of what stands before."""
    assertion = _ASSERTION.match(rule.pattern)
    return rule.pattern[assertion.end() :] if assertion else rule.pattern


def _one_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first; for nothing where there are none."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or "(?!)"


class Analysed(NamedTuple):
    """A text with the terms that a record with it is found by, in order.

    Where `is_plain` they are those of its words, one character apart, and empty for stop words and between two such
    characters: `bounds` are how many letters of words stand before each, and in all. Else `bounds` are from where to
    where each of them stands in the text, and some may overlap, as a joined word and its parts do.
    """

    text: str
    terms: tuple[str, ...]
    bounds: tuple[int, ...]
    is_plain: bool

    def spans(self, wanted: Collection[str]) -> list[tuple[int, int]]:
        """Where those of the terms that are wanted stand, in order."""
        bounds = self.bounds
        if self.is_plain:
            return [(bounds[n] + n, bounds[n + 1] + n) for n, term in enumerate(self.terms) if term in wanted]
        return [(bounds[2 * n], bounds[2 * n + 1]) for n, term in enumerate(self.terms) if term in wanted]

    def places(self, wanted: Collection[str]) -> list[Place]:
        """The same with the terms."""
        terms = (term for term in self.terms if term in wanted)
        return [(term, *span) for term, span in zip(terms, self.spans(wanted), strict=True)]


class Analyzer:
    """Turns text into terms. Stemming and folding are cached by word, since the same words come again and again."""

    def __init__(self, config: AnalysisConfig) -> None:
        self._stop = frozenset(config.stop_words)
        shorthand = _shorthand_pattern(config.shorthand)
        self._shorthand = {signs: f" {words} " for signs, words in config.shorthand.items()}
        self._any_shorthand = re.compile(shorthand)
        self._numerals = config.numerals.always
        self._after = config.numerals.after
        letters, words = _one_of(self._after), _one_of(config.numerals.words)
        # The letters are much rarer than the words: they are looked for, and then for the word before them.
        self._letter = re.compile(rf"[\s-]({letters})\b(?!-)")
        self._word_before = re.compile(rf"\b(?:{words})$")
        self._longest_before = max(map(len, config.numerals.words), default=0) + 1
        self._config = config
        self._any_spelling = re.compile("|".join(f"(?:{_beginning(rule)})" for rule in config.spellings) or "(?!)")
        self._stem = Stemmer.Stemmer("english", 0).stemWord  # without a cache of its own: terms are remembered here
        self._terms = dict(_NO_WORDS)

    @cached_property
    def _nonessential(self) -> re.Pattern[str]:
        # Beginning with its letters a pattern is looked for quickly; what stands before them is looked at then.
        return re.compile(rf"(?:{_one_of(self._config.nonessential)})\b")

    @cached_property
    def _spellings(self) -> list[tuple[re.Pattern[str], str]]:
        """The rules one by one: few words need them."""
        return [(re.compile(rule.pattern), rule.replacement) for rule in self._config.spellings]

    def fold(self, text: str) -> str:
        """The text in lower case, without accents and possessives, shorthand such as "w/o" written out, and numerals
        after words such as "type" as digits."""
        return self._fold_ascii(self._prepared(text))

    def fold_all(self, texts: Sequence[str]) -> str:
        """The folded texts with a NUL between two, quicker than one by one."""
        together = "\0".join([self._prepared(text) for text in texts])
        if together.count("\0") >= len(texts) > 0:
            together = "\0".join([self._prepared(text).replace("\0", " ") for text in texts])
        return self._fold_ascii(together)

    def _prepared(self, text: str) -> str:
        """The text in ASCII letters where it can be, and with shorthand written out."""
        if not text.isascii():
            text = _plain(text)
        if "/" in text or "&" in text:
            text = self._any_shorthand.sub(lambda match: self._shorthand[match[0]], text.lower())
        return text

    def _fold_ascii(self, text: str) -> str:
        text = text.lower()
        if "'" in text or "’" in text or "‘" in text or "`" in text:
            text = _APOSTROPHE.sub("", text)
        return self._letter.sub(lambda match: match[0][0] + self._numeral_of(match), text)

    def _numeral_of(self, match: re.Match[str]) -> str:
        """A letter as the digit that it stands for, after one of the words."""
        text, end = match.string, match.start(1)
        while end and (text[end - 1] == "-" or text[end - 1].isspace()):
            end -= 1
        before = text[max(0, end - self._longest_before) : end]
        return self._after[match[1]] if self._word_before.search(before) else match[1]

    def words(self, text: str) -> list[str]:
        """The words of a folded text, stop words too."""
        return _WORD.findall(text)

    def term(self, word: str) -> str:
        """The term of a folded word; empty for a stop word."""
        term = self._terms.get(word)
        if term is None:
            if len(self._terms) > 500_000:
                self._terms = dict(_NO_WORDS)
            term = self._terms[word] = self._make_term(word)
        return term

    def learn(self, terms: Iterable[tuple[str, str]]) -> None:
        """Remembers the terms of words, which were made before: `term` need not make them again."""
        self._terms.update(terms)

    def _make_term(self, word: str) -> str:
        if word in self._stop:
            return ""
        if len(word) > _LONGEST_WORD:
            return word
        word = self._numerals.get(word, word)
        return self._stem(self.fold_spelling(word)) if word.isalpha() else word

    def fold_spelling(self, word: str) -> str:
        """A word in the spelling that stands for all its spellings: `haemorrhage` as `hemorrhage`."""
        if len(word) <= _LONGEST_WORD and self._any_spelling.search(word):
            for pattern, replacement in self._spellings:
                word = pattern.sub(replacement, word)
        return word

    def terms(self, text: str) -> list[str]:
        """The terms of a text as it is typed, without stop words."""
        return [term for term in map(self.term, self.words(self.fold(text))) if term]

    def terms_of_all(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """The terms of each text, quicker than one by one."""
        return [terms for _, terms in self.words_of_all(texts)]

    def words_of_all(self, texts: Sequence[str]) -> Iterator[tuple[list[str], tuple[str, ...]]]:
        """The words of each text that are no stop words, folded, and their terms."""
        if not texts:
            return
        for text in blanked(self.fold_all(texts), "\0").split("\0"):
            words = text.split()
            terms = tuple(map(self.term, words))
            if "" in terms:
                words = [word for word, term in zip(words, terms, strict=True) if term]
                terms = tuple(filter(None, terms))
            yield words, terms

    def joined(self, folded: str) -> list[tuple[str, int]]:
        """The hyphenated words of a folded text, joined (`x-ray` as the term of `xray`), with where they begin."""
        return [(self.term(match[0].replace("-", "")), match.start()) for match in _hyphenated(folded)]

    def with_parentheses(self, folded: str) -> str:
        """A folded text with parentheses around what matches and does not count."""
        return self._nonessential.sub(_parenthesised, folded)

    def with_joined(self, folded: str, mark: str) -> str:
        """A folded text with its hyphenated words joined once more before their parts, after a mark."""
        parts: list[str] = []
        done = 0
        for found in _hyphenated(folded):
            parts += (folded[done : found.start()], mark, found[0].replace("-", ""), " ")
            done = found.start()
        return "".join((*parts, folded[done:]))

    def tokens(self, text: str) -> list[Token]:
        """The words of a text that `terms` gives, with their places in it."""
        folded, origins = self._aligned(text)
        found = _placed(self._words_in(folded), origins)
        return [Token(term, number, start, end) for number, (term, start, end) in enumerate(found)]

    def places(self, text: str) -> list[Place]:
        """The terms that a record with this text is found by, hyphenated words joined too, in order.

        Their places are those in the text as given, for marking what matched.
        """
        folded, origins = self._aligned(text)
        found = self._words_in(folded)
        if "-" in folded:
            found += self._joined_in(folded)
            found.sort(key=itemgetter(1))
        return _placed(found, origins)

    def analysed(self, text: str) -> Analysed:
        """A text with the terms that `places` gives."""
        if text.isascii() and not _is_edited(text):
            folded = text.lower()
            words = _cut(folded)
            is_even = "." not in text or not _DECIMAL.search(text)
            if is_even and self._after.keys().isdisjoint(words):
                # Tuples of texts and numbers are nothing for the garbage collector to go through, as lists are.
                terms: tuple[str | None, ...] = tuple(map(self._terms.get, words))  # most are known
                known = tuple(map(self.term, words)) if None in terms else cast(tuple[str, ...], terms)
                bounds = tuple(accumulate(map(len, words), initial=0))
                joined = self._joined_in(folded) if "-" in folded else None
                if not joined:
                    return Analysed(text, known, bounds, True)
                places = [(term, bounds[n] + n, bounds[n + 1] + n) for n, term in enumerate(known) if term]
                return _analysed(text, sorted(places + joined, key=itemgetter(1)))
        return _analysed(text, self.places(text))

    def _joined_in(self, folded: str) -> list[Place]:
        """The hyphenated words of a folded text, joined, and where they stand."""
        return [
            (term, match.start(), match.end())
            for match in _hyphenated(folded)
            if (term := self.term(match[0].replace("-", "")))
        ]

    def _words_in(self, folded: str) -> list[Place]:
        term_of = self.term
        return [(term, match.start(), match.end()) for match in _WORD.finditer(folded) if (term := term_of(match[0]))]

    def _aligned(self, text: str) -> tuple[str, _Origins | None]:
        """The folded text, and where its characters come from; None where each has kept its place."""
        origins: _Origins | None = None
        if text.isascii() and not _is_edited(text):
            folded = text.lower()
        else:
            folded, origins = _letters(text)
            written = [(*match.span(), self._shorthand[match[0]]) for match in self._any_shorthand.finditer(folded)]
            folded, origins = _edited(folded, origins, written)
            folded, origins = _edited(folded, origins, [(*match.span(), "") for match in _APOSTROPHE.finditer(folded)])
        numerals = [(*match.span(1), self._numeral_of(match)) for match in self._letter.finditer(folded)]
        if not numerals:
            return folded, origins
        return _edited(folded, origins or _Origins(text, list(range(len(text) + 1))), numerals)


def _hyphenated(folded: str) -> Iterator[re.Match[str]]:
    """The hyphenated words of a folded text: looked for by their hyphens, which are few."""
    hyphen = folded.find("-")
    while hyphen >= 0:
        start = hyphen
        while start and folded[start - 1] in _WORD_CHARACTERS:
            start -= 1
        found = _JOINED.match(folded, start) if start < hyphen else None
        if found:
            yield found
        hyphen = folded.find("-", found.end() if found else hyphen + 1)


def blanked(folded: str, kept: str) -> str:
    """A folded text with blanks for all that is no word and none of the characters that are kept."""
    if "." in folded:
        folded = _with_numbers_apart(folded)
    return _only(folded, f"{kept}.")


def _only(text: str, kept: str) -> str:
    """A text with blanks for all but ASCII letters, digits and the characters that are kept."""
    # As bytes: a text is translated letter by letter, each looked up in a dictionary.
    return text.encode("ascii", "replace").translate(_blanks(kept)).decode()


@cache
def _blanks(kept: str) -> bytes:
    """The table of `_only`."""
    return bytes(n if n < 128 and (chr(n).isalnum() or chr(n) in kept) else ord(" ") for n in range(256))


def _with_numbers_apart(folded: str) -> str:
    """A folded text without points, but for those of decimal numbers, each of which stands apart from what follows."""
    parts: list[str] = []
    done = 0
    point = folded.find(".")
    while point >= 0:
        start = point
        while start and folded[start - 1] in _DIGITS:
            start -= 1
        is_within = start > 0 and folded[start - 1] in _WORD_CHARACTERS
        found = None if is_within or start == point else _NUMBER.match(folded, start)
        parts += (folded[done : found.end() if found else point], " ")
        done = found.end() if found else point + 1
        point = folded.find(".", done)
    return "".join((*parts, folded[done:]))


def _is_edited(text: str) -> bool:
    """Whether an ASCII text holds what folding may take out, or write out."""
    return "'" in text or "`" in text or "/" in text or "&" in text


def _cut(text: str) -> list[str]:
    """A text cut at every character that is no ASCII letter or digit."""
    return _only(text, "").split(" ")


def _parenthesised(match: re.Match[str]) -> str:
    """The match in parentheses, unless it begins within a word, or after "or": "with or without" means both."""
    text, start = match.string, match.start()
    within = start > 0 and text[start - 1] in _WORD_CHARACTERS
    return match[0] if within or text.endswith("or ", 0, start) else f"({match[0]})"


class _Origins(NamedTuple):
    """Where each character of a folded text comes from in the text as given, and last the end of that text."""

    text: str
    places: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a folded word stands in the text as given, with the accents and possessives that folding took away."""
        first, last = self.places[start], max(self.places[end], self.places[end - 1] + 1)
        while last - first > 1 and self.text[last - 1] in _APOSTROPHES:
            last -= 1
        return first, last


def _analysed(text: str, places: list[Place]) -> Analysed:
    """A text with terms that may overlap."""
    bounds = tuple([bound for _, start, end in places for bound in (start, end)])
    return Analysed(text, tuple([term for term, _, _ in places]), bounds, False)


def _placed(found: list[Place], origins: _Origins | None) -> list[Place]:
    """Places in a folded text as places in the text as given."""
    return [(term, *origins.span(start, end)) for term, start, end in found] if origins else found


def _letters(text: str) -> tuple[str, _Origins]:
    """The text in plain lower-case letters."""
    if text.isascii():
        return text.lower(), _Origins(text, list(range(len(text) + 1)))
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        plain = _plain(char)
        folded.append(plain)
        places += [place] * len(plain)
    return "".join(folded), _Origins(text, [*places, len(text)])


def _edited(folded: str, origins: _Origins, edits: list[tuple[int, int, str]]) -> tuple[str, _Origins]:
    """The text with the slices (start, end) replaced, which stand in order."""
    pieces: list[str] = []
    places: list[int] = []
    last = 0
    for start, end, replacement in edits:
        pieces += [folded[last:start], replacement]
        # Each word of a replacement stands for the whole slice: it begins at its start, the blank after it at its end.
        ends = (origins.places[end if char == " " else start] for char in replacement)
        places += [*origins.places[last:start], *ends]
        last = end
    return "".join([*pieces, folded[last:]]), _Origins(origins.text, [*places, *origins.places[last:]])


def _plain(text: str) -> str:
    """A text in lower case, with letters for those that have accents or are ligatures, and hyphens for dashes."""
    text = text.lower().translate(_PLAIN)
    if text.isascii():
        return text
    return without_accents(text).lower()


def _shorthand_pattern(shorthand: Iterable[str]) -> str:
    """An expression for shorthand that stands by itself; what ends in a slash may touch a word of three letters."""
    longest_first = sorted(shorthand, key=len, reverse=True)
    ends = (r"(?=[a-z0-9]{3}|[^a-z0-9/&]|$)" if signs.endswith("/") else "(?![a-z0-9/&])" for signs in longest_first)
    parts = [re.escape(signs) + end for signs, end in zip(longest_first, ends, strict=True)]
    return f"(?<![a-z0-9/&])(?:{'|'.join(parts)})" if parts else "(?!)"


def frozen(config: AnalysisConfig) -> dict[str, Any]:
    """The configuration as plain data, to be kept in a manifest."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    return plain
