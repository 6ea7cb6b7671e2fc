"""Remembering what was computed, up to a bounded size."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")
P = ParamSpec("P")


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


def remembering(limit: int) -> Callable[[Callable[Concatenate[S, P], V]], Callable[Concatenate[S, P], V]]:
    """Has a method remember what it gave for so many arguments.

    The answers lie in the object itself. A `functools.lru_cache` over a bound method would hold the object in turn, so
    that its files were closed only when Python looks for garbage.
    """

    def decorate(method: Callable[Concatenate[S, P], V]) -> Callable[Concatenate[S, P], V]:
        name = f"_remembered_by_{method.__name__}"

        @wraps(method)
        def remembered(self: S, /, *arguments: P.args, **named: P.kwargs) -> V:
            known: Remembered[Any, V] | None = self.__dict__.get(name)
            if known is None:
                known = self.__dict__[name] = Remembered(limit)
            try:
                return known[arguments]
            except KeyError:
                pass
            return known.keep(arguments, method(self, *arguments, **named), 1)

        return remembered

    return decorate
