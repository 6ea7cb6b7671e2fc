"""One generation is always current and whole, whatever happens to the one being built."""

import errno
import itertools
import mmap
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from test_durable import largest_file

from codesearch.errors import IndexCorruptError, IndexLockedError, IndexMissingError, IndexUnusableError, UsageError
from codesearch.index.durable import write_sealed
from codesearch.index.generations import Draft, Generation, GenerationStore

BUILT = "2025-01-31T02:00:00Z"
FILE_OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "os.listdir", "fcntl.flock"}


@pytest.fixture
def store(tmp_path: Path) -> GenerationStore:
    return GenerationStore(tmp_path / "index")


def fill(draft: Draft) -> None:
    for part in ("first", "second"):
        (draft.folder / part).write_text(draft.name)


def build(store: GenerationStore, built: str = BUILT) -> str:
    with store.building() as draft:
        fill(draft)
        draft.publish(built)
    return draft.name


def build_and_fail(store: GenerationStore, error: type[BaseException]) -> None:
    with store.building() as draft:
        fill(draft)
        raise error


def publish_and_fail(store: GenerationStore, error: type[BaseException]) -> None:
    with store.building() as draft:
        fill(draft)
        draft.publish(BUILT)
        raise error


def build_on_a_full_disk(store: GenerationStore) -> None:
    with store.building() as draft:
        fill(draft)
        with largest_file(20):
            draft.publish(BUILT)


def content(generation: Generation) -> set[str]:
    return {(generation.folder / part).read_text() for part in ("first", "second")}


def folders(store: GenerationStore) -> list[str]:
    return sorted(folder.name for folder in (store.path / "generations").iterdir())


@contextmanager
def child(work: Callable[[], None]) -> Iterator[int]:
    """Another process doing some work; it is gone when the block ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 dislikes forks beside threads, such as xdist's
        process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(1)
    try:
        yield process
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def wait_to_be_killed() -> None:
    while True:
        signal.pause()


def test_what_was_published_is_current(store: GenerationStore) -> None:
    assert build(store) == "000001"
    generation = store.current()
    assert generation == Generation("000001", store.path / "generations" / "000001", BUILT)
    assert content(generation) == {"000001"}
    assert store.previous() is None


def test_the_last_two_generations_are_kept(store: GenerationStore) -> None:
    for second in range(4):
        build(store, f"2025-01-31T02:00:0{second}Z")
    previous = store.previous()
    assert previous is not None
    assert (store.current().name, store.current().built) == ("000004", "2025-01-31T02:00:03Z")
    assert (previous.name, previous.built) == ("000003", "2025-01-31T02:00:02Z")
    assert folders(store) == ["000003", "000004"]


@pytest.mark.parametrize("name", ["writer.lock", ".CURRENT.new"])
def test_nothing_is_written_through_a_link_that_lies_in_the_index(store: GenerationStore, name: str) -> None:
    build(store)
    other = store.path.parent / "other"
    other.write_text("precious")
    (store.path / name).unlink(missing_ok=True)
    (store.path / name).symlink_to(other)
    with suppress(IndexUnusableError):
        build(store)
    assert other.read_text() == "precious"


def test_a_lock_that_cannot_be_closed_is_free_all_the_same(
    store: GenerationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = os.close

    def failing(descriptor: int) -> None:
        close(descriptor)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with store.building() as draft:
        fill(draft)
        draft.publish(BUILT)
        monkeypatch.setattr(os, "close", failing)
    monkeypatch.undo()
    assert store.current().name == draft.name
    assert build(store) > draft.name


def test_a_lock_that_is_no_file_is_told(store: GenerationStore) -> None:
    build(store)
    (store.path / "writer.lock").unlink()
    os.mkfifo(store.path / "writer.lock")
    with pytest.raises(IndexUnusableError, match="is no regular file"):
        build(store)


def test_what_lies_there_in_place_of_a_generation_is_removed(store: GenerationStore, tmp_path: Path) -> None:
    build(store)
    (tmp_path / "elsewhere").mkdir()
    (store.path / "generations" / "000007").symlink_to(tmp_path / "elsewhere")
    (store.path / "generations" / "000008").touch()
    build(store)
    assert folders(store) == ["000001", "000009"]
    assert (tmp_path / "elsewhere").is_dir()


def test_where_nothing_was_published_there_is_no_index(store: GenerationStore) -> None:
    for read in (store.current, store.previous, store.rollback):
        with pytest.raises(IndexMissingError, match=f"reindex SOURCE --index {store.path}"):
            read()
    assert not store.path.exists()


def test_a_draft_is_nobodys_answer_before_it_is_published(store: GenerationStore) -> None:
    build(store)
    with store.building() as draft:
        fill(draft)
        assert store.current().name == "000001"
        draft.publish(BUILT)
        assert store.current().name == "000002"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_build_that_fails_leaves_nothing_behind(store: GenerationStore, error: type[BaseException]) -> None:
    build(store)
    with pytest.raises(error):
        build_and_fail(store, error)
    assert folders(store) == ["000001"]
    assert store.current().name == "000001"


def test_a_build_that_is_not_published_leaves_nothing_behind(store: GenerationStore) -> None:
    with store.building() as draft:
        fill(draft)
    assert folders(store) == []
    with pytest.raises(IndexMissingError):
        store.current()


def test_an_interrupt_after_publishing_keeps_what_was_published(store: GenerationStore) -> None:
    with pytest.raises(KeyboardInterrupt):
        publish_and_fail(store, KeyboardInterrupt)
    assert content(store.current()) == {"000001"}


def test_a_draft_cannot_be_published_after_its_build_ended(store: GenerationStore) -> None:
    build(store)
    with store.building() as draft:
        fill(draft)
    with pytest.raises(IndexUnusableError):
        draft.publish(BUILT)
    assert content(store.current()) == {"000001"}


def test_a_publish_that_cannot_be_written_leaves_the_old_generation(store: GenerationStore) -> None:
    build(store)
    with pytest.raises(IndexUnusableError, match="File too large"):
        build_on_a_full_disk(store)
    assert folders(store) == ["000001"]
    assert content(store.current()) == {"000001"}
    assert build(store) == "000002"


def test_an_index_cannot_be_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = GenerationStore(tmp_path / "file" / "index")
    with pytest.raises(IndexUnusableError, match="--index"), store.building():
        pass
    with pytest.raises(IndexMissingError):
        store.current()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_index_cannot_be_made_in_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(IndexUnusableError, match="right to write"), GenerationStore(tmp_path / "index").building():
        pass


def test_reading_writes_nothing(store: GenerationStore) -> None:
    build(store)
    build(store)

    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (store.path, *store.path.rglob("*"))}

    before = state()
    store.current()
    store.previous()
    store.open_current(content)
    assert state() == before


class TestKilled:
    """A build that is killed."""

    def test_at_any_file_operation_leaves_a_whole_generation_and_is_cleaned_up(self, tmp_path: Path) -> None:
        for moment in itertools.count():
            store = GenerationStore(tmp_path / str(moment))
            old = [build(store), build(store)][-1]
            survived = build_killed_at(store, moment)
            current = store.current()
            assert current.name in {old, "000003"}
            assert content(current) == {current.name}
            new = build(store)
            assert content(store.current()) == {new}
            assert folders(store) == [current.name, new]
            if survived:
                break
        assert moment > 20  # every operation counted, or this test shows nothing

    def test_while_workers_of_it_live_on_does_not_keep_the_index_locked(self, store: GenerationStore) -> None:
        ready, tell = os.pipe()

        def builder() -> None:
            with store.building(), child(worker):
                wait_to_be_killed()

        def worker() -> None:
            os.write(tell, str(os.getpid()).zfill(20).encode())
            wait_to_be_killed()

        with child(builder):
            worker_process = int(os.read(ready, 20))
        try:
            os.kill(worker_process, 0)
            assert build(store) == "000002"
        finally:
            os.kill(worker_process, signal.SIGKILL)
            os.close(ready)
            os.close(tell)


def build_killed_at(store: GenerationStore, moment: int) -> bool:
    """Build in a child that is killed just before its n-th file operation; whether it got through."""
    operations = itertools.count()

    def kill_in_time(event: str, _: object) -> None:
        if event in FILE_OPERATIONS and next(operations) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        sys.addaudithook(kill_in_time)
        build(store)
        os._exit(0)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(1)
    status = os.waitpid(process, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


class TestLock:
    """Only one process builds."""

    def test_a_second_builder_is_told_who_builds(self, store: GenerationStore) -> None:
        build(store)
        ready, tell = os.pipe()

        def builder() -> None:
            with store.building():
                os.write(tell, b"!")
                wait_to_be_killed()

        with child(builder) as process:
            os.read(ready, 1)
            for change in (lambda: build(store), store.rollback):
                with pytest.raises(IndexLockedError, match=f"process {process} on .* since 20"):
                    change()
            assert content(store.current()) == {"000001"}
        assert build(store) == "000003"
        os.close(ready)
        os.close(tell)

    def test_a_second_builder_in_the_same_process_is_refused_too(self, store: GenerationStore) -> None:
        with store.building() as draft:
            with pytest.raises(IndexLockedError, match=str(os.getpid())):
                build(GenerationStore(store.path))
            fill(draft)
            draft.publish(BUILT)
        assert content(store.current()) == {"000001"}

    def test_an_unreadable_signature_does_not_matter(self, store: GenerationStore) -> None:
        build(store)
        with store.building():
            (store.path / "writer.lock").write_bytes(b"[]")
            with pytest.raises(IndexLockedError, match="another process"):
                build(store)
        assert build(store) == "000002"


class TestRollback:
    """Going back one generation."""

    def test_swaps_the_last_two(self, store: GenerationStore) -> None:
        build(store)
        build(store)
        assert store.rollback() == store.current()
        assert content(store.current()) == {"000001"}
        assert store.rollback().name == "000002"

    def test_keeps_what_it_went_back_to_at_the_next_build(self, store: GenerationStore) -> None:
        build(store)
        build(store)
        store.rollback()
        assert build(store) == "000003"
        assert folders(store) == ["000001", "000003"]

    def test_needs_an_older_generation(self, store: GenerationStore) -> None:
        build(store)
        with pytest.raises(IndexUnusableError, match="no generation before"):
            store.rollback()

    def test_does_not_go_back_to_one_that_is_gone(self, store: GenerationStore) -> None:
        build(store)
        build(store)
        (store.path / "generations" / "000001").rename(store.path / "elsewhere")
        with pytest.raises(IndexCorruptError, match="000001"):
            store.rollback()
        assert content(store.current()) == {"000002"}


class TestReaders:
    """Those who answer while others publish."""

    def test_keep_the_files_they_have_open(self, store: GenerationStore) -> None:
        build(store)
        with (store.current().folder / "first").open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            build(store)
            build(store)
            assert folders(store) == ["000002", "000003"]
            assert file.read() == b"000001"
        assert mapped[:] == b"000001"
        mapped.close()

    def test_too_late_for_one_generation_get_the_next(self, store: GenerationStore) -> None:
        build(store)
        tried = []

        def overtaken(generation: Generation) -> set[str]:
            tried.append(generation.name)
            if len(tried) <= 2:
                build(store)
                build(store)
            return content(generation)

        assert store.open_current(overtaken) == {"000005"}
        assert tried == ["000001", "000003", "000005"]

    def test_overtaken_for_ever_give_up(self, store: GenerationStore) -> None:
        build(store)
        tried = []

        def overtaken(generation: Generation) -> set[str]:
            tried.append(generation.name)
            build(store)
            build(store)
            return content(generation)

        with pytest.raises(FileNotFoundError):
            store.open_current(overtaken)
        assert len(tried) == 5

    def test_get_the_error_of_a_generation_that_is_still_current(self, store: GenerationStore) -> None:
        build(store)
        tried = []

        def failing(generation: Generation) -> None:
            tried.append(generation.name)
            raise IndexCorruptError("file", "is cut", "Rebuild it.")

        with pytest.raises(IndexCorruptError, match="is cut"):
            store.open_current(failing)
        assert tried == ["000001"]


class TestDamage:
    """A pointer or a generation that is not as it was left."""

    def test_of_the_pointer_is_noticed_and_healed_by_a_build(self, store: GenerationStore) -> None:
        build(store)
        build(store)
        pointer = store.path / "CURRENT"
        pointer.write_bytes(pointer.read_bytes().replace(b"000002", b"000001"))
        for read in (store.current, store.previous, store.rollback):
            with pytest.raises(IndexCorruptError, match="CURRENT"):
                read()
        with store.building():
            assert folders(store) == ["000001", "000002", "000003"]
        assert folders(store) == ["000001", "000002"]
        assert build(store) == "000003"
        assert folders(store) == ["000003"]

    def test_of_the_current_generation_is_noticed_and_healed_by_a_build(self, store: GenerationStore) -> None:
        build(store)
        store.current().folder.rename(store.path / "elsewhere")
        with pytest.raises(IndexCorruptError, match=r"000001.*is missing"):
            store.current()
        assert build(store) == "000002"
        assert content(store.current()) == {"000002"}

    @pytest.mark.parametrize("name", ["../../etc", "1", "000001\n", "٠٠٠٠٠١", 1, None])
    def test_of_a_crafted_pointer_leads_nowhere(self, store: GenerationStore, name: object) -> None:
        build(store)
        current = {"generation": name, "built": BUILT}
        write_sealed(store.path / "CURRENT", {"format": 1, "current": current, "previous": None})
        with pytest.raises(IndexCorruptError, match="is no pointer"):
            store.current()

    def test_is_not_done_to_the_index_of_a_newer_codesearch(self, store: GenerationStore) -> None:
        build(store)
        write_sealed(store.path / "CURRENT", {"format": 2, "shards": []})
        for use in (store.current, lambda: build(store)):
            with pytest.raises(IndexUnusableError, match="Upgrade codesearch"):
                use()
        assert folders(store) == ["000001"]

    def test_of_the_time_of_building_is_refused(self, store: GenerationStore) -> None:
        with pytest.raises(UsageError, match="is no time"):
            build(store, "last\x1b[2Jnight")
        assert folders(store) == []

    def test_of_strangers_beside_the_generations_is_not_done(self, store: GenerationStore) -> None:
        build(store)
        (store.path / "generations" / "notes").mkdir()
        build(store)
        assert folders(store) == ["000001", "000002", "notes"]
