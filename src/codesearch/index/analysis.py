"""Text to terms: one analysis for records and for queries, read from `index/analysis.toml`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
import Stemmer


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
    numerals: Numerals
    spellings: list[Spelling]


class Token(NamedTuple):
    """A word of a text: its term, its place among the terms, and where it stands in the text as given."""

    term: str
    position: int
    start: int
    end: int


_LONGEST_WORD = 64
"""Longer runs of letters are no words: they are neither folded nor stemmed."""
_WORD = re.compile(r"\d+(?:\.\d+)+|[a-z0-9]+")
# Possessive, from the beginning of a word: a run of a million letters is looked at once, not a million times.
_JOINED = re.compile(r"(?<![a-z0-9])[a-z0-9]++(?:-[a-z0-9]++)+")
_APOSTROPHE = re.compile(r"['’‘`](?:s\b)?")
_LETTERS = {"æ": "ae", "œ": "oe", "ß": "ss", "ø": "o", "µ": "u", "μ": "u"}
_PLAIN = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | _LETTERS)


def _one_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first; for nothing where there are none."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or "(?!)"


class Analyzer:
    """Turns text into terms. Stemming and folding are cached by word, since the same words come again and again."""

    def __init__(self, config: AnalysisConfig) -> None:
        self._stop = frozenset(config.stop_words)
        self._numerals = config.numerals.always
        self._after = config.numerals.after
        self._numeral = re.compile(rf"\b({_one_of(config.numerals.words)})[\s-]+({_one_of(self._after)})\b(?!-)")
        self._spellings = [(re.compile(rule.pattern), rule.replacement) for rule in config.spellings]
        self._any_spelling = re.compile("|".join(f"(?:{rule.pattern})" for rule in config.spellings) or "(?!)")
        self._stem = Stemmer.Stemmer("english").stemWord
        self._terms: dict[str, str] = {}

    def fold(self, text: str) -> str:
        """The text in lower case, without accents and possessives, numerals after words such as "type" as digits."""
        text = text.lower()
        if not text.isascii():
            text = text.translate(_PLAIN)
            if not text.isascii():
                text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
        if "'" in text or "’" in text or "‘" in text or "`" in text:
            text = _APOSTROPHE.sub("", text)
        if self._numeral.search(text):
            text = self._numeral.sub(lambda match: f"{match[1]} {self._after[match[2]]}", text)
        return text

    def words(self, text: str) -> list[str]:
        """The words of a folded text, stop words too."""
        return _WORD.findall(text)

    def term(self, word: str) -> str:
        """The term of a folded word; empty for a stop word."""
        term = self._terms.get(word)
        if term is None:
            if len(self._terms) > 500_000:
                self._terms.clear()
            term = self._terms[word] = self._make_term(word)
        return term

    def _make_term(self, word: str) -> str:
        if word in self._stop:
            return ""
        if len(word) > _LONGEST_WORD:
            return word
        word = self._numerals.get(word, word)
        return self._stem(self.fold_spelling(word)) if word.isalpha() else word

    def fold_spelling(self, word: str) -> str:
        """A word in the spelling that stands for all its spellings: `haemorrhage` as `hemorrhage`."""
        if self._any_spelling.search(word):
            for pattern, replacement in self._spellings:
                word = pattern.sub(replacement, word)
        return word

    def terms(self, text: str) -> list[str]:
        """The terms of a text as it is typed, without stop words."""
        return [term for term in map(self.term, self.words(self.fold(text))) if term]

    def joined(self, folded: str) -> list[tuple[str, int]]:
        """The hyphenated words of a folded text, joined (`x-ray` as the term of `xray`), with where they begin."""
        return [(self.term(match[0].replace("-", "")), match.start()) for match in _JOINED.finditer(folded)]

    def tokens(self, text: str) -> list[Token]:
        """The words of a text with their places in it, for marking what matched.

        The text is folded word by word here, so that places stay those of the text as given.
        """
        tokens: list[Token] = []
        previous, previous_end = "", 0
        for match in re.finditer(r"\d+(?:\.\d+)+|[^\W_]+(?:['’][^\W_]+)*", text):
            folded = self.fold(match[0])
            between = text[previous_end : match.start()].translate(_PLAIN)
            following = text[match.end() : match.end() + 1].translate(_PLAIN)
            is_numeral = folded in self._after and self._numeral.match(f"{previous}{between}{folded}{following}")
            numeral = self._after[folded] if is_numeral else None
            for word in self.words(folded):
                term = numeral or self.term(word)
                if term:
                    tokens.append(Token(term, len(tokens), match.start(), match.end()))
            previous, previous_end = folded, match.end()
        return tokens


def frozen(config: AnalysisConfig) -> dict[str, Any]:
    """The configuration as plain data, to be kept in a manifest."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    return plain
