"""Whatever is done to the files of an index is told by name, never answered from, and mended by the next reindex."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from reindex_support import CODESETS
from trust_support import MARKED, Site, status_of

import codesearch
from codesearch.cli import commands
from codesearch.errors import IndexCorruptError, IndexUnusableError
from codesearch.index import checking, manifest
from codesearch.index.arrays import ArrayFile, write_arrays
from codesearch.index.generations import GenerationStore
from codesearch.index.reader import SEARCHED
from codesearch.query.engine import SEARCHES_BEFORE_COMPILING

FILES = (
    *("_MAIN_1.toc", "expansions.json", "index.arrays", "inputs.json", "manifest.json"),
    *("orphans.arrays", "orphans.bin", "records.arrays", "records.bin"),
)
OTHERS = 200
RECORDS = OTHERS + 5 + MARKED


def flip(path: Path, share: float) -> None:
    """Turns one bit."""
    data = bytearray(path.read_bytes())
    data[min(len(data) - 1, int(share * len(data)))] ^= 4
    path.write_bytes(data)


def cut(path: Path, share: float) -> None:
    """Takes the end away."""
    os.truncate(path, int(share * path.stat().st_size))


def lengthen(path: Path) -> None:
    """Puts something behind the end."""
    path.write_bytes(path.read_bytes() + b"\0")


def become_a_folder(path: Path) -> None:
    """Puts a folder in its place."""
    path.unlink()
    path.mkdir()


def become_a_link(path: Path) -> None:
    """Moves it away, and puts a link in its place."""
    path.rename(path.parents[3] / path.name)
    path.symlink_to(path.parents[3] / path.name)


def become_a_pipe(path: Path) -> None:
    """Puts a named pipe in its place: opening it would wait for ever."""
    path.unlink()
    os.mkfifo(path)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a bit turned at the beginning": lambda path: flip(path, 0.0),
    "a bit turned at a third": lambda path: flip(path, 1 / 3),
    "a bit turned in the middle": lambda path: flip(path, 0.5),
    "a bit turned near the end": lambda path: flip(path, 0.97),
    "emptied": lambda path: cut(path, 0.0),
    "cut in the middle": lambda path: cut(path, 0.5),
    "cut by the last byte": lambda path: os.truncate(path, path.stat().st_size - 1),
    "longer": lengthen,
    "deleted": Path.unlink,
    "a folder": become_a_folder,
    "a link": become_a_link,
    "a pipe": become_a_pipe,
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with two generations, to be copied."""
    folder = tmp_path_factory.mktemp("published")
    site = Site(folder, others=OTHERS)
    # Its codes are in no code set: what it says of them is kept among the orphans.
    shutil.copy(CODESETS / "icd10cm_index.xml", site.sources)
    for number in (1, 2):
        site.mark(number)
        site.reindex()
    return folder


@pytest.fixture
def site(published: Path, tmp_path: Path) -> Site:
    """A copy of the site, with its times: unchanged sources stay unchanged."""
    copied = Site(tmp_path / "unused", others=0, pages=0)
    for name in ("sources", "index"):
        shutil.copytree(published / name, tmp_path / name)
    copied.sources, copied.index = tmp_path / "sources", tmp_path / "index"
    return copied


def current(site: Site) -> Path:
    return GenerationStore(site.index).current().folder


def run(site: Site, *arguments: str) -> Result:
    """A command on the index; whatever it says, it shows no traceback."""
    done = CliRunner().invoke(commands, [*arguments, "--index", str(site.index)])
    assert "Traceback" not in done.output
    assert "internal error" not in done.output
    return done


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_and_mended(site: Site, name: str, damage: str) -> None:
    path = current(site) / name
    if name == manifest.MANIFEST and damage in {"cut by the last byte", "a link"}:
        return  # the line end is not needed, and its content proves itself wherever it lies
    DAMAGES[damage](path)
    searched, verified = run(site, "search", "marked generation"), run(site, "verify")
    assert verified.exit_code == 3
    assert name in verified.output
    if searched.exit_code == 3:
        assert name in searched.output
        assert searched.stdout == ""
    else:
        # Not one of the files that answers are made of, or a record that the answer does not need.
        assert name not in SEARCHED
        assert "generation 2" in searched.stdout
    site.mark(3)
    report = site.reindex()
    assert (report.records, report.generation) == (RECORDS, "000003")
    assert site.number() == 3
    assert site.problems() == []
    assert site.is_clean()


@pytest.mark.parametrize("place", range(0, 185, 9))
def test_a_bit_turned_in_the_pointer_is_told_and_mended(site: Site, place: int) -> None:
    pointer = site.index / "CURRENT"
    data = bytearray(pointer.read_bytes())
    data[place % (len(data) - 1)] ^= 1
    pointer.write_bytes(data)
    searched = run(site, "search", "marked generation")
    assert searched.exit_code == 3
    assert "CURRENT" in searched.output
    site.reindex()
    assert site.number() == 2
    assert site.problems() == []


def test_a_turned_bit_anywhere_in_the_arrays_is_never_answered_from(site: Site) -> None:
    path = current(site) / "index.arrays"
    sound = path.read_bytes()
    for place in range(0, len(sound), 1009):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with pytest.raises(IndexCorruptError, match=r"index\.arrays"):
            site.number()


def test_a_record_that_is_damaged_is_told_when_it_is_read(site: Site) -> None:
    flip(current(site) / "records.bin", 0.95)  # OTHER is the last system
    with codesearch.open_index(site.index) as index, pytest.raises(IndexCorruptError, match=r"records\.bin"):
        [index.get(f"X{number:05d}", "OTHER") for number in range(OTHERS)]


def test_a_damaged_generation_still_says_how_many_codes_it_had(site: Site) -> None:
    flip(current(site) / "records.bin", 0.5)
    (site.sources / "marked.csv").unlink()
    with pytest.raises(codesearch.PublishRefused, match="MARK would lose 10 of 10"):
        site.reindex()


def test_a_damaged_generation_is_not_gone_back_to(site: Site) -> None:
    flip(site.index / "generations" / "000001" / "index.arrays", 0.5)
    refused = run(site, "rollback")
    assert refused.exit_code == 3
    assert "index.arrays: does not match its checksum" in refused.output
    assert site.number() == 2


def test_from_a_damaged_generation_one_goes_back_to_a_sound_one(site: Site) -> None:
    flip(current(site) / "index.arrays", 0.5)
    assert run(site, "rollback").exit_code == 0
    assert site.number() == 1


# Large files are compared in a thread of their own


def test_the_first_answer_waits_for_the_checksums(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_AT_ONCE", 0)
    assert site.number() == 2
    flip(current(site) / "index.arrays", 0.5)
    for _ in range(20):
        with pytest.raises(IndexCorruptError, match=r"index\.arrays: does not match its checksum"):
            site.number()


def test_a_forked_copy_compares_the_checksums_itself(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_AT_ONCE", 0)
    monkeypatch.setattr(checking, "_PIECE", 1)  # so that it is not done before the fork
    flip(current(site) / "index.arrays", 0.9)
    with codesearch.open_index(site.index) as index:

        def search() -> None:
            with pytest.raises(IndexCorruptError, match="checksum"):
                index.search("repair")

        assert status_of(search) == 0


def test_an_index_that_is_closed_at_once_leaves_no_thread_and_no_file(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_AT_ONCE", 0)
    before = open_files()
    for _ in range(5):
        codesearch.open_index(site.index).close()
    assert "codesearch-check" not in {thread.name for thread in threading.enumerate()}
    assert open_files() == before


def test_an_index_that_cannot_be_opened_leaves_no_file(site: Site) -> None:
    flip(current(site) / "index.arrays", 0.0)
    before = open_files()
    for _ in range(5):
        with pytest.raises(IndexCorruptError):
            codesearch.open_index(site.index)
    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# An index from a stranger: every checksum is right, and the arrays lead astray


def craft(site: Site, name: str, value: int) -> None:
    """Puts a value into an array of the current generation, and makes the manifest fit."""
    folder = current(site)
    file = ArrayFile(folder / "index.arrays")
    arrays = {each: file[each].copy() for each in file.names()}
    arrays[name][len(arrays[name]) // 2] = value
    before = manifest.load(folder)
    write_arrays(folder / "index.arrays", arrays, file.meta)
    manifest.write(folder, tool_version="0", counts=before.counts, sources=before.sources, config=before.config)


def test_postings_that_lead_astray_are_told_by_the_next_search(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    craft(site, "title.entries", 10**6)
    with codesearch.open_index(site.index) as index:
        for _ in range(SEARCHES_BEFORE_COMPILING):
            index.search("marked", limit=1)
        for thread in threading.enumerate():
            if thread.name == "codesearch-compile":
                thread.join()
        with pytest.raises(IndexCorruptError, match=r"array 'title\.entries' has numbers out of"):
            index.search("marked", limit=1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [("title.weights", 0), ("term.frequency", -7), ("term.offsets", -1), ("word.term", 10**6), ("parent", 10**6)],
)
def test_arrays_that_lead_astray_are_told_by_verify(site: Site, name: str, value: int) -> None:
    craft(site, name, value)
    with pytest.raises(IndexUnusableError, match=r"index\.arrays"):
        site.problems()


def test_a_batch_on_a_damaged_index_answers_every_line_with_the_error(site: Site) -> None:
    craft(site, "title.entries", 10**6)
    command = [sys.executable, "-m", "codesearch", "search", "--batch", "-", "--index", str(site.index)]
    lines = "repair\n" * 5
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 3)
    assert "Traceback" not in done.stderr
    assert all("error" in json.loads(line) or json.loads(line)["hits"] for line in done.stdout.splitlines())
    assert done.returncode != -signal.SIGSEGV
