"""Fuzzes with atheris: mutated bytes for the targets of `fuzz_targets.py`, led by the lines of code that they reach.

    make fuzz                                             # all targets, some minutes each
    python tests/trust/fuzz.py query --runs 200000        # one of them

Needs `pip install -e ".[fuzz]"`. What fails lies in `crash-*` of the folder given by `--found`; a target called with
that file's bytes fails again. Prints what libFuzzer prints; its last lines say how many runs were done.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))
with atheris.instrument_imports(include=["codesearch"]):
    from fuzz_index import INDEX_TARGETS
    from fuzz_targets import TARGETS

ALL = TARGETS | INDEX_TARGETS
_SECONDS = 120
"""A single run that takes longer is a hang: milliseconds are usual, but other work may have the processor."""


def main() -> None:
    """Reads the arguments and fuzzes one target; libFuzzer ends the process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=ALL)
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0, help="0 stands for any")
    parser.add_argument("--longest", type=int, default=20_000, metavar="BYTES", help="of what is given to the target")
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()), metavar="FOLDER")
    options = parser.parse_args()
    options.found.mkdir(parents=True, exist_ok=True)
    target = ALL[options.target]
    seeds = options.found / f"seeds-{options.target}"
    seeds.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"{number:04d}").write_bytes(seed[: options.longest])
    arguments = [sys.argv[0], f"-runs={options.runs}", f"-timeout={_SECONDS}", f"-max_len={options.longest}"]
    arguments += [f"-seed={options.seed}", "-len_control=0"]  # long inputs from the beginning
    arguments += [f"-artifact_prefix={options.found}/{options.target}-", "-rss_limit_mb=3000", "-print_final_stats=1"]
    atheris.Setup([*arguments, str(seeds)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
