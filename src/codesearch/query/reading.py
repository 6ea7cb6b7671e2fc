"""Reading a query: its text becomes a plan of codes, words to rank by, and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from codesearch.codes import bare
from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeMatch, CodeRecogniser
from codesearch.query.constraints import Constraints
from codesearch.query.grammar import Node, Parsed, Word, is_exclusion, is_plain, parse, written
from codesearch.query.plan import Plan, Planner, Rewrite, Slot

MAX_QUERY = 10_000
"""Characters of a query that are read."""
_SHORT_CODE, _SHORT_PREFIX = 2, 3
"""Characters up to which a code, or the beginning of one, may as well be a word: T4, C3."""
_GUESSES = frozenset({"spelling", "prefix", "compound"})

_Slots = tuple[tuple[Slot, ...], tuple[Rewrite, ...], tuple[str, ...]]


class _Typed(NamedTuple):
    """The codes of a query that stand first, those that its text is searched within, and that text."""

    codes: tuple[CodeMatch, ...]
    within: tuple[CodeMatch, ...]
    text: str
    notes: tuple[str, ...] = ()


class QueryReader:
    """Makes plans of queries to one index; safe to share between threads."""

    def __init__(self, reader: IndexReader, recogniser: CodeRecogniser, constraints: Constraints) -> None:
        self._recogniser = recogniser
        self._constraints = constraints
        self._planner = Planner(reader)

    def slots(self, text: str) -> tuple[Slot, ...]:
        """The slots of a text that is searched as it stands."""
        return self._planner.slots(text, exact=True)[0]

    def parse(self, text: str) -> Parsed:
        """The tree of a query."""
        return parse(text[:MAX_QUERY], self._constraints.fields.names)

    def plan(self, text: str, systems: Sequence[str], exact: bool) -> Plan:
        """The plan of a query among the given systems; with `exact` nothing is searched that is not typed."""
        if is_plain(text):
            found, words = self._recogniser.split(text[:MAX_QUERY], systems)
            if not found:  # words and nothing else, as in most queries
                return Plan(text, (), *self._planner.slots(words, exact))
        parsed = self.parse(text)
        plain = text[:MAX_QUERY] if parsed.is_plain else parsed.plain_words
        named, conditions = self._conditions(parsed.nodes, systems, exact)
        typed = self._typed(plain, named, conditions, systems, exact)
        words = " ".join([typed.text, *self._constraints.words(conditions, systems)])
        slots, rewrites, ignored = self._planner.slots(words, exact)
        if not slots and typed.codes:
            slots, rewrites, ignored = self._short(plain, typed.codes, exact)
        read = tuple(Rewrite("code", one.typed, one.reading) for one in (*typed.codes, *typed.within) if one.reading)
        notes = (*parsed.notes, *self._notes(parsed.nodes), *typed.notes)
        return Plan(text, typed.codes, slots, read + rewrites, ignored, typed.within, conditions, notes)

    def _conditions(
        self, nodes: Sequence[Node], systems: Sequence[str], exact: bool
    ) -> tuple[tuple[CodeMatch, ...], tuple[Node, ...]]:
        """The codes that conditions name which name nothing else, and the other conditions."""
        named: list[CodeMatch] = []
        conditions: list[Node] = []
        for node in nodes:
            if isinstance(node, Word) or not self._constraints.says(node):
                continue
            codes = [one for one in self._constraints.codes(node, systems) if not (exact and one.reading)]
            named += codes
            if not codes:
                conditions.append(node)
        return tuple(named), tuple(conditions)

    def _typed(
        self, plain: str, named: tuple[CodeMatch, ...], conditions: Sequence[Node], systems: Sequence[str], exact: bool
    ) -> _Typed:
        """The codes of the plain words and the named ones; a text beside sets of codes is searched within them."""
        found, text = self._recogniser.split(plain, systems)
        codes = tuple(one for one in found if not (exact and one.reading))
        if len(codes) < len(found):
            text = " ".join([text, *(one.typed for one in found if one.reading)])
        if not self._constraints.says(Word(text)) and not any(map(self._constraints.anchors, conditions)):
            return _Typed(codes + named, (), text)
        exact_codes = tuple(one for one in codes if one.tier == 1)
        within = tuple(one for one in codes if one.tier > 1) + named
        return _Typed(exact_codes, within, text) if within else self._categories(exact_codes, text)

    def _categories(self, codes: tuple[CodeMatch, ...], text: str) -> _Typed:
        """Several categories beside a text (`J45 J46 asthma`) are a set that the text is searched within."""
        below = [found for one in codes for found in self._recogniser.below(one)]
        missing = self._recogniser.missing_categories(text)
        if not below or len(below) < len(codes) or len(below) + len(missing) < 2:
            return _Typed(codes, (), text)
        rest = " ".join(word for word in text.split() if word not in missing)
        notes = tuple(f"there is no code {word}" for word in missing)
        return _Typed(codes, tuple(below), rest, notes)

    def _short(self, plain: str, codes: Sequence[CodeMatch], exact: bool) -> _Slots:
        """What ranks when a short text is a code, or begins codes, and is a word or an abbreviation too."""
        longest = _SHORT_CODE if any(one.tier == 1 for one in codes) else _SHORT_PREFIX
        slots, rewrites, ignored = self._planner.slots(plain, exact)
        is_word = len(slots) == 1 and any(one.weight_class not in _GUESSES for one in slots[0].alternatives)
        return (slots, rewrites, ignored) if is_word and len(bare(plain)) <= longest else ((), (), ())

    def _notes(self, nodes: Sequence[Node]) -> list[str]:
        """What of a query says nothing, and that one with exclusions alone finds nothing."""
        notes = [
            f"ignored {written([node])} (small words and signs say nothing)"
            for node in nodes
            if not isinstance(node, Word) and not self._constraints.says(node)
        ]
        if nodes and all(map(is_exclusion, nodes)):
            notes.append("only exclusions: add a word, a code or a field that is to be found")
        return notes
