"""The command line as a process: streams, pipes, signals, terminals, and what is imported before anything is done."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

import codesearch
from codesearch.config import corpus_folder
from codesearch.index import manifest

COMMAND = [sys.executable, "-m", "codesearch"]
WAIT = 60
"""Seconds after which a process that hangs is a failure."""


@pytest.fixture(scope="module")
def index(pages: Path) -> Path:
    """The index of the shipped corpus."""
    return pages


@pytest.fixture
def batch(index: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A batch search that waits for its next line."""
    arguments = [*COMMAND, "search", "--batch", "-", "--index", str(index)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        yield process
        process.kill()


def run(*arguments: str | Path, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=given,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )


def on_terminal(columns: int, *arguments: str | Path, **variables: str) -> tuple[int, str]:
    """Runs a command on a terminal of its own; gives its exit status and everything it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment | {"TERM": "xterm"} | variables,
    ) as process:
        os.close(theirs)
        shown = bytearray()
        try:
            while block := os.read(ours, 65536):
                shown += block
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(ours)
        return process.wait(WAIT), shown.decode()


def test_search_answers(index: Path) -> None:
    done = run("search", "bone cement for a broken vertebra", "--format", "json", "--index", index)
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["code"] == "22512"
    assert all("\x1b" not in text for text in (done.stdout, done.stderr))


def test_no_hits_is_status_1_and_no_index_3(index: Path, tmp_path: Path) -> None:
    assert run("search", "zzzzqqqq", "--index", index).returncode == 1
    assert run("search", "pain", CODESEARCH_INDEX=str(tmp_path / "none")).returncode == 3


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "codesearch", "--help"],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"numpy", "whoosh", "rich", "msgspec", "lxml", "bs4", "numba", "rapidfuzz", "platformdirs"}


@pytest.mark.parametrize("query", [["22512"], ["with", "--limit", "1"], ["bone", "--limit", "1"], ["qqqq"]])
def test_a_json_search_loads_no_tables_and_no_parsers(index: Path, query: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "codesearch", "search", *query, "--format", "json"],
        env=os.environ | {"CODESEARCH_INDEX": str(index)},
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert done.returncode in (0, 1)
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "numpy" in imported
    assert not imported & {"rich", "lxml", "bs4", "numba", "llvmlite", "charset_normalizer"}


def test_a_batch_answers_line_by_line(batch: subprocess.Popen[bytes]) -> None:
    assert batch.stdin is not None
    assert batch.stdout is not None
    for query, code in (("e119", "E11.9"), ("22512", "22512")):
        batch.stdin.write(query.encode() + b"\n")
        batch.stdin.flush()
        assert json.loads(batch.stdout.readline())["hits"][0]["code"] == code
    batch.stdin.close()
    assert batch.wait(WAIT) == 0


def test_an_interrupt_says_so_and_is_status_130(batch: subprocess.Popen[bytes]) -> None:
    assert batch.stdin is not None
    assert batch.stdout is not None
    assert batch.stderr is not None
    batch.stdin.write(b"e119\n")
    batch.stdin.flush()
    batch.stdout.readline()
    batch.send_signal(signal.SIGINT)
    assert batch.wait(WAIT) == 130
    assert batch.stderr.read() == b"interrupted\n"


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_a_reader_that_goes_away_is_no_error(index: Path, form: str) -> None:
    arguments = [*COMMAND, "search", "pain", "--limit", "1000", "--format", form, "--index", str(index)]
    ours, theirs = os.pipe()
    os.close(ours)
    with subprocess.Popen(arguments, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        _, errors = process.communicate(timeout=WAIT)
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_in_one_line(index: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "search", "pain", "--format", "json", "--index", str(index)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=WAIT,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "error: standard output: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_a_full_disk_is_told_of_help_too(option: str) -> None:
    done = in_a_shell(f"{option} >/dev/full")
    assert (done.returncode, done.stderr) == (2, "error: standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("closed", "status", "told"),
    [
        ("<&-", 0, ""),
        ("2>&-", 0, ""),
        (">&-", 2, "error: standard output: Bad file descriptor\n"),
        ("<&- >&- 2>&-", 2, ""),
    ],
)
def test_streams_may_be_closed(index: Path, closed: str, status: int, told: str) -> None:
    done = in_a_shell(f"search pain --format json --limit 100 --index {index} {closed}")
    assert (done.returncode, done.stderr) == (status, told)


@pytest.mark.parametrize("command", ["show", "similar", "policies", "suggest", "search"])
def test_bytes_that_are_no_text_are_a_code_that_nobody_has(index: Path, command: str) -> None:
    done = in_a_shell(f"{command} \"$(printf 'A\\377\\376')\" --index {index}")
    assert done.returncode in (0, 1), done.stderr
    assert "internal" not in done.stderr


def in_a_shell(line: str) -> subprocess.CompletedProcess[str]:
    command = " ".join(COMMAND)
    return subprocess.run(["sh", "-c", f"{command} {line}"], capture_output=True, text=True, timeout=WAIT, check=False)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_data_is_utf8_whatever_the_locale_says(index: Path, encoding: str) -> None:
    done = run("search", "--batch", "-", "--index", index, given="Ménière\n", PYTHONIOENCODING=encoding)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("columns", [60, 120])
def test_a_table_fits_its_terminal(index: Path, columns: int) -> None:
    status, shown = on_terminal(columns, "search", "bone cement", "--index", index)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.splitlines()]
    assert status == 0
    assert max(map(len, lines)) <= columns
    assert "\x1b[1m" in shown


def test_what_matched_stands_out_on_a_terminal_only(index: Path) -> None:
    arguments = ("search", "leak of cement", "--limit", "3", "--index", index)
    assert re.search(r"\x1b\[[0-9;]*32m(?i:leak|cement)", on_terminal(100, *arguments)[1])
    plain = on_terminal(100, *arguments, NO_COLOR="1")[1]
    assert "\x1b[1mcement\x1b[0m" in plain
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain)
    assert "\x1b" not in run(*arguments).stdout


def test_a_record_longer_than_the_screen_goes_through_the_pager(index: Path) -> None:
    status, shown = on_terminal(100, "show", "22512", "--index", index, PAGER="sed 's/^/paged: /'")
    lines = shown.splitlines()
    assert status == 0
    assert len(lines) > 24
    assert all(line.startswith("paged: ") for line in lines)


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colours", "none"])
def test_less_is_the_pager_where_none_is_named(index: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    less = tmp_path / "less"
    less.write_text('#!/bin/sh\necho "less was given LESS=$LESS"\nexec cat\n')
    less.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    status, shown = on_terminal(100, "show", "22512", "--index", index, PATH=path, LESS="", PAGER="", **variables)
    assert status == 0
    assert shown.startswith("less was given LESS=-R")
    assert re.search("\x1b\\[[0-9;]*3[1-7]m", shown) is None if variables else "\x1b[1m" in shown


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(("22512", "--no-pager"), {}), (("22512",), {"LINES": "1000"})],
    ids=["asked not to", "fits the screen"],
)
def test_nothing_is_paged_without_need(index: Path, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
    status, shown = on_terminal(
        100, "show", *arguments, "--index", index, **{"PAGER": "sed 's/^/paged: /'"} | variables
    )
    assert status == 0
    assert "Procedure" in shown
    assert "paged: " not in shown


def test_a_pager_that_quits_at_once_is_no_error(index: Path) -> None:
    assert on_terminal(100, "show", "22512", "--index", index, PAGER="true") == (0, "")


def test_a_record_that_goes_to_a_file_is_not_paged(index: Path) -> None:
    done = run("show", "22512", "--index", index, PAGER="sed 's/^/paged: /'")
    assert (done.returncode, done.stderr) == (0, "")
    assert "paged: " not in done.stdout
    assert "\x1b" not in done.stdout


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    status, shown = on_terminal(100, "reindex", corpus_folder(), "--index", tmp_path / "one")
    assert status == 0
    assert "indexing" in shown
    done = run("reindex", corpus_folder(), "--index", tmp_path / "two")
    assert (done.returncode, done.stderr) == (0, "")
    assert "indexing" not in done.stdout


def test_an_index_from_elsewhere_runs_no_code(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("system,code,name\nLOCAL,W-1,Walk-in visit\n")
    codesearch.reindex([tmp_path / "own.csv"], tmp_path / "index", jobs=1)
    folder = tmp_path / "index" / "generations" / "000001"
    [contents] = folder.glob("*.toc")
    contents.write_bytes(pickle.dumps(_Evil(str(tmp_path / "ran"))))
    before = manifest.load(folder)
    manifest.write(
        folder,
        tool_version=before.tool_version,
        counts=before.counts,
        sources=before.sources,
        config=before.config,
    )
    for command in (("verify",), ("search", "walk-in"), ("show", "W-1"), ("status",)):
        done = run(*command, "--index", tmp_path / "index")
        assert not (tmp_path / "ran").exists()
        assert "Traceback" not in done.stderr
    assert run("verify", "--index", tmp_path / "index").returncode == 3


class _Evil:
    """Makes a file when it is unpickled without care."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self._place, "w")


def test_debugging_shows_the_traceback_and_nothing_else_does(index: Path, tmp_path: Path) -> None:
    broken = tmp_path / "codesearch_broken.py"
    broken.write_text("import codesearch.library as l\ndef fail(*_): raise RuntimeError('boom')\nl.open_index = fail\n")
    code = "import codesearch_broken, codesearch.cli; codesearch.cli.main()"
    for variables, shown in (({}, False), ({"CODESEARCH_DEBUG": "1"}, True)):
        path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-c", code, "search", "x", "--index", str(index)],
            env=os.environ | {"PYTHONPATH": path} | variables,
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert done.returncode == 70
        assert ("Traceback" in done.stderr) == shown
        assert "internal error: RuntimeError: boom" in done.stderr
