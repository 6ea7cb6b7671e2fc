"""Cursors walk through all hits of one search, and are refused where they would lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import CLINIC, clinic, cm, codes, publish

from codesearch.errors import UsageError
from codesearch.library import Index, open_index
from codesearch.query.paging import START
from codesearch.query.results import Hit

QUERIES = ["unspecified", "E11 diabetes", "99202-99213 visit", "kidney -stone", "W21* encounter", "system:cpt", "LT"]


def walked(index: Index, text: str, limit: int, **options: Any) -> list[Hit]:
    """All hits, page by page."""
    hits: list[Hit] = []
    cursor: str | None = START
    while cursor is not None:
        page = index.search(text, limit=limit, cursor=cursor, **options)
        assert len(page) <= limit
        hits += page.hits
        cursor = page.next_cursor
    return hits


@pytest.mark.parametrize("options", [{}, {"sort": "code"}, {"group": True}, {"system": "icd10cm"}, {"exact": True}])
@pytest.mark.parametrize("text", QUERIES)
def test_pages_by_cursor_put_together_are_one_big_page(text: str, options: dict[str, Any]) -> None:
    whole = clinic().search(text, limit=100, **options)
    for limit in (1, 3, 50):
        hits = walked(clinic(), text, limit, **options)
        assert [hit.to_dict() for hit in hits] == [hit.to_dict() for hit in whole]
    assert whole.next_cursor is None
    assert whole.rows == len(whole)


def test_a_cursor_goes_on_behind_an_offset() -> None:
    page = clinic().search("unspecified", limit=2, offset=1)
    assert page.next_cursor
    (after,) = clinic().search("unspecified", limit=1, cursor=page.next_cursor).hits
    assert (after.rank, after.code) == (4, codes(clinic().search("unspecified", limit=4))[3])


@pytest.mark.parametrize(
    "options", [{"sort": "code"}, {"group": True}, {"exact": True}, {"billable": True}, {"system": "cpt"}]
)
def test_a_cursor_of_another_search_is_refused(options: dict[str, Any]) -> None:
    cursor = clinic().search("unspecified", limit=1).next_cursor
    with pytest.raises(UsageError, match=r"another query, filter or order.*'start'"):
        clinic().search("unspecified", cursor=cursor, **options)
    with pytest.raises(UsageError, match="another query"):
        clinic().search("acute", cursor=cursor)


@given(st.text(max_size=40))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    if text != START:
        with pytest.raises(UsageError, match="cursor"):
            clinic().search("unspecified", cursor=text)


def test_a_cursor_and_an_offset_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="beside a cursor"):
        clinic().search("unspecified", cursor=START, offset=3)


def test_a_cursor_outlives_a_rebuild_that_changed_nothing_and_no_other(tmp_path: Path) -> None:
    publish(tmp_path, CLINIC)
    with open_index(tmp_path) as index:
        cursor = index.search("unspecified", limit=2).next_cursor
        expected = codes(index.search("unspecified", limit=2, cursor=cursor))
    publish(tmp_path, CLINIC)
    with open_index(tmp_path) as index:
        assert index.generation == "000002"
        assert codes(index.search("unspecified", limit=2, cursor=cursor)) == expected
    publish(tmp_path, [*CLINIC, cm("A09", "Unspecified gastroenteritis")])
    with open_index(tmp_path) as index, pytest.raises(UsageError, match="another state of the index"):
        index.search("unspecified", limit=2, cursor=cursor)
