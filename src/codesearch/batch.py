"""Many queries, one a line: an answer for every line, in order, whatever is wrong with one of them.

Lines are answered as they come, so that a caller may wait for each answer before it asks again. Where many lines wait
already, worker processes share them: copies of this one, made once the index is loaded and compiled for. The phrases of
charts and price lists come again and again: what a line was answered is remembered.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from typing import Any, NamedTuple, Protocol

import msgspec

from codesearch.errors import CodesearchError
from codesearch.formats import escaped_json
from codesearch.index.remembered import Remembered
from codesearch.library import Index
from codesearch.processes import Crew
from codesearch.query.results import Hit

_BOM = b"\xef\xbb\xbf"
LONGEST_LINE = 1_000_000
"""Bytes of a line; of a query 10,000 characters are searched."""
_SHOWN = 1000
_READ = 1 << 20
"""Bytes that are read at once, at most."""
_CREW_FROM = 200
"""Lines that must wait before it pays to start workers, which takes as long as some hundred answers."""
_PIECE, _MOST_OF_A_PIECE = 20, 200
"""Lines that a worker is given at once, and how many may wait for them, as they are answered already."""
_REMEMBERED_BYTES = 50_000_000
"""Lines and answers that are remembered, together."""

Describe = Callable[[Hit], dict[str, Any]]


class Input(Protocol):
    """A binary stream that gives what is there without waiting for more."""

    def read1(self, size: int, /) -> bytes:
        """At most so many bytes; waits for the first one; none at the end."""


class _Run(NamedTuple):
    """What all lines of a run have in common: where to search, the options of `Index.search`, what a hit gives, and
    what else is told of all hits."""

    searched: Index
    options: Mapping[str, Any]
    describe: Describe
    asked: Sequence[str]


class _Piece(NamedTuple):
    """Lines for a worker, of the run that bears this number."""

    run: int
    lines: Sequence[bytes]


class _Answer(NamedTuple):
    """A line of JSON, and whether it tells an error."""

    text: bytes
    is_error: bool


class _Answers:
    """The answers of a run by their lines, but for errors, which need not come again."""

    def __init__(self, run: _Run) -> None:
        self._index = run.searched
        self._known: Remembered[tuple[str, bytes], bytes] = Remembered(_REMEMBERED_BYTES)

    def get(self, line: bytes) -> bytes | None:
        """The answer to a line; None where it is not known, or the index has gone over to another generation."""
        return self._known.get((self._index.generation, line))

    def kept(self, line: bytes, answer: _Answer) -> bytes:
        """Remembers an answer; gives its text."""
        if not answer.is_error:
            self._known.keep((self._index.generation, line), answer.text, len(line) + len(answer.text))
        return answer.text


_runs: dict[int, _Run] = {}
"""The runs of this process; a worker has a copy of those that there were when it was made."""
_numbers = count()


def answers(
    index: Index,
    stream: Input,
    options: Mapping[str, Any],
    describe: Describe = Hit.to_dict,
    jobs: int | None = None,
    asked: Sequence[str] = (),
) -> Iterator[bytes]:
    """Lines of JSON, one or more at once: `{"query", "total", "rewrites", "hits"}` or `{"query", "error"}` a query.

    A query that was not read as it stands has `notes` too.

    Args:
        index: where to search.
        stream: queries in UTF-8, one a line.
        options: the keyword arguments of `Index.search`.
        describe: what is told of a hit.
        jobs: processes that search; the machine's cores when None.
        asked: what else of `Results` each line is to hold (`facets`).

    Raises:
        UsageError: an option is wrong, and would be in every line.
        SourceError: a worker process was stopped from outside.
    """
    index.search("", **options)
    run, number = _Run(index, options, describe, asked), next(_numbers)
    _runs[number] = run
    known = _Answers(run)
    crew: Crew | None = None
    with ExitStack() as stack:
        stack.callback(_runs.pop, number)
        for lines in _waiting(stream):
            are_many = len(lines) >= _CREW_FROM
            if are_many and crew is None:
                index.warm_up()  # which may go on in a thread, and is over after this
            # Beside other threads no copy of this process can be made.
            if are_many and crew is None and jobs != 1 and threading.active_count() == 1:
                # Answering loads what is loaded at need, and the copies then share it.
                yield _answered_alone(run, lines[0], known)
                crew, lines = stack.enter_context(Crew(jobs or os.cpu_count() or 1)), lines[1:]
            if are_many and crew:
                yield from _answered_by(crew, number, lines, known)
            else:
                yield from (_answered_alone(run, line, known) for line in lines)


def rows_of(answers: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The lines that `answers` gives as rows of a table: one a hit, one with the query alone where there is none."""
    for lines in answers:
        for line in lines.splitlines():
            answer = msgspec.json.decode(line)
            about = {"query": answer["query"], "error": answer.get("error", "")}
            for hit in answer.get("hits") or [{}]:
                yield about | hit


def _waiting(stream: Input) -> Iterator[list[bytes]]:
    """The lines of a stream, each time as many as are there."""
    rest = b""
    while block := stream.read1(_READ):
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[: LONGEST_LINE + 1]  # of a line that is too long the rest need not be kept
        if lines:
            yield lines
    if rest:
        yield [rest]


def _answered_alone(run: _Run, line: bytes, known: _Answers) -> bytes:
    """The answer to a line, by this process."""
    return known.get(line) or known.kept(line, _answered(run, line))


def _answered_by(crew: Crew, run: int, lines: Sequence[bytes], known: _Answers) -> Iterator[bytes]:
    """The answers to many lines, by workers; several at once."""
    waiting: deque[list[tuple[bytes, bytes | None]]] = deque()

    def pieces() -> Iterator[_Piece]:
        piece: list[tuple[bytes, bytes | None]] = []
        asked: list[bytes] = []
        for line in lines:
            answer = known.get(line)
            piece.append((line, answer))
            if answer is None:
                asked.append(line)
            if len(asked) == _PIECE or len(piece) == _MOST_OF_A_PIECE:
                waiting.append(piece)
                yield _Piece(run, asked)
                piece, asked = [], []
        if piece:
            waiting.append(piece)
            yield _Piece(run, asked)

    for found in crew.ordered(_answered_piece, pieces()):
        answers = iter(found)
        yield b"".join([answer or known.kept(line, next(answers)) for line, answer in waiting.popleft()])


def _answered_piece(piece: _Piece) -> list[_Answer]:
    run = _runs[piece.run]
    return [_answered(run, line) for line in piece.lines]


def _answered(run: _Run, line: bytes) -> _Answer:
    answer = _answer(run, line.removeprefix(_BOM).rstrip(b"\r"))
    return _Answer(_encoded(answer) + b"\n", "error" in answer)


def _encoded(answer: dict[str, Any]) -> bytes:
    """What `formats.json_line` gives, but for blanks."""
    line = msgspec.json.encode(answer)
    # JSON escapes the control characters of ASCII itself, but for one.
    if line.isascii() and b"\x7f" not in line:
        return line
    return escaped_json(line.decode()).encode()


def _answer(run: _Run, raw: bytes) -> dict[str, Any]:
    if len(raw) > LONGEST_LINE:
        return {
            "query": raw[:_SHOWN].decode("utf-8", "replace"),
            "error": f"the line has more than {LONGEST_LINE:,} bytes; it is cut here, and was not searched",
        }
    query = raw.decode("utf-8", "replace")
    try:
        raw.decode("utf-8")
        if not query.strip():
            return {"query": query, "error": "the line is empty"}
        results = run.searched.search(query, **run.options)
        rewrites = [{"kind": one.kind, "typed": one.typed, "used": one.used} for one in results.rewrites]
        return {
            "query": query,
            "total": results.total,
            "rewrites": rewrites,
            **({"notes": list(results.plan.notes)} if results.plan.notes else {}),
            **{name: getattr(results, name) for name in run.asked},
            "hits": [run.describe(hit) for hit in results],
        }
    except UnicodeDecodeError:
        return {"query": query, "error": "the line is not UTF-8"}
    except CodesearchError as error:
        return {"query": query, "error": str(error)}
    except Exception as error:  # a fault of ours in one line must not cost the caller the other lines
        return {"query": query, "error": f"internal error: {type(error).__name__}: {error}"}
