"""What the tests of commands share: running one through click, and reading what it prints."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from codesearch.cli import commands

Cli = Callable[..., Result]


def command_line(*arguments: str | Path, index: Path | None = None, given: bytes | str = "") -> Result:
    """Runs a command with its index and its input; nothing it does may end in a traceback."""
    place = ["--index", str(index)] if index else []
    result = CliRunner().invoke(commands, [*map(str, arguments), *place], input=given)
    assert "Traceback" not in result.output
    return result


def objects(result: Result) -> list[dict[str, Any]]:
    """The JSON objects of stdout, one a line."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def rows(result: Result) -> list[dict[str, str]]:
    """The rows of a CSV on stdout."""
    return list(csv.DictReader(io.StringIO(result.stdout)))
