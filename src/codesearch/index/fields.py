"""The fields of an index and their weights, read from `index/fields.toml`, and how a record gives their texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, get_type_hints

import msgspec

from codesearch.records import CodeRecord, Kind, Texts

Weight = Annotated[float, msgspec.Meta(ge=0, le=1000)]


class FieldsConfig(msgspec.Struct, forbid_unknown_fields=True):
    """`index/fields.toml`."""

    version: int
    title: dict[str, Weight]
    clinical: dict[str, Weight]
    unscored: dict[str, Weight]
    keywords: dict[str, str]


_HINTS = get_type_hints(CodeRecord)
_TITLES = frozenset(name for name, hint in _HINTS.items() if hint in (str, Texts))
_SECTIONS = (
    _TITLES
    | {"other_sections", "properties", "policies"}
    | {
        f"{name}.{part}"
        for name, hint in _HINTS.items()
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct)
        for part in hint.__struct_fields__
    }
)
_KEYWORD_PATHS = frozenset(name for name, hint in _HINTS.items() if hint in (str, str | None, bool | None, Kind))
_NEEDED_KEYWORDS = ("system", "kind", "billable", "release")
"""Keyword fields that searching counts on, under the names that they have in a record."""


def mistake_in(config: FieldsConfig) -> str:
    """What is wrong with a configuration of fields; empty where nothing is."""
    unknown = [name for name in config.title if name not in _TITLES]
    unknown += [path for path in (*config.clinical, *config.unscored) if path not in _SECTIONS]
    unknown += [
        path for path in config.keywords.values() if path not in _KEYWORD_PATHS and not path.startswith("properties.")
    ]
    missing = [name for name in _NEEDED_KEYWORDS if config.keywords.get(name) != name]
    if unknown:
        return f"a record has no field of texts {unknown[0]!r}"
    if missing or not config.title:
        return f"the keyword field {missing[0]} is missing" if missing else "no title is named"
    return ""


class Fields(NamedTuple):
    """The searched fields: `title` entries one by one, `sections` one text a field (the unscored ones last)."""

    title: tuple[str, ...]
    sections: tuple[str, ...]
    weights: tuple[float, ...]
    keywords: dict[str, str]

    @classmethod
    def of(cls, config: FieldsConfig) -> Fields:
        """The fields of a configuration."""
        sections = {**config.clinical, **config.unscored}
        return cls(tuple(config.title), tuple(sections), tuple(sections.values()), config.keywords)


def title_texts(record: CodeRecord, fields: tuple[str, ...]) -> list[tuple[int, str]]:
    """The entries of a record: (number of the field, text), each text once."""
    return [(number, text) for text, number in title_entries(record, fields).items()]


NO_ENTRIES: Mapping[str, int] = MappingProxyType({"": 0})
"""The entries of a record without any: ranking counts on an entry of every document."""


def title_entries(record: CodeRecord, fields: tuple[str, ...]) -> Mapping[str, int]:
    """The entries of a record: text -> number of the first field that holds it."""
    return entries_of(_getter(fields)(record)) or NO_ENTRIES


def entries_of(values: Sequence[Any]) -> dict[str, int]:
    """The same from the values of the fields, and empty without any."""
    number_of: dict[str, int] = {}
    for number, value in enumerate(values):
        if value:
            if isinstance(value, str):
                if value not in number_of:
                    number_of[value] = number
            else:
                for text in value:
                    if text and text not in number_of:
                        number_of[text] = number
    return number_of


@cache
def _getter(names: tuple[str, ...]) -> Callable[[CodeRecord], tuple[Any, ...]]:
    """Gives the values of several fields at once, which is quicker than one by one."""
    first, *others = names
    get = attrgetter(first, *others)
    return get if others else lambda record: (get(record),)


class SectionReader:
    """Gives the texts of a record's sections; most records of code sets have none, so empty ones are passed quickly."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        """Takes the fields in the order of their numbers."""
        groups: dict[str, list[tuple[int, str]]] = {}
        for number, path in enumerate(fields):
            name, _, rest = path.partition(".")
            groups.setdefault(name, []).append((number, rest))
        self._groups = groups
        self._get = _getter(tuple(groups)) if groups else lambda _: ()
        self._empty = self._get(CodeRecord("", None, ""))

    def texts(self, record: CodeRecord) -> list[tuple[int, tuple[str, ...]]]:
        """(number of the field, its texts) for every field that is not empty."""
        values = self._get(record)
        if values == self._empty:
            return []
        return [
            found
            for value, empty, parts in zip(values, self._empty, self._groups.values(), strict=True)
            if value is not empty
            for found in _texts_of(value, parts)
        ]

    def texts_of_all(self, columns: Mapping[str, Sequence[Any]]) -> list[tuple[int, int, tuple[str, ...]]]:
        """(place of the record, number of the field, its texts) for every field that is not empty, in order.

        `columns` are the values of each field of some records.
        """
        found = [
            (place, number, texts)
            for (name, parts), empty in zip(self._groups.items(), self._empty, strict=True)
            if columns[name].count(empty) < len(columns[name])
            for place, value in enumerate(columns[name])
            if value is not empty
            for number, texts in _texts_of(value, parts)
        ]
        return sorted(found, key=itemgetter(0, 1))


def _texts_of(value: Any, parts: Iterable[tuple[int, str]]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The texts of the parts, (number, name), of a value that are not empty."""
    for number, rest in parts:
        texts = _texts(getattr(value, rest) if rest else value)
        if texts:
            yield number, texts


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, dict):
        return tuple(text for pair in value.items() for text in pair if text)
    return tuple(part if isinstance(part, str) else _text_of(part) for part in value)


def _text_of(part: msgspec.Struct) -> str:
    return " ".join(str(getattr(part, name)) for name in ("title", "payer") if getattr(part, name, ""))


def keyword_values(columns: Mapping[str, Sequence[Any]], path: str) -> Sequence[Any]:
    """The values of a keyword field, from those of each field of some records."""
    name, _, rest = path.partition(".")
    return [value.get(rest) for value in columns[name]] if rest else columns[name]


def keyword_text(value: Any) -> str:
    """A keyword field's value as text; empty where a record has none."""
    text: str = _KEYWORDS.get(value, value)
    return text


_KEYWORDS: dict[Any, str] = {None: "", True: "yes", False: "no"}
