"""The open index: records in any spelling, threads, and one generation for as long as it is open."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from query_support import CLINIC, clinic, cm, codes, index_of, publish

import codesearch
from codesearch import IndexCorruptError, IndexMissingError, open_index
from codesearch.index.manifest import MANIFEST

QUERIES = [
    "type 2 diabetes",
    "kidny failure",
    "E11 diabetes",
    "99202-99213 visit",
    "hives",
    "MI",
    "W21.89A",
    "vertebro plasty body",
    "acute unspecified",
    "0FT4?ZZ",
    "bone cement for a broken vertebra",
]


def generation(path: Path) -> Path:
    """The folder of the only generation of an index."""
    (folder,) = (path / "generations").iterdir()
    return folder


# Records by their codes


@pytest.mark.parametrize("text", ["E11.9", "e119", "E119", " e11.9 ", "e 11.9", "E11-9", "e11.9\n"])
def test_a_record_is_got_by_its_code_in_any_spelling(text: str) -> None:
    record = clinic().get(text)
    assert record is not None
    assert (record.system, record.code) == ("ICD10CM", "E11.9")
    assert clinic().get(text, "icd-10-cm") == record


@pytest.mark.parametrize("record", [record for record in CLINIC if record.code], ids=lambda record: record.code)
def test_every_record_is_got_whole(record: codesearch.CodeRecord) -> None:
    assert record.code
    assert clinic().get(record.code, record.system) == record


def test_a_code_that_two_systems_have() -> None:
    index = clinic()
    assert {(one.system, one.code) for one in index.all_of("a0100")} == {("HCPCS", "A0100"), ("ICD10CM", "A01.00")}
    bare = index.get("A0100")
    dotted = index.get("A01.00")
    cm_only = index.get("A0100", system="ICD10CM")
    assert bare is not None
    assert dotted is not None
    assert bare.system == "HCPCS"
    assert dotted.system == "ICD10CM"
    assert cm_only == dotted


@pytest.mark.parametrize("text", ["", " ", "E11.99", "ZZZZZ", "E11.", "🙂", "\0", "E11.9\0", "x" * 10_000, "E11*"])
def test_a_code_that_is_not_there_gives_none(text: str) -> None:
    assert clinic().get(text) is None or text == "E11."
    assert clinic().get(text, system="CPT") is None
    assert clinic().get(text, system="NOSUCH") is None


def test_long_codes_of_an_own_system_are_told_apart(tmp_path: Path) -> None:
    long = [
        codesearch.CodeRecord("LOCAL", f"WARD-7-CARDIOLOGY-INTENSIVE-CARE-ROOM-00{number}", f"Bed {number}")
        for number in range(3)
    ]
    with index_of(tmp_path, *long) as index:
        assert [index.get(record.code or "") for record in long] == long


# The index as a whole


def test_an_index_says_what_it_holds() -> None:
    index = clinic()
    assert len(index) == len(CLINIC)
    assert index.systems == ("CPT", "HCPCS", "ICD10CM", "ICD10PCS", "LOCAL")
    status = index.status()
    assert status.generation == index.generation == "000001"
    assert sum(kinds["total"] for kinds in status.counts.values()) == len(CLINIC)
    assert status.size > 0
    assert set(status.to_dict()) == {"generation", "built", "counts", "sources", "size"}


def test_an_index_is_a_context_manager(tmp_path: Path) -> None:
    publish(tmp_path, [cm("A00", "Cholera")])
    with open_index(tmp_path) as index:
        (hit,) = index.search("cholera")
    assert (hit.code, hit.name) == ("A00", "Cholera")


def test_an_index_is_opened_by_a_string_too(tmp_path: Path) -> None:
    publish(tmp_path, [cm("A00", "Cholera")])
    with open_index(str(tmp_path)) as index:
        assert len(index) == 1


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_where_no_index_is_the_next_step_is_told(tmp_path: Path, place: str) -> None:
    with pytest.raises(IndexMissingError, match="codesearch reindex"):
        open_index(tmp_path / place)


@pytest.mark.parametrize("name", ["index.arrays", "expansions.json", "records.bin", "records.arrays", MANIFEST])
@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_a_damaged_index_is_not_opened(tmp_path: Path, name: str, damage: str) -> None:
    publish(tmp_path, CLINIC)
    path = generation(tmp_path) / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2 if damage == "cut" else 0])
    with pytest.raises(IndexCorruptError, match=name):
        open_index(tmp_path)


def test_a_pointer_to_nowhere_is_corrupt(tmp_path: Path) -> None:
    publish(tmp_path, CLINIC)
    generation(tmp_path).rename(tmp_path / "elsewhere")
    with pytest.raises(IndexCorruptError):
        open_index(tmp_path)


def test_an_open_index_stays_what_it_was_when_another_is_published(tmp_path: Path) -> None:
    publish(tmp_path, [cm("A00", "Cholera")])
    with open_index(tmp_path) as old:
        publish(tmp_path, [cm("A00", "Cholera, renamed"), cm("A01", "Typhoid cholera")])
        with open_index(tmp_path) as new:
            assert (old.generation, new.generation) == ("000001", "000002")
            assert codes(old.search("cholera")) == ["A00"]
            assert sorted(map(str, codes(new.search("cholera")))) == ["A00", "A01"]
            for number in range(3):
                publish(tmp_path, [cm("A09", f"Diarrhea {number}")])
            assert old.search("cholera").hits[0].record.name == "Cholera"
            assert new.search("renamed").hits[0].snippet == "Cholera, renamed"


# Threads and processes


def test_threads_share_an_index(tmp_path: Path) -> None:
    publish(tmp_path, CLINIC)
    with open_index(tmp_path) as index:
        expected = {text: answer_of_a_new_index(tmp_path, text) for text in QUERIES}
        wrong: list[str] = []

        def search(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(200):
                text = chance.choice(QUERIES)
                results = index.search(text)
                if [hit.to_dict() for hit in results] != expected[text] or results.total < len(results):
                    wrong.append(text)

        threads = [threading.Thread(target=search, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def answer_of_a_new_index(path: Path, text: str) -> list[dict[str, object]]:
    """The hits of a text in an index that nobody else uses."""
    with open_index(path) as index:
        return [hit.to_dict() for hit in index.search(text)]


def test_a_process_that_ends_while_ranking_compiles_ends_quietly(tmp_path: Path) -> None:
    publish(tmp_path, CLINIC)
    code = (
        "import sys, codesearch\n"
        "index = codesearch.open_index(sys.argv[1])\n"
        "for _ in range(12): print(index.search('kidney stone').hits[0].code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["N20.0"] * 12
