"""SeaweedFS: an S3 server for media, on loopback ports that it keeps from one run to the next.

Other accounts of the machine, and any page in a browser on it, can reach these ports: `storage_keys` closes all of them
but the S3 one, which asks for a signature. Pages of this site alone may read what that one answers.
"""

import http.client
import json
import os
import random
import shutil
import socket
import sysconfig
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from chatproject.exposure import site_origins

from .address import Address
from .engine import Engine
from .errors import CannotRun
from .storage_keys import private_environment

BUCKET = "chat-media"
PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
)
# Below the range from which systems take ports for outgoing connections.
RANGE = range(12_000, 32_000)
VACUUM_SECONDS = 60
"""How often the storage gives back the room of what was overwritten or removed."""
SWITCHED_OFF = {
    "s3.port.iceberg": "0",
    "s3.port.lance": "0",
    "s3.iam": "false",
    "webdav": "false",
    "admin.ui": "false",
    "master.telemetry": "false",
}


class Storage(Engine):
    """`weed mini`: the whole of SeaweedFS in one process."""

    name = "storage"
    title = "The storage (SeaweedFS)"
    variable = "S3_ENDPOINT_URL"
    start_seconds = 30

    def launch(self) -> None:
        """Take over a running storage only if it was started for the same pages, behind closed ports."""
        if self.process.find() and f"-s3.allowedOrigins={self._asking_origins()}" not in self.process.command():
            self.ask_to_stop()
            self.end()
        super().launch()

    def spawn(self) -> None:
        # It would take from there whatever was said to it once and is not said now.
        (self.folder.sub("storage") / "mini.options").unlink(missing_ok=True)
        options = {
            # A comma in a whole path would make two folders of it.
            "dir": ".",
            "s3.localSocket": str(self.folder.sockets() / "s3.sock"),
            "filer.localSocket": str(self.folder.sockets() / "filer.sock"),
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.allowedOrigins": self._asking_origins(),
            # The form of an upload may be sent again and again, and what was overwritten stays until this is done.
            "master.vacuumIntervalSeconds": str(VACUUM_SECONDS),
            **SWITCHED_OFF,
            **{name: str(port) for name, port in self._free_ports().items()},
        }
        self.process.spawn(
            [find_weed(), "mini", *(f"-{name}={value}" for name, value in options.items())],
            env={
                **os.environ,
                **private_environment(self.folder.sub("run")),
                "AWS_ACCESS_KEY_ID": self.keys["S3_ACCESS_KEY_ID"],
                "AWS_SECRET_ACCESS_KEY": self.keys["S3_SECRET_ACCESS_KEY"],
            },
            log=self.log,
            place=self.folder.sub("storage"),
        )

    def end(self) -> None:
        """Wait until the storage is gone, and remove the sockets that it leaves in the system's folder."""
        super().end()
        for port in self._ports().values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 (its own choice, not to be changed)
                left.unlink(missing_ok=True)

    def may_try_again(self, words: str) -> bool:
        """Another program was faster at one of the ports: choose others."""
        taken = "address already in use" in words.lower()
        if taken:
            self._ports_file.unlink(missing_ok=True)
        return taken

    def answers(self) -> bool:
        """Tell whether the gateway stands, with our bucket in it."""
        return self._gateway_stands() and self._has_bucket()

    def _gateway_stands(self) -> bool:
        """A request without a signature is refused, by a gateway that is ready to."""
        connection = http.client.HTTPConnection("127.0.0.1", self._ports()["s3.port"], timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.FORBIDDEN
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _has_bucket(self) -> bool:
        """Make the bucket if it isn't there, and let this site's pages alone read what it answers."""
        from botocore.exceptions import BotoCoreError, ClientError  # slow to load; by now there is time

        try:
            with self._client() as client:
                # The server's own `-bucket` comes some time after it answers.
                with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                    client.create_bucket(Bucket=BUCKET)
                allow_pages(client, BUCKET, self._origins())
        except (BotoCoreError, ClientError):
            return False
        return True

    @contextmanager
    def _client(self) -> Iterator[Any]:
        import boto3
        from botocore.config import Config

        known = self.environment()
        with closing(
            boto3.client(
                "s3",
                endpoint_url=known["S3_ENDPOINT_URL"],
                aws_access_key_id=known["S3_ACCESS_KEY_ID"],
                aws_secret_access_key=known["S3_SECRET_ACCESS_KEY"],
                region_name="us-east-1",
                config=Config(
                    connect_timeout=2,
                    read_timeout=5,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                ),
            )
        ) as client:
            yield client

    def _origins(self) -> list[str]:
        return site_origins(self.environ, str(Address.of(self.environ)))

    def _asking_origins(self) -> str:
        """Whose pages may ask before an upload: for that, SeaweedFS knows no patterns and looks at no bucket's rule."""
        origins = self._origins()
        return "*" if any("*" in origin for origin in origins) else ",".join(origins)

    def environment(self) -> dict[str, str]:
        return {
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{self._ports()['s3.port']}",
            "S3_BUCKET": BUCKET,
            "S3_ACCESS_KEY_ID": self.keys["S3_ACCESS_KEY_ID"],
            "S3_SECRET_ACCESS_KEY": self.keys["S3_SECRET_ACCESS_KEY"],
        }

    @property
    def _ports_file(self) -> Path:
        return self.folder.sub("run") / "storage-ports.json"

    def _ports(self) -> dict[str, int]:
        try:
            return {name: int(port) for name, port in json.loads(self._ports_file.read_text()).items()}
        except (OSError, ValueError):
            return {}

    def _free_ports(self) -> dict[str, int]:
        """Return the ports of the last run if all are free still, else new ones."""
        ports = self._ports()
        if set(ports) != set(PORTS) or not all(map(is_free, ports.values())):
            ports = dict(zip(PORTS, choose_ports(len(PORTS)), strict=True))
            self._ports_file.write_text(json.dumps(ports))
        return ports


def allow_pages(client: Any, bucket: str, origins: list[str]) -> None:
    """Let pages of these origins read what a bucket answers, and no others."""
    rule = {"AllowedOrigins": origins, "AllowedMethods": ["GET", "HEAD", "POST"], "AllowedHeaders": ["*"]}
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def find_weed() -> str:
    """Return the path of the server, which its wheel puts beside the interpreter."""
    path = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if not path:
        raise CannotRun("SeaweedFS is missing. Install requirements-dev.txt, or name a storage by S3_ENDPOINT_URL.")
    return path


def choose_ports(count: int) -> list[int]:
    """Return that many loopback ports which nobody uses now."""
    free = [port for port in random.sample(RANGE, k=count * 20) if is_free(port)]
    if len(free) < count:
        raise CannotRun("There are not enough free ports on this machine for the storage.")
    return free[:count]


def is_free(port: int) -> bool:
    """Tell whether we could listen on that loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
