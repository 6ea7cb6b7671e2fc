"""A build that is interrupted, killed or not alone leaves the index as it was."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from reindex_support import CHOLERA, build, generation, order_file, page, small_config, write

from codesearch import IndexLockedError, open_index
from codesearch.index.generations import GenerationStore

SECONDS = 2.0
"""How long an interrupted build may take to stop."""

_BUILD = """
import sys, codesearch
sources, index, config, jobs = sys.argv[1:]
told = lambda progress: print(progress.stage, flush=True)
codesearch.reindex([sources], index, jobs=int(jobs), config=config, progress=told, force=True)
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages that take some seconds, and a code set."""
    folder = tmp_path_factory.mktemp("sources")
    filler = [f"Sentence {number} of a long text about x-ray (plain) pictures" for number in range(400)]
    for number in range(300):
        write(
            folder / f"a{number // 10}.{number % 10}.html",
            page(f"Disease {number}", *filler[number:], *filler[:number]),
        )
    write(folder / "order_2026.txt", order_file(*CHOLERA))
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index with a generation that must outlive everything."""
    build(write(tmp_path / "first" / "cpt-22512.html", page("Bone cement", "Broken spine")), tmp_path / "index")
    return tmp_path / "index"


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("stage", ["reading", "merging", "indexing"])
def test_an_interrupt_stops_the_build_and_leaves_nothing(sources: Path, index: Path, stage: str, jobs: int) -> None:
    before = generation(index)
    command = [sys.executable, "-c", _BUILD, str(sources), str(index), str(small_config()), str(jobs)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, start_new_session=True, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while (line := process.stdout.readline()).strip() != stage:
            assert line, process.stderr.read()
        interrupted = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # the keyboard sends it to the whole group
        process.wait(timeout=60)
        assert time.monotonic() - interrupted < SECONDS
        assert "KeyboardInterrupt" in process.stderr.read()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    assert generation(index) == before
    assert len(list((index / "generations").iterdir())) == 1


def _build_in_child(source: Path, index: Path) -> None:
    build(source, index, force=True)


def test_a_build_killed_at_any_moment_leaves_an_index_that_answers(index: Path, tmp_path: Path) -> None:
    chance = random.Random(2026)
    source = tmp_path / "order_2026.txt"
    begun = time.monotonic()
    build(write(source, order_file(*CHOLERA)), index, force=True)
    usual = time.monotonic() - begun
    for attempt in range(20):
        write(source, order_file(*CHOLERA, (f"B{attempt:02d}", "1", f"Disease of attempt {attempt}")))
        process = multiprocessing.get_context("fork").Process(target=_build_in_child, args=(source, index))
        process.start()
        process.join(chance.uniform(0, 1.2 * usual))
        process.kill()
        process.join()
        with open_index(index) as opened:
            assert opened.search("classical cholera").hits[0].code == "A00.0"
    report = build(source, index, force=True)
    assert report.published
    assert len(list((index / "generations").iterdir())) == 2


def test_the_second_of_two_builders_is_told(index: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "a00.0.html", page("Cholera", "x"))
    with GenerationStore(index).building(), pytest.raises(IndexLockedError, match=str(os.getpid())):
        build(source, index)


def test_readers_of_the_old_generation_are_undisturbed(index: Path, tmp_path: Path) -> None:
    with open_index(index) as opened:
        for name in ("One", "Two", "Three"):
            build(write(tmp_path / "a00.0.html", page(name, "x")), index, force=True)
        assert opened.search("bone cement").hits[0].code == "22512"
        record = opened.get("22512")
        assert record is not None
        assert record.name == "Bone cement"
