"""Fields of one value a record (codes, systems, kinds, chapters): which documents have the value that a text means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from codesearch.codes import system_name
from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeMatch, CodeRecogniser
from codesearch.query.named_fields import CODE
from codesearch.query.occurrences import Mask

PARENT = "parent"
_BILLABLE = {"true": "yes", "false": "no", "y": "yes", "n": "no"}


class Values:
    """Looks values up in one index; safe to share between threads."""

    def __init__(self, reader: IndexReader, recogniser: CodeRecogniser) -> None:
        self._reader = reader
        self._recogniser = recogniser

    def mask(self, name: str, text: str, systems: Sequence[str]) -> Mask:
        """The documents with the value: a code and those that begin with it, codes below a parent, a keyword."""
        if name == CODE:
            codes = self._recogniser.named(text, systems)
            return masked((match for match in codes if not match.reading), self._reader.documents)
        if name == PARENT:
            return self._below(text, systems)
        known = self._reader.keywords[name]
        numbers = [known.index(value) for value in self.meant(name, text)]
        return np.isin(self._reader.arrays[f"keyword.{name}"], numbers)

    def meant(self, name: str, text: str) -> list[str]:
        """The values of a keyword field that a text means: its own, or all that hold its words."""
        known = self._reader.keywords[name]
        wanted = system_name(text) if name == "system" else text.casefold()
        wanted = _BILLABLE.get(wanted, wanted) if name == "billable" else wanted
        same = [value for value in known if value and value.casefold() == wanted.casefold()]
        terms = set(self._reader.analyzer.terms(text))
        return same or [value for value in known if terms and terms <= set(self._reader.analyzer.terms(value))]

    def _below(self, text: str, systems: Sequence[str]) -> Mask:
        """The documents below a code, by the parents that records name."""
        found = [self._reader.find(system, text) for system in systems]
        above = np.zeros(self._reader.documents, bool)
        above[[document for document in found if document is not None]] = True
        return _reaching(above, self._reader.arrays["parent"])


def _reaching(above: Mask, parents: npt.NDArray[np.int32]) -> Mask:
    """The documents from which going up leads to one of some; steps double, for a wrong table may have any depth."""
    steps = np.append(parents, np.int32(-1))  # behind the last document stands the one above all, at -1
    reaching: Mask = np.append(above, False)[steps]
    for _ in range(len(parents).bit_length()):
        if (steps < 0).all():
            break
        reaching |= reaching[steps]
        steps = steps[steps]
    return reaching[:-1]


def masked(codes: Iterable[CodeMatch], documents: int) -> Mask:
    """The documents of some codes, of so many in all."""
    found = np.zeros(documents, bool)
    for match in codes:
        found[list(match.documents)] = True
    return found
