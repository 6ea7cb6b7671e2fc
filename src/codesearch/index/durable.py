"""Files that survive a crash, and that tell when they were changed.

Nothing here leaves a half-written file under its own name: data goes to a temporary name in the same folder, is forced
to the disk, and is renamed over the old file, which POSIX does in one step. Small JSON documents (the pointer and the
manifest of an index) are *sealed*: they carry the checksum of their own content.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codesearch.errors import IndexCorruptError, IndexUnusableError

REBUILD = "Rebuild it with `codesearch reindex SOURCE`."

MAX_SEALED = 16 * 1024 * 1024
"""Bytes of the largest sealed document that is read; ours have a few thousand."""

_SEAL = "sha256"

_ADVICE = {
    errno.ENOSPC: "Free some space on that disk and run it again.",
    errno.EDQUOT: "Free some of your disk quota and run it again.",
    errno.EFBIG: "Raise the limit on file sizes (ulimit -f) and run it again.",
    errno.EACCES: "Ask for the right to write there, or choose another place with --index.",
    errno.EPERM: "Ask for the right to write there, or choose another place with --index.",
    errno.ELOOP: "A link stands there, or leads in a ring: remove it, or choose another place with --index.",
    errno.EROFS: "Make that file system writable, or choose another place with --index.",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says while writing at `path` into an answer for the user.

    Raises:
        IndexUnusableError: the disk is full, the folder read-only, the quota used up, ...
    """
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "Check the disk, or choose another place with --index.")
        raise IndexUnusableError(str(path), f"cannot be written ({error.strerror or error})", advice) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """The same for reading.

    Raises:
        IndexUnusableError: it is missing, forbidden, on a broken disk, ...
    """
    try:
        yield
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
        raise IndexUnusableError(str(path), reason, "Ask for the right to read it, or check the disk.") from error


def sync_file(path: Path) -> None:
    """Force a file's content to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Force a folder's entries (new, renamed, removed names) to the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(folder: Path) -> None:
    """Force every file below a folder, and then the folders, to the disk."""
    for where, _, names in os.walk(folder, topdown=False, onerror=_raise):
        for name in names:
            sync_file(Path(where, name))
        sync_folder(Path(where))


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path`: whoever reads, even after a crash, finds all of the old content or all of the new.

    The temporary name is always the same, so that one left by a killed process is removed by the next; callers hold
    a lock.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        with draft.open("xb") as file:  # never through a link that somebody left there
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_sealed(path: Path, document: dict[str, Any]) -> None:
    """Write a JSON object as one line with its own checksum; equal documents give equal bytes."""
    replace_file(path, _canonical(document | {_SEAL: _seal(document)}) + b"\n")


def read_sealed(path: Path) -> dict[str, Any] | None:
    """The document that `write_sealed` wrote, or None where there is no such file.

    Raises:
        IndexCorruptError: it was cut or changed, or never was one.
        IndexUnusableError: it cannot be read.
    """
    data = _read_bounded(path)
    if data is None:
        return None
    try:
        document = json.loads(data)
        if isinstance(document, dict) and document.pop(_SEAL, None) == _seal(document):
            return document
    except (ValueError, RecursionError) as error:
        raise IndexCorruptError(str(path), "is no JSON of ours", REBUILD) from error
    raise IndexCorruptError(str(path), "does not match its own checksum", REBUILD)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_bounded(path: Path) -> bytes | None:
    with reading(path):
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise IndexCorruptError(str(path), "is no regular file", REBUILD)
            if found.st_size > MAX_SEALED:
                raise IndexCorruptError(str(path), f"has {found.st_size} bytes, more than any of ours", REBUILD)
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _raise(error: OSError) -> None:
    raise error


def _seal(document: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(document)).hexdigest()


def _canonical(document: dict[str, Any]) -> bytes:
    """The one spelling of a document: keys in order, ASCII (a file name need not be valid Unicode)."""
    return json.dumps(document, sort_keys=True, allow_nan=False).encode("ascii")
