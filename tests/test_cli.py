"""The command line, used as people use it: right input works, bad input is one clear line."""

from __future__ import annotations

import json
import re
import socket
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from realtime.config import Config, check
from tests.conftest import Scrim


def test_it_says_its_version(scrim: Scrim) -> None:
    assert scrim("--version") == (0, version("scrim") + "\n", "")


def bad_files() -> None:
    Path("empty.png").write_bytes(b"")
    Path("text.mp4").write_text("no video")
    Path("broken.toml").write_text("[camera")
    Path("unknown.toml").write_text("[camera]\nwdth = 640\n")
    Path("lonely.xml").write_text("<net/>")
    Path("folder").mkdir()
    Path("folder.png").mkdir()
    Path("loop").symlink_to("loop")


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
        ("render folder out.png", 2, "name a folder"),
        ("render folder text.mp4", 2, "name a folder"),
        ("render folder loop", 2, "name a folder"),
        ("render folder folder.png", 2, "no picture"),
        ("render folder out.v2", 2, "no picture"),
        ("render person.png folder.png", 5, "name a file in it"),
        ("render person.png nowhere/out.png", 5, "make the folder first"),
        ("render person.png out.png --compare --backdrop transparent", 2, "leave out one"),
        ("render person.png out.png --backdrop \udcff.png", 2, "it is not UTF-8"),
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
        ("run --no-web --set virtualcam.enabled=maybe", 2, "true = insist"),
        ("run -i gone.mp4 --host 0.0.0.0", 2, "needs a token"),
        ("run -i gone.mp4 --host a..b --set web.token=x", 2, "'a..b' is no address"),
        ("run --set camera.fps=-1", 2, "'-1' is not allowed: it has to be greater than"),
        ("bench --frames 99999999999999999999", 2, "--frames"),
        ("run -i gone.mp4 --set web.cert=gone.pem", 2, "gone.pem"),
        ("run -i gone.mp4 --publish rtp://127.0.0.1:5004?codec=AV9", 2, "H264, VP8"),
        ("run --no-web --set camera.device=none", 2, "nothing to do"),
        ("run --passthrough --set web.token=x --host 0.0.0.0", 2, "shows the room"),
        ("run --passthrough --no-web --publish rtp://127.0.0.1:5004", 2, "shows the room"),
        ("run --port 0 --set camera.device=none --backdrop gone.jpg", 2, "gone.jpg"),
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


def test_an_input_without_a_name_is_no_camera(scrim: Scrim, toy_ir: Path) -> None:
    """As a script gives it whose variable is empty."""
    words = ("run", "-i", "", "--no-web", "--no-virtualcam", "--model", toy_ir)
    code, _, err = scrim(*words, "--set", "camera.device=none")
    assert code == 4 and "error: .: is a directory" in err


def test_ctrl_c_while_a_camera_is_opened_leaves_nothing_behind(
    scrim: Scrim, toy_ir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*asked: object) -> None:
        assert list(Path().glob(".talk-*.mp4")), "the recording comes first"
        raise KeyboardInterrupt

    monkeypatch.setattr("realtime.live.open_input", interrupt)
    words = ("run", "-i", "pattern", "--no-web", "--no-virtualcam", "--model", toy_ir)
    assert scrim(*words, "--set", "recording.path=talk.mp4") == (0, "", "stopped\n")
    assert list(Path().glob(".talk-*")) == []


@pytest.mark.parametrize("words", ["ctl", "uninstall-service"])
def test_who_has_no_home_is_told_where_one_is_needed(
    scrim: Scrim, picture: Path, toy_ir: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """A container's user may have neither HOME nor an entry among the users."""

    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    said = "error: this user has no home folder\n  set HOME to a folder that can be written to\n"
    assert scrim(*words.split()) == (1, "", said)
    assert scrim("config")[0] == scrim("render", picture, "out.png", "--model", toy_ir)[0] == 0


def test_config_dump_is_the_effective_configuration(scrim: Scrim) -> None:
    Path("config.toml").write_text("[web]\nport = 9000\n")
    code, out, _ = scrim("config", "--dump", "--set", "camera.mirror=true")
    assert code == 0
    expected = Config().with_values({"web": {"port": 9000}, "camera": {"mirror": True}})
    assert check(tomllib.loads(out)) == expected


def test_models_lists_what_is_shipped(scrim: Scrim) -> None:
    code, out, _ = scrim("models")
    assert code == 0
    figures = dict(re.findall(r"^(\S+).*\n.*\n  figures  (.*)$", out, re.MULTILINE))
    assert figures.keys() >= {"scrim-r", "scrim-r-int8"}
    for name, told in figures.items():
        assert ("; all before INT8, which lost" in told) == name.endswith("-int8"), name


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
