"""Blocks go to the fields that a layout's headings name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ingest_support import html_record, parser, record

from codesearch.ingest.blocks import Block, text_blocks
from codesearch.ingest.sections import Content, repeats, sort_blocks

HEAD = "Repair of a thing\n\nCPT4 code\n\nSummary\n\nIt is repaired by hand, with care and time.\n\n"
LAYOUT = next(layout for layout in parser().layouts if layout.name == "generic")


def sort(text: str) -> Content:
    """The content of a text under the generic layout."""
    return sort_blocks(text_blocks(text), LAYOUT)


def test_heading_opens_the_default_field_of_its_section() -> None:
    content = sort("Risks and Complications\n\n• Bleeding\n\nRecovery\n\n• Rest")
    assert list(content.texts["risks.common"]) == ["Bleeding"]
    assert list(content.texts["recovery.care"]) == ["Rest"]


def test_heading_of_two_fields_goes_to_the_section_that_is_open() -> None:
    found = record(f"{HEAD}Patient Experience\n\nAfter the Procedure:\n  • Thirst\n\n", "cpt-22512.txt")
    assert found.experience.after == ("Thirst",)
    assert found.recovery.care == ()


def test_heading_of_two_fields_goes_to_the_likelier_where_neither_is_open() -> None:
    found = record(f"{HEAD}After the procedure\n\n  • Thirst\n\n", "cpt-22512.txt")
    assert found.recovery.care == ("Thirst",)


def test_label_and_its_text_on_one_line_are_read() -> None:
    found = record(f"{HEAD}Duration: One hour\nSetting: Clinic: room 2\n", "cpt-22512.txt")
    assert (found.duration, found.setting) == ("One hour", "Clinic: room 2")


def test_heading_nobody_knows_goes_to_the_other_sections() -> None:
    found = record(f"{HEAD}Documentation tips\n\n• Name the side.\n• Name the level.\n\n", "cpt-22512.txt")
    assert found.other_sections == {"Documentation tips": "Name the side.\nName the level."}


def test_heading_that_nothing_stands_under_is_kept() -> None:
    assert html_record(
        "<h2>Summary</h2><p>Text of a page.</p><h2>Odd thing</h2><h2>Goals</h2><p>Heal</p>"
    ).other_sections == {"Odd thing": ""}


def test_lone_line_under_the_name_heading_is_the_name() -> None:
    text = (
        "Cataract surgery\n\nName of the Procedure:\n\nRoutine Cataract "
        "Surgery\n\nSummary\n\nA cloudy lens is replaced by a clear one.\n"
    )
    found = record(text, "cpt-66984.txt")
    assert found.full_name == "Routine Cataract Surgery"
    assert found.other_sections == {}


def test_lone_lines_that_are_all_of_a_section_are_its_text() -> None:
    found = record(f"{HEAD}Personnel\n\nSurgeon\n\nNurse\n\nDuration\n\nOne hour\n\nGoals\n\n• Heal\n", "cpt-22512.txt")
    assert found.personnel == ("Surgeon", "Nurse")
    assert found.duration == "One hour"


def test_lone_line_above_a_list_is_a_heading() -> None:
    found = record(f"{HEAD}Goals\n\n• Heal\n\nLiving with it\n\n• Rest\n", "cpt-22512.txt")
    assert found.other_sections == {"Living with it": "Rest"}


def test_bold_beginning_that_nobody_knows_files_its_own_text_only() -> None:
    found = html_record("<h2>Risks</h2><ul><li>Pain</li></ul><p><b>Did you know?:</b> It is old.</p><p>Bruise</p>")
    assert found.other_sections == {"Did you know?": "It is old."}
    assert found.risks.common == ("Pain", "Bruise")


def test_what_stands_before_the_first_section_is_the_summary_where_there_is_none() -> None:
    found = record(
        "Repair of a thing\n\nIt is repaired by hand, slowly.\n\nGoals\n\n• Heal the thing\n", "cpt-22512.txt"
    )
    assert found.summary == "It is repaired by hand, slowly."


def test_what_stands_before_an_own_summary_is_kept_apart() -> None:
    found = record(f"Repair of a thing\n\nReviewed by two editors, in May.\n\n{HEAD}", "cpt-22512.txt")
    assert found.summary == "It is repaired by hand, with care and time."
    assert found.other_sections == {"Page head": "Reviewed by two editors, in May."}


def test_repeated_name_and_code_lines_of_the_head_are_not_kept_again() -> None:
    found = record(f"Repair of a thing\n\nCPT code 22512\n\nRepair of a Thing\n\n{HEAD}", "cpt-22512.txt")
    assert found.other_sections == {}


def test_words_after_a_heading_known_by_its_beginning_are_kept_unless_they_are_the_name() -> None:
    known = record(f"{HEAD}Medical Policies and Guidelines for Repair of a thing\n\n• Repairs (R1)\n", "cpt-22512.txt")
    assert known.other_sections == {}
    other = record(f"{HEAD}Medical Policies and Guidelines for people of Ohio\n\n• Repairs (R1)\n", "cpt-22512.txt")
    assert other.other_sections == {"Headings": "people of Ohio"}


def test_code_heading_whose_text_is_no_code_keeps_its_text() -> None:
    found = record(f"{HEAD}Code set\n\nzzz yyy\n\nGoals\n\n• Heal\n", "cpt-22512.txt")
    assert found.other_sections == {"Code": "zzz yyy"}


def test_numbers_of_steps_that_run_from_one_are_taken_off() -> None:
    steps = "".join(
        f"<div class='item'><span>{number}</span> Step {word}</div>" for number, word in [(1, "a"), (2, "b")]
    )
    assert html_record(f"<h2>Steps</h2>{steps}").procedure.steps == ("Step a", "Step b")


def test_numbers_that_do_not_run_are_part_of_the_steps() -> None:
    assert html_record("<h2>Steps</h2><ul><li>2 doses</li><li>4 weeks</li></ul>").procedure.steps == (
        "2 doses",
        "4 weeks",
    )


def test_terms_between_semicolons_are_terms_of_their_own() -> None:
    found = html_record("<h2>Also known as</h2><p>Loin pain; lumbago NOS</p><h2>Goals</h2><p>Rest; and heat</p>")
    assert found.synonyms == ("Loin pain", "lumbago NOS")
    assert found.purpose.goals == ("Rest; and heat",)


def test_text_that_others_repeat_piece_by_piece_is_dropped() -> None:
    texts = ["Take ibuprofen. Eat something. Rest.", "Take ibuprofen", "Eat something", "Rest"]
    assert repeats(texts) == ["Take ibuprofen. Eat something. Rest."]


@given(
    st.lists(st.lists(st.sampled_from(["abc", "def", "ghi", "jkl"]), min_size=1, max_size=8).map(" ".join), unique=True)
)
def test_dropping_repeats_loses_no_word(texts: list[str]) -> None:
    dropped = repeats(texts)
    kept = " ".join(text for text in texts if text not in dropped)
    assert set(" ".join(texts).split()) == set(kept.split())


def test_a_text_is_kept_once_in_its_field() -> None:
    content = Content()
    for _ in range(2):
        content.add("summary", Block("text", "Once."))
    assert list(content.texts["summary"]) == ["Once."]


HEADINGS = st.sampled_from(["Risks", "Goals", "Summary", "Odd heading", "Duration", "What else", "Policies", "Steps"])
LINES = st.lists(st.one_of(HEADINGS, st.text("bcd", min_size=1, max_size=9), st.just("")), max_size=30)


@given(LINES)
def test_every_line_that_is_no_known_heading_is_filed(lines: list[str]) -> None:
    content = sort("\n".join(lines))
    filed = {text for texts in (*content.texts.values(), *content.other.values()) for text in texts}
    filed |= {row.text for rows in content.rows.values() for row in rows} | set(content.other) | set(content.head)
    assert {line for line in lines if line and not LAYOUT.fields_of(line)} <= filed
