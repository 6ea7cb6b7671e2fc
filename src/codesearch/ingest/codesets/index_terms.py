"""The terms of an alphabetic index as a tree of titles, as the official XML of ICD-10-CM and ICD-10-PCS holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

from codesearch.ingest.codesets.xmlstream import Element, own_text

_BRACKETED = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_ENDING = re.compile(r"\((?:s|es|ies)\)")
_WORD = re.compile(r"\w+")
_UNSAID = frozenset({"nec", "nos"})

T = TypeVar("T")


class Term(NamedTuple):
    """A term: its title, nonessential words in parentheses, what else stands in it by tag, and the terms below it."""

    title: str
    parts: dict[str, list[Element]]
    below: tuple[Term, ...]


def read_term(element: Element) -> Term:
    """The term of a `mainTerm` or `term` element, with those below it."""
    title = ""
    parts: dict[str, list[Element]] = {}
    below: list[Term] = []
    for child in element:
        if child.tag == "title":
            title = _title(child)
        elif child.tag == "term":
            below.append(read_term(child))
        elif isinstance(child.tag, str):
            parts.setdefault(child.tag, []).append(child)
    return Term(title, parts, tuple(below))


def _title(element: Element) -> str:
    """The title, its `<nemod>` words in parentheses after a blank, or none where they are an ending: `Lesion(s)`."""
    if not len(element):
        return own_text(element)
    title = element.text or ""
    for child in element:
        words = own_text(child)
        blank = "" if _ENDING.match(words) else " "
        title += f"{blank}{words if words.startswith(('(', '[')) else f'({words})'} {child.tail or ''}"
    return " ".join(title.split()).replace(" ,", ",")


def paths(term: Term, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Term]]:
    """Each term of a tree with the titles that lead to it, its own last; a term without a title adds none."""
    path = (*above, term.title) if term.title else above
    yield path, term
    for nested in term.below:
        yield from paths(nested, path)


def reading(path: tuple[str, ...], joining: frozenset[str]) -> str:
    """The path as one text: `Diabetes, type 2, with hyperglycemia`. A joining word takes no comma after it."""
    text = path[0] if path else ""
    for above, title in pairwise(path):
        last = essential(above).rpartition(" ")[2].casefold()
        text += f" {title}" if last in joining else f", {title}"
    return text


def essential(title: str) -> str:
    """The title without what stands in parentheses or brackets."""
    return " ".join(_BRACKETED.sub(" ", title).split()) if "(" in title or "[" in title else title


def key(title: str) -> str:
    """The form in which titles and references to them are compared: words without plural s, NEC and NOS."""
    return " ".join(word.rstrip("s") for word in _WORD.findall(essential(title).casefold()) if word not in _UNSAID)


class Names(Generic[T]):
    """Things under their titles: the whole title, and each of the words that it lists ("myocardium, myocardial")."""

    def __init__(self, things: Iterable[tuple[str, T]]) -> None:
        """Take (title, thing) pairs; of two with one title the first is found."""
        self._things = list(things)
        self._names: tuple[dict[str, T], ...] = ()

    def find(self, name: str) -> list[T]:
        """What has the name (in the form of `key`): as its title, as the first word of it, as another."""
        if self._things and not self._names:
            self._names = self._by_name()
        return [names[name] for names in self._names if name in names]

    def _by_name(self) -> tuple[dict[str, T], ...]:
        whole: dict[str, T] = {}
        first: dict[str, T] = {}
        other: dict[str, T] = {}
        for title, thing in self._things:
            whole.setdefault(key(title), thing)
            words = essential(title).split(",")
            first.setdefault(key(words[0]), thing)
            for word in words[1:]:
                other.setdefault(key(word), thing)
        return whole, first, other
