"""Page layouts: which heading of which site means which field of the record, read from `ingest/pages/*.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from codesearch.accents import without_accents
from codesearch.config import config_files, read_toml
from codesearch.errors import ConfigError
from codesearch.records import CodeRecord

_NOT_WORD = re.compile(r"[\W_]+")
_WORD = re.compile(r"©|[^\W_]+(?:['’][^\W_]+)*")
_HEADING_LENGTH = 160
"""No heading or furniture line that a layout lists is longer; of longer lines only the beginning is compared."""

CODE_TARGETS = ("code", "system", "name")
"""What a heading may stand for beside the fields that hold text."""

TEXT_FIELDS: tuple[str, ...] = (
    *("full_name", "summary", "duration", "setting", "personnel", "synonyms", "inclusion_terms", "notes", "excludes"),
    *("policies", "similar_codes"),
)


def _sections() -> dict[str, tuple[str, ...]]:
    parts = {field.name: field.default for field in msgspec.structs.fields(CodeRecord)}
    return {
        name: tuple(f"{name}.{part}" for part in default.__struct_fields__)
        for name, default in parts.items()
        if isinstance(default, msgspec.Struct)
    }


SECTIONS: dict[str, tuple[str, ...]] = _sections()
"""The sections of a record with their fields: `risks` -> (`risks.common`, `risks.rare`)."""

TARGETS = {*CODE_TARGETS, *TEXT_FIELDS, *SECTIONS, *(path for paths in SECTIONS.values() for path in paths)}


class LayoutFile(msgspec.Struct, forbid_unknown_fields=True):
    """One TOML file of `ingest/pages/`; the keys are explained in `ingest/README.md`."""

    name: str
    version: int
    extends: list[str] = []
    hosts: list[str] = []
    markers: list[str] = []
    name_limit: int = 0
    headings: dict[str, list[str]] = {}
    furniture: list[str] = []
    furniture_names: list[str] = []
    site_names: list[str] = []
    item_separator: str = ""
    defaults: dict[str, str] = {}


class Meaning(NamedTuple):
    """The fields that a heading may stand for, and what it says after a beginning that is known (`Policies for *`)."""

    fields: tuple[str, ...] = ()
    tail: str = ""


_NO_MEANING = Meaning()


class Layout(NamedTuple):
    """A layout with everything that it extends: folded heading -> the fields it may mean, first the likeliest."""

    name: str
    version: int
    hosts: tuple[str, ...]
    markers: tuple[str, ...]
    name_limit: int
    exact: Mapping[str, tuple[str, ...]]
    prefixes: tuple[tuple[str, str], ...]
    furniture: frozenset[str]
    furniture_prefixes: tuple[str, ...]
    furniture_names: tuple[str, ...]
    site_names: tuple[str, ...]
    item_separator: re.Pattern[str] | None
    defaults: Mapping[str, str]
    heading_words: frozenset[str]
    prefix_words: frozenset[str]
    furniture_words: frozenset[str]
    longest_heading: int

    def meaning(self, heading: str) -> Meaning:
        """What a heading stands for, however it is written."""
        words = self.heading_words if len(heading) <= self.longest_heading else self.prefix_words
        if first_word(heading) not in words:
            return _NO_MEANING
        folded = fold_heading(heading[:_HEADING_LENGTH])
        exact = self.exact.get(folded) if len(heading) <= _HEADING_LENGTH else None
        if exact is not None:
            return Meaning(exact)
        for prefix, field in self.prefixes:
            if folded.startswith(prefix):
                return Meaning((field,), " ".join(heading.split()[len(prefix.split()) :]))
        return _NO_MEANING

    def fields_of(self, heading: str) -> tuple[str, ...]:
        """The fields that a heading may stand for, the likeliest first; empty for one that nobody knows."""
        return self.meaning(heading).fields

    def is_furniture(self, line: str) -> bool:
        """Whether a line is page furniture by its whole text, or by its beginning."""
        if first_word(line) not in self.furniture_words:
            return False
        folded = fold_heading(line[:_HEADING_LENGTH])
        if folded in self.furniture:
            return len(line) <= _HEADING_LENGTH
        return folded.startswith(self.furniture_prefixes)


def first_word(text: str) -> str:
    """The first word of a text, folded: a quick answer to whether it may be one of the lines of a layout."""
    found = _WORD.search(text, 0, _HEADING_LENGTH)
    return fold_heading(found[0]) if found else ""


@lru_cache(maxsize=20_000)
def fold_heading(text: str) -> str:
    """A heading as it is compared: no case, punctuation or accents, `&` as `and`, `©` as `copyright`."""
    text = text.replace("&", " and ").replace("'", "")
    if not text.isascii():
        text = without_accents(text.replace("’", "").replace("©", " copyright "))
    return _NOT_WORD.sub(" ", text.casefold()).strip()


def host_of(url: str) -> str:
    """The host of a URL; empty where it has none or is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class Layouts:
    """All page layouts of a configuration."""

    def __init__(self, folder: Path) -> None:
        """Reads `folder/*.toml`.

        Raises:
            ConfigError: a file is wrong, extends an unknown layout, or maps a heading to an unknown field.
        """
        files = {path: read_toml(path, LayoutFile) for path in config_files(folder, ".toml")}
        by_name = {file.name: file for file in files.values()}
        for path, file in files.items():
            _check(path, file, by_name)
        self._layouts = {name: _resolve(file, by_name) for name, file in by_name.items()}
        if "generic" not in self._layouts:
            raise ConfigError(str(folder), "has no layout named generic", "Restore ingest/pages/generic.toml.")

    def choose(self, url: str, beginning: str) -> Layout:
        """The layout for a page: by the host of its URL, else by a marker text in its beginning, else `generic`."""
        host = host_of(url)
        for layout in self._layouts.values():
            if host and any(host == known or host.endswith(f".{known}") for known in layout.hosts):
                return layout
        for layout in self._layouts.values():
            if any(marker in beginning for marker in layout.markers):
                return layout
        return self._layouts["generic"]

    def __iter__(self) -> Iterator[Layout]:
        """The layouts in the order of their files' names."""
        return iter(self._layouts.values())


def _check(path: Path, file: LayoutFile, by_name: Mapping[str, LayoutFile]) -> None:
    for base in file.extends:
        if base not in by_name:
            raise ConfigError(str(path), f"extends {base!r}, which no file is named", "Correct the name.")
    for target in (*file.headings, *file.defaults, *file.defaults.values()):
        if target not in TARGETS and not target.startswith("properties."):
            raise ConfigError(
                str(path),
                f"maps to {target!r}, which is no field of a record",
                f"Use one of: {', '.join(sorted(TARGETS))}",
            )


def _family(file: LayoutFile, by_name: Mapping[str, LayoutFile]) -> list[LayoutFile]:
    """The file and all that it extends, itself first, each once."""
    family = [file]
    for member in family:
        family.extend(by_name[base] for base in member.extends if by_name[base] not in family)
    return family


def _resolve(file: LayoutFile, by_name: Mapping[str, LayoutFile]) -> Layout:
    family = _family(file, by_name)
    exact: dict[str, tuple[str, ...]] = {}
    prefixes: dict[str, str] = {}
    for field, heading in ((f, h) for member in family for f, headings in member.headings.items() for h in headings):
        folded = fold_heading(heading)
        if heading.endswith("*"):
            prefixes.setdefault(f"{folded} ", field)
        elif field not in exact.get(folded, ()):
            exact[folded] = (*exact.get(folded, ()), field)
    furniture = _joined(member.furniture for member in family)
    defaults = {section: paths[0] for section, paths in SECTIONS.items()}
    for member in reversed(family):
        defaults |= member.defaults
    return Layout(
        name=file.name,
        version=sum(member.version for member in family),
        hosts=tuple(file.hosts),
        markers=tuple(file.markers),
        name_limit=max(member.name_limit for member in family),
        exact=exact,
        prefixes=tuple(sorted(prefixes.items(), key=lambda pair: -len(pair[0]))),
        furniture=frozenset(fold_heading(line) for line in furniture if not line.endswith("*")),
        furniture_prefixes=tuple(fold_heading(line) for line in furniture if line.endswith("*")),
        furniture_names=_joined(member.furniture_names for member in family),
        site_names=_joined(member.site_names for member in family),
        item_separator=_separator(next((member.item_separator for member in family if member.item_separator), "")),
        defaults=defaults,
        heading_words=frozenset(text.split(" ")[0] for text in (*exact, *prefixes)),
        prefix_words=frozenset(text.split(" ")[0] for text in prefixes),
        furniture_words=frozenset(first_word(line) for line in furniture),
        longest_heading=2 * max((len(text) for text in exact), default=0),
    )


def _separator(sign: str) -> re.Pattern[str] | None:
    """The sign between the items of a line, where what follows begins like an item: with a capital or a figure."""
    return re.compile(rf"{re.escape(sign)}\s+(?=[^\W_a-z])") if sign else None


def _joined(lists: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(text for texts in lists for text in texts)
