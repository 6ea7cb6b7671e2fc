"""Times a night: a full reindex of many pages, and the next one after a few of them changed.

    python bench/pages.py /tmp/pages --count 10000 && python bench/nightly.py /tmp/pages

Prints the seconds of bare BeautifulSoup with lxml over the pages, of a full reindex with one job and with two, and of
an incremental one after `--changed` percent of the pages changed, and whether its files equal a full rebuild's.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup

from codesearch.index.generations import GenerationStore
from codesearch.reindex import reindex


def main() -> None:
    """Reads the arguments, reindexes and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--changed", type=float, default=1.0, metavar="PERCENT")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        pages, index = Path(root, "pages"), Path(root, "index")
        shutil.copytree(options.pages, pages)
        files = sorted(path for path in pages.rglob("*") if path.suffix in {".html", ".htm", ".txt", ".md"})
        bare = _timed(lambda: _parse(files))
        one = _timed(lambda: reindex([pages], Path(root, "one"), jobs=1))
        two = _timed(lambda: reindex([pages], index, jobs=2))
        every = max(1, round(100 / options.changed))
        for path in files[::every]:
            path.write_bytes(path.read_bytes().replace(b"pain", b"ache", 1) + b"\n")
        night = _timed(lambda: reindex([pages], index, jobs=2))
        whole = _timed(lambda: reindex([pages], Path(root, "whole"), jobs=2, full=True))
        equal = _equal(index, Path(root, "whole"))
    print(f"{len(files):,} pages, {len(files[::every]):,} of them changed")
    print(f"bare BeautifulSoup with lxml   {bare:7.2f} s")
    print(f"full reindex, one job          {one:7.2f} s   {100 * (one / bare - 1):.0f} percent more than bare")
    print(f"full reindex, two jobs         {two:7.2f} s   {one / two:.2f} times as fast")
    print(f"the night's reindex            {night:7.2f} s   {100 * night / two:.0f} percent of the full one")
    print(f"a full one of the same pages   {whole:7.2f} s   files {'equal' if equal else 'DIFFER'}")


def _parse(files: list[Path]) -> None:
    """Parses each file and forgets it."""
    for path in files:
        BeautifulSoup(path.read_bytes(), "lxml")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _equal(one: Path, other: Path) -> bool:
    left, right = (GenerationStore(index).current().folder for index in (one, other))
    names = sorted(path.name for path in left.iterdir())
    if names != sorted(path.name for path in right.iterdir()):
        return False
    return not any(filecmp.cmpfiles(left, right, names, shallow=False)[1:])


if __name__ == "__main__":
    main()
