"""The targets of `make fuzz` on a few mutated seeds, and on what fuzzing found before."""

from __future__ import annotations

import base64
import random
import time

import pytest
from fuzz_index import INDEX_TARGETS
from fuzz_targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

ALL = TARGETS | INDEX_TARGETS
SECONDS = 2.0
"""Processor time of one run."""
_INSERTS = (
    b"\0",
    b"\xff",
    b"<",
    b'"',
    b"\n",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"&#0;",
    b"9" * 30,
    "²".encode(),
    b"{{",
)

FOUND = {
    # What made each of them fail: half of a character; a table without a delimiter; a superscript digit; bytes that
    # are no UTF-8 in JSON; a broken workbook; a member without a name.
    "code": ["OTkyMDItOf8yMTUgdmlzaXQ="],
    "query": ["TSphKmEq09PT09PT09PT09PT09PTYSo="],
    "codeset": [
        "Bgo=",
        "CjAwMDDCsiBBMDAgICAgIDAgQ2hvbGVyYSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICBDaG9sZXJhCg==",
    ],
    "damaged": ["/////w=="],
    "crafted": ["w1Wd5w==", "AQAAAA==", "iBhvdkhlZGM="],
}


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A seed with bytes changed, taken out, put in or moved."""
    data = bytearray(seed[:20_000])
    for _ in range(chance.randrange(1, 8)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[place : place + chance.randrange(1, 50)]
            case 2:
                data[place:place] = chance.choice(_INSERTS)
            case _:
                start = chance.randrange(len(data) + 1)
                data[place:place] = data[start : start + chance.randrange(100)]
    return bytes(data)


@pytest.mark.parametrize("name", ALL)
def test_mutated_seeds_get_a_clear_answer_in_time(name: str) -> None:
    target, chance = ALL[name], random.Random(name)
    seeds = target.seeds()
    target.run(seeds[0])
    for _ in range(40):
        begun = time.process_time()
        target.run(mutated(chance.choice(seeds), chance))
        assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("name", [name for name in ALL if name not in {"damaged", "crafted"}])
def test_any_bytes_get_a_clear_answer(name: str) -> None:
    @settings(max_examples=30, deadline=None)
    @given(st.binary(max_size=2000))
    def run(data: bytes) -> None:
        ALL[name].run(data)

    run()


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, found in FOUND.items() for data in found])
def test_what_fuzzing_found_gets_a_clear_answer_now(name: str, data: str) -> None:
    ALL[name].run(base64.b64decode(data))
