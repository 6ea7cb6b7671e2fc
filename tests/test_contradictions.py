"""Names that say with of what was typed with without, or the other way round, do not stand first."""

from __future__ import annotations

from pathlib import Path

import pytest
from query_support import cm, codes, index_of

from codesearch.query.contradictions import WINDOW
from codesearch.query.explain import CONTRARY
from codesearch.query.results import Hit

BODY_AND_NAIL = [
    cm("S61.01", "Laceration without foreign body of thumb without damage to nail"),
    cm("S61.02", "Laceration with foreign body of thumb without damage to nail"),
    cm("S61.11", "Laceration without foreign body of thumb with damage to nail"),
    cm("S61.12", "Laceration with foreign body of thumb with damage to nail"),
]
HERNIAS = [
    cm("K41.0", "Femoral hernia with obstruction"),
    cm("K41.1", "Femoral hernia with gangrene"),
    cm("K41.2", "Femoral hernia without obstruction or gangrene"),
    cm("K41.3", "Femoral hernia, not reducible"),
    cm("K41.4", "Femoral hernia, reducible"),
]


def test_a_name_is_found_before_those_that_say_the_contrary(tmp_path: Path) -> None:
    with index_of(tmp_path, *BODY_AND_NAIL) as index:
        for record in BODY_AND_NAIL:
            assert codes(index.search(record.name.lower()))[0] == record.code


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("hernia without gangrene", "K41.2"),
        ("hernia w/o gangrene", "K41.2"),
        ("hernia with gangrene", "K41.1"),
        ("Hernia WITH obstruction", "K41.0"),
        ("femoral hernia not reducible", "K41.3"),
    ],
)
def test_small_words_are_read_in_any_spelling(tmp_path: Path, text: str, first: str) -> None:
    with index_of(tmp_path, *HERNIAS) as index:
        results = index.search(text)
        assert results.hits[0].code == first
        assert CONTRARY not in _factors(results.hits[0])


def test_no_is_without(tmp_path: Path) -> None:
    with index_of(tmp_path, *HERNIAS) as index:
        factors = {hit.code: _factors(hit) for hit in index.search("hernia no gangrene")}
    assert [code for code, priors in factors.items() if CONTRARY in priors] == ["K41.1"]


def test_what_is_said_both_ways_says_nothing(tmp_path: Path) -> None:
    with index_of(tmp_path, *HERNIAS) as index:
        for text in ("hernia with or without gangrene", "hernia with gangrene without gangrene", "hernia with the flu"):
            assert not any(CONTRARY in _factors(hit) for hit in index.search(text))


def test_a_hit_that_is_moved_down_says_so_and_its_parts_add_up(tmp_path: Path) -> None:
    with index_of(tmp_path, *BODY_AND_NAIL) as index:
        hits = index.search("laceration of thumb without foreign body").hits
    assert [CONTRARY in _factors(hit) for hit in hits] == [False, False, True, True]
    for hit in hits:
        assert hit.explanation.score == pytest.approx(hit.score, rel=1e-4)


def test_pages_of_any_size_make_one_list(tmp_path: Path) -> None:
    names = (
        f"Wound {'with' if number % 2 else 'without'} splinters of finger {number}" for number in range(WINDOW + 20)
    )
    with index_of(tmp_path, *(cm(f"S{number:02}", name) for number, name in enumerate(names))) as index:
        whole = codes(index.search("finger wound without splinters", limit=200))
        assert len(whole) == WINDOW + 20
        for size in (1, 7, WINDOW):
            pages = [
                code
                for start in range(0, len(whole), size)
                for code in codes(index.search("finger wound without splinters", limit=size, offset=start))
            ]
            assert pages == whole


def _factors(hit: Hit) -> dict[str, float]:
    part = hit.explanation.name
    return part.priors if part else {}
