"""The names that may stand before a colon in a query, and the fields that they stand for."""

from __future__ import annotations

from codesearch.index.fields import Fields
from codesearch.query.occurrences import TextFields

CODE = "code"
_NAMES = {"name": ("name", "full_name")}
"""Names of titles that stand for more than the field of that name: the full name goes on where the name was cut."""


class NamedFields:
    """The fields of an index by their names in queries: `code`, keyword fields, and fields of text.

    A section goes by its whole name (`risks.common`), by the part before the dot, which stands for all sections below
    it, and by the part behind. Where a text and a keyword field share a name, the text is meant.
    """

    def __init__(self, fields: Fields) -> None:
        self._texts = _text_fields(fields)
        scored = [number for number, weight in enumerate(fields.weights) if weight > 0]
        self.all_scored = TextFields(frozenset(range(len(fields.title))), frozenset(scored))
        """What is searched when no field is named."""
        self.keywords = frozenset(fields.keywords) - self._texts.keys()
        """The fields of one value a record."""
        self.names = frozenset({CODE, *self.keywords, *self._texts})

    def text(self, name: str) -> TextFields | None:
        """The fields of text that go by a name; None where it is no name of such fields."""
        return self._texts.get(name)


def _text_fields(fields: Fields) -> dict[str, TextFields]:
    found: dict[str, TextFields] = {}
    for number, path in enumerate(fields.sections):
        for name in dict.fromkeys((path, *path.split("."))):
            known = found.get(name, TextFields(frozenset(), frozenset()))
            found[name] = known._replace(sections=known.sections | {number})
    numbers = {name: number for number, name in enumerate(fields.title)}
    for name in fields.title:
        meant = frozenset(numbers[each] for each in _NAMES.get(name, (name,)) if each in numbers)
        found[name] = TextFields(meant, frozenset())
    return found
