"""Writes `docs/commands.md`, the command reference, from the help of every command.

    python tests/command_reference.py

`test_command_reference.py` fails when the page is not what this writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from codesearch.cli import commands

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
_HEAD = """\
# The commands

Made from `--help` by `python tests/command_reference.py`; a test fails when it is behind. Data goes to stdout, all else
to stderr. `CODESEARCH_INDEX` names the index where `--index` does not, `NO_COLOR` keeps colours away, and
`CODESEARCH_DEBUG=1` shows the traceback of an internal error.
"""


def reference() -> str:
    """The page."""
    return "\n".join([_HEAD, *_parts()])


def _parts() -> Iterator[str]:
    context = click.Context(
        commands, info_name="codesearch", max_content_width=100, terminal_width=100, **commands.context_settings
    )
    yield _help("codesearch", commands.get_help(context))
    for name in sorted(commands.commands):
        command = commands.commands[name]
        own = click.Context(command, context, name, max_content_width=100, terminal_width=100)
        yield _help(f"codesearch {name}", command.get_help(own))


def _help(name: str, text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"## `{name}`\n\n```text\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
