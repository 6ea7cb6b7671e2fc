"""Shell completion by its own protocol, as a process that a shell starts, and in a real bash where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import codesearch
from codesearch.cli import commands
from codesearch.completion import SHELLS

WAIT = 60
BASH = shutil.which("bash")
OWN = """system,code,name
LOCAL,"B-1
2",Two lines
LOCAL,B-2,"\x1b[31mred
name"
"""


@pytest.fixture(scope="module")
def index(pages: Path) -> Path:
    """The index of the shipped corpus."""
    return pages


def complete(*words: str, index: Path | None, shell: str = "bash") -> subprocess.CompletedProcess[str]:
    """What a shell is answered that asks to complete the last of some words."""
    place = {"CODESEARCH_INDEX": str(index)} if index else {}
    current = words[-1] if shell == "fish" else str(len(words))
    asked = {"COMP_WORDS": "\n".join(["codesearch", *words]), "COMP_CWORD": current}
    return subprocess.run(
        [sys.executable, "-m", "codesearch"],
        env=os.environ | place | asked | {"_CODESEARCH_COMPLETE": f"{shell}_complete"},
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )


def completions(*words: str, index: Path | None) -> list[str]:
    """The completions of the last of some words."""
    answered = complete(*words, index=index)
    assert (answered.returncode, answered.stderr) == (0, "")
    return [line.removeprefix("plain,") for line in answered.stdout.splitlines() if line]


@pytest.mark.parametrize("typed", ["e11", "E11", "e11."])
def test_codes_are_completed_in_any_spelling(index: Path, typed: str) -> None:
    assert completions("show", typed, index=index) == ["E11.9"]


def test_the_code_typed_whole_stands_first_and_the_rest_in_order(index: Path) -> None:
    found = completions("show", "22", index=index)
    assert found == sorted(found)
    assert "22512" in found
    assert completions("show", "22512", index=index) == ["22512"]


def test_words_are_not_completed_to_codes(index: Path) -> None:
    assert completions("show", "vertebroplasty", index=index) == []


def test_codes_are_those_of_the_system_and_the_index_that_the_line_names(index: Path) -> None:
    assert completions("show", "--system", "hcpcs", "e11", index=index) == []
    assert completions("show", "--index", str(index), "e11", index=None) == ["E11.9"]


@pytest.mark.parametrize("command", ["search", "show", "suggest", "evaluate"])
def test_systems_are_completed(index: Path, command: str) -> None:
    assert completions(command, "--system", "icd", index=index) == ["ICD10CM", "ICD10PCS"]
    assert completions(command, "--system", "", index=index) == ["CPT", "HCPCS", "ICD10CM", "ICD10PCS"]


def test_commands_and_options_are_completed() -> None:
    assert completions("su", index=None) == ["suggest"]
    assert "--billable" in completions("suggest", "--b", index=None)
    assert completions("completion", "", index=None) == list(SHELLS)


def test_names_are_shown_where_a_shell_can(index: Path) -> None:
    fish = complete("show", "e11", index=index, shell="fish").stdout
    assert fish.startswith("plain,E11.9\tType 2 diabetes mellitus")
    zsh = complete("show", "e11", index=index, shell="zsh").stdout
    assert zsh.splitlines()[:3] == ["plain", "E11.9", "Type 2 diabetes mellitus without complications"]


@pytest.mark.parametrize(
    "words", [("show", "e11"), ("search", "--system", "i"), ("show", "--index", "/dev/null", "e1")]
)
def test_without_an_index_nothing_is_completed_and_nothing_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert completions(*words, index=tmp_path / "none") == []


def test_nor_with_a_broken_one(index: Path, tmp_path: Path) -> None:
    broken = tmp_path / "index"
    shutil.copytree(index, broken)
    for file in broken.glob("generations/*/index.arrays"):
        file.write_bytes(b"broken")
    assert completions("show", "e11", index=broken) == []


def test_what_records_say_stays_on_its_line(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(OWN)
    codesearch.reindex([tmp_path / "own.csv"], tmp_path / "index", jobs=1)
    answered = complete("show", "b", index=tmp_path / "index", shell="fish")
    assert "\x1b" not in answered.stdout
    assert [line.split("\t")[0] for line in answered.stdout.splitlines()] == ["plain,B-1 2", "plain,B-2"]


def test_completing_loads_no_compiler_and_no_tables(index: Path) -> None:
    asked = {"COMP_WORDS": "codesearch show e11", "COMP_CWORD": "2", "_CODESEARCH_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "codesearch"],
        env=os.environ | asked | {"CODESEARCH_INDEX": str(index)},
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "E11.9" in done.stdout
    assert not imported & {"numba", "rich", "lxml", "bs4"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_for_the_command(shell: str) -> None:
    printed = CliRunner().invoke(commands, ["completion", shell])
    assert printed.exit_code == 0
    assert f"_CODESEARCH_COMPLETE={shell}_complete" in printed.stdout
    assert "codesearch" in CliRunner().invoke(commands, ["completion", "--help"]).stdout


def test_another_shell_is_wrong_usage() -> None:
    assert CliRunner().invoke(commands, ["completion", "tcsh"]).exit_code == 2


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_a_real_bash_completes(index: Path, tmp_path: Path) -> None:
    program = tmp_path / "codesearch"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m codesearch "$@"\n')
    program.chmod(0o755)
    script = """
    eval "$(codesearch completion bash)"
    complete -p codesearch
    COMP_WORDS=(codesearch show e11)
    COMP_CWORD=2
    _codesearch_completion codesearch
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        [str(BASH), "--norc", "-c", script],
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "CODESEARCH_INDEX": str(index)},
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["complete -o nosort -F _codesearch_completion codesearch", "E11.9"]
