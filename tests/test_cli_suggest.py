"""`codesearch suggest` through click's runner: what goes where, in every form, and with which exit status."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import codesearch
from codesearch.cli import commands
from codesearch.formats import SUGGESTION_COLUMNS

OWN = [
    {"system": "LOCAL", "code": "W-1", "name": "Walk-in visit", "billable": "yes"},
    {"system": "LOCAL", "code": "W-2", "name": "Walk-in visits", "kind": "header", "billable": "no"},
    {"system": "LOCAL", "code": "W-3", "name": "Walk-in visit at night", "terminated": "2019-12-31"},
    {"system": "LOCAL", "code": "F-1", "name": '=HYPERLINK("http://evil.example") formula'},
    {"system": "LOCAL", "code": "M-1", "name": "[bold]markup[/bold] :smile:"},
    {"system": "LOCAL", "code": "T-1", "name": "\u001b[31mred\u001b[0m \u202etxet terminal \u2028 \u0085"},
    {"system": "LOCAL", "code": "S-1", "name": "Official wording", "synonyms": ["Plain words"]},
]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a user's own codes, odd ones among them."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in OWN))
    codesearch.reindex([folder / "own.jsonl"], folder / "index", jobs=1)
    return folder / "index"


def suggest(index: Path, *arguments: str, **variables: str) -> Result:
    """Runs the command on an index."""
    result = CliRunner(env=variables).invoke(commands, ["suggest", *arguments, "--index", str(index)])
    assert "Traceback" not in result.output
    return result


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_is_what_the_library_gives(pages: Path) -> None:
    result = suggest(pages, "vertebro", "--format", "json")
    with codesearch.open_index(pages) as index:
        assert objects(result) == json.loads(json.dumps([one.to_dict() for one in index.suggest("vertebro")]))
    assert (result.exit_code, result.stderr) == (0, "")


def test_words_need_no_quotes(pages: Path) -> None:
    assert suggest(pages, "bone", "cem").stdout == suggest(pages, "bone cem").stdout != ""


def test_options_are_passed_on(pages: Path) -> None:
    found = objects(suggest(pages, "c", "--system", "cpt4", "--limit", "3", "--format", "json"))
    assert [one["system"] for one in found] == ["CPT"] * 3


def test_billable_leaves_out_the_others(own: Path) -> None:
    assert [one["code"] for one in objects(suggest(own, "walk", "--billable", "--format", "json"))] == ["W-1"]


def test_a_table_shows_what_a_reader_needs(own: Path) -> None:
    table = suggest(own, "walk").stdout
    assert table.split()[:3] == ["system", "code", "text"]
    assert "Walk-in visits  [header]" in table
    assert "Walk-in visit at night  [terminated 2019-12-31]" in table
    lines = suggest(own, "plain").stdout.splitlines()
    assert [line.removeprefix("LOCAL").removeprefix("   S-1").strip() for line in lines[1:]] == [
        "Plain words",
        "Official wording",
    ]


def test_a_correction_is_told(own: Path) -> None:
    assert "Plain words  (typed: plian)" in suggest(own, "plian").stdout


def test_what_was_typed_is_marked_on_a_terminal(own: Path) -> None:
    assert "\x1b[1;32mPlai\x1b[0mn words" in suggest(own, "plai", FORCE_COLOR="1", COLUMNS="80").stdout


@pytest.mark.parametrize("width", ["40", "60", "200"])
def test_a_table_fits_the_columns_it_is_given(pages: Path, width: str) -> None:
    lines = suggest(pages, "bone", COLUMNS=width).stdout.splitlines()
    assert 0 < max(map(len, lines)) <= int(width)


def test_csv_has_a_header_and_a_row_each(pages: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(suggest(pages, "vertibro", "--format", "csv").stdout)))
    assert tuple(rows[0]) == SUGGESTION_COLUMNS
    assert rows[0]["rewrites"] == "vertibro -> vertebroplasty (spelling)"
    assert rows[0]["billable"] == ""


def test_no_cell_is_a_formula(own: Path) -> None:
    [row] = csv.DictReader(io.StringIO(suggest(own, "formula", "--format", "csv").stdout))
    assert row["text"].startswith("'=")
    assert row["name"].startswith("'=")


@pytest.mark.parametrize("form", ["table", "json", "csv"])
@pytest.mark.parametrize("typed", ["t-1", "etxet", "terminal"])
def test_nothing_steers_the_terminal(own: Path, form: str, typed: str) -> None:
    out = suggest(own, typed, "--format", form).output
    assert not set(out) & set("\x1b\u202e\u2028\x85")
    assert "terminal" in out


def test_text_of_records_is_no_markup(own: Path) -> None:
    assert "[bold]markup[/bold] :smile:" in suggest(own, "mark").stdout


@pytest.mark.parametrize("form", ["table", "json"])
def test_nothing_found_is_status_1_and_told_on_stderr(own: Path, form: str) -> None:
    result = suggest(own, "\x1bzzzz", "--format", form)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "nothing goes on from: \\x1bzzzz\n"


def test_nothing_found_in_csv_is_the_header_alone(own: Path) -> None:
    result = suggest(own, "zzzz", "--format", "csv")
    assert (result.exit_code, result.stdout) == (1, ",".join(SUGGESTION_COLUMNS) + "\n")


@pytest.mark.parametrize("arguments", [(), ("  ",), ("a", "--limit", "0"), ("a", "--limit", "1001")])
def test_wrong_usage(own: Path, arguments: tuple[str, ...]) -> None:
    assert suggest(own, *arguments).exit_code == 2


def test_an_unknown_system_is_wrong_usage(own: Path) -> None:
    result = suggest(own, "a", "--system", "snomed")
    assert result.exit_code == 2
    assert "Use one of: LOCAL" in result.stderr


def test_no_index_is_status_3(tmp_path: Path) -> None:
    assert suggest(tmp_path / "none", "a").exit_code == 3
