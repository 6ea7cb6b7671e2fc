"""Times what is asked about one code: `similar`, `families`, and `refresh` when nothing was published.

    python bench/similar.py INDEX

The codes are spread evenly through the index; the compiled ranking is loaded, as it is in a process that stays open.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

import codesearch

CODES = 400
ROUNDS = 3


def main() -> None:
    """Prints milliseconds a call."""
    index = codesearch.open_index(sys.argv[1])
    index._searcher.compile()
    reader = index._reader
    documents = np.linspace(0, len(index) - 1, CODES).astype(int).tolist()
    codes = [(reader.codes[document], reader.keyword("system", document)) for document in documents]
    asked = [(code, system) for code, system in codes if code]
    report("similar", lambda code, system: index.similar(code, system=system), asked)
    report("families", index.families, asked)
    report("refresh", lambda _code, _system: index.refresh(), asked)


def report(name: str, call: Callable[[str, str], object], asked: list[tuple[str, str]]) -> None:
    """Calls once to warm up, then times every call of every round."""
    for arguments in asked:
        call(*arguments)
    times = []
    for arguments in asked * ROUNDS:
        start = time.perf_counter()
        call(*arguments)
        times.append(1000 * (time.perf_counter() - start))
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    print(f"{name:10} p50 {p50:.2f}  p95 {p95:.2f}  p99 {p99:.2f}  max {max(times):.2f} ms, {len(times)} calls")


if __name__ == "__main__":
    main()
