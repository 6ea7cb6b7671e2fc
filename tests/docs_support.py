"""What the tests of documentation share: its blocks of code, and the screens that it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

SECONDS = re.compile(r"after [\d.]+ s")


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def screens(text: str) -> Iterator[tuple[str, str]]:
    """Each command of the console blocks, with what is shown below it."""
    for block in blocks(text, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def tidy(text: str) -> list[str]:
    """The lines of a screen without what differs from run to run: seconds, blanks at the end, empty lines."""
    lines = [SECONDS.sub("after 0.0 s", line.rstrip()) for line in text.splitlines()]
    return [line for line in lines if line]
