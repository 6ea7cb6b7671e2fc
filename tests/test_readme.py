"""The README says what is true: its screens are what the commands print, its example runs, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from docs_support import blocks, screens, tidy

from codesearch.cli import commands
from codesearch.config import corpus_folder

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def index(pages: Path) -> Path:
    """The index of the shipped corpus."""
    return pages


@pytest.mark.parametrize(("command", "shown"), list(screens(README)))
def test_a_screen_is_what_the_command_prints(
    command: str, shown: str, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("COLUMNS", raising=False)
    program, *arguments = shlex.split(command)
    place = tmp_path / "index" if arguments[0] == "reindex" else index
    printed = CliRunner().invoke(commands, arguments, env={"CODESEARCH_INDEX": str(place)}).output
    assert program == "codesearch"
    assert tidy(printed) == tidy(shown)


def test_there_are_screens() -> None:
    assert [command.split()[1] for command, _ in screens(README)] == ["reindex", "search", "search"]


def test_the_python_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").symlink_to(corpus_folder())
    monkeypatch.chdir(tmp_path)
    [example] = blocks(README, "python")
    exec(compile(example, "README.md", "exec"), {})
    assert "22512" in capsys.readouterr().out


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", README)
    assert links
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_commands_that_ci_runs_are_there() -> None:
    for name in ("install", "tests"):
        assert f"<!-- {name} -->\n```sh\n" in README
