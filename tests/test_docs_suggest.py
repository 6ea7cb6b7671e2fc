"""`docs/suggest.md` says what is true: its screens are what the commands print, its example prints what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import codesearch
from codesearch.cli import commands
from codesearch.config import corpus_folder

PAGE = (Path(__file__).parents[1] / "docs" / "suggest.md").read_text(encoding="utf-8")
SCREENS = [
    part.split("\n", 1)
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the shipped corpus, where the page says that it is."""
    place = tmp_path_factory.mktemp("docs") / "my-index"
    codesearch.reindex([corpus_folder()], place, jobs=1)
    return place


@pytest.mark.parametrize(("command", "shown"), SCREENS)
def test_a_screen_is_what_the_command_prints(
    command: str, shown: str, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    program, *arguments = shlex.split(command)
    result = CliRunner().invoke(commands, arguments, env={"CODESEARCH_INDEX": str(index)})
    assert (program, result.exit_code, result.stderr) == ("codesearch", 0, "")
    assert [line.rstrip() for line in result.stdout.splitlines()] == shown.strip().splitlines()


def test_the_example_prints_what_is_shown(
    index: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(index.parent)
    [example] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    [shown] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(example, "docs/suggest.md", "exec"), {})
    assert capsys.readouterr().out == shown


def test_every_field_of_a_suggestion_is_named() -> None:
    assert all(f"`{field}`" in PAGE for field in codesearch.Suggestion._fields)
