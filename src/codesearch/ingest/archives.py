"""Archives to members: zip, tar and WARC, each bounded in size by `gate.toml` and never written to disk."""

from __future__ import annotations

import gzip
import io
import itertools
import logging
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, TypeVar, cast

from codesearch.errors import CodesearchError, SourceError
from codesearch.ingest.gate import FileLimits
from codesearch.ingest.inputs import shown
from codesearch.records import InputWarning, Reject, Skip

T = TypeVar("T")

_PAGE_KINDS = frozenset(
    {"text/html", "text/plain", "application/xhtml+xml", "text/markdown", "application/octet-stream"}
)
_GZIP = b"\x1f\x8b"
_MAX_HEAD = 1_000_000
"""Bytes of what stands before a member: names, times, the headers of an answer."""
_PIECE = 1 << 16


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


Found = Member | Reject | Skip | InputWarning


def members(path: Path, location: str, limits: FileLimits) -> Iterator[Found]:
    """The members of an archive; a broken one gives what could be read and a reject for the rest.

    Of a WARC file the answers of servers are given; what is no page there (an image, a script) is skipped.

    Raises:
        SourceError: a WARC file, and the package that reads it is missing.
    """
    lower = path.name.lower()
    read = _zip_members if lower.endswith(".zip") else _warc_members if ".warc" in lower else _tar_members
    try:
        yield from read(path, location, limits)
    except _Endless:
        message = "it holds a part that is longer than any page or code set; what stood before it was read"
        yield Reject(location, "archive-bomb", message)
    except CodesearchError:
        raise
    except Exception as error:  # a broken archive makes every kind
        reason = str(error) or type(error).__name__
        yield Reject(
            location, "broken-archive", f"the archive cannot be read to its end ({reason}); fetch or pack it again"
        )


def too_large_workbook(stream: BinaryIO, limits: FileLimits) -> str:
    """Why a workbook, which is a zip, unpacks to more than may be read; empty where it does not, or is no zip."""
    try:
        with zipfile.ZipFile(stream) as archive:
            sizes = [(info.file_size, info.compress_size) for info in archive.infolist()]
    except Exception:  # what is wrong with it is told by those who read it
        return ""
    problems = (_size_problem(unpacked, packed, limits) for unpacked, packed in sizes)
    found = next(filter(None, problems), None)
    if found is None and sum(unpacked for unpacked, _ in sizes) > limits.max_bytes:
        return f"it unpacks to more than {limits.max_bytes:,} bytes; split it"
    return found.message if found else ""


def _zip_members(path: Path, location: str, limits: FileLimits) -> Iterator[Member | Reject]:
    packed, total = path.stat().st_size, 0
    with zipfile.ZipFile(path) as archive:
        for count, info in enumerate(archive.infolist()):
            where = f"{location}!{shown(info.filename)}"
            # Members may lie on top of each other, so that each unpacks to little and all of them to terabytes.
            total += info.file_size
            end = _end(count, total, packed, limits)
            if end:
                yield end._replace(location=location).reject()
                return
            if info.filename.endswith("/"):
                continue
            problem = _name_problem(info.filename) or _size_problem(info.file_size, info.compress_size, limits)
            if problem:
                yield problem._replace(location=where).reject()
                continue
            try:
                with archive.open(info) as file:
                    yield _bounded(file, where, info.filename, limits)
            except Exception as error:
                yield Reject(
                    where, "broken-archive", f"the member cannot be unpacked ({error}); pack the archive again"
                )


def _tar_members(path: Path, location: str, limits: FileLimits) -> Iterator[Member | Reject]:
    packed, total = path.stat().st_size, 0
    with _unpacked(path) as stream, tarfile.open(fileobj=_bounded_reads(stream, limits), mode="r:") as archive:
        for count, info in enumerate(archive):
            where = f"{location}!{shown(info.name)}"
            total += info.size if info.isfile() else 0
            end = _end(count, total, packed, limits)
            if end:
                yield end._replace(location=location).reject()
                return
            problem = _name_problem(info.name) or _size_problem(info.size, info.size, limits)
            file = archive.extractfile(info) if info.isfile() and not problem else None
            if problem and info.isfile():
                yield problem._replace(location=where).reject()
            elif file is not None:
                yield _bounded(file, where, info.name, limits)


def _warc_members(path: Path, location: str, limits: FileLimits) -> Iterator[Found]:
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ImportError as error:
        next_step = "Install it: pip install 'medical-codesearch[warc]'"
        raise SourceError(location, "is a WARC file, and the package warcio is not installed", next_step) from error
    with _unpacked(path) as stream:
        metered = _Metered(stream, _MAX_HEAD)
        archive = ArchiveIterator(metered)
        try:
            for count in itertools.count():
                record = _quietly(lambda: next(archive, None))
                if record is None:
                    break
                if count >= limits.max_members:
                    yield _too_many(limits)._replace(location=location).reject()
                    break
                metered.left = limits.max_member_bytes + _MAX_HEAD
                found = _quietly(lambda: _warc_member(record, location, limits))  # noqa: B023 (called at once)
                if found:
                    yield found
                _quietly(lambda: _drain(record.raw_stream))  # noqa: B023
                metered.left = _MAX_HEAD
        except (
            ArchiveLoadFailed,
            AttributeError,
        ) as error:  # of a record cut in its head warcio takes a URL that is None
            yield Reject(
                location, "broken-archive", f"the WARC file cannot be read to its end ({error}); fetch it again"
            )
        if archive.err_count:
            message = f"{archive.err_count} records are longer or shorter than they say; fetch it again"
            yield InputWarning(location, "broken-records", message)


def _quietly(work: Callable[[], T]) -> T:
    """Does some work of warcio's, which writes what it wonders about, in a stranger's words, to stderr."""
    logging.getLogger("warcio").setLevel(logging.CRITICAL)
    with redirect_stderr(io.StringIO()):
        return work()


def _drain(stream: IO[bytes]) -> None:
    while stream.read(_PIECE):
        pass


def _warc_member(record: Any, location: str, limits: FileLimits) -> Member | Reject | Skip | None:
    """What a WARC record gives: nothing when it is no server's answer."""
    if record.rec_type not in {"response", "resource"}:
        return None
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    where = f"{location}!{url}"
    headers = record.http_headers or record.rec_headers
    kind = (headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
    status = record.http_headers.get_statuscode() if record.http_headers else "200"
    if not status.startswith("2"):
        return Reject(where, "error-page", f"the server answered {status}; fetch the page again")
    if kind and kind not in _PAGE_KINDS:
        return Skip(where, f"no page ({kind})")
    member = _bounded(record.content_stream(), where, url, limits)
    fetched = record.rec_headers.get_header("WARC-Date") or ""
    return member._replace(url=url, fetched=fetched) if isinstance(member, Member) else member


class _Endless(Exception):
    """A part of an archive is longer than may be read at once."""


class _Metered:
    """A stream that may be read for so many bytes, until it is allowed more."""

    def __init__(self, stream: IO[bytes], left: int) -> None:
        self._stream = stream
        self.left = left

    def read(self, size: int = -1) -> bytes:
        """Reads as a file does."""
        data = self._stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise _Endless
        return data

    def tell(self) -> int:
        """The place in the unpacked stream."""
        return self._stream.tell()


class _BoundedReads:
    """A stream that refuses to be read for more than a member at once: the headers of a tar may ask for any amount."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream = stream
        self._most = most
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        """Reads as a file does."""
        if not 0 <= size <= self._most:
            raise _Endless
        return self._stream.read(size)


def _bounded_reads(stream: IO[bytes], limits: FileLimits) -> IO[bytes]:
    return cast(IO[bytes], _BoundedReads(stream, max(limits.max_member_bytes, _MAX_HEAD) + 1))


def _unpacked(path: Path) -> IO[bytes]:
    """The content of a file, unpacked if it was packed with gzip."""
    stream = path.open("rb")
    is_packed = stream.read(len(_GZIP)) == _GZIP
    stream.seek(0)
    if not is_packed:
        return stream
    stream.close()
    return cast(IO[bytes], gzip.open(path, "rb"))


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


def _size_problem(unpacked: int, packed: int, limits: FileLimits) -> _Problem | None:
    if unpacked > limits.max_member_bytes:
        most = limits.max_member_bytes
        return _Problem("too-large", f"the member unpacks to {unpacked:,} bytes; {most:,} are read at most")
    if unpacked > 1_000_000 and unpacked > limits.max_ratio * max(1, packed):
        return _Problem("archive-bomb", f"the member unpacks to over {limits.max_ratio} times its size; it is not read")
    return None


def _end(count: int, total: int, packed: int, limits: FileLimits) -> _Problem | None:
    """Why an archive is not read on after so many members, which unpack to so much in all."""
    if count >= limits.max_members:
        return _too_many(limits)
    if total > limits.max_member_bytes and total > limits.max_ratio * packed:
        message = f"the archive unpacks to over {limits.max_ratio} times its size; it is not read on"
        return _Problem("archive-bomb", message)
    if total > limits.max_unpacked_bytes:
        return _Problem("too-large", f"it unpacks to over {limits.max_unpacked_bytes:,} bytes; split it")
    return None


def _too_many(limits: FileLimits) -> _Problem:
    message = f"it holds over {limits.max_members:,} members; the rest is not read; split it"
    return _Problem("too-large", message)


def _bounded(file: IO[bytes], location: str, name: str, limits: FileLimits) -> Member | Reject:
    """The member's bytes, read one over the limit: the size in the archive's own tables may lie."""
    most = limits.max_member_bytes
    data = file.read(most + 1)
    if len(data) > most:
        return Reject(location, "too-large", f"the member unpacks to over {most:,} bytes; it is not read")
    return Member(location, name, data)
