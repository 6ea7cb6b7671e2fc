"""Codes looked up: the documents of a code in any spelling, and the codes nearest to one that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from codesearch.codes import SYSTEMS, bare, readings, system_name
from codesearch.errors import UnknownCodeError
from codesearch.index.limits import CODE_BYTES
from codesearch.index.reader import IndexReader

LONGEST_CODE = 1000
"""Characters of what is looked up as a code; a code of a user's own may be long, a longer text is none."""
_NEAREST = 3
_SHORTEST_PREFIX = 2
_SHOWN_CODE, _SHOWN_NAME = 40, 50


def documents_of(reader: IndexReader, code: str, system: str | None = None) -> Iterator[int]:
    """The documents of a code in any spelling: in one system, or in each that has it, those whose shape it has first.

    Args:
        reader: the index.
        code: what was typed.
        system: any name of a system; None for all.
    """
    if len(code) > LONGEST_CODE or not bare(code):
        return
    for name in [system_name(system)] if system else _systems(reader, code):
        document = reader.find(name, code)
        if document is not None:
            yield document


def _systems(reader: IndexReader, code: str) -> Iterable[str]:
    """The systems that may have a code; a dot leaves those that write one there, and a user's own."""
    likely = [name for name, _ in readings(code)]
    others = [name for name in reader.systems if name not in SYSTEMS] if "." in code and likely else reader.systems
    return dict.fromkeys((*likely, *others))


def document_of(reader: IndexReader, code: str, system: str | None = None) -> int:
    """The first document of a code.

    Raises:
        UnknownCodeError: there is none; it names the nearest codes.
    """
    for document in documents_of(reader, code, system):
        return document
    raise _unknown_code(reader, code, system)


def existing_documents(reader: IndexReader, code: str, system: str | None = None) -> list[int]:
    """The documents of a code in the order of systems.

    Raises:
        UnknownCodeError: there is none; it names the nearest codes.
    """
    documents = sorted(documents_of(reader, code, system))
    if not documents:
        raise _unknown_code(reader, code, system)
    return documents


def _unknown_code(reader: IndexReader, code: str, system: str | None) -> UnknownCodeError:
    typed = _shortened(code, _SHOWN_CODE)
    near = [
        f"{reader.codes[one]} ({_shortened(reader.names[one], _SHOWN_NAME)})" for one in nearest(reader, code, system)
    ]
    where = system_name(system) if system else "this index"
    told = f"The nearest are {', '.join(near)}." if near else f'Look for it by words: codesearch search "{typed}"'
    return UnknownCodeError(typed, f"no such code in {where}", told)


def _shortened(text: str, length: int) -> str:
    """The text on one line, cut where it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def nearest(reader: IndexReader, code: str, system: str | None = None) -> list[int]:
    """The documents of at most three codes: those that share the longest prefix first, of these the nearest in order.

    They are of the systems whose shape the code has, of any where it has none, and share two characters at least.
    Chapters are no codes.
    """
    # Half of a character, as a shell may pass it, stands for none that a code has.
    wanted = bare(code).encode(errors="replace")[:CODE_BYTES].decode(errors="ignore")
    likely = [name for name, _ in readings(code) if name in reader.systems]
    systems = [system_name(system)] if system else likely or list(reader.systems)
    found: dict[int, None] = {}
    for length in range(len(wanted), _SHORTEST_PREFIX - 1, -1):
        for name in systems:
            found |= dict.fromkeys(_around(reader, name, wanted, wanted[:length]))
        if len(found) >= _NEAREST:
            break
    return list(found)[:_NEAREST]


def _around(reader: IndexReader, system: str, wanted: str, prefix: str) -> list[int]:
    """Some documents of the codes with a prefix, those first that stand nearest to where the wanted code would."""
    start, end = reader.prefix_slice(system, prefix)
    place = start + int(np.searchsorted(reader.arrays["bare"][start:end], wanted.encode()))
    window = range(max(start, place - 2 * _NEAREST), min(end, place + 2 * _NEAREST))
    codes = [document for document in window if reader.keyword("kind", document) != "chapter"]
    # Halves, so that of a code before and a code behind the one before is nearer.
    return sorted(codes, key=lambda document: abs(document - place + 0.75))
