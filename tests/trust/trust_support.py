"""What the tests of trust share: sources whose generations can be told apart, and an index that must stay whole."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from reindex_support import page, small_config, write

import codesearch
from codesearch.index.generations import GenerationStore
from codesearch.index.manifest import Problem
from codesearch.verify import verify

MARKED = 10
"""Codes of a generation that bear its number; an answer that mixes two generations has two numbers."""
KEPT = {"CURRENT", "generations", "writer.lock"}
"""All that an index folder holds when nobody is building."""


class Site:
    """Sources and an index below a folder."""

    def __init__(self, folder: Path, others: int = 50, pages: int = 5) -> None:
        """Writes the sources: so many codes of one file, and pages, beside those that are marked."""
        self.sources = folder / "sources"
        self.index = folder / "index"
        rows = (f"OTHER,X{number:05d},Repair of item {number} of the other codes\n" for number in range(others))
        write(self.sources / "others.csv", "system,code,name\n" + "".join(rows))
        for number in range(pages):
            write(self.sources / f"cpt-{10000 + number}.html", page(f"Operation {number}", "Pain of the knee"))

    def mark(self, number: int) -> None:
        """Gives the sources a new number."""
        rows = (f"MARK,M{part:02d},Marked generation {number} part {part}\n" for part in range(MARKED))
        write(self.sources / "marked.csv", "system,code,name\n" + "".join(rows))

    def reindex(self, *, jobs: int = 1, full: bool = False) -> codesearch.ReindexReport:
        """Builds and publishes."""
        return codesearch.reindex(
            [self.sources], self.index, jobs=jobs, full=full, config=small_config(), max_rejects=0
        )

    def number(self) -> int:
        """The number of the generation that answers.

        Raises:
            AssertionError: the answers come from more than one, or some are missing.
        """
        with codesearch.open_index(self.index) as index:
            return number_of(index)

    def problems(self) -> list[Problem]:
        """What `verify` finds."""
        return list(verify(self.index))

    def folders(self) -> set[str]:
        """The generations on disk."""
        return {path.name for path in (self.index / "generations").iterdir()}

    def is_clean(self) -> bool:
        """Whether nothing lies there but the current generation and the one before it."""
        store = GenerationStore(self.index)
        previous = store.previous()
        named = {store.current().name} | ({previous.name} if previous else set())
        return self.folders() == named and {path.name for path in self.index.iterdir()} <= KEPT


def number_of(index: codesearch.Index) -> int:
    """The number of the generation that an open index is; all its answers must have the same."""
    hits = index.search("marked generation", system="MARK", limit=2 * MARKED, exact=True).hits
    record = index.get(f"M{MARKED - 1:02d}", "MARK")
    assert record is not None
    numbers = {int(name.split()[2]) for name in (*(hit.name for hit in hits), record.name)}
    assert len(hits) == MARKED, f"{len(hits)} marked codes"
    assert len(numbers) == 1, f"an answer of generations {sorted(numbers)}"
    return numbers.pop()


def status_of(work: Callable[[], object]) -> int:
    """Does some work in a forked copy of this process; gives its wait status (0 when all went well)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 dislikes forks beside threads
        process = os.fork()
    if process == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitpid(process, 0)[1]
