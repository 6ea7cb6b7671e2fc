"""The 7th characters of ICD-10-CM: definitions that stand on an ancestor, expanded into codes.

ICD-10-CM Official Guidelines I.A.4 and I.A.5: a code shorter than six characters is filled with the placeholder X, so
that the 7th character stands in seventh place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from codesearch.codes import bare
from codesearch.ingest.codesets.layouts import FileLayout
from codesearch.ingest.codesets.xmlstream import Element, own_text

Parts = Mapping[str, list[Element]]
"""The children of an element by tag, as `xmlstream.by_tag` gives them."""


class Extension(NamedTuple):
    """One 7th character: what it adds to a title, and other wordings of it."""

    character: str
    text: str
    wordings: tuple[str, ...]


class Exemption(NamedTuple):
    """The 7th characters that codes of a category do not take when one of `values` stands in `place` (1-based)."""

    seventh: frozenset[str]
    category: str
    place: int
    values: frozenset[str]

    def covers(self, code: str, character: str) -> bool:
        """Whether the exemption takes the character from the bare code."""
        return (
            character in self.seventh
            and code.startswith(self.category)
            and len(code) >= self.place
            and code[self.place - 1] in self.values
        )


class Seventh(NamedTuple):
    """What is in force for a category and all below it."""

    extensions: tuple[Extension, ...] = ()
    exemptions: tuple[Exemption, ...] = ()

    def expand(self, code: str) -> Iterator[tuple[str, Extension]]:
        """Each full bare code of a leaf, with its 7th character."""
        if len(code) == 7:
            return
        stem = code.ljust(6, "X")
        for extension in self.extensions:
            if not any(exemption.covers(stem, extension.character) for exemption in self.exemptions):
                yield stem + extension.character, extension


def below(inherited: Seventh, parts: Parts, layout: FileLayout) -> Seventh:
    """What is in force below an element: its own definitions replace the inherited ones, its exemptions add to them."""
    if "sevenChrDef" not in parts and "notes" not in parts:
        return inherited
    definitions = parts.get("sevenChrDef", ())
    extensions = tuple(extension for definition in definitions for extension in _extensions(definition))
    exemptions = tuple(exemption for text in _notes(parts) for exemption in _exemptions(text, layout))
    return Seventh(extensions or inherited.extensions, inherited.exemptions + exemptions)


def category_terms(parts: Parts) -> list[str]:
    """Notes among the definitions that name no 7th character but the category itself (`Fall from stool` under W08)."""
    definitions = parts.get("sevenChrDef", ())
    return [text for definition in definitions for character, text in _wordings(definition) if not character]


def _extensions(definition: Element) -> Iterator[Extension]:
    wordings: dict[str, list[str]] = {}
    for character, text in _wordings(definition):
        wordings.setdefault(character, []).append(text)
    for extension in definition.findall("extension"):
        character = extension.get("char", "")
        yield Extension(character, own_text(extension), tuple(wordings.get(character, ())))


def _wordings(definition: Element) -> Iterator[tuple[str, str]]:
    """Each note among the definitions with the character it belongs to: the one before it.

    In small letters it goes on from the title, as the character's own text does. In capitals it is a term of its own:
    of the character when that names a state of the disease (a digit), of the category when it names an encounter.
    """
    character = ""
    for child in definition:
        if child.tag == "extension":
            character = child.get("char", "")
        elif child.tag == "note":
            text = own_text(child)
            yield (character if text[:1].islower() or character.isdigit() else "", text)


def _notes(parts: Parts) -> Iterator[str]:
    for notes in parts.get("notes", ()):
        for note in notes.iterfind("note"):
            yield own_text(note)


def _exemptions(text: str, layout: FileLayout) -> Iterator[Exemption]:
    match = re.match(layout.patterns["exception"], text)
    if match:
        yield Exemption(
            frozenset(re.findall(r"\b[0-9A-Z]\b", match["seventh"])),
            bare(match["category"].rstrip("-.,")),
            int(match["place"]),
            frozenset(re.findall(layout.patterns["exempt"], match["exempt"])),
        )


def unread_exceptions(parts: Parts, layout: FileLayout) -> list[str]:
    """Notes that seem to speak of 7th characters that do not apply, in words that the layout does not know."""
    return [
        text
        for text in _notes(parts)
        if re.search(layout.patterns["unread_exception"], text) and not re.match(layout.patterns["exception"], text)
    ]
