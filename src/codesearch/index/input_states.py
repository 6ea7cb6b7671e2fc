"""What an index remembers of its inputs, so that unchanged ones need not be read again.

An input is unchanged when its size and time of change are; when only the time differs, its checksum decides. What it
gave is found again by its name among the fragments of the index.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from codesearch.errors import IndexCorruptError
from codesearch.index.durable import writing
from codesearch.records import BROKEN_JSON, InputWarning, Reject, Skip, learnt

FILE_NAME = "inputs.json"


class InputState(msgspec.Struct, frozen=True, omit_defaults=True):
    """One input file as it was read, and what it gave beside fragments."""

    location: str
    size: int
    changed_ns: int
    sha256: str
    fragments: int = 0
    rejects: tuple[Reject, ...] = ()
    skips: tuple[Skip, ...] = ()
    warnings: tuple[InputWarning, ...] = ()


@learnt
class InputStates(msgspec.Struct, frozen=True):
    """All inputs of an index, and the fingerprint of the program and configuration that read them."""

    fingerprint: str
    inputs: tuple[InputState, ...]


def write_states(folder: Path, fingerprint: str, inputs: Iterable[InputState]) -> None:
    """Writes the file.

    Raises:
        IndexUnusableError: it cannot be written.
    """
    path = folder / FILE_NAME
    with writing(path):
        path.write_bytes(msgspec.json.encode(InputStates(fingerprint, tuple(inputs)), order="deterministic"))


def read_states(folder: Path) -> InputStates:
    """What an index remembers of its inputs.

    Raises:
        IndexCorruptError: the file is missing or no such file.
    """
    path = folder / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=InputStates)
    except (OSError, *BROKEN_JSON) as error:
        raise IndexCorruptError(
            str(path), f"cannot be read ({error})", "Rebuild with codesearch reindex --full."
        ) from error
