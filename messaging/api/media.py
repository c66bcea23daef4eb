"""The REST door to media: an upload is offered and completed here; its bytes never come this way."""

from typing import TypedDict

from rest_framework.response import Response

from accounts.api.base import SignedIn
from chatproject.core.json_types import TimeText
from chatproject.core.realtime import timestamp
from chatproject.rest.describe import described
from chatproject.rest.views import API, envelope, path_id
from chatproject.server.compression import holds_secret
from messaging.api.serializers import NewUpload
from messaging.media import uploads as media
from messaging.media.attachments import MediaJSON
from messaging.media.storage import SignedFormJSON


class UploadFormJSON(SignedFormJSON):
    """Where the file goes: a form with these fields, and the file as the last, `file`."""

    expires_at: TimeText


class UploadJSON(TypedDict):
    """What will be sent, and where its bytes go first."""

    media: MediaJSON
    upload: UploadFormJSON


class MediaViewSet(API):
    """`/media`."""

    @described("beginUpload", UploadJSON, status=201, body=NewUpload)
    @holds_secret
    def begin(self, request: SignedIn) -> Response:
        """Ask for a place to upload a file to."""
        upload = media.begin_upload(by=request.user, **self.body(request, NewUpload))
        form: UploadFormJSON = {**upload.form, "expires_at": timestamp(upload.expires_at)}
        shown: UploadJSON = {"media": upload.media, "upload": form}
        return envelope(shown, 201)

    @described("completeUpload", MediaJSON, errors="422")
    def complete(self, request: SignedIn, pk: str) -> Response:
        """Say that a file is uploaded."""
        return envelope(media.complete_upload(by=request.user, media_id=path_id(pk)))

    @described("getMediaState", MediaJSON)
    def state(self, request: SignedIn, pk: str) -> Response:
        """What has become of one of my uploads."""
        return envelope(media.upload_state(by=request.user, media_id=path_id(pk)))

    @described("getMedia", status=302)
    @holds_secret
    def retrieve(self, request: SignedIn, pk: str) -> Response:
        """The way to the bytes."""
        return self._redirect(request, pk, is_thumbnail=False)

    @described("getThumbnail", status=302)
    @holds_secret
    def thumbnail(self, request: SignedIn, pk: str) -> Response:
        """The way to a small picture of it."""
        return self._redirect(request, pk, is_thumbnail=True)

    def _redirect(self, request: SignedIn, pk: str, *, is_thumbnail: bool) -> Response:
        url = media.download_url(by=request.user, media_id=path_id(pk), is_thumbnail=is_thumbnail)
        return Response(status=302, headers={"Location": url})
