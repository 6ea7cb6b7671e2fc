"""Policies of health plans: those that name a code, and the codes that the policies with some words name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

import msgspec
import numpy as np

from codesearch.codes import system_name
from codesearch.errors import UsageError
from codesearch.index.analysis import Analyzer
from codesearch.index.reader import IndexReader
from codesearch.query.filters import checked_value
from codesearch.records import CodeRecord

_FIELD = "policies"


class CodePolicy(msgspec.Struct, frozen=True):
    """A policy that names a code; `effective` as the page writes it."""

    system: str
    code: str | None
    name: str
    title: str
    payer: str
    url: str
    effective: str

    def to_dict(self) -> dict[str, Any]:
        """The row as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def policies_of(record: CodeRecord) -> Iterator[CodePolicy]:
    """The policies that name a record's code, in the order of its page."""
    for one in record.policies:
        yield CodePolicy(record.system, record.code, record.name, one.title, one.payer, one.url, one.effective)


def policies_with(reader: IndexReader, policy: str, payer: str, system: str | None) -> Iterator[CodePolicy]:
    """The policies whose title holds all words of `policy`, and their payer all of `payer`, in the order of codes.

    Words are compared as a search does: case, accents and endings do not matter.

    Raises:
        UsageError: there is no word to look for, or the words are too long.
        IndexCorruptError: the record file is damaged.
    """
    terms = reader.analyzer.terms
    in_title, in_payer = set(terms(checked_value("policy", policy))), set(terms(checked_value("payer", payer)))
    if not in_title | in_payer:
        raise UsageError(" ".join((policy or payer).split()), "no word of a policy or payer", "Give at least one word.")
    for document in _candidates(reader, in_title | in_payer):
        if system is None or reader.keyword("system", document) == system_name(system):
            for one in policies_of(reader.records.get(document)):
                if in_title <= _terms(reader.analyzer, one.title) and in_payer <= _terms(reader.analyzer, one.payer):
                    yield one


def _candidates(reader: IndexReader, terms: set[str]) -> list[int]:
    """The documents whose policies hold all the terms; every document where the index has no such field."""
    if _FIELD not in reader.settings.fields.sections:
        return list(range(reader.documents))
    arrays, field = reader.arrays, reader.settings.fields.sections.index(_FIELD)
    holders = []
    for term in terms:
        number = reader.terms.get(term, -1)
        if number < 0:
            return []
        entries = arrays["section.entries"][slice(*arrays["section.offsets"][number : number + 2])]
        holders.append(arrays["section.documents"][entries[arrays["section.fields"][entries] == field]])
    found: list[int] = reduce(np.intersect1d, holders).tolist()
    return found


def _terms(analyzer: Analyzer, text: str) -> set[str]:
    """The terms of a text as it is indexed, hyphenated words joined too."""
    return {*analyzer.terms(text), *(term for term, _ in analyzer.joined(analyzer.fold(text)))}
