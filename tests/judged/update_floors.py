"""The floors of our judged set: what the ranking must reach, by class of queries, and how they are raised.

    python tests/judged/update_floors.py

measures the ranking and raises the floors to it. It never lowers one: where the ranking got worse it writes nothing
and says which classes did. After a change of the queries or qrels themselves, floors that stood for other queries say
nothing: `--set-changed` writes all of them anew, and shows each that is lower, for the reviewer of the change.

A floor lies a little below what was measured, so that one query of a class may fall from the first place to the second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import codesearch
from codesearch.config import corpus_folder
from codesearch.evaluate import Evaluation, Means, evaluate, read_qrels, read_queries, search_all

HERE = Path(__file__).parent
QUERIES, QRELS, FLOORS = HERE / "ours.queries.tsv", HERE / "ours.qrels.tsv", HERE / "floors.json"

SOURCES = (corpus_folder(), "icd10cm")
"""What the queries are judged against: the shipped pages and the tabular list that simple-icd-10-cm ships."""


class Floor(NamedTuple):
    """The least that a class of queries must reach."""

    mrr: float
    success: float


class Floors(NamedTuple):
    """The floors of a judged set, and the hash of that set."""

    sha256: str
    classes: dict[str, Floor]


class LoweredError(Exception):
    """The ranking lies below floors; the message names the classes."""


def build(index: Path) -> Path:
    """Builds the index that the set is judged against."""
    codesearch.reindex(SOURCES, index)
    return index


def measure(index: Path) -> Evaluation:
    """Judges an index by our set."""
    queries = read_queries(QUERIES)
    with codesearch.open_index(index) as opened:
        return evaluate(queries, read_qrels(QRELS), search_all(opened, queries))


def set_hash() -> str:
    """The hash of the queries and qrels."""
    return hashlib.sha256(QUERIES.read_bytes() + QRELS.read_bytes()).hexdigest()


def load(path: Path = FLOORS) -> Floors:
    """The floors of a file."""
    plain: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Floors(plain["sha256"], {name: Floor(**floor) for name, floor in plain["classes"].items()})


def save(floors: Floors, path: Path = FLOORS) -> None:
    """Writes floors to a file."""
    plain = {"sha256": floors.sha256, "classes": {name: floor._asdict() for name, floor in floors.classes.items()}}
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def below(floors: Floors, found: Evaluation) -> list[str]:
    """The figures that lie below their floors, a sentence each; a class that is gone counts as one."""
    measured = {row.query_class: row for row in found.classes}
    sentences = [f"{name}: no query left" for name in floors.classes if name not in measured]
    for name, floor in floors.classes.items():
        if name in measured:
            figures = (("MRR@10", measured[name].mrr, floor.mrr), ("Success@1", measured[name].success, floor.success))
            sentences += [f"{name}: {what} {now:.4f}, floor {least}" for what, now, least in figures if now < least]
    return sentences


def raised(floors: Floors, found: Evaluation, sha256: str) -> Floors:
    """Floors at least as high as before, and as high as what was found allows.

    Raises:
        LoweredError: the ranking lies below a floor, or the set is not the one that the floors stand for.
    """
    if floors.sha256 != sha256:
        raise LoweredError("the queries or qrels changed; see --set-changed")
    lower = below(floors, found)
    if lower:
        raise LoweredError("\n".join(lower))
    new = anew(found, sha256)
    return Floors(
        sha256, {name: _higher(floors.classes.get(name, floor), floor) for name, floor in new.classes.items()}
    )


def anew(found: Evaluation, sha256: str) -> Floors:
    """Floors from what was found alone."""
    return Floors(sha256, {row.query_class: _floor(row) for row in found.classes})


def _floor(row: Means) -> Floor:
    return Floor(_rounded_down(row.mrr - 0.5 / row.queries), _rounded_down(row.success - 1 / row.queries))


def _higher(one: Floor, other: Floor) -> Floor:
    return Floor(max(one.mrr, other.mrr), max(one.success, other.success))


def _rounded_down(figure: float) -> float:
    return max(0, math.floor(figure * 1000)) / 1000


def main() -> int:
    """Measures, and writes the floors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--set-changed", action="store_true", help="write all floors anew: the queries or qrels changed"
    )
    changed = parser.parse_args().set_changed
    with tempfile.TemporaryDirectory() as folder:
        found = measure(build(Path(folder) / "index"))
    for row in found.classes:
        print(f"{row.query_class:14} {row.queries:4} queries  MRR@10 {row.mrr:.3f}  Success@1 {row.success:.3f}")
    if changed:
        if FLOORS.exists():
            print("\n".join(f"lower now: {sentence}" for sentence in below(load(), found)))
        save(anew(found, set_hash()))
        return 0
    try:
        save(raised(load(), found, set_hash()))
    except LoweredError as error:
        print(f"nothing written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
