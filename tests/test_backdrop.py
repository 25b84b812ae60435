"""Step 6: colours, pictures and clips of every kind, and a blur that lets nothing through."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.build import has_light, make_backdrop
from realtime.config import Scene
from realtime.errors import ConfigError
from realtime.frame import Bytes, Frame
from realtime.scene.backdrop import (
    BlurBackdrop,
    ColourBackdrop,
    PictureBackdrop,
    RoomBackdrop,
    VideoBackdrop,
)

SIZE = (320, 180)
FPS = 10.0


def frame_at(captured_at: float = 0.0, size: tuple[int, int] = SIZE) -> Frame:
    return pixels.from_bgr(np.full((size[1], size[0], 3), 128, np.uint8), 5, captured_at)


def nobody(size: tuple[int, int] = SIZE) -> Bytes:
    return np.zeros(size[::-1], np.uint8)


def seen(backdrop: Any, size: tuple[int, int] = SIZE) -> Bytes:
    """Return what stands behind a person, as BGR."""
    picture = backdrop.picture(frame_at(0.0, size), nobody(size))
    assert picture.size == size
    return pixels.to_bgr(picture)


def save(path: Path, image: Bytes) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def quarters(width: int = 320, height: int = 180) -> Bytes:
    """Red, green / blue, white: tells every orientation from every other."""
    image = np.array([[(0, 0, 255), (0, 255, 0)], [(255, 0, 0), (255, 255, 255)]], np.uint8)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)


def corners(image: Bytes) -> list[list[int]]:
    """Return the colours of the quarters' middles, 1 for a channel that is on."""
    height, width = image.shape[:2]
    rows, columns = (height // 4, height * 3 // 4), (width // 4, width * 3 // 4)
    return [(image[y, x] > 128).astype(int).tolist() for y in rows for x in columns]


UPRIGHT = [[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]]


def test_a_colour_fills_the_frame_and_is_made_once() -> None:
    backdrop = ColourBackdrop((200, 40, 90))
    assert np.abs(seen(backdrop).astype(int) - (200, 40, 90)).max() <= 2
    assert backdrop.alone(SIZE) is backdrop.picture(frame_at(), nobody())
    assert backdrop.alone((640, 360)).size == (640, 360)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
def test_pictures_of_every_kind(tmp_path: Path, suffix: str) -> None:
    backdrop = PictureBackdrop(save(tmp_path / f"ü{suffix}", quarters(64, 36)))
    assert corners(seen(backdrop)) == UPRIGHT
    assert backdrop.alone(SIZE) is backdrop.alone(SIZE)
    assert seen(backdrop, (180, 320)).shape == (320, 180, 3)


def test_a_picture_of_a_phone_is_turned_upright(tmp_path: Path) -> None:
    """EXIF orientation 6: the camera was turned, the picture must be turned by 90 degrees."""
    entry = struct.pack("<2sHI H HHII I", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0)
    stored = cv2.rotate(quarters(64, 36), cv2.ROTATE_90_COUNTERCLOCKWISE)
    exif = [np.frombuffer(entry, np.uint8)]
    path = str(tmp_path / "phone.jpg")
    assert cv2.imwriteWithMetadata(path, stored, [cv2.IMAGE_METADATA_EXIF], exif)
    assert corners(seen(PictureBackdrop(Path(path)))) == UPRIGHT


def test_transparency_is_over_black_at_any_depth(tmp_path: Path) -> None:
    clear = np.dstack([np.full((36, 64, 3), 255, np.uint8), np.zeros((36, 64), np.uint8)])
    clear[:, 32:, 3] = 255
    for name, image in {"8": clear, "16": clear.astype(np.uint16) * 257}.items():
        shown = seen(PictureBackdrop(save(tmp_path / f"{name}.png", image)))
        assert shown[:, :140].max() <= 2 and shown[:, 180:].min() >= 253


def test_grey_and_deep_pictures(tmp_path: Path) -> None:
    grey = np.full((36, 64), 100, np.uint8)
    for name, image in {"8": grey, "16": grey.astype(np.uint16) * 257}.items():
        shown = seen(PictureBackdrop(save(tmp_path / f"{name}.png", image)))
        assert np.abs(shown.astype(int) - 100).max() <= 2


def test_fit_is_kept(tmp_path: Path) -> None:
    path = save(tmp_path / "wide.png", np.full((20, 200, 3), 255, np.uint8))
    assert seen(PictureBackdrop(path, "crop")).min() > 250
    padded = seen(PictureBackdrop(path, "pad"))
    assert padded[90].min() > 250 and padded[:60].max() < 5


def test_a_wide_picture_is_kept_small(tmp_path: Path) -> None:
    path = save(tmp_path / "panorama.png", np.full((90, 9000, 3), 255, np.uint8))
    assert seen(PictureBackdrop(path)).min() > 250


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def encoded(suffix: str) -> bytes:
    random = np.random.default_rng(0)
    return cv2.imencode(suffix, random.integers(0, 255, (90, 160, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, r"no such file"),
        (b"", r"no picture that can be read"),
        (b"not a picture at all", r"no picture that can be read"),
        (encoded(".png")[:3000], r"no picture that can be read"),
        (encoded(".jpg")[:3000], r"no picture that can be read"),
        (png_that_claims(60_000, 60_000), r"too large"),
        (png_that_claims(12_000, 9_000), r"too large"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "office.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"office\.png.*{reason}") as caught:
        PictureBackdrop(path)
    assert caught.value.hint


def claim(coded: bytes, width: int, height: int) -> bytes:
    """Return a small JPEG, WebP, BMP or GIF whose header claims another size."""
    if coded.startswith(b"\xff\xd8"):
        at = coded.index(b"\xff\xc0") + 5
        return coded[:at] + struct.pack(">HH", height, width) + coded[at + 4 :]
    if coded.startswith(b"BM"):
        return coded[:18] + struct.pack("<ii", width, height) + coded[26:]
    if coded.startswith(b"GIF"):
        return coded[:6] + struct.pack("<HH", width, height) + coded[10:]
    at = coded.index(b"VP8 ") + 14
    return coded[:at] + struct.pack("<HH", width, height) + coded[at + 4 :]


@pytest.mark.parametrize("suffix", [".jpg", ".bmp", ".webp"])
def test_a_giant_of_any_kind_is_refused(tmp_path: Path, suffix: str) -> None:
    quality = [cv2.IMWRITE_WEBP_QUALITY, 80] if suffix == ".webp" else []
    coded = cv2.imencode(suffix, quarters(64, 64), quality)[1].tobytes()
    path = tmp_path / f"giant{suffix}"
    path.write_bytes(claim(coded, 16_000, 16_000))
    with pytest.raises(ConfigError, match=rf"giant\{suffix}: this picture is too large"):
        PictureBackdrop(path)


def moving(suffix: str, levels: list[int]) -> bytes:
    """Return a picture that moves: grey levels, 100 ms each, the left half transparent."""
    animation = cv2.Animation()
    for level in levels:
        grey = np.full((36, 64, 4), level, np.uint8)
        grey[..., 3] = np.where(np.arange(64) < 32, 0, 255)
        animation.frames = [*animation.frames, grey]
    animation.durations = np.full(len(levels), 100, np.int32)
    done, coded = cv2.imencodeanimation(suffix, animation)
    assert done
    return bytes(coded.tobytes())


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_a_picture_that_moves_goes_by_the_clock(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"waves{suffix}"
    path.write_bytes(moving(suffix, [60, 140, 220]))
    backdrop = PictureBackdrop(path)
    shown = [pixels.to_bgr(backdrop.picture(frame_at(at), nobody())) for at in (0.05, 0.15, 0.35)]
    levels = [at[90, 250].mean() for at in shown]
    assert levels == pytest.approx([60, 140, 60], abs=12), "a GIF has few colours"
    assert all(at[90, 20].max() <= 2 for at in shown), "over black where it is transparent"


def test_a_moving_picture_of_too_many_frames_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.scene.media.MAX_PIXELS", 64 * 36 * 2)
    path = tmp_path / "long.gif"
    path.write_bytes(moving(".gif", [60, 140, 220]))
    with pytest.raises(ConfigError, match=r"long\.gif: this picture is too large"):
        PictureBackdrop(path)
    path.write_bytes(moving(".gif", [60, 140]))
    PictureBackdrop(path)


CMYK = (
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAW"
    "EBETFBUVFQwPFxgWFBgSFBUU/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAKCf/EABQQ"
    "AQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8A1TZVMqmqaVdVQAlXVUCqhVQD/9k="
)
"""The quarters as a JPEG of four inks, which OpenCV reads and cannot write."""


def test_a_jpeg_of_four_inks(tmp_path: Path) -> None:
    (tmp_path / "print.jpg").write_bytes(b64decode(CMYK))
    assert corners(seen(PictureBackdrop(tmp_path / "print.jpg"))) == UPRIGHT


def test_the_pictures_of_a_folder_take_turns(tmp_path: Path) -> None:
    for name, level in {"a": 40, "b": 140, "d": 240}.items():
        save(tmp_path / f"{name}.png", np.full((36, 64, 3), level, np.uint8))
    (tmp_path / "c.png").write_bytes(b"not a picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    backdrop = make_backdrop(Scene(backdrop=str(tmp_path), slide=2.0))
    assert backdrop.alone(SIZE).y[0, 0] < 60, "there is one before the first frame"
    levels = [pixels.to_bgr(backdrop.picture(frame_at(9.0 + n), nobody())).mean() for n in range(8)]
    assert [round(level / 100) for level in levels] == [0, 0, 1, 1, 2, 2, 0, 0]
    for path in tmp_path.glob("*.png"):
        path.rename(path.with_suffix(".away"))
    assert pixels.to_bgr(backdrop.picture(frame_at(99.0), nobody())).mean() < 60, "the last stays"
    (tmp_path / "b.away").rename(tmp_path / "b.png")
    assert round(pixels.to_bgr(backdrop.picture(frame_at(102.0), nobody())).mean() / 100) == 1


def test_a_folder_without_a_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path.name}: no picture in this folder"):
        make_backdrop(Scene(backdrop=str(tmp_path)))
    (tmp_path / "c.png").write_bytes(b"not a picture")
    with pytest.raises(ConfigError, match=r"c\.png"):
        make_backdrop(Scene(backdrop=str(tmp_path)))


def test_green_is_what_obs_keys_out() -> None:
    green = make_backdrop(Scene(backdrop="green")).alone(SIZE)
    assert pixels.to_bgr(green)[0, 0].tolist() == pytest.approx([0, 255, 0], abs=2)
    assert not has_light(Scene(backdrop="green")) and has_light(Scene(backdrop="office.jpg"))


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="directory"):
        PictureBackdrop(tmp_path)


LEVELS = [40, 90, 140, 190, 240]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Make clips of grey pictures, 10 a second, of the first so many levels."""
    folder = tmp_path_factory.mktemp("clips")

    def make(count: int) -> Path:
        path = folder / f"{count}.avi"
        fourcc = cv2.VideoWriter.fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(path), fourcc, FPS, (64, 36))
        for level in LEVELS[:count]:
            writer.write(np.full((36, 64, 3), level, np.uint8))
        writer.release()
        return path

    return make


def shown_at(backdrop: VideoBackdrop, seconds: float) -> int:
    """Return which of the clip's pictures is shown at a time."""
    level = pixels.to_bgr(backdrop.picture(frame_at(seconds), nobody())).mean()
    return int(np.argmin(np.abs(np.array(LEVELS) - level)))


def test_a_clip_goes_by_the_clock_and_loops(clip: Callable[[int], Path]) -> None:
    backdrop = VideoBackdrop(clip(5))
    times = [100.0 + n * 0.1 for n in range(12)]
    assert [shown_at(backdrop, at) for at in times] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


def test_a_clip_skips_for_a_slow_camera_and_waits_for_a_quick_one(
    clip: Callable[[int], Path],
) -> None:
    slow, quick = VideoBackdrop(clip(5)), VideoBackdrop(clip(5))
    assert [shown_at(slow, 7.0 + n * 0.3) for n in range(4)] == [0, 3, 1, 4]
    assert [shown_at(quick, 7.0 + n * 0.04) for n in range(5)] == [0, 0, 1, 1, 2]


def test_after_a_pause_and_for_a_clock_set_back_a_clip_goes_on_where_it_stood(
    clip: Callable[[int], Path],
) -> None:
    backdrop = VideoBackdrop(clip(5))
    shown_at(backdrop, 50.0)
    assert shown_at(backdrop, 50.21) == 2
    assert [shown_at(backdrop, 900.0), shown_at(backdrop, 900.11)] == [2, 3]
    assert [shown_at(backdrop, 3.0), shown_at(backdrop, 3.11)] == [3, 4]


def test_a_clip_of_one_picture_works(clip: Callable[[int], Path]) -> None:
    backdrop = VideoBackdrop(clip(1))
    assert [shown_at(backdrop, n * 0.1) for n in range(5)] == [0] * 5


def test_a_clip_that_vanishes_shows_its_last_picture(
    clip: Callable[[int], Path], tmp_path: Path
) -> None:
    path = tmp_path / "gone.avi"
    path.write_bytes(clip(2).read_bytes())
    backdrop = VideoBackdrop(path)
    shown_at(backdrop, 0.01)
    path.unlink()
    assert [shown_at(backdrop, n * 0.1 + 0.01) for n in range(1, 5)] == [1] * 4


def test_a_clip_alone_is_the_clip_at_any_size(clip: Callable[[int], Path]) -> None:
    backdrop = VideoBackdrop(clip(2))
    assert np.abs(pixels.to_bgr(backdrop.alone((99, 55))).astype(int) - LEVELS[0]).max() < 4
    assert backdrop.alone(SIZE) is backdrop.alone(SIZE)


@pytest.mark.parametrize("content", [None, b"", b"not a clip" * 99])
def test_a_clip_that_cannot_be_shown_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "sea.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"sea\.mp4 is no clip"):
        VideoBackdrop(path)


def striped_room() -> tuple[Frame, Bytes]:
    """Return a grey room with a bright red person in its middle, and the exact matte."""
    bgr = np.full((360, 640, 3), 90, np.uint8)
    alpha = np.zeros((360, 640), np.uint8)
    cv2.circle(bgr, (320, 200), 100, (0, 0, 255), -1)
    cv2.circle(alpha, (320, 200), 100, 255, -1)
    return pixels.from_bgr(bgr, 9, 2.0), alpha


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_the_person_does_not_bleed_into_the_blur(strength: float) -> None:
    frame, alpha = striped_room()
    blurred = BlurBackdrop(strength).picture(frame, alpha)
    assert blurred.size == frame.size
    assert np.abs(pixels.to_bgr(blurred).astype(int) - 90).max() <= 3


def test_even_the_least_blur_hides_what_could_be_read() -> None:
    """Letters a fourteenth of the height high are a grey bar."""
    bgr = np.full((360, 640, 3), 40, np.uint8)
    for row in range(40, 350, 45):
        cv2.putText(bgr, "SECRET 0123 PLAN SECRET 0123", (-80, row), 0, 1.2, (220, 220, 220), 4)
    frame = pixels.from_bgr(bgr)

    def contrast(luma: Bytes) -> float:
        level = luma[20:-20].astype(np.float32)
        return float((level - cv2.blur(level, (61, 1))).std())

    blurred = BlurBackdrop(0.0).picture(frame, nobody((640, 360)))
    assert contrast(blurred.y) < 0.15 * contrast(frame.y)


def test_more_strength_blurs_more() -> None:
    bgr = np.zeros((360, 640, 3), np.uint8)
    bgr[:, 320:] = 255
    frame = pixels.from_bgr(bgr)
    slopes = [
        int(
            np.abs(
                np.diff(BlurBackdrop(s).picture(frame, nobody((640, 360))).y[180].astype(int))
            ).max()
        )
        for s in (0.0, 0.5, 1.0)
    ]
    assert slopes[0] > slopes[1] > slopes[2] > 0


def test_where_all_is_person_the_blur_shows_no_pixel_of_the_room() -> None:
    frame, _ = striped_room()
    everything = np.full((360, 640), 255, np.uint8)
    planes = pixels.planes_of(BlurBackdrop(0.5).picture(frame, everything))
    assert all((plane == pixels.NEUTRAL).all() for plane in planes)


def test_developers_see_the_room_in_a_red_border() -> None:
    frame, alpha = striped_room()
    marked = RoomBackdrop().picture(frame, alpha)
    width = round(0.02 * 360) // 2 * 2
    assert (marked.y[20:-20, 20:-20] == frame.y[20:-20, 20:-20]).all()
    for edge in (marked.y[: width - 1], marked.y[:, : width - 1], marked.y[1 - width :]):
        assert np.unique(edge).size == 1
    blue, green, red = pixels.to_bgr(marked)[0, 0].tolist()
    assert red > 250 and green < 5 and blue < 5
    assert (marked.number, marked.captured_at) == (9, 2.0)


@pytest.mark.parametrize("backdrop", [BlurBackdrop(0.5), RoomBackdrop()])
def test_what_needs_the_room_shows_the_slate_alone(backdrop: BlurBackdrop | RoomBackdrop) -> None:
    assert backdrop.alone(SIZE) is pixels.slate(SIZE)
    frame, alpha = striped_room()
    backdrop.picture(frame, alpha)
    assert backdrop.alone(SIZE) is pixels.slate(SIZE)


@pytest.mark.parametrize("size", [(2, 2), (640, 480), (90, 160), (1920, 1080)])
def test_every_size_of_frame_has_a_backdrop(size: tuple[int, int], tmp_path: Path) -> None:
    picture = PictureBackdrop(save(tmp_path / "a.png", quarters()))
    for backdrop in (BlurBackdrop(0.5), RoomBackdrop(), ColourBackdrop((1, 2, 3)), picture):
        shown = backdrop.picture(frame_at(0.0, size), nobody(size))
        assert shown.size == size
