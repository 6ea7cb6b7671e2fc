"""Files to fragments: each input is recognised as an archive, a code set, a scraper's JSON or a page, and read as such.

Pages are parsed in worker processes where there are many; results come back in the order of the inputs.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from codesearch import __version__
from codesearch.config import config_files, read_config
from codesearch.ingest import archives, codesets, scraped_json
from codesearch.ingest.gate import read_gate
from codesearch.ingest.inputs import JSON_SUFFIXES, PAGE_SUFFIXES, InputFile, skip_reason
from codesearch.ingest.page import PageInput, PageParser, file_name_of
from codesearch.processes import Crew
from codesearch.records import CodeRecord, InputWarning, Kind, Reject, Skip, Source, encode_record

_BATCH_PAGES = 16
_BATCH_BYTES = 1_000_000
_BATCH_OTHERS = 1000


class PackedRecord(msgspec.Struct, frozen=True):
    """The record of a page as a line of JSON, and what must be known of it before it is unpacked."""

    system: str
    code: str | None
    name: str
    kind: Kind
    source: tuple[Source, ...]
    line: bytes


Item = CodeRecord | PackedRecord | Reject | Skip | InputWarning
"""What reading gives: records of code sets as they are, those of pages packed."""


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
        given: list[_Batch] = []

        def pages() -> Iterator[_Pages]:
            for batch in _batches((file, piece) for file in files for piece in self._bounded_pieces(file)):
                given.append(batch)
                yield _Pages(
                    self._folder, self.fingerprint, [piece for _, piece in batch if isinstance(piece, PageInput)]
                )

        for parsed in crew.ordered(_parse, pages()):
            answers = iter(parsed)
            for file, piece in given.pop(0):
                yield file, next(answers) if isinstance(piece, PageInput) else piece

    def _bounded_pieces(self, file: InputFile) -> Iterator[Piece]:
        """A file's pieces, until too many of them are rejects: each is remembered, and a short line can be one."""
        rejected = others = 0
        for piece in self._pieces(file):
            yield piece
            rejected += isinstance(piece, Reject)
            others += not isinstance(piece, Reject)
            if rejected >= self._gate.files.max_rejects and rejected > others:
                message = f"{rejected:,} parts of it were rejected, and fewer read; the rest is not looked at"
                yield Reject(file.location, "too-many-rejects", message)
                return

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
                    yield from self._of_codeset(stream, Source(path=file.location, sha256=_checksum(stream)), layout)
                elif archives.is_archive(file.path.name):
                    for member in archives.members(file.path, file.location, self._gate.files):
                        yield from self._of_member(member) if isinstance(member, archives.Member) else (member,)
                else:
                    stream.seek(0)
                    yield from self._of_bytes(file.location, file.path.name, stream.read())
        except OSError as error:
            yield Reject(file.location, "unreadable", f"it cannot be read ({error.strerror}); check its permissions")

    def _of_codeset(self, stream: BinaryIO, source: Source, layout: codesets.FileLayout) -> Iterator[Piece]:
        problem = archives.too_large_workbook(stream, self._gate.files) if layout.recognise.workbook else ""
        if problem:
            yield Reject(source.path, "too-large", problem)
        else:
            yield from codesets.load(stream, source, layout)

    def _of_member(self, member: archives.Member) -> Iterator[Piece]:
        """What a member of an archive gives; archives inside archives are not opened."""
        if member.url:
            yield PageInput(member.location, member.data, None, "", member.url, member.fetched)
            return
        reason = skip_reason(file_name_of(member.location))
        if archives.is_archive(member.name):
            reason = "an archive inside an archive"
        if reason:
            yield Skip(member.location, reason)
            return
        stream = BytesIO(member.data)
        layout = codesets.recognise(stream, self._layouts)
        if layout:
            source = Source(path=member.location, sha256=hashlib.sha256(member.data).hexdigest())
            yield from self._of_codeset(stream, source, layout)
        else:
            yield from self._of_bytes(member.location, file_name_of(member.location), member.data)

    def _of_bytes(self, location: str, name: str, data: bytes) -> Iterator[Piece]:
        suffix = Path(name).suffix.lower()
        if suffix in JSON_SUFFIXES:
            yield from scraped_json.pages(data, location, self._gate.files.max_json_bytes)
        elif suffix in PAGE_SUFFIXES:
            yield PageInput(location, data, "html" if PAGE_SUFFIXES[suffix] == "html" else "text", name)
        else:
            yield Reject(
                location, "unknown-format", "no layout in ingest/files/ recognises it; see ingest/files/README.md"
            )


def _checksum(stream: BufferedReader) -> str:
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _fingerprint(folder: Path) -> str:
    """A checksum of version and configuration: when it changes, nothing that was read with it may be reused."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(
        path for place in (folder, folder / "files", folder / "pages") for path in config_files(place, ".toml")
    ):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + read_config(path) + b"\0")
    return digest.hexdigest()


Piece = PageInput | CodeRecord | Reject | Skip | InputWarning
_Batch = list[tuple[InputFile, Piece]]


def _batches(pieces: Iterable[tuple[InputFile, Piece]]) -> Iterator[_Batch]:
    """Pieces in their order, as many together as are worth sending to another process."""
    batch: _Batch = []
    pages = size = 0
    for pair in pieces:
        batch.append(pair)
        if isinstance(pair[1], PageInput):
            pages += 1
            size += len(pair[1].data)
        if pages == _BATCH_PAGES or size > _BATCH_BYTES or len(batch) == _BATCH_OTHERS:
            yield batch
            batch, pages, size = [], 0, 0
    if batch:
        yield batch


class _Pages(NamedTuple):
    """Work for a process: pages, and the configuration to parse them by."""

    folder: Path
    fingerprint: str
    pages: list[PageInput]


def _parse(work: _Pages) -> list[PackedRecord | Reject | Skip]:
    if not work.pages:
        return []
    parse = _parser(work.folder, work.fingerprint).parse
    parsed = []
    for page in work.pages:
        parsed.append(_packed(parse(page)))
        # A page's tree is full of cycles, and the collector may be off. Only what is new is looked at, and memory that
        # was used just now is quicker than memory that was not.
        gc.collect(0)
    return parsed


def _packed(found: CodeRecord | Reject | Skip) -> PackedRecord | Reject | Skip:
    if not isinstance(found, CodeRecord):
        return found
    return PackedRecord(found.system, found.code, found.name, found.kind, found.source, encode_record(found))


@lru_cache(maxsize=2)
def _parser(folder: Path, _fingerprint: str) -> PageParser:
    """A parser by the configuration that has this fingerprint."""
    return PageParser(folder)
