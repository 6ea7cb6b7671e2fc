"""The readers of a segment: its terms, and what is known by document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from whoosh.codec.base import FieldCursor, PerDocumentReader, TermsReader
from whoosh.fields import FieldType
from whoosh.formats import Format
from whoosh.reading import TermInfo, TermNotFound
from whoosh.scoring import BaseScorer

from codesearch.index.codec.matcher import ArrayMatcher
from codesearch.index.codec.terms import FieldTerms, Ints, Posting
from codesearch.index.codec.view import SegmentView

Term = tuple[str, bytes]

_KEPT_POSTINGS = 16
"""One query asks several times for the posting of a term; a long one takes a megabyte."""
_KEPT_INFOS = 4096


class ArrayTermsReader(TermsReader):
    """The terms of all fields, in the order of (field, term)."""

    def __init__(self, view: SegmentView) -> None:
        self._view = view
        self._posting = lru_cache(_KEPT_POSTINGS)(self._make_posting)
        self._info = lru_cache(_KEPT_INFOS)(self._make_info)

    def __contains__(self, term: Term) -> bool:
        name, text = term
        field = self._view.field(name)
        return field is not None and field.number(text) is not None

    def indexed_field_names(self) -> list[str]:
        return self._view.layout.names()

    def terms(self) -> Iterator[Term]:
        for name in self.indexed_field_names():
            yield from self.terms_from(name, b"")

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[Term]:
        """The terms of the field, beginning with the first that is not below the prefix."""
        field = self._field(fieldname)
        numbers = field.numbers()
        for place in range(field.place(prefix), len(numbers)):
            yield fieldname, field.text(numbers[place])

    def items(self) -> Iterator[tuple[Term, TermInfo]]:
        return ((term, self.term_info(*term)) for term in self.terms())

    def items_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[Term, TermInfo]]:
        return ((term, self.term_info(*term)) for term in self.terms_from(fieldname, prefix))

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        """Raises TermNotFound where the field has no such term."""
        return self._info(fieldname, text)

    def frequency(self, fieldname: str, text: bytes) -> float:
        return self.term_info(fieldname, text).weight() if (fieldname, text) in self else 0

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        return self.term_info(fieldname, text).doc_frequency() if (fieldname, text) in self else 0

    def matcher(self, fieldname: str, text: bytes, format_: Format, scorer: BaseScorer | None = None) -> ArrayMatcher:
        """Raises TermNotFound where the field has no such term."""
        info = self.term_info(fieldname, text)
        return ArrayMatcher(self._posting(fieldname, text), info, format_, (fieldname, text), scorer)

    def cursor(self, fieldname: str, fieldobj: FieldType) -> ArrayCursor:
        return ArrayCursor(self._field(fieldname), fieldobj, lambda text: self.term_info(fieldname, text))

    def _field(self, name: str) -> FieldTerms:
        field = self._view.field(name)
        if field is None:
            raise TermNotFound(f"no field {name!r}")
        return field

    def _make_posting(self, name: str, text: bytes) -> Posting:
        field = self._field(name)
        number = field.number(text)
        if number is None:
            raise TermNotFound(f"no term {name}:{text!r}")
        return field.posting(number)

    def _make_info(self, name: str, text: bytes) -> TermInfo:
        posting = self._posting(name, text)
        documents, frequencies = posting.documents, posting.frequencies
        lengths = self._field(name).lengths()
        own_lengths = lengths[documents] if lengths is not None else None
        return TermInfo(  # type: ignore[no-untyped-call]
            weight=float(frequencies.sum()),
            df=len(documents),
            minlength=0 if own_lengths is None else int(own_lengths.min()),
            maxlength=0 if own_lengths is None else int(own_lengths.max()),
            maxweight=float(frequencies.max()),
            minid=int(documents[0]),
            maxid=int(documents[-1]),
        )


class ArrayCursor(FieldCursor):
    """A place among the terms of a field; Whoosh's automata move it to find similar words."""

    def __init__(self, terms: FieldTerms, field: FieldType, info: Callable[[bytes], TermInfo]) -> None:
        self._terms = terms
        self._numbers = terms.numbers()
        self._field = field
        self._info = info
        self._place = 0

    def first(self) -> str | None:
        self._place = 0
        return self.text()

    def find(self, term: str | bytes) -> str | None:
        """Moves to the first term that is not below the given one."""
        self._place = self._terms.place(term if isinstance(term, bytes) else self._field.to_bytes(term))
        return self.text()

    def next(self) -> str | None:
        self._place += 1
        return self.text()

    def text(self) -> str | None:
        """The term at the cursor, None after the last."""
        return self._field.from_bytes(self._bytes()) if self.is_valid() else None

    def term(self) -> str | None:
        return self.text()

    def term_info(self) -> TermInfo | None:
        return self._info(self._bytes()) if self.is_valid() else None

    def is_valid(self) -> bool:
        return self._place < len(self._numbers)

    def _bytes(self) -> bytes:
        return self._terms.text(self._numbers[self._place])


class ArrayDocumentReader(PerDocumentReader):
    """What is known by document: lengths and stored fields. No document is ever deleted."""

    def __init__(self, view: SegmentView) -> None:
        self._view = view

    def doc_count(self) -> int:
        return self._view.documents

    def doc_count_all(self) -> int:
        return self._view.documents

    def has_deletions(self) -> bool:
        return False

    def is_deleted(self, _docnum: int) -> bool:
        return False

    def deleted_docs(self) -> Iterator[int]:
        return iter(())

    def all_doc_ids(self) -> Iterator[int]:
        return iter(range(self._view.documents))

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        """The terms of the field in the document that are not in parentheses; the default where there are none."""
        lengths = self._lengths(fieldname)
        return default if lengths is None else int(lengths[docnum]) or default

    def field_length(self, fieldname: str) -> int:
        lengths = self._lengths(fieldname)
        return 0 if lengths is None else int(lengths.sum())

    def min_field_length(self, fieldname: str) -> int:
        lengths = self._lengths(fieldname)
        return int(lengths.min()) if lengths is not None and len(lengths) else 0

    def max_field_length(self, fieldname: str) -> int:
        lengths = self._lengths(fieldname)
        return int(lengths.max()) if lengths is not None and len(lengths) else 0

    def stored_fields(self, docnum: int) -> dict[str, str]:
        """Name, code as it is written, and keywords; the whole record is in the record file."""
        return self._view.stored(docnum)

    def _lengths(self, fieldname: str) -> Ints | None:
        field = self._view.field(fieldname)
        return None if field is None else field.lengths()
