"""What a soak says of what it measured."""

from __future__ import annotations

import numpy as np
import pytest
from soak_report import Samples, _Look, print_report


def samples(memory: list[float], p99: list[float], files: list[int]) -> Samples:
    """Six windows of ten seconds each, after a warm-up of ten."""
    made = Samples(0.0, 70.0)
    seconds = 10.05 + 0.1 * np.arange(600)
    made.times = np.stack([seconds, np.repeat(np.array(p99) / 1000, 100)], axis=1)
    made.looks["searcher"] = [
        _Look(second, memory[second // 10 - 1], memory[second // 10 - 1], files[second // 10 - 1])
        for second in range(10, 70)
    ]
    return made


FLAT = [100.0, 101.0, 100.0, 100.0, 102.0, 100.0]
QUICK = [1.0, 1.1, 1.0, 1.0, 1.2, 1.1]


def test_a_calm_hour_meets_all_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_report(samples(FLAT, QUICK, [9] * 6), [], warm_up=10) == 0
    shown = capsys.readouterr().out
    assert "MISSED" not in shown
    assert "| 0.2 to 0.3 | 100 | 1.00 | 1.00 | 100, 100, 9 |" in shown


@pytest.mark.parametrize(
    ("memory", "p99", "files", "errors", "missed"),
    [
        ([100.0, 102.0, 103.0, 104.0, 105.0, 106.0], QUICK, [9] * 6, [], "searcher: resident +6.0 percent"),
        (FLAT, [1.0, 1.0, 1.0, 1.0, 1.0, 1.4], [9] * 6, [], "p99 of the last window to the first: 1.40"),
        (FLAT, QUICK, [9, 9, 10, 11, 12, 13], [], "searcher: resident +0.0 percent, private +0.0 percent, files +4"),
        (FLAT, QUICK, [9] * 6, ["an answer of two generations"], "1 errors or mixed answers\n  an answer"),
    ],
)
def test_what_grows_slows_leaks_or_fails_is_missed(
    memory: list[float],
    p99: list[float],
    files: list[int],
    errors: list[str],
    missed: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert print_report(samples(memory, p99, files), errors, warm_up=10) == 1
    assert f"MISSED: {missed}" in capsys.readouterr().out
