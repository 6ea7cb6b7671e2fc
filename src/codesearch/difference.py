"""How the records of one generation differ from those of another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.record_file import RecordFile


class Difference(NamedTuple):
    """How many records differ from the generation before."""

    added: int
    changed: int
    unchanged: int
    removed: int


def difference(before: RecordFile, now: RecordFile) -> Difference:
    """What became of the records. Those that say the same in both, as nearly all do, are told by their hashes alone.

    Raises:
        IndexCorruptError: a record cannot be read.
    """
    gone, new = _unlike(before.contents, now.contents), _unlike(now.contents, before.contents)
    changed = len({*before.keys(gone)} & {*now.keys(new)})
    return Difference(len(new) - changed, changed, len(now) - len(new), len(gone) - changed)


def _unlike(some: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64]) -> list[int]:
    """The places of those that the others have not, or not so often."""
    order, others = np.argsort(some, kind="stable"), np.sort(others)
    ordered = some[order]
    times = np.searchsorted(others, ordered, "right") - np.searchsorted(others, ordered, "left")
    number = np.arange(len(ordered)) - np.searchsorted(ordered, ordered, "left")
    places: list[int] = np.sort(order[number >= times]).tolist()
    return places
