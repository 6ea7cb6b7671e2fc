"""Code sets that an installed package ships, so that `codesearch reindex icd10cm` needs no download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from codesearch.errors import SourceError


class Package(NamedTuple):
    """A package that ships a code set: its import name, where in it the file lies, and the extra that installs it."""

    module: str
    pattern: str
    extra: str


PACKAGES = {"icd10cm": Package("simple_icd_10_cm", "data/*tabular*.xml", "icd10cm")}
"""Names that reindex takes instead of a path. The year in a file's name is the package's own matter."""


def packaged(name: str) -> Path | None:
    """The newest file that the code set's package ships; None when the name is no such code set.

    Raises:
        SourceError: the package is not installed, or ships no such file.
    """
    package = PACKAGES.get(name.lower())
    if package is None:
        return None
    install = f"Install it: pip install 'medical-codesearch[{package.extra}]'"
    found = find_spec(package.module)
    if found is None or not found.submodule_search_locations:
        raise SourceError(name, f"the package {package.module} that ships this code set is not installed", install)
    folder = Path(next(iter(found.submodule_search_locations)))
    files = sorted(folder.glob(package.pattern), key=lambda path: (path.stat().st_mtime, path.name))
    if not files:
        update = f"Update it: pip install --upgrade 'medical-codesearch[{package.extra}]'"
        raise SourceError(name, f"the installed {package.module} ships no file {package.pattern}", update)
    return files[-1]
