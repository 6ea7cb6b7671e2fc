"""Which code a page is about: evidence from structured data, URLs, the file name and the text, in order of trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from codesearch.codes import SYSTEMS, bare, find_system, has_shape, readings, written
from codesearch.records import RecordWarning


class Evidence(NamedTuple):
    """What one place of a page says: a system, a code, or both; `origin` names the place for warnings."""

    origin: str
    system: str | None
    code: str | None


class Identity(NamedTuple):
    """The system and code that a page is about; `system` is empty and `code` None where nothing tells."""

    system: str
    code: str | None
    warnings: tuple[RecordWarning, ...]


_ALIASES = sorted(
    {alias for system in SYSTEMS.values() for alias in (system.title, *system.aliases)}, key=len, reverse=True
)
_ALIAS = "|".join(re.escape(alias).replace(r"\ ", r"[\s-]*").replace(r"\-", r"[\s-]?") for alias in _ALIASES)
_NOT_ALNUM = re.compile(r"[^0-9a-z]+")
_SQUEEZED = [_NOT_ALNUM.sub("", alias.lower()) for alias in (*SYSTEMS, *_ALIASES)]
_ALIAS_BEGINNINGS = frozenset(alias[:length] for alias in _SQUEEZED for length in range(1, len(alias) + 1))
_DOTTED = r"[A-Za-z]?\d[0-9A-Za-z]{1,6}(?:\.[0-9A-Za-z]{1,4})?"
_SEVEN = r"(?=[A-Za-z]{0,6}\d)[0-9A-HJ-NP-Za-hj-np-z]{7}"
CODE_SHAPE = rf"(?:{_DOTTED}|{_SEVEN})(?![0-9A-Za-z])"
"""A pattern of what may be a code of some system; `has_shape` says of which."""
_STATED = re.compile(
    rf"\b(?P<alias>{_ALIAS})(?:®|™|\(r\))?\s*(?:procedure\s+)?(?:codes?)?\s*[:#–—-]?\s*(?P<code>{CODE_SHAPE})",
    re.IGNORECASE,
)
_CODE_FIRST = re.compile(
    rf"(?:(?:{_ALIAS})(?:®|™)?\s*(?:codes?)?\s*[:#–—-]?\s*)?(?P<code>{CODE_SHAPE})[\s:|,)\u2013\u2014-]*", re.IGNORECASE
)
_CODE_LAST = re.compile(rf"\s\((?P<code>{CODE_SHAPE})\)$")
_MARKER = re.compile(rf"\s*(?P<alias>{_ALIAS})(?:®|™)?\s*(?:codes?)?\s*:?\s*", re.IGNORECASE)
_GLUED = re.compile(r"(?<=\d)(?=[A-Z][a-z])")
_BARE_START = re.compile(r"\s*([A-Z]?\d[0-9A-Z]{1,3}(?:\.?[0-9A-Z]{1,4})?)\s*[:\u2013\u2014-]\s+\S")
_LINE_LENGTH = 400
_CODE_WORDS = frozenset({"code", "codes"})
_EXTENSIONS = frozenset({".html", ".htm", ".txt", ".md", ".json", ".php", ".asp", ".aspx"})


def stated(origin: str, system: str, code: str) -> Evidence:
    """Evidence of structured data, where one or both may be empty."""
    known = find_system(system) or (system.upper() if system else None)
    return Evidence(origin, known, code or None)


def from_path(origin: str, path: str) -> Evidence:
    """Evidence of a URL's path or a file name: `/code/cpt4/22512-percutaneous-...`, `hcpcs-e0601-cpap.txt`."""
    pieces = _pieces(path)
    for place in range(len(pieces) - 1, -1, -1):
        system, used = _system_at(pieces, place)
        if system is None:
            continue
        code = _code_at(pieces, place + used, system)
        if code:
            return Evidence(origin, system, code)
    codes = [code for code in (_lone_code(pieces, place) for place in range(len(pieces))) if code]
    systems = [system for system, _ in (_system_at(pieces, place) for place in range(len(pieces))) if system]
    return Evidence(origin, systems[-1] if systems else None, codes[-1] if codes else None)


def from_url(origin: str, url: str) -> Evidence:
    """Evidence of a URL, its query included (`?code=J1885`)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return Evidence(origin, None, None)
    return from_path(origin, unquote(f"{parts.path}/{parts.query.replace('&', '/').replace('=', '/')}"))


def from_text(lines: Iterable[str]) -> Evidence:
    """Evidence of the page's first lines: `CPT code 22512`, `10060 - Incision ...`, or `CPT4 code` alone."""
    marked: str | None = None
    for line in (line[:_LINE_LENGTH] for line in lines):
        match = _STATED.search(unglued(line))
        system = find_system(match["alias"]) if match else None
        if match and system and has_shape(system, match["code"]):
            return Evidence("the text", system, match["code"])
        start = _BARE_START.match(line)
        if start and _systems_of(start[1]):
            return Evidence("the text", marked, start[1])
        marked = marked or marker_system(line)
    return Evidence("the text", marked, None)


def unglued(text: str) -> str:
    """A text with a blank between a code and the name that is glued to it: `10061Drainage of ...`."""
    return _GLUED.sub(" ", text)


def marker_system(line: str) -> str | None:
    """The system that a line names and nothing else: `CPT4 code`."""
    match = _MARKER.fullmatch(line)
    return find_system(match["alias"]) if match else None


def is_code_only(text: str) -> bool:
    """Whether a text is a code, with or without its system's name, and nothing else: `CPT 99285`."""
    match = _CODE_FIRST.fullmatch(text.strip()) if len(text) < _LINE_LENGTH else None
    return match is not None and bool(_systems_of(match["code"]))


def says(line: str, identity: Identity) -> bool:
    """Whether a line says nothing beyond a record's system and code: `CPT4 code`, `22512`, `ICD-10-CM code E11.9`."""
    if len(line) > _LINE_LENGTH:
        return False
    system = marker_system(line) or find_system(line)
    if system:
        return system == identity.system
    match = _CODE_FIRST.fullmatch(line.strip())
    stated_system = _STATED.match(line) if match else None
    if match is None or identity.code is None or bare(match["code"]) != bare(identity.code):
        return False
    return stated_system is None or find_system(stated_system["alias"]) == identity.system


def strip_code(name: str, identity: Identity) -> str:
    """A name without its code in front (`CPT 10060 Incision ...`, `J1885: Ketorolac ...`) or in brackets at its end."""
    if identity.code is None:
        return name
    plain = bare(identity.code)
    first, last = _CODE_FIRST.match(name), _CODE_LAST.search(name[-_LINE_LENGTH:])
    if last and bare(last["code"]) == plain:
        name = name[: len(name) - len(last[0])]
    return (name[first.end() :] if first and bare(first["code"]) == plain else name) or name


def identify(evidence: Sequence[Evidence]) -> Identity:
    """Decides between evidence given in order of trust; what contradicts the decision becomes a warning."""
    with_code = [one for one in evidence if one.code and _systems_of(one.code, one.system)]
    if not with_code:
        system = next((one.system for one in evidence if one.system), None)
        missing = RecordWarning("no-code", "the page names no code; it can be found by its words only")
        return Identity(system or "", None, (missing,))
    first = with_code[0]
    code = first.code or ""
    named = [one.system for one in evidence if one.system and has_shape(one.system, code)]
    possible = _systems_of(code)
    system = first.system or (named[0] if named else possible[0])
    warnings = [*_conflicts(evidence, system, bare(code))]
    if not first.system and not named and len(possible) > 1:
        warnings.append(
            RecordWarning("system-guessed", f"{code} may be a code of {' or '.join(possible)}; took {system}")
        )
    return Identity(system, written(system, code), tuple(warnings))


def _conflicts(evidence: Iterable[Evidence], system: str, plain: str) -> Iterable[RecordWarning]:
    for one in evidence:
        if one.code and bare(one.code) != plain and _systems_of(one.code, one.system):
            yield RecordWarning("code-conflict", f"{one.origin} says {one.code}, taken is {plain}")
        elif one.system and one.system != system:
            yield RecordWarning("system-conflict", f"{one.origin} says {one.system}, taken is {system}")


def _systems_of(code: str, system: str | None = None) -> list[str]:
    """The systems whose shape a code has, modifiers left out; with a system, only that."""
    if len(bare(code)) < 3:
        return []
    if system:
        return [system] if has_shape(system, code) else []
    return [name for name, _ in readings(code)]


def _pieces(path: str) -> list[str]:
    """A path in pieces between slashes, hyphens, underscores and blanks, without the file's extension."""
    pure = PurePosixPath(path.replace("\\", "/"))
    name = str(pure.with_suffix("")) if pure.suffix.lower() in _EXTENSIONS and pure.name else str(pure)
    return [piece for piece in re.split(r"[/\-_\s+]+", name) if piece and piece != "."]


def _system_at(pieces: Sequence[str], place: int) -> tuple[str | None, int]:
    """The system named by one to four pieces from a place on (`icd-10-cm`), and how many pieces name it."""
    if _NOT_ALNUM.sub("", pieces[place].lower()) not in _ALIAS_BEGINNINGS:
        return None, 0
    lengths = range(min(4, len(pieces) - place), 0, -1)
    named = ((find_system(" ".join(pieces[place : place + length])), length) for length in lengths)
    return next(((system, length) for system, length in named if system), (None, 0))


def _code_at(pieces: Sequence[str], place: int, system: str) -> str | None:
    while place < len(pieces) and pieces[place].lower() in _CODE_WORDS:
        place += 1
    if place < len(pieces) and len(bare(pieces[place])) > 2 and has_shape(system, pieces[place]):
        return pieces[place]
    return None


def _lone_code(pieces: Sequence[str], place: int) -> str | None:
    """A piece that has the shape of a code and cannot be a year, a date or a word."""
    piece = pieces[place]
    if not any(char.isdigit() for char in piece) or re.fullmatch(r"\d{1,4}", piece):
        return None
    is_named = place == 0 or pieces[place - 1].lower() in _CODE_WORDS
    if len(bare(piece)) < (3 if is_named else 5):
        return None
    return piece if _systems_of(piece) else None
