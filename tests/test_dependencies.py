"""What CI installs by hash is what a newcomer installs by the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
_BUILD = {"editables", "hatchling", "tomlkit", "trove-classifiers"}
"""What builds the project, which a newcomer's pip fetches by itself."""


def pins(name: str) -> dict[str, str]:
    """The versions that a file pins."""
    return dict(_PIN.findall((ROOT / name).read_text(encoding="utf-8")))


def test_versions_are_those_of_the_constraints() -> None:
    constraints, hashed = pins("constraints.txt"), pins("requirements-ci.txt")
    assert len(hashed) > 30
    assert {
        name: version for name, version in hashed.items() if name not in _BUILD and constraints.get(name) != version
    } == {}


@pytest.mark.parametrize("name", ["requirements-ci.txt", ".ci/whoosh-reloaded.txt"])
def test_every_pin_has_a_hash(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for start in [match.start() for match in _PIN.finditer(text)]:
        assert text[start:].split("\n", 2)[1].strip().startswith("--hash=sha256:")
