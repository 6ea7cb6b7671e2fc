"""Worker processes that serve one parent, and end with it however it ends.

Each worker has a pipe of its own to the parent. When the parent is killed the pipe breaks and the worker leaves; an
interrupt from the keyboard is the parent's to handle, who kills the workers: they hold nothing that could be lost.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, TypeVar

from codesearch.errors import CodesearchError, SourceError

End = Connection
T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 8
"""How many answers a worker may be ahead of a slow one before it has to wait."""


class Crew:
    """Some workers, or this process itself where one is enough.

    Functions and what they take and give are pickled, so functions stand at the top of a module. What they remember
    between calls, they keep there too.
    """

    def __init__(self, size: int) -> None:
        """Starts the workers; with a size of 1 there are none."""
        self._processes: list[int] = []
        self._pipes: list[End] = []
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
        # An idle worker leaves when its pipe is closed; a busy one is not waited for.
        self._kill()

    def __len__(self) -> int:
        return max(1, len(self._processes))

    def each(self, function: Callable[[T], R], argument: T) -> list[R]:
        """What the function gives in each worker, in their order."""
        for pipe in self._pipes:
            _send(pipe, (function, argument, False))
        return [_receive(pipe) for pipe in self._pipes] or [function(argument)]

    def ask(self, function: Callable[[T], R], argument: T) -> Callable[[], R]:
        """Has a worker work while this process goes on, the workers in turn; what is given back gives the answer when
        it is called."""
        if not self._pipes:
            return lambda: function(argument)
        self._pipes.append(self._pipes.pop(0))
        pipe = self._pipes[-1]
        _send(pipe, (function, argument, False))
        return lambda: _receive(pipe)

    def ordered(self, function: Callable[[T], R], arguments: Iterable[T]) -> Iterator[R]:
        """What the function gives for each argument, in their order; arguments are taken as workers become free."""
        return self._in_turn(function, arguments, is_stream=False) if self._pipes else map(function, arguments)

    def streamed(self, function: Callable[[T], Iterable[R]], arguments: Iterable[T]) -> Iterator[R]:
        """As `ordered`, for a function that gives many answers to one argument: they come as they are made."""
        if not self._pipes:
            return chain.from_iterable(map(function, arguments))
        return self._in_turn(function, arguments, is_stream=True)

    def _in_turn(self, function: Callable[[T], Any], arguments: Iterable[T], is_stream: bool) -> Iterator[Any]:
        turns = _Turns(self._pipes, is_stream)
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
        ours, theirs = Pipe()
        try:
            # fork is quick, but unsafe beside other threads.
            start = _forked if threading.active_count() == 1 else _executed
            self._processes.append(start(theirs, [*self._pipes, ours]))
            self._pipes.append(ours)
        finally:
            theirs.close()

    def _kill(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            os.kill(process, signal.SIGKILL)
        for process in self._processes:
            os.waitpid(process, 0)
        self._processes, self._pipes = [], []


class _Turns:
    """Answers of busy workers, given out in the order of the questions: those to question `turn` are wanted now."""

    def __init__(self, pipes: Iterable[End], is_stream: bool) -> None:
        """Takes whether a question may have any number of answers, or has one."""
        self.free = list(pipes)
        self._is_stream = is_stream
        self.busy: dict[End, int] = {}
        self.turn = 0
        self._waiting: dict[int, list[Any]] = {}

    def may_take(self, number: int) -> bool:
        """Whether a worker is free for this question, and no other one too far behind."""
        return bool(self.free) and number - self.turn <= _AHEAD * (len(self.free) + len(self.busy))

    def taken(self, number: int) -> End:
        """A free worker, who is given this question."""
        pipe = self.free.pop()
        self.busy[pipe] = number
        self._waiting[number] = []
        return pipe

    def collect(self) -> None:
        """Waits for a worker to say something."""
        for ready in wait(list(self.busy)):
            assert isinstance(ready, Connection)
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


def _forked(pipe: End, of_parent: list[End]) -> int:
    """A worker as a copy of this process; gives the number of the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        try:
            # A copy holds the parent's ends too, and would never see them break.
            for end in of_parent:
                end.close()
            _serve(pipe)
        finally:
            os._exit(1)
    return process


def _executed(pipe: End, _: list[End]) -> int:
    """A worker as a new interpreter that looks for modules where this one does."""
    boot = "import sys, json; sys.path[:] = json.loads(sys.argv[2]); from codesearch.processes import serve; serve()"
    command = [sys.executable, "-c", boot, str(pipe.fileno()), json.dumps(sys.path)]
    os.set_inheritable(pipe.fileno(), True)
    return os.posix_spawn(sys.executable, command, os.environ)


def serve() -> None:
    """Serves the parent at the other end of the pipe that the command line names."""
    _serve(Connection(int(sys.argv[1])))


def _packed(message: object) -> bytes:
    """A message as bytes; the newest way of pickling copies arrays once less."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def _send(pipe: End, message: object) -> None:
    try:
        pipe.send_bytes(_packed(message))
    except OSError as error:
        raise _stopped() from error


def _receive(pipe: End) -> Any:
    try:
        answer = pickle.loads(pipe.recv_bytes())
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


def _serve(pipe: End) -> None:
    """A worker: calls the functions it is sent until the pipe breaks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # a task that makes garbage with cycles collects it
    while True:
        try:
            function, argument, is_stream = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        try:
            for answer in _answers(function, argument, is_stream):
                pipe.send_bytes(_packed(answer))
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
