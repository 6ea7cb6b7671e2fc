"""The options of a search: filters, cursors, groups and facets, and how its query is told from them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_support import Cli, objects, rows

import codesearch

OWN = [
    {"system": "LOCAL", "code": "W-1", "name": "Walk-in visit", "billable": "yes"},
    {"system": "LOCAL", "code": "W-2", "name": "Walk-in visits", "kind": "header", "billable": "no"},
    {"system": "LOCAL", "code": "W-3", "name": "Walk-in visit at night", "terminated": "2019-12-31"},
]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a user's own codes."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in OWN))
    codesearch.reindex([folder / "own.jsonl"], folder / "index", jobs=1)
    return folder / "index"


def test_operators_and_fields(cli: Cli, pages: Path) -> None:
    def codes(*arguments: str) -> list[str]:
        return [hit["code"] for hit in objects(cli("search", *arguments, "--format", "json", index=pages))]

    assert codes('"bone cement" -neck') == codes('"bone cement"', "NOT", "neck")
    assert "22512" not in codes('"bone cement" -neck')
    assert codes("excludes:diabetes") == ["E11.9"]


def test_a_query_may_begin_with_a_sign(cli: Cli, pages: Path) -> None:
    signed = cli("search", "-neck cement", "-n", "3", index=pages)
    assert (signed.exit_code, signed.stdout) == (0, cli("search", "cement -neck", "-n", "3", index=pages).stdout)


def test_what_was_not_read_is_told(cli: Cli, pages: Path) -> None:
    assert "rsks: is no field; near it: risks" in cli("search", "rsks:infection", index=pages).stderr
    assert 'ignored a lone "' in cli("search", '"kidney stone', index=pages).stderr
    [answer] = objects(cli("search", "--batch", "-", index=pages, given='"kidney stone\n'))
    assert answer["notes"] == ['ignored a lone "']
    [answer] = objects(cli("search", "--batch", "-", index=pages, given="kidney stone\n"))
    assert "notes" not in answer


def test_options_have_short_names(cli: Cli, own: Path) -> None:
    short = cli("search", "walk-in visit", "-s", "local", "-b", "-n", "1", "-f", "json", "-i", own)
    [hit] = objects(short)
    assert hit["code"] == "W-1"


def test_filters(cli: Cli, pages: Path, own: Path) -> None:
    def found(index: Path, *options: str) -> set[str]:
        return {hit["code"] for hit in objects(cli("search", *options, "--format", "json", index=index))}

    assert found(own, "walk-in", "--kind", "header") == {"W-2"}
    assert found(own, "walk-in", "--on", "2025-01-01") == {"W-1", "W-2"}
    assert found(own, "walk-in", "--on", "2019-01-01") == {"W-1", "W-2", "W-3"}
    assert "A4253" in found(pages, "test", "--setting", "home")


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--on", "soon", "2025-01-31"),
        ("--kind", "banana", "There are: code"),
        ("--parent", "Z99", "codesearch show"),
        ("--cursor", "banana", "Begin again"),
    ],
)
def test_a_wrong_value_is_wrong_usage(cli: Cli, pages: Path, option: str, value: str, told: str) -> None:
    result = cli("search", "pain", option, value, index=pages)
    assert result.exit_code == 2
    assert told in result.stderr


def test_cursors_lead_from_page_to_page(cli: Cli, pages: Path) -> None:
    whole = objects(cli("search", "pain", "-n", "7", "-f", "json", index=pages))
    first = cli("search", "pain", "-n", "4", "-f", "json", "--cursor", "start", index=pages)
    [cursor] = re.findall(r"^next page: --cursor (\S+)$", first.stderr, re.MULTILINE)
    second = cli("search", "pain", "-n", "3", "-f", "json", "--cursor", cursor, index=pages)
    assert objects(first) + objects(second) == whole
    assert "--cursor" not in cli("search", "pain", "-n", "4", index=pages).stderr


def test_facets(cli: Cli, pages: Path) -> None:
    table = cli("search", "pain", "--facets", index=pages)
    assert re.search(r"^system +CPT \(\d+\), ", table.stdout, re.MULTILINE)
    *hits, counts = objects(cli("search", "pain", "--facets", "-f", "json", index=pages))
    assert counts["total"] == sum(counts["facets"]["system"].values()) >= len(hits)
    [answer] = objects(cli("search", "--facets", "--batch", "-", index=pages, given="pain\n"))
    assert answer["facets"] == counts["facets"]
    assert cli("search", "pain", "--facets", "-f", "csv", index=pages).exit_code == 2


def test_groups(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "knees.csv"
    sides = "".join(
        f"ICD10CM,M25.56{number},Pain in {side} knee,M25.56\n" for number, side in (("1", "right"), ("2", "left"))
    )
    file.write_text(f"system,code,name,parent\nICD10CM,M25.56,Pain in knee,\n{sides}")
    cli("reindex", file, index=tmp_path / "index")
    table = cli("search", "knee", "--group", "-n", "1", index=tmp_path / "index")
    assert "hits 1 to 1 of 2 (3 codes)" in table.stderr
    found = objects(cli("search", "knee", "--group", "-f", "json", index=tmp_path / "index"))
    assert sorted([row["code"], *row["siblings"]] for row in found) == [["M25.56"], ["M25.561", "M25.562"]]
    assert "and 1 more: M25.562" in cli("search", "knee", "--group", index=tmp_path / "index").stdout
    in_csv = rows(cli("search", "knee", "--group", "-f", "csv", index=tmp_path / "index"))
    assert sorted(row["siblings"] for row in in_csv) == ["", "M25.562"]


def test_nothing_found_tells_why_and_what_to_try(cli: Cli, pages: Path) -> None:
    result = cli("search", "wheelchair", "--system", "icd10cm", index=pages)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "no hits for wheelchair",
        "1 in HCPCS without --system: codesearch search wheelchair",
    ]
    assert "showing results" not in cli("search", '"kidny stones"', index=pages).stderr


def test_what_a_range_and_a_condition_find_is_explained(cli: Cli, pages: Path) -> None:
    table = cli("search", "22510-22514 lumbar", "--explain", index=pages).stdout
    assert re.search(r"tier 2, code prefix or range: 22510-22514: score [\d.]+ = name", table)
    assert "tier 3, a condition of the query" in cli("search", "system:hcpcs", "--explain", index=pages).stdout
