"""Query speed beside other engines: this project, tantivy, SQLite FTS5 and stock Whoosh on the same queries in one run.

    python bench/query.py ../shared/judged/dev

All engines hold the same ICD-10-CM and ICD-10-PCS codes and answer the same queries (the judged sets index, do, typo
and pcs) with ten codes and their stored names. The engines take turns, fifty queries each, in changing order, so that
whatever else the machine does meets all of them; a query's time is the median over the rounds. Stock Whoosh answers
only a sample of the queries, in turn with this project: it takes too long for more. What a process costs (start, first
query, memory) is measured in processes of its own. `--growth 10` measures again with ten times the records, by copies
with changed words.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engines import Engine, Ours, peer
from judged_sets import DATA, Entry, build, entries, judged_sets
from timing import COLUMNS, LIMIT, print_head, print_row, summary, timed, usual_environment

SETS = ("index", "do", "typo", "pcs")
COLLECTION = "CM and PCS"
_SEED = 7
_PROBE = Path(__file__).parent / "process.py"


def main() -> None:
    """Measures, prints tables, and writes the figures where they are wanted."""
    options = _options()
    queries = _queries(options.folder, options.sample)
    work = options.work or Path(tempfile.mkdtemp(prefix="codesearch-query-"))
    index = build(COLLECTION, options.data, work)
    names = entries(index)
    compared = _compared(index, names, queries, options)
    print(
        f"{len(names):,} codes, {len(queries):,} queries, {options.rounds} rounds, top {LIMIT} with names, milliseconds"
    )
    _print(compared)
    process = _processes(index, queries[: options.process_queries])
    print("\nprocess: " + ", ".join(f"{name} {figure:,.1f}" for name, figure in process.items()))
    figures = {"records": len(names), "queries": len(queries), "engines": compared, "process": process}
    if options.growth:
        figures["growth"] = _grown(names, queries, work, options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _queries(folder: Path, sample: int | None) -> list[str]:
    queries = [query.text for one in judged_sets(folder, SETS) for query in one.queries]
    random.Random(_SEED).shuffle(queries)
    return queries[:sample]


def _compared(
    index: Path, names: Sequence[Entry], queries: Sequence[str], options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """The figures of each engine over one collection."""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(index)
        engines: list[Engine] = [ours, *(peer(name, names, Path(folder)) for name in options.peers if name != "whoosh")]
        ours.compile()
        times = timed(engines, queries, options.rounds)
        found = {name: summary(rounds) for name, rounds in times.items()}
        if "whoosh" in options.peers:
            few = queries[: options.whoosh_queries]
            slow = timed([ours, peer("whoosh", names, Path(folder))], few, options.rounds)
            found["Whoosh"] = summary(slow["Whoosh"])
            found["codesearch, on Whoosh's sample"] = summary(slow[ours.name])
    return found


def _print(engines: dict[str, dict[str, float]]) -> None:
    """The figures, and ours over each other engine's."""
    print_head()
    for name, figures in engines.items():
        print_row(name, figures)
    for name, figures in engines.items():
        if not name.startswith("codesearch"):
            ours = engines["codesearch, on Whoosh's sample" if name == "Whoosh" else "codesearch"]
            print_row(f"codesearch / {name}", {column: ours[column] / figures[column] for column in COLUMNS})


def _processes(index: Path, queries: Sequence[str]) -> dict[str, float]:
    """Start, first query and memory of processes of their own: milliseconds and megabytes."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(queries))
        file.flush()
        probes = [_probed(index, file.name) for _ in range(5)]
    found = {name: statistics.median(probe[name] for probe in probes) for name in probes[0]}
    return {**{f"`codesearch search`, {form} ms": _started(index, form) for form in ("table", "json")}, **found}


def _started(index: Path, form: str) -> float:
    """A search from the start of its process to the end, milliseconds."""
    command = [str(Path(sys.executable).parent / "codesearch"), "search", "type 2 diabetes", "--index", str(index)]
    starts = []
    for _ in range(7):
        begun = time.perf_counter()
        subprocess.run([*command, "--format", form], check=True, capture_output=True, env=usual_environment())
        starts.append((time.perf_counter() - begun) * 1000)
    return statistics.median(starts)


def _probed(index: Path, queries: str) -> dict[str, float]:
    command = [sys.executable, str(_PROBE), str(index), queries]
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=usual_environment())
    figures: dict[str, float] = json.loads(found.stdout)
    return figures


def _grown(names: Sequence[Entry], queries: Sequence[str], work: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The figures over so many times the records."""
    import codesearch

    index = work / f"grown-{options.growth}"
    if not index.exists():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "copies.jsonl"
            _write_copies(names, file, options.growth)
            codesearch.reindex([file], index)
    grown = entries(index)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(index)
        ours.compile()
        engines: list[Engine] = [ours, peer("tantivy", grown, Path(folder))]
        found = {name: summary(times) for name, times in timed(engines, queries, options.rounds).items()}
    print(f"\n{len(grown):,} records")
    _print(found)
    return {"records": len(grown), "engines": found}


def _write_copies(names: Sequence[Entry], file: Path, copies: int) -> None:
    """Each record so many times, each copy in a system of its own; a fifth of a copy's words are words of its own."""
    chosen = random.Random(_SEED)
    with file.open("w", encoding="utf-8") as lines:
        for copy in range(copies):
            mark = "".join(chr(97 + int(digit)) for digit in f"{copy:02}") if copy else ""
            changed = {word: word + mark for word in _words(names) if copy and chosen.random() < 0.2}
            for one in names:
                row = {
                    "system": f"COPY{copy:02}",
                    "code": one.code,
                    "name": _with(changed, one.name),
                    "synonyms": [_with(changed, other) for other in one.others.split(" ; ") if other],
                }
                lines.write(json.dumps(row) + "\n")


def _words(names: Sequence[Entry]) -> list[str]:
    return sorted({word for one in names for word in re.findall(r"[A-Za-z]{4,}", one.name)})


def _with(changed: dict[str, str], text: str) -> str:
    return re.sub(r"[A-Za-z]{4,}", lambda found: changed.get(found[0], found[0]), text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a judged folder; its sets index, do, typo and pcs are asked")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=int, help="only so many queries")
    parser.add_argument("--whoosh-queries", type=int, default=500, help="queries that stock Whoosh answers")
    parser.add_argument("--process-queries", type=int, default=1000, help="queries after which memory is read")
    parser.add_argument("--growth", type=int, default=0, help="measure again with so many times the records")
    parser.add_argument(
        "--peers", nargs="*", choices=("fts5", "tantivy", "whoosh"), default=("tantivy", "fts5", "whoosh")
    )
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the official files")
    parser.add_argument("--work", type=Path, help="where indexes are kept; a new temporary folder by default")
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
