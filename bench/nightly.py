"""Times a night: a full reindex of many pages, and the next one after a few of them changed.

    python bench/pages.py /tmp/pages --count 10000 && python bench/nightly.py /tmp/pages

Prints the seconds of bare BeautifulSoup with lxml over the pages, in one process and in two that know nothing of each
other (what the machine gives a second one), and of a full reindex with one job and with two, these four in turn in each
round; of an incremental one after `--changed` percent of the pages changed; and whether its files equal a full
rebuild's. Beside the seconds on the clock stand those of the processor, in all processes, which other work on the
machine changes less; bare parsing and one job are compared by them. Seconds and ratios are medians of the rounds. Last
comes the peak memory of all processes of a full reindex together.
"""

from __future__ import annotations

import argparse
import filecmp
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
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
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        pages, index = Path(root, "pages"), Path(root, "index")
        shutil.copytree(options.pages, pages)
        files = sorted(path for path in pages.rglob("*") if path.suffix in {".html", ".htm", ".txt", ".md"})
        bare, both, one, two = [], [], [], []
        for _ in range(options.rounds):
            bare.append(_timed(lambda: _parse(files)))
            both.append(_timed(lambda: _parse_in_two(files)))
            one.append(_timed(lambda: reindex([pages], Path(root, "one"), jobs=1, full=True)))
            two.append(_timed(lambda: reindex([pages], index, jobs=2, full=True)))
        every = max(1, round(100 / options.changed))
        for path in files[::every]:
            path.write_bytes(path.read_bytes().replace(b"pain", b"ache", 1) + b"\n")
        night = _timed(lambda: reindex([pages], index, jobs=2))
        whole = _timed(lambda: reindex([pages], Path(root, "whole"), jobs=2, full=True))
        equal = _equal(index, Path(root, "whole"))
        peaks = [peak_of_reindex([pages], jobs) for jobs in (1, 2)]
    changed = len(files[::every])
    print(f"{len(files):,} pages, {changed:,} of them changed; {options.rounds} rounds, seconds of clock and processor")
    more = [100 * (job.processor / parsing.processor - 1) for job, parsing in zip(one, bare, strict=True)]
    full = _median(two)
    _print("bare BeautifulSoup with lxml", _median(bare))
    _print("the same in two processes", _median(both), _times(bare, both))
    _print("full reindex, one job", _median(one), f"{_median_of(more, 0)} percent more than bare")
    _print("full reindex, two jobs", full, _times(one, two))
    _print("the night's reindex", night, f"{100 * night.clock / full.clock:.0f} percent of the full one")
    _print("a full one of the same pages", whole, f"files {'equal' if equal else 'DIFFER'}")
    print(f"peak memory of all processes: one job {peaks[0]:,.0f} MB, two jobs {peaks[1]:,.0f} MB")


def _print(name: str, seconds: Seconds, remark: str = "") -> None:
    print(f"{name:<30} {seconds.clock:8.2f} {seconds.processor:8.2f}   {remark}".rstrip())


def _median(rounds: Iterable[Seconds]) -> Seconds:
    return Seconds(*map(statistics.median, zip(*rounds, strict=True)))


def _median_of(ratios: list[float], digits: int) -> str:
    """The median, and the least and the largest."""
    return f"{statistics.median(ratios):.{digits}f} ({min(ratios):.{digits}f} to {max(ratios):.{digits}f})"


def _times(single: list[Seconds], double: list[Seconds]) -> str:
    ratios = [one.clock / two.clock for one, two in zip(single, double, strict=True)]
    return f"{_median_of(ratios, 2)} times as fast"


def _parse(files: list[Path]) -> None:
    """Parses each file and forgets it."""
    for path in files:
        BeautifulSoup(path.read_bytes(), "lxml")


def _parse_in_two(files: list[Path]) -> None:
    with ProcessPoolExecutor(2) as processes:
        list(processes.map(_parse, (files[::2], files[1::2])))


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
