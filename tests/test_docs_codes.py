"""`docs/codes.md` says what is true: its screens are what the commands print, and its examples run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from cli_support import Cli
from docs_support import blocks, screens, tidy

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "codes.md").read_text(encoding="utf-8")


def test_the_screens_are_what_the_commands_print(
    pages: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    [table] = blocks(TEXT, "csv")
    (tmp_path / "wards.csv").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODESEARCH_INDEX", str(pages))
    for command, shown in screens(TEXT):
        program, *arguments = shlex.split(command)
        assert program == "codesearch"
        assert tidy(cli(*arguments).output) == tidy(shown), command


def test_the_python_examples_run(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my-index").symlink_to(pages)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for example in blocks(TEXT, "python"):
        exec(compile(example, "codes.md", "exec"), names)
    said = capsys.readouterr().out
    assert "Percutaneous Vertebroplasty and Kyphoplasty (SUR118)" in said
    assert "E11.99 The nearest are E11.9" in said


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (DOCS / link).exists(), link
