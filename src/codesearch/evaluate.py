"""Judging a ranking: queries whose right codes are known, and how well an index, or a saved run, answers them.

Three files of tab-separated lines, as at TREC. Queries: id, text, class (may be missing). Qrels: query id, code in any
spelling, grade (0 is not relevant, 1 and above is). Runs: query id, rank, code; more columns are allowed.

Only the first ten distinct codes of an answer count, without regard to their system. MRR@10 is the mean of 1 / rank of
the first relevant code, Success@1 the share of queries whose first code is relevant, Recall@10 the relevant codes
found over min(10, all relevant codes).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from codesearch.codes import bare
from codesearch.errors import SourceError

if TYPE_CHECKING:
    from codesearch.library import Index

DEPTH = 10
"""Codes of an answer that count."""
ALL = "all"
"""The class of queries that have none, and the row over all queries."""

_SHOWN = 5
_SEED = 20_260_101

Qrels = dict[str, dict[str, int]]
"""Query id -> bare code -> grade."""
Run = dict[str, tuple[str, ...]]
"""Query id -> bare codes, best first."""


class Query(NamedTuple):
    """A judged query."""

    identity: str
    text: str
    query_class: str


class Score(NamedTuple):
    """How one query was answered; each number lies between 0 and 1."""

    reciprocal_rank: float
    success: float
    recall: float


class Means(msgspec.Struct, frozen=True):
    """Means over the queries of a class."""

    query_class: str
    queries: int
    mrr: float
    success: float
    recall: float


class Difference(msgspec.Struct, frozen=True):
    """MRR@10 minus that of another run, with a 95% interval, and the queries that got better and worse."""

    mrr: float
    low: float
    high: float
    better: int
    worse: int


class Evaluation(msgspec.Struct, frozen=True):
    """What judging found: means by class, the last row over all queries; `interval` is the 95% one of MRR@10."""

    classes: tuple[Means, ...]
    interval: tuple[float, float] | None = None
    difference: Difference | None = None
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> Means:
        """The means over all queries."""
        return self.classes[-1]

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def read_queries(path: Path) -> list[Query]:
    """The queries of a file.

    Raises:
        SourceError: it cannot be read, holds no query, or a line has no text.
    """
    queries = []
    for number, cells in _rows(path):
        if len(cells) < 2 or not cells[1].strip():
            raise _wrong(path, number, "has no query text", "Write: id, text, class, with tabs between.")
        queries.append(Query(cells[0], cells[1], (cells[2] if len(cells) > 2 else "") or ALL))
    if not queries:
        raise SourceError(str(path), "holds no queries", "Write a line for each: id, text, class, with tabs between.")
    return queries


def read_qrels(path: Path) -> Qrels:
    """The relevant codes of each query; codes of grade 0 are left out.

    Raises:
        SourceError: it cannot be read, or a line is not an id, a code and a grade.
    """
    qrels: Qrels = {}
    for number, cells in _rows(path):
        if len(cells) < 3 or not cells[2].strip().isdecimal():
            raise _wrong(
                path, number, "is no id, code and grade", "Write: id, code, grade (0, 1, 2), with tabs between."
            )
        if int(cells[2]):
            qrels.setdefault(cells[0], {})[bare(cells[1])] = int(cells[2])
    return qrels


def read_run(path: Path) -> Run:
    """The codes that a run gave for each query, in the order of their ranks.

    Raises:
        SourceError: it cannot be read, or a line is not an id, a rank and a code.
    """
    ranked: dict[str, list[tuple[float, str]]] = {}
    for number, cells in _rows(path):
        try:
            ranked.setdefault(cells[0], []).append((float(cells[1]), bare(cells[2])))
        except (IndexError, ValueError) as error:
            step = "Write: id, rank, code, with tabs between."
            raise _wrong(path, number, "is no id, rank and code", step) from error
    return {
        identity: tuple(code for _, code in sorted(found, key=lambda one: one[0])) for identity, found in ranked.items()
    }


def write_run(path: Path, queries: Iterable[Query], answers: Iterable[Sequence[str]]) -> None:
    """Writes a run; an id that stands for two queries keeps the answer to the first.

    Raises:
        SourceError: the file cannot be written.
    """
    run: dict[str, Sequence[str]] = {}
    for query, codes in zip(queries, answers, strict=True):
        run.setdefault(query.identity, codes)
    _write(
        path, (f"{identity}\t{rank}\t{code}" for identity, codes in run.items() for rank, code in enumerate(codes, 1))
    )


def write_fails(path: Path, queries: Sequence[Query], qrels: Qrels, answers: Sequence[Sequence[str]]) -> None:
    """Writes the queries with no relevant code among the first ten: id, text, class, relevant codes, first codes found.

    Raises:
        SourceError: the file cannot be written.
    """
    lines = []
    for query, codes in zip(queries, answers, strict=True):
        relevant = qrels.get(query.identity, {})
        if not judge(codes, relevant).reciprocal_rank:
            wanted = sorted(relevant, key=lambda code: (-relevant[code], code))[:_SHOWN]
            lines.append("\t".join((*query, " ".join(wanted), " ".join(codes[:_SHOWN]))))
    _write(path, lines)


def search_all(index: Index, queries: Iterable[Query], **options: Any) -> list[tuple[str, ...]]:
    """The bare codes that an index gives for each query; `options` are those of `Index.search`."""
    return [
        tuple(bare(hit.code) for hit in index.search(query.text, **options) if hit.code is not None)
        for query in queries
    ]


def judge(codes: Iterable[str], relevant: Mapping[str, int]) -> Score:
    """How good an answer is: bare codes, best first, against the relevant codes."""
    top = list(dict.fromkeys(codes))[:DEPTH]
    hits = [rank for rank, code in enumerate(top, 1) if code in relevant]
    if not hits:
        return Score(0.0, 0.0, 0.0)
    return Score(1 / hits[0], float(hits[0] == 1), len(hits) / min(DEPTH, len(relevant)))


def evaluate(
    queries: Sequence[Query],
    qrels: Qrels,
    answers: Sequence[Sequence[str]],
    *,
    bootstrap: int = 0,
    compare: Run | None = None,
) -> Evaluation:
    """Judges the answers to queries.

    Args:
        queries: the queries.
        qrels: their relevant codes.
        answers: bare codes for each query, best first.
        bootstrap: samples drawn for the 95% interval of MRR@10 (none: no interval).
        compare: another run, to tell the difference in MRR@10 from.
    """
    scores = [judge(codes, qrels.get(query.identity, {})) for query, codes in zip(queries, answers, strict=True)]
    ranks = np.array([score.reciprocal_rank for score in scores])
    return Evaluation(
        classes=tuple(_by_class(queries, scores)),
        interval=_interval(ranks, bootstrap) if bootstrap else None,
        difference=_difference(ranks, queries, qrels, compare, bootstrap or 2000) if compare is not None else None,
        notes=tuple(_notes(queries, qrels)),
    )


def evaluate_command(
    queries: Path,
    qrels: Path,
    index: Path,
    *,
    fails: Path | None = None,
    save_run: Path | None = None,
    compare: Path | None = None,
    bootstrap: int = 0,
    **options: Any,
) -> Evaluation:
    """Judges an index by files, as `codesearch evaluate` does.

    Args:
        queries, qrels: the files that judge.
        index: the folder of the index.
        fails: a file for the queries with no relevant code among the first ten.
        save_run: a file for the codes that were found.
        compare: a run file to compare with.
        bootstrap: samples for the 95% interval of MRR@10.
        options: keyword arguments of `Index.search`.

    Raises:
        SourceError: a file cannot be read or written.
        IndexUnusableError: the index cannot be opened.
        UsageError: an option of the search is wrong.
    """
    from codesearch.library import open_index

    asked, relevant = read_queries(queries), read_qrels(qrels)
    other = read_run(compare) if compare else None
    with open_index(index) as opened:
        answers = search_all(opened, asked, **options)
    if save_run:
        write_run(save_run, asked, answers)
    if fails:
        write_fails(fails, asked, relevant, answers)
    return evaluate(asked, relevant, answers, bootstrap=bootstrap, compare=other)


def _by_class(queries: Sequence[Query], scores: Sequence[Score]) -> Iterator[Means]:
    """Means by class in the order of their names, then over all; no class of its own for queries without one."""
    by_class: dict[str, list[Score]] = {}
    for query, score in zip(queries, scores, strict=True):
        by_class.setdefault(query.query_class, []).append(score)
    for name in sorted(by_class.keys() - {ALL}):
        yield _means(name, by_class[name])
    yield _means(ALL, scores)


def _means(name: str, scores: Sequence[Score]) -> Means:
    return Means(name, len(scores), *(float(np.mean(column)) for column in zip(*scores, strict=True)))


def _interval(values: npt.NDArray[np.float64], samples: int) -> tuple[float, float]:
    """The 95% percentile interval of a mean (Efron 1979); drawn sample by sample, so that large sets fit in memory."""
    random = np.random.default_rng(_SEED)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(samples)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _difference(
    ranks: npt.NDArray[np.float64], queries: Sequence[Query], qrels: Qrels, compare: Run, samples: int
) -> Difference:
    others = [judge(compare.get(query.identity, ()), qrels.get(query.identity, {})) for query in queries]
    difference = ranks - np.array([score.reciprocal_rank for score in others])
    low, high = _interval(difference, samples)
    return Difference(float(difference.mean()), low, high, int((difference > 0).sum()), int((difference < 0).sum()))


def _notes(queries: Sequence[Query], qrels: Qrels) -> Iterator[str]:
    """What a reader of the figures must know of the judged set."""
    unjudged = sum(not qrels.get(query.identity) for query in queries)
    if unjudged:
        yield f"queries without a relevant code, counted as missed: {unjudged}"
    texts = Counter(identity for identity, _ in {(query.identity, query.text) for query in queries})
    repeated = sum(count > 1 for count in texts.values())
    if repeated:
        yield f"ids of more than one query, which share their relevant codes: {repeated}"


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The numbered lines of a file in cells; blank lines are passed over."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise SourceError(str(path), f"cannot be read ({reason})", "Name a file of tab-separated lines.") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.rstrip("\r").split("\t")


def _wrong(path: Path, number: int, reason: str, next_step: str) -> SourceError:
    return SourceError(f"{path}:{number}", reason, next_step)


def _write(path: Path, lines: Iterable[str]) -> None:
    try:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise SourceError(str(path), f"cannot be written ({error.strerror})", "Name another file.") from error
