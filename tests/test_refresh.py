"""Refreshing an open index: it goes over to what was published as a whole, and lets go of what nobody holds."""

from __future__ import annotations

import gc
import os
import shutil
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from query_support import CLINIC, cm, codes, publish
from reindex_support import small_config

import codesearch
from codesearch import IndexCorruptError, IndexMissingError, open_index
from codesearch.index.generations import GenerationStore
from codesearch.query.engine import SEARCHES_BEFORE_COMPILING

FILES = Path("/proc/self/fd")
needs_proc = pytest.mark.skipif(not FILES.exists(), reason="counts open files in /proc/self/fd, which is not here")


def night(number: int) -> list[codesearch.CodeRecord]:
    """The codes of a night: each says in which it was published."""
    return [cm(f"A0{digit}", f"Cholera of night {number}, form {digit}") for digit in range(5)]


@contextmanager
def no_collector() -> Iterator[None]:
    """Without the collector of cycles: what nobody holds must go by itself."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_nothing_published_nothing_changed(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    with open_index(tmp_path) as index:
        assert not index.refresh()
        assert not index.refresh()
        assert index.generation == "000001"


def test_what_was_published_is_searched_after_refreshing(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    with open_index(tmp_path) as index:
        publish(tmp_path, [cm("B99", "Other fever"), *night(2)])
        assert codes(index.search("fever")) == []
        assert index.refresh()
        assert codes(index.search("fever")) == ["B99"]
        assert (len(index), index.generation, index.status().generation) == (6, "000002", "000002")
        assert not index.refresh()


def test_what_was_compiled_is_compiled_after_refreshing(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    with open_index(tmp_path) as index:
        publish(tmp_path, night(2))
        assert index.refresh()
        assert not index._searcher.is_compiled
        index.warm_up()
        publish(tmp_path, night(3))
        assert index.refresh()
        assert index._searcher.is_compiled
        assert index.search("cholera").hits[0].name.startswith("Cholera of night 3")


def test_what_was_rolled_back_is_no_longer_searched(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    publish(tmp_path, night(2))
    with open_index(tmp_path) as index:
        GenerationStore(tmp_path).rollback()
        assert index.refresh()
        assert index.search("cholera").hits[0].name.startswith("Cholera of night 1")
        GenerationStore(tmp_path).rollback()
        assert index.refresh()
        assert index.generation == "000002"


def test_what_was_given_before_stays_whole_though_its_folder_is_gone(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    with open_index(tmp_path) as index:
        results = index.search("cholera")
        for number in range(2, 5):
            publish(tmp_path, night(number))
            assert index.refresh()
        assert not (tmp_path / "generations" / "000001").exists()
        assert results.total == 5
        for hit in results:
            assert hit.record.name == hit.name
            assert hit.name.startswith("Cholera of night 1")
            assert hit.to_dict()["matched"]


def test_an_index_is_usable_after_its_folder_was_removed(tmp_path: Path) -> None:
    publish(tmp_path, CLINIC)
    with open_index(tmp_path) as index:
        for number in range(3):
            publish(tmp_path, night(number))
        assert not (tmp_path / "generations" / "000001").exists()
        assert index.generation == "000001"
        assert codes(index.search("kidney stone"))[0] == "N20.0"
        assert index.get("22510") == next(record for record in CLINIC if record.code == "22510")
        assert index.similar("E11.9")
        assert index.refresh()
        assert index.get("22510") is None


def test_a_generation_that_cannot_be_opened_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    with open_index(tmp_path) as index:
        publish(tmp_path, night(2))
        (tmp_path / "generations" / "000002" / "records.bin").unlink()
        with pytest.raises(IndexCorruptError, match=r"records\.bin"):
            index.refresh()
        assert index.generation == "000001"
        assert len(index.search("cholera")) == 5
        publish(tmp_path, night(3))
        assert index.refresh()


def test_an_index_whose_place_is_gone_still_answers(tmp_path: Path) -> None:
    publish(tmp_path / "index", night(1))
    with open_index(tmp_path / "index") as index:
        shutil.rmtree(tmp_path / "index")
        with pytest.raises(IndexMissingError):
            index.refresh()
        assert {hit.record.code for hit in index.search("cholera")} == {f"A0{digit}" for digit in range(5)}


def test_a_closed_index_stays_closed(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    with open_index(tmp_path) as index:
        pass
    publish(tmp_path, night(2))
    assert not index.refresh()
    assert index.generation == "000001"
    index.close()


def test_a_generation_goes_when_nothing_of_it_is_held(tmp_path: Path) -> None:
    publish(tmp_path, night(1))
    with open_index(tmp_path) as index, no_collector():
        reader = weakref.ref(index._reader)
        hit = index.search("cholera").hits[0]
        publish(tmp_path, night(2))
        index.refresh()
        assert reader() is not None
        assert hit.record.name.startswith("Cholera of night 1")
        del hit
        assert reader() is None


@needs_proc
@pytest.mark.parametrize("searches", [1, SEARCHES_BEFORE_COMPILING + 2], ids=["plain", "compiled"])
def test_fifty_refreshes_leave_no_file_open(tmp_path: Path, searches: int) -> None:
    publish(tmp_path, night(0))
    with open_index(tmp_path) as index, no_collector():
        counts = []
        for number in range(1, 51):
            publish(tmp_path, night(number))
            assert index.refresh()
            for _ in range(searches):
                assert index.search("cholera").hits[0].record.name.startswith(f"Cholera of night {number},")
            for thread in threading.enumerate():
                if thread.name == "codesearch-compile":
                    thread.join()
            counts.append(len(os.listdir(FILES)))  # noqa: PTH208
    assert max(counts[5:]) <= counts[4]


def reindex(folder: Path, number: int) -> None:
    """Publishes the codes of a night as the command does."""
    source = folder / "codes.csv"
    rows = "".join(f"LOCAL,A{digit},Cholera of night {number} form {digit}\n" for digit in range(20))
    source.write_text(f"system,code,name\n{rows}", encoding="utf-8")
    codesearch.reindex([source], folder / "index", jobs=1, force=True, config=small_config())


def faults(index: codesearch.Index) -> Iterator[str]:
    """What is wrong with an answer that was given while nights went by."""
    try:
        results = index.search("cholera form", limit=20)
        nights = {text.split()[3] for hit in results for text in (hit.name, hit.record.name)}
        if len(nights) != 1 or results.total != 20:
            yield f"one answer from nights {nights}, {results.total} in all"
        if index.get("A7") is None or len(index.similar("A7", limit=3)) != 3:
            yield "a code was not there"
    except Exception as error:
        yield repr(error)


def test_threads_search_while_nights_are_published(tmp_path: Path) -> None:
    reindex(tmp_path, 0)
    done = threading.Event()
    wrong: list[str] = []
    changes: list[bool] = []

    def search() -> None:
        while not done.is_set():
            wrong.extend(faults(index))

    def refresh() -> None:
        while not done.wait(0.001):
            changes.append(index.refresh())

    with open_index(tmp_path / "index") as index:
        threads = [threading.Thread(target=work) for work in (search, search, search, refresh)]
        for thread in threads:
            thread.start()
        for number in range(1, 6):
            reindex(tmp_path, number)
        done.set()
        for thread in threads:
            thread.join()
        index.refresh()
        assert index.search("cholera").hits[0].name.startswith("Cholera of night 5")
    assert not wrong
    assert sum(changes) > 1
