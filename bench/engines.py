"""The engines that the benches compare: this project, SQLite FTS5, tantivy and stock Whoosh, over the same entries.

Each indexes a code in both spellings, the name, and all other names; searches the words of a query as alternatives;
and answers with codes and stored names, best first. One weighting serves all (see bench/README.md for what others
gave). Words are stemmed by each engine's own English stemmer.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from judged_sets import Entry

import codesearch
from codesearch.query.engine import SEARCHES_BEFORE_COMPILING

Answer = list[tuple[str, str]]
"""Codes and names, best first."""

_NOT_WORDS = re.compile(r"[^\w ]")


_BOOSTS = {"code": 4.0, "name": 1.0, "others": 1.0}


class Engine(Protocol):
    """Something that searches."""

    name: str

    def search(self, text: str, limit: int) -> Answer:
        """The best answers to a query."""


class Ours:
    """This project, through its library."""

    name = "codesearch"

    def __init__(self, index: Path, **options: Any) -> None:
        self.index = codesearch.open_index(index)
        self._options = options

    def compile(self) -> None:
        """Searches often enough for the index to count as long-lived, and waits until the compiled path is there."""
        for number in range(SEARCHES_BEFORE_COMPILING):
            self.search(f"fever {number}", 1)
        for thread in threading.enumerate():
            if thread.name == "codesearch-compile":
                thread.join()

    def search(self, text: str, limit: int) -> Answer:
        """The best answers to a query."""
        found = self.index.search(text, limit=limit, **self._options)
        return [(hit.code or "", hit.name) for hit in found]


class Fts5:
    """SQLite FTS5 with its porter tokenizer, in memory."""

    name = "SQLite FTS5"

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute(
            "CREATE VIRTUAL TABLE codes USING fts5(code, name, others, bare UNINDEXED, tokenize='porter unicode61')"
        )
        rows = ((f"{one.code} {one.written}", one.name, one.others, one.code) for one in entries)
        self._connection.executemany("INSERT INTO codes VALUES (?, ?, ?, ?)", rows)
        self._connection.execute("INSERT INTO codes(codes) VALUES ('optimize')")

    def search(self, text: str, limit: int) -> Answer:
        """The best answers to a query."""
        words = _clean(text).split()
        if not words:
            return []
        query = " OR ".join(f'"{word}"' for word in words)
        return self._connection.execute(
            "SELECT bare, name FROM codes WHERE codes MATCH ? ORDER BY bm25(codes, ?, ?, ?), rowid LIMIT ?",
            (query, *_BOOSTS.values(), limit),
        ).fetchall()


class Tantivy:
    """tantivy through tantivy-py, in a folder."""

    name = "tantivy"

    def __init__(self, entries: Sequence[Entry], folder: Path) -> None:
        import tantivy

        folder.mkdir(parents=True)
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("code", tokenizer_name="default")
        schema.add_text_field("bare", stored=True, tokenizer_name="raw")
        schema.add_text_field("name", stored=True, tokenizer_name="en_stem")
        schema.add_text_field("others", tokenizer_name="en_stem")
        self._index = tantivy.Index(schema.build(), path=str(folder))
        # One thread gives one segment, the fastest to search.
        writer = self._index.writer(500_000_000, 1)
        for one in entries:
            code = f"{one.code} {one.written}"
            writer.add_document(tantivy.Document(code=code, bare=one.code, name=one.name, others=one.others))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, text: str, limit: int) -> Answer:
        """The best answers to a query."""
        query = self._index.parse_query(_clean(text), list(_BOOSTS), field_boosts=_BOOSTS)
        found = self._searcher.search(query, limit, count=False)
        documents = (self._searcher.doc(address) for _, address in found.hits)
        return [(document["bare"][0], document["name"][0]) for document in documents]


class Whoosh:
    """Stock Whoosh, as its documentation shows it, in a folder."""

    name = "Whoosh"

    def __init__(self, entries: Sequence[Entry], folder: Path) -> None:
        from whoosh import index
        from whoosh.analysis.analyzers import SimpleAnalyzer, StemmingAnalyzer
        from whoosh.fields import ID, STORED, TEXT, Schema
        from whoosh.qparser.default import MultifieldParser
        from whoosh.qparser.syntax import OrGroup

        folder.mkdir(parents=True)
        schema = Schema(
            bare=ID(stored=True),
            code=TEXT(analyzer=SimpleAnalyzer()),
            name=TEXT(analyzer=StemmingAnalyzer(), phrase=False),
            others=TEXT(analyzer=StemmingAnalyzer(), phrase=False),
            title=STORED,
        )
        made = index.create_in(str(folder), schema)
        writer = made.writer(limitmb=1024)
        for one in entries:
            # Its tokenizer keeps "E11.9" whole, where those of the others give "e11" and "9", as a query is cleaned to.
            code = f"{one.code} {_clean(one.written)}"
            writer.add_document(bare=one.code, code=code, name=one.name, others=one.others, title=one.name)
        writer.commit()
        self._searcher = made.searcher()
        self._parser = MultifieldParser(list(_BOOSTS), schema, fieldboosts=_BOOSTS, group=OrGroup)

    def search(self, text: str, limit: int) -> Answer:
        """The best answers to a query."""
        found = self._searcher.search(self._parser.parse(_clean(text)), limit=limit)
        return [(hit["bare"], hit["title"]) for hit in found]


PEERS = ("fts5", "tantivy", "whoosh")


def peer(name: str, entries: Sequence[Entry], work: Path) -> Engine:
    """Builds another engine over entries, below the folder `work`."""
    if name == "fts5":
        return Fts5(entries)
    if name == "tantivy":
        return Tantivy(entries, work / "tantivy")
    return Whoosh(entries, work / "whoosh")


def _clean(text: str) -> str:
    """The words of a query without what the query languages of the engines take for syntax."""
    return _NOT_WORDS.sub(" ", text).lower()
