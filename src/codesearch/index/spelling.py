"""The deletion neighbourhood of an index's words: which words are one or two wrong letters away from a typed one.

Symmetric delete (Wolf Garbe, "SymSpell", 2012): two words are within k edits only if deleting up to k letters from the
beginning of each can give the same string. The strings are kept as hashes, sorted, with the word that each comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PREFIX = 8
"""How many letters of a word are looked at; the rest is compared when a candidate is checked."""
MAX_DISTANCE = 2
MIN_LENGTH = 4
"""Shorter words are never corrected: too many others are near."""
_UPPER_HALF = np.uint64(0xFFFFFFFF00000000)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def _hashes(letters: npt.NDArray[np.uint8], dropped: tuple[int, ...]) -> npt.NDArray[np.uint64]:
    """The hash of each row of letters without the dropped columns; zero bytes pad short words and do not count."""
    value = np.zeros(len(letters), np.uint64)
    for column in range(PREFIX):
        if column not in dropped:
            letter = letters[:, column].astype(np.uint64)
            value = np.where(letter > 0, (value ^ letter) * _FACTOR, value)
    return value


def _hash(letters: Iterable[int]) -> int:
    """The same hash of one row, in plain numbers: quicker for the few rows of a typed word."""
    value = 0
    for letter in letters:
        value = (value ^ letter) * int(_FACTOR) & 0xFFFFFFFFFFFFFFFF
    return value


def neighbourhood(words: Sequence[str]) -> dict[str, Array]:
    """The table of the words worth correcting to: `hashes` in order, and the number of the word of each."""
    numbers = np.array(
        [n for n, word in enumerate(words) if len(word) >= MIN_LENGTH and word.isalpha() and word.isascii()], np.int32
    )
    beginnings = np.array([words[number].encode() for number in numbers], f"S{PREFIX}")
    letters = beginnings.view(np.uint8).reshape(len(numbers), PREFIX)
    rows = []
    for count in range(MAX_DISTANCE + 1):
        for dropped in combinations(range(PREFIX), count):
            # A letter that is not there cannot be deleted; the hash would stand there twice.
            has_all = letters[:, dropped[-1]] > 0 if dropped else np.ones(len(numbers), bool)
            # Half of a hash is kept, and stands before its word in one number, for these are quick to sort.
            rows.append(_hashes(letters[has_all], dropped) & _UPPER_HALF | numbers[has_all].astype(np.uint64))
    together = np.concatenate(rows)
    together.sort()
    return {"hashes": (together >> np.uint64(32)).astype(np.uint32), "words": together.astype(np.uint32).view(np.int32)}


def near(typed: str, hashes: npt.NDArray[np.uint32], words: npt.NDArray[np.int32], distance: int) -> list[int]:
    """The numbers of the words that may lie within a distance of a typed word; the caller checks them."""
    start = typed.encode("ascii", "replace")[:PREFIX]
    wanted = {
        _hash(kept) >> 32
        for length in range(max(0, len(start) - distance), len(start) + 1)
        for kept in combinations(start, length)
    }
    found: set[int] = set()
    keys = np.array(sorted(wanted), np.uint32)
    lows, highs = np.searchsorted(hashes, keys, "left"), np.searchsorted(hashes, keys, "right")
    for low, high in zip(lows.tolist(), highs.tolist(), strict=True):
        found.update(words[low:high].tolist())
    return sorted(found)
