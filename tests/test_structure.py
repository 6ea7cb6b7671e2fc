"""Every array of an index is known to those who check it."""

from __future__ import annotations

from query_support import CLINIC, reader_of

from codesearch.index.arrays import ARRAYS_NAME
from codesearch.index.structure import lengths


def test_every_array_has_a_kind_and_a_length() -> None:
    with reader_of(CLINIC) as reader:
        known = set(lengths(reader.arrays, reader.documents))
        assert set(reader.arrays.names()) == known | {f"keyword.{name}" for name in reader.keywords}
        assert (reader.folder / ARRAYS_NAME).exists()
        reader.check_structure()
