"""Archives to members: zip, tar and WARC, each member bounded in size and never written to disk."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from codesearch.errors import SourceError
from codesearch.ingest.inputs import shown
from codesearch.records import Reject, Skip

MAX_MEMBER_BYTES = 200_000_000
"""What a member may unpack to: more than the largest code set, less than what hurts."""
MAX_RATIO = 200
"""Unpacked to packed bytes of a member, above which it is a bomb; official XML packs at 30."""
MAX_MEMBERS = 1_000_000
_PAGE_KINDS = frozenset(
    {"text/html", "text/plain", "application/xhtml+xml", "text/markdown", "application/octet-stream"}
)


class Member(NamedTuple):
    """A file inside an archive; `url` and `fetched` where the archive knows them (WARC)."""

    location: str
    name: str
    data: bytes
    url: str = ""
    fetched: str = ""


def is_archive(name: str) -> bool:
    """Whether a file is an archive by its name."""
    return name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".warc", ".warc.gz"))


def members(path: Path, location: str) -> Iterator[Member | Reject | Skip]:
    """The members of an archive; a broken one gives what could be read and a reject for the rest.

    Of a WARC file the answers of servers are given; what is no page there (an image, a script) is skipped.

    Raises:
        SourceError: a WARC file, and the package that reads it is missing.
    """
    lower = path.name.lower()
    read = _zip_members if lower.endswith(".zip") else _warc_members if ".warc" in lower else _tar_members
    try:
        yield from read(path, location)
    except (
        OSError,
        EOFError,
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        reason = str(error) or type(error).__name__
        yield Reject(
            location, "broken-archive", f"the archive cannot be read to its end ({reason}); fetch or pack it again"
        )


def _zip_members(path: Path, location: str) -> Iterator[Member | Reject]:
    with zipfile.ZipFile(path) as archive:
        for count, info in enumerate(archive.infolist()):
            where = f"{location}!{shown(info.filename)}"
            if count >= MAX_MEMBERS:
                yield _too_many(location)
                return
            if info.is_dir():
                continue
            problem = _name_problem(info.filename) or _size_problem(info.file_size, info.compress_size)
            if problem:
                yield problem._replace(location=where).reject()
                continue
            try:
                with archive.open(info) as file:
                    yield _bounded(file, where, info.filename)
            except (RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
                yield Reject(
                    where, "broken-archive", f"the member cannot be unpacked ({error}); pack the archive again"
                )


def _tar_members(path: Path, location: str) -> Iterator[Member | Reject]:
    packed = path.stat().st_size
    unpacked = 0
    with tarfile.open(path, "r:" if path.name.lower().endswith(".tar") else "r:gz") as archive:
        for count, info in enumerate(archive):
            where = f"{location}!{shown(info.name)}"
            if count >= MAX_MEMBERS:
                yield _too_many(location)
                return
            if not info.isfile():
                continue
            unpacked += info.size
            problem = _name_problem(info.name) or _size_problem(info.size, info.size)
            if unpacked > MAX_MEMBER_BYTES and unpacked > MAX_RATIO * packed:
                yield Reject(
                    where, "archive-bomb", f"the archive unpacks to over {MAX_RATIO} times its size; it is not read on"
                )
                return
            if problem:
                yield problem._replace(location=where).reject()
                continue
            file = archive.extractfile(info)
            if file is not None:
                yield _bounded(file, where, info.name)


def _too_many(location: str) -> Reject:
    return Reject(location, "too-large", f"it holds over {MAX_MEMBERS:,} members; the rest is not read; split it")


def _warc_members(path: Path, location: str) -> Iterator[Member | Reject | Skip]:
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ImportError as error:
        next_step = "Install it: pip install 'medical-codesearch[warc]'"
        raise SourceError(location, "is a WARC file, and the package warcio is not installed", next_step) from error
    with path.open("rb") as stream:
        try:
            for record in ArchiveIterator(stream):
                if record.rec_type not in {"response", "resource"}:
                    continue
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                where = f"{location}!{url}"
                headers = record.http_headers or record.rec_headers
                kind = (headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
                status = record.http_headers.get_statuscode() if record.http_headers else "200"
                if not status.startswith("2"):
                    yield Reject(where, "error-page", f"the server answered {status}; fetch the page again")
                elif kind and kind not in _PAGE_KINDS:
                    yield Skip(where, f"no page ({kind})")
                else:
                    member = _bounded(record.content_stream(), where, url)
                    fetched = record.rec_headers.get_header("WARC-Date") or ""
                    yield member._replace(url=url, fetched=fetched) if isinstance(member, Member) else member
        except (
            ArchiveLoadFailed,
            AttributeError,
        ) as error:  # of a record cut in its head warcio takes a URL that is None
            yield Reject(
                location, "broken-archive", f"the WARC file cannot be read to its end ({error}); fetch it again"
            )


class _Problem(NamedTuple):
    reason: str
    message: str
    location: str = ""

    def reject(self) -> Reject:
        return Reject(self.location, self.reason, self.message)


def _name_problem(name: str) -> _Problem | None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        return _Problem("unsafe-name", "the member's name leads out of the archive; pack it without such names")
    return None


def _size_problem(unpacked: int, packed: int) -> _Problem | None:
    if unpacked > MAX_MEMBER_BYTES:
        return _Problem("too-large", f"the member unpacks to {unpacked:,} bytes; {MAX_MEMBER_BYTES:,} are read at most")
    if unpacked > 1_000_000 and unpacked > MAX_RATIO * max(1, packed):
        return _Problem("archive-bomb", f"the member unpacks to over {MAX_RATIO} times its size; it is not read")
    return None


def _bounded(file: IO[bytes], location: str, name: str) -> Member | Reject:
    """The member's bytes, read one over the limit: the size in the archive's own tables may lie."""
    data = file.read(MAX_MEMBER_BYTES + 1)
    if len(data) > MAX_MEMBER_BYTES:
        return Reject(location, "too-large", f"the member unpacks to over {MAX_MEMBER_BYTES:,} bytes; it is not read")
    return Member(location, name, data)
