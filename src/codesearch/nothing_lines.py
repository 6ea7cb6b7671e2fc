"""What is told when a search finds nothing: why, and commands that find something, in at most four lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from codesearch.formats import one_line
from codesearch.query.request import Filters

if TYPE_CHECKING:
    from codesearch.query.nothing import Cause
    from codesearch.query.results import Results

_SHOWN_CAUSES = 2
_SHOWN_WORDS = 5


def nothing_lines(results: Results) -> Iterator[str]:
    """The lines, safe to print; one where there are hits, but none on this page."""
    if results.nothing is None:
        yield f"no hits from there on: {results.rows:,} in all"
        return
    yield f"no hits for {one_line(results.plan.text)}"
    for cause in results.nothing.causes[:_SHOWN_CAUSES]:
        yield one_line(f"{_reason(cause)}: {command(cause.text, cause.options)}")
    unknown = results.nothing.unknown
    if unknown:
        more = f" and {len(unknown) - _SHOWN_WORDS} more" if len(unknown) > _SHOWN_WORDS else ""
        yield one_line(f"no record has {', '.join(unknown[:_SHOWN_WORDS])}{more}")


def command(text: str, options: dict[str, Any]) -> str:
    """The command that searches a text with some arguments of `Index.search`."""
    parts = ["codesearch", "search"]
    for name, value in options.items():
        for one in value if isinstance(value, tuple) else (value,):
            parts += [f"--{name}"] if one is True else [f"--{name}", str(one)]
    # A query that begins with a sign would be taken for an option.
    return shlex.join([*parts, *(["--"] if text.startswith("-") else []), text])


def _reason(cause: Cause) -> str:
    match cause.kind:
        case "spelling":
            return f"{cause.hits:,} with another spelling of {cause.what}"
        case "filter":
            systems = ", ".join(f"{number:,} in {system}" for system, number in cause.systems.items())
            name = f"--{cause.what}" if cause.what in Filters._fields else cause.what
            return f"{systems or f'{cause.hits:,}'} without {name}"
        case "exact":
            return f"{cause.hits:,} without --exact"
    return f"{cause.hits:,} without {cause.what}"
