"""The commands about one code: the whole record with its family, similar codes, and policies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli, objects, rows

import codesearch
from codesearch.formats import POLICY_COLUMNS, SIMILAR_COLUMNS

ODD = "\u001b[31mred\u001b[0m \u202etxet \u2028 \u0085"
WARDS = [
    {"system": "WARD", "code": "H", "name": "Heart ward", "kind": "header"},
    {"system": "WARD", "code": "H1", "name": "Beds by day", "kind": "header", "parent": "H"},
    *(
        {"system": "WARD", "code": f"H1-{number:02}", "name": f"Bed {number}", "parent": "H1", "billable": "yes"}
        for number in range(25)
    ),
    {"system": "WARD", "code": "H2", "name": "Beds by night", "parent": "H", "terminated": "2020-12-31"},
    {"system": "WARD", "code": "X1", "name": "=1+1", "parent": "H1"},
    {"system": "HCPCS", "code": "A0100", "name": f"Taxi {ODD}", "properties": {"coverage": f"carrier {ODD}"}},
    {"system": "ICD10CM", "code": "A01.00", "name": "Typhoid fever"},
    {"system": "LOCAL", "code": "Q9", "name": "Nothing like it"},
]


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of a user's own codes, with a hierarchy and odd characters."""
    folder = tmp_path_factory.mktemp("wards")
    source = folder / "wards.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in WARDS))
    codesearch.reindex([source], folder / "index", jobs=1)
    return folder / "index"


class TestShow:
    def test_the_codes_above_and_below_are_a_tree(self, cli: Cli, wards: Path) -> None:
        lines = [line.rstrip() for line in cli("show", "H1", index=wards).stdout.splitlines()]
        start = lines.index("Hierarchy")
        assert lines[start + 1 : start + 5] == [
            "  H  Heart ward",
            "  └── H1  Beds by day",
            "      ├── H1-00  Bed 0",
            "      ├── H1-01  Bed 1",
        ]
        assert lines[start + 22 : start + 24] == ["      ├── H1-19  Bed 19", "      └── and 6 more"]

    def test_children_say_what_they_are_and_how_much_lies_below_them(self, cli: Cli, wards: Path) -> None:
        shown = cli("show", "H", index=wards).stdout
        assert "H1  Beds by day  [header]  (25 billable below)" in shown
        assert "H2  Beds by night  [terminated 2020-12-31]" in shown

    def test_a_code_without_a_family_has_no_tree(self, cli: Cli, wards: Path) -> None:
        assert "Hierarchy" not in cli("show", "Q9", index=wards).stdout

    def test_properties_stand_under_a_heading_of_their_own(self, cli: Cli, pages: Path) -> None:
        lines = cli("show", "0FT44ZZ", index=pages).stdout.splitlines()
        start = lines.index("Properties")
        assert [line.split()[0] for line in lines[start + 1 : start + 3]] == ["approach", "body"]

    def test_a_code_of_two_systems_is_shown_with_both_families(self, cli: Cli, wards: Path) -> None:
        shown = cli("show", "A0100", index=wards).stdout
        assert "HCPCS A0100  Taxi" in shown
        assert "ICD10CM A01.00  Typhoid fever" in shown

    def test_json_is_the_record_alone(self, cli: Cli, wards: Path) -> None:
        [shown] = objects(cli("show", "H1", "--format", "json", index=wards))
        with codesearch.open_index(wards) as index:
            record = index.get("H1")
        assert record is not None
        assert shown == record.to_dict()

    def test_a_code_that_is_not_there_leads_to_the_nearest(self, cli: Cli, pages: Path) -> None:
        result = cli("show", "E11.99", index=pages)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "E11.9 (Type 2 diabetes mellitus without complications)" in result.stderr
        assert len(result.stderr.splitlines()) == 1

    @pytest.mark.parametrize("command", ["show", "similar", "policies"])
    @pytest.mark.parametrize("form", ["table", "json"])
    def test_nothing_steers_the_terminal(self, cli: Cli, wards: Path, command: str, form: str) -> None:
        for code in ("A0100", ODD):
            out = cli(command, code, "--format", form, index=wards).output
            assert not set(out) & set("\x1b\u202e\u2028\x85")


class TestSimilar:
    def test_the_table_gives_each_code_with_its_reason(self, cli: Cli, pages: Path) -> None:
        result = cli("similar", "22512", index=pages)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "CPT      22511" in result.stdout
        for reason in ("listed on the code's page\n", "listed on the code's page; not in this index", "shares: "):
            assert reason in "\n".join(line.rstrip() + "\n" for line in result.stdout.splitlines())

    def test_json_is_what_the_library_gives(self, cli: Cli, pages: Path) -> None:
        with codesearch.open_index(pages) as index:
            expected = [hit.to_dict() for hit in index.similar("22512", limit=3)]
        assert objects(cli("similar", "22512", "--limit", "3", "--format", "json", index=pages)) == expected

    def test_csv_has_a_header_and_a_row_a_code(self, cli: Cli, pages: Path) -> None:
        found = rows(cli("similar", "22512", "--format", "csv", index=pages))
        assert tuple(found[0]) == SIMILAR_COLUMNS
        assert (found[0]["code"], found[0]["in_index"], found[0]["reason"]) == ("22510", "true", "listed")

    def test_no_cell_is_a_formula(self, cli: Cli, wards: Path) -> None:
        names = [row["name"] for row in rows(cli("similar", "H1-24", "--limit", "60", "--format", "csv", index=wards))]
        assert "'=1+1" in names

    def test_the_system_says_where_the_code_is_looked_up(self, cli: Cli, wards: Path) -> None:
        assert cli("similar", "H1-03", "--system", "ward", index=wards).exit_code == 0
        assert "no such code in CPT" in cli("similar", "H1-03", "--system", "cpt4", index=wards).stderr

    @pytest.mark.parametrize("form", ["table", "json"])
    def test_nothing_similar_is_status_1(self, cli: Cli, wards: Path, form: str) -> None:
        result = cli("similar", "Q9", "--format", form, index=wards)
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", "no codes like Q9 in this index\n")

    @pytest.mark.parametrize("arguments", [(), ("22512", "--limit", "0"), ("22512", "--format", "xml")])
    def test_wrong_usage(self, cli: Cli, pages: Path, arguments: tuple[str, ...]) -> None:
        assert cli("similar", *arguments, index=pages).exit_code == 2


class TestPolicies:
    def test_of_a_code(self, cli: Cli, pages: Path) -> None:
        result = cli("policies", "22512", index=pages)
        assert (result.exit_code, result.stderr) == (0, "")
        assert [line.split() for line in result.stdout.splitlines()][1:] == [
            ["CPT", "22512", "Percutaneous", "Vertebroplasty", "and", "Kyphoplasty", "(SUR118)"],
            ["CPT", "22512", "Bone", "Cement", "and", "Spinal", "Implants", "(CG204)"],
        ]

    def test_by_the_words_of_a_policy(self, cli: Cli, pages: Path) -> None:
        found = objects(cli("policies", "--policy", "sur118", "--format", "json", index=pages))
        assert [row["code"] for row in found] == ["22510", "22512", "22513", "M80.08XA"]
        assert list(found[0]) == list(POLICY_COLUMNS)
        table = cli("policies", "--policy", "sur118", index=pages).stdout
        assert "Age-related osteoporosis" in table

    def test_by_payer_and_policy_in_csv(self, cli: Cli, pages: Path) -> None:
        arguments = ("--payer", "HARBOR", "--policy", "lumbar", "--format", "csv")
        result = cli("policies", *arguments, index=pages)
        assert (result.exit_code, rows(result)) == (1, [])
        assert result.stderr == "no policy has lumbar HARBOR\n"
        found = rows(cli("policies", "--payer", "HARBOR", "--policy", "spine", "--format", "csv", index=pages))
        assert [(row["code"], row["payer"], row["effective"]) for row in found] == [
            ("63030", "Harbor Mutual", "2025-03-15")
        ]

    def test_only_of_a_system(self, cli: Cli, pages: Path) -> None:
        found = objects(cli("policies", "--policy", "sur118", "--system", "icd10", "--format", "json", index=pages))
        assert [row["code"] for row in found] == ["M80.08XA"]

    def test_a_code_that_no_policy_names_is_status_1(self, cli: Cli, pages: Path) -> None:
        result = cli("policies", "31575", index=pages)
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", "no policy names 31575\n")

    @pytest.mark.parametrize("arguments", [(), ("22512", "--policy", "x"), ("22512", "--payer", "x"), ("--policy", "")])
    def test_wrong_usage(self, cli: Cli, pages: Path, arguments: tuple[str, ...]) -> None:
        result = cli("policies", *arguments, index=pages)
        assert (result.exit_code, result.stdout) == (2, "")

    def test_words_that_say_nothing_are_wrong_usage(self, cli: Cli, pages: Path) -> None:
        result = cli("policies", "--policy", "the", index=pages)
        assert result.exit_code == 2
        assert "at least one word" in result.stderr


@pytest.mark.parametrize("arguments", [("similar", "x"), ("policies", "x"), ("policies", "--payer", "x")])
def test_without_an_index_the_next_step_is_told(cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments, index=tmp_path / "none")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "codesearch reindex" in result.stderr
