"""A disk that is full, small, read-only or forbidden: the error says so, and the old generation answers."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from reindex_support import small_config
from trust_support import Site, status_of

import codesearch
from codesearch.errors import IndexUnusableError

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Whoosh leaves the file open that it cannot write."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk or become another user")
NOBODY = 65_534


@contextmanager
def small_disk(place: Path, options: str) -> Iterator[Path]:
    """A disk in memory; skips the test where none can be mounted (in a container, say)."""
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        # Lazily: the error of a test may hold a file that Whoosh left open.
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site whose generation 1 is published."""
    made = Site(tmp_path)
    made.mark(1)
    made.reindex()
    return made


def move_index(site: Site, disk: Path) -> None:
    """Puts the index on a disk of its own."""
    shutil.move(site.index, disk / "index")
    site.index = disk / "index"


@needs_root
@pytest.mark.parametrize("room", [0, 4, 16, 40])
def test_a_full_disk_is_told_and_the_old_generation_answers(site: Site, tmp_path: Path, room: int) -> None:
    with small_disk(tmp_path / "disk", "size=1m") as disk:
        move_index(site, disk)
        filler = disk / "filler"
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler.write_bytes(b"\0" * (free - room * 1024))
        site.mark(2)
        with pytest.raises(IndexUnusableError, match=r"No space left on device.*Free some space"):
            site.reindex()
        assert site.number() == 1
        assert site.problems() == []
        filler.unlink()
        site.reindex()
        assert site.number() == 2
        assert site.is_clean()


@needs_root
@pytest.mark.parametrize("room", [0, 1, 3, 6])
def test_a_disk_without_room_for_more_files_is_told(site: Site, tmp_path: Path, room: int) -> None:
    with small_disk(tmp_path / "disk", f"size=2m,nr_inodes={room + 16}") as disk:
        move_index(site, disk)
        site.mark(2)
        with pytest.raises(IndexUnusableError, match="No space left on device"):
            site.reindex()
        assert site.number() == 1


@needs_root
def test_a_read_only_disk_is_searched_and_not_written(site: Site, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=2m") as disk:
        move_index(site, disk)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(IndexUnusableError, match="Read-only file system"):
            site.reindex()
        assert site.number() == 1
        assert site.problems() == []


@pytest.mark.parametrize("size", [0, 100, 1_000, 5_000, 10_000])
def test_a_limit_on_the_size_of_files_is_told(site: Site, size: int) -> None:
    site.mark(2)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        with pytest.raises(IndexUnusableError, match=r"File too large.*ulimit"):
            site.reindex()

    assert status_of(limited) == 0
    assert site.number() == 1
    assert site.problems() == []
    site.reindex()
    assert site.number() == 2
    assert site.is_clean()


def as_nobody(work: Callable[[], object]) -> int:
    """The wait status of some work done by a user without any rights."""

    def switched() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        work()

    return status_of(switched)


@needs_root
def test_who_may_only_read_can_search_and_not_build(site: Site, tmp_path: Path) -> None:
    open_up(tmp_path)
    small_config().chmod(0o755)

    def without_rights() -> None:
        assert site.number() == 1
        with pytest.raises(IndexUnusableError, match=r"Permission denied.*right to write"):
            site.reindex()
        with pytest.raises(IndexUnusableError, match=r"Permission denied"):
            codesearch.reindex([site.sources], site.index.parent / "other", jobs=1, config=small_config())

    assert as_nobody(without_rights) == 0
    assert site.number() == 1


@needs_root
@pytest.mark.parametrize("forbidden", [".", "CURRENT", "generations", "generations/000001", "generations/000001/*"])
def test_who_may_not_read_is_told_what(site: Site, tmp_path: Path, forbidden: str) -> None:
    open_up(tmp_path)
    for path in site.index.glob(forbidden) if "*" in forbidden else [site.index / forbidden]:
        path.chmod(0o000)

    def without_rights() -> None:
        with pytest.raises(IndexUnusableError, match=r"Permission denied"):
            site.number()

    assert as_nobody(without_rights) == 0


def open_up(folder: Path) -> None:
    """Lets everybody read what lies in a folder of pytest's, which are private."""
    for parent in (folder, *folder.parents):
        if parent.name.startswith(("pytest-", "test_")):
            parent.chmod(0o755)


def test_without_a_place_for_compiled_code_searching_goes_on(site: Site) -> None:
    """As in a read-only container that was never warmed up."""
    script = "from codesearch.query import native; native._folders = lambda: iter(()); "
    script += "from codesearch.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "search", "--batch", "-", "--index", str(site.index)],
        input="repair item\n" * 300,
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == 300
    assert '"error"' not in done.stdout
    assert "without compiled code" in done.stderr
    assert "Traceback" not in done.stderr


def test_everything_is_on_the_disk_before_it_is_named(site: Site) -> None:
    """A power cut may lose whatever was not forced to the disk; a name must never outlive what it names."""
    site.mark(2)
    status = status_of(lambda: _watch_order(site))
    assert status == 0


def _watch_order(site: Site) -> None:
    synced: dict[int, tuple[int, int]] = {}
    force = os.fsync

    def noting(descriptor: int) -> None:
        force(descriptor)
        found = os.fstat(descriptor)
        synced[found.st_ino] = (found.st_mtime_ns, found.st_size)

    def on_rename(event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.rename" and str(arguments[1]).endswith("CURRENT"):
            named = Path(str(arguments[0]))
            newest = max((site.index / "generations").iterdir())
            for path in (named, newest, newest.parent, site.index, *newest.iterdir()):
                found = path.stat()
                is_synced = synced.get(found.st_ino) == (found.st_mtime_ns, found.st_size)
                # CURRENT's own new file was made after the folder was forced, and is forced with it afterwards.
                assert is_synced or path == site.index, f"{path} was not forced to the disk"
            renamed.append(named)

    renamed: list[Path] = []
    os.fsync = noting  # type: ignore[assignment]
    sys.addaudithook(on_rename)
    site.reindex()
    assert renamed
    assert synced[site.index.stat().st_ino][0] == site.index.stat().st_mtime_ns, "the new name may be lost"
