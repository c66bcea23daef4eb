"""The storage for media, as django-storages speaks to it: uploads that go past us, copies, signed links."""

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

UPLOAD_SECONDS = 3600
LINK_SECONDS = 300
AT_ONCE = 1000
"""As many objects as one call of S3 removes."""
MAKING = Lock()
MISSING = {"404", "NoSuchKey", "NotFound"}


class NotThere(Exception):
    """There is no such object."""


class OfferJSON(TypedDict):
    """Where an upload goes, and the fields that go with the file, which comes last."""

    method: str
    url: UrlText
    fields: dict[str, str]


class MediaStorage(S3Storage):  # type: ignore[misc]
    """S3 with two addresses: as this server reaches it, and as browsers and phones do."""

    client_config: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # People wait behind some of these calls.
        known: Config = self.client_config
        impatience = Config(connect_timeout=3, read_timeout=30, retries={"total_max_attempts": 2})
        self.client_config = known.merge(impatience)

    def get_default_settings(self) -> dict[str, Any]:
        return {**super().get_default_settings(), "public_endpoint_url": None}

    @cached_property
    def _near(self) -> Any:
        """One client for all threads, which may share it; django-storages would make one for each, at 13 MB."""
        return self._client(self.endpoint_url)

    @cached_property
    def _far(self) -> Any:
        """Signs for the other address; it is never asked anything."""
        return self._client(self.public_endpoint_url) if self.public_endpoint_url else self._near

    def _client(self, endpoint_url: str | None) -> Any:
        # The making of clients is what threads may not do at the same time.
        with without_connection(), MAKING:
            return self._create_session().client(
                "s3", endpoint_url=endpoint_url, region_name=self.region_name, config=self.client_config
            )

    def offer(self, key: str, *, content_type: str, size: int) -> OfferJSON:
        """Allow one upload: this key, this type and this many bytes, within the hour."""
        # SeaweedFS checks what the policy names, and does what else a form asks for: the redirect has to be named.
        fields = {"Content-Type": content_type, "success_action_redirect": ""}
        found = self._far.generate_presigned_post(
            self.bucket_name,
            key,
            Fields=dict(fields),
            Conditions=[*({name: value} for name, value in fields.items()), ["content-length-range", size, size]],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return {"method": "POST", "url": found["url"], "fields": found["fields"]}

    def link(self, key: str, *, content_type: str, filename: str, is_shown: bool) -> str:
        """Sign a link that lives for five minutes, and says what the bytes are and what to do with them."""
        how = "inline" if is_shown else "attachment"
        about = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": f"{how}; filename*=UTF-8''{quote(filename, safe='')}",
        }
        link: str = self._far.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket_name, "Key": key, **about}, ExpiresIn=LINK_SECONDS
        )
        return link

    def copy(self, key: str, to: str, *, content_type: str) -> None:
        """Copy an object within the storage; NotThere if there is none."""
        with answering():
            self._near.copy_object(
                Bucket=self.bucket_name,
                Key=to,
                CopySource={"Bucket": self.bucket_name, "Key": key},
                ContentType=content_type,
                MetadataDirective="REPLACE",
            )

    def has(self, key: str) -> bool:
        """Tell whether there is such an object."""
        try:
            return self.size_of(key) >= 0
        except NotThere:
            return False

    def size_of(self, key: str) -> int:
        """How many bytes an object has; NotThere if there is none."""
        with answering():
            return int(self._near.head_object(Bucket=self.bucket_name, Key=key)["ContentLength"])

    def head_of(self, key: str, count: int) -> bytes:
        """Read the first bytes of an object."""
        with answering():
            found = self._near.get_object(Bucket=self.bucket_name, Key=key, Range=f"bytes=0-{count - 1}")
            head: bytes = found["Body"].read()
            return head

    def fetch(self, key: str, path: Path) -> None:
        """Write an object into a file, piece by piece."""
        with answering():
            self._near.download_file(self.bucket_name, key, str(path))

    def keep(self, path: Path, key: str, *, content_type: str) -> None:
        """Store a file as an object, piece by piece."""
        with answering():
            self._near.upload_file(str(path), self.bucket_name, key, ExtraArgs={"ContentType": content_type})

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are not there are no matter."""
        for start in range(0, len(keys), AT_ONCE):
            some = [{"Key": key} for key in keys[start : start + AT_ONCE]]
            with answering():
                self._near.delete_objects(Bucket=self.bucket_name, Delete={"Objects": some, "Quiet": True})

    def everything(self) -> Iterator[tuple[str, Any]]:
        """Every object's key, and when it was last written."""
        pages = iter(self._near.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name))
        while True:
            with answering():
                page = next(pages, None)
            if page is None:
                return
            yield from ((each["Key"], each["LastModified"]) for each in page.get("Contents", ()))


@contextmanager
def answering() -> Iterator[None]:
    """Call the storage, without a connection to the database meanwhile.

    NotThere for what is missing, Unavailable for a storage that does not answer as it should.
    """
    try:
        with without_connection():
            yield
    except ClientError as error:
        if str(error.response["Error"]["Code"]) in MISSING:
            raise NotThere from None
        raise Unavailable("The storage does not take this now. Please try again.") from error
    except BotoCoreError as error:
        raise Unavailable("The storage does not answer. Please try again.") from error


def media_storage() -> MediaStorage:
    """The one storage for media."""
    return cast("MediaStorage", storages["default"])
