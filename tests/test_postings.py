"""Which term stands where."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reindex_support import small_config

from codesearch.index import postings
from codesearch.index.analysis import Analyzer
from codesearch.index.arrays import Array
from codesearch.index.fields import NO_ENTRIES, entries_of
from codesearch.index.limits import NONESSENTIAL
from codesearch.index.postings import Collector, Run, Vocabulary, layout, title_run
from codesearch.index.settings import read_settings

ANALYZER = Analyzer(read_settings(small_config() / "index").analysis)


class Posting(NamedTuple):
    """A posting as it reads: frequency, whether it is nonessential, positions."""

    frequency: int
    inside: bool
    positions: tuple[int, ...]


class Laid(NamedTuple):
    """The arrays of some entries, and their terms."""

    terms: list[str]
    arrays: dict[str, Array]

    def postings(self) -> dict[tuple[str, int], Posting]:
        """By term and entry."""
        found, arrays = {}, self.arrays
        for number, term in enumerate(self.terms):
            at = int(arrays["position_offsets"][number])
            for place in range(int(arrays["offsets"][number]), int(arrays["offsets"][number + 1])):
                weight = int(arrays["weights"][place])
                count = weight & ~NONESSENTIAL
                positions = tuple(arrays["positions"][at : at + count].tolist())
                found[term, int(arrays["entries"][place])] = Posting(count, bool(weight & NONESSENTIAL), positions)
                at += count
        return found


Entries = list[tuple[int, list[str]]]
"""(Field, texts) of each entry; each stands in a document of its own."""


def laid(*runs: Entries) -> Laid:
    """The entries laid out, each run by a process of its own."""
    vocabularies = [Vocabulary(ANALYZER) for _ in runs]
    made: list[Run] = []
    for vocabulary, entries in zip(vocabularies, runs, strict=True):
        collector = Collector(vocabulary)
        for document, (field, texts) in enumerate(entries):
            collector.add(document, field, texts)
        made.append(collector.run())
    firsts = [sum(map(len, runs[:number])) for number in range(len(runs))]
    return lay(vocabularies, made, firsts)


def lay(vocabularies: list[Vocabulary], made: list[Run], firsts: list[int]) -> Laid:
    """Some runs laid out, each with its vocabulary and the number of its first document."""
    terms = sorted({term for vocabulary in vocabularies for term in vocabulary.terms()})
    ranks = [np.array([terms.index(term) for term in vocabulary.terms()], np.int32) for vocabulary in vocabularies]
    return Laid(terms, layout(made, firsts, ranks, len(terms)))


def of(*texts: str) -> dict[str, Posting]:
    """The postings of one entry by term."""
    return {term: posting for (term, _), posting in laid([(0, list(texts))]).postings().items()}


def test_each_word_stands_at_its_place_stop_words_take_none() -> None:
    assert of("fracture of the femur") == {"fractur": Posting(1, False, (0,)), "femur": Posting(1, False, (1,))}


def test_a_repeated_word_has_all_its_places() -> None:
    assert of("pain, chest pain")["pain"] == Posting(2, False, (0, 2))


def test_no_phrase_crosses_two_texts() -> None:
    found = of("chest pain", "fever", "")
    assert found["fever"].positions[0] > found["pain"].positions[0] + 5


def test_words_in_parentheses_are_nonessential_unless_there_are_no_others() -> None:
    found = laid([(0, ["fracture (acute) (femur)"]), (0, ["(acute)"])])
    assert found.postings()["femur", 0].inside
    assert not found.postings()["fractur", 0].inside
    assert not found.postings()["acut", 1].inside
    assert found.arrays["lengths"].tolist() == [1, 1]


def test_phrases_that_say_that_nothing_else_is_meant_are_nonessential() -> None:
    found = laid([(0, ["Asthma NOS"]), (0, ["Zoster without complications"]), (0, ["Ulcer, not elsewhere classified"])])
    inside = {term for (term, _), posting in found.postings().items() if posting.inside}
    assert inside == {"nos", "without", "complic", "not", "elsewher", "classifi"}
    assert found.arrays["lengths"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("text", ["NOS", "Birth with or without complications", "Nosology", "without bleeding"])
def test_other_words_of_them_are_essential(text: str) -> None:
    assert not any(posting.inside for posting in of(text).values())


def test_a_hyphenated_word_stands_joined_too_at_the_place_of_its_first_part() -> None:
    found = of("chest x-ray")
    assert found["x"].positions == found["xray"].positions == (1,)
    assert found["xray"].inside


def test_two_hyphens_join_nothing() -> None:
    found = of("x-ray--b")
    assert found["xray"].positions == (0,)
    assert "xrayb" not in found


def test_a_joined_word_stands_beside_its_parts_in_a_later_text_too() -> None:
    found = of("fever", "chest x-ray film")
    assert found["xray"].positions == found["x"].positions


def test_entries_keep_their_document_and_field() -> None:
    found = laid([(0, ["a fever"]), (2, ["pain"])], [(1, ["cough"])])
    assert found.arrays["documents"].tolist() == [0, 1, 2]
    assert found.arrays["fields"].tolist() == [0, 2, 1]


def test_no_entries_give_empty_arrays() -> None:
    assert laid([]).postings() == {}
    assert laid().arrays["documents"].tolist() == []


WORDS = st.sampled_from(["fever", "chest", "x-ray", "(acute)", "pain", "of", "post-operative", "(of", "2", "pain)"])
ENTRIES = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=3)), max_size=6
)


@given(st.lists(ENTRIES, max_size=3))
def test_the_runs_do_not_matter(runs: list[Entries]) -> None:
    apart, together = laid(*runs), laid([entry for run in runs for entry in run])
    assert apart.terms == together.terms
    for name, array in together.arrays.items():
        np.testing.assert_array_equal(apart.arrays[name], array, name)


@given(st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=5))
def test_every_word_is_counted_where_it_stands(texts: list[str]) -> None:
    expected: dict[tuple[str, int], int] = defaultdict(int)
    for entry, text in enumerate(texts):
        folded = ANALYZER.fold(text)
        for term in [*ANALYZER.terms(text), *(term for term, _ in ANALYZER.joined(folded) if term)]:
            expected[term, entry] += 1
    found = laid([(0, [text]) for text in texts]).postings()
    assert {key: posting.frequency for key, posting in found.items()} == expected


@given(st.lists(st.text(st.sampled_from("aI1 ()-.'’é\0\1ivx"), max_size=12), max_size=6))
def test_texts_read_at_once_are_read_as_one_by_one(texts: list[str]) -> None:
    apart, together = laid([(0, [text]) for text in texts]), laid(*([(0, [text])] for text in texts))
    assert apart.postings() == together.postings()
    assert apart.arrays["lengths"].tolist() == together.arrays["lengths"].tolist()


@given(st.text(st.sampled_from("ab1 ,-.'’é/wotypeivx()"), max_size=30))
def test_phrases_between_commas_are_read_as_the_whole_text_is(text: str) -> None:
    found = laid([(0, [text])]).postings()
    expected = Counter(term for term, _, _ in ANALYZER.places(text))
    assert {term: posting.frequency for (term, _), posting in found.items()} == expected


def test_a_phrase_that_was_forgotten_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["pain, open approach", "fever, open approach", "pain, mild"]
    remembering, forgetting = Vocabulary(ANALYZER), Vocabulary(ANALYZER)
    expected = [remembering.pieces([text]).tolist() for text in texts]
    monkeypatch.setattr(postings, "_MAX_CHARACTERS", 0)
    assert [forgetting.pieces([text]).tolist() for text in texts] == expected


@pytest.mark.parametrize("text", ["(acute) pain", "pain (acute", "pain) acute (mild", ")) pain (acute) (("])
def test_parentheses_of_one_text_say_nothing_of_the_next(text: str) -> None:
    found = laid([(0, [text, "fever"]), (0, ["fever"])]).postings()
    assert not found["fever", 0].inside
    assert not found["fever", 1].inside


def test_parts_of_decimal_numbers_are_not_joined() -> None:
    assert set(of("E11.2-E12.5 grade")) == {"e11", "2", "e12", "5", "grade"}
    assert "b12" in of("vitamin B-12")


_texts = st.text(st.sampled_from("ab,("), max_size=3)
_rows = st.tuples(st.one_of(_texts, st.tuples(_texts)), _texts, st.lists(_texts, max_size=2).map(tuple))


@given(st.lists(_rows, max_size=6))
@example([("a", "", ("b", "ab")), ("b", "", ("b", "ab")), ("a", "", ("b", "ab")), ("", "", ())])
def test_what_codes_share_is_read_once_and_stands_with_each(rows: list[tuple[object, ...]]) -> None:
    one, other = Vocabulary(ANALYZER), Vocabulary(ANALYZER)
    collector = Collector(one)
    for document, values in enumerate(rows):
        for text, field in (entries_of(values) or NO_ENTRIES).items():
            collector.add(document, field, [text])
    expected, found = lay([one], [collector.run()], [0]), lay([other], [title_run(other, rows)], [0])
    assert found.postings() == expected.postings()
    for name in ("documents", "fields", "lengths"):
        assert found.arrays[name].tolist() == expected.arrays[name].tolist()
