"""Similar codes: the page's own list, then siblings, then codes of like text, each with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_support import CLINIC, clinic, cm, header, index_of

import codesearch
from codesearch import UsageError
from codesearch.query.similar import SimilarHit
from codesearch.records import CodeRecord, Purpose, SimilarCode

CEMENT = Purpose(conditions=("Broken vertebra", "Brittle bones"), goals=("Bone cement holds the vertebra",))

BONES = [
    CodeRecord(
        "CPT",
        "22510",
        "Cement for a neck vertebra",
        purpose=CEMENT,
        similar_codes=(
            SimilarCode("Lumbar one", "CPT", "22511"),
            SimilarCode("Not loaded", "CPT", "22515", "/22515"),
            SimilarCode("The same again", "CPT", "22511"),
            SimilarCode("Itself", "CPT", "22510"),
            SimilarCode("A name alone"),
        ),
    ),
    CodeRecord("CPT", "22511", "Cement for a lumbar vertebra", purpose=CEMENT),
    CodeRecord("CPT", "22513", "Balloon and cement for a vertebra", purpose=CEMENT),
    CodeRecord("CPT", "99213", "Office visit"),
    header("M80", "Brittle bones with fracture"),
    header("M80.0", "Brittle bones with fracture, by age", parent="M80"),
    cm("M80.08", "Brittle bones with fracture of a vertebra, cement may help", parent="M80.0"),
    cm("M80.09", "Brittle bones with fracture of a vertebra, healed without cement", parent="M80.0"),
    header("S72.0", "Fracture of neck of femur"),
    cm("S72.01A", "Fracture of neck of right femur, initial encounter", parent="S72.0"),
    cm("S72.01D", "Fracture of neck of right femur, subsequent encounter", parent="S72.0"),
    cm("S72.02A", "Fracture of neck of left femur, initial encounter", parent="S72.0"),
    cm("S72.03A", "Fracture of base of right femur, initial encounter", parent="S72.0"),
    cm("S72.04A", "Fracture of head of right femur, initial encounter", parent="S72.0", terminated="2020-10-01"),
    *(cm(f"Z{number}", f"Encounter {number} for nothing") for number in range(10, 40)),
]


@pytest.fixture(scope="module")
def bones(tmp_path_factory: pytest.TempPathFactory) -> codesearch.Index:
    return index_of(tmp_path_factory.mktemp("bones"), *BONES)


def told(hits: tuple[SimilarHit, ...]) -> list[tuple[str | None, str]]:
    return [(hit.code, hit.reason.kind) for hit in hits]


def test_the_pages_own_list_comes_first_each_code_once(bones: codesearch.Index) -> None:
    hits = bones.similar("22510")
    assert told(hits)[:3] == [("22511", "listed"), ("22515", "listed"), (None, "listed")]
    assert hits[0].name == "Cement for a lumbar vertebra"
    assert [hit.in_index for hit in hits[:3]] == [True, False, False]
    assert (hits[1].name, hits[1].kind, hits[1].reason.sentence) == (
        "Not loaded",
        "",
        "listed on the code's page; not in this index",
    )


def test_codes_of_like_text_follow_across_systems_of_each_family_the_best(bones: codesearch.Index) -> None:
    hits = bones.similar("22510")
    assert told(hits)[3:] == [("22513", "text"), ("M80.08", "text")]
    assert hits[4].reason.words == ("vertebra", "cement", "bones", "brittle")
    assert hits[4].reason.sentence == "shares: vertebra, cement, bones, brittle"


def test_siblings_stand_before_those_of_like_text_and_say_below_what(bones: codesearch.Index) -> None:
    [sibling, *others] = bones.similar("M80.08")
    assert told((sibling,)) == [("M80.09", "sibling")]
    assert sibling.reason.sentence == "below M80.0 too"
    assert {hit.reason.kind for hit in others} == {"text"}


def test_siblings_for_another_side_or_encounter_come_after_the_others(bones: codesearch.Index) -> None:
    hits = [hit for hit in bones.similar("S72.01A") if hit.reason.kind == "sibling"]
    assert [hit.code for hit in hits] == ["S72.03A", "S72.01D", "S72.02A", "S72.04A"]
    assert hits[1].reason.sentence == "below S72.0 too, for another side or encounter"


def test_ended_codes_come_last(bones: codesearch.Index) -> None:
    hits = bones.similar("S72.03A")
    assert hits[-1].terminated == "2020-10-01"
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_siblings_leave_half_of_the_places_to_codes_of_like_text(tmp_path: Path) -> None:
    barks = [cm(f"J00.{letter}", f"Barking cough {letter * 3}", parent="J00") for letter in "ABCDEFGHIJKL"]
    others = [cm(f"R{number}", f"Barking cough seen {number}") for number in range(10, 20)]
    filling = [cm(f"Z{number}", f"Number {number}") for number in range(100, 200)]
    with index_of(tmp_path, header("J00", "Barks"), *barks, *filling) as index:
        assert [hit.reason.kind for hit in index.similar("J00.C", limit=10)] == ["sibling"] * 10
    with index_of(tmp_path, header("J00", "Barks"), *barks, *others, *filling) as index:
        assert [hit.reason.kind for hit in index.similar("J00.C", limit=10)] == ["sibling"] * 5 + ["text"] * 5
        assert [hit.reason.kind for hit in index.similar("J00.C", limit=1)] == ["sibling"]


def test_what_stands_above_or_below_is_not_similar() -> None:
    for code in ("E11", "E11.9", "W21.89XA", "A01.00", "0DT"):
        given = {hit.code for hit in clinic().similar(code)}
        around = {one.code for one in (*clinic().parents(code), *clinic().children(code))}
        assert not given & {code, *around}


def test_a_list_may_name_what_stands_above(tmp_path: Path) -> None:
    parent = SimilarCode("above", "ICD10CM", "A01")
    with index_of(tmp_path, header("A01", "Typhoid"), cm("A01.1", "B", parent="A01", similar_codes=(parent,))) as index:
        assert told(index.similar("A01.1")) == [("A01", "listed")]


def test_a_code_that_shares_little_is_not_similar(tmp_path: Path) -> None:
    names = ["Cough, wheeze, fever, chill, rash, ache", "Cough and wheeze", "Fever, chill, rash", "Ache of the hand"]
    with index_of(tmp_path, *(cm(f"A{number}0", name) for number, name in enumerate(names))) as index:
        assert [hit.code for hit in index.similar("A00")] == ["A20", "A10"]


def test_notes_and_policies_make_no_code_similar(tmp_path: Path) -> None:
    note = ("Use additional code to identify the organism",)
    with index_of(tmp_path, cm("A10", "Cough", notes=note), cm("B20", "Burn", notes=note)) as index:
        assert index.similar("A10") == ()


def test_codes_of_all_systems_may_be_similar_whatever_system_the_code_is_of(bones: codesearch.Index) -> None:
    assert {hit.system for hit in bones.similar("22510", system="cpt")} == {"CPT", "ICD10CM", ""}
    assert {hit.system for hit in bones.similar("22511", system="cpt")} == {"CPT", "ICD10CM"}


@pytest.mark.parametrize("record", [record for record in CLINIC if record.code], ids=lambda record: record.code)
def test_every_code_has_a_sound_answer_and_the_same_each_time(record: CodeRecord) -> None:
    assert record.code
    hits = clinic().similar(record.code, system=record.system, limit=6)
    assert hits == clinic().similar(record.code, system=record.system, limit=6)
    assert len({(hit.system, hit.code) for hit in hits}) == len(hits) <= 6
    ended = [hit.terminated is not None for hit in hits]
    assert ended == sorted(ended)
    order = [("listed", "sibling", "text").index(hit.reason.kind) for hit in hits if not hit.terminated]
    assert order == sorted(order)
    for hit in hits:
        assert hit.kind != "chapter" or hit.reason.kind != "text"
        assert bool(hit.reason.words) == (hit.reason.kind == "text")


@given(st.integers(1, 40))
def test_a_limit_is_kept(limit: int) -> None:
    assert len(clinic().similar("E11.9", limit=limit)) <= limit


@pytest.mark.parametrize("limit", [-1, 100_001])
def test_a_limit_out_of_range_is_wrong_usage(limit: int) -> None:
    with pytest.raises(UsageError, match="out of range"):
        clinic().similar("E11.9", limit=limit)


def test_no_places_no_codes() -> None:
    assert clinic().similar("E11.9", limit=0) == ()


def test_a_hit_as_plain_data(bones: codesearch.Index) -> None:
    hit = bones.similar("22510")[3].to_dict()
    assert hit == {
        "rank": 4,
        "system": "CPT",
        "code": "22513",
        "kind": "code",
        "name": "Balloon and cement for a vertebra",
        "billable": None,
        "terminated": None,
        "billable_below": 0,
        "in_index": True,
        "reason": {
            "kind": "text",
            "sentence": f"shares: {', '.join(hit['reason']['words'])}",
            "words": hit["reason"]["words"],
        },
    }
    assert next(iter(hit)) == "rank"
