"""A search: tiers in order (exact codes, then prefixes and ranges, then text), filtered, paged and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.codes import system_name
from codesearch.errors import UsageError
from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeMatch, CodeRecogniser
from codesearch.query.count import MatchCounter
from codesearch.query.engine import Engine
from codesearch.query.plan import Plan, Planner, Rewrite
from codesearch.query.results import Hit, HitContext, Results
from codesearch.query.score import Collection, Ranked, score_documents
from codesearch.query.texts import TextReader

Mask = npt.NDArray[np.bool_]

SORTS = ("rank", "code")
MAX_LIMIT = 100_000
MAX_QUERY = 10_000
"""Characters of a query that are read."""


_MAX_SCOPES = 64


class Filters(NamedTuple):
    """What may be found: the systems (none: all), and billable codes only or none of them (None: both)."""

    systems: tuple[str, ...] = ()
    billable: bool | None = None


class _Scope(NamedTuple):
    """What filters let through: systems, the slice of documents that holds them, and a mask where that is not all."""

    systems: tuple[str, ...]
    span: tuple[int, int]
    allowed: Mask | None


class Searcher:
    """Searches one generation; safe to share between threads."""

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader
        self._collection = Collection(reader)
        self._engine = Engine(self._collection)
        self._counter = MatchCounter(self._collection)
        self._texts = TextReader(reader)
        self._planner = Planner(reader)
        self._recogniser = CodeRecogniser(reader)
        self._scopes: dict[Filters, _Scope] = {}

    def compile(self) -> None:
        """Loads the compiled ranking now, for callers that will search much."""
        self._engine.compile()

    def plan(self, text: str, systems: Sequence[str], exact: bool) -> Plan:
        """The plan of a query among the given systems."""
        text_read = text[:MAX_QUERY]
        codes, rest = self._recogniser.split(text_read, systems)
        if exact and any(match.reading for match in codes):
            codes, rest = [], text_read
        slots, rewrites, ignored = self._planner.slots(rest, exact)
        readings = tuple(Rewrite("code", match.typed, match.reading) for match in codes if match.reading)
        return Plan(text, tuple(codes), slots, readings + rewrites, ignored)

    def search(self, text: str, filters: Filters, limit: int, offset: int, sort: str, exact: bool) -> Results:
        """The hits from `offset` on, at most `limit`.

        Raises:
            UsageError: a number is out of range, the order is none, or a system is not in the index.
        """
        if not 0 <= limit <= MAX_LIMIT or offset < 0:
            raise UsageError(f"limit {limit}, offset {offset}", "out of range", f"Use 0 to {MAX_LIMIT} and 0 or more.")
        if sort not in SORTS:
            raise UsageError(f"sort {sort}", "no such order", f"Use one of: {', '.join(SORTS)}.")
        scope = self._scope(filters)
        plan = self.plan(text, scope.systems, exact)
        if sort == "code":
            return self._by_code(plan, scope, limit, offset)
        context = HitContext(self._reader, self._collection, self._texts, plan)
        coded = self._coded(plan.codes, scope.allowed) if plan.codes else []
        hits = [
            Hit(context, document, offset + place, 0.0, tier)
            for place, (document, tier) in enumerate(coded[offset : offset + limit], 1)
        ]
        missing = limit - len(hits)
        if missing and plan.slots:
            skipped = max(0, offset - len(coded))
            allowed = self._without(coded, scope.allowed)
            found = self._engine.rank(plan.slots, scope.span, allowed, skipped + missing)
            first = offset + len(hits) + 1
            texts = enumerate(
                zip(found.documents[skipped:].tolist(), found.scores[skipped:].tolist(), strict=True), first
            )
            hits += [Hit(context, document, place, score, 3) for place, (document, score) in texts]
        return Results(hits, plan, lambda: self._total(plan, scope))

    def rank(self, words: Sequence[str], allowed: Mask, limit: int) -> Ranked:
        """The best of the allowed documents for words that nobody typed: no code among them is read as one."""
        slots, _, _ = self._planner.slots(" ".join(words), exact=True)
        return self._engine.rank(slots, (0, self._reader.documents), allowed, limit)

    def _without(self, coded: Sequence[tuple[int, int]], allowed: Mask | None) -> Mask | None:
        """The filter without the documents that stand in a higher tier already."""
        if not coded:
            return allowed
        rest = np.ones(self._reader.documents, bool) if allowed is None else allowed.copy()
        rest[[document for document, _ in coded]] = False
        return rest

    def _by_code(self, plan: Plan, scope: _Scope, limit: int, offset: int) -> Results:
        everything = self._all(plan, scope)
        tiers = dict(self._coded(plan.codes, scope.allowed))
        page = sorted(everything)[offset : offset + limit]
        context = HitContext(self._reader, self._collection, self._texts, plan)
        hits = [
            Hit(context, document, offset + place, everything[document], tiers.get(document, 3))
            for place, document in enumerate(page, 1)
        ]
        return Results(hits, plan, lambda: len(everything))

    def _total(self, plan: Plan, scope: _Scope) -> int:
        """How many documents match."""
        coded = [document for document, _ in self._coded(plan.codes, scope.allowed)]
        found = self._counter.matching(plan.slots)
        if scope.allowed is not None:
            found &= scope.allowed
        found[coded] = False
        return len(coded) + int(np.count_nonzero(found[slice(*scope.span)]))

    def _all(self, plan: Plan, scope: _Scope) -> dict[int, float]:
        """Every document that matches, with its score."""
        found = {document: 0.0 for document, _ in self._coded(plan.codes, scope.allowed)}
        if plan.slots:
            documents, scores, _ = score_documents(self._collection, plan.slots)
            keep = (documents >= scope.span[0]) & (documents < scope.span[1])
            if scope.allowed is not None:
                keep &= scope.allowed[documents]
            for document, score in zip(documents[keep].tolist(), scores[keep].tolist(), strict=True):
                found.setdefault(document, score)
        return found

    def _coded(self, codes: Sequence[CodeMatch], allowed: Mask | None) -> list[tuple[int, int]]:
        """(document, tier) of what typed codes stand for: exact ones first, each document once."""
        found: dict[int, int] = {}
        for match in sorted(codes, key=lambda match: match.tier):
            for document in match.documents:
                if allowed is None or allowed[document]:
                    found.setdefault(document, match.tier)
        return list(found.items())

    def _scope(self, filters: Filters) -> _Scope:
        """What filters let through; most searches share a few of them, so they are remembered."""
        scope = self._scopes.get(filters)
        if scope is None:
            systems = self._systems(filters.systems)
            scope = _Scope(tuple(systems), self._span(systems), self._allowed(systems, filters.billable))
            if len(self._scopes) < _MAX_SCOPES:
                self._scopes[filters] = scope
        return scope

    def _systems(self, given: Sequence[str]) -> list[str]:
        """The systems to search, by any of their names."""
        known = list(self._reader.systems)
        wanted = [system_name(name) for name in given]
        for name, system in zip(given, wanted, strict=True):
            if system not in known:
                raise UsageError(name, "no such system in this index", f"Use one of: {', '.join(filter(None, known))}.")
        return [system for system in known if system in wanted] if wanted else known

    def _span(self, systems: Sequence[str]) -> tuple[int, int]:
        slices = [self._reader.systems[system] for system in systems]
        return (min(start for start, _ in slices), max(end for _, end in slices)) if slices else (0, 0)

    def _allowed(self, systems: Sequence[str], billable: bool | None) -> Mask | None:
        """The documents that the filters let through; None where the span of the systems says it all."""
        start, end = self._span(systems)
        whole = sum(last - first for first, last in (self._reader.systems[system] for system in systems))
        if whole == end - start and billable is None:
            return None
        allowed = np.zeros(self._reader.documents, bool)
        for system in systems:
            allowed[slice(*self._reader.systems[system])] = True
        if billable is not None:
            values = self._reader.keywords["billable"]
            wanted = "yes" if billable else "no"
            number = values.index(wanted) if wanted in values else -1
            allowed &= self._reader.arrays["keyword.billable"].astype(np.int32) == number
        return allowed
