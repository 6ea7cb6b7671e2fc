"""Options and fixtures of the whole test run.

Golden files (`tests/golden/*.json`) hold the records that pages must give. After a change that is meant, write them
anew with `pytest tests/test_ingest_golden.py --update-golden`, and read the diff before committing it.
"""

from __future__ import annotations

import difflib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_support import Cli, command_line
from hypothesis import settings

import codesearch
from codesearch.config import corpus_folder

# CI must give the same answer twice; at a desk every run tries other examples. Deadlines bear other work.
settings.register_profile("desk", deadline=5000)
settings.register_profile("ci", deadline=5000, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

# A shell starts what runs in the background with interrupts ignored, which processes started from here would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds our own options."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption(
        "--shared",
        type=Path,
        metavar="FOLDER",
        help="run only those files of tests that no other run with this folder has begun, so that several share them",
    )


_BEGUN = pytest.StashKey[dict[Path, bool]]()
"""Of each file of tests whether this run began it, or another with which it shares them."""


def pytest_configure(config: pytest.Config) -> None:
    """Nothing has begun yet."""
    config.stash[_BEGUN] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Passes over a test whose file another run has begun.

    Whole files, as their fixtures are made once. Not threads or workers with threads (pytest-xdist has them): beside
    other threads our own code starts its workers in another way, and what is tested would not be what runs.
    """
    folder: Path | None = item.config.getoption("--shared")
    if folder is None:
        return None
    begun = item.config.stash[_BEGUN]
    if item.path not in begun:
        begun[item.path] = _begins(folder / str(item.path.relative_to(item.config.rootpath)).replace(os.sep, "."))
    return None if begun[item.path] else True


def _begins(mark: Path) -> bool:
    """Whether this run is the first to leave a mark."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Compares a value with the golden file of a name, and shows what differs line by line."""

    def compare(name: str, value: object) -> None:
        path = GOLDEN / f"{name}.json"
        given = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
        if request.config.getoption("--update-golden"):
            path.write_text(given, encoding="utf-8")
        if not path.exists():
            pytest.fail(f"{path} is missing; write it with --update-golden", pytrace=False)
        expected = path.read_text(encoding="utf-8")
        if given != expected:
            diff = difflib.unified_diff(expected.splitlines(), given.splitlines(), "golden", "now", lineterm="", n=2)
            pytest.fail("\n".join([f"{name} differs from its golden file:", *diff]), pytrace=False)

    return compare


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the shipped corpus, for reading only."""
    index = tmp_path_factory.mktemp("pages") / "index"
    codesearch.reindex([corpus_folder()], index, jobs=1)
    return index


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs a command; its index is given as `index`."""
    for variable in ("CODESEARCH_INDEX", "CODESEARCH_DEBUG", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    return command_line
