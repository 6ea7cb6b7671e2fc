"""Batch speed: ten thousand queries through the command, beside plain loops over tantivy and SQLite FTS5.

    python bench/batch.py ../shared/judged/dev

The queries are those of the judged sets about ICD-10-CM, repeated in changing order. What comes again is answered from
memory, as the command does for any batch, so the different ones are timed by themselves too. The command is a process
that starts, reads its lines from a pipe, and answers each with ten full hits (passage, what matched, rewrites) and the
exact total, as JSON; its time is taken from start to end, and once more from the first answer on. The others answer in
this process, one query after the other, with ten codes and their stored names, and nothing else: no total, no JSON.
They answer the first two thousand queries only, for FTS5 takes long.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from engines import Engine, peer
from judged_sets import DATA, build, entries, judged_sets
from timing import usual_environment

COLLECTION = "CM"
SETS = ("abbrev", "consumer", "do", "external", "index", "table", "typo", "inclusion")
LIMIT = 10
_SEED = 7


class Timed(NamedTuple):
    """Queries a second, from the start of the process or loop and from the first answer on; and the milliseconds of
    processor time of a query, start included, which say more where other work shares the machine.
    """

    name: str
    whole: float
    answering: float
    cost: float


def main() -> None:
    """Measures and prints a table."""
    options = _options()
    queries = _queries(options.folder, options.count)
    work = options.work or Path(tempfile.mkdtemp(prefix="codesearch-batch-"))
    index = options.index or build(COLLECTION, options.data, work)
    names = entries(index)
    print(f"{len(names):,} codes, {len(queries):,} queries, {len(set(queries)):,} different, {options.rounds} rounds")
    print(f"{'':<60}{'queries/s':>12}{'once begun':>12}{'CPU ms':>10}")
    with tempfile.TemporaryDirectory() as folder:
        engines = [peer(name, names, Path(folder)) for name in options.peers]
        for _ in range(options.rounds):
            for jobs in options.jobs:
                _print(_command(index, queries, jobs))
                _print(_command(index, list(dict.fromkeys(queries)), jobs, ", different lines only"))
            for engine in engines:
                _print(_loop(engine, queries[: options.peer_queries]))


def _print(one: Timed) -> None:
    print(f"{one.name:<60}{one.whole:>12,.0f}{one.answering:>12,.0f}{one.cost:>10.3f}", flush=True)


def _queries(folder: Path, count: int) -> list[str]:
    """So many queries of the sets, all of them once before any comes again."""
    judged = [query.text for one in judged_sets(folder, SETS) for query in one.queries]
    chance, queries = random.Random(_SEED), list[str]()
    while len(queries) < count:
        chance.shuffle(judged)
        queries += judged
    return queries[:count]


def _command(index: Path, queries: Sequence[str], jobs: int, which: str = "") -> Timed:
    """The command, fed through a pipe."""
    command = [str(Path(sys.executable).parent / "codesearch"), "search", "--batch", "-", "--jobs", str(jobs)]
    command += ["--index", str(index)]
    environment = usual_environment()
    with tempfile.TemporaryFile() as lines:
        lines.write("".join(f"{query}\n" for query in queries).encode())
        lines.seek(0)
        begun, spent = time.perf_counter(), _spent_by_children()
        with (
            subprocess.Popen(["cat"], stdin=lines, stdout=subprocess.PIPE) as feeder,
            subprocess.Popen(command, stdin=feeder.stdout, stdout=subprocess.PIPE, env=environment) as process,
        ):
            assert process.stdout is not None
            process.stdout.readline()
            first = time.perf_counter()
            answers = 1 + sum(1 for _ in process.stdout)
        ended = time.perf_counter()
    if answers != len(queries) or process.returncode:
        raise SystemExit(f"the command gave {answers} answers and status {process.returncode}")
    processes = "1 process" if jobs == 1 else f"{jobs} processes"
    return Timed(
        f"codesearch --batch, {processes}{which}",
        answers / (ended - begun),
        (answers - 1) / (ended - first),
        1000 * (_spent_by_children() - spent) / answers,
    )


def _spent_by_children() -> float:
    """Seconds of processor time of all processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _loop(engine: Engine, queries: Sequence[str]) -> Timed:
    begun, spent = time.perf_counter(), time.process_time()
    for query in queries:
        engine.search(query, LIMIT)
    rate = len(queries) / (time.perf_counter() - begun)
    return Timed(f"{engine.name}, a loop", rate, rate, 1000 * (time.process_time() - spent) / len(queries))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a judged folder; its sets about ICD-10-CM are asked")
    parser.add_argument("--count", type=int, default=10_000, help="so many queries")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, os.cpu_count() or 1], help="processes to try")
    parser.add_argument("--peer-queries", type=int, default=2000, help="queries that each other engine answers")
    parser.add_argument("--peers", nargs="*", choices=("fts5", "tantivy"), default=("tantivy", "fts5"))
    parser.add_argument("--index", type=Path, help="an index of ICD-10-CM that is there already")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the official files")
    parser.add_argument("--work", type=Path, help="where the index is kept; a new temporary folder by default")
    return parser.parse_args()


if __name__ == "__main__":
    main()
