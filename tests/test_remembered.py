"""What is remembered is given back, and never grows beyond its limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codesearch.index.remembered import Remembered


def test_a_value_that_is_kept_is_there() -> None:
    memory: Remembered[str, int] = Remembered(10)
    assert memory.keep("a", 1, 4) == 1
    memory.keep("b", 2, 6)
    assert dict(memory) == {"a": 1, "b": 2}


def test_what_does_not_fit_empties_it_first() -> None:
    memory: Remembered[str, int] = Remembered(10)
    memory.keep("a", 1, 5)
    memory.keep("b", 2, 6)
    assert dict(memory) == {"b": 2}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10)), max_size=60))
def test_it_holds_no_more_than_its_limit(kept: list[tuple[int, int]]) -> None:
    memory: Remembered[int, int] = Remembered(20)
    for key, size in kept:
        memory.keep(key, size, size)
        assert memory[key] == size
        assert sum(memory.values()) <= 20
