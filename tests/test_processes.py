"""Worker processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codesearch.errors import SourceError
from codesearch.processes import Crew


def double(number: int) -> int:
    return 2 * number


def fail(message: str) -> None:
    raise SourceError(message, "is broken", "Mend it.")


def leave(_: object) -> None:
    os._exit(1)


def whoami(_: object) -> int:
    return os.getpid()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_answers_come_in_the_order_of_the_questions(size: int) -> None:
    with Crew(size) as crew:
        assert list(crew.ordered(double, range(100))) == [2 * number for number in range(100)]


def test_long_and_short_messages_come_whole() -> None:
    lengths = [3_000_000, 0, 1, 5_000_000, 2, 70_000]
    with Crew(2) as crew:
        assert list(crew.ordered(bytes, lengths)) == [bytes(length) for length in lengths]
        assert list(crew.ordered(len, [bytes(length) for length in lengths])) == lengths


def slow(number: int) -> int:
    time.sleep(0.2)
    return number


def test_a_program_that_waits_for_connections_in_vain_waits_for_workers_all_the_same() -> None:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(0.01)
    try:
        with Crew(2) as crew:
            assert crew.each(slow, 1) == [1, 1]
    finally:
        socket.setdefaulttimeout(before)


def mark(file: Path) -> Path:
    file.touch()
    return file


def test_a_free_worker_goes_on_while_its_last_answer_is_worked_on(tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(4)]
    with Crew(2) as crew:
        answers = crew.ordered(mark, files)
        assert next(answers) == files[0]
        end = time.monotonic() + 20
        while not files[2].exists():  # nobody asks for more answers meanwhile
            assert time.monotonic() < end
            time.sleep(0.001)
        assert list(answers) == files[1:]


def count(number: int) -> Iterator[tuple[int, int]]:
    for step in range(number):
        yield number, step


def stumble(number: int) -> Iterator[int]:
    yield number
    raise SourceError("line 2", "is broken", "Mend it.")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_many_answers_to_one_question_come_in_the_order_of_the_questions(size: int) -> None:
    lengths = [0, 3, 1000, 0, 1, 5, 300, 0, 0, 2] * 5
    with Crew(size) as crew:
        expected = [(length, step) for length in lengths for step in range(length)]
        assert list(crew.streamed(count, lengths)) == expected
        assert list(crew.ordered(double, [1, 2])) == [2, 4]


@pytest.mark.parametrize("size", [1, 2])
def test_answers_come_before_the_error_that_ends_them(size: int) -> None:
    with Crew(size) as crew:
        answers = crew.streamed(stumble, [7])
        assert next(answers) == 7
        with pytest.raises(SourceError, match="line 2"):
            next(answers)


def test_a_crew_of_one_is_this_process() -> None:
    with Crew(1) as crew:
        assert crew.each(whoami, None) == [os.getpid()]


def test_each_worker_is_asked_once() -> None:
    with Crew(3) as crew:
        assert len(set(crew.each(whoami, None)) - {os.getpid()}) == 3


@pytest.mark.parametrize("size", [1, 2])
def test_errors_of_ours_come_back_as_they_are(size: int) -> None:
    with Crew(size) as crew, pytest.raises(SourceError, match=r"page: is broken. Mend it."):
        list(crew.ordered(fail, ["page"]))


def test_a_worker_that_is_killed_is_told_of() -> None:
    with Crew(2) as crew, pytest.raises(SourceError, match="stopped from outside"):
        list(crew.ordered(leave, range(4)))


def test_questions_are_asked_only_as_answers_are_taken() -> None:
    asked = []

    def questions() -> object:
        for number in range(10_000):
            asked.append(number)
            yield number

    with Crew(2) as crew:
        answers = crew.ordered(double, questions())  # type: ignore[arg-type]
        next(answers)
        assert len(asked) < 100


def test_workers_start_beside_other_threads_too() -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        with Crew(2) as crew:
            # What a new interpreter is asked for must be importable there: this module need not be.
            assert list(crew.ordered(os.path.basename, ["/a/b", "/c/d"])) == ["b", "d"]
    finally:
        stop.set()
        other.join()


_PARENT = """
import os, sys
from codesearch.processes import Crew
crew = Crew(2)
print(*crew._processes, flush=True)
sys.stdin.read()
"""


def test_workers_leave_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        workers = [int(number) for number in parent.stdout.readline().split()]
        assert all(_lives(worker) for worker in workers)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        # The pipe of standard output is shared with the workers: it ends when the last of them has left.
        assert parent.stdout.read() == b""


def _lives(process: int) -> bool:
    return Path(f"/proc/{process}").exists() if Path("/proc").exists() else True
