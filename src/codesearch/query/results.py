"""What a search gives: hits with their tier and score, the exact total, and every rewrite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from codesearch.codes import bare
from codesearch.index.reader import IndexReader
from codesearch.query.evidence import Evidence, EvidenceFinder
from codesearch.query.facets import Facets
from codesearch.query.passage import Passage
from codesearch.query.plan import Plan, Rewrite
from codesearch.query.score import Collection
from codesearch.query.texts import TextReader
from codesearch.records import CodeRecord

if TYPE_CHECKING:
    from codesearch.query.explain import Explainer, Explanation
    from codesearch.query.nothing import Nothing


class HitContext:
    """What the hits of one search share."""

    def __init__(
        self, reader: IndexReader, collection: Collection, texts: TextReader, plan: Plan, contrary: frozenset[int]
    ) -> None:
        self.reader = reader
        self._contrary = contrary
        self._collection = collection
        self._texts = texts
        self._plan = plan

    @cached_property
    def evidence(self) -> EvidenceFinder:
        """Finds what matches in a hit."""
        return EvidenceFinder(self.reader, self._texts, self._plan)

    @cached_property
    def explainer(self) -> Explainer:
        """Takes the score of a hit apart."""
        from codesearch.query.explain import Explainer

        return Explainer(self.reader, self._collection, self._texts, self._plan, self._contrary)


class Hit(msgspec.Struct, eq=False):
    """One code that was found. What needs the record (`passage`, `matched`, `record`) is read when first asked for."""

    _context: HitContext
    _reader: IndexReader
    document: int
    rank: int
    score: float
    tier: int
    _siblings: Sequence[int] | None = None
    """The documents of the other hits that this one stands for where hits are grouped."""
    _evidence: Evidence | None = None

    def __repr__(self) -> str:
        return f"<Hit {self.rank}: {self.system} {self.code} {self.name[:40]!r}>"

    @property
    def code(self) -> str | None:
        """The code in its official written form; None where its page gave none."""
        return self._reader.codes[self.document] or None

    @property
    def name(self) -> str:
        """The code's name."""
        return self._reader.names[self.document]

    @property
    def system(self) -> str:
        """The code system."""
        return self._reader.facts(self.document)[0]

    @property
    def kind(self) -> str:
        """`code`, `header`, `modifier` or `chapter`."""
        return self._reader.facts(self.document)[1]

    @property
    def billable(self) -> bool | None:
        """Whether the code may be billed; None where no source says."""
        return self._reader.facts(self.document)[2]

    @property
    def billable_below(self) -> int:
        """How many billable codes lie below a header; 0 for any other code."""
        values = self._reader.keywords["billable"]
        if self.kind != "header" or "yes" not in values:
            return 0
        start, end = self._reader.prefix_slice(self.system, bare(self.code or ""))
        return int((self._reader.arrays["keyword.billable"][start:end] == values.index("yes")).sum())

    @property
    def siblings(self) -> tuple[str, ...]:
        """The codes of the other hits that this one stands for, in their order; none where hits are not grouped."""
        return tuple(self._reader.codes[document] for document in self._siblings or ())

    @property
    def release(self) -> str | None:
        """The release of the code set that the code comes from."""
        return self._reader.facts(self.document)[3]

    @property
    def terminated(self) -> str | None:
        """The date from which the code is no longer valid."""
        return self.record.terminated if self._reader.arrays["ended"][self.document] else None

    @property
    def record(self) -> CodeRecord:
        """The whole record.

        Raises:
            IndexCorruptError: the record file is damaged.
        """
        return self._reader.records.get(self.document)

    @property
    def snippet(self) -> str:
        """The text of `passage`."""
        return self.passage.text

    @property
    def passage(self) -> Passage:
        """The passage of the record that fits the query best, with what matched in it."""
        return self._found().passage

    @property
    def marked_name(self) -> Passage:
        """The code's name, with what matched in it."""
        return self._found().name

    @property
    def matched(self) -> dict[str, tuple[str, ...]]:
        """Field -> the words of the record that matched there."""
        return self._found().matched

    @property
    def explanation(self) -> Explanation:
        """Why the hit stands where it stands: its score taken apart."""
        return self._context.explainer.explanation(self.document, self.tier)

    def _found(self) -> Evidence:
        if self._evidence is None:
            self._evidence = self._context.evidence.evidence(self.document)
        return self._evidence

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of a hit; grouped hits have their `siblings` too."""
        found = self._found()
        system, kind, billable, release = self._reader.facts(self.document)
        hit = {
            "rank": self.rank,
            "system": system,
            "code": self.code,
            "kind": kind,
            "name": found.name.text,
            "billable": billable,
            "terminated": self.terminated,
            "release": release,
            "score": round(self.score, 4),
            "tier": self.tier,
            "snippet": found.passage.text,
            "matched": {field: list(words) for field, words in found.matched.items()},
        }
        return hit if self._siblings is None else {**hit, "siblings": list(self.siblings)}

    def to_explained_dict(self) -> dict[str, Any]:
        """The JSON object of a hit with its explanation."""
        return {**self.to_dict(), "explanation": self.explanation.to_dict()}


class Results:
    """The hits of a search, in order; iterable. What is said of all matches is found when it is first read."""

    def __init__(
        self,
        hits: list[Hit],
        plan: Plan,
        count: Callable[[], int],
        *,
        rows: Callable[[int], int] | None = None,
        facets: Callable[[], Facets] = dict,
        cursor: Callable[[int], str | None] = lambda _: None,
        nothing: Callable[[], Nothing | None] = lambda: None,
    ) -> None:
        """Takes what counts all matches, what tells how many rows they are (as many, without it), and what gives the
        rest."""
        self.hits = hits
        self.plan = plan
        self._count = count
        self._count_rows = rows
        self._facets = facets
        self._cursor = cursor
        self._nothing = nothing

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @property
    def rewrites(self) -> tuple[Rewrite, ...]:
        """Everything that was searched and not typed."""
        return self.plan.rewrites

    @cached_property
    def total(self) -> int:
        """How many codes match in all."""
        return self._count()

    @cached_property
    def rows(self) -> int:
        """How many hits all pages have together: fewer than match where siblings are grouped."""
        return self._count_rows(self.total) if self._count_rows else self.total

    @cached_property
    def facets(self) -> Facets:
        """Field (system, chapter, kind, billable, setting) -> value -> how many of all matches have it."""
        return self._facets()

    @cached_property
    def next_cursor(self) -> str | None:
        """What `Index.search` takes as `cursor` to give the next page; None where this is the last one."""
        return self._cursor(self.rows)

    @cached_property
    def nothing(self) -> Nothing | None:
        """Why nothing matches; None where something does."""
        return None if self.total else self._nothing()
