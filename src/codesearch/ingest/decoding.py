"""Bytes to text, whatever encoding a page has, declares, or declares wrongly."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from charset_normalizer import from_bytes

from codesearch.records import RecordWarning

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w.:-]{2,40})|encoding=["']([\w.:-]{2,40})["']""", re.IGNORECASE
)
_TEXT_ENCODING = re.compile(r"cp\d|iso8859|iso2022|koi8|mac|shift_jis|euc_|gb|big5|johab|tis|hz$")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_CONTROL_BYTE = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_C1 = {code: bytes([code]).decode("cp1252", "ignore") or " " for code in range(0x80, 0xA0)}
_HAS_C1 = re.compile(r"[\x80-\x9f]")
_C1_REFERENCE = re.compile(r"&#(1(?:2[89]|[34]\d|5\d));")
_CANDIDATES = (
    *("cp1252", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
    *("cp1253", "cp1254", "cp1255", "cp1256"),
)
"""Encodings that web pages are written in, likeliest first. charset-normalizer looks at each alone: asked for all at
once, it prefers rare relatives (ISO 8859-10 to 8859-2) and drops encodings like one that failed."""
_SAMPLE = 65536
_GUESS_SAMPLE = 4096
_CONTROL_BYTES = bytes(byte for byte in range(128) if (byte < 32 or byte == 127) and byte not in b"\t\n\v\f\r")
_HIGH_BYTES = bytes(range(128, 256))
_NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_ESCAPE = 0x1B  # begins the escape sequences of ISO-2022-JP
_BINARY_SHARE = 0.05
_WESTERN_SHARE = 0.02


class Decoded(NamedTuple):
    """A page's text, and what should be known about how it was read."""

    text: str
    warnings: tuple[RecordWarning, ...]


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text: a twentieth of the first 64 KiB are control bytes, and they are no UTF-16 or -32."""
    sample = data[:_SAMPLE]
    if wide_encoding(sample):
        return False
    control = len(sample) - len(sample.translate(None, _CONTROL_BYTES)) - sample.count(_ESCAPE)
    return control > _BINARY_SHARE * len(sample)


def decode(data: bytes) -> Decoded:
    """The text of a page: by its byte order mark, as UTF-8, by what it declares, by its statistics, as Windows-1252.

    Control characters are taken out, but a vertical tab is a line feed; those of the range 80-9F, which are
    Windows-1252 in all but name, become what they are meant to be. Every byte that no encoding explains becomes U+FFFD
    and a warning.
    """
    text, warnings = _decode(data)
    if "&#1" in text:
        text = _C1_REFERENCE.sub(lambda match: _C1[int(match[1])], text)
    if not text.isascii() and _HAS_C1.search(text):
        text = text.translate(_C1)
    text = text.replace("\x0b", "\n")  # a line break within a paragraph, as word processors write it
    clean, dropped = _CONTROL.subn(" ", text) if _CONTROL_BYTE.search(data) else (text, 0)
    if dropped:
        warnings.append(RecordWarning("control-characters", f"{dropped} control characters were taken out"))
    return Decoded(clean, tuple(warnings))


def _decode(data: bytes) -> tuple[str, list[RecordWarning]]:
    wide = wide_encoding(data[:_SAMPLE])
    if wide:
        return data.decode(wide, "replace").lstrip("\ufeff"), []
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        damaged = _damaged_utf8(data)
    if damaged:
        return damaged, [RecordWarning("encoding", "the page is UTF-8 with broken characters, as a cut page has")]
    declared = _declared(data)
    for encoding in filter(None, (declared, _guessed(data))):
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        return text, [] if encoding == declared else [_wrong(data, encoding)]
    return data.decode("cp1252", "replace"), [_wrong(data, "cp1252")]


def _damaged_utf8(data: bytes) -> str:
    """The text of UTF-8 with a few broken characters; empty where most characters beyond ASCII are broken."""
    text = data.decode("utf-8-sig", "replace")
    broken = text.count("\ufffd")
    whole = len(text) - len(text.encode("ascii", "ignore")) - broken
    return text if whole > 0 and broken <= max(1, whole // 10) else ""


def wide_encoding(sample: bytes) -> str | None:
    """UTF-16 or UTF-32 by its mark, or by a zero byte in every other place."""
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding if encoding != "utf-8" else None
    even, odd = sample[0:400:2].count(0), sample[1:400:2].count(0)
    pairs = len(sample[:400]) // 2
    if pairs >= 8 and odd > 0.7 * pairs and even < 0.1 * pairs:
        return "utf-16-le"
    if pairs >= 8 and even > 0.7 * pairs and odd < 0.1 * pairs:
        return "utf-16-be"
    return None


def _declared(data: bytes) -> str | None:
    """The encoding that a page declares, as Python names it; None for UTF-8, which was tried, and for unusual ones."""
    match = _DECLARED.search(data[:4096])
    if match is None:
        return None
    try:
        found = codecs.lookup((match[1] or match[2]).decode("ascii")).name
    except LookupError:
        return None
    # Browsers read Latin-1 as Windows-1252, and so are such pages written.
    found = "cp1252" if found in {"iso8859-1", "ascii"} else found
    return found if _TEXT_ENCODING.match(found) else None


def _guessed(data: bytes) -> str | None:
    """Windows-1252 for a text with few characters beyond ASCII, if it has them; else what charset-normalizer finds."""
    sample = data[:_SAMPLE]
    high = len(sample) - len(sample.translate(None, _HIGH_BYTES))
    if high < _WESTERN_SHARE * len(sample) and not _NOT_CP1252.search(sample):
        return "cp1252"
    dense = _dense_part(sample)
    matches = ((place, from_bytes(dense, cp_isolation=[name]).best()) for place, name in enumerate(_CANDIDATES))
    ranked = [(round(best.chaos, 2), -round(best.coherence, 2), place) for place, best in matches if best]
    return _CANDIDATES[min(ranked)[2]] if ranked else None


def _dense_part(sample: bytes) -> bytes:
    """The lines that tell most about the encoding: those with characters beyond ASCII, up to a few thousand bytes."""
    lines = [line for line in sample.splitlines(keepends=True) if not line.isascii()]
    return b"".join(lines)[:_GUESS_SAMPLE]


def _wrong(data: bytes, used: str) -> RecordWarning:
    match = _DECLARED.search(data[:4096])
    said = f"is not in {(match[1] or match[2]).decode('ascii')}, as it declares" if match else "declares no encoding"
    return RecordWarning("encoding", f"the page {said}; read as {used}")
