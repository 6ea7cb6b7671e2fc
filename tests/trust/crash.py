"""Kills reindexing at random moments and before every file operation, lets every file operation fail, and looks.

    python tests/trust/crash.py --moments 200        # a few minutes

After each of them the old or the new generation must answer, whole and with every checksum right; the next reindex
must clean up what is left. Where an operation fails, the error must be one of ours. Prints how often what happened;
ends with a traceback at the first thing that is wrong.
"""

from __future__ import annotations

import argparse
import errno
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from reindex_support import small_config
from trust_support import Site, status_of

from codesearch.errors import CodesearchError

_OPERATIONS = frozenset(
    {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "os.listdir", "os.truncate", "fcntl.flock"}
    | {"mmap.__new__"}
)
"""Audit events of Python that stand for an operation on files."""
_UNAUDITED = ("fsync", "pwrite", "pread", "ftruncate", "close", "fstat")
"""Functions of `os` that Python audits not, and that are counted too."""

_TOLD, _OVER = 40, 41

Fault = str
"""`SIGKILL`, or the name of an error of the system."""
FAULTS = ("SIGKILL", "ENOSPC", "EDQUOT", "EIO", "EACCES", "EROFS", "EMFILE")

_COMMAND = """
import sys, codesearch
sources, index, config, jobs, full = sys.argv[1:]
print("ready", flush=True)
codesearch.reindex([sources], index, jobs=int(jobs), full=full == "full", config=config, force=True)
"""


def at_random_moments(site: Site, moments: int, chance: random.Random) -> Counter[str]:
    """Kills so many reindexing processes, full and incremental ones, with one job and with two."""
    site.mark(0)
    begun = time.monotonic()
    site.reindex(jobs=2, full=True)
    usual = time.monotonic() - begun
    seen: Counter[str] = Counter()
    for attempt in range(1, moments + 1):
        before = site.number()
        site.mark(attempt)
        full, jobs = attempt % 2 == 0, 1 + attempt // 2 % 2
        was_killed = _kill_after(site, chance.uniform(0, 2 * usual), full, jobs)
        outcome = _outcome(site, before, attempt)
        kind = "full" if full else "incremental"
        seen[f"{kind}, {'killed' if was_killed else 'finished'}: the {outcome} generation answers"] += 1
        if attempt % 10 == 0:
            _check_cleaning(site)
    _check_cleaning(site)
    return seen


def at_every_operation(site: Site, fault: Fault, step: int = 1) -> Counter[str]:
    """Brings a fault about at the n-th file operation of a reindex, for every n that is a multiple of the step."""
    site.mark(0)
    site.reindex()
    seen: Counter[str] = Counter()
    for moment in itertools.count(0, step):
        before = site.number()
        site.mark(moment + 1)
        operations = Operations(moment, fault)
        status = status_of(lambda: operations.watch(site.reindex))  # noqa: B023 (called at once)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (0, _TOLD, _OVER), f"{fault} at operation {moment}"
        outcome = _outcome(site, before, moment + 1)
        if status and os.WEXITSTATUS(status) == _OVER:
            break
        told = "done all the same" if status == 0 else "killed" if os.WIFSIGNALED(status) else "told"
        seen[f"{fault} at a file operation, {told}: the {outcome} generation answers"] += 1
    _check_cleaning(site)
    return seen


def _kill_after(site: Site, seconds: float, full: bool, jobs: int) -> bool:
    """Starts a reindex and kills it with all its workers; whether it had not finished before."""
    arguments = (site.sources, site.index, small_config(), jobs, "full" if full else "changed")
    command = [sys.executable, "-c", _COMMAND, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), f"ended by itself with status {process.returncode}"
    return process.returncode == -signal.SIGKILL


class Operations:
    """Counts the file operations of this process, and brings a fault about at one of them."""

    def __init__(self, moment: int, fault: Fault) -> None:
        self._moment = moment
        self._fault = fault
        self._done = 0

    def watch(self, work: Callable[[], object]) -> None:
        """Does the work and ends the process: with status 0, `_TOLD` after an error of ours, `_OVER` without a fault.

        It cannot be undone, so it must be called in a process of its own.
        """
        for name in _UNAUDITED:
            setattr(os, name, self._counted(getattr(os, name)))
        sys.addaudithook(self._audited)
        try:
            work()
        except CodesearchError:
            os._exit(_TOLD)
        os._exit(0 if self._done > self._moment else _OVER)

    def _count(self) -> None:
        self._done += 1
        if self._done != self._moment + 1:
            return
        if self._fault == "SIGKILL":
            os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self._fault)
        raise OSError(number, os.strerror(number))

    def _audited(self, event: str, _: object) -> None:
        if event in _OPERATIONS:
            self._count()

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            self._count()
            return function(*arguments, **options)

        return counting


def _outcome(site: Site, before: int, after: int) -> str:
    number = site.number()
    assert number in (before, after), f"generation {number} answers, neither {before} nor {after}"
    problems = site.problems()
    assert not problems, f"verify finds {problems}"
    return "old" if number == before else "new"


def _check_cleaning(site: Site) -> None:
    site.reindex()
    assert site.is_clean(), f"left behind: {site.folders()} {[path.name for path in site.index.iterdir()]}"


def main() -> None:
    """Reads the arguments, kills and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--step", type=int, default=1, help="kill before every so many-th file operation")
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="codesearch-crash-") as folder:
        # Two jobs are started from two megabytes of input on.
        large, small = Site(Path(folder, "large"), others=45_000, pages=60), Site(Path(folder, "small"))
        found = at_random_moments(large, options.moments, random.Random(options.seed))
        for fault in FAULTS:
            found += at_every_operation(small, fault, options.step)
    for outcome, times in sorted(found.items()):
        print(f"{times:5d}  {outcome}")
    print("nothing was lost or mixed, and all was cleaned up")


if __name__ == "__main__":
    main()
