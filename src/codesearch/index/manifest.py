"""The manifest: what one generation holds, where it came from, and how every file of it must look.

It says nothing of when it was built, so that equal inputs give equal files. Opening an index checks that every file is
there with its size (a matter of microseconds); `codesearch verify` reads all of them and compares the checksums.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from codesearch.errors import IndexCorruptError, IndexUnusableError, UntrustedIndexError
from codesearch.index.durable import REBUILD, read_sealed, reading, write_sealed, writing
from codesearch.records import learnt

FORMAT_VERSION = 6
"""Of the files in a generation; raised whenever an older codesearch could misread them."""

MANIFEST = "manifest.json"

RECOVER = "Go back with `codesearch rollback`, or rebuild with `codesearch reindex SOURCE`."

Count = Annotated[int, msgspec.Meta(ge=0)]
Checksum = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class FileSum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a generation: bytes and SHA-256."""

    size: Count
    sha256: Checksum


class SourceCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source given to reindex, and what came of it."""

    name: str
    records: Count
    rejects: Count
    release: str | None = None


class Problem(NamedTuple):
    """What is wrong with one file."""

    name: str
    reason: str


@learnt
class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The frozen description of one generation."""

    format_version: int
    tool_version: str
    counts: dict[str, dict[str, Count]]
    """system -> {"total": n, kind: n}"""
    sources: tuple[SourceCount, ...]
    config: dict[str, Any]
    """The index configuration that it was built with: searching needs no other."""
    files: dict[str, FileSum]

    @property
    def size(self) -> int:
        """Bytes of all files but the manifest itself."""
        return sum(file.size for file in self.files.values())

    def has(self, path: Path) -> bool:
        """Whether a file is one of the generation's, as it was built."""
        listed = self.files.get(path.name)
        return listed is not None and path.stat().st_size == listed.size and checksum(path) == listed.sha256

    def check_sizes(self, folder: Path) -> None:
        """Compare names and sizes, reading no content.

        Raises:
            IndexCorruptError: names the first file that is missing, of another size, or not listed.
        """
        for problem in self._size_problems(folder):
            raise IndexCorruptError(str(folder / problem.name), problem.reason, RECOVER)

    def check_sums(self, folder: Path) -> Iterator[Problem]:
        """Compare names, sizes and content, reading everything; at most one problem a file."""
        unread = {problem.name: problem for problem in self._size_problems(folder)}
        yield from unread.values()
        for name in sorted(self.files.keys() - unread.keys()):
            try:
                if checksum(folder / name) != self.files[name].sha256:
                    yield Problem(name, "does not match its checksum")
            except OSError as error:
                yield Problem(name, f"cannot be read ({error.strerror or error})")

    def _size_problems(self, folder: Path) -> Iterator[Problem]:
        found = _regular_files(folder)
        for name in sorted((found.keys() | self.files.keys()) - {MANIFEST}):
            if name not in found:
                yield Problem(name, "is missing")
            elif name not in self.files:
                yield Problem(name, "does not belong to the index")
            elif found[name] is None:
                yield Problem(name, "is no regular file")
            elif found[name] != self.files[name].size:
                yield Problem(name, f"has {found[name]} bytes instead of {self.files[name].size}")


def write(
    folder: Path,
    *,
    tool_version: str,
    counts: Mapping[str, Mapping[str, int]],
    sources: Sequence[SourceCount],
    config: Mapping[str, Any],
) -> Manifest:
    """Describe the files that stand in the folder, and put the description beside them.

    Raises:
        IndexCorruptError: the folder holds what is no regular file.
        IndexUnusableError: the manifest cannot be written.
    """
    files = {}
    for name, size in sorted(_regular_files(folder).items()):
        if size is None:
            raise IndexCorruptError(str(folder / name), "is no regular file", "Report this as a bug of codesearch.")
        if name != MANIFEST:
            with reading(folder / name):
                files[name] = FileSum(size, checksum(folder / name))
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        tool_version=tool_version,
        counts={system: dict(kinds) for system, kinds in counts.items()},
        sources=tuple(sources),
        config=dict(config),
        files=files,
    )
    with writing(folder / MANIFEST):
        write_sealed(folder / MANIFEST, msgspec.to_builtins(manifest, str_keys=True))
    return manifest


def load(folder: Path) -> Manifest:
    """The manifest of a generation.

    Raises:
        IndexCorruptError: it is missing, cut or changed.
        UntrustedIndexError: it names files outside the folder.
        IndexUnusableError: another version of codesearch wrote it.
    """
    path = folder / MANIFEST
    document = read_sealed(path)
    if document is None:
        raise IndexCorruptError(str(path), "is missing", RECOVER)
    _check_format(path, document.get("format_version"))
    try:
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        raise IndexCorruptError(str(path), f"is no manifest ({error})", RECOVER) from error
    for name in manifest.files:
        if name in {"", ".", "..", MANIFEST} or "/" in name or "\\" in name or "\0" in name:
            raise UntrustedIndexError(str(path), f"names the file {name!r}", f"Do not use it. {REBUILD}")
    return manifest


def _check_format(path: Path, version: object) -> None:
    if not isinstance(version, int):
        raise IndexCorruptError(str(path), "does not say its format", RECOVER)
    if version == FORMAT_VERSION:
        return
    step = "Upgrade codesearch, or rebuild it" if version > FORMAT_VERSION else "Rebuild it"
    raise IndexUnusableError(
        str(path),
        f"has format {version}, and this codesearch reads format {FORMAT_VERSION}",
        f"{step} with `codesearch reindex SOURCE`.",
    )


def _regular_files(folder: Path) -> dict[str, int | None]:
    """Every name in the folder with its size, None for what is no regular file (a link may point anywhere)."""
    with reading(folder), os.scandir(folder) as entries:
        found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    return {name: status.st_size if stat.S_ISREG(status.st_mode) else None for name, status in found.items()}


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
