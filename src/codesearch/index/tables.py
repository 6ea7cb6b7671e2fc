"""The tables of an index beside its postings: codes, names, keyword fields, parents, frequencies, ancestors' words.

Documents stand in the order of (system, code), so a system is a slice, and so are a prefix and a range of codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from codesearch.index.fields import Fields
from codesearch.index.inversion import Column, Columns, Frequencies, Key, Strings, number_kind
from codesearch.index.limits import CODE_BYTES

Array = npt.NDArray[Any]

_MOST_ABOVE = 10
"""How many ancestors of a document count; no more are followed where parents stand in a ring."""


def strings(texts: Sequence[str], name: str) -> dict[str, Array]:
    """Texts as one run of UTF-8 bytes with offsets: `name.text`, `name.offsets`."""
    return _joined([Strings.of(texts)], name)


def _joined(parts: Sequence[Strings], name: str) -> dict[str, Array]:
    lengths = np.concatenate([np.zeros(1, np.int64), *(part.lengths for part in parts)])
    text = np.frombuffer(b"".join([part.text for part in parts]), np.uint8)
    return {f"{name}.text": text, f"{name}.offsets": np.cumsum(lengths).astype(np.int32)}


def document_tables(parts: Sequence[Columns], fields: Fields) -> tuple[dict[str, Array], dict[str, list[str]]]:
    """Codes, names, dates and keyword fields by document, and the values of each keyword field."""
    arrays = _joined([part.codes for part in parts], "code")
    arrays |= _joined([part.names for part in parts], "name")
    arrays["bare"] = np.concatenate([np.zeros(0, f"S{CODE_BYTES}"), *(part.bare for part in parts)])
    keywords = {name: _column([part.keywords[name] for part in parts]) for name in fields.keywords if name != "parent"}
    arrays["parent"] = _parents(parts, arrays["bare"], *keywords["system"])
    arrays["ended"] = np.concatenate([np.zeros(0, bool), *(part.ended for part in parts)])
    arrays["begins"] = np.concatenate([np.zeros(0, np.int32), *(part.begins for part in parts)])
    arrays["ends"] = np.concatenate([np.zeros(0, np.int32), *(part.ends for part in parts)])
    arrays |= {f"keyword.{name}": numbers for name, (_, numbers) in keywords.items()}
    return arrays, {name: values for name, (values, _) in keywords.items()}


def _column(parts: Sequence[Column]) -> tuple[list[str], Array]:
    """The values of a keyword field in order, and of each document the number of its value."""
    values = sorted({value for part in parts for value in part.values})
    places = {value: place for place, value in enumerate(values)}
    kind = number_kind(len(values))
    numbers = [np.array([places[value] for value in part.values], kind)[part.numbers] for part in parts]
    return values, np.concatenate([np.zeros(0, kind), *numbers])


def _parents(
    parts: Sequence[Columns], bare_codes: Array, systems: Sequence[str], numbers: Array
) -> npt.NDArray[np.int32]:
    """The document of each record's parent, -1 where it has none in the index.

    Takes the bare codes by document, the systems, and the number of the system by document.
    """
    firsts = np.cumsum([0, *(len(part.parents) for part in parts)]).tolist()
    wanted = {key for part in parts for key in part.elsewhere.values()}
    places: dict[Key, int] = {}
    for first, part in zip(firsts, parts, strict=False):
        places.update((key, first + place) for key, place in part.long.items() if key in wanted)
    for system in {system for system, _ in wanted}.intersection(systems):
        # Documents stand in the order of these, and those without a code are no parents.
        documents = np.flatnonzero((numbers == systems.index(system)) & (bare_codes != b""))
        short = [key for key in wanted if key[0] == system and len(key[1].encode()) < CODE_BYTES]
        places.update(_found(short, documents, bare_codes[documents]))
    parents = [np.zeros(0, np.int32)]
    for first, part in zip(firsts, parts, strict=False):
        own = np.where(part.parents >= 0, part.parents + np.int32(first), part.parents)
        for place, key in part.elsewhere.items():
            own[place] = places.get(key, -1)
        parents.append(own)
    return np.concatenate(parents)


def _found(keys: Sequence[Key], documents: Array, codes: Array) -> Iterator[tuple[Key, int]]:
    """The keys of one system that it has, each with its document; the codes of the documents are in order."""
    wanted = np.array([code.encode() for _, code in keys], codes.dtype)
    places = np.searchsorted(codes, wanted)
    for key, code, place in zip(keys, wanted, places, strict=True):
        if place < len(codes) and codes[place] == code:
            yield key, int(documents[place])


def document_frequencies(
    term_count: int, parts: Sequence[Frequencies], ranks: Sequence[npt.NDArray[np.int32]]
) -> npt.NDArray[np.int32]:
    """In how many documents each term stands; `ranks` are the places of the terms of each part among all terms."""
    frequencies = np.zeros(term_count, np.int32)
    for part, rank in zip(parts, ranks, strict=True):
        frequencies[rank[part.terms]] += part.counts
    return frequencies


def ancestor_postings(
    title: dict[str, Array], parent: npt.NDArray[np.int32], term_count: int, without: Sequence[int] = ()
) -> dict[str, Array]:
    """For each term the documents one of whose ancestors' names holds it, as runs: `offsets`, `bounds`; for some none.

    The bounds of a term are where its runs begin and end, in turn and in order: codes below a header stand together.
    """
    above, begins, ends = _descendants(parent)
    is_above = np.zeros(len(parent), bool)
    is_above[above] = True
    named = (is_above[title["documents"]] & (title["fields"] == 0))[title["entries"]]
    for term in without:
        named[title["offsets"][term] : title["offsets"][term + 1]] = False
    where = np.flatnonzero(named)
    terms = np.repeat(np.arange(term_count), np.diff(np.searchsorted(where, title["offsets"])))
    starts = np.searchsorted(above, np.arange(len(parent) + 1))
    within, counts = _slices(starts, title["documents"][title["entries"][where]])
    terms, begins, ends = _joined_runs(np.repeat(terms, counts), begins[within], ends[within], len(parent))
    offsets = np.append(0, 2 * np.cumsum(np.bincount(terms, minlength=term_count)))
    return {"offsets": offsets.astype(np.int32), "bounds": np.stack((begins, ends), axis=1).ravel().astype(np.int32)}


def _descendants(parent: npt.NDArray[np.int32]) -> tuple[Array, Array, Array]:
    """The runs of documents below each that has any: that document, where a run begins, and where it ends; in order."""
    bounds = np.append(np.flatnonzero(np.diff(parent, prepend=-2)), len(parent))
    siblings = np.flatnonzero(parent[bounds[:-1]] >= 0)  # runs of documents with the same parent
    above = parent[bounds[siblings]]
    pairs = [np.zeros((2, 0), np.int64)]
    for _ in range(_MOST_ABOVE):
        pairs.append(np.stack((above, siblings)))
        above = parent[above]
        above, siblings = above[above >= 0], siblings[above >= 0]
    above, siblings = np.concatenate(pairs, axis=1)
    return _joined_runs(above, bounds[siblings], bounds[siblings + 1], len(parent))


def _joined_runs(owners: Array, begins: Array, ends: Array, size: int) -> tuple[Array, Array, Array]:
    """The runs of each owner in order, those that touch or overlap as one; none ends beyond the size."""
    # Each owner is brought far above the one before it, so that the farthest end so far is its own.
    far = owners.astype(np.int64) * (size + 1)
    order = np.argsort(far + begins, kind="stable")
    far, begins = far[order], begins[order]
    reached = np.maximum.accumulate(far + ends[order])
    first = np.flatnonzero(np.append(True, far[1:] + begins[1:] > reached[:-1])[: len(far)])
    last = np.append(first[1:], len(far))[: len(first)] - 1
    return owners[order[first]], begins[first], reached[last] - far[last]


def _slices(starts: Array, numbers: Array) -> tuple[Array, Array]:
    """The places in the slices with these numbers, one slice after the other, and how many each has."""
    counts = starts[numbers + 1] - starts[numbers]
    return np.arange(counts.sum()) + np.repeat(starts[numbers] - np.cumsum(counts) + counts, counts), counts
