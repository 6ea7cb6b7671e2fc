"""What matches a plan: codes that stand first, then what its text ranks, then what matches by its conditions alone."""

from __future__ import annotations

from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from codesearch.index.reader import IndexReader
from codesearch.query.constraints import Constraints
from codesearch.query.contradictions import WINDOW, Contradictions
from codesearch.query.engine import Engine
from codesearch.query.filters import Scope
from codesearch.query.grammar import Field, is_exclusion
from codesearch.query.occurrences import Mask
from codesearch.query.plan import Plan
from codesearch.query.score import Collection, Ranked
from codesearch.query.values import masked


class Ranking(NamedTuple):
    """Documents in order, with the score and the tier of each."""

    documents: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    tiers: npt.NDArray[np.int8]

    def taken(self, which: npt.NDArray[np.integer] | slice) -> Ranking:
        """Some of the documents, by their places."""
        return Ranking(self.documents[which], self.scores[which], self.tiers[which])


class Matcher:
    """Finds what matches on one index; safe to share between threads."""

    def __init__(self, reader: IndexReader, constraints: Constraints) -> None:
        self.reader = reader
        self.constraints = constraints
        self.collection = Collection(reader)
        self.engine = Engine(self.collection)
        self.contradictions = Contradictions(reader)

    @cached_property
    def no_chapters(self) -> Mask:
        """The documents that are codes: all but chapters and sections."""
        kinds = self.reader.keywords["kind"]
        chapter = kinds.index("chapter") if "chapter" in kinds else -1
        found: Mask = self.reader.arrays["keyword.kind"].astype(np.int32) != chapter
        return found


class Matches:
    """What matches one plan."""

    def __init__(self, matcher: Matcher, plan: Plan, scope: Scope) -> None:
        self._matcher = matcher
        self._plan = plan
        self._scope = scope
        self._demanded = self._conditions()
        found: dict[int, int] = {}
        for match in sorted(plan.codes, key=_tier_of) if plan.codes else ():
            for document in match.documents:
                if self._demanded is None or self._demanded[document]:
                    found.setdefault(document, match.tier)
        self._first = found
        self.contrary: frozenset[int] = frozenset()
        """Those that were moved down by `ranked`, for their names say the contrary of the query."""

    def ranked(self, count: int) -> Ranking:
        """The first so many documents."""
        tier = 2 if self._plan.within else 3
        parts: list[Ranking] = []
        if self._first:
            parts.append(_ranking(list(self._first)[:count], list(self._first.values())[:count]))
        missing = count - min(count, len(self._first))
        if missing and self._plan.slots:
            found = self._by_words(missing)
            parts.append(Ranking(found.documents, found.scores, _of_tier(tier, len(found.documents))))
            missing -= len(found.documents)
        if missing and self._match_without_words:
            # Fewer are ranked than were asked for, so all that rank are among them.
            rest = self.documents.copy()
            for part in parts:
                rest[part.documents] = False
            unranked = np.flatnonzero(rest)[:missing].tolist()
            parts.append(_ranking(unranked, [tier] * len(unranked)))
        if len(parts) == 1:
            return parts[0]
        return Ranking(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else _ranking([], [])

    def _by_words(self, count: int) -> Ranked:
        """The first so many documents by the words of the plan."""
        engine, contradictions = self._matcher.engine, self._matcher.contradictions
        said = contradictions.said(self._plan.text)
        if not said:
            return engine.rank(self._plan.slots, self._scope.span, self._others, count)
        found = engine.rank(self._plan.slots, self._scope.span, self._others, max(count, WINDOW))
        found, self.contrary = contradictions.demoted(found, said)
        return Ranked(found.documents[:count], found.scores[:count], found.entries[:count])

    @cached_property
    def documents(self) -> Mask:
        """Every document that matches."""
        if self._match_without_words and self._others is not None:
            found = self._others.copy()
        elif self._plan.slots:
            found = self._matcher.engine.matching(self._plan.slots)
            start, end = self._scope.span
            found[:start] = found[end:] = False
            if self._others is not None:
                found &= self._others
        else:
            found = np.zeros(self._matcher.reader.documents, bool)
        if self._first:
            found[list(self._first)] = True
        return found

    @property
    def _match_without_words(self) -> bool:
        """Whether conditions alone make a match: they ask for a text or a code, or there is nothing else."""
        plan, constraints = self._plan, self._matcher.constraints
        if plan.slots and not plan.within and not plan.conditions:  # as in most queries
            return False
        if plan.within or any(map(constraints.anchors, plan.conditions)):
            return True
        return not plan.slots and not plan.codes and not all(map(is_exclusion, plan.conditions))

    @property
    def _others(self) -> Mask | None:
        """The documents that may follow those that stand first; None stands for all of the scope's slice."""
        return self._behind if self._first or self._match_without_words else self._demanded

    @cached_property
    def _behind(self) -> Mask:
        """The same as a mask, where some stand first or match without words."""
        if self._demanded is None:
            allowed = np.zeros(self._matcher.reader.documents, bool)
            allowed[slice(*self._scope.span)] = True
        else:
            allowed = self._demanded.copy()
        if self._plan.within:
            allowed &= masked(self._plan.within, len(allowed))
        allowed[list(self._first)] = False
        return allowed

    def _conditions(self) -> Mask | None:
        """What filters and conditions let through; None stands for all of the scope's slice."""
        plan, scope, constraints = self._plan, self._scope, self._matcher.constraints
        if not plan.conditions:
            return scope.allowed
        found = np.zeros(self._matcher.reader.documents, bool)
        found[slice(*scope.span)] = True
        if scope.allowed is not None:
            found &= scope.allowed
        for node in plan.conditions:
            mask = constraints.mask(node, scope.systems, plan.slots)
            if mask is not None:
                found &= mask
        if not any(isinstance(node, Field) and node.name == "kind" for node in plan.conditions):
            found &= self._matcher.no_chapters
        return found


def _of_tier(tier: int, count: int) -> npt.NDArray[np.int8]:
    """So many times the tier; numpy takes longer to fill an array than to cut one, and most are short."""
    return _TIERS[tier][:count] if count <= _FEW else np.full(count, tier, np.int8)


_tier_of = attrgetter("tier")
_FEW = 100
_TIERS = {tier: np.full(_FEW, tier, np.int8) for tier in (2, 3)}


def _ranking(documents: list[int], tiers: list[int]) -> Ranking:
    """Documents without scores."""
    return Ranking(np.array(documents, np.int32), np.zeros(len(documents), np.float32), np.array(tiers, np.int8))
