"""A request: what is searched, among what, and in which order."""

from __future__ import annotations

from typing import Any, NamedTuple

SORTS = ("rank", "code")


class Filters(NamedTuple):
    """What may be found; what is None or empty does not matter.

    The systems; billable codes only, or only others; a kind; a chapter; codes below a parent; words of the setting; and
    codes in force on a day (YYYY-MM-DD).
    """

    system: tuple[str, ...] = ()
    billable: bool | None = None
    kind: str | None = None
    chapter: str | None = None
    parent: str | None = None
    setting: str | None = None
    on: str | None = None

    def given(self) -> dict[str, Any]:
        """The filters that matter, by name."""
        return {name: value for name, value in self._asdict().items() if value not in (None, ())}

    def without(self, name: str) -> Filters:
        """The filters without one."""
        return self._replace(**{name: Filters._field_defaults[name]})


class Request(NamedTuple):
    """A text to search, filters, the order of hits, whether only what is typed, and whether siblings are one row."""

    text: str
    filters: Filters = Filters()
    sort: str = "rank"
    exact: bool = False
    group: bool = False

    def options(self) -> dict[str, Any]:
        """What differs from a search for the text alone, by the names that `Index.search` has for it."""
        others = {name: self._field_defaults[name] for name in ("sort", "exact", "group")}
        return self.filters.given() | {
            name: getattr(self, name) for name, default in others.items() if getattr(self, name) != default
        }
