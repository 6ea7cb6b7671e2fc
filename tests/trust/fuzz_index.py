"""Fuzzing the opening of an index: its files changed here and there, once as by a failing disk, once as by a stranger.

A failing disk leaves the manifest as it was, so any change must be told. A stranger writes a manifest that fits: then
nothing may happen but an error of ours or an answer, right or wrong; above all nothing that reads beyond an array.
"""

from __future__ import annotations

import itertools
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import zstandard
from fuzz_targets import QUERIES, Target, expect_clear_answer, work_folder
from query_support import BUILT, CLINIC, CLINIC_RULES, publish, with_rules

import codesearch
from codesearch.errors import IndexUnusableError, UnknownCodeError
from codesearch.index import manifest
from codesearch.index.arrays import write_arrays
from codesearch.index.generations import GenerationStore
from codesearch.index.record_file import RECORDS
from codesearch.verify import verify

_NUMBERS = (-1, 0, 1, 2, 127, 128, 255, 65_535, 65_536, 2**31 - 1, -(2**31), 10**6)
_LEAVES: tuple[Any, ...] = (-1, 0, 1e300, 1e-300, "", "(", None, [], {}, True, 10**18, "system", "../x")

_places = itertools.count()


class Edit(NamedTuple):
    """One change: what kind of change, where (from 0 to 65535 of the whole), and to what."""

    kind: int
    place: int
    value: int


def edits(data: bytes) -> Iterator[Edit]:
    """The changes that some bytes stand for, at most eight."""
    for kind, place, value in itertools.islice(struct.iter_unpack("<BHB", data[: len(data) // 4 * 4]), 8):
        yield Edit(kind, place, value)


@cache
def _sound() -> dict[str, bytes]:
    """The files of a generation."""
    place = work_folder() / "sound"
    publish(place, CLINIC, with_rules(CLINIC_RULES))
    folder = GenerationStore(place).current().folder
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@cache
def _arrays(name: str) -> list[tuple[int, int, int]]:
    """Of each array of a file: where it begins, how many items it has, and how many bytes each takes."""
    data = _sound()[name]
    return [
        (start, shape[0], int(kind[2:]))
        for kind, shape, start in msgspec.json.decode(data[header_of(data)])["arrays"].values()
        if shape[0] and kind[1] != "S"
    ]


def header_of(data: bytes | bytearray) -> slice:
    """Where the header of a file of arrays lies; anywhere when the file is broken."""
    return slice(-16 - int.from_bytes(data[-16:-8], "little"), -16)


def _flip(files: dict[str, bytearray], edit: Edit) -> None:
    """Changes a byte of any file."""
    names = sorted(name for name in files if files[name])
    data = files[names[edit.kind % len(names)]]
    data[edit.place * len(data) // 65_536] ^= edit.value or 1


def _cut(files: dict[str, bytearray], edit: Edit) -> None:
    """Takes away the end of a file."""
    data = files[sorted(files)[edit.value % len(files)]]
    del data[edit.place * len(data) // 65_536 :]


def _number(files: dict[str, bytearray], edit: Edit) -> None:
    """Puts another number into an array."""
    name = ("index.arrays", "records.arrays")[edit.value >> 7]
    arrays = _arrays(name)
    start, count, size = arrays[edit.kind // 8 % len(arrays)]
    place = start + edit.place * count // 65_536 * size
    number = _NUMBERS[edit.value % len(_NUMBERS)] & (2 ** (8 * size) - 1)
    if place + size <= len(files[name]):
        files[name][place : place + size] = number.to_bytes(size, "little")


def _leaf(files: dict[str, bytearray], edit: Edit) -> None:
    """Puts something else into the configuration of the manifest."""
    document = _decoded(files[manifest.MANIFEST])
    if document is None or not isinstance(document.get("config"), dict):
        return
    leaves = list(_leaves(document["config"]))
    holder, key = leaves[edit.place * len(leaves) // 65_536]
    holder[key] = _LEAVES[edit.value % len(_LEAVES)]
    files[manifest.MANIFEST][:] = msgspec.json.encode(document)


def _header(files: dict[str, bytearray], edit: Edit) -> None:
    """Puts something else into the header of a file of arrays."""
    change_header(files[("index.arrays", "records.arrays")[edit.value >> 7]], lambda header: _replace(header, edit))


def change_header(data: bytearray, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the header of a file of arrays, which stay before it."""
    header = _decoded(data[header_of(data)])
    if isinstance(header, dict):
        change(header)
        changed = msgspec.json.encode(header)
        data[header_of(data).start : -8] = changed + len(changed).to_bytes(8, "little")


def _phrase(files: dict[str, bytearray], edit: Edit) -> None:
    """Puts something else into the table of expansions."""
    table = _decoded(files["expansions.json"])
    if isinstance(table, dict):
        _replace(table, edit)
        files["expansions.json"][:] = msgspec.json.encode(table)


def _record(files: dict[str, bytearray], edit: Edit) -> None:
    """Takes a record away, puts another one twice, or something else into one."""
    try:
        lines = zstandard.ZstdDecompressor().decompress(bytes(files[f"{RECORDS}.bin"])).splitlines()
    except zstandard.ZstdError:
        return
    place = edit.place * len(lines) // 65_536
    if edit.value < 8:
        lines[place : place + 1] = [lines[place - 1]] * (edit.value % 3)
    elif isinstance(line := _decoded(lines[place]), dict):
        _replace(line, edit._replace(place=edit.place * 31 % 65_536))
        lines[place] = msgspec.json.encode(line)
    packed, count = zstandard.ZstdCompressor().compress(b"".join(line + b"\n" for line in lines)), len(lines)
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    table = {"blocks": np.array([0, len(packed)]), "block_of": np.zeros(count, "<i4")}
    table |= {"start_of": np.array(starts[:-1], "<i4")}
    table["contents"] = np.zeros(count, "<u8")
    path = work_folder() / "edited.arrays"
    write_arrays(path, table, {})
    files[f"{RECORDS}.bin"][:], files[f"{RECORDS}.arrays"][:] = packed, path.read_bytes()


def _replace(document: Any, edit: Edit) -> None:
    """Puts something else in a place of a JSON document."""
    leaves = list(_leaves(document))
    if leaves:
        holder, key = leaves[edit.place * len(leaves) // 65_536]
        choices = (*_LEAVES, *_NUMBERS)
        holder[key] = choices[edit.value % len(choices)]


def _leaves(holder: Any) -> Iterator[tuple[Any, Any]]:
    pairs = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for key, value in list(pairs):
        yield holder, key
        if isinstance(value, dict | list):
            yield from _leaves(value)


def _decoded(data: bytes | bytearray) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


_BY_A_DISK: tuple[Callable[[dict[str, bytearray], Edit], None], ...] = (_flip, _flip, _number, _cut)
_BY_A_STRANGER: tuple[Callable[[dict[str, bytearray], Edit], None], ...] = (
    *(_number, _leaf, _number, _flip),
    *(_header, _phrase, _record, _leaf),
)


def damaged(data: bytes) -> None:
    """Changed files are told when the index is opened, searched or verified, and never answered from."""
    files = {name: bytearray(content) for name, content in _sound().items()}
    for edit in edits(data):
        _BY_A_DISK[edit.kind % 4](files, edit)
    changed = {name for name, content in files.items() if content != _sound()[name]}
    if _decoded(files[manifest.MANIFEST]) == _decoded(_sound()[manifest.MANIFEST]):
        changed.discard(manifest.MANIFEST)  # only white space, perhaps
    index = _written(files)
    try:
        try:
            use(index)
        except IndexUnusableError:
            assert changed
        else:
            assert [problem.name for problem in verify(index)] == sorted(changed)
    finally:
        shutil.rmtree(index)


def crafted(data: bytes) -> None:
    """An index made by a stranger is refused, or gives some answer."""
    files = {name: bytearray(content) for name, content in _sound().items()}
    for edit in edits(data):
        _BY_A_STRANGER[edit.kind % 8](files, edit)
    document = _decoded(files.pop(manifest.MANIFEST)) or {}
    config = document.get("config")
    with by_a_stranger(files, config if isinstance(config, dict) else {}) as index:
        expect_clear_answer(lambda: use(index))
        expect_clear_answer(lambda: list(verify(index)))


def sound() -> tuple[dict[str, bytearray], dict[str, Any]]:
    """The files of a generation without the manifest, and the configuration in it."""
    files = {name: bytearray(content) for name, content in _sound().items()}
    config: dict[str, Any] = _decoded(files.pop(manifest.MANIFEST))["config"]
    return files, config


@contextmanager
def by_a_stranger(files: dict[str, bytearray], config: dict[str, Any]) -> Iterator[Path]:
    """An index of these files, with a manifest that fits them."""
    index = _written(files)
    try:
        manifest.write(GenerationStore(index).current().folder, tool_version="0", counts={}, sources=[], config=config)
        yield index
    finally:
        shutil.rmtree(index)


def _written(files: dict[str, bytearray]) -> Path:
    index = work_folder() / f"index{next(_places)}"
    with GenerationStore(index).building() as draft:
        for name, content in files.items():
            (draft.folder / name).write_bytes(content)
        draft.publish(BUILT)
    return index


def use(place: Path) -> None:
    """Opens an index, and asks it everything."""
    with codesearch.open_index(place) as index:
        index.status()
        for text in QUERIES:
            results = index.search(text)
            for hit in results:
                hit.to_dict()
        index._searcher.compile()
        for text in QUERIES:
            assert results.total >= len(index.search(text, limit=3)) - 3
        for record in CLINIC:
            index.get(record.code or "x")
            with suppress(UnknownCodeError):
                index.families(record.code or "x")
        for text in QUERIES[::4]:
            index.suggest(text)
            index.complete_code(text)
            results = index.search(text, sort="code", group=True, limit=2)
            results.facets  # noqa: B018 (made when it is asked for)
            [hit.to_explained_dict() for hit in results]
        with suppress(UnknownCodeError):
            index.similar("E11.9")
        list(index.codes_with_policy("policy"))


def _seeds() -> list[bytes]:
    """One edit of each kind here and there, and some of them together."""
    alone = [bytes([kind, kind * 7 % 256, kind * 31 % 256, kind * 13 % 256]) for kind in range(0, 256, 5)]
    return [*alone, *(b"".join(alone[first::11]) for first in range(11))]


INDEX_TARGETS = {"damaged": Target(damaged, _seeds), "crafted": Target(crafted, _seeds)}
