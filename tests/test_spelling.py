"""Which words are near a typed one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from codesearch.index.spelling import MIN_LENGTH, near, neighbourhood

WORDS = st.text("abc", min_size=1, max_size=7)


def near_words(typed: str, words: list[str], distance: int) -> set[str]:
    table = neighbourhood(words)
    return {words[number] for number in near(typed, table["hashes"], table["words"], distance)}


@given(st.lists(WORDS, unique=True, min_size=1, max_size=20), WORDS, st.integers(0, 2))
def test_no_near_word_is_missed(words: list[str], typed: str, distance: int) -> None:
    found = near_words(typed, words, distance)
    close = {word for word in words if Levenshtein.distance(word, typed) <= distance and len(word) >= MIN_LENGTH}
    assert close <= found


def test_long_words_are_compared_by_their_beginning() -> None:
    words = ["cholecystectomy", "appendectomy"]
    assert near_words("cholecistectomy", words, 1) == {"cholecystectomy"}


def test_short_words_digits_and_accents_are_never_corrected_to() -> None:
    assert near_words("abcd", ["abc", "abc4", "abcé"], 2) == set()


def test_no_words_give_an_empty_table() -> None:
    table = neighbourhood([])
    assert near("abcd", table["hashes"], table["words"], 2) == []
