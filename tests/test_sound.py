"""The sound of a clip goes along with its rendered pictures, in step with them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.build import load_model
from realtime.config import Config
from realtime.job import Job
from realtime.render import render

RATE, FPS = 44_100, 30
TONE_S = 0.5


def talk(path: Path, pictures_from_s: float) -> Path:
    """A clip of a second: silence, and from `TONE_S` on a tone; the pictures may come later."""
    ticks = np.arange(RATE)
    wave = np.where(ticks >= TONE_S * RATE, 0.5 * np.sin(ticks * 2 * np.pi * 440 / RATE), 0)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height = 64, 48
        video.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number in range(int((1 - pictures_from_s) * FPS)):
            picture = av.VideoFrame.from_ndarray(np.full((72, 64), 90, np.uint8), "yuv420p")
            picture.pts = round(1000 * (pictures_from_s + number / FPS))
            picture.time_base = Fraction(1, 1000)
            container.mux(video.encode(picture))
        container.mux(video.encode())
        samples = np.round(wave * 32767).astype(np.int16)[np.newaxis]
        for at in range(0, RATE, 1024):
            part = np.ascontiguousarray(samples[:, at : at + 1024])
            heard = av.AudioFrame.from_ndarray(part, "s16", "mono")
            heard.sample_rate, heard.pts = RATE, at
            container.mux(audio.encode(heard))
        container.mux(audio.encode())
    return path


def tone_of(path: Path) -> tuple[float, float]:
    """Return when a clip begins to be heard, and for how long."""
    loud = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            level = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            (at,) = np.nonzero(level > 0.1)
            loud += [frame.time + index / frame.sample_rate for index in at]
    return loud[0], loud[-1] - loud[0]


@pytest.mark.parametrize("pictures_from_s", [0.0, 0.2])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_it_is_in_step_with_the_pictures(
    tmp_path: Path, toy_ir: Path, suffix: str, pictures_from_s: float
) -> None:
    config = Config().with_values({"matting": {"model": str(toy_ir)}})
    job = Job(talk(tmp_path / "talk.mkv", pictures_from_s), tmp_path / f"out{suffix}")
    render(job, config, load_model(config.matting), lambda done, all_of_them: None)
    begins, lasts = tone_of(job.output)
    assert begins == pytest.approx(TONE_S - pictures_from_s, abs=0.03)
    assert lasts == pytest.approx(1 - TONE_S, abs=0.03)


def broadcast(path: Path, rate: int, layout: str, from_s: float) -> bytes:
    """Half a second of a tone as it is broadcast."""
    flags = {"mpegts_flags": "initial_discontinuity"}
    with av.open(str(path), "w", format="mpegts", options=flags) as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height = 64, 48
        video.codec_context.time_base = Fraction(1, 90_000)
        audio = container.add_stream("mp2", rate=rate, layout=layout)
        for number in range(FPS // 2):
            picture = av.VideoFrame.from_ndarray(np.full((72, 64), 90, np.uint8), "yuv420p")
            picture.pts = round(90_000 * (from_s + number / FPS))
            picture.time_base = Fraction(1, 90_000)
            container.mux(video.encode(picture))
        container.mux(video.encode())
        wave = np.round(9000 * np.sin(np.arange(rate // 2) * 2 * np.pi * 440 / rate))
        for at in range(0, rate // 2, 1152):
            part = np.repeat(wave[np.newaxis, at : at + 1152], 1 + (layout == "stereo"), axis=1)
            heard = av.AudioFrame.from_ndarray(part.astype(np.int16), "s16", layout)
            heard.sample_rate, heard.time_base = rate, Fraction(1, rate)
            heard.pts = round(from_s * rate) + at
            container.mux(audio.encode(heard))
        container.mux(audio.encode())
    return path.read_bytes()


@pytest.mark.parametrize("overlap_s", [0.0, 0.1])
def test_a_broadcast_changes_its_channels_and_rate(
    tmp_path: Path, toy_ir: Path, overlap_s: float
) -> None:
    parts = [(44_100, "stereo", 0.0), (48_000, "mono", 0.5 - overlap_s)]
    clip = b"".join(broadcast(tmp_path / "part.ts", *part) for part in parts)
    (tmp_path / "news.mp4").write_bytes(clip)
    config = Config().with_values({"matting": {"model": str(toy_ir)}})
    job = Job(tmp_path / "news.mp4", tmp_path / "out.mkv")
    render(job, config, load_model(config.matting), lambda done, all_of_them: None)
    assert tone_of(job.output)[1] == pytest.approx(1 - overlap_s, abs=0.1)
