"""JSON Schemas (draft 2020-12) of records and of what the commands give as JSON, made from the classes themselves."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from codesearch.descriptions import OUTPUT, RECORD
from codesearch.errors import UsageError
from codesearch.library import Status
from codesearch.query.policies import CodePolicy
from codesearch.query.similar import SimilarHit
from codesearch.records import CodeRecord, Kind

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PLACES = "#/$defs/{name}"


class Hit(msgspec.Struct):
    """A hit as `Hit.to_dict` gives it; options may add fields."""

    rank: int
    system: str
    code: str | None
    kind: Kind
    name: str
    billable: bool | None
    terminated: str | None
    release: str | None
    score: float
    tier: Literal[1, 2, 3]
    snippet: str
    matched: dict[str, tuple[str, ...]]


class Rewrite(msgspec.Struct):
    """Something that was searched and not typed."""

    kind: str
    typed: str
    used: str


class Answer(msgspec.Struct):
    """The answer to a line of a batch."""

    query: str
    total: int
    rewrites: tuple[Rewrite, ...]
    hits: tuple[Hit, ...]
    notes: tuple[str, ...] = ()


class Fault(msgspec.Struct):
    """A line of a batch that has no answer."""

    query: str
    error: str


_TYPES: dict[str, tuple[type, ...]] = {
    "record": (CodeRecord,),
    "hit": (Hit,),
    "batch": (Answer, Fault),
    "similar": (SimilarHit,),
    "policy": (CodePolicy,),
    "status": (Status,),
}
"""What each name stands for: one of the types."""


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `record`, `hit`, `batch` (a line of it), `similar`, `policy` or `status`.

    Raises:
        UsageError: there is no schema of that name.
    """
    if name not in _TYPES:
        raise UsageError(name, "no such schema", f"Use one of: {', '.join(_TYPES)}.")
    alternatives, parts = msgspec.json.schema_components(_TYPES[name], ref_template=_PLACES)
    for part in parts.values():
        said = (RECORD | OUTPUT)[part["title"]]
        for field, schema in part["properties"].items():
            schema["description"] = said[field]
    several = {"oneOf": alternatives} if len(alternatives) > 1 else alternatives[0]
    # Defaults are tuples here and lists in JSON.
    plain: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode({"$schema": _DRAFT, "title": name, **several, "$defs": parts})
    )
    return plain
