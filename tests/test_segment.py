"""The Whoosh index of a generation: equal input gives equal bytes, and nothing that is damaged or forged is opened."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from whoosh import index
from whoosh.fields import TEXT, Schema

from codesearch.config import config_root
from codesearch.errors import IndexCorruptError, UntrustedIndexError, UsageError
from codesearch.index.arrays import ARRAYS_NAME, ArrayFile, write_arrays
from codesearch.index.build import as_they_are, write_index
from codesearch.index.codec.segment import ArraySegment
from codesearch.index.record_file import StoredRecord
from codesearch.index.segment import open_segment, write_segment
from codesearch.index.settings import IndexSettings, read_settings, thaw_settings
from codesearch.records import CodeRecord

SETTINGS = read_settings(config_root() / "index")._replace(rules=())
FIELDS = SETTINGS.fields
RECORDS = [
    CodeRecord("ICD10CM", "E11", "Type 2 diabetes mellitus", kind="header"),
    CodeRecord("ICD10CM", "E11.9", "Type 2 diabetes mellitus without complications", parent="E11", notes=("A note.",)),
    CodeRecord("ICD10CM", "E12", "Another"),
    CodeRecord("ICD10CM", None, "Page without a code"),
]


def write(folder: Path, records: list[CodeRecord]) -> Path:
    """The arrays of the records and the segment over them."""
    folder.mkdir()
    write_index(folder, [map(StoredRecord, records)], SETTINGS, as_they_are)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "generation", RECORDS)


def opened(folder: Path) -> Any:
    return open_segment(folder, SETTINGS)


# The files


def test_the_table_of_contents_is_the_only_file_that_whoosh_leaves(tmp_path: Path) -> None:
    write_segment(tmp_path, SETTINGS, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["_MAIN_1.toc"]
    write_segment(tmp_path, SETTINGS, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["_MAIN_1.toc"]


BUILD = """
import sys
from pathlib import Path
from codesearch.config import config_root
from codesearch.index.segment import write_segment
from codesearch.index.settings import read_settings
write_segment(Path(sys.argv[1]), read_settings(config_root() / "index"), 4)
"""


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_equal_input_gives_equal_bytes_in_every_process(folder: Path, tmp_path: Path, seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], env=environment, check=True)
    assert (tmp_path / "_MAIN_1.toc").read_bytes() == (folder / "_MAIN_1.toc").read_bytes()


def test_settings_from_a_manifest_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    frozen = msgspec.json.decode(msgspec.json.encode(SETTINGS.frozen()))
    write_segment(tmp_path, thaw_settings(frozen, tmp_path), 4)
    assert (tmp_path / "_MAIN_1.toc").read_bytes() == (folder / "_MAIN_1.toc").read_bytes()


def test_whoosh_cannot_change_the_segment(folder: Path) -> None:
    segment = opened(folder).reader().segment()
    writer = index.open_dir(str(folder)).writer(codec=segment.codec(), compound=False)
    with pytest.raises(UsageError, match="built whole"):
        writer.add_document(name="more")
    with pytest.raises(UsageError, match="built whole"):
        writer.delete_document(0)
    writer.cancel()


def test_a_cut_or_missing_file_of_arrays_is_corrupt(folder: Path) -> None:
    arrays = folder / ARRAYS_NAME
    whole = arrays.read_bytes()
    for size in (0, 7, 100, len(whole) // 2, len(whole) - 100):
        arrays.write_bytes(whole[:size])
        with pytest.raises(IndexCorruptError, match=ARRAYS_NAME):
            open_segment(folder, SETTINGS)
    arrays.unlink()
    with pytest.raises(IndexCorruptError, match=ARRAYS_NAME):
        open_segment(folder, SETTINGS)


def test_arrays_of_another_build_are_corrupt(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "smaller", RECORDS[:2])
    (folder / ARRAYS_NAME).write_bytes((tmp_path / "smaller" / ARRAYS_NAME).read_bytes())
    with pytest.raises(IndexCorruptError, match="does not fit its segment"):
        open_segment(folder, SETTINGS)


@pytest.mark.parametrize("name", ["bare", "title.entries", "title.positions", "section.fields", "keyword.kind"])
def test_arrays_of_wrong_sizes_are_corrupt(folder: Path, name: str) -> None:
    file = ArrayFile(folder / ARRAYS_NAME)
    arrays = {each: file[each] for each in file.names()}
    write_arrays(folder / "cut", {**arrays, name: arrays[name][:-1]}, file.meta)
    (folder / "cut").replace(folder / ARRAYS_NAME)
    with pytest.raises(IndexCorruptError, match=f"array '{name}' has"):
        open_segment(folder, SETTINGS)


def test_another_configuration_of_fields_does_not_open_it(folder: Path) -> None:
    fields = msgspec.structs.replace(SETTINGS.config.fields, keywords={"system": "system"})
    config = msgspec.structs.replace(SETTINGS.config, fields=fields)
    other = IndexSettings(config, type(FIELDS).of(fields))
    with pytest.raises(IndexCorruptError, match="other fields"):
        open_segment(folder, other)


# Trust


class Command:
    """Its pickle runs a command of the shell."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch was_run",)


def craft(folder: Path, segments: object) -> None:
    """Put another list of segments at the end of the table of contents."""
    table = folder / "_MAIN_1.toc"
    whole = table.read_bytes()
    crafted = pickle.dumps(segments, pickle.HIGHEST_PROTOCOL)
    table.write_bytes(whole[: whole.rindex(crafted[:2])] + crafted)


def test_a_crafted_list_of_segments_is_refused_and_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    craft(folder, [Command()])
    with pytest.raises(UntrustedIndexError, match=r"names posix\.system"):
        open_segment(folder, SETTINGS)
    assert not Path("was_run").exists()


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: {},
        lambda state: {**state, "more": 1},
        lambda state: {**state, "indexname": 1},
        lambda state: {**state, "layout": {**state["layout"], "title": 1}},
        lambda state: {**state, "layout": {**state["layout"], "documents": -1}},
        lambda state: [state],
    ],
)
def test_a_segment_in_another_state_is_corrupt(
    folder: Path, monkeypatch: pytest.MonkeyPatch, forge: Callable[[dict[str, Any]], object]
) -> None:
    segment = opened(folder).reader().segment()
    forged = forge(segment.__getstate__())
    with monkeypatch.context() as forging:
        forging.setattr(ArraySegment, "__getstate__", lambda _: forged)
        craft(folder, [segment])
    with pytest.raises(IndexCorruptError, match=r"_MAIN_1\.toc"):
        open_segment(folder, SETTINGS)


@pytest.mark.parametrize("count", [0, 2])
def test_an_index_has_one_segment(folder: Path, count: int) -> None:
    craft(folder, [opened(folder).reader().segment()] * count)
    with pytest.raises(IndexCorruptError, match="one segment"):
        open_segment(folder, SETTINGS)


def test_an_index_of_another_codec_is_not_ours(tmp_path: Path) -> None:
    with index.create_in(str(tmp_path), Schema(name=TEXT())).writer() as writer:
        writer.add_document(name="pain")
    with pytest.raises((IndexCorruptError, UntrustedIndexError)):
        open_segment(tmp_path, SETTINGS)
