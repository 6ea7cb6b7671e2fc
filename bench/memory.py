"""The most memory that a reindex needs, all of its processes together.

    python bench/memory.py ../shared/data --jobs 1 2

Runs `codesearch reindex` as a process and adds up, a few times a second, the proportional set size of it and of all
that it started: a page of memory that processes share counts once. Files that are mapped count as far as they are
resident. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

_EVERY = 0.1
"""Seconds between two looks."""


def main() -> None:
    """Reads the arguments, reindexes and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", help="what reindex reads: official files, pages")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    for jobs in options.jobs:
        print(f"{jobs} jobs: {peak_of_reindex(options.sources, jobs):,.0f} MB at most, all processes together")


def peak_of_reindex(sources: Sequence[str | Path], jobs: int) -> float:
    """The peak of a full reindex into a new index, in MB.

    Raises:
        CalledProcessError: the reindex fails.
    """
    peak = 0
    with tempfile.TemporaryDirectory() as index:
        command = [sys.executable, "-m", "codesearch", "reindex", *map(str, sources), "--index", index]
        command += ["--jobs", str(jobs), "--force"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while True:
                peak = max(peak, sum(map(_proportional, _tree(process.pid))))
                try:
                    status = process.wait(_EVERY)
                    break
                except subprocess.TimeoutExpired:
                    continue
    if status:
        raise subprocess.CalledProcessError(status, command)
    return peak / 1024


def _tree(root: int) -> Iterator[int]:
    """A process and all below it, as far as they are still there."""
    yield root
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _proportional(process: int) -> int:
    """The proportional set size of a process in kB; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    main()
