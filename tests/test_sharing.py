"""Several runs of the tests may share them: each file is run by one of them, whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BEGUN, OTHER = "test_dates.py", "test_structure.py"


def passed(shared: Path) -> int:
    """How many tests of some files a run has passed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--shared={shared}"]
    done = subprocess.run(
        [*command, *(str(HERE / name) for name in (BEGUN, OTHER))],
        cwd=HERE.parent,
        env={**os.environ, "PYTEST_ADDOPTS": "-o addopts="},
        capture_output=True,
        text=True,
        check=True,
    )
    return sum(map(int, re.findall(r"(\d+) passed", done.stdout)))


def test_a_file_that_another_run_has_begun_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / f"tests.{BEGUN}").touch()
    assert passed(tmp_path) == (HERE / OTHER).read_text(encoding="utf-8").count("def test_")
    assert passed(tmp_path) == 0
