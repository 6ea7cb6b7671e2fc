"""Turns bits of every file of an index, one at a time, and looks whether it is told.

    python tests/trust/corruption.py INDEX --flips 500

INDEX is copied first. For each turned bit it is opened and searched, and where that answers, every checksum is
compared. Prints for each file which of them told, and how often; ends with status 1 when a bit was told by neither, or
the answer was another one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import codesearch
from codesearch.errors import IndexUnusableError
from codesearch.index.generations import GenerationStore
from codesearch.index.manifest import load

_QUERIES = ("fracture of left femur", "e119", "kidny stone", "pain", "E11")


def main() -> int:
    """Reads the arguments, turns bits and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("--flips", type=int, default=500)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="codesearch-corruption-") as root:
        index = Path(shutil.copytree(options.index, Path(root, "index")))
        folder = GenerationStore(index).current().folder
        expected = _answers(index)
        names = sorted(path.name for path in folder.iterdir() if path.stat().st_size)
        seen: dict[str, Counter[str]] = {name: Counter() for name in names}
        for number in range(options.flips):
            path = folder / names[number % len(names)]
            place = chance.randrange(path.stat().st_size)
            _turn(path, place, bit := 1 << chance.randrange(8))
            seen[path.name][_told(index, folder, expected)] += 1
            _turn(path, place, bit)
    for name, outcomes in seen.items():
        print(f"{name:16} {', '.join(f'{outcome} {count}' for outcome, count in outcomes.most_common())}")
    return 1 if any(outcomes["NOT TOLD"] + outcomes["ANSWERED WRONGLY"] for outcomes in seen.values()) else 0


def _answers(index: Path) -> list[list[dict[str, object]]]:
    with codesearch.open_index(index) as opened:
        return [[hit.to_dict() for hit in opened.search(query)] for query in _QUERIES]


def _turn(path: Path, place: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ bit]))


def _told(index: Path, folder: Path, expected: list[list[dict[str, object]]]) -> str:
    try:
        if _answers(index) != expected:
            return "ANSWERED WRONGLY"
    except IndexUnusableError:
        return "told by the search"
    # All that verify compares first: the checksum of every file.
    manifest = load(folder)
    return "told by verify" if any(manifest.check_sums(folder)) else "NOT TOLD"


if __name__ == "__main__":
    sys.exit(main())
