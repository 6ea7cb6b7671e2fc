"""What the tests of documents share: their blocks, and that a shown screen is what the command prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from codesearch.cli import commands

_SECONDS = re.compile(r"after [\d.]+ s")


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a language in a Markdown document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def screens(document: str) -> Iterator[tuple[str, str]]:
    """Each command of the console blocks, with what the document shows below it."""
    for block in blocks(document, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def assert_shows(command: str, shown: str, index: Path) -> None:
    """The command prints what is shown, but for blanks at the ends of lines, empty lines, and seconds."""
    program, *arguments = shlex.split(command)
    printed = CliRunner().invoke(commands, arguments, env={"CODESEARCH_INDEX": str(index)}).output
    assert program == "codesearch"
    assert _tidy(printed) == _tidy(shown)


def _tidy(text: str) -> list[str]:
    lines = [_SECONDS.sub("after 0.0 s", line.rstrip()) for line in text.splitlines()]
    return [line for line in lines if line]
