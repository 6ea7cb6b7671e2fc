"""Remembering what was computed, up to a bounded size."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(dict[K, V]):
    """Values by key; emptied when they grow larger than the limit. Safe to share between threads."""

    def __init__(self, limit: int) -> None:
        """Takes the size of all values together, in whatever they are measured by."""
        super().__init__()
        self._limit = limit
        self._size = 0

    def keep(self, key: K, value: V, size: int) -> V:
        """Remembers a value of this size; gives it back."""
        if self._size + size > self._limit:
            self.clear()
            self._size = 0
        self[key] = value
        self._size += size
        return value
