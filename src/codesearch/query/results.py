"""What a search gives: hits with their tier and score, the exact total, and every rewrite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from codesearch.codes import bare
from codesearch.index.reader import IndexReader
from codesearch.query.evidence import Evidence, evidence
from codesearch.query.plan import Plan, Rewrite
from codesearch.records import CodeRecord

TIERS = {1: "exact code", 2: "code prefix or range", 3: "text"}


class Hit:
    """One code that was found. What needs the record (`snippet`, `matched`, `record`) is read when first asked for."""

    def __init__(self, reader: IndexReader, plan: Plan, document: int, rank: int, score: float, tier: int) -> None:
        self._reader = reader
        self._plan = plan
        self._evidence: Evidence | None = None
        self.document = document
        self.rank = rank
        self.score = score
        self.tier = tier

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
        return self._reader.keyword("system", self.document)

    @property
    def kind(self) -> str:
        """`code`, `header`, `modifier` or `chapter`."""
        return self._reader.keyword("kind", self.document)

    @property
    def billable(self) -> bool | None:
        """Whether the code may be billed; None where no source says."""
        return {"yes": True, "no": False}.get(self._reader.keyword("billable", self.document))

    @property
    def billable_below(self) -> int:
        """How many billable codes lie below a header; 0 for any other code."""
        values = self._reader.keywords["billable"]
        if self.kind != "header" or "yes" not in values:
            return 0
        start, end = self._reader.prefix_slice(self.system, bare(self.code or ""))
        return int((self._reader.arrays["keyword.billable"][start:end] == values.index("yes")).sum())

    @property
    def release(self) -> str | None:
        """The release of the code set that the code comes from."""
        return self._reader.keyword("release", self.document) or None

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
        """The passage of the record that fits the query best."""
        return self._found().snippet

    @property
    def matched(self) -> dict[str, tuple[str, ...]]:
        """Field -> the words of the record that matched there."""
        return self._found().matched

    def _found(self) -> Evidence:
        if self._evidence is None:
            self._evidence = evidence(self.record, self._reader, self._plan)
        return self._evidence

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of a hit."""
        names = ("rank", "system", "code", "kind", "name", "billable", "terminated", "release")
        hit = {name: getattr(self, name) for name in names}
        matched = {field: list(words) for field, words in self.matched.items()}
        return {**hit, "score": round(self.score, 4), "tier": self.tier, "snippet": self.snippet, "matched": matched}


class Results:
    """The hits of a search, in order; iterable. `total` is exact and counted when it is first read."""

    def __init__(self, hits: list[Hit], plan: Plan, count: Callable[[], int]) -> None:
        self.hits = hits
        self.plan = plan
        self._count = count
        self._total: int | None = None

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @property
    def rewrites(self) -> tuple[Rewrite, ...]:
        """Everything that was searched and not typed."""
        return self.plan.rewrites

    @property
    def total(self) -> int:
        """How many codes match in all."""
        if self._total is None:
            self._total = self._count()
        return self._total
