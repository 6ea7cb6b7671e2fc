"""`docs/walk.md` leads a new user from nothing to a table: each of its commands is run, in order."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest
from cli_support import Cli
from docs_support import screens, tidy

from codesearch.config import corpus_folder

TEXT = (Path(__file__).parents[1] / "docs" / "walk.md").read_text(encoding="utf-8")


def test_the_walk_ends_with_a_table_of_matches(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus").symlink_to(corpus_folder())
    for name, text in re.findall(r"^```text (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODESEARCH_INDEX", str(tmp_path / "index"))
    for command, shown in screens(TEXT):
        typed, _, file = command.partition(" > ")
        program, *arguments = shlex.split(typed)
        assert program == "codesearch"
        result = cli(*arguments)
        assert result.exit_code == 0, result.output
        if file:
            (tmp_path / file).write_text(result.stdout, encoding="utf-8")
        else:
            assert tidy(result.output) == tidy(shown), command
    with (tmp_path / "matches.csv").open(encoding="utf-8") as table:
        found = {row["query"]: row["code"] for row in csv.DictReader(table)}
    assert found == {
        "hives": "L50.9",
        "T12 kyphoplasty": "22513",
        "colonoscopy, diagnostic": "45378",
        "broken hip rt side": "S72.001A",
        "zzzz": "",
    }
