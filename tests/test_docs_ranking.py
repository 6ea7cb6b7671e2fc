"""What `docs/ranking.md` says is true: its screen is what the command prints, its example runs, its numbers hold."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from cli_support import command_line
from docs_support import blocks, screens, tidy

import codesearch
from codesearch.config import config_root, corpus_folder
from codesearch.index.settings import read_settings

DOCUMENT = Path(__file__).parents[1] / "docs" / "ranking.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the shipped corpus."""
    place = tmp_path_factory.mktemp("ranking") / "my-index"
    codesearch.reindex([corpus_folder()], place, jobs=1)
    return place


def test_its_screen_is_what_the_command_prints(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    [(command, shown)] = screens(TEXT)
    program, *arguments = shlex.split(command)
    assert program == "codesearch"
    assert tidy(command_line(*arguments, index=index).output) == tidy(shown)


def test_its_example_runs(index: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(index.parent)
    [example] = blocks(TEXT, "python")
    exec(compile(example, DOCUMENT.name, "exec"), {})
    printed = capsys.readouterr().out
    assert "[cement]" in printed
    assert "<mark>cement</mark>" in printed


def test_its_numbers_are_those_of_the_configuration() -> None:
    ranking = read_settings(config_root() / "index").ranking
    for number in (
        *ranking.words.values(),
        ranking.billable,
        ranking.terminated,
        ranking.clinical,
        1 + ranking.entry_coverage,
    ):
        assert re.search(rf"(?<![\d.]){number:g}(?![\d.]*\d)", TEXT), number


def test_its_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (DOCUMENT.parent / link).exists(), link
