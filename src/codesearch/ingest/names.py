"""The names of a code: which of the forms that a page gives is its name, its full name, or a synonym."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from codesearch.ingest import identity
from codesearch.ingest.identity import Identity
from codesearch.ingest.layouts import fold_heading
from codesearch.records import RecordWarning

_MAX_COMPARED = 2000


class Names(NamedTuple):
    """The names of a page; `given` holds every form folded, and `name` is empty where the page gives none."""

    name: str
    full_name: str
    synonyms: tuple[str, ...]
    warnings: tuple[RecordWarning, ...]
    given: frozenset[str]


def choose_names(given: Sequence[str], who: Identity, limit: int) -> Names:
    """The names among the forms that a page gives, the title first.

    A name as long as the site's limit was cut there, and loses its last, broken word. The full name is the longest
    whole form; a further form is a synonym, unless another begins with it.
    """
    stripped = (identity.strip_code(name, who) for name in given if name and not identity.is_code_only(name))
    names = [name for name in dict.fromkeys(stripped) if any(char.isalpha() for char in name)]
    folded = frozenset(fold_heading(name[:_MAX_COMPARED]) for name in names)
    if not names:
        return Names("", "", (), (), folded)
    name, full_name, warnings = _best(names, limit)
    synonyms = tuple(other for other in names if not _begins_one_of(other, (name, full_name)) and len(other) != limit)
    return Names(name, full_name, synonyms, warnings, folded)


def _best(names: Sequence[str], limit: int) -> tuple[str, str, tuple[RecordWarning, ...]]:
    name = names[0]
    if not limit or len(name) != limit:
        return name, max((other for other in names if not limit or len(other) != limit), key=len), ()
    whole = [other for other in names if len(other) != limit]
    complete = next((other for other in whole if other.casefold().startswith(name.casefold())), "")
    ends_word = complete[limit : limit + 1].isspace() if complete else not name[-1].isalnum()
    short = name if ends_word or " " not in name else name[: name.rfind(" ")].rstrip()
    warning = RecordWarning("name-cut", f"the site cut the name at {limit} characters; it ends after {short[-30:]!r}")
    return short, max(whole, key=len, default=short), (warning,)


def _begins_one_of(name: str, others: Sequence[str]) -> bool:
    folded = fold_heading(name[:_MAX_COMPARED])
    return any(fold_heading(other[:_MAX_COMPARED]).startswith(folded) for other in others)


def is_name_or_marker(line: str, names: Names, who: Identity) -> bool:
    """Whether a line says only what the record's name, system and code say: a repeated title, `CPT4 code 22512`."""
    rest = fold_heading(identity.strip_code(line, who)[:_MAX_COMPARED])
    if any(name.startswith(rest) or (rest.startswith(name) and len(rest) <= len(name)) for name in names.given):
        return True
    return identity.says(line, who)
