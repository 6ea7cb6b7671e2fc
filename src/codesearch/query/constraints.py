"""The conditions of a query: which documents a tree of the grammar lets through, as masks over documents.

A word matches as it is typed, or by what the plan searches in its place (synonyms, corrections); in quotation marks and
under `-` only as it is typed. Side by side, in parentheses under an operator, all must match, but of codes and other
values, of which a record has one, any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from codesearch.codes import system_name
from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeMatch, CodeRecogniser
from codesearch.query.grammar import And, Field, Group, Must, Node, Not, Or, Phrase, Word, leaves
from codesearch.query.named_fields import CODE, NamedFields
from codesearch.query.occurrences import Mask, Occurrences, TextFields
from codesearch.query.plan import Alternative, Slot

_BILLABLE = {"true": "yes", "false": "no", "y": "yes", "n": "no"}


class _Context(NamedTuple):
    """Where a part of a tree is evaluated: the systems of codes, what stands for words, the fields, and the name of the
    field where it holds one value a record."""

    systems: Sequence[str]
    slots: Sequence[Slot]
    fields: TextFields
    value: str = ""


class Constraints:
    """Evaluates trees on one index; safe to share between threads."""

    def __init__(self, reader: IndexReader, recogniser: CodeRecogniser) -> None:
        self.fields = NamedFields(reader.settings.fields)
        self._reader = reader
        self._recogniser = recogniser
        self._occurrences = Occurrences(reader)

    def mask(self, node: Node, systems: Sequence[str], slots: Sequence[Slot]) -> Mask | None:
        """The documents that a tree lets through; None where it says nothing (small words alone)."""
        return self._mask(node, _Context(systems, slots, self.fields.all_scored))

    def says(self, node: Node) -> bool:
        """Whether a tree has more than small words and signs."""
        return any(self._reader.analyzer.terms(leaf.text) for leaf in leaves(node))

    def codes(self, node: Node, systems: Sequence[str]) -> list[CodeMatch]:
        """The codes that a tree stands for where it names codes and nothing else; none where it does not."""
        match node:
            case Field(name, part) if name == CODE:
                return [one for text in _texts(part) for one in self._recogniser.named(text, systems)]
            case Must(part):
                return self._code_words((part,), systems)
            case Or(parts):
                return self._code_words(parts, systems)
        return []

    def words(self, nodes: Iterable[Node], systems: Sequence[str]) -> list[str]:
        """The words of trees that rank: not those that must not match, nor codes, values, and what is never scored."""
        return [text for node in nodes for text in self._words(node, systems)]

    def anchors(self, node: Node) -> bool:
        """Whether a tree asks for a text or a code, so that what it lets through is a hit by that alone."""
        match node:
            case Not():
                return False
            case Field(name, part):
                return name not in self.fields.keywords and self.anchors(part)
            case Must(part):
                return self.anchors(part)
            case And(parts) | Or(parts) | Group(parts):
                return any(map(self.anchors, parts))
        return True

    def values(self, name: str, text: str) -> list[str]:
        """The values of a keyword field that a text means: its own, or all that hold its words."""
        values = self._reader.keywords[name]
        wanted = system_name(text) if name == "system" else text.casefold()
        wanted = _BILLABLE.get(wanted, wanted) if name == "billable" else wanted
        same = [value for value in values if value and value.casefold() == wanted.casefold()]
        if same:
            return same
        terms = set(self._reader.analyzer.terms(text))
        return [value for value in values if terms and terms <= set(self._reader.analyzer.terms(value))]

    def below(self, text: str, systems: Sequence[str]) -> Mask:
        """The documents below a code, by the parents that records name."""
        wanted = np.zeros(self._reader.documents, bool)
        found = [self._reader.find(system, text) for system in systems]
        wanted[[document for document in found if document is not None]] = True
        parents = self._reader.arrays["parent"]
        children = np.flatnonzero(parents >= 0)
        below = np.zeros(self._reader.documents, bool)
        while True:
            reached = children[(wanted | below)[parents[children]]]
            if below[reached].all():
                return below
            below[reached] = True

    def _mask(self, node: Node, context: _Context) -> Mask | None:
        match node:
            case Word(text):
                return self._word(text, context)
            case Phrase(text):
                return self._value(text, context) if context.value else self._occurrences.phrase(text, context.fields)
            case Not(part):
                found = self._mask(part, context._replace(slots=()))
                return None if found is None else ~found
            case Must(part):
                return self._mask(part, context)
            case Field(name, part):
                return self._mask(part, self._inside(name, context))
            case Or(parts):
                return _together(np.logical_or, (self._mask(part, context) for part in parts))
            case And(parts) | Group(parts):
                are_values = context.value and isinstance(node, Group)
                join = np.logical_or if are_values else np.logical_and
                return _together(join, (self._mask(part, context) for part in parts))

    def _inside(self, name: str, context: _Context) -> _Context:
        fields = self.fields.text(name)
        return context._replace(fields=fields, value="") if fields else context._replace(value=name)

    def _word(self, text: str, context: _Context) -> Mask | None:
        if context.value:
            return self._value(text, context)
        codes = self._code_word(text, context.systems) if context.fields == self.fields.all_scored else []
        if codes:
            return self._documents(codes)
        found = self._occurrences.phrase(text, context.fields)
        if found is not None:
            for one in self._instead(text, context.slots):
                found |= self._occurrences.together(one.terms, context.fields)
        return found

    def _instead(self, text: str, slots: Sequence[Slot]) -> Iterator[Alternative]:
        """What the plan searches in place of a word, or of a run of words that it belongs to."""
        places = {slot.term: place for place, slot in enumerate(slots)}
        found = [places.get(term) for term in self._reader.analyzer.terms(text)]
        known = [place for place in found if place is not None]
        if known and len(known) == len(found):
            for one in slots[known[0]].alternatives:
                if one.first <= min(known) and max(known) < one.last:
                    yield one

    def _value(self, text: str, context: _Context) -> Mask:
        """The documents with a value in the field that the context names."""
        if context.value == CODE:
            return self._documents(self._recogniser.named(text, context.systems))
        if context.value == "parent":
            return self.below(text, context.systems)
        values = self._reader.keywords[context.value]
        numbers = [values.index(value) for value in self.values(context.value, text)]
        return np.isin(self._reader.arrays[f"keyword.{context.value}"], numbers)

    def _documents(self, codes: Iterable[CodeMatch]) -> Mask:
        found = np.zeros(self._reader.documents, bool)
        for match in codes:
            found[list(match.documents)] = True
        return found

    def _code_word(self, text: str, systems: Sequence[str]) -> list[CodeMatch]:
        return self._recogniser.condition(text, systems) if any(map(str.isdigit, text)) else []

    def _code_words(self, parts: Sequence[Node], systems: Sequence[str]) -> list[CodeMatch]:
        """The codes of words if each of them is one."""
        found = [self._code_word(part.text, systems) if isinstance(part, Word) else [] for part in parts]
        return [match for matches in found for match in matches] if all(found) else []

    def _words(self, node: Node, systems: Sequence[str]) -> Iterator[str]:
        match node:
            case Word(text):
                if not self._code_word(text, systems):
                    yield text
            case Phrase(text):
                yield text
            case Field(name, part):
                fields = self.fields.text(name)
                if fields and (fields.title or fields.sections & self.fields.all_scored.sections):
                    yield from self._words(part, systems)
            case Must(part):
                yield from self._words(part, systems)
            case And(parts) | Or(parts) | Group(parts):
                for part in parts:
                    yield from self._words(part, systems)


def _texts(node: Node) -> Iterator[str]:
    """The words and phrases of a tree that stand for themselves."""
    match node:
        case Word(text) | Phrase(text):
            yield text
        case Group(parts) | Or(parts):
            for part in parts:
                yield from _texts(part)


def _together(join: np.ufunc, masks: Iterable[Mask | None]) -> Mask | None:
    """Masks joined to one, without those that say nothing."""
    said = [mask for mask in masks if mask is not None]
    return reduce(join, said) if said else None
