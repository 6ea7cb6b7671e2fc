"""A record laid out for reading: its facts, its place among other codes, its sections, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text
from rich.tree import Tree

from codesearch.display import marked_name
from codesearch.formats import one_line
from codesearch.query.family import Family
from codesearch.records import CodeRecord, Policy, SimilarCode, Source

_FACTS = (
    ("kind", "kind"),
    ("duration", "duration"),
    ("setting", "setting"),
    ("effective", "effective"),
    ("terminated", "terminated"),
    ("release", "release"),
    ("parent", "parent"),
    ("chapter", "chapter"),
)

_SECTIONS = (
    ("Also called", (("", "synonyms"),)),
    ("Includes", (("", "inclusion_terms"),)),
    ("Purpose", (("Conditions", "purpose.conditions"), ("Goals", "purpose.goals"))),
    ("Indications", (("Symptoms", "indications.symptoms"), ("Criteria", "indications.criteria"))),
    ("Preparation", (("Instructions", "preparation.instructions"), ("Tests", "preparation.tests"))),
    ("Procedure", (("Steps", "procedure.steps"), ("Tools", "procedure.tools"))),
    ("Personnel", (("", "personnel"),)),
    ("Risks", (("Common", "risks.common"), ("Rare", "risks.rare"))),
    ("Benefits", (("Expected", "benefits.expected"), ("Timeline", "benefits.timeline"))),
    (
        "Recovery",
        (
            ("Care", "recovery.care"),
            ("Time", "recovery.time"),
            ("Restrictions", "recovery.restrictions"),
            ("Follow-up", "recovery.follow_up"),
        ),
    ),
    ("Alternatives", (("Options", "alternatives.options"), ("Pros and cons", "alternatives.pros_and_cons"))),
    (
        "Experience",
        (
            ("During", "experience.during"),
            ("After", "experience.after"),
            ("Pain management", "experience.pain_management"),
        ),
    ),
    ("Notes", (("", "notes"),)),
    ("Excludes", (("", "excludes"),)),
)
"""Headings, and under each the labels and fields, in the order in which a record is read."""

_SHOWN_CHILDREN = 20
_NUMBERED = frozenset({"procedure.steps"})
_BILLABLE = {True: "yes", False: "no", None: ""}


def laid_out(family: Family) -> RenderableType:
    """The whole record for a console; what it does not have is left out."""
    return Group(*_parts(family))


def _parts(family: Family) -> Iterator[RenderableType]:
    record = family.record
    code = one_line(f"{record.system} {record.code or '(no code)'}")
    yield Text(f"{code}  {one_line(record.name)}", style="bold")
    if record.full_name not in ("", record.name):
        yield Text(one_line(record.full_name))
    if record.summary:
        yield ""
        yield _text(record.summary)
    yield ""
    yield _facts(record)
    if family.parents or family.children:
        yield from _headed("Hierarchy", [_tree(family)])
    if record.properties:
        yield from _headed("Properties", [_grid(record.properties)])
    for heading, fields in _SECTIONS:
        yield from _section(heading, [(label, field, attrgetter(field)(record)) for label, field in fields])
    for heading, text in record.other_sections.items():
        yield from _headed(heading, [_text(text)])
    yield from _listed("Policies", [_policy(policy) for policy in record.policies])
    yield from _listed("Similar codes", [_similar(similar) for similar in record.similar_codes])
    yield from _listed("Sources", [_source(source) for source in record.source])
    yield from _listed("Warnings", [f"{warning.kind}: {warning.message}" for warning in record.warnings])


def _facts(record: CodeRecord) -> Table:
    facts: dict[str, str] = {label: getattr(record, field) or "" for label, field in _FACTS}
    return _grid(facts | {"billable": _BILLABLE[record.billable]})


def _grid(facts: dict[str, str]) -> Table:
    """Labels and what they say, where they say something."""
    grid = Table.grid(Column(style="dim", overflow="fold"), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for label, fact in facts.items():
        if fact:
            grid.add_row(Text(one_line(label)), Text(one_line(fact)))
    return grid


def _tree(family: Family) -> Tree:
    """The codes above the code, the code itself, and the first of those directly below it."""
    own = Text.assemble(_label(family.record.code, family.record.name), style="bold")
    chain = [*(_label(one.code, one.name) for one in family.parents), own]
    tree = branch = Tree(chain[0], guide_style="dim")
    for label in chain[1:]:
        branch = branch.add(label)
    for one in family.children[:_SHOWN_CHILDREN]:
        label = Text.assemble(_label(one.code, ""), marked_name(one.name, one.kind, one.terminated))
        if one.billable_below:
            label.append(f"  ({one.billable_below:,} billable below)", style="dim")
        branch.add(label)
    left = len(family.children) - _SHOWN_CHILDREN
    if left > 0:
        branch.add(Text(f"and {left:,} more", style="dim"))
    return tree


def _label(code: str | None, name: str) -> Text:
    return Text(f"{one_line(code or '')}  {one_line(name)}")


def _section(heading: str, fields: Sequence[tuple[str, str, str | Sequence[str]]]) -> Iterator[RenderableType]:
    body: list[RenderableType] = []
    for label, field, value in fields:
        if not value:
            continue
        if label:
            body.append(Text(label, style="italic"))
        items = (value,) if isinstance(value, str) else value
        body.append(_list(items, "{}." if field in _NUMBERED else "-"))
    if body:
        yield from _headed(heading, body)


def _listed(heading: str, items: Sequence[str]) -> Iterator[RenderableType]:
    if items:
        yield from _headed(heading, [_list(items, "-")])


def _headed(heading: str, body: Sequence[RenderableType]) -> Iterator[RenderableType]:
    yield ""
    yield Text(one_line(heading), style="bold")
    yield from (Padding(part, (0, 0, 0, 2)) for part in body)


def _list(items: Sequence[str], mark: str) -> Table:
    """Items one below the other, each after its mark, in which `{}` is its number."""
    grid = Table.grid(Column(justify="right", no_wrap=True), Column(overflow="fold"), padding=(0, 1, 0, 0))
    for number, item in enumerate(items, 1):
        grid.add_row(mark.format(number), Text(one_line(item)))
    return grid


def _text(text: str) -> Text:
    """Running text: its lines stay lines."""
    return Text("\n".join(one_line(line) for line in text.splitlines()))


def _policy(policy: Policy) -> str:
    about = ", ".join(filter(None, (policy.payer, policy.effective)))
    return " ".join(filter(None, (policy.title, f"({about})" if about else "", policy.url)))


def _similar(similar: SimilarCode) -> str:
    return " ".join(filter(None, (similar.system, similar.code, similar.name)))


def _source(source: Source) -> str:
    fetched = f", fetched {source.fetched}" if source.fetched else ""
    layout = f"{source.layout} {source.layout_version}" if source.layout else "no layout"
    place = " ".join(filter(None, (source.path, source.url)))
    return f"{place} ({layout}{fetched}, sha256 {source.sha256[:12]})"
