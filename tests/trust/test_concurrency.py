"""Searching goes on while generations are published: no error, and every answer from one whole generation."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from soak import Plan, run
from trust_support import Site, number_of

import codesearch
from codesearch.config import corpus_folder


def test_threads_and_processes_search_while_generations_are_published(tmp_path: Path) -> None:
    now = time.monotonic()
    plan = Plan(tmp_path, (str(corpus_folder()),), now, now, pause=0.1)
    plan.publish(1)
    for seconds in (8, 60):  # on a machine with much other work, starting five processes alone may take the shorter one
        begins = time.monotonic()
        samples, errors = run(plan._replace(begins=begins, ends=begins + seconds))
        assert errors == []
        if samples.generations > 1 and len(samples.times) > 100:
            break
    assert samples.generations > 1
    assert len(samples.times) > 100
    assert len(samples.looks) == 5


def test_threads_search_while_their_own_process_publishes(tmp_path: Path) -> None:
    site = Site(tmp_path, others=500)
    site.mark(0)
    site.reindex()
    newest, wrong, is_over = [0], list[object](), threading.Event()

    def search() -> None:
        while not is_over.is_set():
            published = newest[0]
            try:
                with codesearch.open_index(site.index) as index:
                    found = {number_of(index) for _ in range(10)}
                    assert len(found) == 1
                    assert found.pop() >= published
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(1, 9):
        site.mark(number)
        site.reindex(jobs=1 + number % 2)
        newest[0] = number
    is_over.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_open_index_stays_the_generation_that_it_was(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.mark(1)
    site.reindex()
    with codesearch.open_index(site.index) as index:
        for number in range(2, 6):
            site.mark(number)
            site.reindex()
            assert number_of(index) == 1
        assert site.folders() == {"000004", "000005"}
    assert site.number() == 5


FIRST_OPENING = """
import sys, threading, codesearch
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(8)

def use():
    barrier.wait()
    with codesearch.open_index(sys.argv[1]) as index:
        assert index.search("repair").total
        assert index.get("X00001").name
        assert index.suggest("rep")

threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_may_be_the_first_to_open_an_index(tmp_path: Path) -> None:
    # msgspec learns a class when it first reads one; when two threads did so at once, every second process crashed.
    site = Site(tmp_path)
    site.mark(0)
    site.reindex()
    for _ in range(6):
        command = [sys.executable, "-c", FIRST_OPENING, str(site.index)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
