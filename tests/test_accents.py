"""Letters lose their accents, and no pile of marks takes long."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.accents import decomposed, without_accents


@pytest.mark.parametrize(
    ("text", "plain"), [("Ménière", "Meniere"), ("ﬁbroid", "fibroid"), ("½", "1⁄2"), ("日本", "日本")]
)
def test_accents_are_taken_off(text: str, plain: str) -> None:
    assert without_accents(text) == plain


@given(st.text(max_size=300))
def test_it_is_the_decomposition_of_unicode_but_for_the_order_of_marks(text: str) -> None:
    assert sorted(decomposed(text)) == sorted(unicodedata.normalize("NFKD", text))
    assert without_accents(text) == "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)
    )


def test_a_pile_of_marks_takes_no_time() -> None:
    begun = time.process_time()
    assert without_accents("a" + "\u0301\u0323" * 250_000) == "a"
    assert time.process_time() - begun < 2
