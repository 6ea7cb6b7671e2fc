"""Archives give their members, bounded and without leaving the archive."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
from pathlib import Path

import msgspec
import pytest
from ingest_support import ROOT

from codesearch.ingest.archives import Found, Member, is_archive, members
from codesearch.ingest.gate import read_gate
from codesearch.records import InputWarning, Reject, Skip

FILES = {"a/22512.html": b"<h1>A</h1>", "b.txt": b"Text"}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    """A packed zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    """A tar, packed if its name says so."""
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


LIMITS = read_gate(ROOT / "ingest").files


def read(path: Path, **limits: int) -> list[Found]:
    """What an archive gives, some limits being other than they are shipped."""
    return list(members(path, path.name, msgspec.structs.replace(LIMITS, **limits)))


WRITERS = {"x.zip": write_zip, "x.tar": write_tar, "x.tar.gz": write_tar, "x.tgz": write_tar}


@pytest.mark.parametrize("name", WRITERS)
def test_members_come_with_their_place_and_bytes(tmp_path: Path, name: str) -> None:
    assert is_archive(name.upper())
    path = WRITERS[name](tmp_path / name, FILES)
    assert read(path) == [Member(f"{name}!{member}", member, data) for member, data in FILES.items()]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    "member", ["../evil.html", "/etc/evil.html", "a/../../evil.html", "C:\\evil.html", "..\\evil.html"]
)
def test_names_that_lead_out_of_the_archive_are_rejected(tmp_path: Path, name: str, member: str) -> None:
    path = WRITERS[name](tmp_path / name, {member: b"x", "good.html": b"y"})
    reasons = [
        found.reason if isinstance(found, Reject) else found.name
        for found in read(path)
        if isinstance(found, Reject | Member)
    ]
    assert reasons == ["unsafe-name", "good.html"]


def test_bomb_in_a_zip_is_rejected_and_the_rest_goes_on(tmp_path: Path) -> None:
    found = read(write_zip(tmp_path / "x.zip", {"bomb.html": b"\0" * 5_000_000, "good.html": b"y"}))
    assert [one.reason if isinstance(one, Reject) else "read" for one in found] == ["archive-bomb", "read"]


def test_bomb_in_a_tar_ends_its_reading(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "x.tar.gz", {f"{number}.html": b"\0" * 400_000 for number in range(9)})
    found = read(path, max_member_bytes=1_000_000)
    assert isinstance(found[-1], Reject)
    assert found[-1].reason == "archive-bomb"
    assert len(found) < 9


def test_members_over_the_limit_are_rejected(tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        (found,) = read(write(tmp_path / name, {"a.html": b"0123456789ABC"}), max_member_bytes=10)
        assert isinstance(found, Reject)
        assert found.reason == "too-large"


def test_members_over_the_count_are_told(tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        found = read(write(tmp_path / name, FILES), max_members=1)
        assert isinstance(found[0], Member)
        assert isinstance(found[1], Reject)
        assert found[1].reason == "too-large"


@pytest.mark.parametrize("name", [*WRITERS, "x.warc.gz"])
@pytest.mark.parametrize("kept", [0, 1, 40, 200])
def test_broken_archives_give_a_reject_and_never_stop(tmp_path: Path, name: str, kept: int) -> None:
    path = tmp_path / name
    whole = (
        WRITERS[name](path, {**FILES, "c.html": bytes(range(256)) * 40}).read_bytes()
        if name in WRITERS
        else PACKED_WARC
    )
    path.write_bytes(whole[:kept])
    assert any(isinstance(found, Reject) for found in read(path)) or name == "x.tar" or kept == 0 or "warc" in name


def test_archive_of_another_kind_than_its_name_says_is_rejected(tmp_path: Path) -> None:
    for name in ("x.zip", "x.tar", "x.tar.gz"):
        path = tmp_path / name
        path.write_bytes(b"this is no archive at all, but a text of some length" * 30)
        (found,) = read(path)
        assert isinstance(found, Reject)
        assert found.reason == "broken-archive"


def test_encrypted_member_is_rejected(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a.html": b"secret"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    (found,) = read(path)
    assert isinstance(found, Reject)
    assert found.reason == "broken-archive"


def test_folders_and_links_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("a.html")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert read(path) == []


def response(url: str, body: bytes, kind: str = "text/html", status: str = "200 OK") -> bytes:
    """A WARC record of an answer."""
    answer = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:12345678-1234-1234-1234-123456789012>\r\n"
        f"WARC-Target-URI: {url}\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n"
        "Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(answer)}\r\n\r\n"
    )
    return head.encode() + answer + b"\r\n\r\n"


RECORDS = [
    response("https://x.example/cpt4/22512-a", b"<h1>A</h1>"),
    response("https://x.example/logo.png", b"\x89PNG", "image/png"),
    response("https://x.example/gone", b"<h1>Not found</h1>", status="404 Not Found"),
    response("https://x.example/cpt4/22513-b", b"B", "text/plain; charset=utf-8"),
]
WARC = b"".join(RECORDS)
PACKED_WARC = b"".join(map(gzip.compress, RECORDS))


@pytest.mark.parametrize("name", ["x.warc", "x.warc.gz"])
def test_warc_gives_its_pages_with_url_and_time(tmp_path: Path, name: str) -> None:
    pytest.importorskip("warcio")
    path = tmp_path / name
    path.write_bytes(PACKED_WARC if name.endswith(".gz") else WARC)
    first, image, gone, last = read(path)
    url = "https://x.example/cpt4/22512-a"
    assert first == Member(f"{name}!{url}", url, b"<h1>A</h1>", url, "2026-01-02T03:04:05Z")
    assert image == Skip(f"{name}!https://x.example/logo.png", "no page (image/png)")
    assert isinstance(gone, Reject)
    assert gone.reason == "error-page"
    assert isinstance(last, Member)
    assert last.data == b"B"


def test_warc_cut_in_the_middle_gives_what_was_whole(tmp_path: Path) -> None:
    pytest.importorskip("warcio")
    path = tmp_path / "x.warc"
    path.write_bytes(WARC[: len(RECORDS[0]) + 100])
    first, broken = read(path)
    assert isinstance(first, Member)
    assert isinstance(broken, Reject)
    assert broken.reason == "broken-archive"


def test_what_warcio_wonders_about_is_not_shown_in_the_words_of_strangers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("warcio")
    path = tmp_path / "x.warc"
    strange = response("https://x.example/\x1b[31m a", b"<h1>A</h1>")
    path.write_bytes(strange + b"\x1b[31mmore\r\n\r\n" + RECORDS[0])
    first, rest = read(path)
    assert isinstance(first, Member)
    assert isinstance(rest, Reject)
    assert capfd.readouterr() == ("", "")


def test_records_of_another_length_than_they_say_are_warned_about(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("warcio")
    path = tmp_path / "x.warc"
    length = re.search(rb"msgtype=response\r\nContent-Length: (\d+)", RECORDS[0])
    assert length
    shorter = RECORDS[0].replace(length[0], length[0].replace(length[1], str(int(length[1]) - 5).encode()))
    path.write_bytes(shorter + RECORDS[3])
    *found, warning = read(path)
    assert [type(one) for one in found] == [Member, Member]
    assert isinstance(warning, InputWarning)
    assert warning.kind == "broken-records"
    assert capfd.readouterr() == ("", "")
