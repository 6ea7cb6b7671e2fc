"""The options of `codesearch search` that choose among codes, and how a query is told from options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from codesearch.completion import complete_system

Function = TypeVar("Function", bound=Callable[..., Any])

systems_option = click.option(
    "--system",
    "-s",
    multiple=True,
    shell_complete=complete_system,
    help="Only codes of this system, by any of its names; may be repeated.",
)
billable_option = click.option("--billable", "-b", is_flag=True, default=None, help="Only codes that may be billed.")

_FILTERS = (
    systems_option,
    billable_option,
    click.option("--kind", help="Only this kind: code, header, modifier or chapter."),
    click.option("--chapter", metavar="NUMBER", help="Only codes of this chapter."),
    click.option("--parent", metavar="CODE", help="Only codes below this one."),
    click.option("--setting", metavar="WORDS", help="Only codes whose setting holds these words."),
    click.option(
        "--on", metavar="DATE", help="Only codes in force on this day (2025-01-31), or of which none is told."
    ),
)


def filter_options(function: Function) -> Function:
    """`--system`, `--billable` and the other filters."""
    for option in reversed(_FILTERS):
        function = option(function)
    return function


class QueryCommand(click.Command):
    """A command whose query may begin with a sign: an argument with a sign and a blank is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments that are left after options are read."""
        signed = [argument for argument in args if argument[:1] == "-" != argument[1:2] and " " in argument]
        if signed and "--" not in args:
            args = [*(argument for argument in args if argument not in signed), "--", *signed]
        return super().parse_args(ctx, args)
