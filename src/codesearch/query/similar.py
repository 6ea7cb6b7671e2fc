"""Codes like a code, each with its reason: those that its page lists, its siblings, and those of like text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, Literal, NamedTuple

import msgspec

from codesearch.errors import UsageError
from codesearch.index.reader import IndexReader
from codesearch.query.family import CodeSummary, descendants, parents, siblings, summaries
from codesearch.query.likeness import alike
from codesearch.query.lookup import documents_of
from codesearch.query.score import Mask
from codesearch.query.search import MAX_LIMIT, Searcher
from codesearch.records import CodeRecord, SimilarCode

_ENCOUNTER = re.compile(r",? *(?:initial encounter|subsequent encounter|sequela)\b.*", re.IGNORECASE)
_SIDE = re.compile(r"\b(?:right|left|bilateral|unspecified)\b", re.IGNORECASE)
_TOLD_WORDS = 6
_LOOKED_AT = 5
"""Siblings that are looked at for each code that is wanted."""


class SimilarReason(msgspec.Struct, frozen=True):
    """Why a code is like another: a kind to count by, a sentence, and for `text` the words that they share."""

    kind: Literal["listed", "sibling", "text"]
    sentence: str
    words: tuple[str, ...]


class SimilarHit(CodeSummary, frozen=True):
    """A code like another, and why; a page may list codes that are not in the index."""

    rank: int
    in_index: bool
    reason: SimilarReason

    def to_dict(self) -> dict[str, Any]:
        """The hit as plain data, as it is in JSON."""
        return {"rank": self.rank, **super().to_dict()}


class _Found(NamedTuple):
    """A code like another: its document, or where the index has none what a page says of it."""

    document: int | None
    reason: SimilarReason
    listed: SimilarCode = SimilarCode()


def similar_codes(searcher: Searcher, reader: IndexReader, document: int, limit: int) -> tuple[SimilarHit, ...]:
    """Codes like that of a document: listed ones, then siblings, then those of like text; of all these ended ones last.

    Siblings get half of the places that listed ones leave, and those for which there is no code of like text. Codes
    above and below the code in its hierarchy are given only where its page lists them.

    Raises:
        UsageError: the limit is out of range.
        IndexCorruptError: the record file is damaged.
    """
    if not 0 <= limit <= MAX_LIMIT:
        raise UsageError(f"limit {limit}", "out of range", f"Use 0 to {MAX_LIMIT}.")
    record = reader.records.get(document)
    listed = list(_listed(reader, record, document))[:limit]
    given = [one.document for one in listed if one.document is not None]
    room = limit - len(listed)
    beside = [one for one in _siblings(reader, document, limit) if one.document not in given]
    like = [
        _Found(one.document, SimilarReason("text", f"shares: {', '.join(one.words[:_TOLD_WORDS])}", one.words))
        for one in alike(searcher, reader, record, _strangers(reader, document, given), room)
    ]
    kept = max((room + 1) // 2, room - len(like))
    return _hits(reader, [*listed, *beside[:kept], *like][:limit])


def _listed(reader: IndexReader, record: CodeRecord, document: int) -> Iterator[_Found]:
    """What the code's page lists, each once, in the page's order."""
    seen = {document}
    for one in dict.fromkeys(record.similar_codes):
        other = next(documents_of(reader, one.code or "", one.system or None), None)
        if other is None:
            yield _Found(None, SimilarReason("listed", "listed on the code's page; not in this index", ()), one)
        elif other not in seen:
            seen.add(other)
            yield _Found(other, SimilarReason("listed", "listed on the code's page", ()))


def _siblings(reader: IndexReader, document: int, limit: int) -> list[_Found]:
    """Siblings, those first whose codes begin most alike; those for another side or encounter come last."""
    code, own = reader.codes[document], _without_side(reader.names[document])
    near = sorted(siblings(reader, document), key=lambda other: _farness(code, reader.codes[other], other - document))
    # Names take time to compare, and a table of ICD-10-PCS may have a thousand codes.
    is_variant = {other: _without_side(reader.names[other]) == own for other in near[: _LOOKED_AT * limit]}
    parent = reader.codes[int(reader.arrays["parent"][document])]
    reasons = (
        SimilarReason("sibling", f"below {parent} too", ()),
        SimilarReason("sibling", f"below {parent} too, for another side or encounter", ()),
    )
    return [_Found(other, reasons[is_variant[other]]) for other in sorted(is_variant, key=is_variant.__getitem__)]


def _farness(code: str, other: str, distance: int) -> tuple[int, int]:
    """How far a code stands from another: by what they have in common from their beginning, then in order."""
    return -_begin_alike(code, other), abs(distance)


def _begin_alike(one: str, other: str) -> int:
    """How many characters two codes have in common from their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _without_side(name: str) -> str:
    """A name without the words that tell sides and encounters apart."""
    return " ".join(_SIDE.sub(" ", _ENCOUNTER.sub("", name)).casefold().split())


def _strangers(reader: IndexReader, document: int, given: Sequence[int]) -> Mask:
    """The documents that neither belong to the code's family nor are given already."""
    allowed: Mask = ~descendants(reader, document)
    allowed[[document, *given, *parents(reader, document), *siblings(reader, document)]] = False
    return allowed


def _hits(reader: IndexReader, found: Sequence[_Found]) -> tuple[SimilarHit, ...]:
    documents = [one.document for one in found if one.document is not None]
    summary_of = dict(zip(documents, summaries(reader, documents), strict=True))
    told = [(summary_of[one.document] if one.document is not None else _not_indexed(one.listed), one) for one in found]
    told.sort(key=lambda pair: pair[0].terminated is not None)
    return tuple(
        SimilarHit(**msgspec.structs.asdict(summary), rank=rank, in_index=one.document is not None, reason=one.reason)
        for rank, (summary, one) in enumerate(told, 1)
    )


def _not_indexed(listed: SimilarCode) -> CodeSummary:
    return CodeSummary(listed.system, listed.code, "", listed.name, None, None, 0)
