"""Codes of every system: their shapes, spellings, official written form and order.

A code has two forms. The *bare* form is upper case without dots, blanks and hyphens (`E119`): what is compared. The
*written* form is how the system's owner writes it (`E11.9`): what is shown and stored.

Shapes: CPT, AMA "CPT code format" (five characters, the last a digit or the category letter F, T, U, M, A); HCPCS
Level II, CMS (a letter and four digits; modifiers of two characters); ICD-10-CM, CDC/NCHS Official Guidelines I.A.2
(three to seven characters, the third a digit, A or B; the second is a digit, but A in the category QA0 of 2026);
ICD-10-PCS, CMS Reference Manual (seven characters, no I or O).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class System(NamedTuple):
    """A code system: its name in records, URI in FHIR, the shape of a bare code, and how pages and people write it."""

    name: str
    title: str
    uri: str
    shape: re.Pattern[str]
    aliases: tuple[str, ...]


SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System(
            "CPT",
            "CPT",
            "http://www.ama-assn.org/go/cpt",
            re.compile(r"\d{4}[0-9FTUMA]"),
            ("cpt", "cpt4", "cpt 4", "cpt code", "current procedural terminology", "hcpcs level 1"),
        ),
        System(
            "HCPCS",
            "HCPCS Level II",
            "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
            re.compile(r"[A-V]\d{4}|[A-Z][A-Z0-9]"),
            ("hcpcs", "hcpcs level ii", "hcpcs level 2", "hcpcs ii", "hcpcs2", "hcpc"),
        ),
        System(
            "ICD10CM",
            "ICD-10-CM",
            "http://hl7.org/fhir/sid/icd-10-cm",
            re.compile(r"[A-Z][0-9A][0-9AB][0-9A-Z]{0,4}"),
            ("icd10cm", "icd 10 cm", "icd", "icd10", "icd 10", "icd cm", "icd10 cm", "diagnosis"),
        ),
        System(
            "ICD10PCS",
            "ICD-10-PCS",
            "http://www.cms.gov/Medicare/Coding/ICD10",
            re.compile(r"[0-9B-DF-HX][0-9A-HJ-NP-Z]{6}"),
            ("icd10pcs", "icd 10 pcs", "pcs", "icd pcs", "icd10 pcs"),
        ),
    )
}
"""The systems we know, in the order in which records stand; a user's own systems follow by name."""

_NOT_ALNUM = re.compile(r"[^0-9a-z]+")
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015]+")
_RANK = {name: number for number, name in enumerate(SYSTEMS)}


def _fold(alias: str) -> str:
    words = _NOT_ALNUM.sub(" ", alias.lower()).split()
    return "".join(word for word in words if word not in {"code", "codes", "system"})


_BY_ALIAS = {
    _fold(alias): system.name
    for system in SYSTEMS.values()
    for alias in (system.name, system.title, system.uri, *system.aliases)
}


def find_system(text: str) -> str | None:
    """The name of a known system from any of its names (`cpt4`, `ICD-10-CM code`, the FHIR URI); else None."""
    return _BY_ALIAS.get(_fold(text))


def system_name(text: str) -> str:
    """The name under which records of a system stand: a known system's name, else the text itself in capitals."""
    return find_system(text) or _SEPARATORS.sub("", text).upper()


def bare(code: str) -> str:
    """The bare form of a code typed in any spelling: ` e11.9 ` gives `E119`."""
    plain = code.replace(".", "")
    if plain.isalnum():  # as nearly all are: quicker than looking for what else separates
        return plain.upper()
    return _SEPARATORS.sub("", code).upper()


def all_bare(codes: Sequence[str]) -> list[str]:
    """The bare form of each code, quicker than one by one."""
    together = "\0".join(codes).replace(".", "")
    if together.replace("\0", "").isalnum() and together.count("\0") < len(codes):
        return together.upper().split("\0")
    return list(map(bare, codes))


def written(system: str, code: str) -> str:
    """The official written form of a code in any spelling; codes of a user's own system stand as they are given."""
    if system not in SYSTEMS:
        return code.strip()
    plain = bare(code)
    return f"{plain[:3]}.{plain[3:]}" if system == "ICD10CM" and len(plain) > 3 else plain


def has_shape(system: str, code: str) -> bool:
    """Whether the code, in any spelling, has the shape of the system's codes (it need not exist)."""
    known = SYSTEMS.get(system)
    plain = bare(code)
    return bool(plain) if known is None else known.shape.fullmatch(plain) is not None


def readings(text: str) -> Iterator[tuple[str, str]]:
    """Every (system, written code) that a text could be by its shape, in the order of `SYSTEMS`.

    A bare `A0100` is both a HCPCS code and ICD-10-CM A01.00: the index knows which of them exist. A dot in fourth
    place leaves only ICD-10-CM.
    """
    compact = re.sub(r"\s+", "", text).upper()
    dotted = re.fullmatch(r"[A-Z][0-9A][0-9AB]\.[0-9A-Z]{0,4}", compact) is not None
    for system in SYSTEMS.values():
        if (not dotted or system.name == "ICD10CM") and system.shape.fullmatch(bare(text)):
            yield system.name, written(system.name, text)


def order_key(system: str, code: str | None) -> tuple[int, str, str]:
    """Key by which records stand in an index: the system's place, then the bare code (records without a code last)."""
    place = _RANK.get(system, len(_RANK))
    return place, system, "\U0010ffff" if code is None else bare(code)
