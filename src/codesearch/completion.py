"""Shell completion: the script for a shell, and what completes systems and codes from the index.

A shell asks with a press of a key, in the midst of a line: whatever is wrong (mostly, no index yet) completes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import click
from click.shell_completion import CompletionItem, get_completion_class

from codesearch.formats import one_line

SHELLS = ("bash", "zsh", "fish")

_MOST = 50
"""Codes that are listed; more cannot be looked through."""

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]


def script(commands: click.Command, shell: str) -> str:
    """What one of the `SHELLS` must run to complete the command `codesearch`."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    return kind(commands, {}, "codesearch", "_CODESEARCH_COMPLETE").source()


def _quietly(complete: Completer) -> Completer:
    """What completes nothing where the function fails."""

    @wraps(complete)
    def completed(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem[str]]:
        try:
            return complete(ctx, parameter, typed)
        except Exception:  # a traceback would end up in the line that is being typed
            return []

    return completed


@_quietly
def complete_system(ctx: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """The systems in the index whose names begin as typed."""
    from codesearch.library import open_index

    with open_index(ctx.params["index"]) as index:
        return [CompletionItem(one_line(name)) for name in index.systems if name.startswith(typed.upper())]


@_quietly
def complete_code(ctx: click.Context, _argument: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """The codes in the index that begin as typed, in any spelling, with their names."""
    from codesearch.library import open_index

    with open_index(ctx.params["index"]) as index:
        found = index.complete_code(typed, system=ctx.params.get("system"), limit=_MOST)
        names: dict[str, str] = {}
        for one in found:  # two systems may have one code
            names.setdefault(one_line(one.code or ""), one_line(one.name))
        return [CompletionItem(code, help=name) for code, name in names.items()]
