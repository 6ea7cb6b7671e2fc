"""The Whoosh index over our arrays answers as a stock Whoosh index of the same records does."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
import whoosh.query
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import index
from whoosh.analysis.acore import Composable, Token
from whoosh.fields import ID, TEXT, Schema
from whoosh.matching.mcore import ReadTooFar
from whoosh.reading import TermNotFound

from codesearch.codes import bare
from codesearch.config import config_root
from codesearch.index.analysis import Analyzer
from codesearch.index.build import as_they_are, sort_key, write_index
from codesearch.index.codec.terms import ENTRY_STRIDE
from codesearch.index.fields import SectionReader, keyword_text, keyword_values, title_texts
from codesearch.index.record_file import StoredRecord
from codesearch.index.schema import TermAnalyzer, identifiers
from codesearch.index.segment import open_segment
from codesearch.index.settings import read_settings
from codesearch.records import CodeRecord, Purpose, Risks

# Whoosh is typed in parts, and exports its queries for the interpreter only.
query: Any = whoosh.query
Query = Any
Searcher = Any
FileIndex = Any

SETTINGS = read_settings(config_root() / "index")._replace(rules=())
FIELDS = SETTINGS.fields
TEXTS = (*FIELDS.title, *FIELDS.sections)
SEARCHED = ("name", "inclusion_terms", "synonyms", "purpose.conditions", "risks.common", "excludes")

ENTRY, PART = "\x01", "\x02"
PART_GAP = 10


# A stock index of the same records


class StockAnalyzer(Composable):
    """Gives the texts of a document the positions that they have in ours: entries far apart, their parts ten."""

    def __init__(self) -> None:
        self._terms = TermAnalyzer(Analyzer(SETTINGS.analysis))

    def __call__(self, value: str, **options: Any) -> Iterator[Token]:
        for ordinal, entry in enumerate(value.split(ENTRY)):
            start = ordinal * ENTRY_STRIDE
            for text in entry.split(PART):
                yield from self._terms(text, **{**options, "start_pos": start, "mode": "index"})
                start += len(list(self._terms(text))) + PART_GAP


def stock_documents(records: list[CodeRecord]) -> list[dict[str, str]]:
    """What a stock index is given for each record."""
    known = {(record.system, bare(record.code or "")) for record in records if record.code}
    columns = {name: [getattr(record, name) for record in records] for name in CodeRecord.__struct_fields__}
    values = {name: keyword_values(columns, path) for name, path in FIELDS.keywords.items()}
    keywords = {name: [keyword_text(value) for value in found] for name, found in values.items()}
    documents = []
    for number, record in enumerate(records):
        entries: dict[str, list[str]] = {}
        for field, text in title_texts(record, FIELDS.title):
            entries.setdefault(FIELDS.title[field], []).append(text)
        for field, texts in SectionReader(FIELDS.sections).texts(record):
            entries[FIELDS.sections[field]] = [PART.join(texts)]
        document = {name: ENTRY.join(texts) for name, texts in entries.items()}
        for name, stands_for in identifiers(FIELDS).items():
            document[name] = bare(record.code or "") if name == "code" else keywords[stands_for][number]
        parent = bare(record.parent or "")
        document["parent"] = parent if (record.system, parent) in known else ""
        documents.append({name: value for name, value in document.items() if value})
    return documents


def write_stock(folder: Path, records: list[CodeRecord]) -> FileIndex:
    schema = Schema(**{name: ID() for name in identifiers(FIELDS)})
    for name in TEXTS:
        schema.add(name, TEXT(analyzer=StockAnalyzer()))
    stock = index.create_in(str(folder), schema)
    with stock.writer() as writer:
        for document in stock_documents(records):
            writer.add_document(**document)
    return stock


def write_ours(folder: Path, records: list[CodeRecord]) -> FileIndex:
    folder.mkdir()
    write_index(folder, [map(StoredRecord, records)], SETTINGS, as_they_are)
    return open_segment(folder, SETTINGS)


class Pair:
    """Searchers of both indexes of the same records."""

    def __init__(self, folder: Path, records: list[CodeRecord]) -> None:
        self.records = sorted(records, key=lambda record: sort_key(StoredRecord(record)))
        (folder / "stock").mkdir()
        self._open = ExitStack()
        self.ours: Searcher = self._open.enter_context(write_ours(folder / "ours", self.records).searcher())
        self.stock: Searcher = self._open.enter_context(write_stock(folder / "stock", self.records).searcher())

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def terms(self, field: str) -> list[str]:
        return [text.decode() for text in self.stock.reader().lexicon(field)]


# Random records and queries

PLAIN = [
    "pain",
    "of",
    "knee",
    "left",
    "chronic",
    "kidney",
    "disease",
    "diabetes",
    "type",
    "2",
    "fracture",
    "acute",
    "12.5",
]
MARKED = [*PLAIN, "x-ray", "non-union", "(closed)", "(acute pain)", "follow-up", "kidneys", "haemorrhage"]


def texts(words: list[str]) -> st.SearchStrategy[str]:
    # Always with a word that is no stop word, since an entry without terms is none in a stock index.
    return st.lists(st.sampled_from(words), max_size=6).map(lambda chosen: " ".join(["pain", *chosen]))


def records_of(words: list[str]) -> st.SearchStrategy[list[CodeRecord]]:
    text = texts(words)
    record = st.builds(
        CodeRecord,
        system=st.sampled_from(["ICD10CM", "ICD10PCS", "HCPCS", "OWN"]),
        code=st.one_of(
            st.none(), st.from_regex(r"[A-C][0-4]{2}(\.[0-2]{1,2})?", fullmatch=True), st.just("x" * 30 + "1")
        ),
        name=text,
        kind=st.sampled_from(["code", "header"]),
        inclusion_terms=st.lists(text, max_size=4).map(tuple),
        synonyms=st.lists(text, max_size=2).map(tuple),
        purpose=st.builds(Purpose, conditions=st.lists(text, max_size=3).map(tuple)),
        risks=st.builds(Risks, common=st.lists(text, max_size=1).map(tuple)),
        excludes=st.lists(text, max_size=2).map(tuple),
        setting=st.sampled_from(["", "pain clinic", "knee"]),
        billable=st.sampled_from([None, True, False]),
        chapter=st.sampled_from([None, "I", "Ü"]),
        parent=st.one_of(st.none(), st.from_regex(r"[A-C][0-4]{2}", fullmatch=True)),
        properties=st.sampled_from([{}, {"specialty": "surgery"}]),
    )
    return st.lists(record, min_size=1, max_size=25, unique_by=lambda made: (made.system, made.code))


def leaves(pair: Pair) -> st.SearchStrategy[Query]:
    """Queries without parts, for terms that are there and for some that are not."""
    fields = [name for name in SEARCHED if pair.terms(name)]
    field = st.sampled_from(fields)
    word = field.flatmap(lambda name: st.tuples(st.just(name), st.sampled_from([*pair.terms(name), "absent"])))
    key = st.sampled_from(
        [("code", text) for text in [*pair.terms("code"), "A"]] + [("system", "ICD10CM"), ("kind", "code")]
    )
    words = field.flatmap(
        lambda name: st.tuples(st.just(name), st.lists(st.sampled_from(pair.terms(name)), min_size=1, max_size=3))
    )
    return st.one_of(
        st.builds(lambda term: query.Term(*term), st.one_of(word, key)),
        st.builds(lambda chosen, slop: query.Phrase(*chosen, slop=slop), words, st.integers(1, 12)),
        st.builds(lambda term, size: query.Prefix(term[0], term[1][:size]), st.one_of(word, key), st.integers(0, 3)),
        st.builds(lambda term: query.Wildcard(term[0], f"?{term[1][1:2]}*"), st.one_of(word, key)),
        st.builds(lambda term: query.Wildcard(term[0], f"*{term[1][-1:]}"), st.one_of(word, key)),
        st.builds(
            lambda low, high, *excluded: query.TermRange(low[0], low[1], high[1], *excluded),
            *(st.one_of(word, key),) * 2,
            *(st.booleans(),) * 2,
        ),
        st.builds(lambda term, far: query.FuzzyTerm(term[0], term[1][:-1] + "z", maxdist=far), word, st.integers(1, 2)),
        st.builds(query.Every, st.one_of(st.none(), field, st.just("parent"))),
    )


def queries(pair: Pair) -> st.SearchStrategy[Query]:
    """Queries of every type that our grammar may make, some steps deep.

    `AndNot` stands only on top, and our grammar makes `And` with `Not` instead: Whoosh's matcher for `AndNot` lets the
    first document through when the other part has one before it, and inside other queries it may read past its end.
    """
    parts = st.recursive(
        leaves(pair),
        lambda part: st.one_of(
            st.builds(query.And, st.lists(part, min_size=1, max_size=3)),
            st.builds(query.Or, st.lists(part, min_size=1, max_size=3)),
            st.builds(query.AndMaybe, part, part),
            st.builds(lambda wanted, other: query.And([wanted, query.Not(other)]), part, part),
            st.builds(query.Not, part),
            st.builds(query.ConstantScoreQuery, part),
        ),
        max_leaves=5,
    )
    return st.one_of(parts, st.builds(query.AndNot, parts, parts))


# The properties


def walked(searcher: Searcher, field: str, term: bytes) -> list[tuple[int, float, int, list[int]]]:
    """The postings of a term: document, weight, frequency, positions."""
    matcher = searcher.reader().postings(field, term)
    found = []
    while matcher.is_active():
        positions = matcher.value_as("positions") if matcher.supports("positions") else []
        found.append((matcher.id(), matcher.weight(), matcher.value_as("frequency"), positions))
        matcher.next()
    return found


def matched(searcher: Searcher, asked: Query) -> set[int]:
    """The documents of a scored search."""
    return set(searcher.search(asked, limit=None).docs())


def statistics(searcher: Searcher, field: str, term: bytes) -> tuple[float, ...]:
    info = searcher.reader().term_info(field, term)
    reader = searcher.reader()
    return (
        info.weight(),
        info.doc_frequency(),
        info.max_weight(),
        info.min_id() or 0,
        info.max_id(),
        reader.frequency(field, term),
        reader.doc_frequency(field, term),
    )


@settings(max_examples=25, deadline=None)
@given(records_of(MARKED))
def test_every_term_has_the_postings_that_a_stock_index_has(records: list[CodeRecord]) -> None:
    with TemporaryDirectory() as folder, Pair(Path(folder), records) as pair:
        ours, stock = pair.ours.reader(), pair.stock.reader()
        assert sorted(ours.all_terms()) == sorted(stock.all_terms())
        for field in (*TEXTS, *identifiers(FIELDS)):
            assert list(ours.lexicon(field)) == list(stock.lexicon(field))
            for term in stock.lexicon(field):
                assert (field, term) in ours
                assert walked(pair.ours, field, term) == walked(pair.stock, field, term)
                assert statistics(pair.ours, field, term) == statistics(pair.stock, field, term)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_query_finds_what_it_finds_in_a_stock_index(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, Pair(Path(folder), data.draw(records_of(MARKED))) as pair:
        for asked in data.draw(st.lists(queries(pair), min_size=10, max_size=30)):
            assert set(pair.ours.docs_for_query(asked)) == set(pair.stock.docs_for_query(asked))
            assert matched(pair.ours, asked) == matched(pair.stock, asked)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_scores_are_those_of_a_stock_index_where_its_lengths_are_true(data: st.DataObject) -> None:
    """A stock index keeps lengths in one byte, true up to ten, and counts words in parentheses and joined ones."""
    short = records_of(PLAIN).map(
        lambda records: [
            msgspec.structs.replace(record, inclusion_terms=record.inclusion_terms[:1], synonyms=record.synonyms[:1])
            for record in records
        ]
    )
    with TemporaryDirectory() as folder, Pair(Path(folder), data.draw(short)) as pair:
        words = st.sampled_from([query.Term(name, word) for name in FIELDS.title for word in pair.terms(name)])
        for parts in data.draw(st.lists(st.lists(words, min_size=1, max_size=3), min_size=5, max_size=10)):
            for asked in (query.Or(parts), query.And(parts)):
                found = pair.ours.search(asked, limit=None, optimize=False).top_n
                expected = pair.stock.search(asked, limit=None, optimize=False).top_n
                assert dict(map(reversed, found)) == pytest.approx(dict(map(reversed, expected)))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_best_hits_are_found_whether_whoosh_optimizes_or_not(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, Pair(Path(folder), data.draw(records_of(MARKED))) as pair:
        asked = data.draw(queries(pair))
        best = pair.ours.search(asked, limit=3, optimize=True).top_n
        assert best == pair.ours.search(asked, limit=3, optimize=False).top_n
        every = pair.ours.search(asked, limit=None, optimize=False).top_n
        assert [score for score, _ in best] == pytest.approx([score for score, _ in every[:3]])


# Examples

HEADER = CodeRecord("ICD10CM", "E11", "Type 2 diabetes mellitus", kind="header", billable=False)
LEAF = CodeRecord(
    "ICD10CM",
    "E11.9",
    "Type 2 diabetes mellitus (mild) without bleeding",
    billable=True,
    parent="E11",
    inclusion_terms=("Adult diabetes", "Onset of diabetes in adults"),
    purpose=Purpose(conditions=("High sugar", "Thirst")),
    setting="office",
)
OTHER = CodeRecord("HCPCS", "E1100", "Chair for adults", billable=True)
NAMELESS = CodeRecord("ICD10CM", None, "Page without a code")
RECORDS = sorted([HEADER, LEAF, OTHER, NAMELESS], key=lambda record: sort_key(StoredRecord(record)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_ours(tmp_path / "generation", RECORDS)
    return tmp_path / "generation"


@pytest.fixture
def searcher(folder: Path) -> Iterator[Searcher]:
    with opened(folder).searcher() as searcher:
        yield searcher


def opened(folder: Path) -> FileIndex:
    return open_segment(folder, SETTINGS)


def found(searcher: Searcher, asked: Query) -> list[str | None]:
    return [RECORDS[document].code for document in searcher.docs_for_query(asked)]


def test_no_phrase_reaches_from_one_name_of_a_code_to_the_next(searcher: Searcher) -> None:
    assert found(searcher, query.Phrase("inclusion_terms", ["adult", "diabet"])) == ["E11.9"]
    for slop in (1, 2, 1000, 50_000):
        assert found(searcher, query.Phrase("inclusion_terms", ["diabet", "onset"], slop=slop)) == []


def test_a_length_is_the_sum_over_the_names_without_what_stands_in_parentheses(searcher: Searcher) -> None:
    leaf = RECORDS.index(LEAF)
    reader = searcher.reader()
    assert reader.doc_field_length(leaf, "name") == 6  # type 2 diabetes mellitus without bleeding
    assert reader.doc_field_length(leaf, "inclusion_terms") == 5
    assert reader.doc_field_length(leaf, "synonyms", 1) == 1  # the default, where there is nothing
    assert reader.field_length("name") == sum(reader.doc_field_length(document, "name") for document in range(4))
    assert (reader.min_field_length("name"), reader.max_field_length("name")) == (2, 6)
    assert reader.field_length("code") == reader.max_field_length("code") == 0
    assert found(searcher, query.Term("name", "mild")) == ["E11.9"]


def test_lengths_bound_the_documents_of_a_term(searcher: Searcher) -> None:
    info = searcher.reader().term_info("name", "diabet")
    assert (info.min_length(), info.max_length()) == (4, 6)


def test_codes_are_found_in_bare_form_and_keywords_by_their_value(searcher: Searcher) -> None:
    assert found(searcher, query.Term("code", "E119")) == ["E11.9"]
    assert found(searcher, query.Term("code", "E11.9")) == []
    assert found(searcher, query.Prefix("code", "E11")) == [record.code for record in RECORDS if record.code]
    assert found(searcher, query.Term("parent", "E11")) == ["E11.9"]
    assert found(searcher, query.And([query.Term("system", "ICD10CM"), query.Term("billable", "yes")])) == ["E11.9"]
    assert found(searcher, query.Term("setting.keyword", "office")) == ["E11.9"]
    assert found(searcher, query.Term("setting", "offic")) == ["E11.9"]


def test_stored_fields_tell_a_document_without_its_record(searcher: Searcher) -> None:
    stored = searcher.stored_fields(RECORDS.index(LEAF))
    assert stored["code"] == "E11.9"
    assert stored["name"] == LEAF.name
    assert stored["system"] == "ICD10CM"
    assert stored["parent"] == "E11"
    assert stored["setting.keyword"] == "office"
    assert searcher.stored_fields(RECORDS.index(NAMELESS)) == {
        "name": "Page without a code",
        "system": "ICD10CM",
        "kind": "code",
    }
    assert len(list(searcher.reader().iter_docs())) == 4


def test_a_matcher_can_be_copied_reset_and_run_to_its_end(searcher: Searcher) -> None:
    matcher = searcher.reader().postings("name", "diabet")
    first = matcher.id()
    assert list(matcher.copy().all_ids()) == [first, first + 1]
    matcher.skip_to(first + 1)
    assert (matcher.copy().id(), matcher.id()) == (first + 1, first + 1)
    matcher.skip_to(first)  # never back
    assert matcher.id() == first + 1
    matcher.next()
    assert not matcher.is_active()
    for move in (matcher.next, lambda: matcher.skip_to(3)):
        with pytest.raises(ReadTooFar):
            move()
    matcher.reset()
    assert matcher.id() == first


def test_what_a_field_does_not_have_is_not_found(searcher: Searcher) -> None:
    reader = searcher.reader()
    assert ("synonyms", "diabet") not in reader
    assert reader.doc_frequency("synonyms", "diabet") == reader.frequency("synonyms", "diabet") == 0
    for ask in (reader.term_info, reader.postings):
        with pytest.raises(TermNotFound):
            ask("synonyms", "diabet")


def test_words_alike_are_found_in_the_field_asked(searcher: Searcher) -> None:
    assert set(searcher.reader().terms_within("name", "diabed", 1)) == {"diabet"}
    assert set(searcher.reader().terms_within("synonyms", "diabed", 1)) == set()
    cursor = searcher.reader().cursor("code")
    assert [cursor.text(), cursor.next(), cursor.next(), cursor.next()] == ["E11", "E1100", "E119", None]
    assert (cursor.is_valid(), cursor.term_info()) == (False, None)
    assert (cursor.first(), cursor.find("E12"), cursor.find(b"E111")) == ("E11", None, "E119")
    assert cursor.term_info().doc_frequency() == 1


def test_an_index_without_records_finds_nothing(tmp_path: Path) -> None:
    with write_ours(tmp_path / "empty", []).searcher() as searcher:
        assert list(searcher.docs_for_query(query.Or([query.Prefix("name", "a"), query.Every("code")]))) == []
        assert searcher.reader().field_length("name") == searcher.reader().doc_count() == 0
