"""The official files themselves, where they lie beside the checkout: counts, agreement between files, completeness."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache

import pytest
from codesets_support import REAL, Reading, needs_real_files, read

from codesearch.ingest.codesets import Known, spread

pytestmark = needs_real_files


@cache
def real(pattern: str) -> Reading:
    path = next(REAL.glob(pattern))
    return read(path.read_bytes(), path.name)


def _ascii(text: str) -> str:
    """Order files are ASCII; the tabular list writes Ménière."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


@pytest.mark.parametrize(
    ("pattern", "count"), [("icd10cm_order_2026*", 98_186), ("icd10pcs_order_2026*", 80_029), ("HCPC2019*.txt", 6_800)]
)
def test_every_row_is_a_record_and_nothing_is_rejected(pattern: str, count: int) -> None:
    reading = real(pattern)
    assert (len(reading.records), reading.rejects, reading.warnings) == (count, [], [])


def test_hcpcs_has_its_codes_and_modifiers() -> None:
    for pattern in ("HCPC2019*.txt", "HCPC2019*.xlsx"):
        assert Counter(record.kind for record in real(pattern).records) == {"code": 6_440, "modifier": 360}


def test_every_hcpcs_description_is_the_same_in_text_and_workbook() -> None:
    text, sheet = real("HCPC2019*.txt").by_code(), real("HCPC2019*.xlsx").by_code()
    assert text.keys() == sheet.keys()
    assert [code for code in text if text[code].name.split() != sheet[code].name.split()] == []


def test_the_tabular_list_expands_to_exactly_the_codes_of_the_order_file() -> None:
    order = real("icd10cm_order_2026*").by_code()
    tabular = {code: record for code, record in real("icd10c-tabular*").by_code().items() if record.kind != "chapter"}
    assert order.keys() == tabular.keys()
    assert [code for code in order if _ascii(order[code].name) != _ascii(tabular[code].name)] == []
    assert [code for code in order if order[code].billable != tabular[code].billable] == []
    assert [code for code in order if order[code].parent not in (None, tabular[code].parent)] == []


def test_every_parent_of_the_tabular_list_is_a_record_of_it() -> None:
    codes = real("icd10c-tabular*").by_code()
    assert [record.code for record in codes.values() if record.parent is not None and record.parent not in codes] == []
    assert sum(1 for record in codes.values() if record.parent is None) == 22


def test_the_index_names_codes_that_have_synonyms() -> None:
    index = real("icd10cm_index*").by_code()
    assert len(index) == 18_890
    assert any("with hyperglycemia" in text for text in index["E11.65"].synonyms)


def test_pcs_terms_reach_the_codes() -> None:
    tables = real("icd10pcs_tables*").by_code()
    assert len(tables) == 78_948 + 908
    named = {str(code): Known(record.name, record.kind, record.properties) for code, record in tables.items()}
    given = {record.code: record.synonyms for record in spread(real("icd10pcs_index*").records, named)}
    assert "Appendectomy" in given["0DTJ4ZZ"]
    assert "Achilles tendon" in given["0LQN0ZZ"]
    assert sum(map(len, given.values())) / len(tables) < 4
