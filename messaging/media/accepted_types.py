"""Which file types are accepted: for each its content type, kind and extensions, and whether browsers show it."""

from dataclasses import dataclass

FILENAME_LENGTH = 255

# content type, kind, extensions, whether browsers may show it in place or save it
TABLE = """
image/png        image  png              inline
image/jpeg       image  jpg,jpeg,jpe     inline
image/gif        image  gif              inline
image/webp       image  webp             inline
image/avif       image  avif             inline
video/mp4        video  mp4,m4v          inline
video/webm       video  webm             inline
video/quicktime  video  mov,qt           saved
audio/mpeg       audio  mp3              inline
audio/mp4        audio  m4a              inline
audio/ogg        audio  ogg,oga,opus     inline
audio/webm       audio  weba,webm        inline
audio/wav        audio  wav              inline
audio/flac       audio  flac             saved
application/pdf  file   pdf              saved
text/plain       file   txt,text,log     saved
text/csv         file   csv              saved
text/markdown    file   md,markdown      saved
application/json file   json             saved
application/zip  file   zip              saved
application/vnd.openxmlformats-officedocument.wordprocessingml.document   file docx saved
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet         file xlsx saved
application/vnd.openxmlformats-officedocument.presentationml.presentation file pptx saved
application/vnd.oasis.opendocument.text         file odt saved
application/vnd.oasis.opendocument.spreadsheet  file ods saved
application/vnd.oasis.opendocument.presentation file odp saved
"""
# Other names that browsers and phones have for some of these types.
ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/opus": "audio/ogg",
    "application/x-zip-compressed": "application/zip",
    "application/csv": "text/csv",
    "text/x-csv": "text/csv",
    "text/comma-separated-values": "text/csv",
    "text/x-markdown": "text/markdown",
}
# Types that are declared for any kind of text; the second by browsers on Windows with a spreadsheet program.
ANY_TEXT = {"text/plain", "application/vnd.ms-excel"}


@dataclass(frozen=True, slots=True)
class MediaType:
    """One content type that is accepted."""

    name: str
    kind: str
    """`image`, `video`, `audio` or `file`: also the kind of a message that has only such media."""
    extensions: tuple[str, ...]
    is_inline: bool
    """Whether browsers show it in place; all other types are saved."""

    @property
    def is_text(self) -> bool:
        return self.name.startswith("text/") or self.name == "application/json"


def _read_table() -> dict[str, MediaType]:
    rows = (line.split() for line in TABLE.strip().splitlines())
    return {
        name: MediaType(name, kind, tuple(extensions.split(",")), display == "inline")
        for name, kind, extensions, display in rows
    }


ACCEPTED_TYPES = _read_table()
MEDIA_EXTENSIONS = {end for each in ACCEPTED_TYPES.values() if each.kind != "file" for end in each.extensions}


def find_type(content_type: str) -> MediaType | None:
    """Find an accepted type by its name, in any case and with any parameters; None for other types."""
    name = content_type.partition(";")[0].strip().lower()
    return ACCEPTED_TYPES.get(ALIASES.get(name, name))


def declared_type(content_type: str, filename: str) -> MediaType | None:
    """Find the type of a new upload: the declared one, except that the file extension decides among kinds of text."""
    if content_type.partition(";")[0].strip().lower() not in ANY_TEXT:
        return find_type(content_type)
    extension = _extension_of(filename)
    by_extension = (each for each in ACCEPTED_TYPES.values() if each.is_text and extension in each.extensions)
    return next(by_extension, find_type(content_type))


def with_extension(filename: str, type: MediaType) -> str:
    """Give a filename an extension of its type; it replaces that of another image, video or audio type."""
    if _extension_of(filename) in type.extensions:
        return filename
    replaces = type.kind != "file" and _extension_of(filename) in MEDIA_EXTENSIONS
    stem = filename.rpartition(".")[0] if replaces else filename
    if _extension_of(stem) in type.extensions:
        return stem
    extension = f".{type.extensions[0]}"
    return f"{stem[: FILENAME_LENGTH - len(extension)]}{extension}"


def _extension_of(filename: str) -> str:
    return filename.rpartition(".")[2].lower() if "." in filename else ""
