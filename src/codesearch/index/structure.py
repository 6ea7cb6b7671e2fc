"""What the arrays of an index must be like, so that following one into another never leads out of it.

Checksums tell that a file is not as it was built; this tells that what was built is an index. Opening looks at the
kind and length of every array and at the tables by document, which is quickly done. `check_postings` looks at the long
ones too: it is asked before compiled code follows them, which looks at no bounds.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from codesearch.index.arrays import Array, ArrayFile
from codesearch.index.fields import Fields
from codesearch.index.limits import CODE_BYTES, LEAST_MASS, MAX_FREQUENCY
from codesearch.records import learnt

_KINDS = {
    **dict.fromkeys(("offsets", "position_offsets", "documents", "entries", "lengths", "parent", "frequency"), "<i4"),
    **dict.fromkeys(("term", "words", "begins", "ends", "bounds"), "<i4"),
    **dict.fromkeys(("text", "weights"), "|u1"),
    **{"positions": "<u2", "fields": "|i1", "mass": "<f4", "ended": "|b1", "hashes": "<u4", "bare": f"|S{CODE_BYTES}"},
}
"""The kind of an array by the last part of its name."""
_KEYWORD_KINDS = ("|u1", "<i4")
_PARTS = ("title", "section")
_PIECE = 1 << 16
"""Postings that are looked at at once."""


@learnt
class Meta(msgspec.Struct):
    """What stands beside the arrays of an index: how many documents it has, and the values of each keyword field."""

    documents: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    keywords: dict[str, list[str]]


def check_tables(file: ArrayFile, fields: Fields) -> Meta:
    """What stands beside the arrays, when all of them have the right kind and length, and those by document are sound.

    Raises:
        IndexCorruptError: one has not, or is not.
    """
    try:
        meta = msgspec.convert(file.meta, Meta)
    except msgspec.ValidationError as error:
        raise file.corrupt(f"has a broken header ({error})") from error
    for name, length in lengths(file, meta.documents).items():
        file.check_kind(name, _KINDS[name.rpartition(".")[2]], length)
    for name in ("name", "code"):
        file.check_offsets(f"{name}.offsets", len(file[f"{name}.text"]))
    for name in fields.keywords:
        if name != "parent":
            _check_keyword(file, name, meta)
    file.check_numbers("parent", -1, meta.documents)
    file.check_flags("ended")
    for part, count in zip(_PARTS, (len(fields.title), len(fields.sections)), strict=True):
        file.check_numbers(f"{part}.fields", 0, count)
        file.check_numbers(f"{part}.documents", 0, meta.documents)
    return meta


def check_postings(file: ArrayFile, documents: int) -> None:
    """Looks at everything that `check_tables` passes over.

    Raises:
        IndexCorruptError: a slice or a number leads out of its array, or postings stand in no order.
    """
    terms, words = _count(file, "term"), _count(file, "word")
    for part in _PARTS:
        _check_part(file, part)
    _check_steps(file, documents)
    _check_mass(file)
    file.check_offsets("ancestor.offsets", len(file["ancestor.bounds"]))
    file.check_numbers("ancestor.bounds", 0, documents + 1)
    file.check_numbers("term.frequency", 0, documents + 1)
    file.check_numbers("word.term", 0, terms)
    file.check_numbers("near.words", 0, words)
    for name in ("term", "word"):
        file.check_offsets(f"{name}.offsets", len(file[f"{name}.text"]))


def lengths(file: ArrayFile, documents: int) -> dict[str, int]:
    """The length that each array must have; those of keyword fields are left out."""
    terms, words = _count(file, "term"), _count(file, "word")
    found = dict.fromkeys(("bare", "parent", "ended", "begins", "ends"), documents)
    found |= {"name.offsets": documents + 1, "code.offsets": documents + 1}
    found |= {"term.frequency": terms, "word.term": words, "ancestor.offsets": terms + 1}
    found |= {name: len(file[name]) for name in ("ancestor.bounds", "near.words")}
    found |= {f"{name}.text": len(file[f"{name}.text"]) for name in ("name", "code", "term", "word")}
    found |= {"term.offsets": terms + 1, "word.offsets": words + 1, "near.hashes": len(file["near.words"])}
    for part in _PARTS:
        entries, postings = len(file[f"{part}.documents"]), len(file[f"{part}.entries"])
        found |= dict.fromkeys((f"{part}.documents", f"{part}.fields", f"{part}.lengths"), entries)
        found |= dict.fromkeys((f"{part}.offsets", f"{part}.position_offsets"), terms + 1)
        found |= dict.fromkeys((f"{part}.entries", f"{part}.weights"), postings)
        found[f"{part}.positions"] = len(file[f"{part}.positions"])
    found["title.mass"] = found["title.documents"]
    return found


def _count(file: ArrayFile, name: str) -> int:
    """How many texts there are of a name."""
    return len(file[f"{name}.offsets"]) - 1


def _check_keyword(file: ArrayFile, name: str, meta: Meta) -> None:
    numbers = file[f"keyword.{name}"]
    if numbers.dtype.str not in _KEYWORD_KINDS or numbers.shape != (meta.documents,):
        raise file.corrupt(f"array 'keyword.{name}' is {numbers.dtype.str} {numbers.shape}")
    file.check_numbers(f"keyword.{name}", 0, len(meta.keywords.get(name, ())))


def _check_part(file: ArrayFile, part: str) -> None:
    """Whether the postings of each term lead to entries in their order, and say how often it stands there."""
    offsets, entries = file[f"{part}.offsets"], file[f"{part}.entries"]
    file.check_offsets(f"{part}.offsets", len(entries))
    file.check_offsets(f"{part}.position_offsets", len(file[f"{part}.positions"]))
    file.check_numbers(f"{part}.entries", 0, len(file[f"{part}.documents"]))
    file.check_numbers(f"{part}.lengths", 0, 2**31)
    rising = np.ones(len(entries), bool)
    rising[1:] = entries[1:] > entries[:-1]
    rising[_firsts(offsets, len(entries))] = True
    if not rising.all():
        raise file.corrupt(f"array {part}.entries is in no order")
    frequencies = file[f"{part}.weights"] & MAX_FREQUENCY
    if not frequencies.all():
        raise file.corrupt(f"array {part}.weights has terms that stand nowhere")
    if not _counts_places(offsets, frequencies, file[f"{part}.position_offsets"]):
        raise file.corrupt(f"array {part}.weights counts other places than {part}.positions has")


def _counts_places(offsets: Array, frequencies: Array, places: Array) -> bool:
    """Whether the postings before each term have as many places as lie before its own.

    A piece at a time: numbers of eight bytes for all postings would be more than anything else takes that is let go of,
    and glibc keeps twice the largest of these in the heap of each thread.
    """
    total = 0
    for start in range(0, len(frequencies) + 1, _PIECE):
        before = total + np.append(0, np.cumsum(frequencies[start : start + _PIECE], dtype=np.int64))
        total = int(before[-1])
        terms = slice(*np.searchsorted(offsets, (start, start + _PIECE)).tolist())
        if not np.array_equal(before[offsets[terms] - start], places[terms]):
            return False
    return True


def _firsts(offsets: Array, count: int) -> Array:
    """Where the first posting of each term lies."""
    starts: Array = offsets[:-1]
    return starts[starts < count]


def _check_steps(file: ArrayFile, documents: int) -> None:
    """Whether every document has an entry among the titles, and entries stand in the order of documents."""
    owners, others = file["title.documents"], file["section.documents"]
    steps = np.diff(owners, prepend=-1)
    if not ((steps == 0) | (steps == 1)).all() or (owners[-1] if len(owners) else -1) != documents - 1:
        raise file.corrupt("array 'title.documents' leaves documents out")
    if (others[1:] < others[:-1]).any():
        raise file.corrupt("array 'section.documents' is in no order")


def _check_mass(file: ArrayFile) -> None:
    """Whether the terms of each entry weigh something, as compiled code divides by it."""
    mass = file["title.mass"]
    if not (np.isfinite(mass) & (mass >= LEAST_MASS)).all():
        raise file.corrupt("array 'title.mass' has entries that weigh nothing")
