"""The commands about one code: `show`, `similar` and `policies`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codesearch.completion import complete_code, complete_system
from codesearch.formats import POLICY_COLUMNS, SIMILAR_COLUMNS, csv_lines, json_line, one_line
from codesearch.options import DONE, NO_HITS, format_option, index_option

if TYPE_CHECKING:
    from codesearch.query.similar import SimilarHit


@click.command()
@click.argument("code", shell_complete=complete_code)
@index_option
@click.option(
    "--system",
    "-s",
    shell_complete=complete_system,
    help="The code of this system; without it, of every system that has the code.",
)
@click.option("--no-pager", is_flag=True, help="Print at once what is longer than the screen.")
@format_option("table", "json")
def show(code: str, index: Path, system: str | None, no_pager: bool, form: str) -> None:
    """Shows all that is known of a code, in any spelling of it.

    On a terminal, what is longer than the screen goes through $PAGER. JSON is the record alone.
    """
    from codesearch.library import open_index

    with open_index(index) as opened:
        families = opened.families(code, system)
    if form == "json":
        _print_json(family.record.to_dict() for family in families)
        return
    from codesearch import display

    text = display.text_of_families(families)
    if display.is_longer_than_screen(text) and not no_pager:
        click.echo_via_pager(text)
    else:
        click.echo(text, nl=False)


@click.command()
@click.argument("code", shell_complete=complete_code)
@index_option
@click.option(
    "--system",
    "-s",
    shell_complete=complete_system,
    help="The code of this system; without it, of the first system that has the code.",
)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=10, show_default=True, help="At most this many codes."
)
@format_option("table", "json", "csv")
def similar(code: str, index: Path, system: str | None, limit: int, form: str) -> int:
    """Finds codes like a code, each with the reason.

    First come those that the code's page lists, then its siblings, then codes whose names and texts share its words.
    """
    from codesearch.library import open_index

    with open_index(index) as opened:
        hits = opened.similar(code, system=system, limit=limit)
    if form == "json":
        _print_json(hit.to_dict() for hit in hits)
    elif form == "csv":
        _print_csv(map(_similar_row, hits), SIMILAR_COLUMNS)
    else:
        from codesearch import display

        display.print_similar(hits)
    return _status(hits, f"no codes like {code} in this index")


@click.command()
@click.argument("code", required=False)
@index_option
@click.option("--policy", default="", metavar="TEXT", help="Policies whose title or number holds these words.")
@click.option("--payer", default="", metavar="TEXT", help="Policies of health plans whose names hold these words.")
@click.option("--system", "-s", shell_complete=complete_system, help="Only codes of this system.")
@format_option("table", "json", "csv")
def policies(code: str | None, index: Path, policy: str, payer: str, system: str | None, form: str) -> int:
    """Lists policies by code, and codes by policy or payer.

    Give CODE, or --policy or --payer or both of these.
    """
    if (code is None) == (not policy and not payer):
        raise click.UsageError("Give a code, or --policy or --payer with some words.")
    from codesearch.library import open_index

    with open_index(index) as opened:
        if code is not None:
            rows = opened.policies(code, system=system)
        else:
            rows = opened.codes_with_policy(policy, payer=payer, system=system)
    if form == "json":
        _print_json(row.to_dict() for row in rows)
    elif form == "csv":
        _print_csv((row.to_dict() for row in rows), POLICY_COLUMNS)
    else:
        from codesearch import display

        display.print_policies(rows)
    return _status(rows, f"no policy names {code}" if code is not None else f"no policy has {policy} {payer}")


def _similar_row(hit: SimilarHit) -> dict[str, Any]:
    return {**hit.to_dict(), "reason": hit.reason.kind, "sentence": hit.reason.sentence}


def _print_json(rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        click.echo(json_line(row))


def _print_csv(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    for line in csv_lines(rows, columns):
        click.echo(line)


def _status(found: Sequence[object], otherwise: str) -> int:
    """The exit status; where nothing was found it is said on stderr."""
    if not found:
        click.echo(one_line(otherwise), err=True)
    return DONE if found else NO_HITS
