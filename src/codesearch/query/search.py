"""A search: a query read, matched, put in order, grouped, and cut into pages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from codesearch.errors import UsageError
from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeRecogniser
from codesearch.query.constraints import Constraints
from codesearch.query.facets import facets
from codesearch.query.filters import Scope, Scopes
from codesearch.query.matching import Matcher, Matches, Ranking
from codesearch.query.occurrences import Mask
from codesearch.query.paging import Cursors
from codesearch.query.plan import Plan
from codesearch.query.reading import QueryReader
from codesearch.query.request import SORTS, Filters, Request
from codesearch.query.results import Hit, HitContext, Results
from codesearch.query.score import Ranked
from codesearch.query.siblings import Siblings
from codesearch.query.texts import TextReader
from codesearch.query.values import Values

if TYPE_CHECKING:
    from codesearch.query.nothing import Diagnosis

MAX_LIMIT = 100_000


class _Page(NamedTuple):
    """The hits of a page, and of each the other documents that it stands for, None where hits are not grouped."""

    ranking: Ranking
    siblings: Sequence[list[int] | None]


class Searcher:
    """Searches one generation; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        recogniser = CodeRecogniser(reader)
        values = Values(reader, recogniser)
        constraints = Constraints(reader, recogniser, values)
        self._scopes = Scopes(reader, values, constraints)
        self._queries = QueryReader(reader, recogniser, constraints)
        self._matcher = Matcher(reader, constraints)
        self._texts = TextReader(reader)
        self._siblings = Siblings(reader)
        self._cursors = Cursors(repr(sorted(reader.manifest.files.items())))
        self._recogniser, self._constraints = recogniser, constraints

    @property
    def is_compiled(self) -> bool:
        """Whether the compiled ranking is loaded."""
        return self._matcher.engine.is_compiled

    def compile(self) -> None:
        """Loads the compiled ranking now, for callers that will search much."""
        self._matcher.engine.compile()
        self._reader.learn()

    def scope(self, filters: Filters) -> Scope:
        """What filters let through.

        Raises:
            UsageError: nothing in the index could fit a filter.
        """
        return self._scopes.scope(filters)

    def plan(self, text: str, systems: Sequence[str], exact: bool) -> Plan:
        """The plan of a query among the given systems."""
        return self._queries.plan(text, systems, exact)

    def search(self, request: Request, limit: int, offset: int = 0, cursor: str | None = None) -> Results:
        """The hits from `offset` or a cursor on, at most `limit`.

        Raises:
            UsageError: a number is out of range, there is no such order, nothing in the index could fit a filter, or
                the cursor is none of this request.
        """
        if not 0 <= limit <= MAX_LIMIT or offset < 0:
            raise UsageError(f"limit {limit}, offset {offset}", "out of range", f"Use 0 to {MAX_LIMIT} and 0 or more.")
        if request.sort not in SORTS:
            raise UsageError(f"sort {request.sort}", "no such order", f"Use one of: {', '.join(SORTS)}.")
        if cursor is not None and offset:
            raise UsageError(f"offset {offset}", "has no meaning beside a cursor", "Leave one of them out.")
        scope = self._scopes.scope(request.filters)
        start = offset if cursor is None else self._cursors.place(request, cursor)
        plan = self.plan(request.text, scope.systems, request.exact)
        matches = Matches(self._matcher, plan, scope)
        page = self._page(request, matches, start, limit)
        context = HitContext(self._reader, self._matcher.collection, self._texts, plan, matches.contrary)
        documents, scores, tiers = page.ranking
        numbers = documents.tolist(), count(start + 1), scores.tolist(), tiers.tolist()
        hits = list(map(Hit, repeat(context), repeat(self._reader), *numbers, page.siblings))
        return self._results(request, hits, plan, matches, start)

    def rank(self, words: Sequence[str], allowed: Mask, limit: int) -> Ranked:
        """The best of the allowed documents for words that nobody typed: no code among them is read as one."""
        slots = self._queries.slots(" ".join(words))
        return self._matcher.engine.rank(slots, (0, self._reader.documents), allowed, limit)

    def _results(self, request: Request, hits: list[Hit], plan: Plan, matches: Matches, start: int) -> Results:
        # None of these functions may hold the results: what holds itself is closed only when Python looks for garbage.
        def rows(total: int) -> int:
            return len(np.unique(self._siblings.leaders[matches.documents])) if request.group else total

        def next_cursor(rows: int) -> str | None:
            end = start + len(hits)
            return self._cursors.cursor(request, end) if end < rows else None

        return Results(
            hits,
            plan,
            lambda: int(np.count_nonzero(matches.documents)),
            rows=rows,
            facets=lambda: facets(self._reader, matches.documents),
            cursor=next_cursor,
            nothing=lambda: self._diagnosis().of(request, self._queries.parse(request.text).nodes),
        )

    def _diagnosis(self) -> Diagnosis:
        """Made when it is asked for: kept, it would hold what holds it."""
        from codesearch.query.nothing import Diagnosis

        return Diagnosis(self._reader, self._recogniser, self._constraints.fields, lambda one: self.search(one, 0))

    def _page(self, request: Request, matches: Matches, start: int, limit: int) -> _Page:
        if request.sort == "rank" and not request.group:
            return _cut(matches.ranked(start + limit), start, limit)
        ranking = matches.ranked(self._reader.documents)
        if request.sort == "code":
            ranking = ranking.taken(np.argsort(ranking.documents))
        return self._grouped(ranking, start, limit) if request.group else _cut(ranking, start, limit)

    def _grouped(self, ranking: Ranking, start: int, limit: int) -> _Page:
        """A page of groups, each led by its first document."""
        leaders = self._siblings.leaders[ranking.documents]
        _, firsts, groups = np.unique(leaders, return_index=True, return_inverse=True)
        shown = np.sort(firsts)[start : start + limit]
        siblings = [np.flatnonzero(groups == groups[first])[1:] for first in shown]
        return _Page(ranking.taken(shown), [ranking.documents[places].tolist() for places in siblings])


def _cut(ranking: Ranking, start: int, limit: int) -> _Page:
    is_all = start == 0 and len(ranking.documents) <= limit
    page = ranking if is_all else ranking.taken(slice(start, start + limit))
    return _Page(page, [None] * len(page.documents))
