"""Judging: what the files may look like, what the figures mean, and what the command prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import codesearch
from codesearch.cli import commands
from codesearch.errors import SourceError
from codesearch.evaluate import (
    Evaluation,
    Query,
    Score,
    evaluate,
    evaluate_command,
    judge,
    read_qrels,
    read_queries,
    read_run,
    write_fails,
    write_run,
)

QUERIES = "q1\t22512\tcode\nq2\tbone cement for a broken vertebra\tprose\nq3\tqqqq zzzz\tprose\n"
QRELS = "q1\t22512\t2\nq2\t22512\t2\nq2\t22511\t1\nq3\te11.9\t1\n"

codes = st.lists(st.sampled_from(["A00", "B01", "C02", "D03", "E04"]), max_size=14)
relevant = st.dictionaries(st.sampled_from(["A00", "B01", "C02", "X99"]), st.integers(1, 2), min_size=1)


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.fixture(scope="module")
def index(pages: Path) -> Path:
    """The index of the shipped corpus."""
    return pages


@pytest.fixture
def judged(tmp_path: Path) -> tuple[Path, Path]:
    """Three judged queries: a code, a description, and words that no code has."""
    return file(tmp_path, "a.queries.tsv", QUERIES), file(tmp_path, "a.qrels.tsv", QRELS)


def test_queries_have_an_id_a_text_and_a_class(tmp_path: Path) -> None:
    path = file(tmp_path, "q", "\ufeffq1\tchest pain\tlay\r\n\nq2\te11.9\nq3\tx\t\n")
    assert read_queries(path) == [
        Query("q1", "chest pain", "lay"),
        Query("q2", "e11.9", "all"),
        Query("q3", "x", "all"),
    ]


def test_qrels_hold_bare_codes_and_leave_out_grade_0(tmp_path: Path) -> None:
    path = file(tmp_path, "r", "q1\te11.9\t2\nq1\tE11\t1\nq1\tI10\t0\nq2\t0SR C0J9\t1\textra\n")
    assert read_qrels(path) == {"q1": {"E119": 2, "E11": 1}, "q2": {"0SRC0J9": 1}}


def test_a_run_is_read_by_rank_whatever_the_order_of_lines(tmp_path: Path) -> None:
    path = file(tmp_path, "run", "q1\t2\tB\t0.5\nq1\t10\tc\nq1\t1\ta.1\nq2\t0\tx\n")
    assert read_run(path) == {"q1": ("A1", "B", "C"), "q2": ("X",)}


@given(st.lists(st.lists(st.sampled_from(["A00", "B01", "C02"]), unique=True, min_size=1), min_size=1))
def test_a_run_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, answers: list[list[str]]) -> None:
    queries = [Query(f"q{number}", "text", "all") for number in range(len(answers))]
    path = tmp_path_factory.mktemp("run") / "run"
    write_run(path, queries, answers)
    assert read_run(path) == {query.identity: tuple(found) for query, found in zip(queries, answers, strict=True)}


@pytest.mark.parametrize(
    ("reader", "text", "line", "reason"),
    [
        (read_queries, "q1\tchest pain\nq2\n", ":2", "no query text"),
        (read_queries, "q1\t \tlay\n", ":1", "no query text"),
        (read_queries, "\n", "", "holds no queries"),
        (read_qrels, "q1\tE11\n", ":1", "no id, code and grade"),
        (read_qrels, "q1\tE11\thigh\n", ":1", "no id, code and grade"),
        (read_run, "q1\tE11\t1\n", ":1", "no id, rank and code"),
        (read_run, "q1\t1\n", ":1", "no id, rank and code"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, reader: object, text: str, line: str, reason: str) -> None:
    assert callable(reader)
    path = file(tmp_path, "wrong", text)
    with pytest.raises(SourceError, match=reason) as caught:
        reader(path)
    assert str(caught.value).startswith(f"{path}{line}: ")


def test_files_that_are_not_there_or_no_text_are_source_errors(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing", tmp_path, binary):
        with pytest.raises(SourceError, match="cannot be read"):
            read_queries(path)
    with pytest.raises(SourceError, match="cannot be written"):
        write_run(tmp_path / "no" / "folder", [], [])


def test_the_first_relevant_code_counts_for_the_rank() -> None:
    assert judge(["A", "B", "C"], {"B": 1, "C": 2}) == Score(1 / 2, 0.0, 1.0)
    assert judge(["B"], {"B": 1, "C": 2, "D": 1, "E": 1}) == Score(1.0, 1.0, 1 / 4)
    assert judge([], {"B": 1}) == judge(["A"], {"B": 1}) == Score(0.0, 0.0, 0.0)


def test_only_the_first_ten_distinct_codes_count() -> None:
    others = [f"Z{number}" for number in range(10)]
    assert judge([*others, "A"], {"A": 1}).reciprocal_rank == 0
    assert judge([*others[:9], others[0], "A"], {"A": 1}).reciprocal_rank == 1 / 10


def test_recall_is_over_ten_codes_at_most() -> None:
    wanted = [f"A{number}" for number in range(30)]
    assert judge(wanted, dict.fromkeys(wanted, 1)).recall == 1.0


@given(codes, relevant)
def test_figures_are_shares_and_agree(answer: list[str], wanted: dict[str, int]) -> None:
    score = judge(answer, wanted)
    assert all(0 <= figure <= 1 for figure in score)
    assert (score.recall > 0) == (score.reciprocal_rank > 0)
    assert score.success == float(score.reciprocal_rank == 1)


@given(codes, relevant)
def test_a_relevant_code_put_first_is_never_worse(answer: list[str], wanted: dict[str, int]) -> None:
    better = judge([next(iter(wanted)), *answer], wanted)
    assert better.success == 1
    assert better.reciprocal_rank >= judge(answer, wanted).reciprocal_rank


def judged_twice() -> Evaluation:
    queries = [Query("a", "x", "lay"), Query("b", "y", "lay"), Query("c", "z", "name")]
    qrels = {"a": {"A": 1}, "b": {"B": 1}, "c": {"C": 1}}
    return evaluate(queries, qrels, [["A"], ["X", "B"], ["X"]], bootstrap=200, compare={"a": ("X", "A"), "c": ("C",)})


def test_means_are_by_class_and_over_all_queries() -> None:
    rows = {row.query_class: (row.queries, row.mrr, row.success) for row in judged_twice().classes}
    assert rows == {"lay": (2, 0.75, 0.5), "name": (1, 0.0, 0.0), "all": (3, 0.5, pytest.approx(1 / 3))}
    assert judged_twice().total.queries == 3


def test_the_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    assert judged_twice().interval == judged_twice().interval
    assert judged_twice().interval is not None
    low, high = judged_twice().interval or (1.0, 0.0)
    assert 0 <= low <= 0.5 <= high <= 1


def test_no_interval_unless_samples_are_drawn() -> None:
    assert evaluate([Query("a", "x", "all")], {"a": {"A": 1}}, [["A"]]).interval is None


def test_a_comparison_counts_better_and_worse_queries() -> None:
    difference = judged_twice().difference
    assert difference is not None
    assert (difference.better, difference.worse) == (2, 1)
    assert difference.mrr == pytest.approx((0.5 + 0.5 - 1.0) / 3)
    assert difference.low <= difference.mrr <= difference.high


def test_queries_that_nobody_judged_count_as_missed_and_are_told() -> None:
    found = evaluate([Query("a", "x", "all"), Query("b", "y", "all")], {"a": {"A": 1}}, [["A"], ["B"]])
    assert found.total.mrr == 0.5
    assert found.notes == ("queries without a relevant code, counted as missed: 1",)


def test_an_id_that_stands_for_two_queries_is_told() -> None:
    found = evaluate([Query("a", "x", "all"), Query("a", "y", "all")], {"a": {"A": 1}}, [["A"], ["B"]])
    assert found.notes == ("ids of more than one query, which share their relevant codes: 1",)


def test_failures_are_written_with_what_was_wanted_and_found(tmp_path: Path) -> None:
    queries = [Query("a", "x", "lay"), Query("b", "y", "lay")]
    path = tmp_path / "fails"
    write_fails(path, queries, {"a": {"A1": 1, "A2": 2}, "b": {"B": 1}}, [["X", "Y"], ["B"]])
    assert path.read_text() == "a\tx\tlay\tA2 A1\tX Y\n"


def test_an_index_is_judged_by_files(index: Path, judged: tuple[Path, Path], tmp_path: Path) -> None:
    run, fails = tmp_path / "run.tsv", tmp_path / "fails.tsv"
    found = evaluate_command(*judged, index, save_run=run, fails=fails)
    assert [row.query_class for row in found.classes] == ["code", "prose", "all"]
    assert found.classes[0].mrr == 1.0
    assert [line.split("\t")[0] for line in fails.read_text().splitlines()] == ["q3"]
    again = evaluate_command(*judged, index, compare=run)
    assert again.difference is not None
    assert (again.difference.mrr, again.difference.better, again.difference.worse) == (0, 0, 0)


def test_options_reach_the_search(index: Path, judged: tuple[Path, Path]) -> None:
    assert evaluate_command(*judged, index, system="HCPCS").total.mrr == 0
    with pytest.raises(codesearch.UsageError, match="NONE"):
        evaluate_command(*judged, index, system=("NONE",))


def test_the_command_prints_a_table(index: Path, judged: tuple[Path, Path]) -> None:
    arguments = ["evaluate", *map(str, judged), "--index", str(index), "--bootstrap", "50"]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["class", "queries", "MRR@10", "Success@1", "Recall@10"]
    assert [line[:2] for line in lines[1:4]] == [["code", "1"], ["prose", "2"], ["all", "3"]]
    assert "95% of MRR@10" in result.stdout


def test_the_command_gives_one_json_object(index: Path, judged: tuple[Path, Path]) -> None:
    result = CliRunner().invoke(commands, ["evaluate", *map(str, judged), "--index", str(index), "--format", "json"])
    found = json.loads(result.stdout)
    assert {row["query_class"] for row in found["classes"]} == {"code", "prose", "all"}
    assert found["interval"] is None


def test_notes_of_the_command_go_to_stderr(index: Path, judged: tuple[Path, Path], tmp_path: Path) -> None:
    qrels = file(tmp_path, "less.qrels.tsv", "q1\t22512\t2\n")
    result = CliRunner().invoke(commands, ["evaluate", str(judged[0]), str(qrels), "--index", str(index)])
    assert "note: queries without a relevant code, counted as missed: 2" in result.stderr
    assert "note" not in result.stdout


def test_a_missing_file_is_a_usage_error(index: Path, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.tsv")
    result = CliRunner().invoke(commands, ["evaluate", missing, missing, "--index", str(index)])
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
