"""Plain text and Markdown become blocks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesearch.ingest.blocks import Block, Link, split_glued, squeeze, strip_bullet, text_blocks


def read(text: str) -> list[tuple[str, str]]:
    """The kinds and texts of a text's blocks."""
    return [(block.kind, block.text) for block in text_blocks(text)]


def test_heading_glued_to_a_bullet_is_split_off() -> None:
    assert read("  • Hemangiomas ##### Goals:\n  • Stabilize") == [
        ("item", "Hemangiomas"),
        ("label", "Goals"),
        ("item", "Stabilize"),
    ]


def test_glued_label_keeps_the_text_after_it() -> None:
    assert read("• Walks ##### Timeline: Within 48 hours.") == [
        ("item", "Walks"),
        ("label", "Timeline"),
        ("text", "Within 48 hours."),
    ]


def test_several_headings_glued_to_one_line_are_all_split_off() -> None:
    texts = [text for _, text in read("• a ##### B: • c ##### D:")]
    assert texts == ["a", "B", "• c", "D"]


def test_hashes_without_a_blank_before_the_heading_still_split() -> None:
    assert read("• Hemangiomas #####Goals:") == [("item", "Hemangiomas"), ("label", "Goals")]


def test_hash_inside_a_word_splits_nothing() -> None:
    assert read("take C#3 and B##4 daily, as told") == [("text", "take C#3 and B##4 daily, as told")]


def test_numbered_steps_keep_their_order_and_lose_their_numbers() -> None:
    assert read("  1. First\n  2) Second\n (3) Third") == [("item", "First"), ("item", "Second"), ("item", "Third")]


def test_decimal_number_is_no_bullet() -> None:
    assert read("1.5 mL of lidocaine") == [("text", "1.5 mL of lidocaine")]


@pytest.mark.parametrize("bullet", ["•", "●", "▪", "·", "*", "-", "–"])
def test_every_usual_bullet_makes_an_item(bullet: str) -> None:
    assert read(f"{bullet} Rest") == [("item", "Rest")]


def test_dash_glued_to_its_word_is_no_bullet() -> None:
    assert strip_bullet("-5 °C") is None


def test_indented_line_continues_the_item_before_it() -> None:
    assert read("  • Stitches out after ten to\n    fourteen days") == [
        ("item", "Stitches out after ten to fourteen days")
    ]


def test_short_line_between_blank_ones_may_be_a_heading() -> None:
    assert read("Intro text, here.\n\nLens choice and cost\n\nA lens.") == [
        ("text", "Intro text, here."),
        ("lone", "Lens choice and cost"),
        ("text", "A lens."),
    ]


def test_ordinal_may_begin_a_heading() -> None:
    assert read("Text.\n\n7th character\n\n• A") == [("text", "Text."), ("lone", "7th character"), ("item", "A")]


def test_text_of_one_line_is_no_heading_of_itself() -> None:
    assert read("Pulmonology") == [("text", "Pulmonology")]


def test_markdown_headings_bold_labels_and_links_are_read() -> None:
    blocks = list(text_blocks("## Purpose ##\n**Goals:**\n- [A policy](https://x.example/p)\n**Setting:** at home"))
    assert [(block.kind, block.text) for block in blocks] == [
        ("heading", "Purpose"),
        ("label", "Goals:"),
        ("item", "A policy"),
        ("text", "Setting: at home"),
    ]
    assert blocks[2].links == (Link("A policy", "https://x.example/p"),)
    assert blocks[3].lead == "Setting:"


def test_url_of_a_block_is_that_of_its_first_link() -> None:
    assert Block("item", "a b", (Link("a", "/1"), Link("b", "/2"))).url == "/1"
    assert Block("item", "a").url == ""


def test_no_break_spaces_are_blanks() -> None:
    assert squeeze(" a\xa0\u2003b \n") == "a b"


@given(st.text("ab \n\t\xa0"), st.integers(0, 2000))
def test_squeezing_long_and_short_texts_is_the_same(text: str, times: int) -> None:
    assert squeeze(text * times) == " ".join((text * times).split())


@given(st.text("ab# :\n•", max_size=200))
def test_no_letter_is_lost_in_splitting(text: str) -> None:
    letters = [char for block in text_blocks(text) for char in block.text if char in "ab"]
    assert letters == [char for char in text if char in "ab"]


def test_block_without_glued_headings_stays_whole() -> None:
    block = Block("item", "plain # text")
    assert list(split_glued(block)) == [block]


@pytest.mark.parametrize("piece", ["# ", "[", "**", "[x](", "- ", "1. ", "##### a: ", "__", "\t", "a "])
def test_long_lines_are_read_in_linear_time(piece: str) -> None:
    start = time.process_time()
    list(text_blocks("# a" + piece * (500_000 // len(piece)) + "b"))
    assert time.process_time() - start < 2
