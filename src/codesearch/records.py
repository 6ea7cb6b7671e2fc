"""The record: one code with all that is known of it, the contract between ingest and index.

Every part is a frozen `msgspec.Struct`; lists are tuples, so a record can be shared between threads. On disk a record
is one line of JSON without the fields that are empty; `to_dict` gives every field, so that callers see one shape.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, TypeVar

import msgspec

Kind = Literal["code", "header", "modifier", "chapter"]
Role = Literal["page", "codeset", "tabular", "enrichment"]
Texts = tuple[str, ...]


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Common settings of the record and its parts."""


class Purpose(_Part, frozen=True):
    """Why it is done."""

    conditions: Texts = ()
    goals: Texts = ()


class Indications(_Part, frozen=True):
    """When it is done."""

    symptoms: Texts = ()
    criteria: Texts = ()


class Preparation(_Part, frozen=True):
    """What happens before it."""

    instructions: Texts = ()
    tests: Texts = ()


class Procedure(_Part, frozen=True):
    """How it is done: `steps` in their order."""

    steps: Texts = ()
    tools: Texts = ()


class Risks(_Part, frozen=True):
    """What may go wrong."""

    common: Texts = ()
    rare: Texts = ()


class Benefits(_Part, frozen=True):
    """What it gives, and when."""

    expected: Texts = ()
    timeline: str = ""


class Recovery(_Part, frozen=True):
    """What happens after it."""

    care: Texts = ()
    time: Texts = ()
    restrictions: Texts = ()
    follow_up: Texts = ()


class Alternatives(_Part, frozen=True):
    """What may be done instead."""

    options: Texts = ()
    pros_and_cons: Texts = ()


class Experience(_Part, frozen=True):
    """What the patient feels."""

    during: Texts = ()
    after: Texts = ()
    pain_management: Texts = ()


class Policy(_Part, frozen=True):
    """A health plan's policy that names the code; `effective` as the page writes it."""

    title: str
    payer: str = ""
    url: str = ""
    effective: str = ""


class SimilarCode(_Part, frozen=True):
    """A code that the page lists as similar; `code` is None where the page gives only a name."""

    name: str = ""
    system: str = ""
    code: str | None = None
    url: str = ""


class Source(_Part, frozen=True):
    """Where a record, or a part of a merged one, comes from.

    `sha256` is that of the input's bytes; `layout` and `layout_version` name the file in `ingest/` that read it;
    `role` says what the source may decide when several speak of one code (see `codesearch.merge`).
    """

    path: str = ""
    url: str = ""
    sha256: str = ""
    layout: str = ""
    layout_version: int = 0
    fetched: str = ""
    role: Role = "page"


class RecordWarning(_Part, frozen=True):
    """Something a reader of the record should know; `kind` is a fixed word to count by (`name-cut`, `no-code`, ...)."""

    kind: str
    message: str


class CodeRecord(_Part, frozen=True):
    """One code of one system. `code` is in its official written form (`E11.9`), None where a page gives none."""

    system: str
    code: str | None
    name: str
    kind: Kind = "code"
    full_name: str = ""
    summary: str = ""
    purpose: Purpose = Purpose()
    indications: Indications = Indications()
    preparation: Preparation = Preparation()
    procedure: Procedure = Procedure()
    duration: str = ""
    setting: str = ""
    personnel: Texts = ()
    risks: Risks = Risks()
    benefits: Benefits = Benefits()
    recovery: Recovery = Recovery()
    alternatives: Alternatives = Alternatives()
    experience: Experience = Experience()
    other_sections: dict[str, str] = {}
    policies: tuple[Policy, ...] = ()
    similar_codes: tuple[SimilarCode, ...] = ()
    properties: dict[str, str] = {}
    synonyms: Texts = ()
    inclusion_terms: Texts = ()
    notes: Texts = ()
    excludes: Texts = ()
    parent: str | None = None
    chapter: str | None = None
    billable: bool | None = None
    effective: str | None = None
    terminated: str | None = None
    release: str | None = None
    source: tuple[Source, ...] = ()
    warnings: tuple[RecordWarning, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Every field, empty ones too, as plain dicts, lists and scalars in the order of the class."""
        plain: dict[str, Any] = _plain(self)
        return plain


class Outline(msgspec.Struct, frozen=True):
    """As much of a record as tells which code it belongs to, whether that exists, and where it stands."""

    system: str
    code: str | None
    name: str
    kind: Kind = "code"
    parent: str | None = None
    chapter: str | None = None
    release: str | None = None
    source: tuple[Source, ...] = ()


class PackedRecord(Outline, frozen=True, kw_only=True):
    """A record as a line of JSON: a tenth of the objects, and quick to send to another process."""

    line: bytes


class Reject(_Part, frozen=True):
    """An input that gave no record: where it lies, a fixed `reason` to count by, and a sentence with the next step."""

    location: str
    reason: str
    message: str


class InputWarning(_Part, frozen=True):
    """Something to know about an input as a whole, not about one record: a count that does not add up, say."""

    location: str
    kind: str
    message: str


class Skip(_Part, frozen=True):
    """A file that is no code source (a README, an image, another text): listed, not counted against the batch."""

    location: str
    reason: str


BROKEN_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON of the wanted type: beside its own errors, for broken UTF-8 and for
nesting without end."""

_Struct = TypeVar("_Struct", bound=type[msgspec.Struct])


def learnt(kind: _Struct) -> _Struct:
    """The class, which msgspec knows from now on.

    Else it learns a class when it first reads one, and two threads that have it do so at once end the process (msgspec
    0.22). Modules are imported by one thread.
    """
    msgspec.json.Decoder(kind)
    return kind


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(CodeRecord)


def encode_record(record: CodeRecord) -> bytes:
    """One line of JSON, without the line end; equal records give equal bytes."""
    return _ENCODER.encode(record)


def pack(record: CodeRecord) -> PackedRecord:
    """The record, packed."""
    return packed(record, encode_record(record))


outline_values: Callable[[Outline | CodeRecord], tuple[Any, ...]] = attrgetter(*Outline.__struct_fields__)
"""The fields of an outline, in their order."""


def packed(outline: Outline | CodeRecord, line: bytes) -> PackedRecord:
    """A record of which this is the line, and the outline."""
    return PackedRecord(*outline_values(outline), line=line)


def decode_record(line: bytes | memoryview) -> CodeRecord:
    """The record of one line of JSON.

    Raises:
        msgspec.ValidationError: the line is JSON but no record.
        msgspec.DecodeError: the line is not JSON.
    """
    return _DECODER.decode(line)


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, dict) else value
