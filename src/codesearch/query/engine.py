"""Ranking for callers: the plain path at first, and the compiled one once it is ready, with the same answers.

A process that searches once must not wait for compiled code, which takes a tenth of a second to load and half a minute
to make; one that goes on searching has it loaded in a thread of its own meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codesearch.errors import IndexCorruptError
from codesearch.query.count import MatchCounter
from codesearch.query.kernel_rows import MAX_SLOTS
from codesearch.query.plan import Slot
from codesearch.query.score import Collection, Mask, Ranked, rank

if TYPE_CHECKING:
    from codesearch.query.compiled import CompiledRanking

SEARCHES_BEFORE_COMPILING = 8
"""After so many searches an index counts as long-lived."""
_MOST_RANKED = 1000
"""More hits than this are sorted faster by the plain path."""


class Engine:
    """Ranks the documents of one index; safe to share between threads."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._counter = MatchCounter(collection)
        self._searches = 0
        self._compiled: CompiledRanking | None = None
        self._loading: threading.Thread | None = None
        self._problem: IndexCorruptError | None = None
        self._lock = threading.Lock()

    @property
    def is_compiled(self) -> bool:
        """Whether the compiled path is ready."""
        return self._compiled is not None

    def rank(self, slots: Sequence[Slot], span: tuple[int, int], allowed: Mask | None, limit: int) -> Ranked:
        """The best documents for the slots, as `score.rank` gives them.

        Raises:
            IndexCorruptError: the arrays were found to be such as no builder writes.
        """
        compiled = self._compiled
        if compiled is None:
            self._count()
        elif 0 < limit <= _MOST_RANKED and len(slots) <= MAX_SLOTS:
            return compiled.rank(slots, span, allowed, limit)
        return rank(self._collection, slots, span, allowed, limit)

    def matching(self, slots: Sequence[Slot]) -> Mask:
        """Of each document whether it matches a slot: just those that `rank` would give without a limit."""
        compiled = self._compiled
        return self._counter.matching(slots) if compiled is None else compiled.matching(slots)

    def compile(self) -> None:
        """Loads the compiled path now, for callers that will search much (a batch, a server).

        Where there can be none, the plain path goes on to give the same answers: a file system without a place for the
        compiler's cache costs time only.

        Raises:
            IndexCorruptError: the arrays are such as no builder writes.
        """
        loading = self._loading
        if loading is not None and loading is not threading.current_thread():
            loading.join()
        if self._compiled is not None:
            return
        try:
            from codesearch.query.compiled import CompiledRanking

            compiled = CompiledRanking(self._collection)
        except IndexCorruptError:
            raise
        except Exception as error:
            import logging

            logging.getLogger("codesearch").warning("searching goes on without compiled code: %r", error)
            return
        with self._lock:
            self._compiled = self._compiled or compiled

    def _count(self) -> None:
        problem = self._problem
        if problem is not None:
            raise IndexCorruptError(problem.subject, problem.reason, problem.next_step)
        with self._lock:
            self._searches += 1
            if self._searches != SEARCHES_BEFORE_COMPILING or self._loading is not None:
                return
            self._loading = threading.Thread(target=self._load, name="codesearch-compile", daemon=True)
        self._loading.start()

    def _load(self) -> None:
        try:
            self.compile()
        except IndexCorruptError as error:
            self._problem = error  # told by the next search
