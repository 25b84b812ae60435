"""The command line, used as people use it: right input works, bad input is one clear line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime.__main__ import main
from realtime.config import Config, check
from realtime.sinks.recording import RecordingSink
from realtime.sources.pattern import PatternSource
from tests.toy import save_toy, toy_card

Scrim = Callable[..., tuple[int, str, str]]


@pytest.fixture
def scrim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scrim:
    """Run the command line in an empty folder; give the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SCRIM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["scrim", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        out, err = capsys.readouterr()
        return (code if isinstance(code, int) else 0), out, err

    return run


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A green person in a red room, of odd size."""
    array = np.full((91, 121, 3), (0, 0, 200), np.uint8)
    array[30:, 40:80] = (0, 200, 0)
    path = tmp_path / "person.png"
    cv2.imwrite(str(path), array)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return shot(tmp_path / "clip.mkv", 12)


def shot(path: Path, frames: int) -> Path:
    """Write a clip of a green person in a red room."""
    source = PatternSource((96, 64), 30.0, frames, realtime=False, flat=True)
    sink = RecordingSink(path, 30.0)
    for _ in range(frames):
        sink.write(source.read())
    sink.close()
    return path


def colour_at(path: Path, x: int, y: int) -> list[int]:
    return [int(value) for value in cv2.imread(str(path))[y, x]]


def near(colour: list[int], bgr: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, bgr, strict=True)) <= 12


def test_it_says_its_version(scrim: Scrim) -> None:
    assert scrim("--version") == (0, version("scrim") + "\n", "")


def test_a_picture_is_rendered_with_its_matte(scrim: Scrim, picture: Path, toy_ir: Path) -> None:
    code, _, err = scrim(
        *("render", picture, "out.png", "--alpha", "alpha.png"),
        *("--backdrop", "#0000ff", "--model", toy_ir),
    )
    assert code == 0, err
    assert cv2.imread("out.png").shape == (91, 121, 3)
    assert near(colour_at(Path("out.png"), 5, 5), (255, 0, 0))
    assert near(colour_at(Path("out.png"), 60, 70), (0, 200, 0))
    alpha = cv2.imread("alpha.png", cv2.IMREAD_UNCHANGED)
    assert alpha.shape == (91, 121) and alpha.dtype == np.uint8
    assert (int(alpha[5, 5]), int(alpha[70, 60])) == (0, 255)


def test_a_video_is_rendered_frame_by_frame(scrim: Scrim, clip: Path, toy_ir: Path) -> None:
    code, _, err = scrim(
        *("render", clip, "out.mp4", "--alpha", "alpha.mkv"),
        *("--backdrop", "#0000ff", "--model", toy_ir),
    )
    assert code == 0, err
    for name, gray in (("out.mp4", False), ("alpha.mkv", True)):
        with av.open(name) as container:
            frames = list(container.decode(video=0))
        assert len(frames) == 12
        assert (frames[0].width, frames[0].height) == (96, 64)
        assert frames[0].format.name.startswith("gray") == gray


def test_a_folder_is_rendered_and_no_picture_leaks_into_another(
    scrim: Scrim, picture: Path, toy_ir: Path
) -> None:
    folder = Path("in")
    folder.mkdir()
    (folder / "a.png").write_bytes(picture.read_bytes())
    cv2.imwrite("in/b.png", np.full((91, 121, 3), (0, 0, 200), np.uint8))
    cv2.imwrite("in/c.bmp", np.full((16, 16, 3), (0, 0, 200), np.uint8))
    (folder / "notes.txt").write_text("no picture")
    (folder / "._a.png").write_text("what macOS puts beside a picture")
    code, _, err = scrim(
        *("render", "in", "out", "--alpha", "mattes"),
        *("--backdrop", "#0000ff", "--model", toy_ir),
    )
    assert code == 0, err
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "b.png", "c.png"]
    assert cv2.imread("mattes/a.png", cv2.IMREAD_UNCHANGED).max() == 255
    assert cv2.imread("mattes/b.png", cv2.IMREAD_UNCHANGED).max() == 0
    scrim("render", "in/a.png", "alone.png", "--backdrop", "#0000ff", "--model", toy_ir)
    assert np.array_equal(cv2.imread("alone.png"), cv2.imread("out/a.png"))


def test_refine_says_how_the_outline_is_found(scrim: Scrim, picture: Path, toy_ir: Path) -> None:
    mattes = []
    for method in ("guided", "off", "grabcut"):
        code, _, err = scrim(
            *("render", picture, "out.png", "--alpha", "alpha.png"),
            *("--refine", method, "--model", toy_ir),
        )
        assert code == 0, err
        mattes.append(cv2.imread("alpha.png", cv2.IMREAD_UNCHANGED).tobytes())
    assert len(set(mattes)) == 3


def test_classes_are_named_beside_their_map(scrim: Scrim, picture: Path, tmp_path: Path) -> None:
    parts = save_toy(tmp_path / "parts.xml", toy_card(classes=("background", "skin", "top")))
    code, _, err = scrim("render", picture, "out.png", "--classes", "map.png", "--model", parts)
    assert code == 0, err
    assert "map.png: 0 background, 1 skin, 2 top" in err
    assert Path("map.png").is_file()


def test_a_broken_picture_in_a_folder_is_named_and_the_others_are_made(
    scrim: Scrim, picture: Path, toy_ir: Path
) -> None:
    Path("in").mkdir()
    Path("in/a.png").write_bytes(picture.read_bytes())
    Path("in/broken.png").write_bytes(b"")
    code, _, err = scrim("render", "in", "out", "--model", toy_ir)
    assert code == 4
    assert "broken.png" in err
    assert [path.name for path in Path("out").iterdir()] == ["a.png"]


def bad_files() -> None:
    Path("empty.png").write_bytes(b"")
    Path("text.mp4").write_text("no video")
    Path("broken.toml").write_text("[camera")
    Path("unknown.toml").write_text("[camera]\nwdth = 640\n")
    Path("lonely.xml").write_text("<net/>")
    Path("folder").mkdir()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("render gone.png out.png", 4, "gone.png"),
        ("render empty.png out.png", 4, "empty.png"),
        ("render {long}.png out.png", 4, "file name too long"),
        ("render person.png {long}.png", 5, "file name too long"),
        ("render person.png out.png --backdrop {long}.jpg", 2, "file name too long"),
        ("render person.png out.png --backdrop {long}", 2, "is no backdrop"),
        ("render person.png out.png --model {long}", 3, "no model"),
        ("run --no-web --no-virtualcam --set recording.path={long}.mp4", 5, "too long"),
        (
            "run --no-web --no-virtualcam --set camera.device=/dev/{long}",
            4,
            "there is no such device",
        ),
        ("render text.mp4 out.mp4", 4, "text.mp4"),
        ("render person.png out.bmp", 2, "written as .png"),
        ("render text.mp4 out.avi", 2, "written as .mp4"),
        ("render person.png out.mp4", 2, "out.mp4"),
        ("render person.png out.png --alpha a.jpg", 2, "a.jpg"),
        ("render person.png person.png", 2, "overwrite"),
        ("render person.png out.png --refine grab", 2, "grabcut"),
        ("render text.mp4 out.mp4 --refine grabcut", 2, "GrabCut"),
        ("render person.png out.png --classes classes.png", 3, "knows no classes"),
        ("render text.mp4 out.mp4 --classes classes.png", 2, "pictures"),
        ("render folder out", 2, "no picture"),
        ("render person.png nowhere/out.png", 5, "nowhere"),
        ("render person.png out.png --backdrop gone.jpg", 2, "gone.jpg"),
        ("render person.png out.png --backdrop empty.png", 2, "empty.png"),
        ("render person.png out.png --backdrop #12345", 2, "#12345"),
        ("render person.png out.png --model nothing", 3, "nothing"),
        ("render person.png out.png --model lonely.xml", 3, "lonely.xml"),
        ("render person.png out.png --set scene.blr=1", 2, "scene.blur"),
        ("render person.png out.png -c gone.toml", 2, "gone.toml"),
        ("render person.png out.png -c broken.toml", 2, "broken.toml"),
        ("config -c unknown.toml", 2, "camera.width"),
        ("run --no-web --no-virtualcam --set camera.device=/dev/nothing", 4, "/dev/nothing"),
        ("run --no-web --no-virtualcam -i gone.mp4", 4, "gone.mp4"),
        ("run -i gone.mp4 --host 0.0.0.0", 2, "needs a token"),
        ("run -i gone.mp4 --set web.cert=gone.pem", 2, "gone.pem"),
        ("run -i gone.mp4 --publish rtp://127.0.0.1:5004?codec=AV9", 2, "H264, VP8"),
        ("run --no-web --set camera.device=none", 2, "nothing to do"),
        ("run --model nothing", 3, "nothing"),
        ("run --preview -i pattern --no-virtualcam", 5, "no preview"),
        ("ctl scene.blur=1", 6, "no Scrim is running"),
    ],
)
def test_bad_input_is_one_clear_error(
    scrim: Scrim, picture: Path, toy_ir: Path, arguments: str, code: int, words: str
) -> None:
    bad_files()
    before = sorted(path for path in Path().rglob("*"))
    words_given = arguments.format(long="x" * 300).split()
    if words_given[0] == "render" and "--model" not in words_given:
        words_given += ["--model", str(toy_ir)]
    if words_given[0] == "run" and "--model" not in words_given:
        words_given += ["--model", str(toy_ir)]
    got, out, err = scrim(*words_given)
    assert (got, out) == (code, "")
    assert err.startswith(("error: ", "Usage: ")), "nothing stands before it"
    assert words in err.replace("\n", "")
    assert "Traceback" not in err
    assert sorted(path for path in Path().rglob("*")) == before


def test_a_port_that_is_taken_is_told_before_anything_is_opened(scrim: Scrim, toy_ir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, out, err = scrim("run", "-i", "gone.mp4", "--port", port, "--model", toy_ir)
    assert (code, out) == (2, "")
    said = f"error: web: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert err == f"{said}  choose another with --port\n"


def test_a_truncated_video_leaves_nothing_behind(scrim: Scrim, clip: Path, toy_ir: Path) -> None:
    Path("cut.mkv").write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    code, _, err = scrim("render", "cut.mkv", "out.mp4", "--model", toy_ir)
    assert code == 4, err
    assert not Path("out.mp4").exists()
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_rendering_that_is_stopped_leaves_nothing_behind(
    tmp_path: Path, toy_ir: Path, how: signal.Signals
) -> None:
    source = shot(tmp_path / "long.mkv", 1500)
    words = ["render", source, tmp_path / "out.mp4", "--model", toy_ir]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    rendering = subprocess.Popen(
        [sys.executable, "-m", "realtime", *words], env=environment, stderr=subprocess.PIPE
    )
    while not any(path.stat().st_size for path in tmp_path.glob(".out-*")):
        assert rendering.poll() is None
        time.sleep(0.01)
    rendering.send_signal(how)
    _, told = rendering.communicate()
    assert (rendering.returncode, told) == (128 + how, b"")
    assert list(tmp_path.iterdir()) == [source]


def test_config_dump_is_the_effective_configuration(scrim: Scrim) -> None:
    Path("config.toml").write_text("[web]\nport = 9000\n")
    code, out, _ = scrim("config", "--dump", "--set", "camera.mirror=true")
    assert code == 0
    expected = Config().with_values({"web": {"port": 9000}, "camera": {"mirror": True}})
    assert check(tomllib.loads(out)) == expected


def test_models_lists_what_is_shipped(scrim: Scrim) -> None:
    code, out, _ = scrim("models")
    assert code == 0
    assert "munet-webcam" in out


def test_devices_and_doctor_answer(scrim: Scrim) -> None:
    code, out, _ = scrim("devices")
    assert code == 0 and "CPU" in out
    code, out, _ = scrim("doctor")
    assert code in (0, 1) and "openvino" in out.lower()


def test_bench_prints_json(scrim: Scrim, toy_ir: Path) -> None:
    code, out, err = scrim("bench", "--json", "--frames", 10, "--model", toy_ir, "-d", "GPU.9")
    assert code == 0, err
    assert len(json.loads(out)) == 3
    assert "GPU.9 cannot be used, CPU instead" in err, "nobody takes it for the GPU's time"
