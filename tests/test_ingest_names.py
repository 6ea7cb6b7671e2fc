"""Name, full name and synonyms are chosen from the forms that a page gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codesearch.ingest.identity import Identity
from codesearch.ingest.names import Names, choose_names, is_name_or_marker

WHO = Identity("CPT", "22512", ())


def choose(*given_names: str, limit: int = 20) -> Names:
    """The names among some forms, cut by the site at 20 characters."""
    return choose_names(given_names, WHO, limit)


def test_title_is_the_name_and_the_longest_form_the_full_name() -> None:
    names = choose("Repair", "Repair of the knee with a graft")
    assert (names.name, names.full_name, names.synonyms, names.warnings) == (
        "Repair",
        "Repair of the knee with a graft",
        (),
        (),
    )


def test_name_cut_inside_a_word_loses_that_word() -> None:
    names = choose("Repair of the kneeca", "Repair of the kneecap, complete")
    assert (names.name, names.full_name) == ("Repair of the", "Repair of the kneecap, complete")
    assert [warning.kind for warning in names.warnings] == ["name-cut"]


def test_name_cut_after_a_word_keeps_it() -> None:
    assert choose("Repair of the kneecp", "Repair of the kneecp, complete").name == "Repair of the"
    assert choose("Repair of the kneecp", "Repair of the kneecp with care").name == "Repair of the kneecp"


def test_name_cut_everywhere_is_its_own_full_name() -> None:
    names = choose("Repair of the knee f", "Repair Of The Knee F")
    assert (names.name, names.full_name, names.synonyms) == ("Repair of the knee", "Repair of the knee", ())


def test_cut_word_without_a_blank_stays() -> None:
    assert choose("x" * 20).name == "x" * 20


def test_no_limit_cuts_nothing() -> None:
    assert choose("Repair of the knee f", limit=0).name == "Repair of the knee f"


def test_further_names_are_synonyms() -> None:
    names = choose(
        "Repair of a knee with stitches", "Knee repair", "Repair of a knee", "REPAIR of a KNEE with stitches"
    )
    assert names.synonyms == ("Knee repair",)


def test_codes_are_no_names() -> None:
    assert choose("CPT 22512", "22512 - Repair").name == "Repair"
    assert choose("CPT 22512", "22512", "1234").name == ""


def test_lines_that_repeat_the_name_are_known() -> None:
    names = choose("Repair of the knee", "Knee repair")
    assert all(
        is_name_or_marker(line, names, WHO)
        for line in ("REPAIR OF THE KNEE", "CPT 22512: Knee Repair", "CPT4 code", "Repair of")
    )
    assert not is_name_or_marker("Repair of the hip", names, WHO)


@given(
    st.lists(st.text("abc ", min_size=1, max_size=40).map(str.strip).filter(bool), min_size=1, max_size=5),
    st.integers(0, 30),
)
def test_no_name_is_longer_than_what_was_given_and_the_cut_is_whole_words(given_names: list[str], limit: int) -> None:
    names = choose_names(given_names, Identity("", None, ()), limit)
    assert names.name
    assert given_names[0].startswith(names.name)
    cut = given_names[0][len(names.name) :]
    assert not cut or cut.startswith(" ")
