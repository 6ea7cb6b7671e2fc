"""Engines timed side by side: they take turns, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from engines import Engine

Times = npt.NDArray[np.float64]
"""Milliseconds: rounds by queries."""

LIMIT = 10
COLUMNS = ("p50", "p95", "p99", "total", "first")
_BLOCK = 50
"""Queries that an engine answers before the next one's turn: enough to have its own data in the caches."""
_SEED = 7


def timed(engines: Sequence[Engine], queries: Sequence[str], rounds: int) -> dict[str, Times]:
    """The milliseconds of each engine for each query in each round."""
    times = {engine.name: np.zeros((rounds, len(queries))) for engine in engines}
    turns = list(engines)
    shuffled = random.Random(_SEED)
    gc.collect()
    for turn in range(rounds):
        for start in range(0, len(queries), _BLOCK):
            shuffled.shuffle(turns)
            for engine in turns:
                for place, query in enumerate(queries[start : start + _BLOCK], start):
                    begun = time.perf_counter()
                    engine.search(query, LIMIT)
                    times[engine.name][turn, place] = (time.perf_counter() - begun) * 1000
    return times


def summary(times: Times) -> dict[str, float]:
    """Percentiles and total over queries of their median times; `first` is the total of the first round alone."""
    medians = np.median(times, axis=0)
    p50, p95, p99 = np.percentile(medians, [50, 95, 99])
    return {"p50": p50, "p95": p95, "p99": p99, "total": float(medians.sum()), "first": float(times[0].sum())}


def usual_environment() -> dict[str, str]:
    """The environment for processes that are timed: in it Python keeps the modules that it has compiled, as it does for
    users, whatever is set here (without, each start compiles this project once more, a tenth of a second)."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def print_row(name: str, figures: Mapping[str, float]) -> None:
    """One line of figures under the `COLUMNS`."""
    print(f"{name:<34}" + "".join(f"{figures[column]:10.3f}" for column in COLUMNS))


def print_head() -> None:
    """The line above the figures."""
    print(f"{'':<34}" + "".join(f"{column:>10}" for column in COLUMNS))
