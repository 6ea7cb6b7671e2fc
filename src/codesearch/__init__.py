"""Full-text search for medical codes: CPT, HCPCS Level II, ICD-10-CM, ICD-10-PCS and a user's own.

    index = codesearch.open_index(path)
    for hit in index.search("t12 vertebroplasty", system="CPT"):
        print(hit.code, hit.name)

The public names are loaded when they are first used, so that the command line starts without numpy and its kin.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codesearch.errors import (
        CodesearchError,
        ConfigError,
        IndexCorruptError,
        IndexLockedError,
        IndexMissingError,
        IndexUnusableError,
        PublishRefused,
        SourceError,
        UnknownCodeError,
        UntrustedIndexError,
        UsageError,
    )
    from codesearch.library import Index, Status, open_index
    from codesearch.progress import Progress
    from codesearch.query.explain import Explanation
    from codesearch.query.family import CodeSummary, Family
    from codesearch.query.nothing import Cause, Nothing
    from codesearch.query.passage import Passage
    from codesearch.query.plan import Rewrite
    from codesearch.query.policies import CodePolicy
    from codesearch.query.results import Hit, Results
    from codesearch.query.similar import SimilarHit, SimilarReason
    from codesearch.query.suggest import Suggestion
    from codesearch.records import CodeRecord, InputWarning, Reject, Skip
    from codesearch.reindex import ReindexReport, reindex
    from codesearch.schemas import json_schema

__version__ = "0.1.0"

__all__ = [
    "Cause",
    "CodePolicy",
    "CodeRecord",
    "CodeSummary",
    "CodesearchError",
    "ConfigError",
    "Explanation",
    "Family",
    "Hit",
    "Index",
    "IndexCorruptError",
    "IndexLockedError",
    "IndexMissingError",
    "IndexUnusableError",
    "InputWarning",
    "Nothing",
    "Passage",
    "Progress",
    "PublishRefused",
    "ReindexReport",
    "Reject",
    "Results",
    "Rewrite",
    "SimilarHit",
    "SimilarReason",
    "Skip",
    "SourceError",
    "Status",
    "Suggestion",
    "UnknownCodeError",
    "UntrustedIndexError",
    "UsageError",
    "json_schema",
    "open_index",
    "reindex",
]

_PLACES = {
    "codesearch.errors": (
        "CodesearchError",
        "ConfigError",
        "IndexCorruptError",
        "IndexLockedError",
        "IndexMissingError",
        "IndexUnusableError",
        "PublishRefused",
        "SourceError",
        "UnknownCodeError",
        "UntrustedIndexError",
        "UsageError",
    ),
    "codesearch.library": ("Index", "Status", "open_index"),
    "codesearch.progress": ("Progress",),
    "codesearch.query.explain": ("Explanation",),
    "codesearch.query.family": ("CodeSummary", "Family"),
    "codesearch.query.passage": ("Passage",),
    "codesearch.query.nothing": ("Cause", "Nothing"),
    "codesearch.query.plan": ("Rewrite",),
    "codesearch.query.policies": ("CodePolicy",),
    "codesearch.query.results": ("Hit", "Results"),
    "codesearch.query.similar": ("SimilarHit", "SimilarReason"),
    "codesearch.query.suggest": ("Suggestion",),
    "codesearch.records": ("CodeRecord", "InputWarning", "Reject", "Skip"),
    "codesearch.reindex": ("ReindexReport", "reindex"),
    "codesearch.schemas": ("json_schema",),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}


class _Package(ModuleType):
    """Keeps `codesearch.reindex` the function: importing the module of that name would put the module in its place."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _MODULE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


if not TYPE_CHECKING:  # a checker that saw this would take every name for a public one

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
