"""The text of a code-set file, its lines, and whether the last of them is whole."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO, NamedTuple

from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.decoding import wide_encoding
from codesearch.records import Reject

_UTF8 = codecs.getincrementaldecoder("utf-8")


class Lines(NamedTuple):
    """Lines without their ends; `ended` is False when the last one has no line end though others have."""

    lines: list[str]
    ended: bool


def read_lines(stream: BinaryIO, layout: FileLayout) -> Lines:
    """Every line of the file: UTF-16 or -32, else UTF-8 where it is valid, else in the layout's encoding.

    Lines may end as in any system. What DOS ends a file with (Ctrl-Z), or fills its last block with, is no line.
    """
    text = text_of(stream.read(), layout.encoding).rstrip("\x1a\0")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if lines and not lines[-1]:
        lines.pop()
        return Lines(lines, True)
    return Lines(lines, len(lines) < 2 or "\r" in text[-1:])


def text_of(data: bytes, encoding: str, *, is_whole: bool = True) -> str:
    """The text of a file, or of its beginning, which may be cut within a character: UTF-16 or -32, else UTF-8, else in
    this encoding."""
    wide = wide_encoding(data)
    if wide:
        return data.decode(wide, errors="replace").lstrip("\ufeff")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return _UTF8().decode(data, final=is_whole).lstrip("\ufeff")
    except UnicodeDecodeError:
        return data.decode(encoding, errors="replace")


def refusal(lines: list[str], location: str, layout: FileLayout) -> Reject | None:
    """The reject of a whole file most of whose lines fit one of the layout's refusals."""
    sample = [line for line in lines[:200] if line.strip()]
    for rule in layout.refuse:
        pattern = re.compile(rule.line)
        if sample and sum(1 for line in sample if pattern.match(line)) > len(sample) / 2:
            return Reject(location, rule.reason, f"{rule.message}. Restore the file as the agency publishes it.")
    return None
