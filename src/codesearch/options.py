"""What several commands share: options, and the exit statuses that they return."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

DONE, NO_HITS, USAGE, UNUSABLE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 70, 130


def _default_index(_ctx: click.Context, _option: click.Parameter, value: Path | None) -> Path:
    if value is not None:
        return value
    from platformdirs import user_data_path

    return user_data_path("codesearch", appauthor=False) / "index"


def index_option(function: Function) -> Function:
    """`--index DIR`, for every command that needs an index."""
    return click.option(
        "--index",
        "-i",
        type=click.Path(path_type=Path),
        envvar="CODESEARCH_INDEX",
        callback=_default_index,
        metavar="DIR",
        help="Where the index is.  [default: $CODESEARCH_INDEX, else your user data folder]",
    )(function)


def format_option(*formats: str) -> Callable[[Function], Function]:
    """`--format`, the first one being the default."""
    return click.option(
        "--format",
        "-f",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to print.",
    )
