"""Policies and similar codes: rows of a page as `Policy` and `SimilarCode`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from codesearch.codes import SYSTEMS, find_system, has_shape, readings, written
from codesearch.ingest import identity
from codesearch.ingest.blocks import Block, squeeze
from codesearch.ingest.layouts import fold_heading
from codesearch.records import Policy, SimilarCode

_EDGES = " \t,;:|/·–—-"
_GLUED_POLICY = re.compile(r"(?<=\)) ?Policy$")
_REPEATED_ID = re.compile(r"\(([^()]{1,60})\) ?\(\1\)")
_AFTER_ID = re.compile(r"^(?P<title>.{1,300}?\([^()]*\d[^()]*\))\s*[,;|/–—-]\s*(?P<payer>[^()]{2,80})$")
_EFFECTIVE = re.compile(
    r"\b(?:effective|eff\.?|in force)(?:\s+(?:date|since|from|on|as of))?\s*:?\s*"
    r"(?P<date>\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{2,4}|[^\W\d]+\.?\s+\d{1,2},?\s+\d{4}|\d{1,2}\s+[^\W\d]+\s+\d{4}"
    r"|[^\W\d]+\s+\d{4})",
    re.IGNORECASE,
)
_PAYER = re.compile(r"\b(?:payer|plan|insurer|health plan)\s*:\s*(?P<payer>[^,;|()]+)", re.IGNORECASE)
_EMPTY_BRACKETS = re.compile(r"\([\s,;]*\)")
_CODE_FIRST = re.compile(rf"\(?(?P<code>{identity.CODE_SHAPE})\)?(?:\s*[:;|,–—-]+\s*|\s+|$)")
_CODE_LAST = re.compile(rf"(?P<code>{identity.CODE_SHAPE})\)?$")
_CODE_LIST = re.compile(r"\s*(?:[,;/]|\band\b|\bor\b)\s*")
_LONG_ROW = 1000
_PAYER_WORDS = 8
_LIST_CODES = 50

_POLICY_CELLS = {
    "title": ("title", "policy", "name", "policy title", "policy name"),
    "payer": ("payer", "plan", "insurer", "health plan", "payer name"),
    "effective": ("effective", "effective date", "date", "in force"),
    "id": ("id", "policy id", "policy number", "number"),
    "url": ("url", "link", "href"),
}
_CODE_CELLS = {
    "code": ("code", "code value", "similar code", "related code"),
    "name": ("name", "title", "description", "what it is"),
    "system": ("system", "coding system", "code system", "code type", "type", "code set"),
    "url": ("url", "link", "href"),
    "id": ("id",),
}


def read_policies(blocks: Sequence[Block]) -> tuple[tuple[Policy, ...], list[str]]:
    """The policies of a page, and the texts among them that are none: sentences, and cells of other columns."""
    policies, left = dict[Policy, None](), list[str]()
    for row in (row for block in blocks for row in _split(block)):
        if row.kind != "item" and not row.links and _is_sentence(row.text):
            left.append(row.text)
            continue
        policies[_policy(row)] = None
        left += _unread_cells(row, _POLICY_CELLS)
    return tuple(policies), left


def read_similar_codes(blocks: Sequence[Block], system: str) -> tuple[tuple[SimilarCode, ...], list[str]]:
    """The similar codes of a page whose own system is given, and the texts among them that are none.

    A row of a code alone takes the next row as its name. Among rows with codes, a bare text without one is no code; a
    list that gives only names is one of names.
    """
    codes, left = list[SimilarCode](), list[str]()
    for row in (row for block in blocks for row in _split(block)):
        code = _similar_code(row, system)
        if codes and codes[-1].code and not codes[-1].name and code.code is None:
            last = codes.pop()
            code = SimilarCode(code.name, last.system, last.code, last.url or code.url)
        elif code.code is None and row.kind != "item" and (_is_sentence(row.text) or any(one.code for one in codes)):
            left.append(row.text)
            continue
        codes.append(code)
        left += _unread_cells(row, _CODE_CELLS)
    return tuple(dict.fromkeys(codes)), left


def clean_title(title: str) -> str:
    """`Acupuncture (CG013) \\xa0(CG013)Policy` as `Acupuncture (CG013)`."""
    text = _GLUED_POLICY.sub("", squeeze(title))
    return _REPEATED_ID.sub(r"(\1)", text).strip(_EDGES) or squeeze(title)


def _split(block: Block) -> Iterator[Block]:
    """The rows that one paragraph holds: one for each link, each part between semicolons, or each code of a list."""
    if block.cells or len(block.text) > _LONG_ROW * _LIST_CODES:
        yield block
    elif len(block.links) > 1:
        yield from _split_at_links(block)
    elif not block.links:
        parts = [part.strip() for part in block.text.split("; ")]
        codes = _CODE_LIST.split(block.text) if len(block.text) <= _LONG_ROW else []
        if len(codes) > 1 and all(_is_code(code) for code in codes):
            parts = codes
        elif not all(_starts_row(part) for part in parts):
            parts = [block.text]
        yield from (block._replace(text=part) for part in parts)
    else:
        yield block


def _split_at_links(block: Block) -> Iterator[Block]:
    starts, place = list[int](), 0
    for link in block.links:
        found = block.text.find(link.text, place)
        starts.append(found if found >= 0 else place)
        place = starts[-1] + len(link.text)
    starts[0] = 0
    for link, start, end in zip(block.links, starts, [*starts[1:], len(block.text)], strict=True):
        text = block.text[start:end].strip(_EDGES)
        if text:
            yield block._replace(text=text, links=(link,))


def _starts_row(part: str) -> bool:
    """Whether a part between semicolons reads like a row: it starts with a code, or names a policy by its id."""
    match = _CODE_FIRST.match(part)
    return bool(match and _is_code(match["code"])) or re.search(r"\([^()]*\d[^()]*\)", part[:_LONG_ROW]) is not None


def _policy(row: Block) -> Policy:
    cells = _by_role(row, _POLICY_CELLS)
    if "title" in cells:
        title, number = clean_title(cells["title"]), cells.get("id", "")
        title = f"{title} ({number})" if number and number.casefold() not in title.casefold() else title
        return Policy(title, cells.get("payer", ""), row.url or cells.get("url", ""), cells.get("effective", ""))
    text, date, payer = row.text, "", ""
    if len(text) <= _LONG_ROW:
        text, date = _take_out(_EFFECTIVE, text, "date")
        text, payer = _take_out(_PAYER, text, "payer")
    if not payer:
        text, payer = _payer_after(text, row.links[0].text if row.links else "")
    return Policy(clean_title(text), payer, row.url, date)


def _take_out(pattern: re.Pattern[str], text: str, group: str) -> tuple[str, str]:
    match = pattern.search(text)
    if match is None:
        return text, ""
    rest = f"{text[: match.start()].rstrip(_EDGES)} {text[match.end() :]}"
    return _EMPTY_BRACKETS.sub("", squeeze(rest)).strip(_EDGES), match[group].strip()


def _payer_after(text: str, title: str) -> tuple[str, str]:
    """Title and payer of a row: what follows the linked title, or the id in brackets, is the payer."""
    before, found, rest = text.partition(title) if title else ("", "", "")
    payer = rest.strip(f"{_EDGES}()") if found and not before.strip(_EDGES) else ""
    if payer and len(payer.split()) <= _PAYER_WORDS and " " in title:
        return title, payer
    match = _AFTER_ID.match(clean_title(text)) if len(text) <= _LONG_ROW else None
    return (match["title"], match["payer"].strip()) if match else (text, "")


def _similar_code(row: Block, system: str) -> SimilarCode:
    cells = _by_role(row, _CODE_CELLS)
    url = row.url or cells.get("url", "")
    if "code" in cells:
        own = find_system(cells.get("system", "")) or _system_of(cells["code"], url, system)
        return SimilarCode(cells.get("name", ""), own, written(own, cells["code"]), url)
    text = identity.unglued(" ".join(text for _, text in row.cells) if row.cells else row.text)
    if len(text) > _LONG_ROW:
        return SimilarCode(text, url=url)
    first = _CODE_FIRST.match(text)
    if first and _is_code(first["code"]):
        return _named_code(text, first, url, system)
    stated = identity.from_text([text])
    if stated.system and stated.code:
        name = identity.strip_code(text, identity.Identity(stated.system, stated.code, ()))
        name = "" if name == text and len(name.split()) < 3 else name
        return SimilarCode(name, stated.system, written(stated.system, stated.code), url)
    last = _CODE_LAST.search(text)
    if last and _is_code(last["code"]) and not text[: last.start()].endswith((".", "/")):
        return _named_code(text, last, url, system)
    linked = identity.from_url("the link", url) if url else None
    if linked and linked.code and linked.system:
        return SimilarCode(text, linked.system, written(linked.system, linked.code), url)
    return SimilarCode(text, url=url)


def _named_code(text: str, match: re.Match[str], url: str, system: str) -> SimilarCode:
    own = _system_of(match["code"], url, system)
    before, after = text[: match.start()].rstrip(f"{_EDGES}("), text[match.end() :].lstrip(f"{_EDGES})")
    return SimilarCode(squeeze(f"{before} {after}"), own, written(own, match["code"]), url)


def _system_of(code: str, url: str, system: str) -> str:
    """The system of a listed code: by its shape where that is clear, else its link's, else the page's own."""
    possible = [name for name, _ in readings(code)]
    if len(possible) == 1 and system in SYSTEMS:
        return possible[0]
    linked = identity.from_url("the link", url).system if url else None
    if linked and has_shape(linked, code):
        return linked
    if system and has_shape(system, code):
        return system
    return possible[0] if possible else system


def _is_code(text: str) -> bool:
    return len(text) > 2 and any(char.isdigit() for char in text) and any(True for _ in readings(text))


def _is_sentence(text: str) -> bool:
    """Whether a text is a sentence or a row of links of a footer, not a title."""
    return " | " in text or (text.endswith((".", "!", "?")) and len(text.split()) > 3)


def _by_role(row: Block, roles: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    given = {fold_heading(header): text for header, text in row.cells if header and any(map(str.isalnum, text))}
    return {role: given[name] for role, names in roles.items() for name in reversed(names) if given.get(name)}


def _unread_cells(row: Block, roles: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The cells of a row whose headers mean nothing to us, where others do."""
    used = set(_by_role(row, roles).values())
    if not used:
        return []
    return [
        f"{header}: {text}" if header else text
        for header, text in row.cells
        if any(map(str.isalnum, text)) and text not in used
    ]
