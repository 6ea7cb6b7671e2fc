"""The command line through click's runner: what goes to stdout, what to stderr, and with which exit status."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest
from cli_support import Cli, objects

import codesearch
from codesearch.cli import commands

OWN = [
    {"system": "LOCAL", "code": "W-1", "name": "Walk-in visit", "billable": "yes"},
    {"system": "LOCAL", "code": "W-2", "name": "Walk-in visits", "kind": "header", "billable": "no"},
    {"system": "LOCAL", "code": "W-3", "name": "Walk-in visit at night", "terminated": "2019-12-31"},
    {"system": "LOCAL", "code": "F-1", "name": '=HYPERLINK("http://evil.example") formula'},
    {"system": "LOCAL", "code": "F-2", "name": "+1 formula"},
    {"system": "LOCAL", "code": "F-3", "name": "-1 formula"},
    {"system": "LOCAL", "code": "F-4", "name": "@cmd formula"},
    {"system": "LOCAL", "code": "M-1", "name": "[bold]markup[/bold] :smile:"},
    {"system": "LOCAL", "code": "T-1", "name": "\u001b[31mred\u001b[0m \u202etxet terminal \u2028 \u0085"},
    {"system": "HCPCS", "code": "A0100", "name": "Taxi ride"},
    {"system": "ICD10CM", "code": "A01.00", "name": "Typhoid fever"},
]
HIT_FIELDS = [
    "rank",
    "system",
    "code",
    "kind",
    "name",
    "billable",
    "terminated",
    "release",
    "score",
    "tier",
    "snippet",
    "matched",
]


@pytest.fixture(scope="module")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own codes, odd ones among them."""
    file = tmp_path_factory.mktemp("own") / "own.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in OWN))
    return file


@pytest.fixture(scope="module")
def own(own_file: Path) -> Path:
    """The index of those codes."""
    codesearch.reindex([own_file], own_file.parent / "index", jobs=1)
    return own_file.parent / "index"


class TestReindex:
    def test_a_summary_is_printed(self, cli: Cli, own_file: Path, tmp_path: Path) -> None:
        result = cli("reindex", own_file, index=tmp_path / "index")
        assert result.exit_code == 0
        assert "11 added, 0 changed, 0 unchanged, 0 removed" in result.stdout
        assert "generation 000001" in result.stdout

    def test_json_is_one_object(self, cli: Cli, own_file: Path, tmp_path: Path) -> None:
        [report] = objects(cli("reindex", own_file, "--format", "json", index=tmp_path / "index"))
        assert (report["records"], report["added"], report["published"]) == (11, 11, True)
        assert report["counts"]["LOCAL"] == {"total": 9, "code": 8, "header": 1}

    def test_the_sources_named_are_the_whole_index(self, cli: Cli, own_file: Path, tmp_path: Path) -> None:
        cli("reindex", own_file, index=tmp_path / "index")
        other = tmp_path / "other.csv"
        other.write_text("system,code,name\nLOCAL,Z-9,Only this one\n")
        [report] = objects(cli("reindex", other, "--force", "--format", "json", index=tmp_path / "index"))
        assert (report["added"], report["removed"]) == (1, 11)

    def test_too_many_rejects_publish_nothing(self, cli: Cli, tmp_path: Path) -> None:
        bad = tmp_path / "bad.csv"
        bad.write_text("system,code,name\nLOCAL,A-1,Good\nICD10CM,banana,Not a code\n")
        refused = cli("reindex", bad, index=tmp_path / "index")
        assert refused.exit_code == 4
        assert "nothing was published" in refused.stderr
        assert "bad.csv:3" in refused.stderr
        assert "published  nothing" in refused.stdout
        assert cli("status", index=tmp_path / "index").exit_code == 3
        assert cli("reindex", bad, "--force", index=tmp_path / "index").exit_code == 0
        assert cli("reindex", bad, "--max-rejects", "50", index=tmp_path / "index").exit_code == 0

    def test_a_refused_report_is_still_data(self, cli: Cli, tmp_path: Path) -> None:
        bad = tmp_path / "bad.csv"
        bad.write_text("system,code,name\nLOCAL,A-1,Good\nICD10CM,banana,Not a code\n")
        result = cli("reindex", bad, "--format", "json", index=tmp_path / "index")
        [report] = objects(result)
        assert (result.exit_code, report["published"], len(report["rejects"])) == (4, False, 1)

    def test_the_report_file_holds_every_reject(self, cli: Cli, tmp_path: Path) -> None:
        bad = tmp_path / "bad.csv"
        bad.write_text("system,code,name\n" + "ICD10CM,banana,Not a code\n" * 20 + "LOCAL,A-1,Good\n")
        result = cli("reindex", bad, "--report", tmp_path / "report", "--force", index=tmp_path / "index")
        lines = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
        assert sum(line["type"] == "reject" for line in lines) == 20
        assert "and 15 more" in result.stderr

    def test_a_source_that_is_not_there(self, cli: Cli, tmp_path: Path) -> None:
        result = cli("reindex", tmp_path / "nothing", index=tmp_path / "index")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "does not exist" in result.stderr

    def test_a_source_is_needed(self, cli: Cli) -> None:
        assert cli("reindex").exit_code == 2

    @pytest.mark.parametrize(
        "wrong",
        [("--jobs", "0"), ("--max-rejects", "101"), ("--config", "/nowhere"), ("--format", "csv"), ("--report", "/")],
    )
    def test_wrong_options(self, cli: Cli, own_file: Path, tmp_path: Path, wrong: tuple[str, str]) -> None:
        assert cli("reindex", own_file, *wrong, index=tmp_path / "index").exit_code == 2


class TestSearch:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("bone cement for a broken vertebra", "22512"),
            ("22512", "22512"),
            ("T12 kyphoplasty", "22513"),
            ("e119", "E11.9"),
            (" e11.9 ", "E11.9"),
            ("hives", "L50.9"),
        ],
    )
    def test_the_right_page_stands_first(self, cli: Cli, pages: Path, query: str, code: str) -> None:
        result = cli("search", query, "--format", "json", index=pages)
        assert result.exit_code == 0
        assert objects(result)[0]["code"] == code

    def test_a_hit_has_the_documented_fields(self, cli: Cli, pages: Path) -> None:
        for hit in objects(cli("search", "diabetes", "--format", "json", index=pages)):
            assert list(hit) == HIT_FIELDS

    def test_words_need_no_quotes(self, cli: Cli, pages: Path) -> None:
        apart = cli("search", "broken", "vertebra", "--format", "json", index=pages)
        assert apart.stdout == cli("search", "broken vertebra", "--format", "json", index=pages).stdout

    def test_a_table_shows_what_a_reader_needs(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "hives", index=pages)
        assert result.stdout.split()[:4] == ["#", "system", "code", "name"]
        assert "ICD10CM  L50.9  Urticaria, unspecified" in result.stdout

    def test_a_table_is_100_columns_wide_where_there_is_no_terminal(self, cli: Cli, pages: Path) -> None:
        lines = cli("search", "bone cement", index=pages).stdout.splitlines()
        assert max(map(len, lines)) <= 100

    @pytest.mark.parametrize("width", ["40", "60", "200"])
    def test_a_table_fits_the_columns_it_is_given(
        self, cli: Cli, pages: Path, monkeypatch: pytest.MonkeyPatch, width: str
    ) -> None:
        monkeypatch.setenv("COLUMNS", width)
        result = cli("search", "bone cement", index=pages)
        assert max(map(len, result.stdout.splitlines())) <= int(width)

    def test_names_are_never_cut(self, cli: Cli, pages: Path) -> None:
        [hit] = objects(cli("search", "22512", "--format", "json", index=pages))
        words = cli("search", "22512", index=pages).stdout.split()
        assert set(hit["name"].split()) <= set(words)

    def test_system_may_be_repeated_and_go_by_any_name(self, cli: Cli, pages: Path) -> None:
        chosen = cli("search", "diabetes", "--system", "cpt4", "--system", "icd-10-cm", "--format", "json", index=pages)
        assert {hit["system"] for hit in objects(chosen)} <= {"CPT", "ICD10CM"}

    def test_an_unknown_system_is_wrong_usage(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "diabetes", "--system", "snomed", index=pages)
        assert result.exit_code == 2
        assert "Use one of: CPT" in result.stderr

    def test_billable_leaves_out_the_others(self, cli: Cli, own: Path) -> None:
        hits = objects(cli("search", "walk-in visit", "--billable", "--format", "json", index=own))
        assert [hit["code"] for hit in hits] == ["W-1"]

    def test_pages_follow_each_other(self, cli: Cli, pages: Path) -> None:
        def page(*options: str) -> list[tuple[int, str]]:
            hits = objects(cli("search", "pain", "--format", "json", *options, index=pages))
            return [(hit["rank"], hit["code"]) for hit in hits]

        assert page("--limit", "3") + page("--limit", "3", "--offset", "3") == page("--limit", "6")

    def test_how_many_there_are_is_told(self, cli: Cli, pages: Path) -> None:
        assert "hits 1 to 2 of " in cli("search", "pain", "--limit", "2", index=pages).stderr

    def test_a_page_beyond_the_last_has_no_hits(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "hives", "--offset", "5000", index=pages)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "in all" in result.stderr

    def test_sort_by_code(self, cli: Cli, pages: Path) -> None:
        options = ("--sort", "code", "--system", "cpt", "--format", "json")
        codes = [hit["code"] for hit in objects(cli("search", "pain", *options, index=pages))]
        assert codes == sorted(codes)
        assert len(codes) > 1

    def test_corrections_and_synonyms_are_told_on_stderr(self, cli: Cli, pages: Path) -> None:
        assert "vertebroplasty (typed: vertebroplsty)" in cli("search", "vertebroplsty", index=pages).stderr
        assert "searched also urticaria" in cli("search", "hives", index=pages).stderr

    def test_exact_searches_only_what_is_typed(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "vertebroplsty", "--exact", index=pages)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no hits for vertebroplsty" in result.stderr

    def test_headers_and_terminated_codes_say_so(self, cli: Cli, own: Path) -> None:
        table = cli("search", "walk-in visit", index=own).stdout
        assert "Walk-in visits  [header]" in table
        assert "Walk-in visit at night  [terminated 2019-12-31]" in table
        assert [line.split()[-1] for line in table.splitlines() if "W-1" in line] == ["yes"]

    @pytest.mark.parametrize("arguments", [(), ("   ",), ("hives", "--batch", "-"), ("hives", "--limit", "0")])
    def test_wrong_usage(self, cli: Cli, pages: Path, arguments: tuple[str, ...]) -> None:
        assert cli("search", *arguments, index=pages).exit_code == 2

    def test_text_of_records_is_no_markup(self, cli: Cli, own: Path) -> None:
        assert "[bold]markup[/bold] :smile:" in cli("search", "M-1", index=own).stdout


class TestQueryLanguage:
    def test_operators_and_fields(self, cli: Cli, pages: Path) -> None:
        def codes(*arguments: str) -> list[str]:
            return [hit["code"] for hit in objects(cli("search", *arguments, "--format", "json", index=pages))]

        assert codes('"bone cement" -neck') == codes('"bone cement"', "NOT", "neck")
        assert "22512" not in codes('"bone cement" -neck')
        assert codes("excludes:diabetes") == ["E11.9"]

    def test_a_query_may_begin_with_a_sign(self, cli: Cli, pages: Path) -> None:
        signed = cli("search", "-neck cement", "-n", "3", index=pages)
        assert (signed.exit_code, signed.stdout) == (0, cli("search", "cement -neck", "-n", "3", index=pages).stdout)

    def test_what_was_not_read_is_told(self, cli: Cli, pages: Path) -> None:
        assert "rsks: is no field; near it: risks" in cli("search", "rsks:infection", index=pages).stderr
        assert 'ignored a lone "' in cli("search", '"kidney stone', index=pages).stderr
        [answer] = objects(cli("search", "--batch", "-", index=pages, given='"kidney stone\n'))
        assert answer["notes"] == ['ignored a lone "']
        [answer] = objects(cli("search", "--batch", "-", index=pages, given="kidney stone\n"))
        assert "notes" not in answer

    def test_options_have_short_names(self, cli: Cli, own: Path) -> None:
        short = cli("search", "walk-in visit", "-s", "local", "-b", "-n", "1", "-f", "json", "-i", own)
        [hit] = objects(short)
        assert hit["code"] == "W-1"

    def test_filters(self, cli: Cli, pages: Path, own: Path) -> None:
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
    def test_a_wrong_value_is_wrong_usage(self, cli: Cli, pages: Path, option: str, value: str, told: str) -> None:
        result = cli("search", "pain", option, value, index=pages)
        assert result.exit_code == 2
        assert told in result.stderr

    def test_cursors_lead_from_page_to_page(self, cli: Cli, pages: Path) -> None:
        whole = objects(cli("search", "pain", "-n", "7", "-f", "json", index=pages))
        first = cli("search", "pain", "-n", "4", "-f", "json", "--cursor", "start", index=pages)
        [cursor] = re.findall(r"^next page: --cursor (\S+)$", first.stderr, re.MULTILINE)
        second = cli("search", "pain", "-n", "3", "-f", "json", "--cursor", cursor, index=pages)
        assert objects(first) + objects(second) == whole
        assert "--cursor" not in cli("search", "pain", "-n", "4", index=pages).stderr

    def test_facets(self, cli: Cli, pages: Path) -> None:
        table = cli("search", "pain", "--facets", index=pages)
        assert re.search(r"^system +CPT \(\d+\), ", table.stdout, re.MULTILINE)
        *hits, counts = objects(cli("search", "pain", "--facets", "-f", "json", index=pages))
        assert counts["total"] == sum(counts["facets"]["system"].values()) >= len(hits)
        [answer] = objects(cli("search", "--facets", "--batch", "-", index=pages, given="pain\n"))
        assert answer["facets"] == counts["facets"]
        assert cli("search", "pain", "--facets", "-f", "csv", index=pages).exit_code == 2

    def test_groups(self, cli: Cli, tmp_path: Path) -> None:
        file = tmp_path / "knees.csv"
        sides = "".join(
            f"ICD10CM,M25.56{number},Pain in {side} knee,M25.56\n" for number, side in (("1", "right"), ("2", "left"))
        )
        file.write_text(f"system,code,name,parent\nICD10CM,M25.56,Pain in knee,\n{sides}")
        cli("reindex", file, index=tmp_path / "index")
        table = cli("search", "knee", "--group", "-n", "1", index=tmp_path / "index")
        assert "hits 1 to 1 of 2 (3 codes)" in table.stderr
        rows = objects(cli("search", "knee", "--group", "-f", "json", index=tmp_path / "index"))
        assert sorted([row["code"], *row["siblings"]] for row in rows) == [["M25.56"], ["M25.561", "M25.562"]]
        assert "and 1 more: M25.562" in cli("search", "knee", "--group", index=tmp_path / "index").stdout
        rows_of_csv = csv.DictReader(
            io.StringIO(cli("search", "knee", "--group", "-f", "csv", index=tmp_path / "index").stdout)
        )
        assert sorted(row["siblings"] for row in rows_of_csv) == ["", "M25.562"]

    def test_what_a_range_and_a_condition_find_is_explained(self, cli: Cli, pages: Path) -> None:
        table = cli("search", "22510-22514 lumbar", "--explain", index=pages).stdout
        assert re.search(r"tier 2, code prefix or range: 22510-22514: score [\d.]+ = name", table)
        assert "tier 3, a condition of the query" in cli("search", "system:hcpcs", "--explain", index=pages).stdout

    def test_nothing_found_tells_why_and_what_to_try(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "wheelchair", "--system", "icd10cm", index=pages)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.splitlines() == [
            "no hits for wheelchair",
            "1 in HCPCS without --system: codesearch search wheelchair",
        ]
        assert "showing results" not in cli("search", '"kidny stones"', index=pages).stderr


class TestCsv:
    def test_a_header_and_a_row_a_hit(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "diabetes", "--format", "csv", index=pages)
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        hits = objects(cli("search", "diabetes", "--format", "json", index=pages))
        assert list(rows[0]) == HIT_FIELDS
        assert [(row["system"], row["code"], row["name"]) for row in rows] == [
            (hit["system"], hit["code"], hit["name"]) for hit in hits
        ]

    def test_no_hits_give_the_header_alone(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "zzzzqqqq", "--format", "csv", index=pages)
        assert (result.exit_code, result.stdout) == (1, ",".join(HIT_FIELDS) + "\n")

    @pytest.mark.parametrize("code", ["F-1", "F-2", "F-3", "F-4"])
    def test_no_cell_is_a_formula(self, cli: Cli, own: Path, code: str) -> None:
        result = cli("search", code, "--format", "csv", index=own)
        [row] = csv.DictReader(io.StringIO(result.stdout))
        assert row["name"][0] == "'"
        assert not any(cell[:1] in set("=+-@\t\r") for cell in row.values())

    def test_the_words_of_a_query_reach_no_cell_unguarded(self, cli: Cli, own: Path) -> None:
        result = cli("search", "formula", "--format", "csv", index=own)
        cells = [cell for row in csv.reader(io.StringIO(result.stdout)) for cell in row]
        assert not any(cell[:1] in set("=+-@\t\r") for cell in cells)


class TestTextFromStrangers:
    @pytest.mark.parametrize("form", ["table", "json", "csv"])
    def test_nothing_steers_the_terminal(self, cli: Cli, own: Path, form: str) -> None:
        out = cli("search", "T-1", "--format", form, index=own).output
        assert not set(out) & set("\x1b\u202e\u2028\x85")
        assert "red" in out

    @pytest.mark.parametrize("form", ["table", "json"])
    def test_nor_does_the_whole_record(self, cli: Cli, own: Path, form: str) -> None:
        out = cli("show", "T-1", "--format", form, index=own).output
        assert not set(out) & set("\x1b\u202e\u2028\x85")

    def test_nor_does_what_was_typed(self, cli: Cli, own: Path) -> None:
        assert "\x1b" not in cli("search", "\x1b[31mzzzz", index=own).output
        assert "\x1b" not in cli("show", "\x1b[31mzzzz", index=own).output
        assert "\x1b" not in cli("search", "x", "--system", "\x1b[31m", index=own).output


class TestPassages:
    def test_a_section_is_named_before_its_passage(self, cli: Cli, pages: Path) -> None:
        shown = cli("search", "leak of cement", "--limit", "3", index=pages).stdout
        assert "Risks, common: Leak of cement into the neighboring disc" in shown

    def test_a_passage_begins_near_what_matched(self, cli: Cli, pages: Path) -> None:
        for line in cli("search", "cement", index=pages).stdout.splitlines():
            if "…" in line:
                assert "cement" in line.lower()


class TestExplain:
    def test_a_table_multiplies_up_to_the_score(self, cli: Cli, pages: Path) -> None:
        arguments = ("search", "bone cement vertibra", "--limit", "2")
        shown = cli(*arguments, "--explain", index=pages).stdout
        scores = [hit["score"] for hit in objects(cli(*arguments, "--format", "json", index=pages))]
        assert [float(found) for found in re.findall(r"score ([\d.]+) =", shown)] == [round(one, 3) for one in scores]
        sums = re.findall(r"([\d.]+) points((?: × [^×=]+)+) = ([\d.]+)", " ".join(shown.split()))
        assert len(sums) == 4
        for points, factors, score in sums:
            product = float(points) * math.prod(float(one) for one in re.findall(r"× ([\d.]+)", factors))
            assert product == pytest.approx(float(score), rel=0.02)

    def test_a_code_says_what_it_was_found_by(self, cli: Cli, pages: Path) -> None:
        assert "tier 1, exact code: e119" in cli("search", "e119", "--explain", index=pages).stdout

    def test_a_hit_by_conditions_alone_says_so(self, cli: Cli, pages: Path) -> None:
        assert "tier 3, a condition of the query" in cli("search", "system:hcpcs", "--explain", index=pages).stdout

    def test_json_has_the_explanation_only_when_asked_for(self, cli: Cli, pages: Path) -> None:
        for hit in objects(cli("search", "cement", "--format", "json", "--explain", index=pages)):
            assert list(hit) == [*HIT_FIELDS, "explanation"]
            assert hit["explanation"]["score"] == pytest.approx(hit["score"], rel=1e-3)
        for hit in objects(cli("search", "cement", "--format", "json", index=pages)):
            assert list(hit) == HIT_FIELDS

    def test_a_batch_in_rows_has_one_for_every_line(self, cli: Cli, pages: Path) -> None:
        result = cli(
            "search", "--batch", "-", "--format", "csv", "--limit", "2", index=pages, given="hives\nqqqzzz\n\n"
        )
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        assert [(row["query"], row["code"] != "", row["error"]) for row in rows if row["rank"] in ("", "1")] == [
            ("hives", True, ""),
            ("qqqzzz", False, ""),
            ("", False, "the line is empty"),
        ]

    def test_a_batch_explains_too(self, cli: Cli, pages: Path) -> None:
        [answer] = objects(cli("search", "--batch", "-", "--explain", index=pages, given="cement\n"))
        assert all("explanation" in hit for hit in answer["hits"])

    def test_it_does_not_go_with_csv(self, cli: Cli, pages: Path) -> None:
        assert cli("search", "cement", "--explain", "--format", "csv", index=pages).exit_code == 2

    def test_what_a_record_says_cannot_steer_the_terminal(self, cli: Cli, own: Path) -> None:
        out = cli("search", "red txet terminal", "--explain", index=own).output
        assert "score" in out
        assert not set(out) & set("\x1b\u202e\u2028\x85")


class TestBatch:
    def test_one_line_per_line_in_order(self, cli: Cli, pages: Path) -> None:
        lines = b"\xef\xbb\xbfe119\r\n\n  \nhives\xff\nzzzzqqqq\nhives"
        result = cli("search", "--batch", "-", index=pages, given=lines)
        first, empty, blank, wrong, none, last = objects(result)
        assert result.exit_code == 0
        assert (first["query"], first["total"], first["hits"][0]["code"]) == ("e119", 1, "E11.9")
        assert "error" in empty
        assert (blank["query"], "error" in blank) == ("  ", True)
        assert wrong["error"] == "the line is not UTF-8"
        assert (none["query"], none["total"], none["hits"]) == ("zzzzqqqq", 0, [])
        assert last["rewrites"] == [{"kind": "lay", "typed": "hives", "used": "urticaria"}]

    def test_from_a_file_with_options(self, cli: Cli, pages: Path, tmp_path: Path) -> None:
        (tmp_path / "queries").write_text("pain\nfracture\n")
        options = ("--limit", "1", "--system", "cpt")
        answers = objects(cli("search", "--batch", tmp_path / "queries", *options, index=pages))
        assert [len(answer["hits"]) for answer in answers] == [1, 1]
        assert all(answer["total"] > 1 for answer in answers)

    def test_hits_are_those_of_a_single_search(self, cli: Cli, pages: Path) -> None:
        [answer] = objects(cli("search", "--batch", "-", index=pages, given="pain\n"))
        assert answer["hits"] == objects(cli("search", "pain", "--format", "json", index=pages))

    def test_lines_with_odd_characters_stay_one_line(self, cli: Cli, pages: Path) -> None:
        given = "pain\u2028back\nfoo\x0bbar\x1dbaz\nlong " + "word " * 20_000 + "\n"
        result = cli("search", "--batch", "-", index=pages, given=given)
        assert [answer["query"][:4] for answer in objects(result)] == ["pain", "foo\x0b", "long"]

    def test_no_lines_no_answers(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "--batch", "-", index=pages)
        assert (result.exit_code, result.stdout) == (0, "")

    def test_options_that_are_wrong_for_every_line_are_told_once(self, cli: Cli, pages: Path) -> None:
        result = cli("search", "--batch", "-", "--system", "snomed", index=pages, given="pain\npain\n")
        assert (result.exit_code, result.stdout) == (2, "")

    @pytest.mark.parametrize(
        "arguments", [("--format", "table"), ("--format", "csv", "--explain"), ("--batch", "/nowhere")]
    )
    def test_wrong_usage(self, cli: Cli, pages: Path, arguments: tuple[str, ...]) -> None:
        assert cli("search", "--batch", "-", *arguments, index=pages).exit_code == 2


class TestShow:
    def test_a_whole_record(self, cli: Cli, pages: Path) -> None:
        page = cli("show", "22512", index=pages).stdout
        with codesearch.open_index(pages) as index:
            record = index.get("22512")
        assert record is not None
        for heading in ("Purpose", "Procedure", "Risks", "Recovery", "Policies", "Similar codes", "Sources"):
            assert f"\n{heading}\n" in page
        words = set(page.split())
        for text in (*record.procedure.steps, *record.risks.rare, *record.experience.after):
            assert set(text.split()) <= words
        assert "1. " in page

    @pytest.mark.parametrize("typed", ["e119", "E11.9", " e11.9"])
    def test_json_is_the_record(self, cli: Cli, pages: Path, typed: str) -> None:
        [shown] = objects(cli("show", typed, "--format", "json", index=pages))
        with codesearch.open_index(pages) as index:
            record = index.get("E11.9")
        assert record is not None
        assert shown == record.to_dict()

    def test_a_code_of_two_systems_is_shown_twice(self, cli: Cli, own: Path) -> None:
        assert [one["system"] for one in objects(cli("show", "A0100", "--format", "json", index=own))] == [
            "HCPCS",
            "ICD10CM",
        ]
        table = cli("show", "A0100", index=own).stdout
        assert "HCPCS A0100  Taxi ride" in table
        assert "ICD10CM A01.00  Typhoid fever" in table

    def test_unless_its_system_is_given(self, cli: Cli, own: Path) -> None:
        [shown] = objects(cli("show", "A0100", "--system", "icd-10-cm", "--format", "json", index=own))
        assert shown["code"] == "A01.00"

    def test_a_code_that_is_not_there(self, cli: Cli, pages: Path) -> None:
        for arguments in (("99999",), ("22512", "--system", "hcpcs"), ("22512", "--system", "snomed")):
            result = cli("show", *arguments, index=pages)
            assert (result.exit_code, result.stdout) == (1, "")
            assert "no such code" in result.stderr


class TestStatusVerifyRollback:
    def test_status_as_json(self, cli: Cli, own: Path) -> None:
        [status] = objects(cli("status", "--format", "json", index=own))
        assert list(status) == ["generation", "built", "counts", "sources", "size"]
        assert status["counts"]["LOCAL"] == {"total": 9, "code": 8, "header": 1}

    def test_status_as_a_table(self, cli: Cli, own: Path) -> None:
        table = cli("status", index=own).stdout
        assert "generation  000001, built " in table
        assert "own.jsonl" in table

    def test_a_sound_index_is_verified(self, cli: Cli, own: Path) -> None:
        result = cli("verify", index=own)
        assert (result.exit_code, result.stderr) == (0, "")
        assert objects(cli("verify", "--format", "json", index=own)) == [{"index": str(own), "problems": []}]

    def test_a_changed_file_is_found(self, cli: Cli, own_file: Path, tmp_path: Path) -> None:
        index = tmp_path / "index"
        cli("reindex", own_file, index=index)
        file = index / "generations" / "000001" / "records.bin"
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        result = cli("verify", index=index)
        assert (result.exit_code, result.stdout) == (3, "records.bin: does not match its checksum\n")
        [found] = objects(cli("verify", "--format", "json", index=index))
        assert [problem["name"] for problem in found["problems"]] == ["records.bin"]

    def test_every_damaged_file_is_listed(self, cli: Cli, own_file: Path, tmp_path: Path) -> None:
        index = tmp_path / "index"
        cli("reindex", own_file, index=index)
        folder = index / "generations" / "000001"
        (folder / "records.bin").unlink()
        (folder / "stranger").write_text("x")
        result = cli("verify", index=index)
        assert result.exit_code == 3
        assert result.stdout.splitlines() == ["records.bin: is missing", "stranger: does not belong to the index"]

    def test_rollback_goes_back_and_forth(self, cli: Cli, own_file: Path, tmp_path: Path) -> None:
        index = tmp_path / "index"
        cli("reindex", own_file, index=index)
        assert cli("rollback", index=index).exit_code == 3
        cli("reindex", own_file, index=index)
        assert cli("rollback", index=index).exit_code == 0
        assert objects(cli("status", "--format", "json", index=index))[0]["generation"] == "000001"
        assert "before it   000002" in cli("status", index=index).stdout
        [back] = objects(cli("rollback", "--format", "json", index=index))
        assert back["generation"] == "000002"


class TestIndexPlace:
    COMMANDS = (("search", "x"), ("show", "x"), ("status",), ("verify",), ("rollback",))

    @pytest.mark.parametrize("arguments", COMMANDS)
    def test_without_an_index_the_next_step_is_told(self, cli: Cli, tmp_path: Path, arguments: tuple[str, ...]) -> None:
        result = cli(*arguments, index=tmp_path / "none")
        assert (result.exit_code, result.stdout) == (3, "")
        assert "codesearch reindex" in result.stderr
        assert len(result.stderr.splitlines()) == 1

    def test_the_variable_names_the_index(self, cli: Cli, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CODESEARCH_INDEX", str(own))
        assert cli("show", "W-1").exit_code == 0

    def test_the_option_wins(self, cli: Cli, own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CODESEARCH_INDEX", str(tmp_path / "none"))
        assert cli("show", "W-1", index=own).exit_code == 0

    def test_else_it_is_in_the_users_data_folder(
        self, cli: Cli, own_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert cli("reindex", own_file).exit_code == 0
        assert cli("show", "W-1").exit_code == 0
        assert list(tmp_path.rglob("CURRENT"))

    def test_a_place_that_is_a_file(self, cli: Cli, own_file: Path) -> None:
        assert cli("search", "x", index=own_file).exit_code == 3

    @pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04garbage"])
    def test_a_broken_pointer(self, cli: Cli, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "CURRENT").write_bytes(content)
        assert cli("search", "x", index=tmp_path).exit_code == 3


def test_the_demo_runs_and_says_what_to_do_next(cli: Cli) -> None:
    result = cli("demo")
    assert result.exit_code == 0
    assert '$ codesearch search "bone cement for a broken vertebra"' in result.stdout
    assert "L50.9" in result.stdout
    assert "Next:" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("command", ["", *commands.commands])
def test_every_command_has_help(cli: Cli, command: str) -> None:
    result = cli(*filter(None, [command]), "--help")
    assert result.exit_code == 0
    assert "..." not in result.stdout.replace("SOURCE...", "").replace("[ARGS]...", "").replace("[QUERY]...", "")


def test_the_commands_are_those_of_the_design() -> None:
    assert {"reindex", "search", "show", "status", "verify", "rollback", "demo"} <= set(commands.commands)


def test_an_unexpected_error_is_one_line(cli: Cli, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("codesearch.library.open_index", fails)
    result = cli("search", "x", index=own)
    assert result.exit_code == 70
    assert result.stderr.startswith("error: internal error: RuntimeError: two lines.")
    assert len(result.stderr.splitlines()) == 1
