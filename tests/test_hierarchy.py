"""Parents and chapters that a code's own sources do not tell."""

from __future__ import annotations

from codesearch.hierarchy import Hierarchy
from codesearch.records import CodeRecord, Kind, Role, Source, pack


def record(
    code: str, kind: Kind = "code", parent: str | None = None, chapter: str | None = None, role: Role = "codeset"
) -> CodeRecord:
    return CodeRecord("ICD10CM", code, code, kind, parent=parent, chapter=chapter, source=(Source(role=role),))


CHAPTERS = [
    record("S00-T88", "chapter", None, "19", "tabular"),
    record("S00-S09", "chapter", "S00-T88", "19", "tabular"),
    record("S00-T14", "chapter", "S00-T88", "19", "tabular"),
    record("T14-T14", "chapter", "S00-T88", "19", "tabular"),
]


def placed(*records: CodeRecord) -> list[tuple[str | None, str | None]]:
    hierarchy = Hierarchy(CHAPTERS)
    return [hierarchy.place(pack(one)) for one in records]


def test_a_category_stands_under_the_smallest_section_that_holds_it() -> None:
    assert placed(record("S06", "header"), record("T14", "header")) == [("S00-S09", "19"), ("T14-T14", "19")]


def test_a_code_of_an_order_file_has_the_chapter_of_its_category() -> None:
    above = record("S06", "header", "S00-S09", "19")
    assert placed(above, record("S06.0X0A", parent="S06")) == [("S00-S09", "19"), ("S06", "19")]


def test_a_code_without_parent_stands_under_the_nearest_header() -> None:
    headers = (record("S06", "header"), record("S06.0", "header", "S06"))
    assert placed(*headers, record("S06.0X0A"))[-1] == ("S06.0", "19")


def test_what_sources_tell_is_left_alone() -> None:
    given = record("S06", "header", "S00-T88", "1")
    assert placed(given) == [("S00-T88", "1")]


def test_a_code_outside_all_ranges_stays_without() -> None:
    assert placed(record("Z99")) == [(None, None)]


def test_a_code_that_only_a_page_names_is_given_no_place() -> None:
    assert placed(record("S06.99", role="page")) == [(None, None)]


def test_a_system_without_chapters_is_left_alone() -> None:
    assert placed(CodeRecord("HCPCS", "A0130", "Wheelchair van", source=(Source(role="codeset"),))) == [(None, None)]
