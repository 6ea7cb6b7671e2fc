"""Words that the index lacks: one wrong letter, the family of a prefix, parts of a compound, two wrong letters.

Wrong letters are looked for in the words of entries, and then in those that the rules alone know.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cached_property
from typing import NamedTuple

from codesearch.index.reader import IndexReader
from codesearch.index.spelling import MIN_LENGTH, near

MAX_LENGTH = 64
"""Longer runs of letters are no words, and taking them apart would take long."""
_LONG = 6
"""From this length two wrong letters are looked for; in shorter words one."""
_FAMILY_LENGTH = 5
_FAMILY_SHARE = 0.7
_COMPOUND_LENGTH = 7
_PART = 3
_CANDIDATES = 3
_MOST_REMEMBERED = 50_000


class Replacement(NamedTuple):
    """Terms for a word; `share` lowers the weight of its class, `written` is how it is shown."""

    terms: tuple[int, ...]
    weight_class: str
    share: float
    written: str


class UnknownWords:
    """Finds what stands for words that no entry has. What was found is remembered, for a bounded number of words."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._used = reader.arrays["term.frequency"]
        self._remembered: dict[tuple[str, str], tuple[Replacement, ...]] = {}

    def replacements(self, word: str, term: str) -> tuple[Replacement, ...]:
        """What stands for a word that no entry has; `term` is the word's term."""
        # A cache around the method would hold its own index, and keep a closed one open until the collector comes by.
        found = self._remembered.get((word, term))
        if found is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[word, term] = self._replacements(word, term)
        return found

    def _replacements(self, word: str, term: str) -> tuple[Replacement, ...]:
        if not MIN_LENGTH <= len(word) <= MAX_LENGTH or not word.isascii():
            return ()
        if not word.isalpha():
            return self._split(word)
        # Nearest first: one wrong letter beats a shared beginning, which beats two wrong letters.
        found = self._corrections(word, 1) or self._of_rules(word, 1) or self._family(term)
        if not found and len(word) >= _COMPOUND_LENGTH:
            found = self._compound(word)
        if not found and len(word) >= _LONG:
            found = self._corrections(word, 2) or self._of_rules(word, 2)
        return found or self._compound(word)

    def _corrections(self, word: str, distance: int) -> tuple[Replacement, ...]:
        """The nearest words by edits (transpositions are one), frequent ones first, a different first letter last."""
        # Only a search with an unknown word pays for loading it.
        from rapidfuzz.distance import OSA

        arrays, words = self._reader.arrays, self._reader.words
        ranked = []
        for number in near(word, arrays["near.hashes"], arrays["near.words"], distance):
            # Only the beginnings were compared: most candidates are too long or too short, which is quicker to see.
            if abs(words.length(number) - len(word)) > distance:
                continue
            candidate = words[number]
            edits = OSA.distance(word, candidate, score_cutoff=distance)
            if edits <= distance:
                term = int(arrays["word.term"][number])
                cost = edits + 0.3 * (candidate[0] != word[0]) - 0.08 * math.log1p(int(self._used[term]))
                ranked.append((cost, candidate, term))
        ranked.sort()
        chosen: dict[int, str] = {}
        for cost, candidate, term in ranked:
            if cost <= ranked[0][0] + 0.45 and len(chosen) < _CANDIDATES:
                chosen.setdefault(term, candidate)
        nearest = enumerate(chosen.items())
        return tuple(
            Replacement((term,), "spelling", 1 - 0.1 * place, candidate) for place, (term, candidate) in nearest
        )

    @cached_property
    def _rule_words(self) -> dict[tuple[str, int], list[str]]:
        """The words of rules that no entry has, such as brands of drugs, by first letter and length."""
        found: dict[tuple[str, int], list[str]] = {}
        for word in self._reader.expansions:
            if len(word) >= MIN_LENGTH and word.isalpha() and self._reader.used(word) is None:
                found.setdefault((word[0], len(word)), []).append(word)
        return found

    def _of_rules(self, word: str, distance: int) -> tuple[Replacement, ...]:
        """What the rules give for the nearest of their own words by edits, with the same first letter."""
        if len(word) < _LONG:
            return ()
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        lengths = range(len(word) - distance, len(word) + distance + 1)
        alike = [known for length in lengths for known in self._rule_words.get((word[0], length), ())]
        near = extract(word, alike, scorer=OSA.distance, score_cutoff=distance, limit=_CANDIDATES)
        for meant, _, _ in near:
            found = []
            for one in self._reader.expansions[meant]:
                known = self._reader.all_used(one.terms)
                if known is not None and one.weight_class != "initials":
                    found.append(Replacement(known, "spelling", 1.0, one.phrase))
            if found:
                return tuple(found)
        return ()

    def _family(self, term: str) -> tuple[Replacement, ...]:
        """Terms that share a long beginning with the word's: `chlamydi...`."""
        terms = self._reader.term_list
        for length in range(len(term), max(_FAMILY_LENGTH, int(len(term) * _FAMILY_SHARE)) - 1, -1):
            beginning = term[:length]
            place = bisect_left(terms, beginning)
            found: list[int] = []
            while place < len(terms) and terms[place].startswith(beginning) and len(found) < 20:
                if self._used[place] and abs(len(terms[place]) - len(term)) <= 4:
                    found.append(place)
                place += 1
            if found:
                found.sort(key=lambda number: (-int(self._used[number]), number))
                return tuple(
                    Replacement((number,), "prefix", length / len(term), terms[number]) for number in found[:5]
                )
        return ()

    def _compound(self, word: str) -> tuple[Replacement, ...]:
        """The word as two known parts, with or without a joining vowel, the rarest parts first."""
        best: tuple[float, int, int, str] | None = None
        for cut in range(_PART, len(word) - _PART + 1):
            for skipped in (0, 1) if word[cut] in "oi" and len(word) - cut > _PART else (0,):
                head = self._known(word[:cut])
                tail = self._known(word[cut + skipped :]) if head is not None else None
                if head is None or tail is None or head == tail:
                    continue
                score = float(self._reader.idf[head] + self._reader.idf[tail]) - 0.1 * abs(len(word) / 2 - cut)
                if best is None or score > best[0]:
                    best = (score, head, tail, f"{word[:cut]} {word[cut + skipped :]}")
        return (Replacement((best[1], best[2]), "compound", 1.0, best[3]),) if best else ()

    def _split(self, word: str) -> tuple[Replacement, ...]:
        """Letters and digits apart: `15mg` as `15 mg`."""
        cut = next((place for place in range(1, len(word)) if word[place].isdigit() != word[0].isdigit()), 0)
        head, tail = self._known(word[:cut]), self._known(word[cut:])
        return (
            (Replacement((head, tail), "compound", 1.0, f"{word[:cut]} {word[cut:]}"),)
            if head is not None and tail is not None
            else ()
        )

    def _known(self, word: str) -> int | None:
        return self._reader.used(self._reader.analyzer.term(word)) if word else None
