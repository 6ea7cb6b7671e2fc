"""The table of expansions of an index."""

from __future__ import annotations

from pathlib import Path

import pytest
from reindex_support import small_config

from codesearch.errors import IndexCorruptError
from codesearch.index.analysis import Analyzer
from codesearch.index.expansions import (
    Expansion,
    ExpansionFile,
    Expansions,
    Found,
    initials,
    rule_table,
    write_expansions,
)
from codesearch.index.postings import Vocabulary
from codesearch.index.settings import IndexSettings, read_settings
from codesearch.index.synonyms import Rule
from codesearch.records import CodeRecord, Kind

SETTINGS = read_settings(small_config() / "index")
ANALYZER = Analyzer(SETTINGS.analysis)


def record(name: str, *terms: str, kind: Kind = "code", system: str = "ICD10CM") -> CodeRecord:
    return CodeRecord(system, "A00", name, kind, inclusion_terms=terms)


def table(folder: Path, *records: CodeRecord, rules: tuple[Rule, ...] = (), terms: str = "") -> Expansions:
    settings: IndexSettings = SETTINGS._replace(rules=rules)
    found = initials([(one.system, one.kind, one.name, one.inclusion_terms) for one in records], Vocabulary(ANALYZER))
    write_expansions(folder, Found(rule_table(settings), [found], ANALYZER.terms(terms)))
    file = ExpansionFile(folder)
    try:
        return file.table()
    finally:
        file.close()


def test_initials_of_a_short_title_lead_to_it(tmp_path: Path) -> None:
    found = table(tmp_path, record("Chronic obstructive pulmonary disease, unspecified"))
    assert found == {
        "copd": (
            Expansion(
                ("chronic", "obstruct", "pulmonari", "diseas"), "initials", "Chronic obstructive pulmonary disease"
            ),
        )
    }


def test_initials_of_inclusion_terms_count_too(tmp_path: Path) -> None:
    assert "pud" in table(tmp_path, record("Ulcer", "Peptic ulcer disease"))


def test_words_of_one_term_may_begin_differently(tmp_path: Path) -> None:
    found = table(tmp_path, record("Edema of lung and heart tissue"), record("Oedema of lung and heart tissue"))
    assert set(found) == {"elht", "olht"}
    assert {one.terms for phrases in found.values() for one in phrases} == {("edema", "lung", "heart", "tissu")}


def test_two_words_a_long_title_a_chapter_and_a_procedure_have_no_initials(tmp_path: Path) -> None:
    long = "An extraordinarily long title that goes on and on beyond what anyone abbreviates"
    chapter = record("Some infectious diseases", kind="chapter")
    assert (
        table(
            tmp_path, record("Heart attack"), record(long), chapter, record("Bone Cement Injection", system="ICD10PCS")
        )
        == {}
    )


def test_of_many_titles_with_the_same_initials_the_first_four_stay(tmp_path: Path) -> None:
    names = [f"Acute {word} disease" for word in ("bone", "bowel", "brain", "breast", "blood")]
    found = table(tmp_path, *map(record, names))
    assert [one.phrase for one in found["abd"]] == names[:4]


def test_a_rule_stays_only_where_the_index_has_all_its_words(tmp_path: Path) -> None:
    rules = (Rule(("hives",), ("urticaria", "nettle rash"), "lay"),)
    assert table(tmp_path, rules=rules, terms="urticaria") == {"hive": (Expansion(("urticaria",), "lay", "urticaria"),)}


def test_typed_words_are_found_by_the_rarest_of_them(tmp_path: Path) -> None:
    rules = (
        Rule(("heart attack", "heart failure", "attack", "failure heart"), ("urticaria",), "lay"),
        Rule(("heart attack of heart",), ("urticaria",), "lay"),
    )
    found = table(tmp_path, rules=rules, terms="urticaria")
    assert found.by_rarest == {
        "attack": ("heart attack", "heart attack heart"),
        "failur": ("failur heart", "heart failur"),
    }


def test_the_table_can_be_read_after_its_file_was_removed(tmp_path: Path) -> None:
    table(tmp_path, record("Peptic ulcer disease"))
    file = ExpansionFile(tmp_path)
    (tmp_path / "expansions.json").unlink()
    assert "pud" in file.table()
    file.close()


@pytest.mark.parametrize("content", [b"", b"[]", b"{"])
def test_a_broken_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "expansions.json").write_bytes(content)
    file = ExpansionFile(tmp_path)
    with pytest.raises(IndexCorruptError, match=r"expansions.json"):
        file.table()
    file.close()


def test_broken_phrases_are_told_when_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "expansions.json").write_bytes(
        b'{"phrases": {"hive": [[["urticaria"], "lay"]], "mi": [[["heart"], "lay", "heart"]]}, "by_rarest": {}}'
    )
    file = ExpansionFile(tmp_path)
    assert file.table()["mi"] == (Expansion(("heart",), "lay", "heart"),)
    with pytest.raises(IndexCorruptError, match=r"expansions.json"):
        file.table()["hive"]
    file.close()


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexCorruptError, match=r"expansions.json"):
        ExpansionFile(tmp_path)
