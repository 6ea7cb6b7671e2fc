"""Reading XML as a stream: elements one by one, entities and network off, a cut file told from a broken one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from lxml import etree

from codesearch.ingest.codesets.recognition import HEAD_BYTES, decode
from codesearch.records import Reject

_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)")
_FIRST_ELEMENT = re.compile(r"<[A-Za-z_]")

Element = etree._Element


class BrokenXml(Exception):
    """The XML cannot be read on; `reject` says why. What was complete before has been yielded."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.message)
        self.reject = reject


def elements(stream: BinaryIO, location: str, tags: tuple[str, ...]) -> Iterator[Element]:
    """Each element with one of the tags, when it is complete. The caller discards what it has used.

    Raises:
        BrokenXml: with the reason `xml-entities` (the document declares a type or entities: refused, whatever they
            are), `cut-file` (it ends in the middle) or `bad-xml`.
    """
    stream.seek(0)
    prolog = _FIRST_ELEMENT.split(decode(stream.read(HEAD_BYTES)), maxsplit=1)[0]
    stream.seek(0)
    if _DECLARATION.search(prolog):
        raise BrokenXml(_entities(location))
    parser = etree.iterparse(
        stream, events=("end",), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        for _, element in parser:
            if element.getroottree().docinfo.internalDTD is not None:
                raise BrokenXml(_entities(location))
            yield element
    except etree.XMLSyntaxError as error:
        raise BrokenXml(_broken(error, stream, location)) from error


def discard(element: Element) -> None:
    """Free an element that has been used, and the siblings before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def by_tag(element: Element) -> dict[str, list[Element]]:
    """The children of an element by their tag, in document order; comments are left out."""
    children: dict[str, list[Element]] = {}
    for child in element:
        if isinstance(child.tag, str):
            children.setdefault(child.tag, []).append(child)
    return children


def own_text(element: Element | None) -> str:
    """The text of an element with that of its children, white space made one blank."""
    if element is None:
        return ""
    text = "".join(map(str, element.itertext())) if len(element) else element.text or ""
    return " ".join(text.split())


def _entities(location: str) -> Reject:
    message = "the XML declares a document type or entities, which no code-set file does. Fetch it from the agency."
    return Reject(location, "xml-entities", message)


def _broken(error: etree.XMLSyntaxError, stream: BinaryIO, location: str) -> Reject:
    stream.seek(0)
    last_line = 1 + sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
    line = error.lineno or 0
    if line >= last_line:
        message = f"the file ends in the middle, at line {line}: what stood before it was read. Fetch the file again."
        return Reject(location, "cut-file", message)
    message = f"line {line} is no XML ({error.msg}): what stood before it was read. Fetch the file again."
    return Reject(location, "bad-xml", message)
