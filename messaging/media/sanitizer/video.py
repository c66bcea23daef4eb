"""Film and sound: what plays is copied as it is into a new file, and nothing else of the old one."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import av

# What PyAV would load when it needs it, which is when no more code can be read.
import av.sidedata.encparams
import av.sidedata.motionvectors
import av.subtitles.codeccontext
import av.subtitles.stream
from av.container import InputContainer
from av.stream import Disposition
from PIL import Image

from messaging.media.sanitizer.images import PIXELS_MOST, blur, write_thumbnail
from messaging.media.sanitizer.result import PEAKS, SOUNDS, Finding, Refusal

# What reads a file of a type, and what writes it: a file is never taken for something else than it was declared to be.
FORMATS = {
    "video/mp4": ("mov", "mp4"),
    "video/quicktime": ("mov", "mov"),
    "video/webm": ("matroska", "webm"),
    "audio/mp4": ("mov", "ipod"),
    "audio/mpeg": ("mp3", "mp3"),
    "audio/ogg": ("ogg", "ogg"),
    "audio/webm": ("matroska", "webm"),
    "audio/wav": ("wav", "wav"),
    "audio/flac": ("flac", "flac"),
}
PICTURE_CODECS = {"h264", "hevc", "vp8", "vp9", "av1", "mpeg4"}
SOUND_CODECS = {
    "aac",
    "mp3",
    "mp3float",
    "opus",
    "vorbis",
    "flac",
    "alac",
    "pcm_s16le",
    "pcm_s24le",
    "pcm_s32le",
    "pcm_f32le",
}
SECOND = 1_000_000
"""In microseconds."""
WAVE_RATE = 8000
"""Samples a second, for looking at a sound."""


NO_SOUND = "There is no sound in this file."
NO_PICTURE = "There is no picture in this film."


def examine_film(content_type: str, source: Path, *, copy: Path, thumbnail: Path) -> Finding:
    """Check a film or a sound, and write it without metadata; Refusal for what is neither, or can't be played."""
    reads, _ = FORMATS[content_type]
    try:
        with av.open(str(source), format=reads) as container:
            found = _type_of(container, content_type)
            streams = _streams_of(container, needs_picture=found.startswith("video/"))
            duration = _copy(container, streams, copy, format=FORMATS[found][1])
        if found.startswith("video/"):
            return _look(source, thumbnail, content_type=found, duration=duration)
        return Finding(found, duration=duration, waveform=_waveform(source, reads, duration))
    except (av.error.FFmpegError, ValueError, MemoryError, EOFError, ArithmeticError, OSError) as error:
        raise Refusal("This file is damaged, or of another kind than its name says.") from error


def _type_of(container: InputContainer, content_type: str) -> str:
    """What it was declared as, or the sound that it is without a picture."""
    is_sound = bool(container.streams.audio) and not _pictures_of(container)
    return SOUNDS.get(content_type, content_type) if is_sound else content_type


def _pictures_of(container: InputContainer) -> list[Any]:
    """The streams of pictures that move; that of a cover does not."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _streams_of(container: InputContainer, *, needs_picture: bool) -> list[Any]:
    """The one picture and the one sound that are kept; the picture of a sound is its cover, and goes."""
    picture, sound = _pictures_of(container)[:1] if needs_picture else [], container.streams.audio[:1]
    known = [(picture, PICTURE_CODECS), (sound, SOUND_CODECS)]
    if any(stream.codec_context.name not in codecs for streams, codecs in known for stream in streams):
        raise Refusal("This film or sound is of a kind that browsers can't play.")
    if needs_picture and not picture:
        raise Refusal(NO_PICTURE)
    if not needs_picture and not sound:
        raise Refusal(NO_SOUND)
    if picture and picture[0].width * picture[0].height > PIXELS_MOST:
        raise Refusal("The picture of this film is too large.")
    return [*picture, *sound]


def _copy(container: InputContainer, streams: Sequence[Any], copy: Path, *, format: str) -> float:
    """Copy the packets of some streams; give the seconds that they last."""
    end = 0.0
    # What it says of the encoder would be all that differs from one copy to the next.
    options = {"fflags": "+bitexact", **({"movflags": "+faststart"} if format in {"mp4", "mov", "ipod"} else {})}
    with av.open(str(copy), "w", format=format, options=options) as out:
        new = {stream.index: out.add_stream_from_template(stream) for stream in streams}
        for packet in container.demux(streams):
            if packet.dts is None:
                continue
            until = (packet.pts or packet.dts) + (packet.duration or 0)
            end = max(end, float(until * packet.time_base))
            packet.stream = new[packet.stream.index]
            out.mux(packet)
    return round(end, 3)


def _look(source: Path, thumbnail: Path, *, content_type: str, duration: float) -> Finding:
    """Take a picture from near the beginning, upright."""
    image = _picture_at(source, content_type, SECOND if duration > 2 else 0) or _picture_at(source, content_type, 0)
    if image is None:
        raise Refusal(NO_PICTURE)
    write_thumbnail(image, thumbnail)
    return Finding(content_type, width=image.width, height=image.height, duration=duration, blurhash=blur(image))


def _picture_at(source: Path, content_type: str, time: int) -> Image.Image | None:
    """Decode the picture at a time, in microseconds; None if there is none any more."""
    with av.open(str(source), format=FORMATS[content_type][0]) as container:
        if time:
            container.seek(time)
        frame = next(container.decode(_pictures_of(container)[0]), None)
        if frame is None:
            return None
        image: Image.Image = frame.to_image()
        return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _waveform(source: Path, format: str, duration: float) -> list[int]:
    """How loud it is from beginning to end, in so many steps; Refusal if there is not one sample."""
    step = max(int(duration * WAVE_RATE / PEAKS), 1)
    peaks, filled = [0] * PEAKS, 0
    for block in _samples(source, format):
        for start in range(0, len(block), step):
            piece = block[start : start + step]
            at = min((filled + start) // step, PEAKS - 1)
            peaks[at] = max([peaks[at], *piece, -min(piece)])
        filled += len(block)
    if not filled:
        raise Refusal(NO_SOUND)
    loudest = max(*peaks, 1)
    return [round(100 * peak / loudest) for peak in peaks]


def _samples(source: Path, format: str) -> Iterator[Any]:
    """The samples of a sound, in blocks of 16-bit numbers."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=WAVE_RATE)
    with av.open(str(source), format=format) as container:
        for frame in chain(container.decode(audio=0), [None]):
            for sound in resampler.resample(frame):
                yield memoryview(bytes(sound.planes[0]))[: sound.samples * 2].cast("h")
