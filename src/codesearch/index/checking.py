"""Whether the files of a generation are as they were built, found out while they are searched already.

Comparing the checksums of an index of all official code sets takes 40 ms. A thread of its own does it beside the
opening and the first search, which take longer: the first answer waits for it, and hardly ever has to.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from codesearch.errors import IndexCorruptError
from codesearch.index.manifest import MANIFEST, RECOVER, Manifest, Problem

_PIECE = 1024 * 1024
_AT_ONCE = 1024 * 1024
"""Bytes of all files up to which it takes longer to start a thread than to read them."""


class _Listed(NamedTuple):
    """An open file and the checksum that it must have."""

    name: str
    stream: BinaryIO
    sha256: str


class FileCheck:
    """Compares files with their checksums in a thread of its own, and closes them when it is done."""

    def __init__(self, folder: Path, manifest: Manifest, names: Iterable[str]) -> None:
        """Opens the files, since they may be removed meanwhile, and begins.

        Raises:
            IndexCorruptError: a file is missing, or the manifest does not list it.
        """
        self._folder = folder
        self._is_done = False
        self._is_wanted = True
        self._alone = threading.Lock()
        self._problem: Problem | None = None
        self._files: list[_Listed] = []
        try:
            for name in names:
                self._files.append(_Listed(name, (folder / name).open("rb"), manifest.files[name].sha256))
        except (OSError, KeyError) as error:
            self._close_files()
            raise IndexCorruptError(str(folder / name), f"is missing here or in {MANIFEST}", RECOVER) from error
        self._thread = threading.Thread(target=self._compare, name="codesearch-check", daemon=True)
        if sum(manifest.files[file.name].size for file in self._files) > _AT_ONCE:
            self._thread.start()
        else:
            self._compare()

    def confirm(self) -> None:
        """Returns when all files are known to be as they were built.

        Raises:
            IndexCorruptError: one is not.
        """
        if not self._is_done:
            self._finish()
        if self._problem is not None:
            raise IndexCorruptError(str(self._folder / self._problem.name), self._problem.reason, RECOVER)

    def close(self) -> None:
        """Ends it, if it is still going on."""
        self._is_wanted = False
        if not self._is_done:
            self._thread.join()

    def _finish(self) -> None:
        self._thread.join()
        with self._alone:
            if not self._is_done:
                self._compare()  # this is a forked copy of the process, without its threads

    def _compare(self) -> None:
        try:
            self._problem = next(filter(None, map(self._problem_of, self._files)), None)
        finally:
            self._close_files()
            self._is_done = True

    def _problem_of(self, file: _Listed) -> Problem | None:
        digest = hashlib.sha256()
        start = 0
        try:
            # pread keeps no position: a forked copy of the process shares the open files.
            while self._is_wanted and (piece := os.pread(file.stream.fileno(), _PIECE, start)):
                digest.update(piece)
                start += len(piece)
        except OSError as error:
            return Problem(file.name, f"cannot be read ({error.strerror or error})")
        if self._is_wanted and digest.hexdigest() != file.sha256:
            return Problem(file.name, "does not match its checksum")
        return None

    def _close_files(self) -> None:
        for file in self._files:
            file.stream.close()
        self._files.clear()
