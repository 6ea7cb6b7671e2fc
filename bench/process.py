"""What one process costs: prints the milliseconds to import, open and answer first, and the memory after many queries.

    python bench/process.py INDEX QUERIES      (QUERIES: a file, one query a line; run by bench/query.py)

Memory is Linux's: `resident` counts mapped files that other processes share, `private` does not.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Measures this process."""
    index, queries = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
    begun = time.perf_counter()
    import codesearch

    open_index = codesearch.open_index  # the import of it all happens here
    imported = time.perf_counter()
    opened = open_index(index)
    ready = time.perf_counter()
    _names(opened, queries[0])
    answered = time.perf_counter()
    before = _memory()
    for query in queries:
        _names(opened, query)
    after = _memory()
    figures = {
        "import ms": (imported - begun) * 1000,
        "open ms": (ready - imported) * 1000,
        "first query ms": (answered - ready) * 1000,
        "resident after it MB": before["VmRSS"],
        f"resident after {len(queries)} MB": after["VmRSS"],
        f"private after {len(queries)} MB": after["RssAnon"],
    }
    print(json.dumps(figures))


def _names(index: object, query: str) -> list[str]:
    return [hit.name for hit in index.search(query)]  # type: ignore[attr-defined]


def _memory() -> dict[str, float]:
    rows = (line.split() for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return {row[0].rstrip(":"): int(row[1]) / 1024 for row in rows if row and row[0] in ("VmRSS:", "RssAnon:")}


if __name__ == "__main__":
    main()
