"""What other accounts of the machine, and pages in its browsers, can do with the embedded storage."""

import os
import socket
import ssl
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from chatproject.embedded import storage as embedded_storage
from chatproject.embedded.data_folder import DataFolder
from chatproject.embedded.engines import Engines, running_engines
from chatproject.embedded.storage import BUCKET, VACUUM_SECONDS
from messaging.media.storage import MediaStorage

EVIL = "https://evil.example"
REQUESTS = [
    ("GET", "/"),
    ("GET", "/buckets/?pretty=y"),
    ("GET", f"/buckets/{BUCKET}/"),
    ("GET", "/dir/assign"),
    ("GET", "/dir/lookup?volumeId=1&fileId=1,01&read=yes"),
    ("GET", "/status"),
    ("GET", "/metrics"),
    ("GET", "/vol/grow?count=1"),
    ("GET", "/ui/index.html"),
    ("GET", "/1,01637037d6"),
    ("POST", f"/buckets/{BUCKET}/mine.html"),
    ("PUT", "/1,01637037d6"),
    ("DELETE", f"/buckets/{BUCKET}?recursive=true"),
    ("OPTIONS", f"/buckets/{BUCKET}/"),
]
NO_ENGINES = {"DATABASE_URL": "postgresql://elsewhere/parley", "REDIS_URL": "redis://elsewhere"}


@pytest.fixture
def weed() -> psutil.Process:
    """The storage's process of this run."""
    found = DataFolder.of(os.environ).pid_file("storage").read_text().split()[0]
    return psutil.Process(int(found))


def ports_of(process: psutil.Process) -> list[int]:
    """Every TCP port at which a process and what it started listen."""
    family = [process, *process.children(recursive=True)]
    listening = [each for one in family for each in one.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    assert {each.laddr.ip for each in listening} == {"127.0.0.1"}
    return sorted({each.laddr.port for each in listening})


def closed_ports(process: psutil.Process) -> list[int]:
    """All but the S3 port, which asks for a signature."""
    s3 = urlsplit(os.environ["S3_ENDPOINT_URL"]).port
    found = ports_of(process)
    assert s3 in found
    return [port for port in found if port != s3]


def test_no_port_but_the_one_for_s3_answers_in_plain(weed: psutil.Process) -> None:
    assert len(closed_ports(weed)) > 4
    for port in closed_ports(weed):
        for method, path in REQUESTS:
            try:
                answer = httpx.request(method, f"http://127.0.0.1:{port}{path}", headers={"Origin": EVIL})
            except httpx.TransportError:
                continue
            assert answer.text == "Client sent an HTTP request to an HTTPS server.\n", (port, method, path)
            assert "access-control-allow-origin" not in answer.headers


def tls_answer(where: socket.socket) -> bytes:
    """What a server says to the beginning of HTTP/2 and of HTTP/1, by TLS without a certificate of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    where.settimeout(10)
    with where, context.wrap_socket(where) as talk:
        talk.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        return talk.recv(100)


def test_no_port_but_the_one_for_s3_answers_without_a_certificate_of_its_own(weed: psutil.Process) -> None:
    for port in closed_ports(weed):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            tls_answer(socket.create_connection(("127.0.0.1", port)))


def test_its_sockets_ask_for_the_certificate_too_or_lie_where_nobody_else_comes(weed: psutil.Process) -> None:
    paths = [Path(each.laddr) for each in weed.net_connections("unix") if each.laddr]
    assert paths
    for path in paths:
        if stat.S_IMODE(path.parent.stat().st_mode) & 0o022:
            there = socket.socket(socket.AF_UNIX)
            there.connect(str(path))
            with pytest.raises((ssl.SSLError, ConnectionError)):
                tls_answer(there)


def test_its_keys_are_for_the_owner_alone() -> None:
    for file in DataFolder.of(os.environ).subfolder("run").glob("storage.*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 or file.suffix == ".pid"


def test_what_is_stored_is_not_there_for_strangers(settings: Any) -> None:
    endpoint = settings.STORAGES["default"]["OPTIONS"]["endpoint_url"]
    bucket = settings.STORAGES["default"]["OPTIONS"]["bucket_name"]
    for method, path in [
        ("GET", ""),
        ("GET", "/x"),
        ("PUT", "/x"),
        ("DELETE", "/x"),
        ("POST", "?delete"),
        ("DELETE", ""),
    ]:
        assert httpx.request(method, f"{endpoint}/{bucket}{path}").status_code == 403


def client_of(known: dict[str, str]) -> MediaStorage:
    """Our client of a storage that knows these keys."""
    return MediaStorage(
        bucket_name=BUCKET,
        endpoint_url=known["S3_ENDPOINT_URL"],
        access_key=known["S3_ACCESS_KEY_ID"],
        secret_key=known["S3_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
        addressing_style="path",
        signature_version="s3v4",
    )


@pytest.fixture
def old_folder(folder: DataFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DataFolder:
    """A folder whose objects were stored before the ports were closed."""
    file = tmp_path / "file"
    file.write_bytes(b"kept" * 2_000_000)
    with monkeypatch.context() as before:
        before.setattr(embedded_storage, "private_environment", lambda place: {})
        with running_engines(folder, NO_ENGINES) as engines:
            client_of(engines.environment()).store_file(file, "media/old", content_type="text/plain")
    return folder


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_folder_of_before_keeps_its_objects_and_serves_the_pages_of_the_site_alone(
    old_folder: DataFolder, tmp_path: Path
) -> None:
    environ = {**NO_ENGINES, "SITE_URL": "https://chat.example", "PORT": "8170"}
    with running_engines(old_folder, environ) as engines:
        storage = client_of(engines.environment())
        storage.download_file("media/old", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == b"kept" * 2_000_000

        for origin in ("https://chat.example", "http://localhost:8170"):
            assert allowed_by(storage, origin) == [origin] * 4
        for origin in (EVIL, "null", "https://chat.example.evil.example"):
            assert allowed_by(storage, origin) == [None] * 4


def allowed_by(storage: MediaStorage, origin: str) -> list[str | None]:
    """Whom the answers to a page let read them: to its preflights, to a download and to an upload."""
    link = storage.presign_download("media/old", content_type="text/plain", filename="old", is_inline=True)
    offer = storage.presign_upload("uploads/new", content_type="text/plain", size=3)
    upload = {"data": offer["fields"], "files": {"file": ("new", b"new")}}
    asks: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
        ("OPTIONS", link, {"Access-Control-Request-Method": "GET"}, {}),
        ("OPTIONS", offer["url"], {"Access-Control-Request-Method": "POST"}, {}),
        ("GET", link, {}, {}),
        ("POST", offer["url"], {}, upload),
    ]
    found = []
    for method, url, headers, sent in asks:
        try:
            answer = httpx.request(method, url, headers={"Origin": origin, **headers}, **sent)
        except httpx.RemoteProtocolError:  # this is how it refuses a preflight
            found.append(None)
        else:
            found.append(answer.headers.get("Access-Control-Allow-Origin"))
    return found


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_storage_that_was_left_running_is_taken_over_for_the_same_pages_alone(folder: DataFolder) -> None:
    runs: list[Engines] = []

    def start(port: str) -> str:
        runs.append(Engines(folder, {**NO_ENGINES, "PORT": port}))
        runs[-1].start()
        return folder.pid_file("storage").read_text()

    try:
        first = start("8170")
        assert start("8170") == first
        assert start("8171") != first
    finally:
        for run in reversed(runs):
            run.stop()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_storage_frees_the_space_of_overwritten_objects(folder: DataFolder, tmp_path: Path) -> None:
    size, times = 4_000_000, 10
    file = tmp_path / "file"
    file.write_bytes(os.urandom(size))
    with running_engines(folder, NO_ENGINES) as engines:
        storage = client_of(engines.environment())
        for _ in range(times):
            storage.store_file(file, "uploads/one", content_type="application/zip")
        assert bytes_in(folder) > times * size
        deadline = time.monotonic() + 4 * VACUUM_SECONDS
        while bytes_in(folder) > 2 * size and time.monotonic() < deadline:
            time.sleep(1)
        assert bytes_in(folder) <= 2 * size
        storage.download_file("uploads/one", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == file.read_bytes()


def bytes_in(folder: DataFolder) -> int:
    """How many bytes of objects the storage keeps on the disk."""
    sizes = []
    for path in folder.subfolder("storage").rglob("*.dat"):
        # One that is compacted is written anew, and takes the place of the old one.
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return sum(sizes)
