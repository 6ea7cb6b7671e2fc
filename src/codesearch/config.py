"""Where the configuration lies, and how its TOML files are read.

`ingest/` and `index/` are found beside the source tree in a checkout, and in `codesearch/shipped/` of an installed
wheel; `--config DIR` names a folder that holds both. What the files mean is declared by the rooms that use them, as
`msgspec.Struct`s: a key that nobody knows is an error, not a silence.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from codesearch.errors import ConfigError

T = TypeVar("T")

_LEARNING = threading.Lock()
"""See `codesearch.records.learnt`."""

_PACKAGE = Path(__file__).parent


@cache
def shipped_root() -> Path:
    """The folder that holds `ingest/`, `index/` and `corpus/`: the checkout, or the copy in the wheel."""
    checkout = _PACKAGE.parents[1]
    if (checkout / "pyproject.toml").is_file() and (checkout / "ingest").is_dir():
        return checkout
    return _PACKAGE / "shipped"


def config_root(override: Path | None = None) -> Path:
    """The folder that holds `ingest/` and `index/`.

    Raises:
        ConfigError: the override lacks one of them, or cannot be read.
    """
    root = override or shipped_root()
    for room in ("ingest", "index"):
        try:
            is_there = (root / room).is_dir()
        except OSError as error:
            raise ConfigError(
                str(root), f"cannot be read ({error.strerror})", "Ask for the right to read it."
            ) from error
        if not is_there:
            raise ConfigError(str(root), f"has no folder {room}/", "Copy it from the codesearch checkout and edit it.")
    return root


def corpus_folder() -> Path:
    """The pages that ship with codesearch."""
    return shipped_root() / "corpus"


def config_files(folder: Path, suffix: str) -> list[Path]:
    """The files of a folder whose names end in a suffix, in the order of their names.

    Raises:
        ConfigError: the folder cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
    except OSError as error:
        raise ConfigError(str(folder), f"cannot be read ({error.strerror})", "Restore the folder.") from error


def read_config(path: Path) -> bytes:
    """The content of a file of the configuration.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", "Restore the file.") from error


def read_toml(path: Path, kind: type[T]) -> T:
    """The file as the given type.

    Raises:
        ConfigError: it cannot be read, is no TOML, or does not fit the type.
    """
    import tomllib  # a search reads none

    try:
        document = tomllib.loads(read_config(path).decode())
        with _LEARNING:
            return msgspec.convert(document, kind)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(str(path), f"is no TOML ({error})", "Correct the line it names.") from error
    except msgspec.ValidationError as error:
        raise ConfigError(str(path), str(error), "Compare it with the README beside it.") from error


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The numbered lines of a word list, without comments (`#`) and blank lines.

    Raises:
        ConfigError: it cannot be read as UTF-8.
    """
    try:
        text = read_config(path).decode()
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"cannot be read ({error})", "Save it as UTF-8.") from error
    lines = ((number, line.split("#", 1)[0].strip()) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in lines if line]
