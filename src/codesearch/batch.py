"""Many queries, one a line: an answer for every line, in order, whatever is wrong with one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from codesearch.errors import CodesearchError
from codesearch.library import Index

_BOM = b"\xef\xbb\xbf"


def answers(
    index: Index, lines: Iterable[bytes], options: Mapping[str, Any], asked: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """One row a line: `{"query", "total", "rewrites", "hits"}` or `{"query", "error"}`; with `notes` if there are any.

    Args:
        index: where to search.
        lines: queries in UTF-8, with or without their line ends.
        options: the keyword arguments of `Index.search`.
        asked: what else of `Results` each row is to hold (`facets`).

    Raises:
        UsageError: an option is wrong, and would be in every line.
    """
    index.search("", **options)
    for number, line in enumerate(lines):
        raw = line.removeprefix(_BOM) if number == 0 else line
        yield _answer(index, raw.rstrip(b"\r\n"), options, asked)


def _answer(index: Index, raw: bytes, options: Mapping[str, Any], asked: Sequence[str]) -> dict[str, Any]:
    query = raw.decode("utf-8", "replace")
    try:
        raw.decode("utf-8")
        if not query.strip():
            return {"query": query, "error": "the line is empty"}
        results = index.search(query, **options)
        rewrites = [rewrite._asdict() for rewrite in results.rewrites]
        return {
            "query": query,
            "total": results.total,
            "rewrites": rewrites,
            **({"notes": list(results.plan.notes)} if results.plan.notes else {}),
            **{name: getattr(results, name) for name in asked},
            "hits": [hit.to_dict() for hit in results],
        }
    except UnicodeDecodeError:
        return {"query": query, "error": "the line is not UTF-8"}
    except CodesearchError as error:
        return {"query": query, "error": str(error)}
    except Exception as error:  # a fault of ours in one line must not cost the caller the other lines
        return {"query": query, "error": f"internal error: {type(error).__name__}: {error}"}
