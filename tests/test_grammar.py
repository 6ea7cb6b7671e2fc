"""The query language: what is an operator, what is a word, and that nothing typed is an error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesearch.query.grammar import (
    MAX_DEPTH,
    MAX_OPERATORS,
    And,
    Field,
    Group,
    Must,
    Node,
    Not,
    Or,
    Phrase,
    Word,
    is_exclusion,
    leaves,
    parse,
    plain_words,
    written,
)

FIELDS = frozenset({"risks", "steps", "name", "code", "system"})


def tree(text: str) -> tuple[Node, ...]:
    """The nodes of a text."""
    return parse(text, FIELDS).nodes


def words(*texts: str) -> tuple[Node, ...]:
    """Words side by side."""
    return tuple(map(Word, texts))


# What the operators make


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("kidney stone", words("kidney", "stone")),
        ('"kidney stone" left', (Phrase("kidney stone"), Word("left"))),
        ("“kidney  stone”", (Phrase("kidney stone"),)),
        ("diabetes -pregnancy", (Word("diabetes"), Not(Word("pregnancy")))),
        ('pain -"low back"', (Word("pain"), Not(Phrase("low back")))),
        ("pain NOT back", (Word("pain"), Not(Word("back")))),
        ("+kidney stone", (Must(Word("kidney")), Word("stone"))),
        ("a OR b", (Or(words("a", "b")),)),
        ("a OR b OR c", (Or(words("a", "b", "c")),)),
        ("a AND b c", (And(words("a", "b")), Word("c"))),
        ("a OR b AND c", (Or((Word("a"), And(words("b", "c")))),)),
        ("(a OR b) AND c", (And((Or(words("a", "b")), Word("c"))),)),
        ("a AND NOT b", (And((Word("a"), Not(Word("b")))),)),
        ("(a b) c", words("a", "b", "c")),
        ("(a b) OR c", (Or((Group(words("a", "b")), Word("c"))),)),
        ("-(a b)", (Not(Group(words("a", "b"))),)),
        ("risks:infection", (Field("risks", Word("infection")),)),
        ("RISKS:infection", (Field("risks", Word("infection")),)),
        ('risks:"wound infection"', (Field("risks", Phrase("wound infection")),)),
        ("steps:(needle cement)", (Field("steps", Group(words("needle", "cement"))),)),
        ("steps:(needle OR cement)", (Field("steps", Or(words("needle", "cement"))),)),
        ("-risks:infection", (Not(Field("risks", Word("infection"))),)),
        ("+risks:infection", (Must(Field("risks", Word("infection"))),)),
        ("code:E10-E14 -E11", (Field("code", Word("E10-E14")), Not(Word("E11")))),
        ("99202-99215 -99213", (Word("99202-99215"), Not(Word("99213")))),
    ],
)
def test_operators(text: str, nodes: tuple[Node, ...]) -> None:
    assert tree(text) == nodes
    assert parse(text, FIELDS).notes == ()


# What looks like an operator and is none


@pytest.mark.parametrize(
    "text",
    [
        "x-ray of chest",
        "pack-years",
        "covid-19",
        "post-operative -",
        "- pain",
        "--",
        "-- pain",
        "w/o complications",
        "s/p h/o and/or 1/2",
        "T score -2.5",
        "vitamin D + calcium",
        "HLA-B27+",
        "note: pain",
        "10:30",
        "https://example.org",
        "99202 -99215",
        "99202 - 99215",
        "pain or fever and not cough",
        "vertebra(e) fracture(s)",
        "what is e11.9?",
    ],
)
def test_what_is_no_operator_is_a_word(text: str) -> None:
    assert parse(text, FIELDS) == (words(*text.split()), ())


@pytest.mark.parametrize(
    ("text", "kept", "note"),
    [
        ("(hypertension", ("hypertension",), "("),
        ("hypertension)", ("hypertension",), ")"),
        (")", (), ")"),
        ('"kidney stone', ("kidney", "stone"), '"'),
        ('"', (), '"'),
        ('kidney ""', ("kidney",), "nothing between"),
        ("OR", (), "OR"),
        ("AND kidney", ("kidney",), "AND"),
        ("kidney OR", ("kidney",), "OR"),
        ("kidney NOT", ("kidney",), "NOT"),
        ("kidney (OR)", ("kidney",), "OR"),
        ("kidney -( )", ("kidney",), "("),
    ],
)
def test_what_does_not_fit_is_left_out_and_told(text: str, kept: tuple[str, ...], note: str) -> None:
    found = parse(text, FIELDS)
    assert found.nodes == words(*kept)
    assert any(note in one for one in found.notes)


def test_feet_and_inches_are_no_quotation_marks() -> None:
    assert tree('2" x 3" wound') == words("2", "x", "3", "wound")


def test_a_hyphen_behind_a_phrase_is_no_sign() -> None:
    assert tree('"covid"-related') == (Phrase("covid"), Word("related"))


def test_an_unknown_field_is_a_word_and_near_ones_are_named() -> None:
    found = parse("rsks:infection", FIELDS)
    assert found.nodes == words("rsks", "infection")
    assert found.notes == ("rsks: is no field; near it: risks",)
    assert parse("dx:pneumonia", FIELDS).notes == ("dx: is no field",)


def test_a_system_before_a_colon_is_no_mistaken_field() -> None:
    assert parse("hcpcs:E0601", FIELDS) == (words("hcpcs", "E0601"), ())


def test_a_title_in_capitals_has_no_operators() -> None:
    found = parse("INJECTION, NOT OTHERWISE SPECIFIED, 10 MG", FIELDS)
    assert found.nodes == words("INJECTION,", "not", "OTHERWISE", "SPECIFIED,", "10", "MG")
    assert "capitals" in found.notes[0]
    assert tree("COPD NOT ASTHMA") == (Word("COPD"), Not(Word("ASTHMA")))


def test_codes_that_are_excluded_one_after_the_other_are_no_range() -> None:
    for text in ("-E10 -E11", "NOT E10 -E11", "-(E10) -E11"):
        assert tree(text) == (Not(Word("E10")), Not(Word("E11")))
    assert tree("99202 -99215") == words("99202", "-99215")


# Limits


def test_too_many_operators_are_plain_words() -> None:
    text = " ".join(f"-word{number}" for number in range(MAX_OPERATORS + 1))
    found = parse(text, FIELDS)
    assert found.nodes == words(*(f"word{number}" for number in range(MAX_OPERATORS + 1)))
    assert "operators" in found.notes[0]


def test_parentheses_far_in_are_left_out() -> None:
    text = "a OR (" * (MAX_DEPTH + 20) + "b" + ")" * (MAX_DEPTH + 20)
    (node,) = tree(text)
    assert _depth(node) <= MAX_DEPTH + 1
    assert [leaf.text for leaf in leaves(node)][-1] == "b"


def _depth(node: Node) -> int:
    return 1 + max(map(_depth, node.parts)) if isinstance(node, Or) else 0


@pytest.mark.parametrize("piece", ["(", ")", '"', "-", "NOT ", "a OR ", "(a ", "risks:", "+(", '-"', "( OR "])
def test_long_runs_of_one_piece_are_read_quickly(piece: str) -> None:
    assert parse(piece * (10_000 // len(piece)), FIELDS).nodes is not None


# Whatever is typed

_signs = [*'"“()-+:/.,é', " ", " ", " ", " AND ", " OR ", " NOT ", "\n", "\x1c", "A B C D", "*?"]
_pieces = st.sampled_from([*_signs, "AND", "OR", "NOT", "a", "xy", "or", "5", "99202", "99215", "risks:", "rsk:"])
_texts = st.one_of(st.lists(_pieces, max_size=16).map("".join), st.text(max_size=30))


@settings(max_examples=1000)
@given(_texts)
def test_a_tree_written_and_read_again_is_the_same(text: str) -> None:
    nodes = tree(text)
    assert tree(written(nodes)) == nodes


@given(_texts)
def test_no_word_appears_that_was_not_typed(text: str) -> None:
    lowered = "".join(text.lower().split())
    for node in tree(text):
        for leaf in leaves(node):
            assert "".join(leaf.text.lower().split()) in lowered


_plain = st.from_regex(r"[a-z0-9][a-z0-9./-]{0,8}", fullmatch=True).filter(lambda word: ":" not in word)


@given(st.lists(_plain, max_size=40))
def test_plain_words_are_all_kept(typed: list[str]) -> None:
    found = parse("  ".join(typed), FIELDS)
    assert found.is_plain
    assert found == (words(*typed), ())


def test_a_quoted_operator_in_capitals_stays_quoted() -> None:
    assert tree('"OR" A B C D') == (Phrase("OR"), *words("A", "B", "C", "D"))


@given(_texts)
def test_plain_words_of_any_text_are_plain(text: str) -> None:
    assert parse(written(plain_words(text)), FIELDS).is_plain


def test_exclusions_are_known() -> None:
    excluded = tree("-a -(b c) (-d AND -e) risks:(-f)")
    assert all(map(is_exclusion, excluded))
    assert not any(map(is_exclusion, tree('a "b" risks:c (d OR -e)')))
