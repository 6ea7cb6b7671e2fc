"""Times a night: a full reindex of many pages, and the next one after a few of them changed.

    python bench/pages.py /tmp/pages --count 10000 && python bench/nightly.py /tmp/pages

Prints the seconds of bare BeautifulSoup with lxml over the pages, of a full reindex with one job and with two, and of
an incremental one after `--changed` percent of the pages changed, and whether its files equal a full rebuild's. Beside
the seconds on the clock stand those of the processor, in all processes, which other work on the machine changes less;
bare parsing and one job are compared by them. Last comes the peak memory of all processes of a full reindex together.
"""

from __future__ import annotations

import argparse
import filecmp
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup
from memory import peak_of_reindex

from codesearch.index.generations import GenerationStore
from codesearch.reindex import reindex


class Seconds(NamedTuple):
    """Seconds on the clock, and of the processor in this process and those that it started."""

    clock: float
    processor: float


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
        peaks = [peak_of_reindex([pages], jobs) for jobs in (1, 2)]
    more = 100 * (one.processor / bare.processor - 1)
    print(f"{len(files):,} pages, {len(files[::every]):,} of them changed; seconds on the clock, and of the processor")
    _print("bare BeautifulSoup with lxml", bare)
    _print("full reindex, one job", one, f"{more:.0f} percent more than bare")
    _print("full reindex, two jobs", two, f"{one.clock / two.clock:.2f} times as fast")
    _print("the night's reindex", night, f"{100 * night.clock / two.clock:.0f} percent of the full one")
    _print("a full one of the same pages", whole, f"files {'equal' if equal else 'DIFFER'}")
    print(f"peak memory of all processes: one job {peaks[0]:,.0f} MB, two jobs {peaks[1]:,.0f} MB")


def _print(name: str, seconds: Seconds, remark: str = "") -> None:
    print(f"{name:<30} {seconds.clock:8.2f} {seconds.processor:8.2f}   {remark}".rstrip())


def _parse(files: list[Path]) -> None:
    """Parses each file and forgets it."""
    for path in files:
        BeautifulSoup(path.read_bytes(), "lxml")


def _timed(work: Callable[[], object]) -> Seconds:
    begun, used = time.perf_counter(), _processor()
    work()
    return Seconds(time.perf_counter() - begun, _processor() - used)


def _processor() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _equal(one: Path, other: Path) -> bool:
    left, right = (GenerationStore(index).current().folder for index in (one, other))
    names = sorted(path.name for path in left.iterdir())
    if names != sorted(path.name for path in right.iterdir()):
        return False
    return not any(filecmp.cmpfiles(left, right, names, shallow=False)[1:])


if __name__ == "__main__":
    main()
