"""Codes are recognised in any spelling, and what is no code is left as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import CLINIC, clinic, cm, codes, index_of, kinds_of_rewrites, reader_of

from codesearch.codes import bare
from codesearch.query.codes_typed import CodeRecogniser
from codesearch.query.results import Results
from codesearch.records import CodeRecord

CODED = [record for record in CLINIC if record.code and record.kind != "chapter" and record.name[:12] != "Resection of"]


def search(text: str, *, exact: bool = False, system: str | Sequence[str] | None = None) -> Results:
    """What the clinic's index finds, at most a hundred hits."""
    return clinic().search(text, limit=100, exact=exact, system=system)


def tiers(results: Results) -> list[tuple[str | None, int]]:
    """The code and tier of each hit."""
    return [(hit.code, hit.tier) for hit in results]


@pytest.mark.parametrize(
    "text", ["e119", "E119", "E11.9", "e11.9", " e11.9 ", "e 11.9", "E11 9", "E11-9", "\te11.9\n", "E11.9,", "(E11.9)"]
)
def test_the_exact_code_is_the_first_hit_in_any_spelling(text: str) -> None:
    hit = search(text).hits[0]
    assert (hit.code, hit.tier) == ("E11.9", 1)


@given(st.sampled_from(CODED), st.data())
def test_every_code_is_found_first_in_every_common_spelling(record: CodeRecord, data: st.DataObject) -> None:
    assert record.code
    plain = bare(record.code)
    spelled = data.draw(st.sampled_from([record.code, plain, plain.lower(), record.code.lower()]))
    text = data.draw(st.sampled_from(["{}", " {}", "{} ", "  {}\n"])).format(spelled)
    hit = search(text, system=record.system).hits[0]
    assert (hit.system, hit.code, hit.tier) == (record.system, record.code, 1)


def test_tiers_stand_in_order() -> None:
    results = search("E11")
    assert tiers(results)[0] == ("E11", 1)
    assert tiers(results)[1:] == [("E11.6", 2), ("E11.65", 2), ("E11.9", 2)]
    both = search("E11.65 mellitus")
    assert tiers(both)[0] == ("E11.65", 1)
    assert {tier for _, tier in tiers(both)[1:]} == {3}


def test_no_code_is_a_hit_twice() -> None:
    for text in ("E11 type 2 diabetes mellitus", "E11* E11.9 diabetes", "E11.9 E119 e11.9", "E11.0-E11.9 E11.9"):
        found = codes(search(text))
        assert len(found) == len(set(found)), text


def test_the_beginning_of_a_code_finds_the_codes_that_begin_so() -> None:
    assert tiers(search("W21.8"))[0] == ("W21.8", 1)
    assert tiers(search("9920")) == [("99202", 2), ("99203", 2)]
    assert tiers(search("W218")) == tiers(search("w21.8"))


def test_a_table_of_icd_10_pcs_is_no_exact_code() -> None:
    results = search("0FT")
    assert [tier for _, tier in tiers(results)] == [2, 2, 2]
    assert codes(results) == ["0FT40ZZ", "0FT44ZZ", "0FT"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0FT4?ZZ", ["0FT40ZZ", "0FT44ZZ"]),
        ("0ft4?zz", ["0FT40ZZ", "0FT44ZZ"]),
        ("0?T?4ZZ", ["0DTJ4ZZ", "0FT44ZZ"]),
        ("W21.89X?", ["W21.89XA", "W21.89XD"]),
        ("W21.89*", ["W21.89", "W21.89XA", "W21.89XD"]),
        ("992*3", ["99203", "99213"]),
        ("E11.*", ["E11", "E11.6", "E11.65", "E11.9"]),
        ("*89XD", ["W21.89XD"]),
    ],
)
def test_wildcards(text: str, found: list[str]) -> None:
    results = search(text)
    assert sorted(filter(None, codes(results))) == sorted(found)
    assert {hit.tier for hit in results} == {2}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("99202-99213", ["99202", "99203", "99211", "99213"]),
        ("99202 - 99213", ["99202", "99203", "99211", "99213"]),
        ("99202–99213", ["99202", "99203", "99211", "99213"]),
        ("99202..99203", ["99202", "99203"]),
        ("e11.6-e11.9", ["E11.6", "E11.65", "E11.9"]),
        ("W21.8-W21.89", ["W21.8", "W21.89", "W21.89XA", "W21.89XD"]),
    ],
)
def test_ranges(text: str, found: list[str]) -> None:
    assert tiers(search(text)) == [(code, 2) for code in found]


def test_a_range_beside_words_gives_its_codes_those_with_the_words_first() -> None:
    results = search("99202-99213 telehealth")
    assert tiers(results) == [("99213", 2), ("99202", 2), ("99203", 2), ("99211", 2)]
    assert search("99221 telehealth").hits[0].code == "99221"


@pytest.mark.parametrize("text", ["99213-99202", "99300-99400", "abc-def", "covid-19", "10-20", "-", "1-2"])
def test_what_is_no_range_of_codes_is_text(text: str) -> None:
    assert all(hit.tier == 3 for hit in search(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("W21.89A", "W21.89XA"),
        ("w2189a", "W21.89XA"),
        ("W21.89D", "W21.89XD"),
        ("El1.9", "E11.9"),
        ("e1l.9", "E11.9"),
        ("I1O", "I10"),
        ("AO1.00", "A01.00"),
        ("OFT44ZZ", "0FT44ZZ"),
        ("oft44zz", "0FT44ZZ"),
        ("9921l", "99211"),
        ("992O2", "99202"),
    ],
)
def test_a_reading_that_exists_is_the_first_hit_and_disclosed(text: str, code: str) -> None:
    results = search(text)
    assert (results.hits[0].code, results.hits[0].tier) == (code, 1)
    assert [(rewrite.kind, rewrite.typed, rewrite.used) for rewrite in results.rewrites] == [("code", text, code)]


@pytest.mark.parametrize("text", ["W21.89A", "El1.9", "OFT44ZZ"])
def test_with_exact_no_code_is_read_as_another(text: str) -> None:
    results = search(text, exact=True)
    assert results.rewrites == ()
    assert all(hit.tier == 3 for hit in results)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("W21.89A baseball", "W21.89XA"),
        ("injury by El1.9", "E11.9"),
        ("992O2 visit", "99202"),
        ("appendix OFT44ZZ", "0FT44ZZ"),
    ],
)
def test_a_reading_among_other_words_is_found_first_too(text: str, code: str) -> None:
    results = search(text)
    assert (results.hits[0].code, results.hits[0].tier) == (code, 1)
    assert ("code", code) in [(rewrite.kind, rewrite.used) for rewrite in results.rewrites]


@pytest.mark.parametrize("text", ["il6 level", "b l0 o2", "h1n1 flu", "l5 s1 disc", "IIO visit"])
def test_few_characters_among_other_words_are_read_as_no_code(text: str) -> None:
    assert "code" not in kinds_of_rewrites(search(text))


def test_a_word_of_a_record_is_not_read_as_a_code(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A00", "The 9921l marker"), CodeRecord("CPT", "99211", "Visit")) as index:
        assert {hit.tier for hit in index.search("9921l marker")} == {3}
        assert codes(index.search("9921o marker l9921l")) == ["A00"]


def test_the_code_that_is_typed_beats_any_reading_of_it(tmp_path: Path) -> None:
    with index_of(tmp_path, cm("A01", "Typhoid"), CodeRecord("LOCAL", "AO1", "Atrium opening")) as index:
        assert codes(index.search("AO1"))[0] == "AO1"
        assert index.search("AO1").rewrites == ()


@pytest.mark.parametrize("text", ["E11.8", "E12.9", "99204", "99999", "0FT44Z9", "BC1010", "Z99.99", "A0101X"])
def test_a_code_that_is_not_there_is_never_taken_for_one_that_looks_like_it(text: str) -> None:
    results = search(text)
    assert {tier for _, tier in tiers(results)} <= {3}
    assert "code" not in kinds_of_rewrites(results)
    assert all(code is None or abs(len(bare(code)) - len(bare(text))) > 2 for code in codes(results))


@pytest.mark.parametrize(
    "text",
    [
        "what is e11.9?",
        "E11.9?",
        "is this E11.9?",
        "icd10 e11.9",
        "ICD-10-CM: E11.9",
        "ICD-10-CM code E11.9",
        "icd10cm-E11.9",
        "the diagnosis E11.9!",
        '"E11.9"',
    ],
)
def test_a_code_in_a_sentence_is_found_first(text: str) -> None:
    hit = search(text).hits[0]
    assert (hit.system, hit.code, hit.tier) == ("ICD10CM", "E11.9", 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CPT 22512", ["22512"]),
        ("cpt4-22512", ["22512"]),
        ("cpt:22512", ["22512"]),
        ("CPT code 22512", ["22512"]),
        ("hcpcs: A0100", ["A0100"]),
        ("HCPCS Level II A0100", ["A0100"]),
        ("icd10 A0100", ["A01.00"]),
        ("icd-10-pcs 0FT44ZZ", ["0FT44ZZ"]),
        ("icd10 E11", ["E11", "E11.6", "E11.65", "E11.9"]),
    ],
)
def test_the_name_of_a_system_before_a_code_chooses_the_system(text: str, found: list[str]) -> None:
    assert codes(search(text)) == found


@pytest.mark.parametrize(
    "text", ["modifier LT", "lt modifier", "Modifier: lt", "mod lt", "hcpcs modifier LT", "lt-modifier"]
)
def test_a_modifier_may_stand_beside_the_word_for_it(text: str) -> None:
    assert tiers(search(text)) == [("LT", 1)]
    assert "LT" not in codes(search(text, system="ICD10CM"))


@pytest.mark.parametrize("text", ["modifier", "modifier of pain", "modifier E1", "no modifier"])
def test_the_word_modifier_alone_names_none(text: str) -> None:
    assert 1 not in [tier for _, tier in tiers(search(text))]


def test_the_name_of_a_system_is_taken_away_with_its_code_only() -> None:
    assert [slot.word for slot in search("cpt 22512 vertebroplasty").plan.slots] == ["vertebroplasty"]
    assert [slot.word for slot in search("cpt4-22512 vertebroplasty").plan.slots] == ["vertebroplasty"]
    assert [slot.word for slot in search("cpt E11.9 neuropathy").plan.slots] == ["cpt", "neuropathy"]
    assert codes(search("cpt E11.9"))[0] == "E11.9"


@pytest.mark.parametrize("text", ["E11.?", "S72?", "W21.89X?", "W21.89X? sports"])
def test_a_question_mark_in_a_pattern_stays_one(text: str) -> None:
    assert all(hit.tier == 2 for hit in search(text))


def test_a_pattern_with_a_dot_in_fourth_place_is_one_of_icd_10_cm() -> None:
    assert {hit.system for hit in search("A01.*")} == {"ICD10CM"}
    assert {hit.system for hit in search("A01*")} == {"HCPCS", "ICD10CM"}


def test_several_codes_are_all_first() -> None:
    results = search("I10, E11.9; N20.0 99213")
    assert tiers(results)[:4] == [("I10", 1), ("E11.9", 1), ("N20.0", 1), ("99213", 1)]


def test_a_code_that_two_systems_have_is_found_in_both() -> None:
    assert tiers(search("A0100")) == [("A0100", 1), ("A01.00", 1)]
    assert codes(search("A01.00")) == ["A01.00"]
    assert codes(search("A0100", system="ICD10CM")) == ["A01.00"]
    assert codes(search("A0100", system="HCPCS")) == ["A0100"]


def test_a_code_with_words_stands_before_what_the_words_find() -> None:
    results = search("N20.0 urticaria")
    assert tiers(results) == [("N20.0", 1), ("L50.9", 3)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("type 2 diabetes", "E11.9"),
        ("type 1 diabetes", "E10.9"),
        ("b12 deficiency", "E53.8"),
        ("vitamin b12 deficiency?", "E53.8"),
        ("visit 30 minutes", "99203"),
        ("b group vitamins", "E53.8"),
    ],
)
def test_words_with_digits_are_words(text: str, first: str) -> None:
    results = search(text)
    assert results.hits[0].code == first
    assert {hit.tier for hit in results} == {3}


def test_a_word_of_seven_letters_is_a_code_only_where_there_is_one() -> None:
    assert {hit.tier for hit in search("typhoid")} == {3}
    assert codes(search("BWO3ZZZ"))[0] == "BW03ZZZ"


def test_modifiers_are_codes() -> None:
    assert codes(search("LT", system="HCPCS")) == ["LT"]


def test_codes_of_an_own_system_are_found_in_any_spelling() -> None:
    for text in ("AB-77.1", "ab771", "AB 77.1"):
        assert tiers(search(text))[0] == ("AB-77.1", 1), text


def test_chapters_are_no_codes() -> None:
    for text in ("A00-B99", "A00", "A0*", "A00-A02", "A0"):
        assert "A00-B99" not in codes(search(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "?",
        "**",
        "1*1*1*1*1*1*1*1*1*1*1*1*",
        "?" * 500,
        "E*" * 2000,
        "9" * 9000,
        "1-" * 3000,
        ".",
        "..",
        "0-0",
        "é11.9",
        "E１１.9",
    ],
)
def test_odd_patterns_are_answered(text: str) -> None:
    assert search(text).total >= 0


@given(st.text(alphabet="eE119.*?- oOlLxXaA,;()0\n", max_size=24))
def test_whatever_is_typed_gives_codes_of_the_index(text: str) -> None:
    index = clinic()
    recogniser = CodeRecogniser(index._reader)
    matches, _ = recogniser.split(text, index.systems)
    for match in matches:
        assert match.tier in {1, 2}
        assert match.documents
        assert all(0 <= document < len(index) for document in match.documents)
        assert len(set(match.documents)) == len(match.documents)


def test_what_is_left_of_the_query_is_its_words() -> None:
    with reader_of([cm("E11.9", "Diabetes")]) as reader:
        matches, rest = CodeRecogniser(reader).split("neuropathy E11.9 of both feet", ["ICD10CM"])
        assert [match.typed for match in matches] == ["E11.9"]
        assert rest == "neuropathy of both feet"


def test_a_code_in_two_pieces_is_one_however_much_a_word_they_make(tmp_path: Path) -> None:
    knee, drowned = CodeRecord("ICD10PCS", "0SWKXKZ", "Revision of knee"), cm("W50.2XXA", "Twisted by another person")
    with index_of(tmp_path, knee, drowned) as index:
        for text in ("0SW KXKZ", "0sw kxkz", "w 50.2XXA", "w50 2xxa"):
            hit = index.search(text).hits[0]
            assert (hit.tier, hit.code and bare(hit.code)) == (1, bare(text))
        assert index.search("0sw revision").hits[0].tier == 3


def test_a_placeholder_may_be_missing_within_a_code(tmp_path: Path) -> None:
    records = (cm("T53.1X2S", "Chloroform, sequela"), cm("H91.8X9", "Hearing loss"), cm("T53", "Toxic effects"))
    with index_of(tmp_path, *records) as index:
        for text, code in (
            ("T53.12S", "T53.1X2S"),
            ("t5312s", "T53.1X2S"),
            ("H91.89", "H91.8X9"),
            ("h9189", "H91.8X9"),
        ):
            results = index.search(text)
            assert (results.hits[0].code, results.hits[0].tier) == (code, 1)
            assert [(rewrite.kind, rewrite.used) for rewrite in results.rewrites] == [("code", code)]
        assert index.search("T53.12S", exact=True).rewrites == ()


def test_letters_that_are_no_word_may_begin_a_code(tmp_path: Path) -> None:
    device = CodeRecord("ICD10PCS", "XRHB018", "Insertion of a spinal device")
    ordinary = CodeRecord("ICD10PCS", "GZB0ZZZ", "Therapy of moods"), cm("A00", "Gzb of cattle")
    with index_of(tmp_path, device, *ordinary, CodeRecord("LOCAL", "XRH", "Of ours")) as index:
        assert [(hit.code, hit.tier) for hit in index.search("xrh")] == [("XRH", 1)]
        assert [(hit.code, hit.tier) for hit in index.search("xrhb")] == [("XRHB018", 2)]
        assert [(hit.code, hit.tier) for hit in index.search("gzb")] == [("A00", 3)]
