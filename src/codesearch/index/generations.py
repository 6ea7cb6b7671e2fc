"""Generations: complete indexes side by side, one of them current, published by one atomic rename.

    INDEX/CURRENT                 which generation is current, which was before it, and when they were built
    INDEX/generations/000001/     the files of one generation, never changed once published
    INDEX/writer.lock             held by the process that builds

Reading takes no lock and writes nothing. A reader keeps the files it has open although their generation is removed
(POSIX); one that comes too late for a generation tries again with the next.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from codesearch.errors import IndexCorruptError, IndexLockedError, IndexMissingError, IndexUnusableError, UsageError
from codesearch.index.durable import REBUILD, read_sealed, reading, sync_folder, sync_tree, write_sealed, writing
from codesearch.records import learnt

T = TypeVar("T")

POINTER_FORMAT = 1
_NAME = re.compile(r"[0-9]{6,18}")
_OPEN_ATTEMPTS = 5
"""Each one more means that a whole generation was built and published while the last one was being opened."""

_held_locks: set[int] = set()
"""Descriptors of the locks this process holds; a forked child drops its copies, or it would outlive us as a builder."""


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    generation: Annotated[str, msgspec.Meta(pattern=rf"^{_NAME.pattern}\Z")]
    built: Annotated[str, msgspec.Meta(pattern=r"^[0-9T:.+Z-]{10,40}\Z")]


@learnt
class _Pointer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    current: _Entry
    previous: _Entry | None

    @property
    def names(self) -> set[str]:
        return {entry.generation for entry in (self.current, self.previous) if entry}


@dataclass(frozen=True)
class Generation:
    """One complete index on disk; `built` is ISO 8601 in UTC."""

    name: str
    folder: Path
    built: str


@dataclass(frozen=True)
class Draft:
    """A generation being built: put files into `folder`, then publish."""

    name: str
    folder: Path
    _publish: Callable[[str, str], None]

    def publish(self, built: str) -> None:
        """Make this generation the current one; `built` is ISO 8601 in UTC.

        Raises:
            IndexUnusableError: it cannot be written; the old generation stays current.
            UsageError: `built` is no time.
        """
        self._publish(self.name, built)


class GenerationStore:
    """The generations below one index folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pointer_file = path / "CURRENT"
        self._lock_file = path / "writer.lock"
        self._generations = path / "generations"

    def current(self) -> Generation:
        """The generation to answer from.

        Raises:
            IndexMissingError: nothing has been published here.
            IndexCorruptError: the pointer is damaged, or names a generation that is gone.
        """
        return self.open_current(_existing)

    def previous(self) -> Generation | None:
        """The generation that `rollback` would return to; None if there is none.

        Raises:
            IndexMissingError, IndexCorruptError: as `current`.
        """
        entry = self._read_pointer().previous
        return self._generation(entry) if entry else None

    def open_current(self, opener: Callable[[Generation], T]) -> T:
        """What the opener makes of the current generation.

        A publish may remove a generation while it is being opened: whatever the opener raises, it is called again if
        another generation is current by then.
        """
        generation = self._generation(self._read_pointer().current)
        for _ in range(_OPEN_ATTEMPTS - 1):
            try:
                return opener(generation)
            except Exception:
                now = self._generation(self._read_pointer().current)
                if now == generation:
                    raise
                generation = now
        return opener(generation)

    @contextmanager
    def building(self) -> Iterator[Draft]:
        """An empty draft to fill and publish, under the lock of this index.

        What killed builds left is removed first. The draft is removed if the block ends without having published it.

        Raises:
            IndexLockedError: another process is building this index.
            IndexUnusableError: the folder cannot be written, or a newer codesearch made the index.
        """
        with writing(self.path):
            self._generations.mkdir(parents=True, exist_ok=True)
        with self._locked():
            with writing(self._generations):
                name = self._new_name()
                self._remove_leftovers()
                folder = self._generations / name
                folder.mkdir()
            try:
                yield Draft(name, folder, self._publish)
            finally:
                if not self._is_published(name):
                    shutil.rmtree(folder, ignore_errors=True)  # the next build tries again, and tells

    def rollback(self, check: Callable[[Generation], object] | None = None) -> Generation:
        """Swap the current generation and the one before it; returns the one now current.

        Args:
            check: is asked before anything is swapped, and raises where the older generation is of no use.

        Raises:
            IndexMissingError, IndexCorruptError: as `current`, and when the older generation is gone.
            IndexUnusableError: there is no older generation.
            IndexLockedError: another process is building this index.
        """
        self._read_pointer()
        with self._locked():
            pointer = self._read_pointer()
            if pointer.previous is None:
                raise IndexUnusableError(
                    str(self.path), "has no generation before the current one", "Rebuild with `codesearch reindex`."
                )
            back = _existing(self._generation(pointer.previous))
            if check:
                check(back)
            self._write_pointer(_Pointer(POINTER_FORMAT, pointer.previous, pointer.current))
            return back

    def _publish(self, name: str, built: str) -> None:
        entry = _entry(name, built)
        try:
            previous = self._read_pointer().current
        except (IndexMissingError, IndexCorruptError):
            previous = None
        with writing(self._generations / name):
            sync_tree(self._generations / name)
            sync_folder(self._generations)
            sync_folder(self.path)
        self._write_pointer(_Pointer(POINTER_FORMAT, entry, previous))
        with suppress(OSError, IndexUnusableError):  # it is published; the next build tries again, and tells
            for folder in self._unnamed():
                shutil.rmtree(folder, ignore_errors=True)

    def _generation(self, entry: _Entry) -> Generation:
        return Generation(entry.generation, self._generations / entry.generation, entry.built)

    def _read_pointer(self) -> _Pointer:
        document = read_sealed(self._pointer_file)
        if document is None:
            raise IndexMissingError(
                str(self.path), "there is no index here", f"Make one: codesearch reindex SOURCE --index {self.path}"
            )
        version = document.get("format")
        if isinstance(version, int) and version > POINTER_FORMAT:
            raise IndexUnusableError(
                str(self._pointer_file),
                f"has format {version}, and this codesearch reads format {POINTER_FORMAT}",
                "Upgrade codesearch, or name another folder with --index.",
            )
        try:
            return msgspec.convert(document, _Pointer)
        except msgspec.ValidationError as error:
            raise IndexCorruptError(str(self._pointer_file), f"is no pointer ({error})", REBUILD) from error

    def _write_pointer(self, pointer: _Pointer) -> None:
        with writing(self._pointer_file):
            write_sealed(self._pointer_file, msgspec.to_builtins(pointer))

    def _named(self) -> set[str]:
        """The generations that are to be kept: all of them while the pointer cannot be understood."""
        try:
            return self._read_pointer().names
        except IndexMissingError:
            return set()
        except IndexCorruptError:
            return {folder.name for folder in self._folders()}

    def _is_published(self, name: str) -> bool:
        """By the pointer, for an interrupt may come between its renaming and the return of `publish`."""
        try:
            return name in self._read_pointer().names
        except (IndexMissingError, IndexCorruptError):
            return False
        except IndexUnusableError:
            return True  # it cannot be read just now: what may be current is kept, and the next build looks again

    def _folders(self) -> list[Path]:
        return sorted(folder for folder in self._generations.iterdir() if _NAME.fullmatch(folder.name))

    def _unnamed(self) -> list[Path]:
        named = self._named()
        return [folder for folder in self._folders() if folder.name not in named]

    def _remove_leftovers(self) -> None:
        for folder in self._unnamed():
            if folder.is_symlink() or not folder.is_dir():
                folder.unlink()
            else:
                shutil.rmtree(folder)

    def _new_name(self) -> str:
        seen = self._named() | {folder.name for folder in self._folders()}
        return f"{1 + max(map(int, seen), default=0):06d}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of this index: the system frees it when the process ends, however it ends."""
        with writing(self._lock_file):
            # Who holds it is written into it: never through a link that somebody left there.
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        _held_locks.add(descriptor)
        try:
            with writing(self._lock_file):
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise IndexUnusableError(str(self._lock_file), "is no regular file", "Remove it and run it again.")
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise self._locked_by(os.pread(descriptor, 4096, 0)) from None
                _sign(descriptor)
            yield
        finally:
            if descriptor in _held_locks:
                _held_locks.discard(descriptor)
                # Where closing fails the lock is free all the same, and the generation is what it is.
                with suppress(OSError):
                    os.close(descriptor)

    def _locked_by(self, signature: bytes) -> IndexLockedError:
        try:
            holder = json.loads(signature)
            who = f"process {holder['pid']} on {holder['host']} has been building it since {holder['since']}"
        except (ValueError, LookupError, TypeError, RecursionError):  # it has the lock, and has not signed yet
            who = "another process is building it"
        return IndexLockedError(str(self.path), who, "Wait until it is done, or stop it, and run reindex again.")


def _entry(name: str, built: str) -> _Entry:
    try:
        return msgspec.convert({"generation": name, "built": built}, _Entry)
    except msgspec.ValidationError as error:
        raise UsageError(repr(built), "is no time", "Give it as ISO 8601 in UTC: 2025-01-31T02:00:00Z.") from error


def _existing(generation: Generation) -> Generation:
    with reading(generation.folder):
        if generation.folder.is_dir():
            return generation
    raise IndexCorruptError(str(generation.folder), "is missing, although CURRENT names it", REBUILD)


def _sign(descriptor: int) -> None:
    """Say who holds the lock, for the message that the second builder gets."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    signature = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, signature, 0)


def _drop_inherited_locks() -> None:
    """A forked worker that outlives its killed builder must not keep the index locked.

    Closing a copy leaves the lock with the parent; unlocking it would not.
    """
    while _held_locks:
        os.close(_held_locks.pop())


os.register_at_fork(after_in_child=_drop_inherited_locks)
