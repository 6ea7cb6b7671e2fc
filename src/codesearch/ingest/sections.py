"""Blocks in, the fields of a record out: which block belongs to which field, by the headings of a layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from codesearch.ingest.blocks import Block, strip_bullet
from codesearch.ingest.layouts import SECTIONS, Layout, fold_heading
from codesearch.records import (
    Alternatives,
    Benefits,
    CodeRecord,
    Experience,
    Indications,
    Preparation,
    Procedure,
    Purpose,
    Recovery,
    Risks,
)

_PARTS: dict[str, type[msgspec.Struct]] = {
    "purpose": Purpose,
    "indications": Indications,
    "preparation": Preparation,
    "procedure": Procedure,
    "risks": Risks,
    "benefits": Benefits,
    "recovery": Recovery,
    "alternatives": Alternatives,
    "experience": Experience,
}
_PLAIN_FIELDS = ("summary", "duration", "setting", "personnel", "synonyms", "inclusion_terms", "notes", "excludes")
_IDENTITY = frozenset({"code", "system", "name", "full_name"})
"""Fields that say which code a page is about: one line each, then the page's own text goes on."""


def _string_fields() -> frozenset[str]:
    kinds: dict[str, type[msgspec.Struct]] = {"": CodeRecord, **_PARTS}
    paths = [(part, info) for part, kind in kinds.items() for info in msgspec.structs.fields(kind)]
    return frozenset(f"{part}.{info.name}".removeprefix(".") for part, info in paths if info.type is str)


_STRINGS = _string_fields()
_ONE_LINERS = (_STRINGS | _IDENTITY) - {"summary"}
_TERMS = frozenset({"synonyms", "inclusion_terms", "excludes"})
_TERM_SEPARATOR = re.compile(r";\s+")
_HEADING_LENGTH = 90
_CODE_WORDS = 4
_TITLE_WORDS = 8
_NUMBERED = re.compile(r"(\d{1,2})\s+(?=\S)")
_MIN_REPEATED_WORDS = 4
_MAX_REPEATS = 200


class Content:
    """What a page says, field by field.

    `texts` holds texts by field path, without repeats; `rows` the blocks of policies and similar codes; `other` the
    texts under headings that no field stands for; `head` the texts before the first section.
    """

    def __init__(self) -> None:
        self.texts: dict[str, dict[str, None]] = {}
        self.rows: dict[str, list[Block]] = {"policies": [], "similar_codes": []}
        self.other: dict[str, list[str]] = {}
        self.head: list[str] = []
        self.known_sections = 0

    def add(self, field: str, block: Block) -> None:
        """Adds a block to a field; what is already there is not repeated."""
        if field in self.rows:
            self.rows[field].append(block)
        else:
            self.texts.setdefault(field, {})[block.text] = None

    def add_other(self, title: str, text: str) -> None:
        """Adds a text under a heading that no field stands for."""
        self.other.setdefault(title, []).append(text)

    def drop_repeats(self) -> None:
        """Drops texts that others of their field say piece by piece: embedded data often gives a section twice."""
        for texts in self.texts.values():
            for text in repeats(list(texts)):
                del texts[text]

    def record_fields(self) -> dict[str, Any]:
        """The section fields as `CodeRecord` takes them."""
        fields: dict[str, Any] = {}
        for section, paths in SECTIONS.items():
            given = {path: self.texts[path] for path in paths if path in self.texts}
            if given:
                parts = {path.partition(".")[2]: _fit(path, list(texts)) for path, texts in given.items()}
                fields[section] = _PARTS[section](**parts)
        for field in _PLAIN_FIELDS:
            if field in self.texts:
                fields[field] = _fit(field, list(self.texts[field]))
        properties = {path: texts for path, texts in self.texts.items() if path.startswith("properties.")}
        fields["properties"] = {path.partition(".")[2]: "; ".join(texts) for path, texts in properties.items()}
        fields["other_sections"] = {title: "\n".join(texts) for title, texts in self.other.items()}
        return fields


def repeats(texts: Sequence[str]) -> list[str]:
    """The texts of several words whose words stand, in their order, in the other texts taken together."""
    if not 1 < len(texts) <= _MAX_REPEATS:
        return []
    folded = {text: f" {fold_heading(text)} " for text in texts}
    dropped: list[str] = []
    for text in texts:
        others = "".join(folded[other][1:] for other in texts if other != text and other not in dropped)
        if len(folded[text].split()) >= _MIN_REPEATED_WORDS and folded[text] in f" {others}":
            dropped.append(text)
    return dropped


def _fit(path: str, texts: list[str]) -> str | tuple[str, ...]:
    """The texts as the field takes them: one string, a line each, or a tuple."""
    if path in _STRINGS:
        return "\n".join(texts)
    return tuple(_without_numbers(texts) if path == "procedure.steps" else texts)


def _without_numbers(steps: list[str]) -> list[str]:
    """Steps without the numbers in front of them, where they run from 1 on; their order says the same."""
    numbers = [_NUMBERED.match(step) for step in steps]
    if len(steps) > 1 and all(found and int(found[1]) == place for place, found in enumerate(numbers, 1)):
        return [step[found.end() :] for step, found in zip(steps, numbers, strict=True) if found]
    return steps


def sort_blocks(blocks: Iterable[Block], layout: Layout) -> Content:
    """Sorts a page's blocks into the fields of a record.

    A heading that the layout knows opens its field, one that it does not know opens an other section; what stands
    before the first heading is the page's head.
    """
    sorter = _Sorter(layout)
    run = list(blocks)
    for place, block in enumerate(run):
        sorter.take(block, run[place + 1] if place + 1 < len(run) else None)
    return sorter.content


class _Sorter:
    """The state of one pass: the section and field that are open, or the title of an other section."""

    def __init__(self, layout: Layout) -> None:
        self.content = Content()
        self._layout = layout
        self._section = ""
        self._field = ""
        self._other = ""
        self._just_opened = False

    def take(self, block: Block, following: Block | None) -> None:
        """Files one block; the one that follows tells whether a lone line is a heading."""
        if block.kind in {"heading", "label"}:
            self._heading(block)
        elif block.kind == "lone":
            self._lone(block, following)
        elif block.kind == "item":
            self._keep(block)
        else:
            self._text(block)

    def _heading(self, block: Block) -> None:
        label, colon, rest = block.text.partition(":")
        if self._open(block.text):
            return
        if colon and rest.strip() and self._open(label):
            self._keep(Block("text", rest.strip()))
        elif block.kind == "heading" or len(block.text.split()) <= _TITLE_WORDS:
            self._open_other(block.text.removesuffix(":").strip() or block.text)
        else:
            self._keep(block)

    def _lone(self, block: Block, following: Block | None) -> None:
        """A lone line opens a section, unless it is all that the open field says, or nothing stands under it."""
        if self._open(block.text):
            return
        if following is None or self._opens_section(following) or self._says_it_all(following):
            self._keep(block)
        else:
            self._open_other(block.text)

    def _says_it_all(self, following: Block) -> bool:
        """Whether a lone line right after a heading is all that stands under it."""
        return self._just_opened and (self._field in _ONE_LINERS or following.kind in {"lone", "label"})

    def _opens_section(self, block: Block) -> bool:
        """Whether a block is a heading that the layout knows, and no label of a part (`Approach: open`)."""
        return (
            block.kind not in {"item", "label"} and ":" not in block.text and bool(self._layout.fields_of(block.text))
        )

    def _text(self, block: Block) -> None:
        if self._open(block.text, _HEADING_LENGTH):
            return
        if block.lead and self._open(block.lead):
            self._keep_rest(block, block.text[len(block.lead) :].lstrip(" :–—-"))
            return
        label, colon, rest = block.text.partition(":")
        if colon and len(label.split()) <= _TITLE_WORDS:
            if rest.strip() and self._open(label):
                self._keep_rest(block, rest.strip())
                return
            if not rest.strip() and _is_title(label):
                self._open_other(label.strip())
                return
        rest = block.text[len(block.lead) :].strip()
        if block.lead.endswith(":") and rest and _is_title(block.lead[:-1]):
            self.content.add_other(block.lead[:-1].strip(), rest)
        else:
            self._keep(block)

    def _open(self, heading: str, limit: int = 0) -> bool:
        """Opens the field that a heading stands for; of several, the one of the section that is open.

        With a limit, a longer text is a heading only if the layout knows it by its beginning.
        """
        fields, tail = self._layout.meaning(heading)
        if not fields or (limit and len(heading) > limit and not tail):
            return False
        own = [field for field in fields if field.partition(".")[0] == self._section]
        field = own[0] if own else fields[0]
        self._section = field.partition(".")[0]
        self._field = self._layout.defaults.get(field, field)
        self._other = ""
        self._just_opened = True
        self.content.known_sections += field not in _IDENTITY
        if tail:
            self.content.add("heading tails", Block("text", tail))
        return True

    def _open_other(self, title: str) -> None:
        self._other = title
        self._just_opened = False
        self.content.other.setdefault(title, [])

    def _keep(self, block: Block) -> None:
        self._just_opened = False
        if not block.text:
            return
        if self._field in {"code", "system"} and len(block.text.split()) > _CODE_WORDS:
            self._field = ""
        if self._other:
            self.content.add_other(self._other, block.text)
        elif self._field:
            for part in self._items(block):
                self.content.add(self._field, part)
        else:
            self.content.head.append(block.text)
        if self._field in _IDENTITY and not self._other:
            self._field = ""

    def _keep_rest(self, block: Block, rest: str) -> None:
        """Files what stands on a line after its label, which may be the first item of a list."""
        self._keep(block._replace(text=strip_bullet(rest) or rest, lead=""))

    def _items(self, block: Block) -> list[Block]:
        """The items of a line that lists several: terms between semicolons, or as the layout's site separates items."""
        separator = _TERM_SEPARATOR if self._field in _TERMS else self._layout.item_separator
        if separator is None or not separator.search(block.text) or self._field in _STRINGS | self.content.rows.keys():
            return [block]
        return [block._replace(text=part.strip()) for part in separator.split(block.text) if part.strip()]


def _is_title(label: str) -> bool:
    """Whether a line that ends in a colon titles what follows (`Coding History:`), not leads into it."""
    words = label.split()
    return 0 < len(words) <= 5 and label[:1].isupper() and words[-1].lower() not in _LEADING_IN


_LEADING_IN = frozenset({"are", "is", "include", "includes", "following"})
