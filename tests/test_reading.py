"""Files to fragments, rejects and skips."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

import pytest
from reindex_support import CHOLERA, order_file, page, small_config, write

from codesearch.ingest.inputs import InputFile, walk
from codesearch.ingest.reading import InputReader, Item
from codesearch.processes import Crew
from codesearch.records import PackedRecord, Reject, Skip, decode_record, pack


def read(source: Path, jobs: int = 1) -> list[Item]:
    reader = InputReader(small_config() / "ingest")
    files = [item for item in walk(source) if isinstance(item, InputFile)]
    with Crew(jobs) as crew:
        return [item for _, item in reader.items(files, crew)]


def codes(items: list[Item]) -> list[str | None]:
    return [item.code for item in items if isinstance(item, PackedRecord)]


def test_records_come_packed(tmp_path: Path) -> None:
    write(tmp_path / "a00.9.html", page("Cholera", "x"))
    write(tmp_path / "order.txt", order_file(*CHOLERA))
    for record in read(tmp_path):
        assert isinstance(record, PackedRecord)
        assert pack(decode_record(record.line)) == record


def test_items_come_in_the_order_of_the_inputs_with_any_number_of_processes(tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path / f"a{number:02d}.0.html", page(f"Disease {number}", "x") if number % 7 else "")
    write(tmp_path / "a30-order.txt", order_file(*CHOLERA))
    alone = read(tmp_path)
    assert read(tmp_path, jobs=3) == alone
    assert len(alone) == 63
    assert codes(alone)[:2] == ["A01.0", "A02.0"]


def test_lines_of_a_scraper_keep_their_number(tmp_path: Path) -> None:
    lines = [json.dumps({"url": "https://x.example/cpt/22512", "html": page("Spine", "x")}), "broken", "{}"]
    write(tmp_path / "scraped.jsonl", "\n".join(lines))
    record, *rejects = read(tmp_path)
    assert isinstance(record, PackedRecord)
    assert record.source[0].path.endswith("scraped.jsonl:1")
    assert [reject.location.rpartition(":")[2] for reject in rejects if isinstance(reject, Reject)] == ["2", "3"]


@pytest.mark.parametrize("name", ["pages.json", "pages.jsonl", "pages.zip", "pages.tar", "pages.warc"])
def test_a_file_that_holds_nothing_is_told(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"[]" if name.endswith(".json") else b"")
    if name.endswith(".zip"):
        zipfile.ZipFile(file, "w").close()
    if name.endswith(".tar"):
        tarfile.open(file, "w").close()
    [reject] = read(tmp_path)
    assert isinstance(reject, Reject)
    assert (reject.location, reject.reason) == (str(file), "empty")


def test_a_page_that_its_name_does_not_tell_is_read(tmp_path: Path) -> None:
    html = f"<!doctype html>{page('Cholera', 'x')}"
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as archive:
        archive.writestr("icd10/a00.9", html)
        archive.writestr("icd10/style.css", "p { margin: 0 }")
    write(tmp_path / "site" / "a00.0", html)
    items = read(tmp_path)
    assert sorted(filter(None, codes(items))) == ["A00.0", "A00.9"]
    assert [item.location.rpartition("/")[2] for item in items if isinstance(item, Skip)] == ["style.css"]


def test_what_an_archiver_keeps_for_itself_is_skipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as archive:
        archive.writestr("codes/order.txt", order_file(*CHOLERA))
        archive.writestr("__MACOSX/codes/._order.txt", b"\0\5\x16\7" * 40)
        archive.writestr("codes/.DS_Store.txt", b"\0" * 40)
        archive.writestr("codes/~$order.xlsx", b"\5user")
        archive.writestr("./codes/a00.9.html", page("Cholera", "x"))
    items = read(tmp_path)
    assert sorted(filter(None, codes(items))) == ["A00", "A00.0", "A00.9", "A00.9"]
    assert [item.reason for item in items if isinstance(item, Skip)] == ["a hidden file"] * 3
    assert not [item for item in items if isinstance(item, Reject)]


def test_an_archive_gives_its_pages_and_code_sets(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a00.9.html", page("Cholera", "x"))
        archive.writestr("order.txt", order_file(*CHOLERA))
        archive.writestr("logo.png", "x")
        archive.writestr("inner.zip", "x")
    items = read(tmp_path)
    assert sorted(filter(None, codes(items))) == ["A00", "A00.0", "A00.9", "A00.9"]
    assert sorted(item.reason.split(" (")[0] for item in items if isinstance(item, Skip)) == [
        "an archive inside an archive",
        "no code source by its name",
    ]


def test_an_unknown_csv_is_a_reject_that_says_where_to_look(tmp_path: Path) -> None:
    write(tmp_path / "prices.csv", "item,price\napple,1\n")
    (reject,) = read(tmp_path)
    assert isinstance(reject, Reject)
    assert reject.reason == "unknown-format"


def test_a_file_that_vanished_is_a_reject(tmp_path: Path) -> None:
    reader = InputReader(small_config() / "ingest")
    ((_, reject),) = reader.items([InputFile(tmp_path / "gone.html", "gone.html")], Crew(1))
    assert isinstance(reject, Reject)
    assert reject.reason == "unreadable"


def test_the_fingerprint_is_that_of_the_configuration(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(small_config() / "ingest", tmp_path / "ingest")
    reader = InputReader(tmp_path / "ingest")
    assert reader.fingerprint == InputReader(small_config() / "ingest").fingerprint
    gate = tmp_path / "ingest" / "gate.toml"
    gate.write_text(gate.read_text() + "\n# a remark\n")
    assert InputReader(tmp_path / "ingest").fingerprint != reader.fingerprint
