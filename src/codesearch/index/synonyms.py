"""Synonym rules: files in Solr's synonym format, each line with a weight class, as a table from typed terms to phrases.

`kidney, renal | same` makes each phrase find the others; `hives => urticaria | lay` only the right side from the left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from codesearch.config import config_files, read_lines
from codesearch.errors import ConfigError
from codesearch.index.analysis import Analyzer


class Rule(NamedTuple):
    """One line: what is typed, what is searched as well, and its weight class."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    weight_class: str


Terms = tuple[str, ...]
Expansions = dict[Terms, list[tuple[Terms, str, str]]]
"""Typed terms -> (terms of an expansion, its weight class, the expansion as written)."""


def read_rules(folder: Path, classes: Iterable[str]) -> list[Rule]:
    """The rules of all `*.txt` files in a folder, in the order of their names.

    Raises:
        ConfigError: a line has no class, an unknown one, or an empty side.
    """
    known = frozenset(classes)
    rules: list[Rule] = []
    for path in config_files(folder, ".txt"):
        for number, line in read_lines(path):
            rules += _parse(line, path, number, known)
    return rules


def _parse(line: str, path: Path, number: int, classes: frozenset[str]) -> list[Rule]:
    sides, bar, weight_class = line.rpartition("|")
    weight_class = weight_class.strip()
    if not bar or weight_class not in classes:
        expected = f"End the line with `| class`, one of: {', '.join(sorted(classes))}."
        raise ConfigError(f"{path}:{number}", f"has no known weight class ({weight_class!r})", expected)
    left, arrow, right = sides.partition("=>")
    lefts, rights = _phrases(left), _phrases(right)
    if not lefts or (arrow and not rights) or (not arrow and len(lefts) < 2):
        raise ConfigError(f"{path}:{number}", "has an empty side", "Write `a, b | class` or `a => b | class`.")
    if arrow:
        return [Rule(lefts, rights, weight_class)]
    return [Rule((phrase,), tuple([other for other in lefts if other != phrase]), weight_class) for phrase in lefts]


def _phrases(side: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([phrase for part in side.split(",") if (phrase := " ".join(part.split()))]))


def expansions(rules: Sequence[Rule], analyzer: Analyzer) -> Expansions:
    """The rules by their typed terms, analysed as records and queries are."""
    phrases = dict.fromkeys([phrase for rule in rules for side in (rule.left, rule.right) for phrase in side])
    terms = dict(zip(phrases, analyzer.terms_of_all(tuple(phrases)), strict=True))
    table: Expansions = {}
    for left, right, weight_class in rules:
        rights = [(found, weight_class, phrase) for phrase in right if (found := terms[phrase])]
        for phrase in left:
            typed = terms[phrase]
            if typed:
                known = table.setdefault(typed, [])
                present = {typed, *[terms for terms, _, _ in known]}
                known += [one for one in rights if one[0] not in present]
    return table
