"""What a soak measured: samples of memory, file descriptors and times, by window, and whether the targets are met."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WINDOWS = 6
MEMORY_GROWTH = 5.0
"""Percent by which the memory of the last window may exceed that of the first."""
SLOWER = 1.3
"""How many times the p99 of the first window that of the last may be."""
MORE_FILES = 2
"""Descriptors by which two windows may differ: a generation may just be opened while another is still in use."""


class _Look(NamedTuple):
    at: float
    resident: float
    """MB."""
    private: float
    files: int


class Samples:
    """Everything that was seen of the processes between two moments of the monotonic clock."""

    def __init__(self, begins: float, ends: float) -> None:
        self.begins = begins
        self.ends = ends
        self.looks: dict[str, list[_Look]] = {}
        self.times: Floats = np.zeros((0, 2))
        """When each search began, and its seconds."""
        self.generations = 0

    def look_at(self, name: str, process: int) -> None:
        """Notes memory and open files of a process; nothing when it has ended."""
        place = Path("/proc", str(process))
        try:
            rows = (line.split() for line in (place / "status").read_text(encoding="utf-8").splitlines())
            memory = {
                row[0].rstrip(":"): int(row[1]) / 1024 for row in rows if row and row[0] in ("VmRSS:", "RssAnon:")
            }
            files = sum(1 for _ in (place / "fd").iterdir())
        except OSError:
            return
        if memory:  # a process that has ended and was not waited for has none
            look = _Look(time.monotonic(), memory["VmRSS"], memory["RssAnon"], files)
            self.looks.setdefault(name, []).append(look)

    def take_times(self, parts: Sequence[Floats]) -> None:
        """Takes the times of all searches."""
        self.times = np.concatenate(parts)

    def windows(self, warm_up: float) -> list[tuple[float, float]]:
        """Equal stretches of the time after the warm-up."""
        bounds = np.linspace(self.begins + warm_up, self.ends, WINDOWS + 1).tolist()
        return list(pairwise(bounds))


class _Window(NamedTuple):
    """What was measured in a window; of looks at a process the median."""

    searches: int
    p50: float
    p99: float
    resident: dict[str, float]
    private: dict[str, float]
    files: dict[str, float]


def print_report(samples: Samples, errors: Sequence[str], warm_up: float) -> int:
    """Prints the table and the verdict; returns the exit status."""
    bounds = samples.windows(warm_up)
    windows = [_window(samples, *each) for each in bounds]
    minutes = (samples.ends - samples.begins) / 60
    print(f"{minutes:.0f} minutes, {samples.generations} generations, {len(samples.times):,} searches")
    print(f"the first {warm_up:.0f} s are left out below; memory in MB, median of one look a second\n")
    print(
        "| minutes | searches | p50 ms | p99 ms | "
        + " | ".join(f"{name}: resident, private, files" for name in samples.looks)
        + " |"
    )
    print("|---|--:|--:|--:|" + "--:|" * len(samples.looks))
    for (start, end), window in zip(bounds, windows, strict=True):
        span = f"{(start - samples.begins) / 60:.1f} to {(end - samples.begins) / 60:.1f}"
        processes = (
            f"{window.resident[name]:.0f}, {window.private[name]:.0f}, {window.files[name]:.0f}"
            for name in samples.looks
        )
        print(f"| {span} | {window.searches:,} | {window.p50:.2f} | {window.p99:.2f} | {' | '.join(processes)} |")
    print()
    verdicts = [_no_errors(errors), _times(windows), *(_process(name, windows) for name in samples.looks)]
    for is_met, text in verdicts:
        print(f"{'met' if is_met else 'MISSED'}: {text}")
    return 0 if all(is_met for is_met, _ in verdicts) else 1


def _window(samples: Samples, start: float, end: float) -> _Window:
    times = samples.times[(samples.times[:, 0] >= start) & (samples.times[:, 0] < end), 1] * 1000
    p50, p99 = np.percentile(times, [50, 99]).tolist() if len(times) else (0.0, 0.0)
    seen = {name: [look for look in looks if start <= look.at < end] for name, looks in samples.looks.items()}
    return _Window(
        len(times),
        p50,
        p99,
        {name: _median([look.resident for look in looks]) for name, looks in seen.items()},
        {name: _median([look.private for look in looks]) for name, looks in seen.items()},
        {name: _median([look.files for look in looks]) for name, looks in seen.items()},
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0


def _no_errors(errors: Sequence[str]) -> tuple[bool, str]:
    shown = "".join(f"\n  {error}" for error in errors[:10])
    return not errors, f"{len(errors)} errors or mixed answers{shown}"


def _times(windows: Sequence[_Window]) -> tuple[bool, str]:
    first, last = windows[0].p99, windows[-1].p99
    ratio = last / first if first else 0.0
    return 0 < ratio <= SLOWER, f"p99 of the last window to the first: {ratio:.2f} (at most {SLOWER})"


def _process(name: str, windows: Sequence[_Window]) -> tuple[bool, str]:
    first, last = windows[0], windows[-1]
    resident = _growth(first.resident[name], last.resident[name])
    private = _growth(first.private[name], last.private[name])
    files = last.files[name] - first.files[name]
    is_met = max(resident, private) <= MEMORY_GROWTH and files <= MORE_FILES
    return is_met, f"{name}: resident {resident:+.1f} percent, private {private:+.1f} percent, files {files:+.0f}"


def _growth(first: float, last: float) -> float:
    return 100 * (last / first - 1) if first else 100.0
