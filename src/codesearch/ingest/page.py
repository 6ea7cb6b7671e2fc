"""A scraped page in, a `CodeRecord` or a `Reject` out; a `Skip` for a text that is no page at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from textwrap import dedent
from typing import NamedTuple
from urllib.parse import urljoin

import msgspec

from codesearch.ingest import identity
from codesearch.ingest.blocks import Block, squeeze, text_blocks
from codesearch.ingest.decoding import decode, is_binary
from codesearch.ingest.embedded import EmbeddedReader, Facts, TooManyValues
from codesearch.ingest.furniture import FurnitureRules, read_furniture
from codesearch.ingest.gate import read_gate
from codesearch.ingest.html_blocks import Reading, TooDeep, html_blocks
from codesearch.ingest.html_page import HtmlPage, fragment_blocks
from codesearch.ingest.html_tree import Unparsable
from codesearch.ingest.identity import Evidence, Identity
from codesearch.ingest.inputs import PageForm
from codesearch.ingest.layouts import Layout, Layouts, fold_heading
from codesearch.ingest.names import Names, choose_names, is_name_or_marker
from codesearch.ingest.policies import read_policies, read_similar_codes
from codesearch.ingest.sections import Content, sort_blocks
from codesearch.records import CodeRecord, Policy, RecordWarning, Reject, SimilarCode, Skip, Source


class PageInput(NamedTuple):
    """A page as a scraper leaves it.

    `location` is shown to users (`pages.zip!22512.html`, `pages.jsonl:12`); `file_name` may carry the code; `form` is
    None where only the content tells.
    """

    location: str
    data: bytes
    form: PageForm | None = None
    file_name: str = ""
    url: str = ""
    fetched: str = ""


class _NoPage(Exception):
    """The input gives no record."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class _OtherText(Exception):
    """The input is a text of another kind, and was never a code page."""


class _Draft(NamedTuple):
    """What the reading of one form of page gives."""

    layout: Layout
    title: str
    blocks: list[Block]
    facts: Facts
    evidence: list[Evidence]
    warnings: list[RecordWarning]
    base_url: str
    has_embedded: bool = False
    template_tags: int = 0


_STARTS_AS_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|\?xml)\b", re.IGNORECASE)
_HTML = re.compile(rb"<\s?(?:!doctype\s+html|html|head|body|main|article|div|h1|p|table|script|ul)\b", re.IGNORECASE)
_LINE_END = re.compile("\r\n?|[\f\u2028\u2029]")
"""What else than a line feed ends a line of a text, as PDF readers and scripts write it."""
_PHP = re.compile(r"<\?(?:php|=)(?:(?!\?>|<\?).)*\?>", re.DOTALL)
_TEMPLATE_TAG = re.compile(
    r"\{\{(?:(?!\}\}|\{\{).)*\}\}|\{%(?:(?!%\}|\{%).)*%\}|<%(?:(?!%>|<%).)*%>|" + _PHP.pattern, re.DOTALL
)
_LONG_TAG = re.compile(rb"<[^<>]{4000,}")
_SECTIONS_WITHOUT_CODE = 3
"""A page that names no code is one all the same when it has so many known sections: prose about it, no other text."""
_OTHER_HEADINGS = 10
"""A text that names neither code nor system is no code page when a layout knows at most one in so many headings."""
_LINES_BEFORE_SECTIONS = 8
_MAX_NAME = 1000


class PageParser:
    """Parses pages by the configuration of one `ingest/` folder; hold one for many pages."""

    def __init__(self, folder: Path) -> None:
        """Reads the folder.

        Raises:
            ConfigError: a file of it is wrong.
        """
        self.layouts = Layouts(folder / "pages")
        rules = read_furniture(folder / "furniture.toml")
        self._furniture = {layout.name: FurnitureRules(rules, layout.furniture_names) for layout in self.layouts}
        self._embedded = EmbeddedReader(folder / "embedded.toml")
        self._gate = read_gate(folder)

    def parse(self, page: PageInput) -> CodeRecord | Reject | Skip:
        """The record of a page, or why there is none; never raises for what a page holds."""
        try:
            return self._record(page)
        except _OtherText:
            return Skip(page.location, "a text without a code and without sections of a code page")
        except _NoPage as no_page:
            return Reject(page.location, no_page.reason, no_page.message)
        except (TooDeep, RecursionError):
            return Reject(
                page.location, "too-deep", "tags or values nest too deep for a page; look at how it was saved"
            )
        except TooManyValues:
            return Reject(
                page.location, "too-many-values", "a script holds more data than a page has; fetch the page again"
            )
        except Unparsable as error:
            return Reject(page.location, "unparsable", f"the HTML parser refuses it ({error}); fetch the page again")

    def _record(self, page: PageInput) -> CodeRecord:
        self._check_bytes(page.data)
        text, warnings = decode(page.data)
        draft = self._read_html(page, text) if _is_html(page) else self._read_text(page, text)
        blocks, template_tags = _without_template_tags(draft.blocks)
        content = sort_blocks(blocks, draft.layout)
        if draft.has_embedded:
            content.drop_repeats()
        who = identity.identify(_evidence(draft, content))
        names = choose_names(_given_names(draft, content), who, draft.layout.name_limit)
        self._check_content(draft, content, names)
        _check_code(page, content, who)
        _keep_the_rest(content, who, names)
        policies, similar = _rows(content, who, draft.base_url)
        left_out = _template_warnings(draft.template_tags + template_tags)
        return CodeRecord(
            system=who.system,
            code=who.code,
            name=names.name,
            full_name=names.full_name,
            policies=policies,
            similar_codes=similar,
            source=(_source(page, draft.layout),),
            warnings=(*warnings, *who.warnings, *names.warnings, *draft.warnings, *left_out),
            **content.record_fields(),
        )

    def _check_bytes(self, data: bytes) -> None:
        if not data.strip():
            raise _NoPage("empty", "the page is empty; fetch it again")
        gate = self._gate
        if len(data) > gate.max_bytes:
            raise _NoPage("too-large", f"{len(data):,} bytes are more than a page has ({gate.max_bytes:,}); split it")
        if is_binary(data):
            raise _NoPage("binary", "this is no text; give the page as HTML or text")
        tags = data.count(b"<") + data.count(b"## ")  # a heading glued to a text is one, too
        if tags > gate.max_tags:
            raise _NoPage("too-many-tags", f"{tags:,} tags are more than a page has ({gate.max_tags:,})")
        attributes = max((tag.count(b" ") + tag.count(b"=") for tag in _LONG_TAG.findall(data)), default=0)
        if attributes > gate.max_attributes:
            raise _NoPage("too-many-tags", f"a tag has more attributes than tags have ({gate.max_attributes:,})")

    def _check_content(self, draft: _Draft, content: Content, names: Names) -> None:
        if content.known_sections < 2:
            words = " ".join([draft.title, *(block.text for block in draft.blocks)]).casefold()
            for reason, phrases in self._gate.reasons.items():
                phrase = next((phrase for phrase in phrases if phrase in words), None)
                if phrase:
                    raise _NoPage(reason, f"the page says {phrase!r} and has no sections; fetch it again")
            if len(words.split(None, self._gate.min_words)) < self._gate.min_words:
                raise _NoPage("no-content", f"fewer than {self._gate.min_words} words remain without menus and footers")
        if not names.name:
            raise _NoPage("no-name", "the page has no title or heading that names a code")

    def _read_text(self, page: PageInput, text: str) -> _Draft:
        text = dedent(_LINE_END.sub("\n", text))
        lines = text.count("\n")
        if lines > self._gate.max_lines:
            raise _NoPage(
                "too-many-lines", f"{lines:,} lines are more than a page has ({self._gate.max_lines:,}); split it"
            )
        layout = self.layouts.choose(page.url, text[:4000])
        blocks = _without_furniture(text_blocks(text), layout)
        title = ""
        if blocks and (blocks[0].kind == "heading" or not layout.fields_of(blocks[0].text)):
            first = blocks[0].text
            title = _without_tags(first[:_MAX_NAME])
            blocks = _without_heading(blocks[1:], title) if len(first) <= _MAX_NAME else blocks
        return _Draft(layout, title, blocks, Facts(), _url_evidence(page), [], page.url)

    def _read_html(self, page: PageInput, text: str) -> _Draft:
        text, template_tags = _PHP.subn(" ", text) if "<?" in text else (text, 0)
        html = HtmlPage(text)
        url = page.url or html.url()
        layout = self.layouts.choose(url, text[:4000])
        reading = Reading(self._furniture[layout.name], _knows(layout), html.needs)
        facts, embedded, warnings = self._embedded.read(html.scripts, lambda parts: fragment_blocks(parts, reading))
        blocks = _without_furniture(html_blocks(html.main(), reading), layout)
        heading = html.first_heading()
        title = "" if layout.is_furniture(heading) else _without_tags(heading[:_MAX_NAME])
        if title and len(heading) <= _MAX_NAME:
            blocks = _without_heading(blocks, heading)
        if not any(char.isalpha() for char in title) or identity.is_code_only(title):
            title = next(iter(facts.names), "") or html.title(layout.site_names)
            title, count = _TEMPLATE_TAG.subn(" ", title[:_MAX_NAME])
            title, template_tags = squeeze(title), template_tags + count
        evidence = [identity.stated("structured data", facts.system, facts.code)] if facts.code or facts.system else []
        evidence += _url_evidence(page, canonical=html.url())
        read = [*blocks, *embedded]
        return _Draft(layout, title, read, facts, evidence, warnings, url, bool(embedded), template_tags)


def _is_html(page: PageInput) -> bool:
    """Whether a page is HTML: by what it begins with, whatever its name says, else by its name, else by its tags."""
    if page.form == "html" or _STARTS_AS_HTML.match(page.data[:400]):
        return True
    return page.form is None and _HTML.search(page.data[:4096]) is not None


def _check_code(page: PageInput, content: Content, who: Identity) -> None:
    if who.code is not None or content.known_sections >= _SECTIONS_WITHOUT_CODE:
        return
    if _is_other_text(page, content, who):
        raise _OtherText
    raise _NoPage(
        "no-code-page",
        f"it names no code and has fewer than {_SECTIONS_WITHOUT_CODE} sections that a layout knows; "
        "give its URL, or add its headings to ingest/pages/",
    )


def _is_other_text(page: PageInput, content: Content, who: Identity) -> bool:
    """Whether a file is a text that lies beside code sources (a record layout, notes), not a page that lost its code.

    What a scraper brought with a URL or in JSON was meant to be a page, and so was HTML.
    """
    is_text_file = bool(page.file_name) and not page.url and not _is_html(page)
    known, headings = content.known_sections, content.known_sections + len(content.other)
    return is_text_file and not who.system and known * _OTHER_HEADINGS <= headings


def _without_furniture(blocks: Iterable[Block], layout: Layout) -> list[Block]:
    return [block for block in blocks if block.kind == "item" or not layout.is_furniture(block.text)]


def _without_heading(blocks: Iterable[Block], title: str) -> list[Block]:
    """The blocks without the headings that only repeat the page's title."""
    folded = fold_heading(title)
    return [block for block in blocks if block.kind not in {"heading", "lone"} or fold_heading(block.text) != folded]


def _knows(layout: Layout) -> Callable[[str], bool]:
    return lambda text: bool(layout.fields_of(text))


def _url_evidence(page: PageInput, canonical: str = "") -> list[Evidence]:
    evidence = [identity.from_url("the canonical URL", canonical)] if canonical else []
    if page.url:
        evidence.append(identity.from_url("the scraper's URL", page.url))
    if page.file_name:
        evidence.append(identity.from_path("the file name", page.file_name))
    return evidence


def _evidence(draft: _Draft, content: Content) -> list[Evidence]:
    lines = [draft.title, *content.head[:_LINES_BEFORE_SECTIONS]]
    for block in draft.blocks[:_LINES_BEFORE_SECTIONS]:
        if any(field != "code" for field in draft.layout.fields_of(block.text)):
            break
        lines.append(block.text)
    named = [_named_code(text) for text in content.texts.get("code", ())]
    systems = [identity.stated("the text", text, "") for text in content.texts.get("system", ())]
    return [*draft.evidence, *named, *systems, identity.from_text(lines)]


def _named_code(text: str) -> Evidence:
    """Evidence of what stands under a heading such as `Code`."""
    named = identity.from_text([text])
    if named.code is not None:
        return named
    codes = [word for word in text.split() if any(char.isdigit() for char in word)]
    return Evidence("the text", named.system, codes[0] if codes else None)


def _given_names(draft: _Draft, content: Content) -> list[str]:
    """Every form of the name that the page gives, the title first."""
    return [draft.title, *content.texts.get("name", ()), *content.texts.get("full_name", ()), *draft.facts.names]


def _keep_the_rest(content: Content, who: Identity, names: Names) -> None:
    """Finds a place for what belongs to no section: further names, the page's head, the ends of long headings."""
    for synonym in names.synonyms:
        content.add("synonyms", Block("text", synonym))
    head = [line for line in content.head if not is_name_or_marker(line, names, who)]
    if "summary" in content.texts:
        for line in head:
            content.add_other("Page head", line)
    else:
        for line in head:
            content.add("summary", Block("text", line))
    for line in content.texts.get("heading tails", ()):
        if not is_name_or_marker(line, names, who):
            content.add_other("Headings", line)
    for line in [*content.texts.get("code", ()), *content.texts.get("system", ())]:
        if not identity.says(line, who):
            content.add_other("Code", line)


def _rows(content: Content, who: Identity, base: str) -> tuple[tuple[Policy, ...], tuple[SimilarCode, ...]]:
    policies, left = read_policies(content.rows["policies"])
    similar, left_similar = read_similar_codes(content.rows["similar_codes"], who.system)
    for title, lines in (("Policies", left), ("Similar codes", left_similar)):
        for line in lines:
            content.add_other(title, line)
    return (
        tuple(msgspec.structs.replace(policy, url=_absolute(base, policy.url)) for policy in policies),
        tuple(msgspec.structs.replace(code, url=_absolute(base, code.url)) for code in similar),
    )


def _absolute(base: str, url: str) -> str:
    """A link of the page as a whole URL where the page's own is known."""
    if not url or not base:
        return url
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def _without_tags(text: str) -> str:
    return squeeze(_TEMPLATE_TAG.sub(" ", text))


def _without_template_tags(blocks: Iterable[Block]) -> tuple[list[Block], int]:
    """The blocks without template tags (`{{ code.name }}`) that the site's server left behind, and their number."""
    clean, found = list[Block](), 0
    for block in blocks:
        if "{" not in block.text and "<" not in block.text:
            clean.append(block)
            continue
        text, count = _TEMPLATE_TAG.subn(" ", block.text)
        found += count
        text = squeeze(text) if count else block.text
        if text:
            clean.append(block._replace(text=text))
    return clean, found


def _template_warnings(count: int) -> list[RecordWarning]:
    message = f"{count} template tags of the site's server were left out"
    return [RecordWarning("template-tag", message)] if count else []


def _source(page: PageInput, layout: Layout) -> Source:
    return Source(
        path=page.location,
        url=page.url,
        sha256=hashlib.sha256(page.data).hexdigest(),
        layout=layout.name,
        layout_version=layout.version,
        fetched=page.fetched,
    )


def file_name_of(location: str) -> str:
    """The name of the file in a location, which may stand inside an archive."""
    return PurePosixPath(location.replace("!", "/")).name
