"""Our judged set: the ranking stays above its floors, the set is what the floors stand for, and no floor gets lower."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import update_floors
from update_floors import Floor, Floors, LoweredError

import codesearch
from codesearch.evaluate import Evaluation, Means, read_qrels, read_queries

INTENTS = {
    "abbreviation", "british", "code", "default", "eponym", "excluded", "hyphen", "laterality", "lay", "misspelling",
    "name", "numeral", "prefix", "prose", "synonym", "wildcard",
}  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the shipped pages and the packaged ICD-10-CM."""
    pytest.importorskip("simple_icd_10_cm", reason="needs the extra icd10cm, which ships the tabular list")
    return update_floors.build(tmp_path_factory.mktemp("judged") / "index")


def test_the_ranking_reaches_every_floor(index: Path) -> None:
    assert update_floors.below(update_floors.load(), update_floors.measure(index)) == []


def test_the_floors_stand_for_this_set() -> None:
    hint = "after a change of queries or qrels run: python tests/judged/update_floors.py --set-changed"
    assert update_floors.load().sha256 == update_floors.set_hash(), hint


def test_there_are_many_queries_of_every_intent() -> None:
    queries = read_queries(update_floors.QUERIES)
    counts = Counter(query.query_class for query in queries)
    assert counts.keys() == INTENTS == update_floors.load().classes.keys() - {"all"}
    assert len(queries) >= 160
    assert min(counts.values()) >= 8
    assert len({query.identity for query in queries}) == len({query.text for query in queries}) == len(queries)


def test_every_relevant_code_is_in_the_index(index: Path) -> None:
    codes = {code for relevant in read_qrels(update_floors.QRELS).values() for code in relevant}
    with codesearch.open_index(index) as opened:
        assert [code for code in sorted(codes) if opened.get(code) is None] == []


def test_every_hit_by_text_shows_what_matched(index: Path) -> None:
    with codesearch.open_index(index) as opened:
        for query in read_queries(update_floors.QUERIES):
            for hit in opened.search(query.text):
                assert hit.tier < 3 or (hit.matched and hit.passage.marks), (query.text, hit)


def test_every_query_has_a_relevant_code() -> None:
    judged = read_qrels(update_floors.QRELS).keys()
    assert {query.identity for query in read_queries(update_floors.QUERIES)} == judged


def found(mrr: float, success: float = 1.0) -> Evaluation:
    return Evaluation((Means("lay", 10, mrr, success, 1.0), Means("all", 10, mrr, success, 1.0)))


def test_floors_are_raised_to_what_was_found_less_one_query_in_second_place() -> None:
    floors = Floors("hash", {"lay": Floor(0.5, 0.5), "all": Floor(0.5, 0.5)})
    assert update_floors.raised(floors, found(0.8, 0.7), "hash").classes["lay"] == Floor(0.75, 0.6)


def test_floors_are_not_lowered_where_what_was_found_lies_just_above() -> None:
    floors = Floors("hash", {"lay": Floor(0.75, 0.9), "all": Floor(0.7, 0.9)})
    assert update_floors.raised(floors, found(0.76), "hash").classes["lay"] == Floor(0.75, 0.9)


def test_a_worse_ranking_is_refused() -> None:
    floors = Floors("hash", {"lay": Floor(0.75, 0.9), "all": Floor(0.7, 0.9)})
    with pytest.raises(LoweredError, match=r"lay: MRR@10 0\.7400, floor 0\.75"):
        update_floors.raised(floors, found(0.74), "hash")


def test_a_class_that_lost_its_queries_is_refused() -> None:
    floors = Floors("hash", {"lay": Floor(0.1, 0.1), "eponym": Floor(0.1, 0.1), "all": Floor(0.1, 0.1)})
    with pytest.raises(LoweredError, match="eponym: no query left"):
        update_floors.raised(floors, found(1.0), "hash")


def test_another_set_is_refused() -> None:
    with pytest.raises(LoweredError, match="changed"):
        update_floors.raised(Floors("hash", {}), found(1.0), "other")


def test_floors_are_read_as_they_were_written(tmp_path: Path) -> None:
    floors = Floors("hash", {"lay": Floor(0.75, 0.9)})
    update_floors.save(floors, tmp_path / "floors.json")
    assert update_floors.load(tmp_path / "floors.json") == floors
