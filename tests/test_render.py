"""Rendering stills: maps of classes, and GrabCut's say on the outline."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.build import make_backdrop
from realtime.config import Config
from realtime.errors import ConfigError, ModelContract, SinkUnavailable
from realtime.job import Job
from realtime.matting.classes import enlarge_classes
from realtime.matting.engine import MattingModel
from realtime.matting.mirrored import BothWays
from realtime.pixels import from_bgr
from realtime.render import render
from realtime.sinks.indexed import colour
from realtime.sinks.recording import RecordingSink
from realtime.still import still_pipeline
from tests.toy import save_toy, toy_card

BLUE = Config().with_values({"scene": {"backdrop": "#0000ff"}})
CLASSES = ("background", "skin", "top")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> MattingModel:
    path = tmp_path_factory.mktemp("parts") / "parts.xml"
    return MattingModel(save_toy(path, toy_card(name="parts", classes=CLASSES)))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A person in a red room, of odd size: green above, green and blue (a jumper) below."""
    array = np.full((181, 241, 3), (0, 0, 200), np.uint8)
    array[60:120, 80:160] = (0, 200, 0)
    array[120:, 80:160] = (200, 200, 0)
    path = tmp_path / "person.png"
    cv2.imwrite(str(path), array)
    return path


def run(job: Job, model: MattingModel) -> int:
    return render(job, BLUE, model, lambda done, total: None)


def indexed(path: Path) -> np.ndarray:
    """Return the values of an indexed PNG as another decoder reads them."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert frame.format.name == "pal8"
    numbers, palette = frame.to_ndarray()
    for number in np.unique(numbers):  # the decoder gives alpha, red, green, blue
        assert tuple(palette[number]) == (255, *colour(int(number)))
    return numbers


def test_a_map_of_classes_is_of_the_pictures_size(
    picture: Path, parts: MattingModel, tmp_path: Path
) -> None:
    job = Job(picture, tmp_path / "out.png", tmp_path / "alpha.png", tmp_path / "classes.png")
    assert run(job, parts) == 1
    numbers = indexed(tmp_path / "classes.png")
    assert numbers.shape == (181, 241)
    assert (numbers[20, 20], numbers[90, 120], numbers[150, 120]) == (0, 1, 2)
    alpha = cv2.imread(str(tmp_path / "alpha.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(numbers > 0, alpha > 127), "the outline is the matte's"
    assert cv2.imread(str(tmp_path / "out.png")).shape == (181, 241, 3)


def test_a_folder_gets_a_folder_of_maps(picture: Path, parts: MattingModel, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    picture.rename(tmp_path / "in" / "a.png")
    cv2.imwrite(str(tmp_path / "in" / "b.jpg"), np.full((40, 60, 3), (0, 0, 200), np.uint8))
    job = Job(tmp_path / "in", tmp_path / "out", classes=tmp_path / "maps")
    assert run(job, parts) == 2
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == ["a.png", "b.png"]
    assert indexed(tmp_path / "maps" / "a.png").max() == 2
    assert indexed(tmp_path / "maps" / "b.png").max() == 0


def test_a_model_without_classes_names_one_that_has(
    picture: Path, toy_ir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "models"
    shipped.mkdir()
    monkeypatch.setattr("realtime.build.MODELS", shipped)
    job = Job(picture, tmp_path / "out.png", classes=tmp_path / "classes.png")
    with pytest.raises(ModelContract, match=r"toy .* knows no classes .*no shipped model"):
        run(job, MattingModel(toy_ir))
    save_toy(shipped / "plain.xml")
    save_toy(shipped / "dressed.xml", toy_card(classes=CLASSES))
    with pytest.raises(ModelContract, match="--model dressed"):
        run(job, MattingModel(toy_ir))
    assert not job.output.exists()


@pytest.mark.parametrize("name", ["classes.jpg", "person.png"])
def test_a_map_is_a_png_and_does_not_overwrite_the_picture(
    name: str, picture: Path, parts: MattingModel, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=name):
        run(Job(picture, tmp_path / "out.png", classes=tmp_path / name), parts)


@pytest.mark.parametrize("extra", ["alpha", "classes"])
@pytest.mark.parametrize("folder", [False, True])
def test_nothing_that_is_written_overwrites_the_rest(
    extra: str, folder: bool, picture: Path, parts: MattingModel, tmp_path: Path
) -> None:
    source, name = (tmp_path, "out") if folder else (picture, "out.png")
    with pytest.raises(ConfigError, match=f"{name} would overwrite what else is written"):
        run(Job(source, tmp_path / name, **{extra: tmp_path / "." / name}), parts)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("wrong", ["output", "alpha", "classes"])
@pytest.mark.parametrize("place", ["nowhere/a.png", "folder.png"])
def test_where_one_file_cannot_be_written_none_is(
    wrong: str, place: str, picture: Path, parts: MattingModel, tmp_path: Path
) -> None:
    (tmp_path / "folder.png").mkdir()
    before = sorted(tmp_path.iterdir())
    paths = {name: tmp_path / f"{name}.png" for name in ("output", "alpha", "classes")}
    with pytest.raises(SinkUnavailable, match=place):
        run(Job(picture, **{**paths, wrong: tmp_path / place}), parts)
    assert sorted(tmp_path.iterdir()) == before


def test_classes_meet_where_the_nearest_pixels_say() -> None:
    numbers = np.zeros((8, 16), np.uint8)
    numbers[:, 4:10], numbers[:, 10:] = 7, 2
    matte = np.full((80, 160), 255, np.uint8)
    matte[:, :38] = 0
    large = enlarge_classes(numbers, matte)
    assert set(np.unique(large)) == {0, 2, 7}, "no number between two classes is made up"
    assert (large[:, :38] == 0).all() and (large[:, 39:99] == 7).all()
    assert (large[:, 101:] == 2).all()


def test_what_the_network_gives_no_class_stays_background() -> None:
    numbers = np.zeros((8, 16), np.uint8)
    numbers[:, 12:] = 1
    large = enlarge_classes(numbers, np.full((80, 160), 255, np.uint8))
    assert (large[:, :90] == 0).all() and (large[:, 125:] == 1).all()


def test_grabcut_renders_a_picture_and_a_folder_alike(
    picture: Path, toy_ir: Path, tmp_path: Path
) -> None:
    model = MattingModel(toy_ir)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(picture.read_bytes())
    alone = Job(picture, tmp_path / "out.png", tmp_path / "alpha.png", grabcut=True)
    folder = Job(tmp_path / "in", tmp_path / "out", tmp_path / "mattes", grabcut=True)
    assert run(alone, model) == run(folder, model) == 1
    alpha = cv2.imread(str(tmp_path / "alpha.png"), cv2.IMREAD_UNCHANGED)
    assert (alpha[20, 20], alpha[90, 120], alpha[150, 120]) == (0, 255, 255)
    assert np.array_equal(alpha, cv2.imread(str(tmp_path / "mattes" / "a.png"), -1))
    true = cv2.inRange(cv2.imread(str(picture)), (0, 100, 0), (255, 255, 100))
    plain = Job(picture, tmp_path / "plain.png", tmp_path / "plain_alpha.png")
    run(plain, model)
    guided = cv2.imread(str(tmp_path / "plain_alpha.png"), cv2.IMREAD_UNCHANGED)
    wrong = [np.count_nonzero((matte > 127) != (true > 127)) for matte in (alpha, guided)]
    assert not np.array_equal(alpha, guided) and wrong[0] <= wrong[1]


@pytest.mark.parametrize("extra", [{"grabcut": True}, {"classes": Path("classes.png")}])
def test_a_video_has_no_work_of_stills(
    extra: dict[str, Path | bool], parts: MattingModel, tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(ConfigError, match="pictures, not"):
        run(Job(tmp_path / "clip.mp4", tmp_path / "out.mp4", **extra), parts)
    assert not (tmp_path / "out.mp4").exists()


def test_before_and_after_stand_side_by_side(picture: Path, toy_ir: Path, tmp_path: Path) -> None:
    model = MattingModel(toy_ir)
    run(Job(picture, tmp_path / "one.png"), model)
    run(Job(picture, tmp_path / "two.png", compare=True), model)
    one, two = (cv2.imread(str(tmp_path / name)) for name in ("one.png", "two.png"))
    assert two.shape == (181, 482, 3)
    assert np.array_equal(two[:, 241:], one), "what is rendered stands on the right"
    assert (two[20, 20] == one[20, 20]).all(), "and the same backdrop on the left"
    clip = tmp_path / "clip.mkv"
    record(clip, picture)
    assert run(Job(clip, tmp_path / "both.mkv", compare=True), model) == 3
    with av.open(str(tmp_path / "both.mkv")) as container:
        assert [(at.width, at.height) for at in container.decode(video=0)] == [(484, 182)] * 3


def record(path: Path, picture: Path) -> None:
    """Write a clip of three frames."""
    sink = RecordingSink(path, 10.0)
    for number in range(3):
        sink.write(from_bgr(cv2.imread(str(picture)), number, number / 10))
    sink.close()


NOTHING = Config().with_values({"scene": {"backdrop": "transparent"}})


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_transparent_picture_holds_the_person_and_nothing_of_the_room(
    suffix: str, picture: Path, toy_ir: Path, tmp_path: Path
) -> None:
    output = tmp_path / f"out{suffix}"
    render(Job(picture, output), NOTHING, MattingModel(toy_ir), lambda done, total: None)
    bgra = cv2.imread(str(output), cv2.IMREAD_UNCHANGED)
    assert bgra.shape == (181, 241, 4)
    assert (bgra[20, 20] == 0).all() and bgra[90, 120, 3] == 255
    assert np.abs(bgra[90, 120, :3].astype(int) - (0, 200, 0)).max() < 12
    clear = bgra[bgra[..., 3] == 0]
    assert clear[:, 2].max() < 60, "no pixel of the red room under the transparency"


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_a_transparent_video_carries_alpha(
    suffix: str, picture: Path, toy_ir: Path, tmp_path: Path
) -> None:
    clip, output = tmp_path / "clip.mkv", tmp_path / f"out{suffix}"
    record(clip, picture)
    render(Job(clip, output), NOTHING, MattingModel(toy_ir), lambda done, total: None)
    decoder = {".webm": "libvpx-vp9"}.get(suffix, "ffv1")
    with av.open(str(output)) as container:
        codec = av.CodecContext.create(decoder, "r")
        packets = [packet for packet in container.demux(video=0) if packet.size]
        codec.extradata = container.streams.video[0].codec_context.extradata
        codec.width, codec.height = 242, 182
        frame = next(frame for packet in packets for frame in codec.decode(packet))
    assert frame.format.name == "yuva420p"
    plane = frame.planes[3]
    alpha = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    assert alpha[20, 20] < 10 and alpha[90, 120] > 245


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("out.jpg", {}, "transparent picture is written as .png .webp"),
        ("out.png", {"overlay": "desk.png"}, "overlay needs a backdrop"),
    ],
)
def test_what_cannot_be_transparent_is_told(
    name: str, changes: dict[str, str], reason: str, picture: Path, toy_ir: Path, tmp_path: Path
) -> None:
    config = NOTHING.with_values({"scene": changes})
    with pytest.raises(ConfigError, match=reason):
        render(Job(picture, tmp_path / name), config, MattingModel(toy_ir), lambda *_: None)
    with pytest.raises(ConfigError, match="leave out one"):
        job = Job(picture, tmp_path / "out.png", compare=True)
        render(job, NOTHING, MattingModel(toy_ir), lambda *_: None)
    with pytest.raises(ConfigError, match="is for `scrim render`"):
        make_backdrop(NOTHING.scene)


def test_a_cut_picture_has_no_matte_of_its_size(
    picture: Path, toy_ir: Path, tmp_path: Path
) -> None:
    config = BLUE.with_values({"scene": {"framing": True}})
    job = Job(picture, tmp_path / "out.png", tmp_path / "alpha.png")
    with pytest.raises(ConfigError, match="the matte is of the whole picture"):
        render(job, config, MattingModel(toy_ir), lambda *_: None)


def test_a_clip_is_looked_at_as_large_as_the_network_was_made_for(tmp_path: Path) -> None:
    """A person four pixels wide: the smaller input loses it."""
    clip = tmp_path / "thin.mkv"
    room = np.full((180, 240, 3), (0, 0, 200), np.uint8)
    room[60:, 118:122] = (0, 200, 0)  # half of two pixels of the smaller input
    sink = RecordingSink(clip, 30.0)
    for number in range(3):
        sink.write(from_bgr(room, number, number / 30))
    sink.close()
    path = save_toy(tmp_path / "two.xml", toy_card(sizes=((60, 45), (120, 90))))
    model, sure = MattingModel(path), []
    for scale in (1.0, 2.0):
        job = Job(clip, tmp_path / f"{scale}.mkv", tmp_path / f"{scale}-alpha.mkv")
        plain = {"render": {"scale": scale}, "refine": {"method": "off"}}
        assert render(job, BLUE.with_values(plain), model, lambda done, total: None) == 3
        with av.open(str(job.alpha)) as mattes:
            matte = next(mattes.decode(video=0)).to_ndarray(format="gray")
        sure.append(np.count_nonzero(matte[80:160] > 200))
    assert sure[1] > 2 * sure[0]


def test_pictures_and_clips_are_looked_at_both_ways(parts: MattingModel) -> None:
    assert BLUE.unhurried().matting.mirrored and BLUE.unhurried().matting.every == 1
    for wanted in (True, False):
        line = still_pipeline(BLUE.with_values({"render": {"mirrored": wanted}}), parts)
        assert isinstance(line._session, BothWays) is wanted
