"""Nothing that is shown steers a terminal or a spreadsheet, whatever strangers wrote into texts and file names."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from codesearch.cli import commands

NASTY = (
    "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u202c \u2066x\u2069 \x9b31m bell\x07 "
    "\r over \b\b back \u2028 line \x85 next"
)
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1")
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Sources whose names, texts and file names steer terminals and spreadsheets, and their index."""
    folder = tmp_path_factory.mktemp("nasty")
    sources = folder / "sources \x1b[31m\u202e"
    sources.mkdir()
    rows: list[dict[str, object]] = [
        {"system": "LOCAL", "code": "A1", "name": NASTY, "synonyms": [NASTY], "summary": NASTY, "notes": [NASTY]}
    ]
    rows += [
        {"system": "LOCAL", "code": f"B{number}", "name": f"{formula} formula"}
        for number, formula in enumerate(FORMULAS)
    ]
    rows += [{"system": "S\x1b[31m", "code": "C\x071", "name": "system red", "policies": [{"title": NASTY}]}]
    (sources / "own\x07.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (sources / "bad\x1b[2J.html").write_text(f"<h1>{NASTY}</h1>", encoding="utf-8")
    os.close(os.open(os.fsencode(sources) + b"/\xff\x1b[31m.html", os.O_CREAT))
    return sources, folder / "index"


@pytest.mark.parametrize(
    "arguments",
    [
        ["reindex"],
        *(["search", "red", "--format", form] for form in ("table", "json", "csv")),
        *(["search", NASTY.replace("\0", ""), "--format", form] for form in ("table", "json", "csv")),
        ["search", "zz\x1b[31m\u202e"],
        ["search", "zz\x1b[31m OR AND", "--explain"],
        ["search", "red", "--explain"],
        ["search", "red", "--explain", "--format", "json"],
        ["search", "red", "--facets"],
        ["search", "name:red\x1b[31m -x\u202e", "--system", "LOCAL"],
        *(["suggest", "red", "--format", form] for form in ("table", "json")),
        ["suggest", "red\x1b[31m\u202e"],
        *(["similar", "A1", "--format", form] for form in ("table", "json")),
        *(["policies", "C1", "--format", form] for form in ("table", "json")),
        *(["show", "A1", "--format", form] for form in ("table", "json")),
        ["show", "C1", "--system", "S\x1b[31m"],
        ["show", "no\x1b[31m"],
        ["status"],
        ["verify"],
    ],
    ids=lambda arguments: " ".join(arguments)[:30].encode("unicode_escape").decode(),
)
def test_nothing_that_is_shown_steers_a_terminal(nasty: tuple[Path, Path], arguments: list[str]) -> None:
    sources, place = nasty
    if not place.exists() or arguments == ["reindex"]:
        done = CliRunner().invoke(commands, ["reindex", str(sources), "--index", str(place), "--force"])
    if arguments != ["reindex"]:
        done = CliRunner().invoke(commands, [*arguments, "--index", str(place)])
    for text in (done.stdout, done.stderr):
        assert not _STEERING.search(text), text.encode("unicode_escape")
    assert "internal error" not in done.output


def test_no_cell_of_csv_is_a_formula(nasty: tuple[Path, Path]) -> None:
    sources, place = nasty
    CliRunner().invoke(commands, ["reindex", str(sources), "--index", str(place), "--force"])
    done = CliRunner().invoke(commands, ["search", "formula", "--format", "csv", "--index", str(place)])
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert len(rows) == 1 + len(FORMULAS)
    for row in rows[1:]:
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row)
        assert not any(cell.startswith("-") and not re.fullmatch(r"-?[\d.]+", cell) for cell in row)
