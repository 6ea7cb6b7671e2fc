"""What is too large to be read, and what is no code page: `ingest/gate.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from codesearch.config import read_toml

Count = Annotated[int, msgspec.Meta(ge=1)]


class FileLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file and an archive may hold: bytes, rejected parts, members, and unpacked to packed bytes."""

    max_bytes: Count
    max_json_bytes: Count
    max_rejects: Count
    max_member_bytes: Count
    max_unpacked_bytes: Count
    max_ratio: Count
    max_members: Count


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of a page, the words of pages that are none, and the limits of files."""

    max_bytes: Count
    max_tags: Count
    max_lines: Count
    max_attributes: Count
    min_words: Count
    files: FileLimits
    reasons: dict[str, list[str]]


def read_gate(folder: Path) -> Gate:
    """The gate of a folder such as `ingest/`.

    Raises:
        ConfigError: its file is missing or wrong.
    """
    return read_toml(folder / "gate.toml", Gate)
