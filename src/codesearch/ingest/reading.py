"""Files to fragments: each input is recognised as an archive, a code set, a scraper's JSON or a page, and read as such.

Pages and code sets are read in worker processes where there is much of them; results come back in the order of the
inputs.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import msgspec

from codesearch import __version__
from codesearch.config import config_files, read_config
from codesearch.ingest import archives, codesets, scraped_json
from codesearch.ingest.gate import FileLimits, read_gate
from codesearch.ingest.inputs import (
    JSON_SUFFIXES,
    PAGE_SUFFIXES,
    InputFile,
    Some,
    is_hidden,
    is_page,
    or_reject,
    skip_reason,
)
from codesearch.ingest.page import PageInput, PageParser, file_name_of
from codesearch.processes import Crew
from codesearch.records import CodeRecord, InputWarning, PackedRecord, Reject, Skip, Source, pack

_BATCH_PAGES = 16
_BATCH_BYTES = 1_000_000
_BATCH_OTHERS = 1000
_TOGETHER = 2000
"""Items of a code-set file that are sent together."""

Item = PackedRecord | Reject | Skip | InputWarning
"""What reading gives."""


class CodeSetInput(NamedTuple):
    """A code-set file, by its path or its content, to be read as its layout says."""

    content: Path | bytes
    source: Source
    layout: codesets.FileLayout


class InputReader:
    """Reads inputs by the configuration of one `ingest/` folder."""

    def __init__(self, folder: Path) -> None:
        """Reads the configuration.

        Raises:
            ConfigError: a file of it is wrong.
        """
        self._folder = folder
        self._layouts = codesets.load_layouts(folder / "files")
        self._gate = read_gate(folder)
        self.fingerprint = _fingerprint(folder)
        _parser(folder, self.fingerprint)  # its mistakes are told now

    def items(self, files: Iterable[InputFile], crew: Crew) -> Iterator[tuple[InputFile, Item]]:
        """Everything that the files give, with the file that gave it, in their order.

        Raises:
            SourceError: a package that a file needs is not installed.
        """
        numbered = list(files)

        def tasks() -> Iterator[_Task]:
            for batch in _batches(self._numbered(numbered)):
                yield _Task(self._folder, self.fingerprint, self._gate.files, batch)

        for read in crew.streamed(_read, tasks()):
            for number, item in read:
                yield numbered[number], item

    def _numbered(self, files: Sequence[InputFile]) -> Iterator[tuple[int, Piece]]:
        """The pieces of all files, with the numbers of these."""
        for number, file in enumerate(files):
            nothing = Reject(file.location, "empty", "it holds neither a page nor a code set; fetch it again")
            pieces = or_reject(self._pieces(file), nothing)
            for piece in _bounded(pieces, file.location, self._gate.files):
                yield number, piece

    def refusal(self, file: InputFile) -> Reject | None:
        """Why a file is not read at all: it is larger than any file may be. Archives are measured member by member.

        Raises:
            OSError: its size cannot be found out.
        """
        size, most = file.path.stat().st_size, self._gate.files.max_bytes
        if size <= most or archives.is_archive(file.path.name):
            return None
        return Reject(file.location, "too-large", f"{size:,} bytes; {most:,} are read at most; split it")

    def _pieces(self, file: InputFile) -> Iterator[Piece]:
        """A file's pages, to be parsed, and everything else that it gives."""
        try:
            refusal = self.refusal(file)
            if refusal:
                yield refusal
                return
            with file.path.open("rb") as stream:
                layout = codesets.recognise(stream, self._layouts)
                if layout:
                    yield CodeSetInput(file.path, Source(path=file.location), layout)
                elif archives.is_archive(file.path.name):
                    for member in archives.members(file.path, file.location, self._gate.files):
                        yield from self._of_member(member) if isinstance(member, archives.Member) else (member,)
                else:
                    stream.seek(0)
                    yield from self._of_bytes(file.location, file.path.name, stream.read())
        except OSError as error:
            yield _unreadable(file.location, error)

    def _of_member(self, member: archives.Member) -> Iterator[Piece]:
        """What a member of an archive gives; archives inside archives are not opened."""
        if member.url:
            yield PageInput(member.location, member.data, None, "", member.url, member.fetched)
            return
        reason = skip_reason(file_name_of(member.location), member.data)
        if is_hidden(member.name):
            reason = "a hidden file"
        elif archives.is_archive(member.name):
            reason = "an archive inside an archive"
        if reason:
            yield Skip(member.location, reason)
            return
        layout = codesets.recognise(BytesIO(member.data), self._layouts)
        if layout:
            yield CodeSetInput(member.data, Source(path=member.location), layout)
        else:
            yield from self._of_bytes(member.location, file_name_of(member.location), member.data)

    def _of_bytes(self, location: str, name: str, data: bytes) -> Iterator[Piece]:
        suffix = Path(name).suffix.lower()
        if suffix in JSON_SUFFIXES:
            yield from scraped_json.pages(data, location, self._gate.files.max_json_bytes)
        elif suffix in PAGE_SUFFIXES or is_page(data):
            yield PageInput(location, data, PAGE_SUFFIXES.get(suffix, "html"), name)
        else:
            yield Reject(
                location, "unknown-format", "no layout in ingest/files/ recognises it; see ingest/files/README.md"
            )


def _bounded(pieces: Iterable[Some], location: str, limits: FileLimits) -> Iterator[Some | Reject]:
    """Pieces, until too many of them are rejects: each is remembered, and a short line can be one."""
    rejected = others = 0
    for piece in pieces:
        yield piece
        rejected += isinstance(piece, Reject)
        others += not isinstance(piece, Reject)
        if rejected >= limits.max_rejects and rejected > others:
            message = f"{rejected:,} parts of it were rejected, and fewer read; the rest is not looked at"
            yield Reject(location, "too-many-rejects", message)
            return


def _unreadable(location: str, error: OSError) -> Reject:
    return Reject(location, "unreadable", f"it cannot be read ({error.strerror}); check its permissions")


def _fingerprint(folder: Path) -> str:
    """A checksum of version and configuration: when it changes, nothing that was read with it may be reused."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(
        path for place in (folder, folder / "files", folder / "pages") for path in config_files(place, ".toml")
    ):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + read_config(path) + b"\0")
    return digest.hexdigest()


Piece = PageInput | CodeSetInput | Reject | Skip | InputWarning
_Batch = list[tuple[int, Piece]]


def _batches(pieces: Iterable[tuple[int, Piece]]) -> Iterator[_Batch]:
    """Pieces in their order, as many together as are worth sending to another process."""
    batch: _Batch = []
    pages = size = 0
    for pair in pieces:
        batch.append(pair)
        if isinstance(pair[1], PageInput):
            pages += 1
            size += len(pair[1].data)
        is_long = isinstance(pair[1], CodeSetInput)
        if is_long or pages == _BATCH_PAGES or size > _BATCH_BYTES or len(batch) == _BATCH_OTHERS:
            yield batch
            batch, pages, size = [], 0, 0
    if batch:
        yield batch


class _Task(NamedTuple):
    """Work for a process: pieces, each with the number of its file, and what they are read by."""

    folder: Path
    fingerprint: str
    limits: FileLimits
    pieces: _Batch


def _read(task: _Task) -> Iterator[list[tuple[int, Item]]]:
    """What the pieces give, in their order, as many items together as are worth sending."""
    items: list[tuple[int, Item]] = []
    for number, piece in task.pieces:
        if isinstance(piece, CodeSetInput):
            for loaded in _load(piece, task.limits):
                items.append((number, _item(loaded)))
                if len(items) == _TOGETHER:
                    yield items
                    items = []
        elif isinstance(piece, PageInput):
            items.append((number, _item(_parser(task.folder, task.fingerprint).parse(piece))))
            # A page's tree is full of cycles, and the collector may be off. Only what is new is looked at, and memory
            # that was used just now is quicker than memory that was not.
            gc.collect(0)
        else:
            items.append((number, piece))
    yield items


def _load(file: CodeSetInput, limits: FileLimits) -> Iterator[codesets.Loaded]:
    """What a code-set file holds; it may be a long one, and is not kept whole."""
    location = file.source.path
    try:
        with file.content.open("rb") if isinstance(file.content, Path) else BytesIO(file.content) as stream:
            problem = archives.too_large_workbook(stream, limits) if file.layout.recognise.workbook else ""
            if problem:
                yield Reject(location, "too-large", problem)
                return
            stream.seek(0)
            source = msgspec.structs.replace(file.source, sha256=hashlib.file_digest(stream, "sha256").hexdigest())
            yield from _bounded(codesets.load(stream, source, file.layout), location, limits)
    except OSError as error:
        yield _unreadable(location, error)


def _item(found: CodeRecord | Reject | Skip | InputWarning) -> Item:
    return pack(found) if isinstance(found, CodeRecord) else found


@lru_cache(maxsize=2)
def _parser(folder: Path, _fingerprint: str) -> PageParser:
    """A parser by the configuration that has this fingerprint."""
    return PageParser(folder)
