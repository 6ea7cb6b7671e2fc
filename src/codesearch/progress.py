"""How far a long job is: what it tells whoever asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """How far a reindex is: `stage` is reading, merging, indexing or publishing; `total` is None where unknown."""

    stage: str
    done: int
    total: int | None


Listener = Callable[[Progress], None]


def ignore(_: Progress) -> None:
    """For callers that do not ask."""
