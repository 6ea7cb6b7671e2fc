"""Names that say the contrary of what was typed: with for without, without for with, and what is typed with a not.

Ranking looks at words one by one, so `laceration with foreign body without damage` holds every word of `laceration
without foreign body with damage`. Few queries say with or without, so the names of their best hits are read once more.
"""

from __future__ import annotations

import re

import numpy as np

from codesearch.index.reader import IndexReader
from codesearch.query.score import F, Ranked

WINDOW = 20
"""So many of the best hits are looked at, whatever the size of a page."""

_SAID = re.compile(r"\b(with|without|not|no) ([a-z0-9]+)(?: or ([a-z0-9]+))?")
_EITHER = re.compile(r"\bwith or without\b")
_CONTRARY = {"with": "without", "without": "with"}

Said = frozenset[tuple[str, str]]
"""Small words (with, without, not), each with the term of the word behind it."""


_NOTHING: Said = frozenset()


class Contradictions:
    """Finds names of an index that contradict a query."""

    def __init__(self, reader: IndexReader) -> None:
        self._names = reader.names
        self._analyzer = reader.analyzer
        self._factor = F(reader.settings.ranking.contradiction)

    def said(self, text: str) -> Said:
        """What a query says of this kind; nothing, for most."""
        lower = text.lower()
        if "with" in lower or "no" in lower or "w/" in lower:
            return self._said(self._analyzer.fold(text))
        return _NOTHING

    def demoted(self, found: Ranked, said: Said) -> tuple[Ranked, frozenset[int]]:
        """The hits with those of the first ones that contradict moved down, and which these are."""
        first = found.documents[:WINDOW]
        is_contrary = np.array([self._is_contrary(document, said) for document in first.tolist()], bool)
        if not is_contrary.any():
            return found, frozenset()
        scores = found.scores.copy()
        scores[: len(first)][is_contrary] *= self._factor
        order = np.arange(len(scores))
        order[: len(first)] = np.lexsort((first, -scores[: len(first)]))
        moved = Ranked(found.documents[order], scores[order], found.entries[order])
        return moved, frozenset(first[is_contrary].tolist())

    def _is_contrary(self, document: int, said: Said) -> bool:
        name = self._names[document].lower()
        for small, term in said:
            contrary = _CONTRARY.get(small)
            if contrary is None:
                if (small, term) not in self._said(name) and term in self._analyzer.analysed(name).terms:
                    return True
            elif f"{contrary} " in name:  # which few names say at all
                of_name = self._said(name)
                if (contrary, term) in of_name and (small, term) not in of_name:
                    return True
        return False

    def _said(self, folded: str) -> Said:
        said: set[tuple[str, str]] = set()
        for small, first, second in _SAID.findall(_EITHER.sub(",", folded)):
            for word in (first, second) if second else (first,):
                said.add(("without" if small == "no" else small, self._analyzer.term(word)))
        # What is said both ways says nothing, nor do stop words.
        return frozenset((small, term) for small, term in said if term and (_CONTRARY.get(small), term) not in said)
