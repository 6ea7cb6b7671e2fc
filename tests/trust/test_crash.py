"""Killed or failing at any moment, a reindex leaves the old or the new generation; `crash.py` tries many more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from crash import at_every_operation, at_random_moments
from trust_support import Site


def test_killed_at_random_moments_it_leaves_a_whole_generation(tmp_path: Path) -> None:
    seen = at_random_moments(Site(tmp_path, others=500), 8, random.Random(7))
    assert seen.total() == 8


@pytest.mark.parametrize(("fault", "step"), [("SIGKILL", 9), ("ENOSPC", 13), ("EIO", 17), ("EACCES", 19)])
def test_at_a_file_operation_it_is_killed_or_fails_with_a_clear_error(tmp_path: Path, fault: str, step: int) -> None:
    seen = at_every_operation(Site(tmp_path), fault, step)
    assert seen.total() > 100 // step
    assert any("old" in outcome for outcome in seen)
