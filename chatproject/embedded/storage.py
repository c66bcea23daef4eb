"""Embedded SeaweedFS: an S3 server for media, on loopback ports that stay the same from one run to the next.

Other users of the machine, and any page in a browser on it, can reach these ports. The S3 port requires a signature,
and CORS lets only pages of this site read its answers; `storage_keys` protects all others with certificates.
"""

import http.client
import json
import os
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from chatproject.exposure import Address, site_origins

from .engine import Engine
from .errors import CannotRun
from .ports import choose_ports, is_free
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
VACUUM_SECONDS = 60
"""How often the storage frees the space of what was overwritten or deleted."""
DISABLED = {
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
        """Adopt a running storage only if it was started for the same origins, with its ports protected."""
        if self.process.adopt() and f"-s3.allowedOrigins={self._preflight_origins()}" not in self.process.command():
            self.request_stop()
            self.end()
        super().launch()

    def spawn(self) -> None:
        # SeaweedFS would take options of an earlier run from this file.
        (self.folder.subfolder("storage") / "mini.options").unlink(missing_ok=True)
        options = {
            # Not the whole path: a comma in it would separate two folders.
            "dir": ".",
            "s3.localSocket": str(self.folder.sockets() / "s3.sock"),
            "filer.localSocket": str(self.folder.sockets() / "filer.sock"),
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.allowedOrigins": self._preflight_origins(),
            # An upload form may be sent many times, and overwritten objects take space until the next vacuum.
            "master.vacuumIntervalSeconds": str(VACUUM_SECONDS),
            **DISABLED,
            **{name: str(port) for name, port in self._free_ports().items()},
        }
        self.process.spawn(
            [find_weed(), "mini", *(f"-{name}={value}" for name, value in options.items())],
            env={
                **os.environ,
                **private_environment(self.folder.subfolder("run")),
                "AWS_ACCESS_KEY_ID": self.keys["S3_ACCESS_KEY_ID"],
                "AWS_SECRET_ACCESS_KEY": self.keys["S3_SECRET_ACCESS_KEY"],
            },
            log=self.log,
            cwd=self.folder.subfolder("storage"),
        )

    def end(self) -> None:
        """Wait until the storage has stopped, and remove the sockets that it leaves in /tmp."""
        super().end()
        for port in self._ports().values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 (SeaweedFS's choice, not configurable)
                left.unlink(missing_ok=True)

    def can_retry(self, log: str) -> bool:
        """Choose other ports if another program has taken one of ours since we looked."""
        taken = "address already in use" in log.lower()
        if taken:
            self._ports_file.unlink(missing_ok=True)
        return taken

    def answers(self) -> bool:
        """Tell whether the S3 gateway answers and our bucket exists."""
        return self._gateway_answers() and self._has_bucket()

    def _gateway_answers(self) -> bool:
        """Tell whether the gateway refuses a request without a signature, as it does once it is ready."""
        connection = http.client.HTTPConnection("127.0.0.1", self._ports()["s3.port"], timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.FORBIDDEN
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _has_bucket(self) -> bool:
        """Create the bucket if it is missing, and let only pages of this site read its answers."""
        from botocore.exceptions import BotoCoreError, ClientError  # slow to load, and only needed here

        try:
            with self._client() as client:
                # The server's own option `-bucket` creates it only some time after the gateway answers.
                with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                    client.create_bucket(Bucket=BUCKET)
                set_cors(client, BUCKET, self._origins())
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

    def _preflight_origins(self) -> str:
        """Return the origins that may send preflight requests: for these, SeaweedFS ignores patterns and CORS rules."""
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
        return self.folder.subfolder("run") / "storage-ports.json"

    def _ports(self) -> dict[str, int]:
        try:
            return {name: int(port) for name, port in json.loads(self._ports_file.read_text()).items()}
        except (OSError, ValueError):
            return {}

    def _free_ports(self) -> dict[str, int]:
        """Return the ports of the last run if all are still free, otherwise new ones."""
        ports = self._ports()
        if set(ports) != set(PORTS) or not all(map(is_free, ports.values())):
            ports = dict(zip(PORTS, choose_ports(len(PORTS)), strict=True))
            self._ports_file.write_text(json.dumps(ports))
        return ports


def set_cors(client: Any, bucket: str, origins: list[str]) -> None:
    """Let pages of these origins, and no others, read the answers of a bucket."""
    rule = {"AllowedOrigins": origins, "AllowedMethods": ["GET", "HEAD", "POST"], "AllowedHeaders": ["*"]}
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def find_weed() -> str:
    """Return the path of the server, which its wheel installs beside the interpreter."""
    path = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if not path:
        raise CannotRun("SeaweedFS is missing. Install requirements-dev.txt, or name a storage by S3_ENDPOINT_URL.")
    return path
