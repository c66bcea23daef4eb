"""Video and audio: the streams that play are copied unchanged into a new file, and nothing else of the old file."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import av

# PyAV would load these modules on their first use, when the sandbox no longer allows to read code.
import av.sidedata.encparams
import av.sidedata.motionvectors
import av.subtitles.codeccontext
import av.subtitles.stream
from av.container import InputContainer
from av.stream import Disposition
from PIL import Image

from messaging.media.sanitizer.images import MAX_PIXELS
from messaging.media.sanitizer.result import AUDIO_ONLY_TYPES, WAVEFORM_STEPS, ExaminationResult, Refusal
from messaging.media.sanitizer.thumbnail import blurhash_of, write_thumbnail

# The demuxer and the muxer of each type: a file is never read as another type than its declared one.
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
VIDEO_CODECS = {"h264", "hevc", "vp8", "vp9", "av1", "mpeg4"}
AUDIO_CODECS = {
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
WAVEFORM_RATE = 8000
"""Samples per second from which the waveform is made."""
NO_SOUND = "There is no sound in this file."
NO_PICTURE = "There is no picture in this film."


def examine_audio_video(content_type: str, source: Path, *, copy: Path, thumbnail: Path) -> ExaminationResult:
    """Check a video or audio file and write it without metadata; Refusal if it is invalid or can't be played."""
    demuxer, _ = FORMATS[content_type]
    try:
        with av.open(str(source), format=demuxer) as container:
            found = _type_of(container, content_type)
            streams = _streams_of(container, needs_video=found.startswith("video/"))
            duration = _copy(container, streams, copy, format=FORMATS[found][1])
        if found.startswith("video/"):
            return _video_result(source, thumbnail, content_type=found, duration=duration)
        return ExaminationResult(found, duration=duration, waveform=_waveform(source, demuxer, duration))
    except (av.error.FFmpegError, ValueError, MemoryError, EOFError, ArithmeticError, OSError) as error:
        raise Refusal("This file is damaged, or of another kind than its name says.") from error


def _type_of(container: InputContainer, content_type: str) -> str:
    """Return the declared type, or the audio type of a file without a video stream."""
    is_audio = bool(container.streams.audio) and not _video_streams(container)
    return AUDIO_ONLY_TYPES.get(content_type, content_type) if is_audio else content_type


def _video_streams(container: InputContainer) -> list[Any]:
    """Return the streams of moving pictures, without cover images."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]


def _streams_of(container: InputContainer, *, needs_video: bool) -> list[Any]:
    """Return the first video and the first audio stream, which are copied; the cover image of an audio file is not."""
    video, audio = _video_streams(container)[:1] if needs_video else [], container.streams.audio[:1]
    known = [(video, VIDEO_CODECS), (audio, AUDIO_CODECS)]
    if any(stream.codec_context.name not in codecs for streams, codecs in known for stream in streams):
        raise Refusal("This film or sound is of a kind that browsers can't play.")
    if needs_video and not video:
        raise Refusal(NO_PICTURE)
    if not needs_video and not audio:
        raise Refusal(NO_SOUND)
    if video and video[0].width * video[0].height > MAX_PIXELS:
        raise Refusal("The picture of this film is too large.")
    return [*video, *audio]


def _copy(container: InputContainer, streams: Sequence[Any], copy: Path, *, format: str) -> float:
    """Copy the packets of some streams; return their duration in seconds."""
    end = 0.0
    # Otherwise the version of the encoder would be in the file, and copies of one source would differ.
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


def _video_result(source: Path, thumbnail: Path, *, content_type: str, duration: float) -> ExaminationResult:
    """Write the thumbnail from a frame near the beginning, and return the properties of the video."""
    image = _frame_at(source, content_type, SECOND if duration > 2 else 0) or _frame_at(source, content_type, 0)
    if image is None:
        raise Refusal(NO_PICTURE)
    write_thumbnail(image, thumbnail)
    return ExaminationResult(
        content_type, width=image.width, height=image.height, duration=duration, blurhash=blurhash_of(image)
    )


def _frame_at(source: Path, content_type: str, time: int) -> Image.Image | None:
    """Decode the frame at a time in microseconds, upright; None if there is none."""
    with av.open(str(source), format=FORMATS[content_type][0]) as container:
        if time:
            container.seek(time)
        frame = next(container.decode(_video_streams(container)[0]), None)
        if frame is None:
            return None
        image: Image.Image = frame.to_image()
        return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _waveform(source: Path, format: str, duration: float) -> list[int]:
    """Return the loudness from beginning to end, in `WAVEFORM_STEPS` steps; Refusal if there is no sample."""
    step = max(int(duration * WAVEFORM_RATE / WAVEFORM_STEPS), 1)
    peaks, filled = [0] * WAVEFORM_STEPS, 0
    for block in _samples(source, format):
        for start in range(0, len(block), step):
            part = block[start : start + step]
            at = min((filled + start) // step, WAVEFORM_STEPS - 1)
            peaks[at] = max([peaks[at], *part, -min(part)])
        filled += len(block)
    if not filled:
        raise Refusal(NO_SOUND)
    loudest = max(*peaks, 1)
    return [round(100 * peak / loudest) for peak in peaks]


def _samples(source: Path, format: str) -> Iterator[Any]:
    """Iterate over the samples of an audio stream, in blocks of 16-bit numbers."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=WAVEFORM_RATE)
    with av.open(str(source), format=format) as container:
        for frame in chain(container.decode(audio=0), [None]):
            for sound in resampler.resample(frame):
                yield memoryview(bytes(sound.planes[0]))[: sound.samples * 2].cast("h")
