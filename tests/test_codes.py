"""Codes of every system are recognised in any spelling and written as their owner writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch import codes
from codesearch.codes import SYSTEMS, all_bare, bare, find_system, has_shape, order_key, readings, system_name, written

CODES = {
    "CPT": st.from_regex(r"[0-9]{4}[0-9FTUMA]", fullmatch=True),
    "HCPCS": st.from_regex(r"[A-V][0-9]{4}|[A-Z][A-Z0-9]", fullmatch=True),
    "ICD10CM": st.from_regex(r"[A-Z][0-9][0-9AB][0-9A-Z]{0,4}", fullmatch=True),
    "ICD10PCS": st.from_regex(r"[0-9B-DF-HX][0-9A-HJ-NP-Z]{6}", fullmatch=True),
}
ANY = st.sampled_from(sorted(CODES)).flatmap(lambda system: st.tuples(st.just(system), CODES[system]))
SPELLING = st.tuples(st.booleans(), st.sampled_from(["", " ", ".", "-", "\u2011", "\xa0"]), st.integers(0, 7))


def spell(code: str, lower: bool, separator: str, place: int) -> str:
    """A code as people write it."""
    return f" {code[:place]}{separator}{code[place:]} ".lower() if lower else f"{code[:place]}{separator}{code[place:]}"


@given(ANY, SPELLING)
def test_every_spelling_has_one_bare_and_one_written_form(
    one: tuple[str, str], spelling: tuple[bool, str, int]
) -> None:
    system, code = one
    assert bare(spell(code, *spelling)) == code
    assert written(system, spell(code, *spelling)) == written(system, code)
    assert has_shape(system, spell(code, *spelling))


@given(st.lists(ANY.map(lambda one: written(*one)) | st.text(max_size=5), max_size=5))
def test_bare_forms_are_the_same_together(codes: list[str]) -> None:
    assert all_bare(codes) == [bare(code) for code in codes]


@given(ANY)
def test_written_and_bare_form_are_inverse(one: tuple[str, str]) -> None:
    system, code = one
    assert bare(written(system, code)) == code
    assert written(system, written(system, code)) == written(system, code)


@given(ANY)
def test_a_code_is_among_its_readings(one: tuple[str, str]) -> None:
    system, code = one
    assert (system, written(system, code)) in list(readings(code))


@given(st.text(max_size=20))
def test_every_reading_has_the_shape_of_its_system(text: str) -> None:
    for system, code in readings(text):
        assert has_shape(system, code)
        assert written(system, code) == code


def test_only_icd10cm_is_written_with_a_dot() -> None:
    assert written("ICD10CM", "e119") == "E11.9"
    assert written("ICD10CM", "I10") == "I10"
    assert written("ICD10CM", "M80.08XA") == "M80.08XA"
    assert written("CPT", " 22512 ") == "22512"
    assert written("HCPCS", "j1885") == "J1885"


def test_bare_code_of_two_systems_has_two_readings() -> None:
    assert list(readings("A0100")) == [("HCPCS", "A0100"), ("ICD10CM", "A01.00")]


def test_dot_in_fourth_place_leaves_icd10cm() -> None:
    assert list(readings("a01.00")) == [("ICD10CM", "A01.00")]


@pytest.mark.parametrize("text", ["", " ", "vertebra", "1234", "225123", "E11.", "?", "22512x", "I10I", "0FT44ZO"])
def test_what_is_no_code_has_no_reading_as_one(text: str) -> None:
    assert [system for system, _ in readings(text) if system != "ICD10CM"] == []


@pytest.mark.parametrize(
    ("alias", "system"),
    [
        ("cpt4", "CPT"),
        ("CPT-4 code", "CPT"),
        ("HCPCS Level II", "HCPCS"),
        ("ICD-10-CM code", "ICD10CM"),
        ("icd 10", "ICD10CM"),
        ("ICD-10-PCS", "ICD10PCS"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "ICD10CM"),
        ("http://www.ama-assn.org/go/cpt", "CPT"),
        ("LOINC", None),
        ("", None),
        ("code", None),
    ],
)
def test_systems_are_found_by_any_of_their_names(alias: str, system: str | None) -> None:
    assert find_system(alias) == system


def test_every_system_is_found_by_its_own_names() -> None:
    for system in SYSTEMS.values():
        for name in (system.name, system.title, system.uri, *system.aliases):
            assert find_system(name) == system.name
            assert system_name(name) == system.name


def test_own_systems_keep_their_name_and_spelling() -> None:
    assert system_name("Our Codes") == "OURCODES"
    assert written("OURCODES", " ab-1.x ") == "ab-1.x"
    assert has_shape("OURCODES", "ab-1")
    assert not has_shape("OURCODES", " ")


def test_codes_stand_by_system_then_code_and_those_without_last() -> None:
    given_codes = [
        ("OWN", "A"),
        ("ICD10CM", "E11.9"),
        ("ICD10CM", "E11"),
        ("CPT", None),
        ("CPT", "99999"),
        ("CPT", "0001A"),
    ]
    assert sorted(given_codes, key=lambda one: order_key(*one)) == [
        *[("CPT", "0001A"), ("CPT", "99999"), ("CPT", None)],
        *[("ICD10CM", "E11"), ("ICD10CM", "E11.9"), ("OWN", "A")],
    ]


def test_shapes_are_of_bare_codes() -> None:
    assert all(system.shape.fullmatch(bare(code)) for system in SYSTEMS.values() for code in examples(system.name))


def examples(system: str) -> list[str]:
    """Real codes of a system."""
    return {
        "CPT": ["22512", "0001A", "0042T", "3074F", "0001U", "0002M"],
        "HCPCS": ["J1885", "K0001", "A1", "GY"],
        "ICD10CM": ["I10", "E11.9", "M80.08XA", "C4A.9", "O9A.111"],
        "ICD10PCS": ["0FT44ZZ", "10D00Z1", "XW033E5", "GZB4ZZZ"],
    }[system]


def test_module_names_four_systems_in_their_order() -> None:
    assert list(codes.SYSTEMS) == ["CPT", "HCPCS", "ICD10CM", "ICD10PCS"]
