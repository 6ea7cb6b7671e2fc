"""Codes whose beginning is typed, in any spelling of it: never codes that are only like it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from heapq import merge
from itertools import chain

import numpy as np
import numpy.typing as npt

from codesearch.codes import SYSTEMS, bare
from codesearch.index.limits import CODE_BYTES
from codesearch.index.reader import IndexReader
from codesearch.query.filters import Scope

Longs = npt.NDArray[np.int64]


class CodeCompleter:
    """Finds the codes of an index that go on as they are typed; chapters are no codes."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader

    def whole(self, typed: str, scope: Scope) -> Iterator[int]:
        """The documents whose code is typed as a whole, in the order of their systems."""
        found = [self._reader.find(system, typed) for system in self._systems(typed, scope)]
        documents = [document for document in found if document is not None]
        return map(int, self._offered(np.array(documents, np.int64), scope))

    def begun(self, typed: str, scope: Scope) -> Iterator[int]:
        """The documents whose code begins as typed, in the order of codes, headers before what is below; ended last."""
        systems = self._systems(typed, scope)
        if not systems:
            return
        beginning = bare(typed)
        cut = beginning.encode()[:CODE_BYTES].decode(errors="ignore")
        slices = [np.arange(*self._reader.prefix_slice(system, cut)) for system in systems]
        offered = [self._offered(documents, scope) for documents in slices]
        ended, codes = self._reader.arrays["ended"], self._reader.arrays["bare"]
        valid = merge(*(found[~ended[found]] for found in offered), key=codes.__getitem__)
        for document in chain(valid, merge(*(found[ended[found]] for found in offered), key=codes.__getitem__)):
            # Of a longer code than `CODE_BYTES` only the beginning was looked up.
            if bare(self._reader.codes[document]).startswith(beginning):
                yield int(document)

    def _systems(self, typed: str, scope: Scope) -> Sequence[str]:
        """The systems that may have a code typed so: of those we know, only ICD-10-CM writes dots."""
        length = len(bare(typed))
        if not 0 < length <= self._longest or not typed.isprintable():
            return ()
        if "." not in typed:
            return scope.systems
        return [system for system in scope.systems if system == "ICD10CM" or system not in SYSTEMS]

    @cached_property
    def _longest(self) -> int:
        """No code has more characters."""
        return int(np.diff(self._reader.arrays["code.offsets"]).max(initial=0))

    def _offered(self, documents: Longs, scope: Scope) -> Longs:
        """The documents that the filters let through, without chapters."""
        kinds = self._reader.keywords["kind"]
        chapter = kinds.index("chapter") if "chapter" in kinds else -1
        keep = self._reader.arrays["keyword.kind"][documents].astype(np.int32) != chapter
        if scope.allowed is not None:
            keep &= scope.allowed[documents]
        offered: Longs = documents[keep]
        return offered
