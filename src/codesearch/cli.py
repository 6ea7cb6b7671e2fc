"""The command line: every command opens, calls one function, and prints. Click is imported by it and its parts only.

Only click is imported at the top, so that `codesearch --help` answers before numpy, rich or the library are loaded. A
command returns its exit status (None is 0); `Commands` turns everything that goes wrong into one line and a status.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, NoReturn

import click

from codesearch import __version__
from codesearch.code_commands import policies, show, similar
from codesearch.completion import SHELLS, script
from codesearch.errors import CodesearchError, PublishRefused
from codesearch.formats import BATCH_COLUMNS, PIPE_WIDTH, SUGGESTION_COLUMNS, csv_lines, json_line, printable
from codesearch.options import (
    DONE,
    INTERNAL,
    INTERRUPTED,
    NO_HITS,
    UNUSABLE,
    USAGE,
    format_option,
    index_option,
)
from codesearch.search_options import QueryCommand, billable_option, filter_options, systems_option

if TYPE_CHECKING:
    from codesearch.query.results import Hit

_EPILOG = """\b
Exit status:
  0  hits, or done
  1  no hits
  2  wrong usage, configuration or source
  3  index missing, corrupt, untrusted or in use
  4  reindex finished, but published nothing: too much was rejected or lost
"""


class Commands(click.Group):
    """The commands. What goes wrong in any of them becomes a message on stderr and an exit status, no traceback."""

    def invoke(self, ctx: click.Context) -> None:
        """Runs a command and exits with the status that it returns."""
        try:
            status = super().invoke(ctx)
            sys.stdout.flush()
        except CodesearchError as error:
            status = _fail(str(error), error.exit_status)
        except KeyboardInterrupt:
            status = _fail("interrupted", INTERRUPTED)
        except BrokenPipeError:
            _drop_stdout()
            status = DONE
        except OSError as error:
            # What reads an index or a source raises errors of ours: this is a stream, mostly stdout on a full disk.
            status = _stream_failed(error)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            status = _internal_error(error)
        ctx.exit(status or DONE)


@click.group(cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="codesearch")
def commands() -> None:
    """Searches medical codes (CPT, HCPCS, ICD-10-CM, ICD-10-PCS) by code, name and clinical terms.

    \b
    codesearch reindex FOLDER
    codesearch search "bone cement for a broken vertebra"
    codesearch show 22512
    """


for command in (show, similar, policies):
    commands.add_command(command)


def main() -> NoReturn:
    """The command `codesearch`: ends the process, at once. Python would first give back all memory object by object,
    which takes an eighth of a search; the system does it by itself."""
    # Nearly all that is made while starting stays: looking for garbage in it as usual costs a tenth of a search.
    gc.set_threshold(100_000, 20, 20)
    _reopen_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # Data is UTF-8 everywhere; a name that a terminal cannot show must not end a search.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = commands(prog_name="codesearch")
    except SystemExit as end:  # as click ends
        status = end.code
    except OSError as error:  # while help was printed, before any command was called
        status = _stream_failed(error)
    with suppress(OSError):  # which was told, or there is nobody to tell it
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status or DONE)


@commands.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@index_option
@click.option("--full", is_flag=True, help="Read every input again, also unchanged ones.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that read and index.  [default: one per core]")
@click.option(
    "--max-rejects",
    type=click.FloatRange(0, 100),
    default=5.0,
    show_default=True,
    metavar="PCT",
    help="Publish nothing when more than this percent of the inputs are rejected.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every reject and warning here, one JSON object a line.",
)
@click.option("--force", is_flag=True, help="Publish whatever was rejected or lost.")
@click.option(
    "--config",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder with your own ingest/ and index/.",
)
@format_option("table", "json")
def reindex(sources: tuple[str, ...], index: Path, form: str, **options: Any) -> None:
    """Builds the index from files, folders and archives.

    A SOURCE may also name a code set that an installed package ships (icd10cm). The sources named are the whole index:
    what they no longer give disappears from it.
    """
    from codesearch import display
    from codesearch.reindex import ReindexReport
    from codesearch.reindex import reindex as build

    try:
        with display.progress_bar() as progress:
            report = build(sources, index, progress=progress, **options)
    except PublishRefused as refusal:
        if isinstance(refusal.report, ReindexReport):
            _print_report(refusal.report, form)
        raise
    _print_report(report, form)


def _print_report(report: Any, form: str) -> None:
    from codesearch import display

    if form == "json":
        click.echo(json_line(report.to_dict()))
    else:
        display.print_report(report)
    display.print_rejects(report)


@commands.command(cls=QueryCommand)
@click.argument("query", nargs=-1)
@index_option
@filter_options
@click.option(
    "--limit", "-n", type=click.IntRange(1, 100_000), default=10, show_default=True, help="At most this many hits."
)
@click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True, help="Leave out the first hits.")
@click.option("--cursor", help="Go on where a page ended: 'start', or what is told after each page.")
@click.option("--sort", type=click.Choice(["rank", "code"]), default="rank", show_default=True, help="Order of hits.")
@click.option("--explain", is_flag=True, help="Show how the score of each hit comes about.")
@click.option("--exact", is_flag=True, help="Search what is typed and nothing else: no synonyms, no corrections.")
@click.option("--group", is_flag=True, help="One row for codes that differ in the side or the encounter alone.")
@click.option("--facets", is_flag=True, help="Count all matches by system, chapter, kind, billable and setting too.")
@click.option(
    "--batch",
    type=click.File("rb"),
    metavar="FILE|-",
    help="One query a line; a JSON object a line back, or rows of CSV.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that answer a batch.  [default: one per core]")
@format_option("table", "json", "csv")
@click.pass_context
def search(
    ctx: click.Context,
    /,
    query: tuple[str, ...],
    index: Path,
    batch: BufferedReader | None,
    jobs: int | None,
    explain: bool,
    facets: bool,
    form: str,
    **options: Any,
) -> int:
    """Finds codes by code, name and clinical terms.

    QUERY is words, codes in any spelling (e119, E11.9), prefixes (E11), wildcards (0FT4?ZZ), ranges (99202-99215).
    Put it in quotes when it holds any of these:

    \b
    "kidney stone"      these words side by side
    -left  NOT left     without a word; -"side effect", -E11, -risks:infection too
    +stone              must match; a AND b, a OR b, and ( ) join words
    risks:infection     in one part of a record: name, synonyms, steps, excludes
    system:cpt          of a system; kind:, chapter:, billable:, parent:, code: too

    docs/query-language.md tells it all.
    """
    text = " ".join(query)
    if (batch is None) == (not text.strip()):
        raise click.UsageError("Give a query, or --batch FILE with a query on each line.")
    if batch is not None:
        is_chosen = ctx.get_parameter_source("form") is not click.core.ParameterSource.DEFAULT
        if is_chosen and form == "table":
            raise click.UsageError("--batch answers in JSON lines, or with --format csv in rows.")
    if form == "csv" and (explain or facets):
        raise click.UsageError("--explain and --facets have no place in CSV; use --format json or table.")
    if batch is not None:
        return _search_batch(index, batch, options, explain, jobs, facets, form == "csv")
    from codesearch.library import open_index

    with open_index(index) as opened:
        results = opened.search(text, **options)
        _print_results(results, form, explain)
        if facets:
            _print_facets(results, form)
        _print_search_notes(results, options["cursor"])
    return DONE if results.hits else NO_HITS


def _print_results(results: Any, form: str, explain: bool) -> None:
    if form == "json":
        for hit in results:
            click.echo(json_line(_described(explain)(hit)))
    elif form == "csv":
        for line in csv_lines(hit.to_dict() for hit in results):
            click.echo(line)
    else:
        from codesearch import display

        (display.print_explained_hits if explain else display.print_hits)(results)


def _print_facets(results: Any, form: str) -> None:
    if form == "json":
        click.echo(json_line({"total": results.total, "facets": results.facets}))
    else:
        from codesearch import display

        display.print_facets(results.facets)


def _print_search_notes(results: Any, cursor: str | None) -> None:
    from codesearch.search_notes import search_notes

    if sys.stderr.isatty() or os.environ.get("FORCE_COLOR"):
        from codesearch import display

        display.print_notes(search_notes(results, display.console(sys.stderr).width))
    else:  # as for most programs that call this one, which need not wait for what only a terminal shows
        for note in search_notes(results, get_terminal_size((PIPE_WIDTH, 0)).columns):
            click.echo(note, err=True)
    if cursor is not None and results.next_cursor:
        click.echo(f"next page: --cursor {results.next_cursor}", err=True)


def _search_batch(
    index: Path,
    lines: BufferedReader,
    options: dict[str, Any],
    explain: bool,
    jobs: int | None,
    facets: bool,
    in_rows: bool,
) -> int:
    from codesearch.batch import answers, rows_of
    from codesearch.library import open_index

    with open_index(index) as opened:
        asked = ("facets",) if facets else ()
        found = answers(opened, lines, options, _described(explain), jobs, asked)
        # Each line is flushed, so a caller may ask line by line.
        if in_rows:
            for line in csv_lines(rows_of(found), BATCH_COLUMNS):
                click.echo(line)
        else:
            for answer in found:
                click.echo(answer, nl=False)
    return DONE


def _described(explain: bool) -> Callable[[Hit], dict[str, Any]]:
    """What gives the JSON object of a hit."""
    from codesearch.query.results import Hit

    return Hit.to_explained_dict if explain else Hit.to_dict


@commands.command()
@click.argument("name")
def schema(name: str) -> None:
    """Prints the JSON Schema of what is given as JSON.

    NAME is record, hit, batch (a line of it), similar, policy or status.
    """
    from codesearch.schemas import json_schema

    click.echo(json.dumps(json_schema(name), indent=2))


@commands.command()
@click.argument("prefix", nargs=-1, required=True, metavar="PREFIX")
@index_option
@systems_option
@billable_option
@click.option("--limit", "-n", type=click.IntRange(1, 1000), default=10, show_default=True, help="At most this many.")
@format_option("table", "json", "csv")
def suggest(prefix: tuple[str, ...], index: Path, form: str, **options: Any) -> int:
    """Completes a code or a name that is typed in part.

    PREFIX is the beginning of a code in any spelling (e11., 0ft4), or words, the last of which may be incomplete.
    """
    text = " ".join(prefix)
    if not text.strip():
        raise click.UsageError("Give the beginning of a code or of a name.")
    from codesearch.library import open_index

    with open_index(index) as opened:
        found = opened.suggest(text, **options)
    if form == "json":
        for one in found:
            click.echo(json_line(one.to_dict()))
    elif form == "csv":
        rows = (one.to_dict() | {"rewrites": "; ".join(map(str, one.rewrites))} for one in found)
        for line in csv_lines(rows, SUGGESTION_COLUMNS):
            click.echo(line)
    else:
        from codesearch import display

        display.print_suggestions(found)
    if not found:
        click.echo(printable(f"nothing goes on from: {text}"), err=True)
    return DONE if found else NO_HITS


@commands.command()
@index_option
@format_option("table", "json")
def status(index: Path, form: str) -> None:
    """Shows what the index holds."""
    from codesearch.library import open_index

    with open_index(index) as opened:
        found = opened.status()
    if form == "json":
        click.echo(json_line(found.to_dict()))
    else:
        from codesearch import display
        from codesearch.index.generations import GenerationStore

        display.print_status(found, index, GenerationStore(index).previous())


@commands.command()
@index_option
@format_option("table", "json")
def verify(index: Path, form: str) -> int:
    """Checks every file and every record of the index."""
    from codesearch.verify import verify as problems_of

    problems = list(problems_of(index))
    if form == "json":
        click.echo(json_line({"index": str(index), "problems": [problem._asdict() for problem in problems]}))
    else:
        for problem in problems:
            click.echo(printable(f"{problem.name}: {problem.reason}"))
        if not problems:
            click.echo("every file is as it was built, and every record is found by its code")
    if problems:
        click.echo("error: go back with `codesearch rollback`, or rebuild with `codesearch reindex`", err=True)
    return UNUSABLE if problems else DONE


@commands.command()
@index_option
@format_option("table", "json")
def rollback(index: Path, form: str) -> None:
    """Goes back to the generation before; done twice, forth again.

    A generation with damaged files is not gone back to.
    """
    from codesearch.index.generations import GenerationStore
    from codesearch.verify import check_generation

    generation = GenerationStore(index).rollback(check_generation)
    if form == "json":
        click.echo(json_line({"generation": generation.name, "built": generation.built}))
    else:
        click.echo(f"generation {generation.name}, built {generation.built}, is current again")


@commands.command()
@click.argument("queries", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("qrels", type=click.Path(dir_okay=False, path_type=Path))
@index_option
@systems_option
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Search so many hits.")
@click.option("--exact", is_flag=True, help="Search what is typed and nothing else: no synonyms, no corrections.")
@click.option(
    "--fails",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the queries with no relevant code among the first ten here.",
)
@click.option(
    "--save-run",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what was found here: query id, rank, code.",
)
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RUN",
    help="A run saved before: how much better or worse this one is.",
)
@click.option(
    "--bootstrap",
    type=click.IntRange(0, 100_000),
    default=0,
    metavar="N",
    help="Give the 95% interval of MRR@10 from so many samples.",
)
@format_option("table", "json")
def evaluate(form: str, **options: Any) -> None:
    """Judges the ranking by queries whose answers are known.

    Prints MRR@10, Success@1 and Recall@10 per class. QUERIES has lines of id, text, class; QRELS of id, code, grade;
    tabs between.
    """
    from codesearch.evaluate import evaluate_command

    found = evaluate_command(**options)
    if form == "json":
        click.echo(json_line(found.to_dict()))
    else:
        from codesearch import display

        display.print_evaluation(found)
    for note in found.notes:
        click.echo(printable(f"note: {note}"), err=True)


@commands.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Prints the script for a shell's completion.

    With it the shell completes commands and options, the systems in the index, and codes that begin as typed.

    \b
    bash  put into ~/.bashrc:  eval "$(codesearch completion bash)"
    zsh   put into ~/.zshrc, below compinit:  eval "$(codesearch completion zsh)"
    fish  codesearch completion fish > ~/.config/fish/completions/codesearch.fish
    """
    click.echo(script(commands, shell))


@commands.command()
def demo() -> None:
    """Indexes the shipped pages and runs a few searches."""
    from codesearch.demo import run

    run(click.echo)


def _fail(message: str, status: int) -> int:
    prefix = "" if status == INTERRUPTED else "error: "
    click.echo(printable(f"{prefix}{message}"), err=True)
    return status


def _stream_failed(error: OSError) -> int:
    _drop_stdout()
    return _fail(f"{error.filename or 'standard output'}: {error.strerror or error}", USAGE)


def _internal_error(error: Exception) -> int:
    if os.environ.get("CODESEARCH_DEBUG"):
        traceback.print_exc()
    return _fail(
        f"internal error: {type(error).__name__}: {' '.join(str(error).split())}. "
        "Run it again with CODESEARCH_DEBUG=1 and report the output: see CONTRIBUTING.md",
        INTERNAL,
    )


def _drop_stdout() -> None:
    """Nobody takes what is on stdout: what is still to be flushed at exit goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reopen_closed_streams() -> None:
    """Opens the streams that the caller has closed, or a file of the index would take the place of one.

    What is written to the standard output then fails, as on a full disk; errors go nowhere.
    """
    for number, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, flags), number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))
