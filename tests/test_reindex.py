"""Reindexing: what is published, what is refused, and what is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reindex_support import CHOLERA, CODESETS, build, generation, order_file, page, small_config, stored, write

import codesearch
from codesearch import PublishRefused, SourceError, UsageError
from codesearch.index.generations import GenerationStore
from codesearch.progress import Progress
from codesearch.reindex import ReindexReport


def order_of(count: int) -> str:
    return order_file(*((f"A{number:02d}", "1", f"Disease number {number}") for number in range(count)))


# The gate.


@pytest.fixture
def half_bad(tmp_path: Path) -> Path:
    """A page, and one that is empty."""
    write(tmp_path / "sources" / "a00.0.html", page("Cholera", "Watery stool"))
    write(tmp_path / "sources" / "empty.html", "")
    return tmp_path / "sources"


def test_too_many_rejects_publish_nothing_and_say_why(half_bad: Path, tmp_path: Path) -> None:
    with pytest.raises(
        PublishRefused, match=r"1 inputs were rejected, 50.0 percent; at most 5 are let through"
    ) as error:
        build(half_bad, tmp_path / "index")
    assert error.value.exit_status == 4
    found = error.value.report
    assert isinstance(found, ReindexReport)
    assert (found.published, found.generation, found.records) == (False, None, 1)
    assert [reject.reason for reject in found.rejects] == ["empty"]
    assert list((tmp_path / "index" / "generations").iterdir()) == []


def test_max_rejects_moves_the_gate(half_bad: Path, tmp_path: Path) -> None:
    report = codesearch.reindex([half_bad], tmp_path / "index", max_rejects=50, config=small_config())
    assert report.published


def test_force_publishes_all_the_same(half_bad: Path, tmp_path: Path) -> None:
    assert build(half_bad, tmp_path / "index", force=True).published


def test_files_that_are_no_code_source_do_not_count(half_bad: Path, tmp_path: Path) -> None:
    (half_bad / "empty.html").unlink()
    for number in range(20):
        write(half_bad / f"logo-{number}.png", "image")
    report = build(half_bad, tmp_path / "index")
    assert len(report.skips) == 20
    assert report.rejects == ()


def test_a_system_that_loses_more_than_a_tenth_of_its_codes_is_not_published(tmp_path: Path) -> None:
    index, source = tmp_path / "index", tmp_path / "order_2026.txt"
    build(write(source, order_of(20)), index)
    before = generation(index)
    with pytest.raises(PublishRefused, match="ICD10CM would lose 3 of 20 codes"):
        build(write(source, order_of(17)), index)
    assert generation(index) == before
    assert build(write(source, order_of(18)), index).removed == 2


def test_a_system_that_is_gone_is_a_loss(tmp_path: Path) -> None:
    order = write(tmp_path / "order_2026.txt", order_of(2))
    mine = write(tmp_path / "mine.csv", "system,code,name\nLOCAL,X-1,Visit\n")
    build([order, mine], tmp_path / "index")
    with pytest.raises(PublishRefused, match="LOCAL would lose 1 of 1 codes"):
        build(order, tmp_path / "index")
    assert build(order, tmp_path / "index", force=True).counts == {"ICD10CM": {"total": 2, "code": 2}}


def test_sources_that_give_nothing_publish_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PublishRefused, match="no record at all"):
        build(tmp_path / "empty", tmp_path / "index")


def test_a_refused_build_tells_what_would_have_changed(tmp_path: Path) -> None:
    index, source = tmp_path / "index", tmp_path / "order_2026.txt"
    build(write(source, order_of(4)), index)
    with pytest.raises(PublishRefused) as error:
        build(write(source, order_of(2)), index)
    assert isinstance(error.value.report, ReindexReport)
    assert (error.value.report.unchanged, error.value.report.removed) == (2, 2)


# Sources.


def test_what_the_sources_no_longer_give_disappears(tmp_path: Path) -> None:
    one = write(tmp_path / "a00.0.html", page("Cholera", "x"))
    other = write(tmp_path / "a00.9.html", page("Other cholera", "x"))
    build([one, other], tmp_path / "index")
    build(other, tmp_path / "index", force=True)
    assert list(stored(tmp_path / "index")) == ["A00.9"]


def test_a_source_named_by_two_paths_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / "sources" / "a00.0.html", page("Cholera", "x"))
    (tmp_path / "link").symlink_to(tmp_path / "sources")
    report = build([tmp_path / "sources", tmp_path / "sources" / "a00.0.html", tmp_path / "link"], tmp_path / "index")
    assert report.records == 1
    assert len(stored(tmp_path / "index")["A00.0"].record.source) == 1


def test_a_source_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        build(tmp_path / "nothing", tmp_path / "index")


def test_no_source_and_no_jobs_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no source"):
        codesearch.reindex([], tmp_path)
    with pytest.raises(UsageError, match="jobs 0"):
        codesearch.reindex([tmp_path], tmp_path, jobs=0)


def test_a_code_set_is_named_instead_of_a_path(tmp_path: Path) -> None:
    pytest.importorskip("simple_icd_10_cm")
    report = codesearch.reindex(["icd10cm"], tmp_path / "index", config=small_config(), force=True)
    assert report.counts["ICD10CM"]["code"] > 70_000


# Records.


def test_a_page_without_a_code_is_kept_and_warned_about(tmp_path: Path) -> None:
    source = write(tmp_path / "page.txt", page("Repair of a hernia", "Hernia"))
    report = build(source, tmp_path / "index")
    assert report.warnings["no-code"] == 1
    assert stored(tmp_path / "index")["Repair of a hernia"].record.code is None


def test_two_pages_of_one_code_are_one_record(tmp_path: Path) -> None:
    one = write(tmp_path / "one" / "a00.0.html", page("Cholera", "Watery stool"))
    other = write(tmp_path / "two" / "a00.0.html", page("Cholera", "Cramps"))
    build([one, other], tmp_path / "index")
    conditions = stored(tmp_path / "index")["A00.0"].record.purpose.conditions
    assert conditions == ("Watery stool", "Pain that does not go away", "Cramps")


def test_all_parts_of_a_code_set_meet_in_its_records(tmp_path: Path) -> None:
    files = [CODESETS / f"icd10cm_{name}" for name in ("order.txt", "tabular.xml", "index.xml")]
    report = build(files, tmp_path / "index", force=True)
    found = {code: one.record for code, one in stored(tmp_path / "index").items()}
    assert found["W08.XXXA"].parent == "W08"
    assert found["W08.XXXA"].name == "Fall from other furniture, initial encounter"
    assert found["W08.XXXA"].billable is True
    assert {warning.kind for warning in report.input_warnings} >= {"unknown-code"}


# What is told.


def test_the_report_holds_every_reject_skip_and_warning(half_bad: Path, tmp_path: Path) -> None:
    write(half_bad / "logo.png", "image")
    write(half_bad / "nameless.txt", page("Repair of a hernia", "Hernia"))
    place = tmp_path / "report.jsonl"
    codesearch.reindex([half_bad], tmp_path / "index", report=place, force=True, config=small_config())
    lines = [json.loads(line) for line in place.read_text().splitlines()]
    assert {(line["type"], Path(line["location"]).name) for line in lines} >= {
        ("reject", "empty.html"),
        ("skip", "logo.png"),
        ("warning", "nameless.txt"),
    }


def test_a_refused_build_writes_its_report_too(half_bad: Path, tmp_path: Path) -> None:
    with pytest.raises(PublishRefused):
        codesearch.reindex([half_bad], tmp_path / "index", report=tmp_path / "report", config=small_config())
    assert json.loads((tmp_path / "report").read_text().splitlines()[0])["reason"] == "empty"


def test_progress_is_told_stage_by_stage(tmp_path: Path) -> None:
    told: list[Progress] = []
    source = write(tmp_path / "order_2026.txt", order_file(*CHOLERA))
    codesearch.reindex([source], tmp_path / "index", progress=told.append, config=small_config())
    assert list(dict.fromkeys(one.stage for one in told)) == ["reading", "merging", "indexing", "publishing"]
    assert told[-2] == Progress("indexing", 3, 3)


def test_status_counts_are_those_of_the_records(tmp_path: Path) -> None:
    report = build(write(tmp_path / "order_2026.txt", order_file(*CHOLERA)), tmp_path / "index")
    assert report.counts == {"ICD10CM": {"total": 3, "header": 1, "code": 2}}
    assert report.generation == GenerationStore(tmp_path / "index").current().name


# Determinism.


def many_pages(folder: Path, count: int) -> None:
    """Enough bytes for processes to be worth their start."""
    filler = [f"Sentence {number} of a long text about x-ray (plain) pictures" for number in range(400)]
    for number in range(count):
        write(folder / f"a{number:02d}.0.html", page(f"Disease {number}", *filler[number:]))


def test_any_number_of_processes_gives_the_same_bytes(tmp_path: Path) -> None:
    many_pages(tmp_path / "sources", 90)
    write(tmp_path / "sources" / "order_2026.txt", order_file(*CHOLERA))
    for jobs in (1, 2, 3):
        build(tmp_path / "sources", tmp_path / f"index-{jobs}", jobs=jobs)
    one, two, three = (generation(tmp_path / f"index-{jobs}") for jobs in (1, 2, 3))
    assert sum(path.stat().st_size for path in (tmp_path / "sources").iterdir()) > 2_000_000
    assert one == two == three
