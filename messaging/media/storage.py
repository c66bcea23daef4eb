"""The S3 storage of media: signed uploads and downloads that bypass the server, and the server's own calls."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypedDict, cast
from urllib.parse import quote

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import storages
from storages.backends.s3 import S3Storage

from chatproject.core.database import without_connection
from chatproject.core.errors import Unavailable
from chatproject.core.json_types import UrlText

UPLOAD_URL_SECONDS = 3600
DOWNLOAD_URL_SECONDS = 300
DELETE_BATCH_SIZE = 1000
"""How many objects one call of S3 can delete."""
CLIENT_LOCK = Lock()
NOT_FOUND_CODES = {"404", "NoSuchKey", "NotFound"}


class ObjectNotFound(Exception):
    """The object does not exist."""


class SignedFormJSON(TypedDict):
    """The URL of an upload, and the form fields to send before the file."""

    method: str
    url: UrlText
    fields: dict[str, str]


class MediaStorage(S3Storage):  # type: ignore[misc]
    """S3 with two endpoints: one for this server, and one for browsers and phones."""

    client_config: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # People wait for some of these calls.
        known: Config = self.client_config
        timeouts = Config(connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 2})
        self.client_config = known.merge(timeouts)

    def get_default_settings(self) -> dict[str, Any]:
        return {**super().get_default_settings(), "public_endpoint_url": None}

    @cached_property
    def _internal_client(self) -> Any:
        """The client that all threads share; django-storages would make one for each, of 13 MB."""
        return self._make_client(self.endpoint_url)

    @cached_property
    def _public_client(self) -> Any:
        """The client that signs URLs of the public endpoint; it makes no calls."""
        return self._make_client(self.public_endpoint_url) if self.public_endpoint_url else self._internal_client

    def _make_client(self, endpoint_url: str | None) -> Any:
        # Making clients is not thread-safe, unlike using them.
        with without_connection(), CLIENT_LOCK:
            return self._create_session().client(
                "s3", endpoint_url=endpoint_url, region_name=self.region_name, config=self.client_config
            )

    def presign_upload(self, key: str, *, content_type: str, size: int) -> SignedFormJSON:
        """Sign one upload: for this key, this type and exactly this size, for an hour."""
        # SeaweedFS checks only the fields that the policy names, and obeys all others: the redirect has to be named.
        fields = {"Content-Type": content_type, "success_action_redirect": ""}
        found = self._public_client.generate_presigned_post(
            self.bucket_name,
            key,
            Fields=dict(fields),
            Conditions=[*({name: value} for name, value in fields.items()), ["content-length-range", size, size]],
            ExpiresIn=UPLOAD_URL_SECONDS,
        )
        return {"method": "POST", "url": found["url"], "fields": found["fields"]}

    def presign_download(self, key: str, *, content_type: str, filename: str, is_inline: bool) -> str:
        """Sign a URL for five minutes; it sets the type of the response, and whether browsers show or save it."""
        disposition = "inline" if is_inline else "attachment"
        headers = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": f"{disposition}; filename*=UTF-8''{quote(filename, safe='')}",
        }
        url: str = self._public_client.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket_name, "Key": key, **headers}, ExpiresIn=DOWNLOAD_URL_SECONDS
        )
        return url

    def copy_object(self, key: str, to: str, *, content_type: str) -> None:
        """Copy an object within the storage; ObjectNotFound if it does not exist."""
        with storage_call():
            self._internal_client.copy_object(
                Bucket=self.bucket_name,
                Key=to,
                CopySource={"Bucket": self.bucket_name, "Key": key},
                ContentType=content_type,
                MetadataDirective="REPLACE",
            )

    def has_object(self, key: str) -> bool:
        """Tell whether an object exists."""
        try:
            return self.object_size(key) >= 0
        except ObjectNotFound:
            return False

    def object_size(self, key: str) -> int:
        """Return the size of an object in bytes; ObjectNotFound if it does not exist."""
        with storage_call():
            return int(self._internal_client.head_object(Bucket=self.bucket_name, Key=key)["ContentLength"])

    def read_head(self, key: str, count: int) -> bytes:
        """Read the first bytes of an object."""
        with storage_call():
            found = self._internal_client.get_object(Bucket=self.bucket_name, Key=key, Range=f"bytes=0-{count - 1}")
            head: bytes = found["Body"].read()
            return head

    def download_file(self, key: str, path: Path) -> None:
        """Download an object into a file, in chunks."""
        with storage_call():
            self._internal_client.download_file(self.bucket_name, key, str(path))

    def store_file(self, path: Path, key: str, *, content_type: str) -> None:
        """Store a file as an object, in chunks."""
        with storage_call():
            self._internal_client.upload_file(str(path), self.bucket_name, key, ExtraArgs={"ContentType": content_type})

    def delete_objects(self, keys: Sequence[str]) -> None:
        """Delete objects; those that do not exist are ignored. Unavailable if the storage keeps some of them."""
        for start in range(0, len(keys), DELETE_BATCH_SIZE):
            some = [{"Key": key} for key in keys[start : start + DELETE_BATCH_SIZE]]
            with storage_call():
                wanted = {"Objects": some, "Quiet": True}
                answer = self._internal_client.delete_objects(Bucket=self.bucket_name, Delete=wanted)
            # The call succeeds although S3 could not delete every object.
            if errors := answer.get("Errors"):
                raise Unavailable(f"The storage could not delete {len(errors)} objects. Please try again.")

    def list_objects(self) -> Iterator[tuple[str, Any]]:
        """Iterate over all objects: the key of each, and when it was last written."""
        pages = iter(self._internal_client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name))
        while True:
            with storage_call():
                page = next(pages, None)
            if page is None:
                return
            yield from ((each["Key"], each["LastModified"]) for each in page.get("Contents", ()))


@contextmanager
def storage_call() -> Iterator[None]:
    """Hold no database connection during a call to the storage, and translate its errors.

    ObjectNotFound for a missing object, Unavailable if the storage does not answer or fails.
    """
    try:
        with without_connection():
            yield
    except ClientError as error:
        if str(error.response["Error"]["Code"]) in NOT_FOUND_CODES:
            raise ObjectNotFound from None
        raise Unavailable("The storage does not take this now. Please try again.") from error
    except BotoCoreError as error:
        raise Unavailable("The storage does not answer. Please try again.") from error


def media_storage() -> MediaStorage:
    """Return the storage of media."""
    return cast("MediaStorage", storages["default"])
