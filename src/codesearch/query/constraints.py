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

from codesearch.index.reader import IndexReader
from codesearch.query.codes_typed import CodeMatch, CodeRecogniser
from codesearch.query.grammar import And, Field, Group, Must, Node, Not, Or, Phrase, Word, is_exclusion, leaves
from codesearch.query.named_fields import CODE, NamedFields
from codesearch.query.occurrences import Mask, Occurrences, TextFields
from codesearch.query.plan import Alternative, Slot
from codesearch.query.values import Values, masked


class _Context(NamedTuple):
    """Where a part of a tree is evaluated: the systems of codes, what stands for words, the fields, and the name of the
    field where it holds one value a record."""

    systems: Sequence[str]
    slots: Sequence[Slot]
    fields: TextFields
    value: str = ""


class Constraints:
    """Evaluates trees on one index; safe to share between threads."""

    def __init__(self, reader: IndexReader, recogniser: CodeRecogniser, values: Values) -> None:
        self.fields = NamedFields(reader.settings.fields)
        self._reader = reader
        self._recogniser = recogniser
        self._values = values
        self._occurrences = Occurrences(reader)

    def mask(self, node: Node, systems: Sequence[str], slots: Sequence[Slot]) -> Mask | None:
        """The documents that a tree lets through; None where it says nothing (small words alone)."""
        return self._mask(node, _Context(systems, slots, self.fields.all_scored))

    def says(self, node: Node) -> bool:
        """Whether a tree has more than small words and signs; as a value, a small word says something too."""
        if isinstance(node, Field) and not self.fields.text(node.name):
            return any(map(str.isalnum, "".join(leaf.text for leaf in leaves(node))))
        return any(self._reader.analyzer.terms(leaf.text) for leaf in leaves(node))

    def codes(self, node: Node, systems: Sequence[str]) -> list[CodeMatch]:
        """The codes that a tree stands for where it names codes and nothing else; none where it does not."""
        match node:
            case Field(name, part) if name == CODE:
                return [one for text in _listed(part) for one in self._recogniser.named(text, systems)]
            case Phrase(text):
                return self._code_word(text, systems)
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

    def _mask(self, node: Node, context: _Context) -> Mask | None:
        match node:
            case Word() | Phrase():
                return self._leaf(node, context)
            case Not(part):
                found = self._mask(part, context._replace(slots=()))
                return None if found is None else ~found
            case Must(part):
                return self._mask(part, context)
            case Field(name, part):
                return self._mask(part, self._inside(name, context))
            case Or(parts):
                return self._joined(np.logical_or, parts, context)
            case Group(parts) if context.value:
                wanted = [part for part in parts if not is_exclusion(part)]
                unwanted = [part for part in parts if is_exclusion(part)]
                any_wanted = self._joined(np.logical_or, wanted, context)
                return _together(np.logical_and, [any_wanted, self._joined(np.logical_and, unwanted, context)])
            case And(parts) | Group(parts):
                return self._joined(np.logical_and, parts, context)

    def _joined(self, join: np.ufunc, parts: Iterable[Node], context: _Context) -> Mask | None:
        return _together(join, (self._mask(part, context) for part in parts))

    def _inside(self, name: str, context: _Context) -> _Context:
        fields = self.fields.text(name)
        return context._replace(fields=fields, value="") if fields else context._replace(value=name)

    def _leaf(self, leaf: Word | Phrase, context: _Context) -> Mask | None:
        if context.value:
            return self._values.mask(context.value, leaf.text, context.systems)
        if context.fields == self.fields.all_scored:
            codes = self._code_word(leaf.text, context.systems)
            if codes:
                return masked(codes, self._reader.documents)
        found = self._occurrences.phrase(leaf.text, context.fields)
        if found is not None and isinstance(leaf, Word):
            for one in self._instead(leaf.text, context.slots):
                found |= self._occurrences.together(one.terms, context.fields)
        return found

    def _instead(self, text: str, slots: Sequence[Slot]) -> Iterator[Alternative]:
        """What the plan searches in place of a word, or of a run of words that it belongs to."""
        by_term = {slot.term: slot for slot in slots}
        found = [by_term.get(term) for term in self._reader.analyzer.terms(text)]
        known = [slot for slot in found if slot is not None]
        if known and len(known) == len(found):
            words = {slot.word for slot in known}
            for one in known[0].alternatives:
                if words.issubset(one.words):
                    yield one

    def _code_word(self, text: str, systems: Sequence[str]) -> list[CodeMatch]:
        return self._recogniser.condition(text, systems) if any(map(str.isdigit, text)) else []

    def _code_words(self, parts: Sequence[Node], systems: Sequence[str]) -> list[CodeMatch]:
        """The codes of words if each of them is one."""
        found = [self._code_word(part.text, systems) if isinstance(part, Word | Phrase) else [] for part in parts]
        return [match for matches in found for match in matches] if all(found) else []

    def _words(self, node: Node, systems: Sequence[str]) -> Iterator[str]:
        match node:
            case Word(text) | Phrase(text):
                if not self._code_word(text, systems):
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


def _listed(node: Node) -> list[str]:
    """The words and phrases of which a tree asks for any; none where it asks for more than that."""
    match node:
        case Word(text) | Phrase(text):
            return [text]
        case Group(parts) | Or(parts):
            found = [_listed(part) for part in parts]
            return [text for texts in found for text in texts] if all(found) else []
    return []


def _together(join: np.ufunc, masks: Iterable[Mask | None]) -> Mask | None:
    """Masks joined to one, without those that say nothing."""
    said = [mask for mask in masks if mask is not None]
    return reduce(join, said) if said else None
