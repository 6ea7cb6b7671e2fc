"""Policies by code, and codes by the words of a policy or payer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import PLAIN, cm, index_of, publish

import codesearch
from codesearch import UsageError, open_index
from codesearch.index.fields import Fields
from codesearch.index.settings import IndexSettings
from codesearch.records import CodeRecord, Policy

SPINE = Policy("Vertebroplasty and Kyphoplasty (SUR-118)", "Harbor Mutual", "/p/118", "2024-01-01")
PAGES = [
    CodeRecord("CPT", "22510", "Cement", policies=(SPINE, Policy("Imaging (RAD7)", "Northlake Health Plan"))),
    CodeRecord("CPT", "22511", "More cement", policies=(SPINE,), notes=("Northlake asks for a form",)),
    CodeRecord("CPT", "99213", "Visit"),
    CodeRecord("HCPCS", "A0100", "Taxi", policies=(Policy("Rides of Harbor patients", "Northlake Health Plan"),)),
    cm("A01.00", "Typhoid", policies=(Policy("Imagery", "Éclair Santé"),)),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> codesearch.Index:
    return index_of(tmp_path_factory.mktemp("policies"), *PAGES)


def codes(rows: tuple[codesearch.CodePolicy, ...]) -> list[str | None]:
    return [row.code for row in rows]


def test_the_policies_of_a_code_in_the_order_of_its_page(pages: codesearch.Index) -> None:
    first, second = pages.policies("22510")
    assert first.to_dict() == {
        "system": "CPT",
        "code": "22510",
        "name": "Cement",
        "title": "Vertebroplasty and Kyphoplasty (SUR-118)",
        "payer": "Harbor Mutual",
        "url": "/p/118",
        "effective": "2024-01-01",
    }
    assert second.title == "Imaging (RAD7)"
    assert pages.policies("99213") == ()


def test_a_code_of_two_systems_gives_those_of_both(pages: codesearch.Index) -> None:
    assert codes(pages.policies("a0100")) == ["A0100", "A01.00"]
    assert codes(pages.policies("a0100", system="icd10cm")) == ["A01.00"]


@pytest.mark.parametrize("text", ["vertebroplasty", "KYPHOPLASTY vertebroplasty", "SUR-118", "sur118", "kyphoplasties"])
def test_codes_by_words_of_a_policy_in_any_case_and_ending(pages: codesearch.Index, text: str) -> None:
    assert codes(pages.codes_with_policy(text)) == ["22510", "22511"]


@pytest.mark.parametrize("text", ["northlake", "health plan northlake", "  NorthLake "])
def test_codes_by_payer(pages: codesearch.Index, text: str) -> None:
    assert codes(pages.codes_with_policy(payer=text)) == ["22510", "A0100"]
    assert codes(pages.codes_with_policy(payer=text, system="cpt4")) == ["22510"]


def test_accents_do_not_matter(pages: codesearch.Index) -> None:
    assert codes(pages.codes_with_policy(payer="eclair sante")) == ["A01.00"]


def test_all_words_stand_in_one_policy_and_where_they_were_looked_for(pages: codesearch.Index) -> None:
    assert pages.codes_with_policy("imaging kyphoplasty") == ()
    assert codes(pages.codes_with_policy("rides", payer="northlake")) == ["A0100"]
    assert pages.codes_with_policy("imaging", payer="harbor") == ()
    assert codes(pages.codes_with_policy(payer="harbor")) == ["22510", "22511"]
    assert codes(pages.codes_with_policy("harbor")) == ["A0100"]
    assert pages.codes_with_policy("form") == ()


def test_a_word_is_a_whole_word(pages: codesearch.Index) -> None:
    assert pages.codes_with_policy("vertebro") == ()


@pytest.mark.parametrize(("policy", "payer"), [("", ""), ("  ", "\n"), ("the", ""), ("...", "of")])
def test_without_a_word_to_look_for_it_is_wrong_usage(pages: codesearch.Index, policy: str, payer: str) -> None:
    with pytest.raises(UsageError, match="at least one word"):
        pages.codes_with_policy(policy, payer=payer)


def test_an_index_without_the_field_is_read_record_by_record(tmp_path: Path) -> None:
    config = PLAIN.config
    clinical = {name: weight for name, weight in config.fields.clinical.items() if name != "policies"}
    fields = type(config.fields)(
        config.fields.version, config.fields.title, clinical, config.fields.unscored, config.fields.keywords
    )
    settings = IndexSettings(type(config)(fields, config.analysis, config.ranking), Fields.of(fields))
    publish(tmp_path, PAGES, settings)
    with open_index(tmp_path) as index:
        assert codes(index.codes_with_policy("kyphoplasty")) == ["22510", "22511"]


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_policy_is_found_by_its_own_words(title: str, payer: str) -> None:
    from tempfile import TemporaryDirectory

    record = CodeRecord("CPT", "10060", "Drain", policies=(Policy(f"Drainage {title}", f"Harbor {payer}"),))
    with TemporaryDirectory() as folder, index_of(Path(folder), record) as index:
        assert codes(index.codes_with_policy(f"drainage {title}", payer=f"harbor {payer}")) == ["10060"]
