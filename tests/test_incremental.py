"""Only what changed is read again, and the index is the same as if all had been."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reindex_support import CHOLERA, CODESETS, build, generation, order_file, page, small_config, stored, write
from test_verify import reseal

import codesearch
from codesearch.index.generations import GenerationStore
from codesearch.index.record_file import MergedRecord, RecordFile, write_records
from codesearch.records import encode_record

_opened: list[str] | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event == "open":
        _opened.append(str(arguments[0]))


sys.addaudithook(_audit)


@contextmanager
def opened() -> Iterator[list[str]]:
    """Every file that is opened meanwhile."""
    global _opened
    found: list[str] = []
    _opened = found
    try:
        yield found
    finally:
        _opened = None


# The property: whatever is edited, an incremental build gives the bytes of a full one.

NAMES = ("Cholera of travellers", "Repair of a hernia", "Scan of the head (CT)", "Bone cement, T12 - spine")
PAGES = ("a00.0.html", "cpt-22512.html", "sub/a00.9.html", "nameless.html", "cpt4-99213.txt")
FIXTURES = ("icd10cm_order.txt", "icd10cm_tabular.xml", "icd10cm_index.xml", "hcpcs_anweb.txt", "own.csv", "own.jsonl")
PROCEDURES = ("icd10pcs_order.txt", "icd10pcs_tables.xml", "icd10pcs_index.xml")

pages = st.builds(page, st.sampled_from(NAMES), st.sampled_from(["Watery stool", "x-ray of T12"]))
edits = st.one_of(
    st.tuples(st.sampled_from(PAGES), st.none() | pages),
    st.tuples(
        st.just("scraped.jsonl"),
        st.lists(st.tuples(st.sampled_from(["a00-0", "cpt/22512", "about"]), pages), max_size=3).map(
            lambda lines: "".join(
                json.dumps({"url": f"https://x.example/code/{place}", "html": text}) + "\n" for place, text in lines
            )
        ),
    ),
    st.tuples(
        st.just("order_2026.txt"),
        st.none() | st.lists(st.sampled_from(CHOLERA), unique=True).map(lambda rows: order_file(*rows)),
    ),
    st.tuples(
        st.just("order_2025.txt"),
        st.none() | st.just(order_file(("A00", "0", "Cholera"), ("A000", "1", "Cholera of old"))),
    ),
    st.tuples(
        st.just("mine.csv"),
        st.lists(
            st.sampled_from(["LOCAL,X-1,Visit", "LOCAL,X-2,Talk", "ICD10CM,A00.0,Cholera by our book"]), max_size=3
        ).map(lambda rows: "\n".join(["system,code,name", *rows]) + "\n"),
    ),
    st.tuples(st.sampled_from([*FIXTURES, *PROCEDURES]), st.sampled_from(["here", None])),
)


def apply(folder: Path, name: str, content: str | None) -> None:
    path = folder / name
    if content is None:
        path.unlink(missing_ok=True)
    elif content == "here":
        write(path, (CODESETS / name).read_bytes())
    else:
        write(path, content)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(edits, min_size=1, max_size=4), min_size=1, max_size=4))
def test_an_incremental_build_gives_the_bytes_of_a_full_one(steps: list[list[tuple[str, str | None]]]) -> None:
    with TemporaryDirectory() as place:
        sources, index = Path(place, "sources"), Path(place, "index")
        write(sources / "always.html", page("Always here", "Hiccups"))
        build(sources, index, force=True)
        for step in steps:
            for name, content in step:
                apply(sources, name, content)
            build(sources, index, force=True)
            shutil.rmtree(Path(place, "whole"), ignore_errors=True)
            build(sources, Path(place, "whole"), force=True)
            assert generation(index) == generation(Path(place, "whole"))


def test_a_page_that_vanishes_is_taken_out_of_the_record_that_it_was_merged_into(tmp_path: Path) -> None:
    sources, index = tmp_path / "sources", tmp_path / "index"
    write(sources / "order_2026.txt", order_file(*CHOLERA))
    build(sources, index)
    alone = generation(index)["records.bin"]
    extra = write(sources / "a00.0.html", page("Cholera of the old kind", "Watery stool"))
    build(sources, index)
    merged = stored(index)["A00.0"]
    assert merged.record.name == "Classical cholera"
    assert merged.record.purpose.conditions == ("Watery stool", "Pain that does not go away")
    assert merged.record.synonyms == ("Cholera of the old kind",)
    assert len(merged.fragments) == 2
    extra.unlink()
    report = build(sources, index)
    assert (report.added, report.changed, report.unchanged, report.removed) == (0, 1, 2, 0)
    assert generation(index)["records.bin"] == alone


def test_a_long_page_is_taken_from_the_index_whole(tmp_path: Path) -> None:
    sources, index = tmp_path / "sources", tmp_path / "index"
    write(sources / "a00.0.html", page("Cholera", *(f"Sign number {number} of many" for number in range(400))))
    write(sources / "other.html", page("Other", "x"))
    build(sources, index)
    before = generation(index)
    write(sources / "other.html", page("Other", "y"))
    build(sources, index)
    write(sources / "other.html", page("Other", "x"))
    os.utime(sources / "other.html", (1_600_000_000, 1_600_000_000))
    build(sources, index)
    after = generation(index)
    assert {name for name in before if before[name] != after[name]} <= {"inputs.json", "manifest.json"}


# What is read.


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with an order file, a scraper's file and a page."""
    folder = tmp_path / "sources"
    write(folder / "order_2026.txt", order_file(*CHOLERA))
    write(
        folder / "scraped.jsonl",
        json.dumps({"url": "https://x.example/cpt/22512", "html": page("Spine", "T12")}) + "\n",
    )
    write(folder / "a00.0.html", page("Cholera", "Watery stool"))
    return folder


def test_an_unchanged_input_is_not_opened(sources: Path, tmp_path: Path) -> None:
    build(sources, tmp_path / "index")
    with opened() as found:
        build(sources, tmp_path / "index")
    assert [path for path in found if path.startswith(str(sources))] == []


def test_only_the_changed_input_is_opened(sources: Path, tmp_path: Path) -> None:
    build(sources, tmp_path / "index")
    write(sources / "a00.0.html", page("Cholera", "Cramps"))
    with opened() as found:
        report = build(sources, tmp_path / "index")
    assert {path for path in found if path.startswith(str(sources))} == {str(sources / "a00.0.html")}
    assert (report.added, report.changed, report.unchanged, report.removed) == (0, 1, 3, 0)


def test_an_input_that_was_only_touched_is_not_parsed_again(sources: Path, tmp_path: Path) -> None:
    build(sources, tmp_path / "index")
    path = sources / "order_2026.txt"
    write(path, path.read_bytes())
    with opened() as found:
        build(sources, tmp_path / "index")
    # Once for its checksum; a second time it would be read.
    assert found.count(str(path)) == 1
    build(sources, tmp_path / "whole")
    assert generation(tmp_path / "index") == generation(tmp_path / "whole")


def test_full_reads_everything_again(sources: Path, tmp_path: Path) -> None:
    build(sources, tmp_path / "index")
    with opened() as found:
        build(sources, tmp_path / "index", full=True)
    assert {Path(path).name for path in found if path.startswith(str(sources))} == {
        "order_2026.txt",
        "scraped.jsonl",
        "a00.0.html",
    }


def test_another_configuration_reads_everything_again(sources: Path, tmp_path: Path) -> None:
    shutil.copytree(small_config(), tmp_path / "config")
    build(sources, tmp_path / "index")
    layout = tmp_path / "config" / "ingest" / "pages" / "common.toml"
    layout.write_text(layout.read_text().replace('"Conditions treated", ', ""))
    codesearch.reindex([sources], tmp_path / "index", jobs=1, config=tmp_path / "config")
    assert "Conditions treated" in stored(tmp_path / "index")["A00.0"].record.other_sections


def test_a_broken_index_is_built_anew(sources: Path, tmp_path: Path) -> None:
    build(sources, tmp_path / "index")
    whole = generation(tmp_path / "index")
    (folder,) = (tmp_path / "index" / "generations").iterdir()
    (folder / "records.bin").write_bytes(b"broken")
    report = build(sources, tmp_path / "index")
    assert report.added == 4
    assert generation(tmp_path / "index") == whole


@pytest.mark.parametrize("name", ["A00", "A" * 2000])
def test_a_broken_record_in_an_index_whose_checksums_are_right_has_all_read_anew(
    sources: Path, tmp_path: Path, name: str
) -> None:
    build(sources, tmp_path / "index")
    whole = generation(tmp_path / "index")
    (folder,) = (tmp_path / "index" / "generations").iterdir()
    with closing(RecordFile(folder)) as file:
        records = [
            MergedRecord(one.record, tuple(map(msgspec.Raw, map(encode_record, one.sources())))) for one in file.all()
        ]
    broken = encode_record(msgspec.structs.replace(records[0].record, name=name))[:-1] + b',"synonyms":7}'
    records[0] = MergedRecord(records[0].record, (msgspec.Raw(broken),))
    write_records(folder, records)
    reseal(folder)
    build(sources, tmp_path / "index")
    assert generation(tmp_path / "index") == whole


def test_what_was_rejected_and_skipped_is_told_again(sources: Path, tmp_path: Path) -> None:
    write(sources / "empty.html", "")
    write(sources / "README.md", "About these files.")
    first = build(sources, tmp_path / "index", force=True)
    second = build(sources, tmp_path / "index", force=True)
    assert [reject.reason for reject in first.rejects] == ["empty"]
    assert second.rejects == first.rejects
    assert second.skips == first.skips


def test_after_a_rollback_the_older_generation_is_what_is_compared_with(sources: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    build(sources, index)
    old = generation(index)
    write(sources / "a00.0.html", page("Cholera", "Cramps"))
    build(sources, index)
    new = generation(index)
    GenerationStore(index).rollback()
    assert generation(index) == old
    report = build(sources, index)
    assert report.changed == 1
    assert generation(index) == new


def test_the_newer_release_wins_also_where_long_fragments_come_from_the_index(tmp_path: Path) -> None:
    """Long fragments are parked; which release they are of must be known all the same."""
    text = "A long text. " * 200
    for place, (name, release) in enumerate((("Old", "2019"), ("New", "2026"))):
        row = f"LOCAL,X-1,{name},{release},{text}"
        write(tmp_path / "in" / f"{place}.csv", f"system,code,name,release,summary\n{row}\n")
    build(tmp_path / "in", tmp_path / "index")
    write(tmp_path / "in" / "2.csv", "system,code,name\nLOCAL,X-2,Talk\n")
    build(tmp_path / "in", tmp_path / "index")
    build(tmp_path / "in", tmp_path / "full")
    assert stored(tmp_path / "index")["X-1"].record.name == "New"
    assert stored(tmp_path / "index") == stored(tmp_path / "full")
