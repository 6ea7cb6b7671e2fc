"""A batch answers every line, in order, as lines come, and with several processes the same as with one."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from query_support import CLINIC, CLINIC_RULES, publish, with_rules

from codesearch import batch
from codesearch.batch import answers
from codesearch.errors import SourceError, UsageError
from codesearch.formats import json_line
from codesearch.library import Index, open_index
from codesearch.query.results import Hit

QUERIES = ["kidney failure", "E11", "MI", "zzzz", "hives", "", "appendectomy", "sugar disease", "typhod fever", "e119"]
COMMAND = [sys.executable, "-m", "codesearch", "search", "--batch", "-"]
WAIT = 60
CHILDREN = "/proc/{0}/task/{0}/children"
needs_proc = pytest.mark.skipif(
    not Path(CHILDREN.format(os.getpid())).exists(), reason="needs Linux to tell which processes were started"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the index of some made-up codes."""
    folder = tmp_path_factory.mktemp("batch") / "index"
    publish(folder, CLINIC, with_rules(CLINIC_RULES))
    return folder


@pytest.fixture
def index(place: Path) -> Iterator[Index]:
    """The open index."""
    with open_index(place) as opened:
        yield opened


class Trickle(io.RawIOBase):
    """A stream that gives these pieces one by one."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def read1(self, _size: int) -> bytes:
        """The next piece."""
        return self._pieces.pop(0) if self._pieces else b""


def asked(index: Index, stream: Any, jobs: int | None = 1, **options: Any) -> list[dict[str, Any]]:
    """The answers to the lines of a stream."""
    return [json.loads(line) for answer in answers(index, stream, options, jobs=jobs) for line in answer.splitlines()]


def many(count: int) -> bytes:
    """So many queries, one a line, of which each line comes twice."""
    queries = (QUERIES[number % len(QUERIES)] + " " * (number // (2 * len(QUERIES))) for number in range(count))
    return b"".join(f"{query}\n".encode() for query in queries)


@pytest.mark.parametrize("count", [1, batch._CREW_FROM - 1, batch._CREW_FROM, 5 * batch._CREW_FROM + 7])
def test_several_processes_answer_as_one_does(index: Index, count: int) -> None:
    alone = asked(index, io.BytesIO(many(count)), jobs=1)
    assert asked(index, io.BytesIO(many(count)), jobs=3) == alone
    assert [answer["query"] for answer in alone] == many(count).decode().split("\n")[:-1]


def test_an_answer_is_what_a_search_gives(index: Index) -> None:
    [answer] = asked(index, io.BytesIO(b"kidney failure"), limit=2)
    results = index.search("kidney failure", limit=2)
    assert answer == {
        "query": "kidney failure",
        "total": results.total,
        "rewrites": [rewrite._asdict() for rewrite in results.rewrites],
        "hits": [hit.to_dict() for hit in results],
    }


def test_answers_are_escaped_as_other_json_is(index: Index) -> None:
    text = "kidney \x7f\u2028\u202e\x9b é 🙂"
    [line] = answers(index, io.BytesIO(text.encode()), {}, jobs=1)
    assert json.loads(line) == json.loads(json_line(json.loads(line)))
    assert not set(line.decode()) & set("\x7f\u2028\u202e\x9b")
    assert json.loads(line)["query"] == text


def test_what_is_told_of_a_hit_may_be_more(index: Index) -> None:
    [line] = answers(index, io.BytesIO(b"kidney"), {}, Hit.to_explained_dict, 1)
    assert all("explanation" in hit for hit in json.loads(line)["hits"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_wrong_lines_are_told_in_their_place(index: Index, jobs: int) -> None:
    lines = [b"kidney", b"\xff", b" ", b"hives"] * 100
    found = asked(index, io.BytesIO(b"\n".join(lines)), jobs=jobs)
    assert len(found) == 400
    assert [found[place].get("error") for place in range(4)] == [
        None,
        "the line is not UTF-8",
        "the line is empty",
        None,
    ]


def test_a_fault_of_ours_in_one_line_costs_no_other_line(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Index.search

    def failing(self: Index, query: str, **options: Any) -> Any:
        if query == "MI":
            raise RuntimeError("boom")
        return search(self, query, **options)

    monkeypatch.setattr(Index, "search", failing)
    first, second, third = asked(index, io.BytesIO(b"kidney\nMI\nhives\n"))
    assert second == {"query": "MI", "error": "internal error: RuntimeError: boom"}
    assert first["hits"]
    assert third["hits"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_line_that_comes_again_is_answered_from_memory(
    index: Index, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    count = 3 * batch._CREW_FROM
    expected = asked(index, io.BytesIO(b"hives\n"))
    found = answers(index, Trickle(b"hives\n", b"hives\n" * count), {}, jobs=jobs)
    assert json.loads(next(found)) == expected[0]
    monkeypatch.setattr(Index, "search", None)
    assert [json.loads(line) for line in b"".join(found).splitlines()] == expected * count


def test_errors_are_not_remembered(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answers(index, Trickle(b"E11\n", b"hives\n", b"hives\n"), {}, jobs=1)
    next(found)
    with monkeypatch.context() as broken:
        broken.setattr(Index, "search", None)
        assert "error" in json.loads(next(found))
    assert "hits" in json.loads(next(found))


def test_nothing_is_remembered_of_another_generation(tmp_path: Path) -> None:
    place = tmp_path / "index"
    publish(place, CLINIC, with_rules(CLINIC_RULES))
    with open_index(place) as index:
        found = answers(index, Trickle(b"hives\n", b"hives\n"), {}, jobs=1)
        assert json.loads(next(found))["total"] > 0
        publish(place, CLINIC[:1], with_rules(CLINIC_RULES))
        index.refresh()
        assert json.loads(next(found))["total"] == 0


def test_lines_may_come_in_any_pieces(index: Index) -> None:
    whole = asked(index, io.BytesIO(b"\xef\xbb\xbfkidney\r\nhives\ne119"))
    assert asked(index, Trickle(b"\xef\xbb\xbfkid", b"ney\r", b"\nhives\ne", b"11", b"9")) == whole
    assert [answer["query"] for answer in whole] == ["kidney", "hives", "e119"]


def test_lines_that_are_there_are_answered_before_more_are_read(index: Index) -> None:
    class Waiting(Trickle):
        def read1(self, size: int) -> bytes:
            taken.append(len(given))
            return super().read1(size)

    taken: list[int] = []
    given: list[bytes] = []
    for answer in answers(index, Waiting(b"kidney\n", many(300), b"hives\n"), {}, jobs=2):
        given += answer.splitlines()
    assert taken == [0, 1, 301, 302]


def test_options_that_are_wrong_are_told_before_anything_is_read(index: Index) -> None:
    stream = io.BytesIO(b"kidney\n")
    with pytest.raises(UsageError, match="snomed"):
        list(answers(index, stream, {"system": "snomed"}))
    assert stream.tell() == 0


def test_beside_other_threads_one_process_answers(index: Index) -> None:
    """A copy of a process with threads may hang."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert len(asked(index, io.BytesIO(many(500)), jobs=3)) == 500
    finally:
        done.set()
        thread.join()


@needs_proc
def test_a_worker_that_is_killed_is_told_of(index: Index) -> None:
    given = answers(index, io.BytesIO(many(20_000)), {}, jobs=2)
    for _ in range(3):
        next(given)
    for child in _children(os.getpid()):
        os.kill(child, signal.SIGKILL)
    with pytest.raises(SourceError, match="stopped from outside"):
        list(given)
    assert _children(os.getpid()) == []


@needs_proc
def test_workers_leave_when_nobody_asks_any_more(index: Index) -> None:
    given = answers(index, io.BytesIO(many(20_000)), {}, jobs=2)
    for _ in range(3):
        next(given)
    assert len(_children(os.getpid())) == 2
    given.close()  # type: ignore[attr-defined]
    assert _children(os.getpid()) == []


# As a command


def test_the_command_answers_in_order_with_several_processes(place: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--jobs", "2", "--index", str(place)],
        input=many(1000),
        capture_output=True,
        timeout=WAIT,
        check=True,
    )
    found = [json.loads(line)["query"] for line in done.stdout.splitlines()]
    assert "\n".join([*found, ""]).encode() == many(1000)


@needs_proc
def test_an_interrupt_ends_all_processes_within_two_seconds(place: Path) -> None:
    arguments = [*COMMAND, "--jobs", "2", "--index", str(place)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(many(2000))
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.readline()
        workers = _children(process.pid)
        begun = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        threading.Thread(target=process.stdout.read).start()
        assert process.wait(WAIT) == 130
        assert time.monotonic() - begun < 2
        assert process.stderr.read() == b"interrupted\n"
    assert len(workers) == 2
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_reader_that_goes_away_is_no_error(place: Path) -> None:
    arguments = [*COMMAND, "--jobs", "2", "--index", str(place)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(many(2000))
        process.stdin.close()
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(WAIT) == 0
        assert process.stderr.read() == b""


def _children(process: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    return [int(child) for child in Path(CHILDREN.format(process)).read_text().split()]
