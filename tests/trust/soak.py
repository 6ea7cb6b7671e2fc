"""Searches an index for an hour while it is published again and again, and prints what became of memory and time.

    make soak                                        # the hour
    python tests/trust/soak.py --minutes 5 --warm-up 60     # a try; --help lists the other options

Four processes search, one of them with eight threads; a fifth publishes. Every search must answer from one whole
generation: each generation holds twenty marked codes that bear its number. Prints a row for each window of time and a
verdict; ends with status 1 when a target is missed. Memory and file descriptors are Linux's (`/proc`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from soak_report import Samples, print_report

import codesearch
from codesearch.config import corpus_folder
from codesearch.index.generations import GenerationStore

THREADS = (8, 1, 1, 1)
"""Threads of each searching process."""
MARKED = 20
_PACE = 0.02
"""Seconds between two searches of a thread: callers that think, so that times tell of searching and not of queueing."""
_FIXED_QUERIES = (
    *("e119", "E11", "0FT4?ZZ", "99202-99215 visit", "heart attack", "hives", "sugar diabetes", "kidny stone"),
    *("bone cement for a broken vertebra", "fracture of left femur subsequent encounter", "copd", "*a*a*a*", "x-ray"),
)

_COMMON_WORDS = ("fracture", "diabetes", "resection", "knee", "infection", "artery", "left", "malignant")


class Plan(NamedTuple):
    """What every process must know."""

    folder: Path
    sources: tuple[str, ...]
    begins: float
    ends: float
    pause: float

    @property
    def place(self) -> Path:
        """Where the index is."""
        return self.folder / "index"

    @property
    def marked(self) -> Path:
        """The file of marked codes, which is written anew for each generation."""
        return self.folder / "marked.csv"

    def publish(self, night: int) -> None:
        """Builds and publishes the generation of a night."""
        rows = (f"SOAK,S{number:02d},Soak marker night {night} part {number}\n" for number in range(MARKED))
        self.marked.write_text("system,code,name\n" + "".join(rows), encoding="utf-8")
        codesearch.reindex([*self.sources, self.marked], self.place, jobs=1, force=True)


def publish(plan: Plan, errors: Path) -> None:
    """Publishes one generation after the other until the time is over."""
    night = 1
    try:
        while time.monotonic() < plan.ends:
            night += 1
            plan.publish(night)
            time.sleep(plan.pause)
    except Exception as error:
        _note(errors, error)


def search(plan: Plan, threads: int, times: Path, errors: Path) -> None:
    """Searches in some threads until the time is over, and writes when each search began and how long it took.

    The threads share one index, which goes over to each new generation.
    """
    index = codesearch.open_index(plan.place)
    found: list[tuple[float, float]] = []
    workers = [
        threading.Thread(target=_search_on, args=(plan, index, number, found, errors)) for number in range(threads)
    ]
    for worker in workers:
        worker.start()
    with times.open("wb") as file:
        while any(worker.is_alive() for worker in workers):
            time.sleep(1)
            try:
                index.refresh()
            except Exception as error:
                _note(errors, error)
            taken = [found.pop() for _ in range(len(found))]
            np.array(taken, np.float64).tofile(file)


def _search_on(
    plan: Plan, index: codesearch.Index, number: int, found: list[tuple[float, float]], errors: Path
) -> None:
    chance = random.Random(f"{multiprocessing.current_process().name} {number}")
    queries = _queries(index, chance)
    try:
        while time.monotonic() < plan.ends:
            begun = time.monotonic()
            for hit in index.search(chance.choice(queries)):
                _ = hit.snippet
            found.append((begun, time.monotonic() - begun))
            _check_is_whole(index)
            time.sleep(_PACE)
    except Exception as error:
        _note(errors, error)


def _queries(index: codesearch.Index, chance: random.Random) -> list[str]:
    """Queries of every kind: a few fixed ones, codes, and words of names, some of them with a letter missing."""
    queries = [*_FIXED_QUERIES]
    for word in _COMMON_WORDS:
        for hit in index.search(word, limit=40):
            words = [word for word in hit.name.split() if word.isalpha()]
            queries.append(hit.code or "")
            queries.append(" ".join(chance.sample(words, min(len(words), 3))))
            queries.append(" ".join(word[:-2] + word[-1:] for word in words[:2]))
    return [query for query in queries if query]


def _check_is_whole(index: codesearch.Index) -> None:
    """Fails where the answer to one search is not of one generation: its names, and its records."""
    hits = index.search("soak marker night", system="SOAK", limit=2 * MARKED, exact=True).hits
    nights = {name.split()[3] for hit in hits for name in (hit.name, hit.record.name)}
    if len(hits) != MARKED or len(nights) != 1:
        raise AssertionError(f"an answer of {len(hits)} marked codes of the nights {sorted(nights)}")


def _note(errors: Path, error: Exception) -> None:
    with errors.open("a", encoding="utf-8") as file:
        file.write(f"{type(error).__name__}: {error}\n")


def main() -> int:
    """Runs the soak and prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=300.0, metavar="SECONDS", help="left out of the verdict")
    parser.add_argument("--pause", type=float, default=15.0, metavar="SECONDS", help="between two publishes")
    parser.add_argument("--sources", nargs="+", default=[str(corpus_folder()), "icd10cm"], metavar="SOURCE")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="codesearch-soak-"))
    try:
        now = time.monotonic()
        plan = Plan(folder, tuple(options.sources), now, now, options.pause)
        plan.publish(1)
        begins = time.monotonic()
        plan = plan._replace(begins=begins, ends=begins + 60 * options.minutes)
        samples, errors = run(plan)
        return print_report(samples, errors, options.warm_up)
    finally:
        shutil.rmtree(folder)


def run(plan: Plan) -> tuple[Samples, list[str]]:
    """Starts the processes, looks at them every second, and gathers what they wrote."""
    context = multiprocessing.get_context("spawn")
    errors = plan.folder / "errors"
    errors.touch()
    files = [plan.folder / f"times{number}" for number in range(len(THREADS))]
    processes = {"publisher": context.Process(target=publish, args=(plan, errors), name="publisher")}
    for number, (threads, file) in enumerate(zip(THREADS, files, strict=True), 1):
        name = f"searcher {number} ({threads} thread{'s' if threads > 1 else ''})"
        processes[name] = context.Process(target=search, args=(plan, threads, file, errors), name=name)
    for process in processes.values():
        process.start()
    samples = Samples(plan.begins, plan.ends)
    while time.monotonic() < plan.ends:
        time.sleep(1)
        for name, process in processes.items():
            samples.look_at(name, process.pid or 0)
    for name, process in processes.items():
        process.join()
        if process.exitcode:
            errors.open("a").write(f"{name} ended with status {process.exitcode}\n")
    samples.take_times([np.fromfile(file, np.float64).reshape(-1, 2) for file in files])
    samples.generations = int(GenerationStore(plan.place).current().name)
    return samples, errors.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    sys.exit(main())
