"""The demonstration: the shipped pages indexed into a temporary folder, and searched as a user would search them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from codesearch import display
from codesearch.config import corpus_folder
from codesearch.library import open_index
from codesearch.reindex import reindex

QUERIES = ("bone cement for a broken vertebra", "22512", "T12 kyphoplasty", "e119", "hives")
_LIMIT = 3

_NEXT = """\
Next:
  codesearch reindex FOLDER         index your own pages and code-set files
  codesearch search "chest pain"    search them
  codesearch show 22512             read all that is known of a code
  codesearch --help                 everything else"""


def run(say: Callable[[str], object]) -> None:
    """Indexes, searches, and says each command before what it prints."""
    with tempfile.TemporaryDirectory(prefix="codesearch-demo-") as folder:
        place = Path(folder) / "index"
        say(f"$ codesearch reindex {corpus_folder()}")
        with display.progress_bar() as progress:
            report = reindex([corpus_folder()], place, progress=progress)
        display.print_report(report)
        with open_index(place) as index:
            for query in QUERIES:
                typed = f'"{query}"' if " " in query else query
                say(f"\n$ codesearch search {typed} --limit {_LIMIT}")
                display.print_hits(index.search(query, limit=_LIMIT))
    say(f"\n{_NEXT}")
