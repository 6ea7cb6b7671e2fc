"""Facets count all that matches, whatever the page."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from query_support import clinic

from codesearch.query.facets import FACETS

QUERIES = ["unspecified", "E11 diabetes", "99202-99213 visit", "kidney -stone", "system:cpt", "t12", "zzyzx", "-kidney"]


@pytest.mark.parametrize("options", [{}, {"billable": True}, {"system": "icd10cm"}, {"group": True}])
@pytest.mark.parametrize("text", QUERIES)
def test_counts_are_those_of_all_hits(text: str, options: dict[str, Any]) -> None:
    everything = clinic().search(text, limit=1000, **{**options, "group": False})
    records = [hit.record for hit in everything]
    billable: dict[bool | None, str | None] = {True: "yes", False: "no", None: None}
    expected: dict[str, Counter[str | None]] = {
        "system": Counter(record.system for record in records),
        "chapter": Counter(record.chapter for record in records),
        "kind": Counter(record.kind for record in records),
        "billable": Counter(billable[record.billable] for record in records),
        "setting": Counter(record.setting or None for record in records),
    }
    found = clinic().search(text, limit=1, **options).facets
    assert set(found) <= set(FACETS) == set(expected)
    for name, counts in expected.items():
        del counts[None]
        assert found.get(name, {}) == dict(counts)
        assert list(found.get(name, {}).values()) == sorted(counts.values(), reverse=True)
