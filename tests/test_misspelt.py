"""Words one edit from a typed one, whole or in part."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from codesearch.query.misspelt import MAX_LENGTH, MIN_LENGTH, WordList

WORDS = sorted(
    ["asthma", "diabetes", "diabetic", "fever", "fevers", "hypertension", "hypotension", "pneumonia", "x2ray"]
)
LETTERS = st.text("abc", min_size=1, max_size=7)


def beginnings(words: Iterable[str]) -> set[str]:
    """Every beginning of the words, the empty one too."""
    return {word[:length] for word in words for length in range(len(word) + 1)}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fver", "fever"),
        ("feever", "fever"),
        ("fewer", "fever"),
        ("fevre", "fever"),
        ("gever", "fever"),
        ("diabetis", "diabetic"),
        ("astma", "asthma"),
        ("pnuemonia", "pneumonia"),
    ],
)
def test_a_letter_left_out_too_many_wrong_or_swapped(typed: str, meant: str) -> None:
    assert meant in WordList(WORDS).words_near(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("hyprten", "hyperten"), ("diabets", "diabetes"), ("penumo", "pneumo"), ("astm", "asthm"), ("ypert", "hypert")],
)
def test_the_beginning_of_a_word_may_be_misspelt(typed: str, meant: str) -> None:
    assert meant in WordList(WORDS).beginnings_near(typed)


def test_a_letter_left_out_is_likelier_than_a_wrong_one() -> None:
    assert WordList(WORDS).beginnings_near("hyprten") == ("hyperten",)


def test_the_first_letter_is_likely_right() -> None:
    assert WordList(["bever", "fiver"]).words_near("fever") == ("fiver",)
    assert WordList(["bever"]).words_near("fever") == ("bever",)


@pytest.mark.parametrize("typed", ["", "fev", "x2ra", "f2ver", "fiévre", "fever" * MAX_LENGTH])
def test_short_words_digits_and_runs_of_letters_are_not_corrected(typed: str) -> None:
    words = WordList(WORDS)
    assert words.words_near(typed) == words.beginnings_near(typed) == ()


@given(st.sets(LETTERS, max_size=20), LETTERS)
def test_what_is_found_is_known_and_one_edit_away(words: set[str], typed: str) -> None:
    found = WordList(sorted(words))
    for near, known in (
        (found.words_near(typed), words),
        (found.beginnings_near(typed), beginnings(words)),
    ):
        assert set(near) <= known
        assert all(OSA.distance(one, typed) == 1 for one in near)
        assert list(near) == sorted(near)


@given(st.sets(LETTERS, max_size=20), LETTERS)
def test_something_is_found_where_there_is_something(words: set[str], typed: str) -> None:
    found = WordList(sorted(words))
    if len(typed) >= MIN_LENGTH:
        assert bool(found.words_near(typed)) == any(OSA.distance(word, typed) == 1 for word in words)
        near = beginnings(words) if words else set()
        assert bool(found.beginnings_near(typed)) == any(OSA.distance(one, typed) == 1 for one in near)


@given(st.sets(LETTERS, max_size=20), LETTERS)
def test_the_words_that_begin_so_are_a_slice(words: set[str], typed: str) -> None:
    known = sorted(words)
    start, end = WordList(known).slice(typed)
    assert known[start:end] == [word for word in known if word.startswith(typed)]
    assert WordList(known).begins(typed) == (start < end)
