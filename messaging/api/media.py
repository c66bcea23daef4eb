"""The REST door to media: an upload begins and is completed here; its bytes go directly to the storage."""

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
    """Where to upload the file: post a form with these fields, and the file as the last field, `file`."""

    expires_at: TimeText


class UploadJSON(TypedDict):
    """A new upload, and the form to post its file with."""

    media: MediaJSON
    upload: UploadFormJSON


class MediaViewSet(API):
    """`/media`."""

    @described("beginUpload", UploadJSON, status=201, body=NewUpload)
    @holds_secret
    def begin(self, request: SignedIn) -> Response:
        """Begin an upload; the answer says where to post the file."""
        upload = media.begin_upload(by=request.user, **self.body(request, NewUpload))
        form: UploadFormJSON = {**upload.form, "expires_at": timestamp(upload.expires_at)}
        answer: UploadJSON = {"media": upload.media, "upload": form}
        return envelope(answer, 201)

    @described("completeUpload", MediaJSON, errors="422")
    def complete(self, request: SignedIn, pk: str) -> Response:
        """Complete an upload after its file was posted."""
        return envelope(media.complete_upload(by=request.user, media_id=path_id(pk)))

    @described("getMediaState", MediaJSON)
    def state(self, request: SignedIn, pk: str) -> Response:
        """The state of one of my uploads."""
        return envelope(media.upload_state(by=request.user, media_id=path_id(pk)))

    @described("getMedia", status=302)
    @holds_secret
    def retrieve(self, request: SignedIn, pk: str) -> Response:
        """Redirect to the file."""
        return self._redirect(request, pk, is_thumbnail=False)

    @described("getThumbnail", status=302)
    @holds_secret
    def thumbnail(self, request: SignedIn, pk: str) -> Response:
        """Redirect to the thumbnail of the file."""
        return self._redirect(request, pk, is_thumbnail=True)

    def _redirect(self, request: SignedIn, pk: str, *, is_thumbnail: bool) -> Response:
        url = media.download_url(by=request.user, media_id=path_id(pk), is_thumbnail=is_thumbnail)
        return Response(status=302, headers={"Location": url})
