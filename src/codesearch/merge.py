"""Fragments to a record: what several sources say of one code, put together.

Sources have roles. Code-set files (`codeset`: order files, HCPCS files, a user's own) decide on name and status, of
several releases the newest; after them the tabular list (`tabular`). Pages give prose and policies. Enrichment
(indexes, tables) only adds. Synonyms are united, every source stays listed, and contradictions are warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any

import msgspec

from codesearch.accents import decomposed
from codesearch.fragments import role_of
from codesearch.records import CodeRecord, Outline, RecordWarning, Role, Source, Texts

ROLE_ORDER: dict[Role, int] = {"codeset": 0, "tabular": 1, "page": 2, "enrichment": 3}
OFFICIAL: frozenset[Role] = frozenset({"codeset", "tabular"})
"""Roles of the sources whose word on name, status and release counts."""

_EMPTY = CodeRecord("", None, "")
_DECIDED = frozenset({"system", "code", "name", "kind", "full_name", "release", "source"})
"""Fields that have a rule of their own."""
_FIELDS = tuple(name for name in CodeRecord.__struct_fields__ if name not in _DECIDED)
_values_of = attrgetter(*_FIELDS)
_EMPTY_VALUES = _values_of(_EMPTY)
_PLACES = range(len(_FIELDS))
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def rank(fragment: Outline | CodeRecord) -> tuple[int, int]:
    """The place of a fragment among those of its code: by role, of code sets the newest release first."""
    source = fragment.source[0] if fragment.source else None
    if source is None:
        return ROLE_ORDER["page"], 0
    if source.role != "codeset":
        return ROLE_ORDER[source.role], 0
    release = release_of(fragment)
    return ROLE_ORDER["codeset"], -int(release[:4]) if release and release[:4].isdecimal() else 0


def release_of(fragment: Outline | CodeRecord) -> str | None:
    """The release that an official file states, else the year in its name: order files state none."""
    release = fragment.release
    if release or role_of(fragment) not in OFFICIAL:
        return release
    return _year(fragment.source[0].path)


@lru_cache(maxsize=1024)
def _year(path: str) -> str | None:
    years = _YEAR.findall(re.split(r"[/\\!]", path)[-1])
    return years[-1] if years else None


def outline(ordered: Sequence[Outline]) -> Outline:
    """The outline of what `merge` makes of fragments; its name and release are those of the first."""
    first = ordered[0]
    if len(ordered) == 1:
        return first
    parent = next((one.parent for one in ordered if one.parent is not None), None)
    chapter = next((one.chapter for one in ordered if one.chapter is not None), None)
    sources = _united_sources(*(one.source for one in ordered))
    return Outline(first.system, first.code, first.name, first.kind, parent, chapter, first.release, sources)


def merge(
    ordered: Sequence[CodeRecord], has_codeset: bool, place: tuple[str | None, str | None] | None = None
) -> CodeRecord:
    """One record from the fragments of one code; the fragment itself where it says all.

    Args:
        ordered: the fragments by their `rank`.
        has_codeset: whether a code-set file of this system was loaded, so that a code it lacks is worth a warning.
        place: parent and chapter, where more is known of them than the fragments tell.
    """
    first = ordered[0]
    changes = _united(ordered) if len(ordered) > 1 else {}
    official = [one for one in ordered if role_of(one) in OFFICIAL]
    release = next(filter(None, map(release_of, official or ordered)), None)
    if release != first.release:
        changes["release"] = release
    if place and place != (first.parent, first.chapter):
        changes["parent"], changes["chapter"] = place
    warnings = [] if len(official) < 2 else list(_contradictions(official))
    if has_codeset and first.code and not official:
        warnings.append(RecordWarning("not-in-code-set", f"no code-set file of {first.system} has {first.code}"))
    if warnings:
        changes["warnings"] = tuple(dict.fromkeys((*changes.get("warnings", first.warnings), *warnings)))
    return msgspec.structs.replace(first, **changes) if changes else first


def _united(ordered: Sequence[CodeRecord]) -> dict[str, Any]:
    """What fragments say together that the first of them does not say."""
    first = ordered[0]
    own = _values_of(first)
    found: dict[int, list[Any]] = {}
    for one in ordered[1:]:
        values = _values_of(one)
        # Most fields of most fragments are the empty default itself, which is quick to see.
        for place in compress(_PLACES, map(is_not, values, _EMPTY_VALUES)):
            value, empty = values[place], _EMPTY_VALUES[place]
            if value != empty:
                if own[place] == empty:
                    found.setdefault(place, []).append(value)
                elif not isinstance(value, str | bool):  # of these the first is taken
                    found.setdefault(place, [own[place]]).append(value)
    changes = {_FIELDS[place]: values[0] if len(values) == 1 else _unite(values) for place, values in found.items()}
    changes["source"] = _united_sources(*(one.source for one in ordered))
    named = [one for one in ordered if one.name]
    name = named[0].name if named else ""
    changes["name"] = name
    changes["full_name"] = _longest([one.full_name for one in ordered if one.full_name], name)
    changes["synonyms"] = _other_names(named, name, changes.get("synonyms", first.synonyms))
    return changes


@lru_cache(maxsize=4096)
def _united_sources(*sources: tuple[Source, ...]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(source for each in sources for source in each))


def _unite(values: list[Any]) -> Any:
    """Several values of a field as one: lists united, texts joined, parts united in turn; of other values the first."""
    first = values[0]
    if isinstance(first, str | bool):
        return first
    if isinstance(first, tuple):
        return tuple(dict.fromkeys(item for value in values for item in value))
    if isinstance(first, dict):
        return {key: _joined([value[key] for value in values if key in value]) for key in _keys(values)}
    if isinstance(first, msgspec.Struct):
        parts = {}
        for name in first.__struct_fields__:
            given = [value for value in (getattr(part, name) for part in values) if value]
            if given:
                parts[name] = _unite(given)
        return type(first)(**parts)
    raise TypeError(f"no rule unites {type(first).__name__}")


def _keys(values: Iterable[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(key for value in values for key in value))


def _joined(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "\n".join(dict.fromkeys(texts))


def _other_names(named: Sequence[CodeRecord], name: str, synonyms: Texts) -> Texts:
    """The synonyms, with the names that pages give the code; spellings of the official name are no news."""
    others = [one.name for one in named[1:] if one.name != name and role_of(one) == "page"]
    if not others:
        return synonyms
    told = {_folded(text): text for text in (*reversed(others), name)}
    return tuple(dict.fromkeys((*synonyms, *(text for text in others if told[_folded(text)] == text))))


def _longest(full_names: Sequence[str], name: str) -> str:
    longest = max(full_names, key=len, default="")
    return "" if longest and _folded(longest) == _folded(name) else longest


def _folded(text: str) -> str:
    """A text as names are compared: case, accents and punctuation do not count."""
    plain = text if text.isascii() else decomposed(text)
    return "".join(char for char in plain.casefold() if char.isalnum())


def _contradictions(official: Sequence[CodeRecord]) -> Iterator[RecordWarning]:
    first = official[0]
    for other in official[1:]:
        if other.name != first.name and other.name and _folded(other.name) != _folded(first.name):
            where = f"{_place(first)} says {first.name!r}, {_place(other)} says {other.name!r}; the first is taken"
            yield RecordWarning("name-conflict", where)
        if other.billable != first.billable and None not in (first.billable, other.billable):
            where = f"{_place(first)} and {_place(other)} differ on whether it is billable; the first is taken"
            yield RecordWarning("billable-conflict", where)


def _place(fragment: CodeRecord) -> str:
    release = release_of(fragment)
    return f"{fragment.source[0].path}{f' (release {release})' if release else ''}"
