"""Reindexing every night: the same files whatever was remembered, a gate, and an index that survives being killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reindex_support import small_config

import codesearch
from codesearch.errors import CodesearchError, IndexLockedError, PublishRefused, SourceError, UsageError
from codesearch.index.generations import GenerationStore
from codesearch.reindex import ReindexReport

reindex = partial(codesearch.reindex, config=small_config())

CODES = ["22512", "47562", "99213", "10060"]
WORDS = ["knee", "spine", "cement", "stone", "scope", "drain", "visit", "repair"]


def page(code: str, words: list[str]) -> str:
    """A page of our own about a code, whose file name carries it."""
    listed = "".join(f"  • {word} pain\n" for word in words)
    return (
        f"Procedure {' '.join(words)}\n\nCPT4 code\n\nSummary\n\nAbout the {words[0]}, code of {len(code)} digits.\n\n"
        f"Purpose\n\nMedical Condition Addressed:\n{listed}\nDuration\n\nOne hour.\n"
    )


def write_page(folder: Path, code: str, words: list[str]) -> Path:
    path = folder / f"cpt4-{code}-page.txt"
    path.write_text(page(code, words), encoding="utf-8")
    return path


def files_of(index: Path) -> dict[str, bytes]:
    """The files of the current generation."""
    folder = GenerationStore(index).current().folder
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for code in CODES:
        write_page(folder, code, random.Random(code).sample(WORDS, 3))
    return folder


class TestIncremental:
    @settings(max_examples=5, deadline=None)
    @given(st.data())
    def test_files_of_an_incremental_build_equal_those_of_a_full_one(self, data: st.DataObject) -> None:
        with TemporaryDirectory() as root:
            folder, index = Path(root, "pages"), Path(root, "index")
            folder.mkdir()
            table = folder / "own.csv"
            table.write_text("system,code,name,synonyms\nLOCAL,A1,First,one|uno\n", encoding="utf-8")
            for night in range(4):
                code = data.draw(st.sampled_from(CODES))
                if data.draw(st.booleans()):
                    write_page(folder, code, data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)))
                else:
                    (folder / f"cpt4-{code}-page.txt").unlink(missing_ok=True)
                official = data.draw(st.sampled_from(["", f"CPT,{code},Official {night},\n"]))
                table.write_text(f"system,code,name,synonyms\nLOCAL,A1,First,one|uno\n{official}", encoding="utf-8")
                reindex([folder], index, jobs=1, force=True)
                whole = Path(root, f"whole{night}")
                reindex([folder], whole, jobs=1, full=True)
                assert files_of(index) == files_of(whole)

    def test_an_unchanged_input_is_not_read_again(self, pages: Path, tmp_path: Path) -> None:
        reindex([pages], tmp_path / "index")
        secret = pages / "cpt4-22512-page.txt"
        before = secret.stat()
        # Other content of the same size and time: only reading it would tell.
        secret.write_text(secret.read_text(encoding="utf-8").replace("One hour", "Two hour"), encoding="utf-8")
        os.utime(secret, ns=(before.st_atime_ns, before.st_mtime_ns))
        report = reindex([pages], tmp_path / "index")
        assert (report.added, report.changed, report.unchanged, report.removed) == (0, 0, 4, 0)
        assert reindex([pages], tmp_path / "index", full=True).changed == 1

    def test_a_touched_input_of_the_same_content_gives_the_same_record(self, pages: Path, tmp_path: Path) -> None:
        reindex([pages], tmp_path / "index")
        for path in pages.iterdir():
            os.utime(path, ns=(1, 1))
        assert reindex([pages], tmp_path / "index").unchanged == 4

    def test_what_sources_no_longer_give_disappears(self, pages: Path, tmp_path: Path) -> None:
        reindex([pages], tmp_path / "index")
        (pages / "cpt4-99213-page.txt").unlink()
        report = reindex([pages], tmp_path / "index", force=True)
        assert report.removed == 1
        with codesearch.open_index(tmp_path / "index") as index:
            assert index.get("99213") is None

    def test_a_page_that_vanishes_is_unmerged(self, pages: Path, tmp_path: Path) -> None:
        table = pages / "own.csv"
        table.write_text("system,code,name\nCPT,22512,The official name\n", encoding="utf-8")
        reindex([pages], tmp_path / "index")
        with codesearch.open_index(tmp_path / "index") as index:
            merged = index.get("22512")
        assert merged is not None
        assert (merged.name, merged.duration, len(merged.source)) == ("The official name", "One hour.", 2)
        (pages / "cpt4-22512-page.txt").unlink()
        reindex([pages], tmp_path / "index", force=True)
        with codesearch.open_index(tmp_path / "index") as index:
            alone = index.get("22512")
        assert alone is not None
        assert (alone.name, alone.duration, len(alone.source)) == ("The official name", "", 1)

    def test_the_number_of_jobs_changes_nothing(self, tmp_path: Path) -> None:
        folder = tmp_path / "many"
        folder.mkdir()
        for number in range(150):
            write_page(folder, str(10000 + number), random.Random(number).choices(WORDS, k=4))
        reindex([folder], tmp_path / "one", jobs=1)
        reindex([folder], tmp_path / "two", jobs=2)
        assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


class TestGate:
    def test_too_many_rejects_publish_nothing(self, pages: Path, tmp_path: Path) -> None:
        reindex([pages], tmp_path / "index")
        before = files_of(tmp_path / "index")
        (pages / "empty.html").write_bytes(b"")
        with pytest.raises(PublishRefused, match="rejected") as refused:
            reindex([pages], tmp_path / "index", report=tmp_path / "report.jsonl")
        assert refused.value.exit_status == 4
        assert isinstance(refused.value.report, ReindexReport)
        assert [reject.reason for reject in refused.value.report.rejects] == ["empty"]
        assert files_of(tmp_path / "index") == before
        assert '"empty"' in (tmp_path / "report.jsonl").read_text(encoding="utf-8")
        assert reindex([pages], tmp_path / "index", max_rejects=50).published
        assert reindex([pages], tmp_path / "index", force=True).published

    def test_losing_a_tenth_of_a_system_publishes_nothing(self, pages: Path, tmp_path: Path) -> None:
        reindex([pages], tmp_path / "index")
        (pages / "cpt4-99213-page.txt").unlink()
        with pytest.raises(PublishRefused, match="CPT would lose 1 of 4"):
            reindex([pages], tmp_path / "index")
        with codesearch.open_index(tmp_path / "index") as index:
            assert index.get("99213") is not None

    def test_a_readme_is_skipped_not_rejected(self, pages: Path, tmp_path: Path) -> None:
        (pages / "README.md").write_text("# About these pages", encoding="utf-8")
        (pages / "logo.png").write_bytes(b"\x89PNG")
        report = reindex([pages], tmp_path / "index")
        assert (len(report.skips), report.rejects) == (2, ())

    def test_sources_without_any_record_publish_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(PublishRefused, match="no record"):
            reindex([tmp_path / "empty"], tmp_path / "index")

    def test_rollback_returns_to_the_generation_before(self, pages: Path, tmp_path: Path) -> None:
        reindex([pages], tmp_path / "index")
        write_page(pages, "33533", ["scope"])
        reindex([pages], tmp_path / "index")
        GenerationStore(tmp_path / "index").rollback()
        with codesearch.open_index(tmp_path / "index") as index:
            assert index.get("33533") is None

    @pytest.mark.parametrize(
        ("call", "error"),
        [
            (lambda index: reindex([], index), UsageError),
            (lambda index: reindex(["no such place"], index), SourceError),
            (lambda index: reindex(["."], index, jobs=0), UsageError),
        ],
    )
    def test_wrong_calls_say_what_to_do(
        self, call: Callable[[Path], object], error: type[CodesearchError], tmp_path: Path
    ) -> None:
        with pytest.raises(error) as raised:
            call(tmp_path / "index")
        assert raised.value.next_step


class TestInterruptions:
    @pytest.fixture
    def many(self, tmp_path: Path) -> Path:
        folder = tmp_path / "many"
        folder.mkdir()
        for number in range(400):
            write_page(folder, str(10000 + number), random.Random(number).choices(WORDS, k=6))
        return folder

    def start(self, sources: Path, index: Path, jobs: int) -> subprocess.Popen[bytes]:
        program = (
            "import sys; from codesearch.reindex import reindex; print('ready', flush=True);"
            "reindex([sys.argv[1]], sys.argv[2], jobs=int(sys.argv[3]), full=True, config=sys.argv[4])"
        )
        command = [sys.executable, "-c", program, str(sources), str(index), str(jobs), str(small_config())]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        return child

    def test_killed_at_any_moment_the_old_generation_answers(self, many: Path, tmp_path: Path) -> None:
        index = tmp_path / "index"
        begun = time.monotonic()
        first = reindex([many], index, full=True)
        whole = time.monotonic() - begun
        chance = random.Random(20)
        for _ in range(20):
            child = self.start(many, index, jobs=1)
            try:
                child.wait(timeout=chance.uniform(0, whole))
            except subprocess.TimeoutExpired:
                child.kill()
            child.communicate()
            with codesearch.open_index(index) as opened:
                assert len(opened) == first.records
                assert opened.get("10007") is not None
        reindex([many], index)
        kept = {path.name for path in (index / "generations").iterdir()}
        assert len(kept) <= 2

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_an_interrupt_stops_soon_and_leaves_nothing(self, many: Path, tmp_path: Path, jobs: int) -> None:
        index = tmp_path / "index"
        child = self.start(many, index, jobs)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.15)
        child.send_signal(signal.SIGINT)
        sent = time.monotonic()
        child.communicate(timeout=30)
        assert time.monotonic() - sent < 2.0
        assert child.returncode != 0
        assert list(index.glob("generations/*")) == []

    def test_a_second_builder_is_told_who_is_building(self, pages: Path, tmp_path: Path) -> None:
        store = GenerationStore(tmp_path / "index")
        with store.building(), pytest.raises(IndexLockedError, match=str(os.getpid())):
            reindex([pages], tmp_path / "index")
