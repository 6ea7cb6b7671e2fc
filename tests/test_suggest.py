"""Suggestions go on from what is typed, say what in them does not, and stand in one order whatever the limit."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_support import ANALYZER, CLINIC, clinic, cm, header, index_of, reader_of, with_rules
from random_corpora import RULES, TYPED, UNKNOWN, corpora

from codesearch import Suggestion, UsageError
from codesearch.codes import bare
from codesearch.query.plan import Rewrite
from codesearch.query.request import Filters
from codesearch.query.search import Searcher
from codesearch.query.suggest import MAX_LIMIT, Suggester
from codesearch.records import CodeRecord

DIABETES = [
    header("E11", "Type 2 diabetes mellitus", inclusion_terms=("Diabetes NOS",)),
    cm("E11.9", "Type 2 diabetes mellitus without complications", parent="E11", synonyms=("Diabetes, diabetic",)),
    cm("E23.2", "Diabetes insipidus"),
    cm("E83.1", "Iron disorder", inclusion_terms=("Bronzed diabetes",)),
    cm("E10.9", "Type 1 diabetes mellitus", terminated="2020-10-01"),
    cm("Z83.3", "Family history of diabetes mellitus"),
    cm("N08", "Diabetic nephropathy"),
]


def codes(found: tuple[Suggestion, ...]) -> list[str | None]:
    """The codes of suggestions, in order."""
    return [one.code for one in found]


def suggested(text: str, *records: CodeRecord, folder: Path, rules: str = "") -> list[str | None]:
    """The codes suggested for a text by an index of these records."""
    with index_of(folder / "index", *records, rules=rules) as index:
        return codes(index.suggest(text))


def rewrites(found: tuple[Suggestion, ...]) -> set[tuple[str, str, str]]:
    """Everything that suggestions hold in place of what was typed."""
    return {(one.kind, one.typed, one.used) for each in found for one in each.rewrites}


def marked(one: Suggestion) -> list[str]:
    """The parts of a suggestion's text that were typed."""
    return [one.text[start:end] for start, end in one.marks]


# Codes


@pytest.mark.parametrize("text", ["e11", "E11", "e11.", " E 11 ", "E11-"])
def test_a_code_goes_on_in_any_spelling_the_code_itself_first(text: str) -> None:
    assert codes(clinic().suggest(text)) == ["E11", "E11.6", "E11.65", "E11.9"]


def test_codes_of_several_systems_stand_in_the_order_of_codes() -> None:
    assert codes(clinic().suggest("a01")) == ["A01", "A01.0", "A0100", "A01.00", "A01.01"]
    assert codes(clinic().suggest("A0100"))[:2] == ["A0100", "A01.00"]


def test_only_codes_with_dots_go_on_from_a_dot() -> None:
    assert codes(clinic().suggest("a01.0")) == ["A01.0", "A01.00", "A01.01"]


def test_codes_are_never_corrected() -> None:
    assert clinic().suggest("E12.9") == clinic().suggest("99204") == ()


def test_a_whole_code_of_letters_stands_before_words() -> None:
    assert codes(clinic().suggest("lt"))[0] == "LT"


def test_letters_begin_words_before_they_begin_codes(tmp_path: Path) -> None:
    records = (CodeRecord("OWN", "PAX", "Walking aid"), cm("R52", "Pain"), cm("R07", "Chest pain"))
    assert suggested("pa", *records, folder=tmp_path) == ["R52", "R07", "PAX"]


def test_chapters_are_never_suggested() -> None:
    assert not clinic().suggest("A00-B99")
    assert all(one.kind != "chapter" for one in clinic().suggest("infectious"))


def test_a_code_that_is_longer_than_the_table_of_codes_is_compared_whole(tmp_path: Path) -> None:
    long = "LONG" * 7
    records = (CodeRecord("OWN", long + "1", "One"), CodeRecord("OWN", long + "2", "Two"))
    assert suggested(long + "2", *records, folder=tmp_path) == [long + "2"]


def test_codes_alone() -> None:
    index = clinic()
    assert codes(index.complete_code("e11", limit=2)) == ["E11", "E11.6"]
    assert codes(index.complete_code("a0100", system="icd-10-cm")) == ["A01.00"]
    assert index.complete_code("diabetes") == index.complete_code("") == ()


# Words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("typhoid m", "A01.01"),
        ("meningitis typh", "A01.01"),
        ("TYPHOID  Meningit", "A01.01"),
        ("kidney st", "N20.0"),
        ("stones kidn", "N20.0"),
        ("vitamin b12 d", "E53.8"),
        ("type ii diabetes mellitus with hyperg", "E11.65"),
        ("struck by sp", "W21"),
        ("low back", "M54.50"),
        ("bedside s", None),
    ],
)
def test_earlier_words_are_whole_and_the_last_one_goes_on(text: str, code: str | None) -> None:
    assert codes(clinic().suggest(text))[0] == code


def test_all_words_stand_in_one_entry() -> None:
    assert not clinic().suggest("essential blood")
    assert not clinic().suggest("diabetes vertebro")


def test_a_word_before_a_blank_is_complete(tmp_path: Path) -> None:
    records = (cm("A01", "Arm pain"), cm("A02", "Armpit lump"))
    assert set(suggested("arm", *records, folder=tmp_path)) == {"A01", "A02"}
    assert suggested("arm ", *records, folder=tmp_path) == ["A01"]


def test_one_word_does_not_answer_for_two(tmp_path: Path) -> None:
    records = (cm("A01", "Heart disease"), cm("A02", "Heart hypertrophy"))
    assert suggested("heart h", *records, folder=tmp_path) == ["A02"]


def test_a_stop_word_may_go_on_or_be_left_out(tmp_path: Path) -> None:
    records = (cm("A01", "Fracture of arm"), cm("A02", "Fracture in office"))
    assert suggested("fracture of", *records, folder=tmp_path) == ["A02", "A01"]
    assert suggested("fracture of ", *records, folder=tmp_path) == ["A01", "A02"]
    assert suggested("o", *records, folder=tmp_path) == ["A02"]


@pytest.mark.parametrize("text", ["xray", "x-ray", "x ray", "xr", "x-r", "X‑RAY"])
def test_hyphens_are_blanks_or_nothing(text: str, tmp_path: Path) -> None:
    assert suggested(text, cm("A01", "Chest X-ray"), folder=tmp_path) == ["A01"]


def test_two_words_may_be_one(tmp_path: Path) -> None:
    with index_of(tmp_path / "index", cm("A01", "Backache of the spine")) as index:
        found = index.suggest("back ache sp")
        assert codes(found) == ["A01"]
        assert rewrites(found) == {("joined", "back ache", "backache")}


@pytest.mark.parametrize("text", ["haem", "hem", "haemorrhage", "hemorrh", "haemorrhagic"])
@pytest.mark.parametrize("name", ["Haemorrhage of eye", "Hemorrhage of eye"])
def test_spellings_are_one(text: str, name: str, tmp_path: Path) -> None:
    assert suggested(text, cm("A01", name), folder=tmp_path) == ["A01"]


def test_accents_and_possessives_do_not_count(tmp_path: Path) -> None:
    records = (cm("H81", "Ménière's disease"),)
    for text in ("meni", "ménière", "Meniere's dis", "ménière’s d"):
        assert suggested(text, *records, folder=tmp_path) == ["H81"]


# Order


def test_short_entries_stand_first_and_ended_codes_last(tmp_path: Path) -> None:
    found = suggested("diab", *DIABETES, folder=tmp_path)
    assert found == ["E11.9", "E11", "E23.2", "N08", "E83.1", "Z83.3", "E10.9"]


def test_a_billable_code_stands_before_a_header_of_the_same_text(tmp_path: Path) -> None:
    records = (header("W21", "Struck by bat"), cm("W21.0", "Struck by bat"))
    assert suggested("struck", *records, folder=tmp_path) == ["W21.0", "W21"]


def test_names_stand_before_inclusion_terms_before_synonyms(tmp_path: Path) -> None:
    records = (
        cm("A01", "First", synonyms=("Painful arm",)),
        cm("A02", "Second", inclusion_terms=("Painful arm",)),
        cm("A03", "Painful arm"),
    )
    assert suggested("painf", *records, folder=tmp_path) == ["A03", "A02", "A01"]


@pytest.mark.parametrize("default", ["Fever, unspecified", "Fever NOS", "Fever, site not specified"])
def test_the_code_for_when_nothing_more_is_known_stands_before_more_special_ones(default: str, tmp_path: Path) -> None:
    records = (cm("A01", "Fever in autumn"), cm("A02", "Rat fever"), cm("A03", default))
    assert suggested("fev", *records, folder=tmp_path)[0] == "A03"


def test_that_code_stands_before_the_header_above_it() -> None:
    assert codes(clinic().suggest("typhoid f")) == ["A01.00", "A01.0", "A01"]


def test_words_in_parentheses_match_after_others(tmp_path: Path) -> None:
    records = (cm("A01", "Hypertension (primary)"), cm("A02", "Primary infection of the left lung"))
    assert suggested("prim", *records, folder=tmp_path) == ["A02", "A01"]


def test_entries_that_begin_as_typed_stand_before_others_of_their_length(tmp_path: Path) -> None:
    assert suggested("fev", cm("A01", "Rat fever"), cm("A02", "Fever blister"), folder=tmp_path) == ["A02", "A01"]


def test_words_that_begin_as_typed_stand_before_other_forms(tmp_path: Path) -> None:
    records = [cm(f"A{number:02}", f"Fracture {word}") for number, word in enumerate(["arm", "leg", "rib"])]
    with index_of(tmp_path / "index", *records, cm("K08", "Dental material that has fractured in use")) as index:
        found = index.suggest("fractured")
        assert codes(found) == ["K08", "A00", "A01", "A02"]
        assert [bool(one.rewrites) for one in found] == [False, True, True, True]
        assert rewrites(found) == {("form", "fractured", "fracture")}


def test_a_name_with_the_typed_form_is_found_among_many_with_others(tmp_path: Path) -> None:
    letters = "abcdefghijklmnopqrst"
    names = [f"Fracture {one}{two}" for one in letters for two in letters]
    records = [cm(f"A{number:05}", name) for number, name in enumerate(names)]
    last = cm("K08.5", "Dental material that has fractured in use")
    assert suggested("fractured", *records, last, folder=tmp_path)[0] == "K08.5"


# What stands for something else


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("hyprten", "I10", {("hyprten", "hypertension")}),
        ("diabtes ", "E10.9", {("diabtes", "diabetes")}),
        ("typoid f", "A01.00", {("typoid", "typhoid")}),
        ("typhoid menngi", "A01.01", {("menngi", "meningitis")}),
        ("vertibropl", "22510", {("vertibropl", "vertebroplasty")}),
        ("kidny stine", "N20.0", {("kidny", "kidney"), ("stine", "stone")}),
    ],
)
def test_a_misspelt_word_is_corrected_and_told(text: str, code: str, told: set[tuple[str, str]]) -> None:
    first = clinic().suggest(text)[0]
    assert first.code == code
    assert rewrites((first,)) == {("spelling", *each) for each in told}


def test_what_is_typed_right_is_not_corrected(tmp_path: Path) -> None:
    records = [cm(f"A{number:02}", f"{name} pain") for number, name in enumerate(["Fever", "Feverish", "Fevers"])]
    assert suggested("fever", *records, cm("B01", "Lever pain"), folder=tmp_path) == ["A00", "A01", "A02"]


def test_little_that_is_typed_right_is_followed_by_corrections(tmp_path: Path) -> None:
    records = (cm("A01", "Astma"), cm("A02", "Asthma"))
    assert suggested("astma", *records, folder=tmp_path) == ["A01", "A02"]


@pytest.mark.parametrize("text", ["fev", "zzz", "fvr"])
def test_short_words_are_not_corrected(text: str, tmp_path: Path) -> None:
    assert suggested(text, cm("A01", "Femur"), folder=tmp_path) == []


def test_a_wrong_word_that_is_known_is_corrected_where_nothing_else_fits(tmp_path: Path) -> None:
    records = (cm("A01", "Heart failure"), cm("A02", "Heat rash"))
    assert suggested("heat fail", *records, folder=tmp_path) == ["A01"]


def test_a_lay_word_is_followed_by_what_it_stands_for() -> None:
    found = clinic().suggest("hives")
    assert codes(found) == ["L50.9"]
    assert rewrites(found) == {("lay", "hives", "urticaria")}


def test_an_abbreviation_stands_before_words_that_begin_like_it(tmp_path: Path) -> None:
    records = (cm("I21", "Myocardial infarction"), cm("G43", "Migraine"), cm("Z99", "Quality of MI care"))
    rules = "MI => myocardial infarction | abbreviation"
    assert suggested("mi", *records, folder=tmp_path, rules=rules) == ["Z99", "I21", "G43"]
    assert suggested("mi ", *records, folder=tmp_path, rules=rules) == ["Z99", "I21"]


def test_a_single_letter_is_no_abbreviation(tmp_path: Path) -> None:
    records = (cm("A01", "Left arm"), cm("A02", "Lumbago"))
    assert suggested("l", *records, folder=tmp_path, rules="L => left | abbreviation") == ["A02", "A01"]


def test_what_a_word_abbreviates_by_its_beginning_is_typed_already(tmp_path: Path) -> None:
    with index_of(tmp_path / "index", cm("A01", "Laparoscopy"), rules="lap => laparoscopy | abbreviation") as index:
        assert rewrites(index.suggest("lap")) == set()
        assert rewrites(index.suggest("lap ")) == {("abbreviation", "lap", "laparoscopy")}


def test_initials_are_read_only_for_want_of_anything_else() -> None:
    assert codes(clinic().suggest("aki")) == []
    found = clinic().suggest("ami")
    assert codes(found)[0] == "I21.9"
    assert {kind for kind, _, _ in rewrites(found)} == {"initials"}


def test_phrases_do_not_fill_the_list(tmp_path: Path) -> None:
    many = [cm(f"I{number}", f"Infarction {name}") for number, name in enumerate(["a1", "b2", "c3", "d4", "e5"], 10)]
    found = suggested("mi", *many, cm("G43", "Migraine"), folder=tmp_path, rules="MI => infarction | abbreviation")
    assert found == ["I10", "I11", "I12", "G43"]


# Marks and fields


def test_what_was_typed_is_marked() -> None:
    [one] = clinic().suggest("typhoid men")
    assert marked(one) == ["Typhoid", "men"]
    [stone] = clinic().suggest("kidney stones", limit=1)
    assert (stone.text, marked(stone)) == ("Kidney stone", ["Kidney", "stone"])
    assert marked(clinic().suggest("hives")[0]) == ["Urticaria"]
    assert clinic().suggest("e11.9")[0].marks == ()


@pytest.mark.parametrize(
    ("name", "text", "marks"),
    [
        ("Ménière's disease", "meniere d", ["Ménière's", "d"]),
        ("Post-operative pain", "postop", ["Post-operative"]),
        ("Bipolar II disorder", "bipolar 2", ["Bipolar", "II"]),
        ("Haemorrhage, haematoma", "haem", ["Haem", "haem"]),
        ("Haemorrhage", "hem", ["Haemorrhage"]),
        ("Œdema of the eye", "oedema e", ["Œdema", "e"]),
        ("Type I Diabetes", "type 1 dia", ["Type", "I", "Dia"]),
    ],
)
def test_marks_are_places_in_the_text_as_it_is_written(name: str, text: str, marks: list[str], tmp_path: Path) -> None:
    with index_of(tmp_path / "index", cm("A01", name)) as index:
        assert marked(index.suggest(text)[0]) == marks


def test_a_suggestion_tells_what_is_known_of_its_code(tmp_path: Path) -> None:
    with index_of(tmp_path / "index", *DIABETES) as index:
        by_code = {one.code: one for one in index.suggest("diabet")}
        ended = by_code["E10.9"]
        assert (ended.system, ended.kind, ended.billable, ended.terminated) == ("ICD10CM", "code", True, "2020-10-01")
        assert (by_code["E11"].kind, by_code["E11"].billable, by_code["E11"].entry) == (
            "header",
            False,
            "inclusion_terms",
        )
        bronzed = by_code["E83.1"]
        assert (bronzed.text, bronzed.name, bronzed.entry) == ("Bronzed diabetes", "Iron disorder", "inclusion_terms")
        assert index.suggest("e11")[0].entry == "code"


def test_a_suggestion_is_plain_data_for_other_tools() -> None:
    plain = clinic().suggest("hyprten")[0].to_dict()
    assert plain["marks"] == [[20, 28]]
    assert plain["rewrites"] == [{"kind": "spelling", "typed": "hyprten", "used": "hypertension"}]
    assert list(plain) == list(Suggestion._fields)


# Filters and limits


def test_filters_let_through_what_they_say() -> None:
    index = clinic()
    assert codes(index.suggest("res", system="pcs", billable=True))[0] == "0DTJ0ZZ"
    assert {one.system for one in index.suggest("a", system=["cpt", "hcpcs"], limit=100)} == {"CPT", "HCPCS"}
    assert codes(index.suggest("e11", billable=True)) == ["E11.65", "E11.9"]
    assert codes(index.suggest("e11", billable=False)) == ["E11", "E11.6"]
    assert not index.suggest("typhoid", system="hcpcs")


def test_an_unknown_system_and_a_limit_out_of_range_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="no such system"):
        clinic().suggest("a", system="snomed")
    for limit in (-1, MAX_LIMIT + 1):
        with pytest.raises(UsageError, match="out of range"):
            clinic().suggest("a", limit=limit)
    assert clinic().suggest("a", limit=0) == ()


# Invariants


TYPED_SO_FAR = st.one_of(
    st.lists(st.sampled_from([*TYPED, *UNKNOWN, "of", "a"]), min_size=1, max_size=4).map(" ".join),
    st.sampled_from(["I0001", "o00", "C", "I", "post-op", "x-", "type i", "2"]),
)


@st.composite
def beginnings(draw: st.DrawFn) -> str:
    """A text that is typed up to somewhere."""
    text = draw(TYPED_SO_FAR)
    return text[: draw(st.integers(1, len(text)))] + draw(st.sampled_from(["", "", " "]))


@pytest.mark.parametrize(
    ("text", "typed"), [("kidney kidnei", "kidnei"), ("kidnei kidney ", "kidnei"), ("kidnei kidnwy ", "kidnei kidnwy")]
)
def test_a_misspelt_word_beside_the_right_one_is_told(text: str, typed: str) -> None:
    with reader_of([cm("N28", "Kidney")]) as reader:
        scope = Searcher(reader).scope(Filters())
        (found,) = Suggester(reader).suggest(text, scope, 10)
    assert found.rewrites == (Rewrite("spelling", typed, "kidney"),)


@settings(max_examples=60, deadline=None)
@given(corpora(), st.lists(beginnings(), min_size=1, max_size=12))
def test_every_suggestion_is_what_it_says(records: list[CodeRecord], texts: list[str]) -> None:
    with reader_of(records, with_rules(RULES)) as reader:
        suggester, scope = Suggester(reader), Searcher(reader).scope(Filters())
        for text in texts:
            found = suggester.suggest(text, scope, 100)
            keys = [(one.system, one.code) for one in found]
            assert len(set(keys)) == len(keys)
            for one in found:
                assert answers(one, text), (text, one)
                assert all(0 <= start < end <= len(one.text) for start, end in one.marks)
                assert all(first[1] <= second[0] for first, second in pairwise(one.marks))


def answers(one: Suggestion, text: str) -> bool:
    """Whether a suggestion has what was typed, or what it says to have in its place."""
    if one.entry == "code":
        return bare(one.code or "").startswith(bare(text))
    read = {rewrite.typed: rewrite for rewrite in one.rewrites}
    folded = ANALYZER.fold(text)
    words = ANALYZER.words(folded)
    if " ".join(words) in read and read[" ".join(words)].kind not in {"spelling", "form", "joined"}:
        return set(ANALYZER.terms(read[" ".join(words)].used)) <= terms_of(one.text)
    is_open = folded.endswith(words[-1])
    for rewrite in one.rewrites:
        if not any(word.startswith(rewrite.used) for word in words_of(one.text)):
            return False
    told = {word for typed in read for word in typed.split()}
    earlier = [word for word in (words[:-1] if is_open else words) if ANALYZER.term(word) and word not in told]
    whole = all(ANALYZER.term(word) in terms_of(one.text) for word in earlier)
    last = words[-1]
    if ANALYZER.term(last) in map(ANALYZER.term, words[:-1]):  # said twice, and counted once
        return whole
    return whole and (not is_open or last in told or begins(one.text, last) or (len(words) > 1 and is_stop(last)))


def is_stop(word: str) -> bool:
    return not ANALYZER.term(word)


def begins(text: str, typed: str) -> bool:
    """Whether a word of a text begins as typed, in one spelling or another."""
    folded = ANALYZER.fold_spelling(typed)
    number = ANALYZER.term(typed)
    return any(
        word.startswith(typed)
        or ANALYZER.fold_spelling(word).startswith(folded)
        or (ANALYZER.term(word).isdigit() and ANALYZER.term(word).startswith((typed, number or typed)))
        for word in words_of(text)
    )


def words_of(text: str) -> set[str]:
    """The words of a text, hyphenated ones joined too."""
    folded = ANALYZER.fold(text)
    joined = {piece.replace("-", "") for piece in folded.replace("(", " ").replace(")", " ").split() if "-" in piece}
    return {*ANALYZER.words(folded), *joined}


def terms_of(text: str) -> set[str]:
    return {ANALYZER.term(word) for word in words_of(text)} - {""}


@settings(max_examples=40, deadline=None)
@given(corpora(), st.lists(beginnings(), min_size=1, max_size=8), st.integers(0, 5))
def test_a_larger_limit_only_adds_to_the_end(records: list[CodeRecord], texts: list[str], limit: int) -> None:
    with reader_of(records, with_rules(RULES)) as reader:
        suggester, scope = Suggester(reader), Searcher(reader).scope(Filters())
        for text in texts:
            everything = suggester.suggest(text, scope, 100)
            assert suggester.suggest(text, scope, limit) == everything[:limit]


@settings(max_examples=40, deadline=None)
@given(corpora(), beginnings(), st.sampled_from([None, True, False]), st.sampled_from([(), ("CPT",), ("OWN", "CPT")]))
def test_filters_only_leave_out(
    records: list[CodeRecord], text: str, billable: bool | None, systems: tuple[str, ...]
) -> None:
    with reader_of(records, with_rules(RULES)) as reader:
        suggester, searcher = Suggester(reader), Searcher(reader)
        known = tuple(system for system in systems if system in reader.systems)
        found = suggester.suggest(text, searcher.scope(Filters(known, billable)), 100)
        assert all(one.system in known for one in found if known)
        assert all(one.billable is billable for one in found if billable)
        assert not any(one.billable for one in found if billable is False)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_stops_a_suggestion(text: str) -> None:
    assert isinstance(clinic().suggest(text), tuple)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "E11\x00",
        "\x1b[31mfev",
        "\ud800",
        "😀",
        "fever 😀",
        "E11😀",
        "é" * 5000,
        "a" * 10_000,
        "fever " * 2000,
        "1" * 10_000,
        "e" + "." * 9_999,
        "-" * 10_000,
        "x-" * 5_000,
        "(" * 10_000,
        "abcdefghij" * 1_001,
        "中文 fever",
        "fever\u2028typhoid",
        "'''’’’",
        "of",
        "the of",
        "*?",
    ],
)
def test_odd_texts(text: str) -> None:
    found = clinic().suggest(text)
    assert isinstance(found, tuple)
    assert len(set(found)) == len(found)


def test_as_many_words_as_no_entry_has_complete_nothing() -> None:
    assert clinic().suggest("typhoid " * 200) == ()


def test_threads_share_an_index(tmp_path: Path) -> None:
    texts = [text[:length] for text in ("typhoid meningitis", "diabtes mell", "e11.9") for length in range(1, 14)]
    with index_of(tmp_path / "index", *CLINIC) as index:
        found: list[list[tuple[Suggestion, ...]]] = []
        threads = [
            threading.Thread(target=lambda: found.append([index.suggest(text) for text in texts])) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [[index.suggest(text) for text in texts]] * 4
