"""The postings of a term as Whoosh walks through them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from whoosh.formats import Format
from whoosh.matching.mcore import LeafMatcher, ReadTooFar
from whoosh.reading import TermInfo
from whoosh.scoring import BaseScorer

from codesearch.index.codec.terms import Posting


class ArrayMatcher(LeafMatcher):
    """A walk over a posting.

    It offers bounds for whole postings, but no skipping of blocks by their quality: Whoosh's loses true best hits.
    """

    def __init__(
        self, posting: Posting, info: TermInfo, form: Format, term: tuple[str, bytes], scorer: BaseScorer | None
    ) -> None:
        self.format: Any = form
        self.scorer = scorer
        self._term = term
        self._posting = posting
        self._info = info
        self._documents = posting.documents.data
        self._frequencies = posting.frequencies.data
        self._place = 0

    def is_active(self) -> bool:
        return self._place < len(self._documents)

    def reset(self) -> None:
        self._place = 0

    def copy(self) -> ArrayMatcher:
        twin = ArrayMatcher(self._posting, self._info, self.format, self._term, self.scorer)
        twin._place = self._place
        return twin

    def id(self) -> int:
        return self._documents[self._place]

    def all_ids(self) -> Iterator[int]:
        return iter(self._posting.documents[self._place :].tolist())

    def next(self) -> None:
        if not self.is_active():
            raise ReadTooFar
        self._place += 1

    def skip_to(self, target: int) -> None:
        if not self.is_active():
            raise ReadTooFar
        self._place = bisect_left(self._documents, target, self._place)

    def weight(self) -> float:
        return float(self._frequencies[self._place])

    def value(self) -> bytes:
        encoded: bytes = self.format.encode(self._posting.positions(self._place))
        return encoded

    def value_as(self, astype: str) -> Any:
        if astype == "positions":
            return self._posting.positions(self._place)
        if astype == "frequency":
            return self._frequencies[self._place]
        return super().value_as(astype)  # type: ignore[no-untyped-call]

    def supports_block_quality(self) -> bool:
        return False

    def block_max_weight(self) -> float:
        return self._info.max_weight()

    def block_min_length(self) -> int:
        return self._info.min_length() or 0

    def block_max_length(self) -> int:
        return self._info.max_length()
