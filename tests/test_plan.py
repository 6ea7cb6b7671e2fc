"""A text becomes slots: a slot for each word, with all that may stand for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import SHIPPED, cm, reader_of, with_rules

from codesearch.index.reader import IndexReader
from codesearch.query.kernel_rows import MAX_SLOTS
from codesearch.query.plan import Alternative, Planner, Rewrite, Slot

RULES = """
kidney, renal | same
heart attack => myocardial infarction | lay
heart => cardiac | same
MI => myocardial infarction | abbreviation
MI => mitral insufficiency | abbreviation
thing => nowhere land | lay
"""
NAMES = [
    "Kidney stone",
    "Renal failure",
    "Myocardial infarction",
    "Cardiac arrest",
    "Mitral insufficiency",
    "Heart attack",
    "Postoperative x-ray",
    "Post operative pain",
    "Deep venous thrombosis",
    "Thing",
]


@pytest.fixture(scope="module")
def reader() -> Iterator[IndexReader]:
    """An index of the names with the rules."""
    with reader_of([cm(f"A{number:02d}", name) for number, name in enumerate(NAMES)], with_rules(RULES)) as reader:
        yield reader


def phrases(reader: IndexReader, one: Alternative) -> str:
    """The terms of an alternative."""
    return " ".join(sorted(reader.term_list[term] for term in one.terms))


def slots(reader: IndexReader, text: str, *, exact: bool = False) -> tuple[Slot, ...]:
    """The slots of a text."""
    return Planner(reader).slots(text, exact)[0]


def test_each_word_has_a_slot_and_stop_words_have_none(reader: IndexReader) -> None:
    assert [slot.word for slot in slots(reader, "Failure of the kidney")] == ["failure", "kidney"]
    assert slots(reader, "of the and") == ()
    assert slots(reader, "") == ()


def test_a_word_that_is_typed_comes_first_and_weighs_most(reader: IndexReader) -> None:
    (slot,) = slots(reader, "kidney")
    assert [(one.weight_class, phrases(reader, one)) for one in slot.alternatives] == [
        ("typed", "kidney"),
        ("same", "renal"),
    ]
    assert slot.alternatives[0].weight == 1 > slot.alternatives[1].weight


def test_a_repeated_word_has_one_slot(reader: IndexReader) -> None:
    assert slots(reader, "kidney stone kidneys KIDNEY stones") == slots(reader, "kidney stone")


def test_several_words_that_mean_something_together_share_it(reader: IndexReader) -> None:
    heart, attack = slots(reader, "heart attack")
    for slot in (heart, attack):
        (together,) = [one for one in slot.alternatives if one.weight_class == "lay"]
        assert together.words == ("heart", "attack")
        assert phrases(reader, together) == "infarct myocardi"
    assert "same" in {one.weight_class for one in heart.alternatives}


def test_words_that_mean_something_together_do_so_in_any_order(reader: IndexReader) -> None:
    for text in ("attack of the heart", "attack kidney heart"):
        found = {slot.word: slot for slot in slots(reader, text)}
        for word in ("heart", "attack"):
            (together,) = [one for one in found[word].alternatives if one.weight_class == "lay"]
            assert set(together.words) == {"heart", "attack"}


@pytest.mark.parametrize("text", ["mi21", "MI3a", "MI2b1"])
def test_a_number_at_the_end_of_an_abbreviation_names_one_of_its_kind(reader: IndexReader, text: str) -> None:
    (slot,) = slots(reader, text)
    assert {phrases(reader, one) for one in slot.alternatives} == {"infarct myocardi", "insuffici mitral"}


def test_all_senses_of_an_abbreviation_are_searched(reader: IndexReader) -> None:
    (slot,) = slots(reader, "mi")
    assert {phrases(reader, one) for one in slot.alternatives} >= {"infarct myocardi", "insuffici mitral"}


def test_neighbours_are_also_one_word(reader: IndexReader) -> None:
    first, second = slots(reader, "post operative")
    for slot in (first, second):
        assert [one.phrase for one in slot.alternatives if one.weight_class == "joined"] == ["postoperative"]


def test_initials_of_a_title_are_an_abbreviation_of_it(reader: IndexReader) -> None:
    (slot,) = slots(reader, "dvt")
    assert [(one.weight_class, one.phrase) for one in slot.alternatives] == [("initials", "Deep venous thrombosis")]


def test_an_expansion_that_no_entry_has_is_left_out(reader: IndexReader) -> None:
    (slot,) = slots(reader, "thing")
    assert [one.weight_class for one in slot.alternatives] == ["typed"]


def test_everything_that_was_not_typed_is_disclosed(reader: IndexReader) -> None:
    found, rewrites, _ = Planner(reader).slots("heart attack kidny dvt", False)
    used = {
        (one.weight_class, one.phrase) for slot in found for one in slot.alternatives if one.weight_class != "typed"
    }
    assert used == {(rewrite.kind, rewrite.used) for rewrite in rewrites}
    assert Rewrite("lay", "heart attack", "myocardial infarction") in rewrites
    assert Rewrite("spelling", "kidny", "kidney") in rewrites
    assert str(rewrites[0]).count("->") == 1


@pytest.mark.parametrize(
    "text", ["heart attack kidney", "kidny", "mi", "post operative", "dvt", "venousthrombosis", "zzyzx"]
)
def test_with_exact_only_what_is_typed_is_searched(reader: IndexReader, text: str) -> None:
    found, rewrites, _ = Planner(reader).slots(text, True)
    assert rewrites == ()
    assert {one.weight_class for slot in found for one in slot.alternatives} <= {"typed"}


def test_rare_words_weigh_more_than_common_ones() -> None:
    with reader_of([cm(f"A{number:02d}", f"Fever {'rash' if number == 3 else ''}") for number in range(20)]) as reader:
        fever, rash = slots(reader, "fever rash")
        assert rash.mass > fever.mass > 0


def test_a_word_that_nothing_is_known_of_still_weighs(reader: IndexReader) -> None:
    (slot,) = slots(reader, "zzyzx")
    assert slot.alternatives == ()
    assert slot.mass == SHIPPED.ranking.unknown_mass


def test_a_word_that_stands_in_exclusions_only_is_unknown() -> None:
    """It can find nothing, so it is looked for as any misspelt word is."""
    records = [cm("A00", "Pneumonia", excludes=("pneumonya",)), cm("A01", "Cough")]
    with reader_of(records) as reader:
        (slot,) = slots(reader, "pneumonya")
        assert [(one.weight_class, one.phrase) for one in slot.alternatives] == [("spelling", "pneumonia")]


def test_words_beyond_the_limit_are_ignored_and_named(reader: IndexReader) -> None:
    words = [f"word{number}" for number in range(MAX_SLOTS + 9)]
    found, _, ignored = Planner(reader).slots(" ".join(words), False)
    assert [slot.word for slot in found] == words[:MAX_SLOTS]
    assert list(ignored) == words[MAX_SLOTS:]


_typed = st.lists(
    st.sampled_from(
        [
            "heart",
            "attack",
            "mi",
            "kidney",
            "kidny",
            "renal",
            "zzyzx",
            "post",
            "operative",
            "xray",
            "of",
            "dvt",
            "2",
            "II",
        ]
    ),
    max_size=10,
)


@given(_typed.map(" ".join), st.booleans())
def test_every_plan_is_sound(text: str, exact: bool) -> None:
    with reader_of([cm("A00", "Kidney stone"), cm("A01", "Myocardial infarction heart")], with_rules(RULES)) as reader:
        found, _, ignored = Planner(reader).slots(text, exact)
        assert ignored == ()
        assert len({slot.term for slot in found}) == len(found)
        for slot in found:
            assert slot.mass > 0
            assert len({one.terms for one in slot.alternatives}) == len(slot.alternatives)
            for one in slot.alternatives:
                assert slot.word in one.words
                assert set(one.words) <= {each.word for each in found}
                assert 0 < one.share <= 1
                assert one.weight == 1 if one.weight_class == "typed" else 0 < one.weight < 1
                assert one.terms == tuple(sorted(set(one.terms)))
