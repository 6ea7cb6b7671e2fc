"""Content that a page carries as JSON in a script: JSON-LD and `__NEXT_DATA__`, as facts and blocks.

Which keys hold facts and which are plumbing is read from `ingest/embedded.toml`; every other key is a heading, and
what stands under it the section's text, so nothing that a site adds is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from bs4 import Tag

from codesearch.config import read_toml
from codesearch.ingest.blocks import Block, Link, squeeze, text_blocks
from codesearch.records import RecordWarning

Json = dict[str, Any]
ReadFragments = Callable[[Sequence[str]], dict[str, list[Block]]]

_SCRIPT_DATA = re.compile(r"__NEXT_DATA__\s*=\s*(?=\{)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")
_MARKUP = re.compile(r"<[a-zA-Z/][^<>]*>")
_UNENCODABLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff]")
MAX_NESTING = 40
MAX_MARKS = 100_000
"""Quotation marks and line ends in a script's data; an official page of every section has under a thousand."""


class TooManyValues(Exception):
    """A script holds more values than a page has."""


class EmbeddedFile(msgspec.Struct, forbid_unknown_fields=True):
    """`ingest/embedded.toml`: the JSON keys that mean the same on every site."""

    main: list[str]
    name: list[str]
    code: list[str]
    system: list[str]
    title: list[str]
    body: list[str]
    plumbing: list[str]
    furniture_types: list[str]
    lists_of_cells: list[str]


class Facts(msgspec.Struct):
    """What scripts state outright; empty where they do not."""

    names: list[str] = []
    code: str = ""
    system: str = ""


class _Keys:
    """The keys of the file, folded, with what they stand for."""

    def __init__(self, file: EmbeddedFile) -> None:
        self.main, self.name, self.code, self.system, self.title, self.body, self.plumbing, self.cells = (
            tuple(dict.fromkeys(_fold(key) for key in keys))
            for keys in (
                *(file.main, file.name, file.code, file.system, file.title, file.body),
                *(file.plumbing, file.lists_of_cells),
            )
        )
        self.furniture_types = frozenset(file.furniture_types)


class EmbeddedReader:
    """Reads the scripts of pages."""

    def __init__(self, path: Path) -> None:
        """Reads `ingest/embedded.toml`.

        Raises:
            ConfigError: the file is wrong.
        """
        self._keys = _Keys(read_toml(path, EmbeddedFile))

    def read(
        self, scripts: Iterable[Tag], read_fragments: ReadFragments
    ) -> tuple[Facts, list[Block], list[RecordWarning]]:
        """The facts and blocks of a page's scripts; `read_fragments` reads the HTML that stands inside strings.

        Raises:
            TooManyValues: a script holds more than `MAX_MARKS` values and lines.
            RecursionError: its values nest too deep.
        """
        things, warnings = list[Json](), list[RecordWarning]()
        for script in scripts:
            try:
                things += self._things(_data_of(script))
            except ValueError as error:
                warnings.append(RecordWarning("bad-json", f"a script's JSON cannot be read ({error})"))
        facts = Facts()
        conversion = _Conversion(self._keys, facts, _fragments(things, read_fragments))
        blocks = [block for thing in things for block in conversion.blocks_of(thing)]
        return facts, blocks, warnings

    def _things(self, data: Any) -> Iterator[Json]:
        """The objects that may describe a code: all but those of the site."""
        if isinstance(data, list):
            for part in data:
                yield from self._things(part)
        elif isinstance(data, dict):
            kinds = data.get("@type", "")
            names = {str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])}
            if "@graph" in data:
                yield from self._things(data["@graph"])
            elif isinstance(data.get("props"), dict):
                props = data["props"]
                yield self._main(props.get("pageProps", props))
            elif not names & self._keys.furniture_types:
                yield data

    def _main(self, properties: Any) -> Json:
        """The object of a page's properties that describes the code; all of them where no known key holds one."""
        if not isinstance(properties, dict):
            return {}
        given = {_fold(key): value for key, value in properties.items()}
        found = next((given[key] for key in self._keys.main if isinstance(given.get(key), dict)), None)
        if found is None:
            return properties
        inner = {_fold(key): value for key, value in found.items()}
        has_name = any(isinstance(inner.get(key), str) for key in self._keys.name)
        return found if has_name else self._main(found)


def _data_of(script: Tag) -> Any:
    text = script.string or ""
    kind = str(script.get("type", "")).lower()
    match = None
    if "ld+json" in kind or script.get("id") == "__NEXT_DATA__":
        text = text.strip().removeprefix("<!--").removesuffix("-->").strip()
        text = text.removeprefix("//<![CDATA[").removesuffix("//]]>").strip().rstrip(";")
    else:
        match = _SCRIPT_DATA.search(text)
        text = text if match else ""
    if not text:
        return None
    if text.count('"') + text.count("\\n") + text.count(",") > MAX_MARKS:
        raise TooManyValues
    return json.JSONDecoder(strict=False).raw_decode(text, match.end())[0] if match else json.loads(text, strict=False)


def _fragments(things: list[Json], read: ReadFragments) -> dict[str, list[Block]]:
    """The blocks of every string that holds HTML, read in one go."""
    cleaned = {text: _UNENCODABLE.sub(" ", text) for text in _strings(things, 0) if _MARKUP.search(text)}
    blocks = read(list(dict.fromkeys(cleaned.values()))) if cleaned else {}
    return {text: blocks[clean] for text, clean in cleaned.items()}


def _strings(value: Any, depth: int) -> Iterator[str]:
    """Every string in a value."""
    if depth > 2 * MAX_NESTING:
        raise RecursionError
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part, depth + 1)


def _fold(key: str) -> str:
    return "".join(filter(str.isalnum, key)).lower()


def _humanise(key: str) -> str:
    return squeeze(_CAMEL.sub(" ", key)).capitalize()


def _clean(value: Any) -> str:
    return squeeze(_UNENCODABLE.sub(" ", str(value)))


class _Conversion:
    """Objects of JSON as blocks; facts found on the way are kept where none was found before."""

    def __init__(self, keys: _Keys, facts: Facts, fragments: dict[str, list[Block]]) -> None:
        self._keys = keys
        self._facts = facts
        self._fragments = fragments

    def blocks_of(self, thing: Json, depth: int = 0) -> list[Block]:
        """The blocks of an object: a heading for each key, then its value."""
        if depth > MAX_NESTING:
            raise RecursionError
        folded = {_fold(key): key for key in thing}
        title = next((folded[key] for key in self._keys.title if isinstance(thing.get(folded.get(key, "")), str)), "")
        body = next((folded[key] for key in self._keys.body if key in folded and folded[key] != title), "")
        if not title or not body or any(key in folded for key in self._keys.code):
            return self._members(thing, depth)
        rest = {key: value for key, value in thing.items() if key not in {title, body}}
        heading = Block("heading", _clean(thing[title]))
        return [heading, *self._value(body, thing[body], depth), *self._members(rest, depth)]

    def _members(self, thing: Json, depth: int) -> list[Block]:
        blocks: list[Block] = []
        for key, value in thing.items():
            folded = _fold(key)
            if folded in self._keys.plumbing or key.startswith(("@", "__")) or value in (None, "", [], {}):
                continue
            if self._is_fact(folded, value):
                continue
            value_blocks = self._value(key, value, depth)
            has_own = isinstance(value, dict | list) and value_blocks and value_blocks[0].kind == "heading"
            if value_blocks and not has_own and folded not in self._keys.body:
                blocks.append(Block("heading", _humanise(key)))
            blocks += value_blocks
        return blocks

    def _is_fact(self, key: str, value: Any) -> bool:
        if not isinstance(value, str | int):
            return False
        text = _clean(value)
        if key in self._keys.name:
            self._facts.names.append(text)
            return True
        if key in self._keys.code and self._facts.code in {"", text}:
            self._facts.code = text
            return True
        if key in self._keys.system and self._facts.system in {"", text}:
            self._facts.system = text
            return True
        return False

    def _value(self, key: str, value: Any, depth: int) -> list[Block]:
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, list):
            return [block for part in value for block in self._member_of_list(key, part, depth)]
        if isinstance(value, dict):
            return self.blocks_of(value, depth + 1)
        return [Block("item", str(value))]

    def _string(self, value: str) -> list[Block]:
        """A string's blocks; one of a single line is a value, whatever heading it may look like."""
        if value in self._fragments:
            return self._fragments[value]
        blocks = list(text_blocks(_UNENCODABLE.sub(" ", value)))
        return [blocks[0]._replace(kind="item")] if len(blocks) == 1 else blocks

    def _member_of_list(self, key: str, value: Any, depth: int) -> list[Block]:
        if isinstance(value, str):
            return [block._replace(kind="item") for block in self._string(value) if block.text]
        if isinstance(value, dict) and _fold(key) in self._keys.cells:
            return self._row(value, depth)
        if isinstance(value, list) and depth > MAX_NESTING:
            raise RecursionError
        return self._value(key, value, depth + 1)

    def _row(self, value: Json, depth: int) -> list[Block]:
        """An object of a list of policies or codes: strings and numbers are cells, anything else follows as blocks."""
        plain = {key: text for key, text in value.items() if isinstance(text, str | int) and not key.startswith("@")}
        cells = tuple((_humanise(key), _clean(text)) for key, text in plain.items() if _clean(text))
        rest = {key: part for key, part in value.items() if key not in plain and not key.startswith("@")}
        line = "; ".join(text for _, text in cells)
        url = next((text for header, text in cells if header.lower() in {"url", "link", "href"}), "")
        row = [Block("item", line, (Link(line, url),) if url else (), cells=cells)] if line else []
        return [*row, *self._members(rest, depth + 1)]
