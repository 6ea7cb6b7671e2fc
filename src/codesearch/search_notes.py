"""What a search tells beside its hits, as lines that are safe to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from codesearch.formats import fitting, one_line
from codesearch.nothing_lines import nothing_lines

if TYPE_CHECKING:
    from codesearch.query.plan import Rewrite
    from codesearch.query.results import Results

_CORRECTIONS = frozenset({"code", "spelling", "prefix", "compound"})
"""Kinds of rewrites that stand in place of what was typed, and are always shown one by one."""

_NEAREST_FIRST = ("same", "joined", "abbreviation", "eponym", "lay", "archaic", "family", "procedure", "bodypart")
"""Kinds of synonyms in the order in which they are told; any other kind comes last."""


def search_notes(results: Results, width: int) -> list[str]:
    """What was searched that was not typed, as far as it fits in the width, what was left out, and how many hits there
    are."""
    notes = list(_rewrite_lines(results.rewrites, width)) if results.hits else []
    notes += map(one_line, results.plan.notes)
    if results.plan.ignored:
        notes.append(f"too long: not searched were {one_line(' '.join(results.plan.ignored))}")
    if not results.hits:
        notes += nothing_lines(results)
    elif results.rows > len(results):
        first, last = results.hits[0].rank, results.hits[-1].rank
        more = f"; more with --offset {last}" if last < results.rows else ""
        codes = f" ({results.total:,} codes)" if results.total > results.rows else ""
        notes.append(f"hits {first:,} to {last:,} of {results.rows:,}{codes}{more}")
    return notes


def _rewrite_lines(rewrites: Iterable[Rewrite], width: int) -> Iterator[str]:
    """At most two lines: every correction, and as many synonyms as fit in the width."""
    told = list(rewrites)
    corrections = [f"{one.used} (typed: {one.typed})" for one in told if one.kind in _CORRECTIONS]
    if corrections:
        yield one_line(f"showing results for {', '.join(dict.fromkeys(corrections))}")
    synonyms = sorted((one for one in told if one.kind not in _CORRECTIONS), key=_nearness)
    words = list(dict.fromkeys(one_line(one.used) for one in synonyms))
    if words:
        yield fitting("searched also ", words, " (--exact turns this off)", width)


def _nearness(rewrite: Rewrite) -> int:
    return _NEAREST_FIRST.index(rewrite.kind) if rewrite.kind in _NEAREST_FIRST else len(_NEAREST_FIRST)
