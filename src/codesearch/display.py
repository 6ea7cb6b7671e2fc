"""What people read: tables of hits, records, statuses and reports on stdout; progress and notes on stderr.

Names are wrapped, never cut: what tells two codes apart often stands at the end of them. Every text that comes from a
record passes through `formats`, and none of it is taken for markup.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from codesearch.formats import PIPE_WIDTH, fitting, one_line, printable

if TYPE_CHECKING:
    from codesearch.evaluate import Evaluation
    from codesearch.index.generations import Generation
    from codesearch.library import Status
    from codesearch.progress import Listener, Progress
    from codesearch.query.facets import Facets
    from codesearch.query.family import Family
    from codesearch.query.passage import Passage
    from codesearch.query.policies import CodePolicy
    from codesearch.query.results import Hit, Results
    from codesearch.query.similar import SimilarHit
    from codesearch.query.suggest import Suggestion
    from codesearch.reindex import ReindexReport

_SHOWN_REJECTS = 5
_SHOWN_SOURCES = 10
_UNTITLED = frozenset({"summary", "name", "full_name", "inclusion_terms", "synonyms"})
"""Fields whose passages speak for themselves; others stand under the title of their section."""
_MARK = "not dim bold green"
"""How matching words stand out; without colours they are bold."""
_BEFORE_MARK = 40
"""Characters of a passage before its first mark: so few that the mark is not cut off at the end of the line."""
_BLANKS = re.compile(r"\s+")
_YES_NO = {True: "yes", False: "no", None: ""}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to the command line, which knows the exit status; rich would end the process with 1."""
        raise


def console(stream: TextIO) -> Console:
    """A console as wide as its terminal, or of a fixed width where there is none."""
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_WIDTH
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def print_hits(results: Results) -> None:
    """The hits as a table; nothing at all when there are none."""
    if not results.hits:
        return
    billable = [_YES_NO[hit.billable] for hit in results]
    table = _table("#>", "system", "code", "name*", *(["billable"] if any(billable) else []))
    for hit, mark in zip(results, billable, strict=True):
        row = str(hit.rank), one_line(hit.system), one_line(hit.code or ""), _described(hit)
        table.add_row(*row, *([mark] if any(billable) else []))
    console(sys.stdout).print(table)


def print_explained_hits(results: Results) -> None:
    """The hits one below the other, each with how its score comes about."""
    from codesearch.explain_view import laid_out

    screen = console(sys.stdout)
    for hit in results:
        grid = Table.grid(*(Column(no_wrap=True) for _ in range(3)), Column(), padding=(0, 2, 0, 0))
        grid.add_row(str(hit.rank), one_line(hit.system), one_line(hit.code or ""), _described(hit))
        screen.print(grid, Padding(laid_out(hit.explanation), (0, 0, 1, 3)))


def print_notes(notes: Iterable[str]) -> None:
    """Lines on stderr, less bright than what they belong to."""
    screen = console(sys.stderr)
    for note in notes:
        screen.print(Text(note, style="dim"), overflow="fold")


def print_facets(facets: Facets) -> None:
    """How many matches have each value, a line for each field."""
    counted = {
        name: [f"{one_line(value)} ({number:,})" for value, number in counts.items()] for name, counts in facets.items()
    }
    lines = {name: fitting("", values, "", PIPE_WIDTH) for name, values in counted.items()}
    console(sys.stdout).print(Group("", _facts(lines)))


def print_suggestions(suggestions: Sequence[Suggestion]) -> None:
    """The suggestions as a table, what was typed standing out; nothing at all when there are none."""
    if not suggestions:
        return
    table = _table("system", "code", "text*")
    for one in suggestions:
        table.add_row(one_line(one.system), one_line(one.code or ""), _completed(one))
    console(sys.stdout).print(table)


def text_of_families(families: Sequence[Family]) -> str:
    """Whole records with the codes above and below them, laid out for reading as stdout shows them."""
    from codesearch.record_view import laid_out

    screen = console(sys.stdout)
    with screen.capture() as shown:
        for number, family in enumerate(families):
            if number:
                screen.rule()
            screen.print(laid_out(family))
    return shown.get()


def is_longer_than_screen(text: str) -> bool:
    """Whether stdout is a terminal with fewer lines than the text has."""
    return sys.stdout.isatty() and text.count("\n") >= console(sys.stdout).height


def print_similar(hits: Sequence[SimilarHit]) -> None:
    """Similar codes as a table, each with the reason; nothing at all when there are none."""
    if not hits:
        return
    table = _table("#>", "system", "code", "name*")
    for hit in hits:
        name = marked_name(hit.name, hit.kind, hit.terminated)
        reason = Text(one_line(hit.reason.sentence), style="dim")
        table.add_row(str(hit.rank), one_line(hit.system), one_line(hit.code or ""), Group(name, reason))
    console(sys.stdout).print(table)


def print_policies(rows: Sequence[CodePolicy]) -> None:
    """Policies as a table, with the names of the codes where they are several; nothing at all when there are none."""
    if not rows:
        return
    are_several = len({(row.system, row.code) for row in rows}) > 1
    payers, dates = any(row.payer for row in rows), any(row.effective for row in rows)
    table = _table("system", "code", "policy*", *(["payer*"] if payers else []), *(["effective"] if dates else []))
    for row in rows:
        below = [Text(one_line(text), style="dim") for text in (row.name if are_several else "", row.url) if text]
        policy = Group(Text(one_line(row.title)), *below)
        facts = [one_line(fact) for fact, is_shown in ((row.payer, payers), (row.effective, dates)) if is_shown]
        table.add_row(one_line(row.system), one_line(row.code or ""), policy, *facts)
    console(sys.stdout).print(table)


def print_status(status: Status, place: object, previous: Generation | None) -> None:
    """What an index holds."""
    facts = {
        "index": str(place),
        "generation": f"{status.generation}, built {status.built}",
        "before it": f"{previous.name}, built {previous.built} (codesearch rollback)" if previous else "none",
        "size": f"{status.size / 1e6:,.1f} MB",
        "releases": ", ".join(sorted({source["release"] for source in status.sources if source["release"]})),
    }
    sources = _table("source*", "records>", "rejected>", "release")
    for source in status.sources[:_SHOWN_SOURCES]:
        row = one_line(source["name"]), f"{source['records']:,}", f"{source['rejects']:,}"
        sources.add_row(*row, one_line(source["release"] or ""))
    left = len(status.sources) - _SHOWN_SOURCES
    more = [Text(f"and {left:,} more sources (--format json lists them all)")] if left > 0 else []
    console(sys.stdout).print(Group(_facts(facts), "", _counts(status.counts), "", sources, *more))


def print_report(report: ReindexReport) -> None:
    """What a reindex did."""
    inputs = Counter(warning.kind for warning in report.input_warnings)
    outcome = f"generation {report.generation}" if report.published else "nothing"
    codes = (("added", report.added), ("changed", report.changed), ("unchanged", report.unchanged))
    facts = {
        "records": ", ".join(f"{number:,} {word}" for word, number in (*codes, ("removed", report.removed))),
        "rejected": _tally(Counter(reject.reason for reject in report.rejects)),
        "skipped": _tally(Counter(skip.reason for skip in report.skips)),
        "warnings": _tally(Counter(report.warnings) + inputs),
        "published": f"{outcome}, after {report.seconds:.1f} s",
    }
    console(sys.stdout).print(Group(_counts(report.counts), "", _facts(facts)))


def print_rejects(report: ReindexReport) -> None:
    """On stderr: the first rejects, where they lie and why, and warnings about whole inputs."""
    screen = console(sys.stderr)
    told = [f"rejected {one.location}: {one.reason}: {one.message}" for one in report.rejects]
    told += [f"warning {one.location}: {one.kind}: {one.message}" for one in report.input_warnings]
    for line in told[:_SHOWN_REJECTS]:
        screen.print(Text(one_line(line)), overflow="fold")
    if len(told) > _SHOWN_REJECTS:
        screen.print(Text(f"and {len(told) - _SHOWN_REJECTS:,} more: --report FILE lists them all"))


def print_evaluation(found: Evaluation) -> None:
    """The figures of a judged set, by class."""
    table = _table("class", "queries>", "MRR@10>", "Success@1>", "Recall@10>")
    for row in found.classes:
        figures = (f"{figure:.3f}" for figure in (row.mrr, row.success, row.recall))
        table.add_row(one_line(row.query_class), f"{row.queries:,}", *figures)
    facts = {}
    if found.interval:
        facts["95% of MRR@10"] = "{:.3f} to {:.3f}".format(*found.interval)
    if found.difference:
        one = found.difference
        facts["against the run"] = f"MRR@10 {one.mrr:+.4f}, 95% {one.low:+.4f} to {one.high:+.4f}"
        facts["queries"] = f"{one.better:,} better, {one.worse:,} worse"
    console(sys.stdout).print(Group(table, "", _facts(facts)) if facts else table)


@contextmanager
def progress_bar() -> Iterator[Listener | None]:
    """A listener that draws a bar with counts and rate on stderr; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description:<10}"),
        progress.BarColumn(),
        progress.TextColumn("{task.fields[count]}"),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=console(sys.stderr), transient=True) as bar:
        stages: dict[str, progress.TaskID] = {}

        def listen(now: Progress) -> None:
            if now.stage not in stages:
                for task in bar.tasks:
                    bar.stop_task(task.id)
                stages[now.stage] = bar.add_task(now.stage, total=None, count="")
            elapsed = bar.tasks[stages[now.stage]].elapsed or 0.0
            count = f"{now.done:,}" + (f" of {now.total:,}" if now.total else "")
            rate = f", {now.done / elapsed:,.0f}/s" if elapsed > 0.5 else ""
            bar.update(stages[now.stage], completed=now.done, total=now.total, count=count + rate if now.done else "")

        yield listen


def _table(*columns: str) -> Table:
    """A table without lines; `>` after a heading aligns its column right, `*` lets it wrap."""
    headings = [
        Column(
            column.rstrip(">*"),
            justify="right" if column.endswith(">") else "left",
            no_wrap=not column.endswith("*"),
            overflow="fold",
            header_style="bold",
        )
        for column in columns
    ]
    return Table(*headings, box=None, pad_edge=False, padding=(0, 2, 0, 0))


def _facts(facts: dict[str, str]) -> Table:
    """Labels and what they say, where they say something."""
    grid = Table.grid(Column(style="bold", no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    for label, fact in facts.items():
        if fact:
            grid.add_row(label, Text(one_line(fact)))
    return grid


def _counts(counts: dict[str, dict[str, int]]) -> Table:
    kinds = [kind for kind in ("code", "header", "modifier", "chapter") if any(kind in of for of in counts.values())]
    table = _table("system", *(f"{kind}s>" for kind in kinds), "records>")
    for system, of_system in counts.items():
        row = (f"{of_system.get(kind, 0):,}" for kind in (*kinds, "total"))
        table.add_row(one_line(system) or "(no system)", *row)
    return table


def _tally(counts: Counter[str]) -> str:
    if not counts:
        return "none"
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in counts.most_common())
    return f"{counts.total():,} ({kinds})"


def _described(hit: Hit) -> RenderableType:
    """A hit's name with what a reader must know of it, and the passage that matched where that adds something."""
    lines = [_noted(_marked(hit.marked_name), hit.kind, hit.terminated)]
    if hit.siblings:
        more = fitting(f"and {len(hit.siblings)} more: ", list(map(one_line, hit.siblings)), "", PIPE_WIDTH)
        lines.append(Text(more, style="dim"))
    passage = hit.passage
    if _plain(passage.text) not in _plain(hit.name):
        snippet = _marked(passage.from_first_mark(_BEFORE_MARK))
        if passage.field not in _UNTITLED:
            snippet = Text(f"{one_line(passage.title)}: ").append_text(snippet)
        snippet.style, snippet.no_wrap, snippet.overflow = "dim", True, "ellipsis"
        lines.append(snippet)
    return Group(*lines)


def _marked(passage: Passage) -> Text:
    """A passage on one line, what matched standing out."""
    pieces = [(_BLANKS.sub(" ", part), is_marked) for part, is_marked in passage.parts()]
    return Text.assemble(*((printable(part), _MARK if is_marked else "") for part, is_marked in pieces))


def marked_name(name: str, kind: str, terminated: str | None) -> Text:
    """A code's name, marked where it is ended or is no code to use by itself."""
    return _noted(Text(one_line(name)), kind, terminated)


def _noted(name: Text, kind: str, terminated: str | None) -> Text:
    if terminated:
        name.append(f"  [terminated {one_line(terminated)}]", style="red")
    if kind not in ("code", ""):
        name.append(f"  [{one_line(kind)}]", style="yellow")
    return name


def _completed(one: Suggestion) -> RenderableType:
    """A suggestion's text with what a reader must know of its code, and the name where that is another."""
    text = Text()
    end = 0
    for start, stop in one.marks:
        text.append(_shown(one.text[end:start])).append(_shown(one.text[start:stop]), style=_MARK)
        end = stop
    text = _noted(text.append(_shown(one.text[end:])), one.kind, one.terminated)
    typed = dict.fromkeys(one_line(rewrite.typed) for rewrite in one.rewrites)
    if typed:
        text.append(f"  (typed: {', '.join(typed)})", style="dim")
    if _plain(one.text) == _plain(one.name):
        return text
    return Group(text, Text(one_line(one.name), style="dim"))


def _shown(piece: str) -> str:
    """A piece of a text as `one_line` shows it, but with every blank, so that pieces can be put together."""
    return printable(re.sub(r"\s", " ", piece))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
