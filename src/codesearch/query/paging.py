"""Cursors: opaque texts that say where the next page of a search begins, good for that search on that index only."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Hashable
from hashlib import blake2b

from codesearch.errors import UsageError

START = "start"
"""The cursor of the first page of any search."""
_DIGEST = 6
_PLACE = 4


class Cursors:
    """Makes and reads the cursors of one index.

    They go on working after a rebuild that changed nothing, since then every page is the same.
    """

    def __init__(self, index: str) -> None:
        """Takes what tells the contents of one index from those of any other."""
        self._index = _digest(index)

    def cursor(self, search: Hashable, place: int) -> str:
        """The cursor of the page that begins at a place (from 0) of a search, whose `repr` tells it from others."""
        cursor = self._index + _digest(repr(search)) + place.to_bytes(_PLACE, "big")
        return urlsafe_b64encode(cursor).decode().rstrip("=")

    def place(self, search: Hashable, cursor: str) -> int:
        """The place at which the page of a cursor begins.

        Raises:
            UsageError: it is no cursor, or one of another search, or the index has changed meanwhile.
        """
        if cursor == START:
            return 0
        next_step = f"Begin again with the first page (cursor {START!r})."
        try:
            given = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            given = b""
        if len(given) != 2 * _DIGEST + _PLACE:
            raise UsageError(f"cursor {cursor[:60]!r}", "is none that a search gave", next_step)
        if given[:_DIGEST] != self._index:
            raise UsageError(f"cursor {cursor}", "comes from another state of the index", next_step)
        if given[_DIGEST : 2 * _DIGEST] != _digest(repr(search)):
            raise UsageError(f"cursor {cursor}", "belongs to another query, filter or order", next_step)
        return int.from_bytes(given[2 * _DIGEST :], "big")


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=_DIGEST).digest()
