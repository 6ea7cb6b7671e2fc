"""Synonym files: what a line says, which lines are refused, and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest
from query_support import ANALYZER, SHIPPED, cm, index_of, kinds_of_rewrites, publish, rules

from codesearch.errors import ConfigError
from codesearch.index.synonyms import Rule, expansions, read_rules
from codesearch.library import open_index


def test_a_line_without_an_arrow_holds_in_every_direction() -> None:
    assert rules("kidney, renal, nephric | same") == [
        Rule(("kidney",), ("renal", "nephric"), "same"),
        Rule(("renal",), ("kidney", "nephric"), "same"),
        Rule(("nephric",), ("kidney", "renal"), "same"),
    ]


def test_an_arrow_holds_in_one_direction() -> None:
    assert rules("hives, nettle rash => urticaria | lay") == [Rule(("hives", "nettle rash"), ("urticaria",), "lay")]


def test_blanks_comments_and_repeated_phrases_do_not_matter() -> None:
    assert rules("# all\n\n  hives ,hives=>  urticaria|lay # skin\n") == rules("hives => urticaria | lay")


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, line in (("b.txt", "c, d | lay"), ("a.txt", "a, b | lay"), ("notes.md", "no rule")):
        (tmp_path / name).write_text(line, encoding="utf-8")
    assert [rule.left for rule in read_rules(tmp_path, ["lay"])] == [("a",), ("b",), ("c",), ("d",)]


@pytest.mark.parametrize(
    "line",
    [
        "kidney, renal",
        "kidney, renal | what",
        "kidney | same",
        "=> renal | same",
        "kidney => | same",
        ", | same",
        "| same",
    ],
)
def test_a_wrong_line_is_named_with_its_number(line: str) -> None:
    with pytest.raises(ConfigError, match=r"rules\.txt:2.*(`\| class`|`a, b \| class`)"):
        rules(f"# comment\n{line}\n")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_bytes(b"caf\xe9, coffee | lay")
    with pytest.raises(ConfigError, match=r"odd\.txt"):
        read_rules(tmp_path, ["lay"])


def test_rules_are_analysed_as_texts_are() -> None:
    table = expansions(rules("Tumours => neoplasms of the oesophagus | lay"), ANALYZER)
    assert table == {("tumor",): [(tuple(ANALYZER.terms("neoplasm esophagus")), "lay", "neoplasms of the oesophagus")]}


def test_a_rule_from_a_word_to_itself_is_nothing() -> None:
    assert expansions(rules("tumour, tumors | same"), ANALYZER) == {("tumor",): []}


def test_the_first_rule_for_a_pair_decides_its_class() -> None:
    table = expansions(
        rules("mi => myocardial infarction | abbreviation\nmi => infarction, myocardial infarct | lay"), ANALYZER
    )
    assert [(terms[0], kind) for terms, kind, _ in table[("mi",)]][:1] == [
        (ANALYZER.term("myocardial"), "abbreviation")
    ]


def test_the_shipped_rules_have_words_and_known_classes() -> None:
    assert len(SHIPPED.rules) > 1000
    for rule in SHIPPED.rules:
        assert rule.weight_class in SHIPPED.ranking.classes
        assert rule.left
        assert rule.right


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("renal stone", "Calculus of kidney"),
        ("hives", "Urticaria"),
        ("whooping cough", "Pertussis"),
        ("heart attack", "Myocardial infarction"),
        ("COPD", "Chronic obstructive pulmonary disease"),
        ("appendectomy", "Resection of appendix"),
    ],
)
def test_the_shipped_rules_know_what_people_say(tmp_path: Path, typed: str, meant: str) -> None:
    publish(tmp_path, [cm("A00", meant), cm("A01", "Something else")], SHIPPED)
    with open_index(tmp_path) as index:
        results = index.search(typed)
        assert [hit.code for hit in results] == ["A00"]
        assert results.rewrites


def test_a_user_adds_rules_of_their_own(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "Cholera"), rules="blue death => cholera | archaic") as index:
        results = index.search("blue death")
        assert [hit.code for hit in results] == ["A00"]
        assert [str(rewrite) for rewrite in results.rewrites] == ["blue death -> cholera (archaic)"]
        assert kinds_of_rewrites(results) == {"archaic"}


def test_every_shipped_rule_gives_something_to_search() -> None:
    for rule in SHIPPED.rules:
        assert all(ANALYZER.terms(phrase) for phrase in rule.right), rule


def test_no_sign_of_a_shipped_rule_is_lost() -> None:
    """`a/w` would be taken for `w` if its first letter were left out as a small word."""
    for rule in SHIPPED.rules:
        for phrase in rule.left:
            if ("/" in phrase or "&" in phrase) and not any(sign in phrase for sign in SHIPPED.analysis.shorthand):
                assert len(set(ANALYZER.terms(phrase))) == len(ANALYZER.words(ANALYZER.fold(phrase))), phrase
