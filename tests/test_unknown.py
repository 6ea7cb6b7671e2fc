"""Words that no entry has: the nearest word, its family, its parts, and words further off, in that order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import ANALYZER, cm, codes, index_of, reader_of

from codesearch.query.unknown import Replacement, UnknownWords
from codesearch.records import CodeRecord

NAMES = (
    "Pneumonia",
    "Fever",
    "Chlamydial infection",
    "Tuberculous meningitis",
    "Fracture of femur",
    "Cardiac arrest",
    "Nephritis",
    "Hepatic pulmonary edema",
    "Diabetes",
    "Hypertension",
    "Gastric band",
    "Pain in eye",
)


def replacements(word: str, *names: str) -> tuple[Replacement, ...]:
    """What stands for a word in an index of these names."""
    with reader_of([cm(f"A{number:02d}", name) for number, name in enumerate(names or NAMES)]) as reader:
        return UnknownWords(reader).replacements(word, ANALYZER.term(word))


def found(word: str, *names: str) -> list[tuple[str, str]]:
    """(class, how it is written) of each replacement."""
    return [(one.weight_class, one.written) for one in replacements(word, *names)]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("pnumonia", "pneumonia"),
        ("pneumoniaa", "pneumonia"),
        ("pneumoniq", "pneumonia"),
        ("penumonia", "pneumonia"),
        ("fevre", "fever"),
        ("fevr", "fever"),
        ("diabtes", "diabetes"),
        ("daibetes", "diabetes"),
        ("hypretension", "hypertension"),
        ("bepatic", "hepatic"),
        ("iabetes", "diabetes"),
    ],
)
def test_one_wrong_letter(word: str, meant: str) -> None:
    """Left out, too many, another, two swapped, the first one too."""
    assert found(word)[0] == ("spelling", meant)


@pytest.mark.parametrize(
    ("word", "meant"), [("neumonai", "pneumonia"), ("diabbettes", "diabetes"), ("hipertention", "hypertension")]
)
def test_two_wrong_letters_in_a_long_word(word: str, meant: str) -> None:
    assert found(word)[0] == ("spelling", meant)


@pytest.mark.parametrize("word", ["fvr", "fer", "xyzzy", "fxvxr", "qqqqqqqqq", "a"])
def test_too_short_or_too_far(word: str) -> None:
    assert found(word) == []


def test_a_family_of_words_begins_alike() -> None:
    assert found("chlamydiosis")[0] == ("prefix", ANALYZER.term("chlamydial"))
    assert found("tuberculosis")[0] == ("prefix", ANALYZER.term("tuberculous"))


def test_a_compound_is_its_parts() -> None:
    assert found("hepaticpulmonary") == [("compound", "hepatic pulmonary")]
    assert found("cardiopain", "Cardi arrest", "Pain") == [("compound", "cardi pain")]


def test_one_wrong_letter_beats_a_family_beats_a_compound_beats_two_wrong_letters() -> None:
    names = ["Nephritis", "Nephritic", "Nephro", "Plasty", "Xephroplasti"]
    assert found("nephritix", *names)[0][0] == "spelling"
    assert found("nephropathy", "Nephropathic", "Nephro", "Pathy", "Nephrapaty")[0][0] == "prefix"
    assert found("nephroplasty", "Nephro", "Plasty", "Nephraplastu")[0][0] == "compound"
    assert found("nephroplasty", "Nephraplastu")[0][0] == "spelling"


def test_of_words_equally_near_the_frequent_one_comes_first() -> None:
    assert found("fevex", "Fevez", "Fever", "Fever of cattle", "Fever of man")[0] == ("spelling", "fever")


def test_the_same_first_letter_is_nearer_than_another() -> None:
    assert found("tension", "Pension", "Tensiom")[0] == ("spelling", "tensiom")


def test_the_nearer_word_weighs_more() -> None:
    shares = [one.share for one in replacements("fevex", "Fevez", "Fever", "Feverx")]
    assert shares == sorted(shares, reverse=True)
    assert 0 < shares[-1] <= shares[0] <= 1


@pytest.mark.parametrize("word", ["e119", "b123", "99214", "2.5", "covid19", "0ft44zz"])
def test_what_holds_digits_is_never_corrected(word: str) -> None:
    assert all(kind != "spelling" for kind, _ in found(word, "E118", "B124", "99213", "2.4", "Covid18", "0ft44zy"))


def test_letters_and_digits_that_stick_together_are_two_words() -> None:
    assert found("15mg", "Tablet 15 mg") == [("compound", "15 mg")]
    assert found("covid19", "Covid 19") == [("compound", "covid 19")]


def test_a_correction_is_a_word_that_can_be_found() -> None:
    assert found("pneumonya", "Pneumonia") == [("spelling", "pneumonia")]
    with reader_of([CodeRecord("ICD10CM", "A00", "Cough", excludes=("Pneumonia",))]) as reader:
        assert UnknownWords(reader).replacements("pneumonya", ANALYZER.term("pneumonya")) == ()


def test_a_misspelt_query_finds_what_was_meant_and_says_so(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("J18.9", "Pneumonia, unspecified organism"), cm("R50.9", "Fever, unspecified")) as index:
        results = index.search("pnuemonia")
        assert codes(results) == ["J18.9"]
        assert [str(rewrite) for rewrite in results.rewrites] == ["pnuemonia -> pneumonia (spelling)"]
        assert index.search("pnuemonia", exact=True).total == 0


def test_british_words_are_corrected_too(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "Hemorrhage")) as index:
        assert codes(index.search("haemorhage")) == ["A00"]


@given(st.sampled_from(["pneumonia", "chlamydial", "hypertension", "diabetes", "meningitis"]), st.data())
def test_any_single_wrong_letter_is_corrected(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    wrong = data.draw(
        st.sampled_from(
            [
                word[:place] + word[place + 1 :],
                word[:place] + letter + word[place:],
                word[:place] + letter + word[place + 1 :],
            ]
        )
    )
    with reader_of([cm("A00", word), cm("A01", "Something else")]) as reader:
        term = ANALYZER.term(wrong)
        if term not in reader.terms:
            assert word in {one.written for one in UnknownWords(reader).replacements(wrong, term)}


@given(st.text(max_size=40))
def test_any_word_is_answered(word: str) -> None:
    with reader_of([cm("A00", "Pneumonia")]) as reader:
        unknown = UnknownWords(reader)
        for folded in ANALYZER.words(ANALYZER.fold(word)):
            for one in unknown.replacements(folded, ANALYZER.term(folded)):
                assert 0 < one.share <= 1
                assert all(0 <= term < len(reader.term_list) for term in one.terms)


DRUGS = "keytruda => pembrolizumab | same\nglucometer => blood glucose monitor | same\nabcdefg => nothing here | same"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("keytrudda", "J9271"),
        ("keytrud", "J9271"),
        ("kyetruda", "J9271"),
        ("glucometor", "E0607"),
    ],
)
def test_a_misspelt_word_of_a_rule_finds_what_the_rule_does(tmp_path: Path, typed: str, code: str) -> None:
    names = {"J9271": "Injection, pembrolizumab, 1 mg", "E0607": "Home blood glucose monitor"}
    records = [CodeRecord("HCPCS", own, name) for own, name in names.items()]
    with index_of(tmp_path, *records, rules=DRUGS) as index:
        results = index.search(typed)
        assert codes(results) == [code]
        assert [rewrite.typed for rewrite in results.rewrites] == [typed]
        assert not index.search(typed, exact=True).hits


@pytest.mark.parametrize("typed", ["eytruda", "keytroudes", "abcdefgh", "keytr"])
def test_what_is_further_off_or_holds_no_record_is_no_word_of_a_rule(tmp_path: Path, typed: str) -> None:
    with index_of(tmp_path, CodeRecord("HCPCS", "J9271", "Injection, pembrolizumab"), rules=DRUGS) as index:
        assert not index.search(typed).hits
