"""Worker processes that serve one parent, and end with it however it ends.

Each worker has a line of its own to the parent. When the parent is killed the line breaks and the worker leaves; an
interrupt from the keyboard is the parent's to handle, who kills the workers: they hold nothing that could be lost.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from multiprocessing.connection import wait
from types import TracebackType
from typing import Any, TypeVar

from codesearch.errors import CodesearchError, SourceError

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 8
"""How many answers a worker may be ahead of a slow one before it has to wait."""
_LENGTH_BYTES = 8
"""Of a message, which stand before it."""


class _Line:
    """One end of a line to another process, over which messages go both ways.

    Each message is read into the same memory: with new memory for each, as `multiprocessing` has it, most of the time
    that reading took went by in getting that.
    """

    def __init__(self, end: socket.socket) -> None:
        end.settimeout(None)  # whatever a program sets for its own connections: a worker may work for long
        self._end = end
        self._room = bytearray()

    def fileno(self) -> int:
        return self._end.fileno()

    def close(self) -> None:
        self._end.close()

    def send(self, message: object) -> None:
        """Raises OSError where nobody is at the other end any more."""
        packed = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)  # the newest way copies arrays once less
        self._end.sendall(len(packed).to_bytes(_LENGTH_BYTES, "little"))
        self._end.sendall(packed)

    def receive(self) -> Any:
        """Waits for a message; raises OSError or EOFError where nobody is at the other end any more."""
        return pickle.loads(self._read(int.from_bytes(self._read(_LENGTH_BYTES), "little")))

    def _read(self, length: int) -> memoryview:
        """So many bytes, which stand until the next are read."""
        if length > len(self._room):
            self._room = bytearray(length)
        read = memoryview(self._room)[:length]
        left = read
        while left:
            count = self._end.recv_into(left)
            if not count:
                raise EOFError
            left = left[count:]
        return read


class Crew:
    """Some workers, or this process itself where one is enough.

    Functions and what they take and give are pickled, so functions stand at the top of a module. What they remember
    between calls, they keep there too.
    """

    def __init__(self, size: int) -> None:
        """Starts the workers; with a size of 1 there are none."""
        self._processes: list[int] = []
        self._lines: list[_Line] = []
        try:
            for _ in range(size if size > 1 else 0):
                self._start()
        except BaseException:
            self._kill()
            raise

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An idle worker leaves when its line is closed; a busy one is not waited for.
        self._kill()

    def __len__(self) -> int:
        return max(1, len(self._processes))

    def each(self, function: Callable[[T], R], argument: T) -> list[R]:
        """What the function gives in each worker, in their order."""
        for line in self._lines:
            _send(line, (function, argument, False))
        return [_receive(line) for line in self._lines] or [function(argument)]

    def ask(self, function: Callable[[T], R], argument: T) -> Callable[[], R]:
        """Has a worker work while this process goes on, the workers in turn; what is given back gives the answer when
        it is called."""
        if not self._lines:
            return lambda: function(argument)
        self._lines.append(self._lines.pop(0))
        line = self._lines[-1]
        _send(line, (function, argument, False))
        return lambda: _receive(line)

    def ordered(self, function: Callable[[T], R], arguments: Iterable[T]) -> Iterator[R]:
        """What the function gives for each argument, in their order; arguments are taken as workers become free."""
        return self._in_turn(function, arguments, is_stream=False) if self._lines else map(function, arguments)

    def streamed(self, function: Callable[[T], Iterable[R]], arguments: Iterable[T]) -> Iterator[R]:
        """As `ordered`, for a function that gives many answers to one argument: they come as they are made."""
        if not self._lines:
            return chain.from_iterable(map(function, arguments))
        return self._in_turn(function, arguments, is_stream=True)

    def _in_turn(self, function: Callable[[T], Any], arguments: Iterable[T], is_stream: bool) -> Iterator[Any]:
        turns = _Turns(self._lines, is_stream)
        try:
            for number, argument in enumerate(arguments):
                # Who takes the answers may take long: a worker that has become free is not kept waiting for that.
                while not turns.may_take(number):
                    yield from turns.ready()
                    if not turns.may_take(number):
                        turns.collect()
                _send(turns.taken(number), (function, argument, is_stream))
            while turns.busy:
                yield from turns.ready()
                turns.collect()
            yield from turns.ready()
        finally:
            if turns.busy:
                # Whoever asked has stopped asking: nobody takes these answers.
                self._kill()

    def _start(self) -> None:
        ours, theirs = map(_Line, socket.socketpair())
        try:
            # fork is quick, but unsafe beside other threads.
            start = _forked if threading.active_count() == 1 else _executed
            self._processes.append(start(theirs, [*self._lines, ours]))
            self._lines.append(ours)
        finally:
            theirs.close()

    def _kill(self) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            os.kill(process, signal.SIGKILL)
        for process in self._processes:
            os.waitpid(process, 0)
        self._processes, self._lines = [], []


class _Turns:
    """Answers of busy workers, given out in the order of the questions: those to question `turn` are wanted now."""

    def __init__(self, lines: Iterable[_Line], is_stream: bool) -> None:
        """Takes whether a question may have any number of answers, or has one."""
        self.free = list(lines)
        self._is_stream = is_stream
        self.busy: dict[_Line, int] = {}
        self.turn = 0
        self._waiting: dict[int, list[Any]] = {}

    def may_take(self, number: int) -> bool:
        """Whether a worker is free for this question, and no other one too far behind."""
        return bool(self.free) and number - self.turn <= _AHEAD * (len(self.free) + len(self.busy))

    def taken(self, number: int) -> _Line:
        """A free worker, who is given this question."""
        line = self.free.pop()
        self.busy[line] = number
        self._waiting[number] = []
        return line

    def collect(self) -> None:
        """Waits for a worker to say something."""
        lines: dict[Any, _Line] = {line.fileno(): line for line in self.busy}
        for ready in map(lines.__getitem__, wait(list(lines))):
            answer = _receive(ready)
            is_last = isinstance(answer, _End)
            if not is_last:
                self._waiting[self.busy[ready]].append(answer)
            if is_last or not self._is_stream:
                del self.busy[ready]
                self.free.append(ready)

    def ready(self) -> Iterator[Any]:
        """The answers whose turn it is."""
        while self.turn in self._waiting:
            answers, self._waiting[self.turn] = self._waiting[self.turn], []
            yield from answers
            if self.turn in self.busy.values():
                return
            del self._waiting[self.turn]
            self.turn += 1


class _End:
    """That a question has all its answers."""


def _forked(line: _Line, of_parent: list[_Line]) -> int:
    """A worker as a copy of this process; gives the number of the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        try:
            # A copy holds the parent's ends too, and would never see them break.
            for end in of_parent:
                end.close()
            _serve(line)
        finally:
            os._exit(1)
    return process


def _executed(line: _Line, _: list[_Line]) -> int:
    """A worker as a new interpreter that looks for modules where this one does."""
    boot = "import sys, json; sys.path[:] = json.loads(sys.argv[2]); from codesearch.processes import serve; serve()"
    command = [sys.executable, "-c", boot, str(line.fileno()), json.dumps(sys.path)]
    os.set_inheritable(line.fileno(), True)
    return os.posix_spawn(sys.executable, command, os.environ)


def serve() -> None:
    """Serves the parent at the other end of the line whose number the command line names."""
    _serve(_Line(socket.socket(fileno=int(sys.argv[1]))))


def _send(line: _Line, message: object) -> None:
    try:
        line.send(message)
    except OSError as error:
        raise _stopped() from error


def _receive(line: _Line) -> Any:
    try:
        answer = line.receive()
    except (EOFError, OSError) as error:
        raise _stopped() from error
    if isinstance(answer, _Failure):
        answer.throw()
    return answer


def _stopped() -> SourceError:
    reason = "was stopped from outside, perhaps because memory ran out"
    return SourceError("a worker process", reason, "Run it again with --jobs 1.")


class _Failure:
    """An error on its way from a worker: our own errors take three arguments, which pickle does not know."""

    def __init__(self, error: BaseException) -> None:
        self.kind: type[BaseException] = type(error)
        self.arguments: tuple[Any, ...] = error.args
        if isinstance(error, CodesearchError):
            self.arguments = (error.subject, error.reason, error.next_step)

    def throw(self) -> None:
        """Raises the error here."""
        raise self.kind(*self.arguments)


def _serve(line: _Line) -> None:
    """A worker: calls the functions it is sent until the line breaks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # a task that makes garbage with cycles collects it
    while True:
        try:
            function, argument, is_stream = line.receive()
        except (EOFError, OSError):
            os._exit(0)
        try:
            for answer in _answers(function, argument, is_stream):
                line.send(answer)
        except OSError:
            os._exit(0)


def _answers(function: Callable[[Any], Any], argument: object, is_stream: bool) -> Iterator[object]:
    """What the function gives, or the error that it ends with."""
    try:
        if is_stream:
            yield from function(argument)
            yield _End()
        else:
            yield function(argument)
    except Exception as error:
        yield _Failure(error)
