"""One record from several fragments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codesearch.merge import merge, outline, rank
from codesearch.records import CodeRecord, Outline, Policy, Purpose, RecordWarning, Risks, Role, Source, pack


def fragment(role: Role, name: str = "", path: str = "", **fields: object) -> CodeRecord:
    source = Source(path=path or f"{role}.txt", role=role)
    return CodeRecord("ICD10CM", "E11.9", name, source=(source,), **fields)  # type: ignore[arg-type]


def merged(*fragments: CodeRecord, has_codeset: bool = True) -> CodeRecord:
    return merge(sorted(fragments, key=rank), has_codeset)


def kinds(record: CodeRecord) -> list[str]:
    return [warning.kind for warning in record.warnings]


OFFICIAL = fragment("codeset", "Type 2 diabetes mellitus without complications", billable=True)
TABULAR = fragment(
    "tabular", "Type 2 diabetes mellitus without complications", chapter="4", parent="E11", billable=True, notes=("n",)
)
PAGE = fragment("page", "Adult-onset diabetes", summary="Too much sugar.", risks=Risks(common=("Thirst",)))


def test_the_official_name_and_status_win_and_the_prose_of_the_page_is_kept() -> None:
    record = merged(PAGE, OFFICIAL)
    assert record.name == OFFICIAL.name
    assert record.billable is True
    assert record.summary == "Too much sugar."
    assert record.risks.common == ("Thirst",)


def test_the_name_that_a_page_gives_is_a_synonym() -> None:
    assert merged(PAGE, OFFICIAL).synonyms == ("Adult-onset diabetes",)


@given(st.permutations([OFFICIAL, TABULAR, PAGE, fragment("enrichment", synonyms=("NIDDM",), chapter="5")]))
def test_the_outline_is_that_of_the_merged_record(fragments: list[CodeRecord]) -> None:
    for count in range(1, len(fragments) + 1):
        ordered = sorted(fragments[:count], key=rank)
        told, record = outline([pack(one) for one in ordered]), merge(ordered, True)
        for field in set(Outline.__struct_fields__) - {"name", "release"}:
            assert getattr(told, field) == getattr(record, field)


def test_the_place_of_a_record_is_taken_from_outside() -> None:
    assert merge([OFFICIAL], True, (None, None)) is OFFICIAL
    for ordered in ([OFFICIAL], [OFFICIAL, PAGE]):
        record = merge(ordered, True, ("E11", "4"))
        assert (record.parent, record.chapter) == ("E11", "4")


def test_another_spelling_of_the_official_name_is_no_synonym() -> None:
    spelt = fragment("page", "TYPE 2 Diabetes-Mellitus without complications")
    assert merged(spelt, OFFICIAL).synonyms == ()


def test_every_source_stays_listed_the_official_ones_first() -> None:
    record = merged(fragment("enrichment", synonyms=("NIDDM",)), PAGE, TABULAR, OFFICIAL)
    assert [source.role for source in record.source] == ["codeset", "tabular", "page", "enrichment"]


def test_synonyms_of_all_sources_are_united_each_once() -> None:
    one, other = fragment("enrichment", synonyms=("NIDDM", "DM2")), fragment("page", "P", synonyms=("DM2", "T2DM"))
    assert merged(OFFICIAL, one, other).synonyms == ("DM2", "T2DM", "NIDDM", "P")


def test_lists_inside_parts_are_united() -> None:
    one = fragment("page", "P", purpose=Purpose(conditions=("a",), goals=("g",)), policies=(Policy("x"),))
    other = fragment("page", "P", path="b", purpose=Purpose(conditions=("b",)), policies=(Policy("x"), Policy("y")))
    record = merged(one, other)
    assert record.purpose == Purpose(conditions=("a", "b"), goals=("g",))
    assert record.policies == (Policy("x"), Policy("y"))


def test_texts_under_one_title_are_joined() -> None:
    one, other = (
        fragment("page", other_sections={"Tips": "a"}),
        fragment("page", other_sections={"Tips": "b", "C": "c"}),
    )
    assert merged(one, other).other_sections == {"Tips": "a\nb", "C": "c"}


def test_a_single_fragment_is_the_record() -> None:
    assert merged(PAGE, has_codeset=False) is PAGE


def test_sources_that_agree_give_no_warning() -> None:
    assert merged(OFFICIAL, TABULAR, PAGE).warnings == ()


def test_a_different_official_name_is_a_warning_that_names_both() -> None:
    record = merged(OFFICIAL, fragment("tabular", "Diabetes of another kind"))
    assert kinds(record) == ["name-conflict"]
    message = record.warnings[0].message
    assert "Diabetes of another kind" in message
    assert OFFICIAL.name in message


def test_a_different_billable_flag_is_a_warning() -> None:
    assert kinds(merged(OFFICIAL, fragment("tabular", OFFICIAL.name, billable=False))) == ["billable-conflict"]


def test_a_code_that_only_a_page_names_is_a_warning_where_the_code_set_is_loaded() -> None:
    assert kinds(merged(PAGE)) == ["not-in-code-set"]
    assert kinds(merged(PAGE, has_codeset=False)) == []


def test_warnings_of_the_fragments_are_kept() -> None:
    cut = fragment("page", "P", warnings=(RecordWarning("name-cut", "cut"),))
    assert kinds(merged(cut, OFFICIAL)) == ["name-cut"]


def test_of_two_releases_the_newer_wins_whatever_the_order_and_the_warning_names_both() -> None:
    old, new = fragment("codeset", "Old", release="2025"), fragment("codeset", "New", release="2026")
    for record in (merged(old, new), merged(new, old)):
        assert record.name == "New"
        assert record.release == "2026"
        assert "release 2025" in record.warnings[0].message
        assert "release 2026" in record.warnings[0].message


def test_the_year_in_a_file_name_tells_the_release_of_a_file_that_states_none() -> None:
    old = fragment("codeset", "Old", path="/data/2030/icd10cm_order_2019.txt")
    new = fragment("codeset", "New", path="/data/2001/all.zip!icd10cm-order-2026.txt")
    record = merged(old, new)
    assert (record.name, record.release) == ("New", "2026")


def test_the_release_of_an_index_or_a_table_is_not_that_of_the_code() -> None:
    record = merged(fragment("codeset", "N", path="order_2026.txt"), fragment("enrichment", release="2017"))
    assert record.release == "2026"


def test_the_year_of_a_page_is_no_release() -> None:
    assert merged(fragment("page", "P", path="crawl-2024.html"), has_codeset=False).release is None


def test_the_full_name_is_the_longest_that_says_more_than_the_name() -> None:
    cut = fragment("page", "P", full_name="Type 2 diabetes mellitus without complications, of the adult")
    assert merged(OFFICIAL, cut).full_name == cut.full_name
    assert merged(OFFICIAL, fragment("page", "P", full_name=OFFICIAL.name.upper())).full_name == ""
