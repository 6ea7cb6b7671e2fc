"""Text becomes the same terms however it is spelled."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from query_support import ANALYZER, SHIPPED

from codesearch.index.analysis import Analyzer, Spelling, blanked

SAME = [
    ("haemorrhage", "hemorrhage"),
    ("anaemia", "anemia"),
    ("oedema", "edema"),
    ("oesophagus", "esophagus"),
    ("leukaemia", "leukemia"),
    ("leucocytes", "leukocytes"),
    ("diarrhoea", "diarrhea"),
    ("dyspnoea", "dyspnea"),
    ("tumour", "tumor"),
    ("anaesthesia", "anesthesia"),
    ("paediatric", "pediatric"),
    ("orthopaedic", "orthopedic"),
    ("gynaecology", "gynecology"),
    ("caesarean", "cesarean"),
    ("foetal", "fetal"),
    ("coeliac", "celiac"),
    ("aetiology", "etiology"),
    ("haemophilia", "hemophilia"),
    ("catheterisation", "catheterization"),
    ("immunisation", "immunization"),
    ("paralysed", "paralyzed"),
    ("sulphate", "sulfate"),
    ("colour vision", "color vision"),
    ("fibre", "fiber"),
    ("tumours", "tumor"),
    ("fractures", "fracture"),
    ("Crohn's disease", "crohn disease"),
    ("Crohn’s disease", "Crohn disease"),
    ("Ménière", "Meniere"),
    ("Sjögren syndrome", "Sjogren syndrome"),
    ("type II diabetes", "type 2 diabetes"),
    ("Type-II diabetes", "type 2 diabetes"),
    ("type I diabetes", "type 1 diabetes"),
    ("stage IV ulcer", "stage 4 ulcer"),
    ("grade III", "grade 3"),
    ("factor VIII deficiency", "factor 8 deficiency"),
    ("x ray", "x-ray"),
    ("X–ray", "x-ray"),
    ("pack years", "pack-years"),
    ("nose & throat", "nose throat"),
    ("nose and throat", "nose & throat"),
    ("nausea/vomiting", "nausea vomiting"),
    ("(vasectomy", "vasectomy"),
    ("fever,cough", "fever cough"),
    ("ＦＥＶＥＲ", "fever"),
    ("Straße", "strasse"),
]
"""Spellings that mean one thing."""

DIFFERENT = [
    ("with complications", "without complications"),
    ("vitamin c", "vitamin d"),
    ("iv infusion", "4 infusion"),
    ("x-ray", "10-ray"),
    ("type 1", "type 2"),
    ("stoma", "stomach"),
    ("promised", "promized land"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_thing_give_one_sequence_of_terms(one: str, other: str) -> None:
    assert ANALYZER.terms(one) == ANALYZER.terms(other)
    assert ANALYZER.terms(one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert ANALYZER.terms(one) != ANALYZER.terms(other)


@pytest.mark.parametrize("text", ["", " ", "the of and", "...", "🙂🙂", "\0", "- - -", "'s", "’"])
def test_texts_without_words_give_no_terms(text: str) -> None:
    assert ANALYZER.terms(text) == []


def test_a_hyphenated_word_is_also_one_joined_word() -> None:
    assert ANALYZER.joined("post-operative x-ray of") == [
        (ANALYZER.term("postoperative"), 0),
        (ANALYZER.term("xray"), 15),
    ]


def test_decimals_stay_whole() -> None:
    assert ANALYZER.terms("2.5 mg/ml") == ["2.5", "mg", "ml"]


def test_without_and_no_are_words() -> None:
    assert ANALYZER.terms("without, no, not") == [ANALYZER.term(word) for word in ("without", "no", "not")]
    assert "" not in ANALYZER.terms("without, no, not")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Crohn's disease of TUMOUR", ["Crohn's", "disease", "TUMOUR"]),
        ("Ménière – left", ["Ménière", "left"]),
        ("type II", ["type", "II"]),
        ("type I diabetes", ["type", "I", "diabetes"]),
        ("x-ray", ["x", "ray"]),
        ("2.5 mg", ["2.5", "mg"]),
        ("🙂 fever", ["fever"]),
    ],
)
def test_tokens_stand_where_their_words_do(text: str, words: list[str]) -> None:
    tokens = ANALYZER.tokens(text)
    assert [text[token.start : token.end] for token in tokens] == words
    assert [token.term for token in tokens] == ANALYZER.terms(text)
    assert [token.position for token in tokens] == list(range(len(tokens)))


_phrases = st.lists(
    st.sampled_from(
        [
            "type",
            "II",
            "I",
            "grade",
            "Crohn's",
            "x-ray",
            "naïve",
            "2.5",
            "of",
            "(left)",
            "(I)",
            "–",
            "/",
            "&",
            "tumour,",
        ]
    ),
    max_size=8,
)


@given(_phrases.map(" ".join))
def test_the_tokens_of_a_text_are_its_terms(text: str) -> None:
    assert [token.term for token in ANALYZER.tokens(text)] == ANALYZER.terms(text)


_odd = st.text(alphabet=st.sampled_from("abI xX'’-–.(1é½ﬁæİΣ\u0301\n"), max_size=60)


@given(st.one_of(_phrases.map(" ".join), _odd, st.text(max_size=60)))
@example("type I’s")
@example("½-ray")
@example("x-ray--b")
@example("grade -- II")
@example("ae\u0301-o")
@example("the I of b a1b. 2.5 a of a")
def test_the_places_of_a_text_are_those_of_all_terms_that_find_it(text: str) -> None:
    """What the index holds for a text, joined words too, can be marked in it."""
    folded = ANALYZER.fold(text)
    joined = [term for term, _ in ANALYZER.joined(folded) if term]
    places = ANALYZER.places(text)
    assert sorted(term for term, _, _ in places) == sorted([*ANALYZER.terms(text), *joined])
    assert [token.term for token in ANALYZER.tokens(text)] == ANALYZER.terms(text)
    assert [start for _, start, _ in places] == sorted(start for _, start, _ in places)
    for _, start, end in places:
        assert 0 <= start < end <= len(text)
    terms = {term for term, _, _ in places}
    analysed = ANALYZER.analysed(text)
    assert set(analysed.terms) - {""} == terms
    assert analysed.places(terms) == places
    some = set(sorted(terms)[::2])
    assert analysed.places(some) == [place for place in places if place[0] in some]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Chest x-ray", ["Chest", "x-ray", "x", "ray"]),
        ("Ménière’s", ["Ménière’s"]),
        ("so-called 'fever'", ["so-called", "so", "called", "fever"]),
        ("the dogs' fever", ["dogs", "fever"]),
        ("Type  II, grade-IV", ["Type", "II", "grade-IV", "grade", "IV"]),
        ("e\u0301pilepsie", ["e\u0301pilepsie"]),
        ("abce\u0301 fever", ["abce\u0301", "fever"]),
        ("½ cup", ["½", "½", "cup"]),
    ],
)
def test_places_hold_accents_and_possessives_but_no_quotes(text: str, shown: list[str]) -> None:
    assert sorted(text[start:end] for _, start, end in ANALYZER.places(text)) == sorted(shown)


@given(st.text(max_size=200))
@example("İstanbul")
@example("ﬁbre ½ ²")
def test_any_text_is_analysed(text: str) -> None:
    for term in ANALYZER.terms(text):
        assert term
        assert term == term.lower()
    for token in ANALYZER.tokens(text):
        assert 0 <= token.start < token.end <= len(text)


@given(st.text(max_size=100))
def test_case_and_blanks_around_do_not_matter(text: str) -> None:
    assert ANALYZER.terms(f"  {text}\n") == ANALYZER.terms(text)


@given(st.text(alphabet="abcdefgio-' ", max_size=60))
def test_letter_case_does_not_matter(text: str) -> None:
    assert ANALYZER.terms(text.upper()) == ANALYZER.terms(text)


@pytest.mark.parametrize("part", ["a", "1", "a1", "ae", "is", "a-", "a'", "1.", "type ", "type-", "- ", "(", "é", "’s"])
def test_very_long_texts_take_no_longer_than_their_length(part: str) -> None:
    """A page may hold a megabyte without a blank; what takes the square of that would never end."""
    text = f"{part * 200_000} x-ray"
    assert ANALYZER.terms(text)[-1] == "ray"
    assert ANALYZER.joined(ANALYZER.fold(text))[-1][0] == "xray"
    assert ANALYZER.tokens(text)[-1].end == len(text)


def test_a_new_analyzer_gives_the_same_terms() -> None:
    """What is remembered of earlier texts changes nothing."""
    for one, _ in SAME:
        assert Analyzer(SHIPPED.analysis).terms(one) == ANALYZER.terms(one)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("diabetes w/o complications", "diabetes without complications"),
        ("W/O contrast", "without contrast"),
        ("migraine w/ aura", "migraine with aura"),
        ("migraine w/aura", "migraine with aura"),
        ("pain d/t trauma", "pain due to trauma"),
        ("anemia 2/2 bleeding", "anemia secondary to bleeding"),
        ("rash a/w fever", "rash associated with fever"),
        ("H/A", "headache"),
        ("h&h", "hemoglobin and hematocrit"),
    ],
)
def test_shorthand_is_what_it_stands_for(short: str, long: str) -> None:
    assert ANALYZER.terms(short) == ANALYZER.terms(long)
    assert [token.term for token in ANALYZER.tokens(short)] == ANALYZER.terms(short)


@pytest.mark.parametrize("text", ["s/p", "12/2", "w/c", "and/or", "sw/o", "w/ob", "1/2", "http://w/o/x"])
def test_what_only_looks_like_shorthand_is_taken_apart(text: str) -> None:
    assert ANALYZER.fold(text) == text.lower()


def test_shorthand_keeps_its_place_in_the_text() -> None:
    (token,) = [token for token in ANALYZER.tokens("Cast W/O metal") if token.term == "without"]
    assert (token.start, token.end) == (5, 8)


def test_without_any_shorthand_nothing_is_folded() -> None:
    config = msgspec.structs.replace(SHIPPED.analysis, shorthand={})
    assert Analyzer(config).terms("w/o") == ["w", "o"]


@given(st.lists(st.text(st.sampled_from("typei v-x\t\u00a0\u2003\0é'’s/wo&I"), max_size=16), max_size=4))
@example(["type i", "type\ti", "stage-iv", "bipolar\u00a0i"])
def test_texts_are_folded_at_once_as_one_by_one(texts: list[str]) -> None:
    assert ANALYZER.fold_all(texts) == "\0".join([ANALYZER.fold(text.replace("\0", " ")) for text in texts])


@given(st.text(st.sampled_from("a1.-( é\u0663")).map(str.lower))
@example("1.5a.5 a1.5.2 12.5.")
@example("\u0663.\u0663")
def test_blanks_stand_between_words_and_nowhere_else(folded: str) -> None:
    assert blanked(folded, "").split() == ANALYZER.words(folded)
    kept = blanked(folded, "(")
    assert kept.count("(") == folded.count("(")
    assert kept.replace("(", " ").split() == ANALYZER.words(folded)


@pytest.mark.parametrize("rule", SHIPPED.analysis.spellings, ids=lambda rule: rule.pattern)
@given(data=st.data(), before=st.sampled_from(["", "a", "xyz", "endo"]), after=st.sampled_from(["", "s", "al"]))
def test_whatever_a_rule_finds_is_folded(rule: Spelling, data: st.DataObject, before: str, after: str) -> None:
    word = before + data.draw(st.from_regex(re.compile(rule.pattern, re.ASCII))).lower() + after
    expected = word
    for each in SHIPPED.analysis.spellings:
        expected = re.sub(each.pattern, each.replacement, expected)
    assert ANALYZER.fold_spelling(word) == (expected if len(word) <= 64 else word)


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        (r"(?<=x)?ae", "bae"),
        (r"(?<=[)x])ae", "xae"),
        (r"(?<=\w)ae", "xae"),
        (r"(?<!\))ae", "xae"),
        (r"(?<=x)ae|^ey", "eyx"),
        (r"^a(?:e)", "aex"),
    ],
)
def test_rules_with_any_assertion_before_are_found(pattern: str, word: str) -> None:
    config = msgspec.structs.replace(SHIPPED.analysis, spellings=[Spelling(pattern, "e")])
    assert Analyzer(config).fold_spelling(word) == re.sub(pattern, "e", word) != word
