"""Codes in a query: in any spelling, with a missing placeholder or an o for a zero, behind the name of their system, as
prefix, wildcard or range."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from codesearch.codes import SYSTEMS, bare, find_system, has_shape, written
from codesearch.index.limits import CODE_BYTES
from codesearch.index.reader import IndexReader


class CodeMatch(NamedTuple):
    """Documents that a typed code stands for: tier 1 (the code itself) or 2 (prefix, wildcard, range).

    `reading` is what the typed text was taken for where that is not what was typed (`W21.89XA` for `W21.89A`).
    """

    typed: str
    tier: int
    documents: tuple[int, ...]
    reading: str = ""


_HAS_CODE_CHARACTER = re.compile(r"[0-9*?]")
_WILDCARD = re.compile(r"[0-9A-Za-z.]*[?*][0-9A-Za-z.?*]*")
_RANGE = re.compile(r"([0-9A-Za-z.]{3,8})\s*(?:\.\.|-|–|—)\s*([0-9A-Za-z.]{3,8})")
_PREFIX = re.compile(r"[0-9A-Za-z]{2,7}")
_CODE_LIKE = re.compile(r"(?=.*\d)[0-9A-Za-z.]{3,9}-?")
_LOOKALIKES = {"O": "0", "I": "1", "L": "1"}
_MAX_LOOKALIKES = 4
_PCS_LENGTH = 7
_LONGEST_CODE = 200
_LETTERS = re.compile(r"[A-Za-z]{3,6}")
"""Letters that may begin a code: ICD-10-PCS has tables that are named by letters alone."""
_SEVENTH = re.compile(r"[A-Z0-9]")
_BETWEEN = re.compile(r"[\s:#-]+")
_SYSTEM_WORDS = 4
"""Words of the longest name of a system, its blanks and hyphens counted."""
_MODIFIER = re.compile(
    r"(?:\w+\s+)?(?:modifier|mod)[\s:#-]+([0-9A-Z]{2})|([0-9A-Z]{2})[\s-]+modifier", re.ASCII | re.IGNORECASE
)
_CATEGORY = re.compile(r"[A-Za-z]\d[0-9ABab]")
_PUNCTUATION = ",;:!()\"'“”"
_SURE_LENGTH = 5
"""Among other words, fewer characters are too few to read an o as a zero: `il6` is no I16."""


class CodeRecogniser:
    """Finds the codes of an index in a query."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader

    def split(self, text: str, systems: Sequence[str]) -> tuple[list[CodeMatch], str]:
        """The codes of a query among the given systems, and what is left of it as text."""
        stripped = text.strip()
        modifier = self._modifier(stripped, systems)
        if modifier:
            return [modifier], ""
        if not _HAS_CODE_CHARACTER.search(text) and len(stripped) != _PCS_LENGTH:
            found = self._plainly(stripped, systems)
            if found or not self._is_no_word(stripped):
                return found, text
        whole = self._whole(text, systems) or self._behind_system(stripped, systems)
        if whole:
            return whole, ""
        matches: list[CodeMatch] = []
        rest = text
        for written_range in list(_RANGE.finditer(rest)):
            match = self._range(written_range, systems)
            if match:
                matches.append(match)
                rest = rest.replace(written_range[0], " ", 1)
        found_words, words = self._words(rest.split(), systems)
        return matches + found_words, " ".join(words)

    def named(self, text: str, systems: Sequence[str]) -> list[CodeMatch]:
        """The codes that a text names which can be nothing but codes: exact and below, wildcard, range or reading."""
        matches, rest = self.split(text, systems)
        if rest not in {"", text}:
            return []
        exact = [match for match in matches if match.tier == 1]
        return [*exact, *(found for match in exact for found in self.below(match))] if exact else matches

    def condition(self, word: str, systems: Sequence[str]) -> list[CodeMatch]:
        """The codes of a word under an operator, which might be a word of a text: no prefixes, and no readings."""
        typed = word.strip(_PUNCTUATION)
        found = _RANGE.fullmatch(typed)
        match = self._range(found, systems) if found else self._word(typed, systems)
        if match is None or match.reading:
            return []
        return [match, *self.below(match)]

    def below(self, match: CodeMatch) -> list[CodeMatch]:
        """The codes of the same system that begin with an exact one."""
        systems = {self._reader.keyword("system", document) for document in match.documents}
        documents = self._below(bare(match.typed), sorted(systems), match.documents) if match.tier == 1 else ()
        return [CodeMatch(match.typed, 2, documents)] if documents else []

    def missing_categories(self, text: str) -> list[str]:
        """The words of a text that are written as categories of ICD-10-CM, and that no record knows."""
        words = ((word, word.strip(_PUNCTUATION)) for word in text.split())
        return [word for word, bare_word in words if _CATEGORY.fullmatch(bare_word) and not self._is_text(bare_word)]

    def _words(self, words: Sequence[str], systems: Sequence[str]) -> tuple[list[CodeMatch], list[str]]:
        """The codes among words, each with the name of its system if that stands before it, and the other words."""
        matches: list[CodeMatch] = []
        others: list[str] = []
        for place, word in enumerate(words):
            stripped = word.strip(_PUNCTUATION)
            asked = stripped.removesuffix("?") if 0 < place == len(words) - 1 else stripped
            match = self._in_prose(asked, systems) if asked != stripped else None
            match = match or self._word(stripped, systems) or self._glued(stripped, systems)
            if match is None:
                others.append(word)
            else:
                matches.append(self._of_system(match, others, systems))
        return matches, others

    def _in_prose(self, word: str, systems: Sequence[str]) -> CodeMatch | None:
        """The exact code that a question ends with: its mark is no wildcard."""
        match = self._word(word, systems)
        return match if match and match.tier == 1 else None

    def _of_system(self, match: CodeMatch, before: list[str], systems: Sequence[str]) -> CodeMatch:
        """A code in the one system whose name stands before it, if it has the code; the name is taken away."""
        for count in range(min(_SYSTEM_WORDS, len(before)), 0, -1):
            system = find_system(" ".join(before[-count:]))
            exact = self._exact(bare(match.typed), [system]) if system and system in systems and match.tier == 1 else ()
            if exact:
                del before[-count:]
                return match._replace(documents=exact)
        return match

    def _behind_system(self, text: str, systems: Sequence[str]) -> list[CodeMatch]:
        """The query as the name of a system and one code of it: `CPT 22512`, `cpt4-22512`, `hcpcs: E0601`."""
        for between in list(_BETWEEN.finditer(text))[:_SYSTEM_WORDS]:
            system = find_system(text[: between.start()])
            found = self._whole(text[between.end() :], [system]) if system and system in systems else []
            if found:
                return found
        return []

    def _glued(self, word: str, systems: Sequence[str]) -> CodeMatch | None:
        """A code that its system's name is glued to: `cpt4-22512` among other words."""
        found = self._behind_system(word, systems) if ":" in word or "-" in word else []
        return next((match for match in found if match.tier == 1), None)

    def _modifier(self, text: str, systems: Sequence[str]) -> CodeMatch | None:
        """The query as a modifier and the word for it, before or behind: `modifier KX`, `kx modifier`."""
        found = _MODIFIER.fullmatch(text)
        code = found and (found[1] or found[2])
        exact = self._exact(bare(code), systems) if code else ()
        documents = tuple(document for document in exact if self._reader.keyword("kind", document) == "modifier")
        return CodeMatch(code, 1, documents) if code and documents else None

    def _plainly(self, text: str, systems: Sequence[str]) -> list[CodeMatch]:
        """The query as a code that looks like none: a modifier such as `LT`, a code of a user's own system."""
        if len(text) > _PCS_LENGTH:  # longer than any code of a system that we know
            systems = [system for system in systems if system not in SYSTEMS]
        exact = self._exact(text, systems) if 2 <= len(text) <= _LONGEST_CODE else ()
        return [CodeMatch(text, 1, exact)] if exact else []

    def _whole(self, text: str, systems: Sequence[str]) -> list[CodeMatch]:
        """The query as one code: exact, prefix, or a reading of it that exists."""
        stripped = text.strip()
        compact = bare(stripped)
        has_digit = any(char.isdigit() for char in compact)
        if not 2 <= len(compact) <= 12 or not compact.isalnum():
            return self._plainly(stripped, [system for system in systems if system not in SYSTEMS])
        if not has_digit and len(compact) != _PCS_LENGTH and not self._is_no_word(stripped):
            return []
        systems = _writing(stripped, systems)
        exact = self._exact(compact, systems)
        if len(stripped.split()) > 1 and not _reads_as_one(stripped):
            # `0SW KXKZ` is one code in two pieces, however much a word these letters make.
            return [CodeMatch(stripped, 1, exact)] if exact and has_digit and len(compact) == _PCS_LENGTH else []
        below = self._below(compact, systems, exact) if has_digit or len(compact) < _PCS_LENGTH else ()
        if exact or below:
            first = [CodeMatch(stripped, 1, exact)] if exact else []
            return first + ([CodeMatch(stripped, 2, below)] if below else [])
        return self._reading(stripped, compact, systems)

    def _is_no_word(self, text: str) -> bool:
        """Whether letters are neither a word nor an abbreviation, so that they may begin a code (`xrh`)."""
        if not _LETTERS.fullmatch(text) or self._is_text(text):
            return False
        return self._reader.analyzer.term(text.lower()) not in self._reader.expansions

    def _word(self, word: str, systems: Sequence[str]) -> CodeMatch | None:
        """A word of a query as a code, or as the code that it was probably meant for."""
        if _WILDCARD.fullmatch(word) and len(word.strip("?*.")) >= 2 and any(char.isdigit() for char in word):
            found = self._wildcard(word, systems)
            return found if found or word.find("?") < len(word) - 1 else self._in_prose(word[:-1], systems)
        if not _CODE_LIKE.fullmatch(word):
            return None
        exact = self._exact(bare(word), _writing(word, systems))
        return CodeMatch(word, 1, exact) if exact else self._meant(word, systems)

    def _meant(self, word: str, systems: Sequence[str]) -> CodeMatch | None:
        """The code that a word among others was meant for, where it is hardly anything else."""
        compact = bare(word)
        is_sure = "." in word or (len(compact) >= _SURE_LENGTH and not self._is_text(word))
        candidates = [*_with_placeholder(compact), *(_with_digits(compact) if is_sure else ())]
        return self._first(word, candidates, systems)

    def _exact(self, compact: str, systems: Sequence[str]) -> tuple[int, ...]:
        found = (self._reader.find(system, compact) for system in systems)
        return tuple(document for document in found if document is not None and not self._is_no_code(document))

    def _is_no_code(self, document: int) -> bool:
        return self._reader.keyword("kind", document) == "chapter" or self._is_table(document)

    def _is_table(self, document: int) -> bool:
        """Whether a document is an ICD-10-PCS table: its three characters are no code, but begin many."""
        reader = self._reader
        return reader.keyword("kind", document) == "header" and reader.keyword("system", document) == "ICD10PCS"

    def _below(self, prefix: str, systems: Sequence[str], without: Sequence[int]) -> tuple[int, ...]:
        """The documents whose codes begin with a prefix that could be the beginning of a code."""
        if not _PREFIX.fullmatch(prefix):
            return ()
        possible = [system for system in systems if system not in SYSTEMS or _may_begin(system, prefix)]
        slices = [self._reader.prefix_slice(system, prefix) for system in possible]
        excluded = set(without)
        found = [document for document in self._codes_of(slices) if document not in excluded]
        return tuple(sorted(found, key=self._is_table)) if found and self._is_table(found[0]) else tuple(found)

    def _reading(self, typed: str, compact: str, systems: Sequence[str]) -> list[CodeMatch]:
        """A code that exists and that the typed text was probably meant for: a placeholder added, o read as 0."""
        exact = self._first(typed, [*_with_placeholder(compact), *_with_digits(compact)], systems)
        if exact:
            return [exact]
        for candidate in _with_digits(compact) if any(char.isdigit() for char in compact) else ():
            below = self._below(candidate, systems, ())
            if below:
                return [CodeMatch(typed, 2, below, candidate)]
        return []

    def _is_text(self, word: str) -> bool:
        """Whether a record has the word in a text."""
        return self._reader.used(self._reader.analyzer.term(word.lower())) is not None

    def _first(self, typed: str, candidates: Sequence[str], systems: Sequence[str]) -> CodeMatch | None:
        """The first of some readings that exists."""
        for candidate in candidates:
            exact = self._exact(candidate, systems)
            if exact:
                system = self._reader.keyword("system", exact[0])
                return CodeMatch(typed, 1, exact, written(system, candidate))
        return None

    def _wildcard(self, word: str, systems: Sequence[str]) -> CodeMatch | None:
        pattern = bare(word)
        if pattern.endswith("*") and "?" not in pattern and pattern.count("*") == 1:
            documents = self._below(pattern[:-1], _writing(word, systems), ())
        else:
            documents = tuple(self._matching(pattern, _writing(word, systems)))
        return CodeMatch(word, 2, documents) if documents else None

    def _matching(self, pattern: str, systems: Sequence[str]) -> Iterator[int]:
        """The documents whose bare codes match `?` and `*`: the prefix is looked up, the rest is compared."""
        prefix = re.split(r"[?*]", pattern)[0]
        expression = _expression(pattern)
        bare_codes = self._reader.arrays["bare"]
        for system in systems:
            start, end = self._reader.prefix_slice(system, prefix)
            for offset, code in enumerate(bare_codes[start:end].tolist()):
                if expression.fullmatch(code):
                    yield start + offset

    def _range(self, found: re.Match[str], systems: Sequence[str]) -> CodeMatch | None:
        first, last = bare(found[1]), bare(found[2])
        if not (any(char.isdigit() for char in first) and any(char.isdigit() for char in last)) or first > last:
            return None
        possible = [
            system
            for system in systems
            if system not in SYSTEMS or (_may_begin(system, first) and _may_begin(system, last))
        ]
        # E10-E14 are categories, and not the HCPCS codes that begin so.
        with_an_end = [system for system in possible if self._exact(first, [system]) or self._exact(last, [system])]
        slices = [self._reader.range_slice(system, first, last) for system in with_an_end or possible]
        documents = tuple(self._codes_of(slices))
        return CodeMatch(found[0], 2, documents) if documents else None

    def _codes_of(self, slices: Sequence[tuple[int, int]]) -> list[int]:
        """The documents of some slices without chapters and sections, which are no codes."""
        kinds, values = self._reader.arrays["keyword.kind"], self._reader.keywords["kind"]
        chapter = values.index("chapter") if "chapter" in values else -1
        found: list[int] = []
        for start, end in slices:
            found += (start + (kinds[start:end].astype(int) != chapter).nonzero()[0]).tolist()
        return found


def _reads_as_one(text: str) -> bool:
    """Whether blanks stand inside one code (`e 11.9`, `I69 031`), not between words (`type 2`)."""
    pieces = text.split()
    short = len(pieces) <= 3 and re.fullmatch(r"[A-Za-z0-9]{1,4}", pieces[0]) is not None
    return short and re.search(r"[a-z]{3}", text.lower()) is None


def _expression(pattern: str) -> re.Pattern[bytes]:
    """A pattern of `?` and `*` as a regular expression that never goes back.

    What stands between two stars may be taken where it is found first, once and for all: with stars that are tried
    again at every place, a pattern of twelve of them takes minutes.
    """
    first, *others = pattern[: 2 * CODE_BYTES].split("*")
    middle = "".join(f"(?>.*?{_literal(part)})" for part in others[:-1] if part)
    last = f".*{_literal(others[-1])}" if others else ""
    return re.compile(f"{_literal(first)}{middle}{last}".encode())


def _literal(part: str) -> str:
    """A part of a pattern without stars."""
    return "".join("[0-9A-Z]" if char == "?" else re.escape(char) for char in part)


def _writing(typed: str, systems: Sequence[str]) -> Sequence[str]:
    """The systems that write codes as the typed one: of those we know, only ICD-10-CM has a dot in fourth place."""
    if typed[3:4] != ".":
        return systems
    return [system for system in systems if system == "ICD10CM" or system not in SYSTEMS]


def _may_begin(system: str, prefix: str) -> bool:
    """Whether a prefix can begin a code of a known system: completed in some way it has the system's shape."""
    for filler in ("", "0", "00", "000", "0000", "00000", "Z", "ZZ", "ZZZ", "ZZZZ", "ZZZZZ"):
        if has_shape(system, prefix + filler) and len(prefix + filler) > 2:
            return True
    return False


def _with_placeholder(compact: str) -> Iterator[str]:
    """ICD-10-CM codes with the placeholders X that were left out: before the last character (`W2189A` as `W2189XA`),
    else within (`T5312S` as `T531X2S`, `H9189` as `H918X9`)."""
    if 4 <= len(compact) <= 6 and _SEVENTH.fullmatch(compact[-1]) and compact[0].isalpha():
        for place in (len(compact) - 1, *range(len(compact) - 2, 3, -1)):
            yield compact[:place] + "X" * (7 - len(compact)) + compact[place:]
        if len(compact) == 5:
            yield f"{compact[:4]}X{compact[4]}"


def _with_digits(compact: str) -> Iterator[str]:
    """The text with letters that look like digits read as digits, the fewest changes first."""
    places = [place for place, char in enumerate(compact) if char in _LOOKALIKES]
    if not places or len(places) > _MAX_LOOKALIKES:
        return
    choices = sorted(product((False, True), repeat=len(places)), key=sum)
    for choice in choices[1:]:
        letters = list(compact)
        for place, change in zip(places, choice, strict=True):
            if change:
                letters[place] = _LOOKALIKES[compact[place]]
        yield "".join(letters)
