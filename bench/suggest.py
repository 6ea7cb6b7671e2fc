"""Suggestion speed beside other engines: names typed letter by letter, in one run with tantivy and SQLite FTS5.

    python bench/suggest.py

All engines hold the codes of all official files with all their names, and give ten codes with stored names for every
beginning of the names of a sample: all words before the last must match, and the last as a prefix. The engines take
turns (see `timing.py`); a query's time is the median over the rounds. The peers do what they offer for it: FTS5 with a
prefix index, ordered by bm25; tantivy with stemmed words and the last one as a regular expression, and in a second
column with its phrase prefix, which wants the words in order and at least two of them (one is asked as before). Neither
corrects, folds spellings, or prefers short entries.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engines import Answer, Engine
from judged_sets import DATA, Entry, build, entries
from timing import COLUMNS, LIMIT, print_head, print_row, summary, timed

import codesearch
from codesearch.codes import bare

_SEED = 11
_LONGEST = 40
"""Letters of a name that are typed: who has typed more is copying."""
_WORDS = re.compile(r"[a-z0-9]+")


class Ours:
    """This project, through its library."""

    name = "codesearch"

    def __init__(self, index: Path) -> None:
        self._index = codesearch.open_index(index)

    def search(self, text: str, limit: int) -> Answer:
        """What goes on from a text."""
        return [(bare(one.code or ""), one.name) for one in self._index.suggest(text, limit=limit)]


class Fts5:
    """SQLite FTS5 with its porter tokenizer and prefix indexes, in memory."""

    name = "SQLite FTS5"

    def __init__(self, rows: Sequence[Entry]) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute(
            "CREATE VIRTUAL TABLE codes USING fts5(name, others, code UNINDEXED, tokenize='porter unicode61', "
            "prefix='1 2 3 4')"
        )
        filled = ((one.name, one.others, one.code) for one in rows)
        self._connection.executemany("INSERT INTO codes VALUES (?, ?, ?)", filled)
        self._connection.execute("INSERT INTO codes(codes) VALUES ('optimize')")

    def search(self, text: str, limit: int) -> Answer:
        """What goes on from a text."""
        words = _WORDS.findall(text.lower())
        if not words:
            return []
        query = " ".join(f'"{word}"' for word in words) + "*"
        return self._connection.execute(
            "SELECT code, name FROM codes WHERE codes MATCH ? ORDER BY rank LIMIT ?", (query, limit)
        ).fetchall()


class TantivyIndex:
    """A tantivy index of the rows: names as they are written, for prefixes, and stemmed."""

    def __init__(self, rows: Sequence[Entry], folder: Path) -> None:
        import tantivy

        schema = tantivy.SchemaBuilder()
        schema.add_text_field("code", stored=True, tokenizer_name="raw")
        schema.add_text_field("name", stored=True, tokenizer_name="raw")
        schema.add_text_field("words", tokenizer_name="default")
        schema.add_text_field("stems", tokenizer_name="en_stem")
        self._index = tantivy.Index(schema.build(), path=str(folder))
        writer = self._index.writer(500_000_000, 1)
        for one in rows:
            names = f"{one.name} ; {one.others}"
            writer.add_document(tantivy.Document(code=one.code, name=one.name, words=names, stems=names))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def stored(self, query: Any, limit: int) -> Answer:
        """The best documents of a query."""
        found = self._searcher.search(query, limit, count=False)
        documents = (self._searcher.doc(address) for _, address in found.hits)
        return [(document["code"][0], document["name"][0]) for document in documents]

    def words_and_prefix(self, words: Sequence[str]) -> Any:
        """All words, stemmed, but the last as the beginning of a word."""
        import tantivy

        must = tantivy.Occur.Must
        prefix = tantivy.Query.regex_query(self._index.schema, "words", f"{words[-1]}.*")
        parts = [self._index.parse_query(word, ["stems"]) for word in words[:-1]]
        return tantivy.Query.boolean_query([(must, part) for part in (*parts, prefix)])

    def phrase_prefix(self, words: Sequence[str]) -> Any:
        """The words as a phrase, the last as the beginning of a word; of one word that alone."""
        if len(words) == 1:
            return self.words_and_prefix(words)
        return self._index.parse_query(f'"{" ".join(words)}"*', ["words"])


class Tantivy:
    """tantivy with one way to make a query of typed words."""

    def __init__(self, name: str, index: TantivyIndex, query: Callable[[Sequence[str]], Any]) -> None:
        self.name = name
        self._index = index
        self._query = query

    def search(self, text: str, limit: int) -> Answer:
        """What goes on from a text."""
        words = _WORDS.findall(text.lower())
        return self._index.stored(self._query(words), limit) if words else []


def main() -> None:
    """Builds, measures and prints."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="codesearch-suggest-") as folder:
        work = Path(folder)
        index = options.index or build("all files", options.data, work)
        rows = entries(index)
        typed = _typed(rows, options.names)
        (work / "tantivy").mkdir()
        tantivy = TantivyIndex(rows, work / "tantivy")
        ours = Ours(index)
        begun = time.perf_counter()
        ours.search("dia", LIMIT)
        first = (time.perf_counter() - begun) * 1000
        engines: list[Engine] = [
            ours,
            Fts5(rows),
            Tantivy("tantivy, words and prefix", tantivy, tantivy.words_and_prefix),
            Tantivy("tantivy, phrase prefix", tantivy, tantivy.phrase_prefix),
        ]
        found = {name: summary(times) for name, times in timed(engines, typed, options.rounds).items()}
    print(
        f"{len(rows):,} codes, {len(typed):,} beginnings of {options.names} names, {options.rounds} rounds, top {LIMIT}"
    )
    print_head()
    for name, figures in found.items():
        print_row(name, figures)
    for name, figures in found.items():
        if name != ours.name:
            print_row(
                f"codesearch / {name}", {column: found[ours.name][column] / figures[column] for column in COLUMNS}
            )
    print(f"first suggestion of an open index: {first:.0f} ms")


def _typed(rows: Sequence[Entry], names: int) -> list[str]:
    """The names of a sample, typed letter by letter."""
    chosen = random.Random(_SEED).sample(rows, names)
    return [one.name[:length] for one in chosen for length in range(1, min(len(one.name), _LONGEST) + 1)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="an index of all official files; built by default")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the official files")
    parser.add_argument("--names", type=int, default=60, help="so many names are typed")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
