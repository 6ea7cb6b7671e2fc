"""Letters without their accents, in a time that grows with the text and not with its square."""

from __future__ import annotations

from unicodedata import combining, normalize

_PIECE = 64
"""Characters that are decomposed at once. Marks that follow each other are sorted, by a method that takes the square of
their number: half a megabyte of them, on one letter, would take an hour."""


def decomposed(text: str) -> str:
    """The text in the compatibility decomposition of Unicode (NFKD): a letter, then its marks, in some order."""
    if len(text) <= _PIECE:
        return normalize("NFKD", text)
    return "".join([normalize("NFKD", text[start : start + _PIECE]) for start in range(0, len(text), _PIECE)])


def without_accents(text: str) -> str:
    """The text, decomposed, without its marks."""
    return "".join([char for char in decomposed(text) if not combining(char)])
