"""What `import codesearch` shows: `__all__`, nothing beside it, and all of it typed."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import codesearch


def test_all_is_what_is_imported_for_type_checkers() -> None:
    tree = ast.parse(Path(codesearch.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(imported) == sorted(codesearch.__all__)


def test_all_is_sorted_and_each_name_once() -> None:
    assert sorted(set(codesearch.__all__)) == codesearch.__all__


def test_the_visible_names_are_all_and_the_version() -> None:
    assert [name for name in dir(codesearch) if not name.startswith("__")] == codesearch.__all__
    assert codesearch.__version__


@pytest.mark.parametrize("name", codesearch.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(codesearch, name)
    assert inspect.getdoc(value)
    assert value.__name__ == name


def test_a_star_import_brings_all_and_nothing_else() -> None:
    names: dict[str, object] = {}
    exec("from codesearch import *", names)  # the one way to see what it brings
    assert sorted(names.keys() - {"__builtins__"}) == codesearch.__all__


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = codesearch.nonsense  # type: ignore[attr-defined]


def test_errors_are_one_tree() -> None:
    errors = [getattr(codesearch, name) for name in codesearch.__all__ if name.endswith("Error")]
    errors.append(codesearch.PublishRefused)
    assert all(issubclass(error, codesearch.CodesearchError) for error in errors)


@pytest.mark.parametrize(
    "code",
    [
        "import codesearch.reindex, codesearch; assert callable(codesearch.reindex)",
        "import codesearch; codesearch.reindex; import codesearch.reindex; assert callable(codesearch.reindex)",
        "from codesearch.reindex import LOSS_LIMIT; from codesearch import reindex; assert callable(reindex)",
        "import codesearch, sys; assert 'numpy' not in sys.modules",
    ],
)
def test_the_function_is_not_hidden_by_its_module(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_package_is_typed() -> None:
    assert files("codesearch").joinpath("py.typed").is_file()
