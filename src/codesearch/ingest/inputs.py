"""Sources to inputs: files, folders, archives and scrapers' JSON become pages, code-set files, skips and rejects.

An input is read when it is asked for and forgotten afterwards, so memory is bounded by the largest one.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple, TypeVar

from codesearch.errors import SourceError
from codesearch.records import Reject, Skip

PageForm = Literal["html", "text"]
PAGE_SUFFIXES: dict[str, PageForm] = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".txt", ".md", ".text"), "text"),
}
JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar", ".warc", ".warc.gz")
CODESET_SUFFIXES = frozenset({".txt", ".xml", ".xlsx", ".csv", ".tsv", ".json", ".jsonl"})
_BEGINS_AS_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_HEAD_BYTES = 400
_NO_PAGES = ("readme", "license", "licence", "changelog", "contributing", "notice", "authors")


Some = TypeVar("Some")


class InputFile(NamedTuple):
    """A file on disk that may hold one page, many, or a code set; `location` is how it is shown."""

    path: Path
    location: str


def walk(source: Path) -> Iterator[InputFile | Skip | Reject]:
    """The files of a source in the order of their names; a folder is walked to its end, hidden files left out.

    Raises:
        SourceError: there is nothing at that place, or it cannot be read.
    """
    try:
        mode = source.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a name with a zero byte
        raise SourceError(str(source), "does not exist", "Check the spelling, or give another source.") from error
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise SourceError(str(source), reason, "Ask for the right to read it, or give another source.") from error
    if stat.S_ISREG(mode):
        yield InputFile(source, shown(source))
    elif stat.S_ISDIR(mode):
        yield from _walk_folder(source)
    else:
        raise SourceError(str(source), "is neither a file nor a folder", "Give a file, a folder or an archive.")


def _walk_folder(folder: Path) -> Iterator[InputFile | Skip | Reject]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Reject(
            shown(folder), "unreadable", f"the folder cannot be read ({error.strerror}); check its permissions"
        )
        return
    for entry in entries:
        path = folder / entry.name
        if is_hidden(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk_folder(path)
        elif not path.is_file():
            yield Skip(shown(path), "no regular file")
        else:
            skip = skip_reason(entry.name) and skip_reason(entry.name, _head(path))
            yield Skip(shown(path), skip) if skip else InputFile(path, shown(path))


def is_hidden(path: str) -> bool:
    """Whether a file, or a folder it lies in, is what a system, an archiver or an office program keeps for itself."""
    return any(part.startswith((".", "__MACOSX", "~$")) and part != "." for part in path.split("/"))


def or_reject(items: Iterator[Some], reject: Reject) -> Iterator[Some | Reject]:
    """Items, or the reject where there are none: nothing that is named may pass without a word."""
    first = next(items, None)
    if first is None:
        yield reject
    else:
        yield first
        yield from items


def shown(path: Path | str) -> str:
    """A path as text that can be written anywhere: bytes of its name that are no UTF-8 become `\ufffd`."""
    return os.fsencode(path).decode("utf-8", "replace")


def _head(path: Path) -> bytes:
    """What a file begins with; nothing where it cannot be read, for it is skipped then."""
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except OSError:
        return b""


def is_page(data: bytes) -> bool:
    """Whether something begins as a page: programs that fetch sites name pages as these do (`E11.9`, `code.aspx`)."""
    return _BEGINS_AS_PAGE.match(data[:_HEAD_BYTES]) is not None


def skip_reason(name: str, data: bytes = b"") -> str:
    """Why a file is no code source by its name (`readme.md`, `logo.png`), nor a page by its data; empty for one that
    may be one."""
    pure = PurePosixPath(name.lower())
    if pure.stem in _NO_PAGES or pure.name in _NO_PAGES:
        return "documentation, no code source"
    if pure.suffix in PAGE_SUFFIXES or pure.suffix in JSON_SUFFIXES or pure.suffix in CODESET_SUFFIXES:
        return ""
    if pure.name.endswith(ARCHIVE_SUFFIXES):
        return ""
    if is_page(data):
        return ""
    return f"no code source by its name ({pure.suffix or 'no extension'})"
