"""Ranking quality beside other engines: this project, SQLite FTS5, tantivy and stock Whoosh on judged queries.

    python bench/quality.py ../shared/judged/dev

Each set of the folder is judged against the collections that `judged_sets.NEEDS` names, built from the official files
in `--data`; all engines hold the same entries. `--work DIR` keeps the indexes of this project for the next run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engines import PEERS, Engine, Ours, peer
from judged_sets import COLLECTIONS, DATA, JudgedSet, build, entries, judged_sets

from codesearch.codes import bare
from codesearch.evaluate import DEPTH, Evaluation, evaluate, write_fails, write_run


def main() -> None:
    """Judges, prints a table as it goes, and writes the figures where they are wanted."""
    options = _options()
    sets = list(judged_sets(options.folder, options.set, options.sample))
    if not sets:
        raise SystemExit(f"{options.folder}: no NAME.queries.tsv with NAME.qrels.tsv")
    work = options.work or Path(tempfile.mkdtemp(prefix="codesearch-quality-"))
    rows: list[dict[str, Any]] = []
    print(_line("set", "collection", "queries", "ours", "S@1", "R@10", *options.peers), flush=True)
    for collection in COLLECTIONS:
        judged = [one for one in sets if collection in one.collections]
        if judged:
            rows += _judge(collection, judged, work, options)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _judge(collection: str, sets: Sequence[JudgedSet], work: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The figures of each set on one collection."""
    index = build(collection, options.data, work)
    names = entries(index) if options.peers else []
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        engines: list[Engine] = [Ours(index), *(peer(name, names, Path(folder)) for name in options.peers)]
        for one in sets:
            found = {engine.name: _answered(engine, one, collection, options) for engine in engines}
            rows.append({"set": one.name, "collection": collection, "engines": found})
            ours, *others = (engine["classes"][-1] for engine in found.values())
            figures = [ours["mrr"], ours["success"], ours["recall"], *(other["mrr"] for other in others)]
            cells = (f"{figure:.3f}" for figure in figures)
            print(_line(one.name, collection, str(ours["queries"]), *cells), flush=True)
    return rows


def _answered(engine: Engine, judged: JudgedSet, collection: str, options: argparse.Namespace) -> dict[str, Any]:
    """The evaluation of one engine on one set, with the seconds that it took; our answers are kept where wanted."""
    begun = time.perf_counter()
    answers = [[bare(code) for code, _ in engine.search(query.text, DEPTH)] for query in judged.queries]
    seconds = time.perf_counter() - begun
    if options.keep and isinstance(engine, Ours):
        options.keep.mkdir(parents=True, exist_ok=True)
        stem = f"{judged.name}-{collection.replace(' ', '-')}"
        write_run(options.keep / f"{stem}.run.tsv", judged.queries, answers)
        write_fails(options.keep / f"{stem}.fails.tsv", judged.queries, judged.qrels, answers)
    found: Evaluation = evaluate(judged.queries, judged.qrels, answers, bootstrap=options.bootstrap)
    return {**found.to_dict(), "seconds": round(seconds, 2)}


def _line(name: str, collection: str, *figures: str) -> str:
    return f"{name:<12}{collection:<28}" + "".join(f"{figure:>9}" for figure in figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a judged folder: NAME.queries.tsv and NAME.qrels.tsv")
    parser.add_argument("--set", action="append", default=[], help="only this set; may be repeated")
    parser.add_argument("--sample", type=int, help="only the first so many queries of each set")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the official files")
    parser.add_argument("--work", type=Path, help="where indexes are kept; a new temporary folder by default")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS, help="the other engines; none is possible")
    parser.add_argument("--bootstrap", type=int, default=1000, help="samples of the 95%% interval in the JSON")
    parser.add_argument("--json", type=Path, help="write all figures here, by class and with intervals")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write our runs and failures there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
