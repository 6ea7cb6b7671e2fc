"""A passage shows what matched: as text, as HTML that is safe, and cut where it is long."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codesearch.formats import printable
from codesearch.query.passage import PASSAGE_LENGTH, Passage, Span, cut_passage

_texts = st.text(alphabet=st.sampled_from("ab <>&\"'\n\u202e\x1bé🙂"), max_size=300)


@st.composite
def _marked(draw: st.DrawFn) -> Passage:
    text = draw(_texts)
    bounds = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    return Passage("name", "Name", text, tuple(zip(bounds[::2], bounds[1::2], strict=False)))


def test_marks_are_put_around_what_matched() -> None:
    passage = Passage("name", "Name", "Acute kidney failure", ((0, 5), (6, 12)))
    assert passage.highlight("[", "]") == "[Acute] [kidney] failure"
    assert passage.to_html() == "<mark>Acute</mark> <mark>kidney</mark> failure"


def test_a_page_cannot_bring_its_own_markup() -> None:
    passage = Passage("summary", "Summary", "<script>x</script> & \"y\" 'z'", ((8, 9),))
    assert passage.to_html() == "&lt;script&gt;<mark>x</mark>&lt;/script&gt; &amp; &quot;y&quot; &#x27;z&#x27;"


@given(_marked())
def test_the_pieces_are_the_text_and_the_marked_ones_the_marks(passage: Passage) -> None:
    assert "".join(part for part, _ in passage.parts()) == passage.text
    marked = [part for part, is_marked in passage.parts() if is_marked]
    assert marked == [passage.text[start:end] for start, end in passage.marks]


@given(_marked())
def test_html_says_the_same_and_holds_no_other_tags(passage: Passage) -> None:
    html = passage.to_html()
    assert set(re.findall(r"<[^>]*>", html)) <= {"<mark>", "</mark>"}
    assert unescape(re.sub(r"</?mark>", "", html)) == printable(passage.text)
    assert not set(html) & set("\u202e\x1b")


@given(_texts, st.integers(0, 300), st.integers(1, 400))
@example("x" * 500, 100, 300)
@example("a" + " " * 300 + "b", 301, 1)
def test_a_cut_passage_is_short_and_shows_its_slice(text: str, start: int, length: int) -> None:
    start, end = min(start, len(text)), min(start + length, len(text))
    spans: list[Span] = [(start, end)] if start < end else []
    passage = cut_passage("notes", "Notes", text * 3, spans, start, end)
    assert len(passage.text) <= PASSAGE_LENGTH + 4
    assert passage.text.strip("… ") in text * 3
    for low, high in passage.marks:
        assert 0 <= low < high <= len(passage.text)
        assert passage.text[low:high] in text * 3
    if 0 < end - start <= PASSAGE_LENGTH and text[start:end].strip():
        assert [passage.text[low:high].strip() for low, high in passage.marks] == [text[start:end].strip()]


@pytest.mark.parametrize("before", [0, 10, 40, 100, 400])
def test_a_passage_may_begin_near_its_first_mark(before: int) -> None:
    text = "word " * 60 + "kidney stone"
    passage = Passage("notes", "Notes", text, ((300, 306), (307, 312))).from_first_mark(before)
    assert [passage.text[start:end] for start, end in passage.marks] == ["kidney", "stone"]
    assert passage.marks[0][0] <= (before + 2 if before < 300 else 300)


def test_a_passage_without_marks_begins_where_it_does() -> None:
    passage = Passage("notes", "Notes", "word " * 60)
    assert passage.from_first_mark(10) == passage
