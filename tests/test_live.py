"""The program as people run it: a process of its own, changed and stopped from outside."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiortc.rtcdtlstransport import generate_certificate
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from realtime.ctl import send
from realtime.errors import ConfigError
from realtime.live import _first_of
from realtime.web.store import Store
from tests.program import PATIENCE_S, ROOT, Program


@pytest.fixture
def program(tmp_path: Path, toy_ir: Path) -> Iterator[Program]:
    running = Program(tmp_path, toy_ir)
    try:
        running.wait_until(lambda: running.state().get("figures", {}).get("state") == "live")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_the_file_is_followed_however_it_is_written(program: Program) -> None:
    path = program.folder / "config.toml"
    program.write(path, "#222222")
    program.wait_until(lambda: program.backdrop() == "#222222")
    program.write(program.folder / "new.toml", "#333333")
    os.replace(program.folder / "new.toml", path)
    program.wait_until(lambda: program.backdrop() == "#333333")
    elsewhere = program.folder / "elsewhere"
    elsewhere.mkdir()
    for name, backdrop in (("one.toml", "#444444"), ("two.toml", "#555555")):
        program.write(elsewhere / name, backdrop)
        (program.folder / "link").symlink_to(elsewhere / name)
        os.replace(program.folder / "link", path)
        program.wait_until(lambda backdrop=backdrop: program.backdrop() == backdrop)
    program.write(elsewhere / "two.toml", "#666666")
    program.wait_until(lambda: program.backdrop() == "#666666")
    path.write_text("[scene]\nblurr = 1\n")
    program.wait_until(lambda: "did you mean scene.blur?" in program.log())
    assert program.backdrop() == "#666666"
    assert program.state()["figures"]["state"] == "live"
    assert program.ctl("stop") == (0, "", "")
    assert program.process.wait(PATIENCE_S) == 0
    assert "Traceback" not in program.log()


def test_an_edited_file_counts_over_the_studios_last_look(tmp_path: Path, toy_ir: Path) -> None:
    kept = tmp_path / "kept"
    Store(str(kept)).remember({"scene.backdrop": "#222222", "scene.blur": 0.7})
    os.utime(kept / "look.json", (2**32, 2**32))  # newer than the file
    web = {"enabled": True, "port": 0, "folder": kept}
    words = [word for key in web for word in ("--set", f"web.{key}={web[key]}")]
    program = Program(tmp_path, toy_ir, *words)
    try:
        program.wait_until(lambda: program.backdrop() == "#222222")
        program.write(tmp_path / "config.toml", "#333333")
        program.wait_until(lambda: program.backdrop() == "#333333")
        assert program.state()["config"]["scene"]["blur"] == 0.7, "what was not edited stays"
    finally:
        program.process.kill()
        program.process.wait()


def test_orders_and_signals(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden() -> bool:
        return bool(program.state()["hidden"])

    (program.folder / "backdrops").mkdir()
    picture = ROOT / "backdrops" / "evening-lights.jpg"
    (program.folder / "backdrops" / "beach.jpg").write_bytes(picture.read_bytes())
    assert program.ctl("scene.backdrop=beach.jpg", "scene.blur=0.9")[0] == 0
    assert program.state()["config"]["scene"]["blur"] == 0.9
    code, out, err = program.ctl("scene.blurr=1")
    assert (code, out, "did you mean scene.blur?" in err) == (2, "", True)
    (program.folder / "dusk").touch()  # no file is meant by the name of a preset
    assert send(program.socket, ["save=dusk"]) == {"presets": ["dusk"]}
    send(program.socket, ["scene.backdrop=blur", "scene.blur=0.2"])
    changed = send(program.socket, ["preset=dusk", "scene.blur=0.9"])
    assert changed["config"]["scene"]["blur"] == 0.9 and "web" not in changed["config"]
    assert Path(program.backdrop()).name == "beach.jpg"
    late = send(program.socket, ["web.port=9"])
    for name in ("slides", "blur"):
        (program.folder / "elsewhere" / name).mkdir(parents=True)
        (program.folder / "elsewhere" / name / "beach.jpg").write_bytes(picture.read_bytes())
    monkeypatch.chdir(program.folder / "elsewhere")
    for backdrop, meant in (("blur", "blur"), ("slides", str(Path("slides").absolute()))):
        send(program.socket, [f"scene.backdrop={backdrop}"])
        assert program.backdrop() == meant
    send(program.socket, ["scene.backdrop=beach.jpg"])
    lost = send(program.socket, ["matting.device=XPU"])
    assert lost["notice"].startswith("XPU cannot be used, CPU instead")
    assert "nothing takes the picture" in program.log()
    assert late == {"read at the start only": ["web.port"], "config": {"web": {"port": 8080}}}
    for wrong, said in (
        (["scene.backdrop=gone.jpg"], "gone.jpg"),
        (["scene.blur=0.1", "dance"], "dance"),
        (["scene.blur=0.1", "preset=dawn"], "there are: dusk"),
        (["save=../dawn"], "no name for a preset"),
        (["preset"], "is no order"),
    ):
        with pytest.raises(ConfigError, match=said):
            send(program.socket, wrong)
    assert program.state()["config"]["scene"]["blur"] == 0.9
    program.process.send_signal(signal.SIGUSR1)
    program.wait_until(hidden)
    assert send(program.socket, ["privacy=off"]) == {"hidden": False}
    program.wait_until(lambda: not hidden() and program.state()["figures"]["state"] == "live")
    program.process.send_signal(signal.SIGHUP)
    program.wait_until(lambda: "nothing has changed" in program.log())
    assert Path(program.backdrop()).name == "beach.jpg"
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(PATIENCE_S) == 0
    assert not (program.folder / "scrim" / "ctl.sock").exists()
    assert program.ctl()[0] == 6


def test_whose_terminal_is_closed_does_not_film_on(tmp_path: Path, toy_ir: Path) -> None:
    screen, terminal = os.openpty()
    program = Program(tmp_path, toy_ir, terminal=terminal)
    os.close(terminal)
    try:
        program.wait_until(lambda: program.state().get("figures", {}).get("state") == "live")
        os.close(screen)
        program.process.send_signal(signal.SIGHUP)
        assert program.process.wait(PATIENCE_S) == 0
    finally:
        program.process.kill()
        program.process.wait()


@pytest.mark.parametrize(("given", "said"), [("hush", "studio: https"), ("bush", "passphrase")])
def test_the_passphrase_of_a_key_is_asked_for_once(
    tmp_path: Path, toy_ir: Path, given: str, said: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "cert.pem").write_bytes(generate_certificate(key).public_bytes(Encoding.PEM))
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hush"))
    (tmp_path / "key.pem").write_bytes(locked)
    web = {"enabled": "true", "port": "0", "cert": "cert.pem", "key": "key.pem"}
    sets = (f"--set=web.{name}={value}" for name, value in web.items())
    alone = {"start_new_session": True, "stdin": subprocess.PIPE}
    program = Program(tmp_path, toy_ir, *sets, **alone)
    try:
        program.process.stdin.write(f"{given}\n")
        program.process.stdin.flush()
        while said not in program.log() and program.process.poll() is None:
            time.sleep(0.1)
        assert said in program.log()
        assert program.log().count("Enter PEM pass phrase") == 1
    finally:
        program.process.kill()
        program.process.communicate()


@pytest.mark.parametrize(
    ("wrong", "code", "said"), [((), 0, "studio: "), (("-i", "gone"), 4, "gone")]
)
def test_all_that_is_told_to_machines_is_json(
    tmp_path: Path, toy_ir: Path, wrong: tuple[str, ...], code: int, said: str
) -> None:
    web = ("--set", "web.enabled=true", "--port", "0")
    program = Program(tmp_path, toy_ir, "--log", "json", *web, *wrong, stdout=subprocess.PIPE)
    try:
        while said not in program.log() and program.process.poll() is None:
            time.sleep(0.1)
        if not wrong:
            program.process.terminate()
        assert program.process.wait(PATIENCE_S) == code
        assert program.process.stdout.read() == ""
        told = [json.loads(line)["message"] for line in program.log().splitlines()]
        assert any(said in message for message in told)
    finally:
        program.process.kill()
        program.process.communicate()


def test_an_impatient_ctrl_c_cuts_no_recording_off() -> None:
    impatient = """
import signal
from realtime.signals import finish

class Line:
    def stop(self):
        signal.raise_signal(signal.SIGINT)
        print("finished")

finish(Line())
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("heard again")
"""
    done = subprocess.run([sys.executable, "-c", impatient], cwd=ROOT, capture_output=True)
    assert done.stdout.split(b"\n")[:2] == [b"finished", b"heard again"], done.stderr


def test_no_camera_films_on_while_all_else_ends_tidily() -> None:
    done: list[str] = []

    async def serve() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.1)
            done.append("tidied up")

    asyncio.run(_first_of([asyncio.sleep(0.1), serve()], lambda: done.append("camera off")))
    assert done == ["camera off", "tidied up"]


def burn() -> None:
    while True:
        pass


def test_what_is_too_much_is_eased(tmp_path: Path, toy_ir: Path) -> None:
    """More frames than can be composed with all cores burning beside it, and drawn more quickly."""
    spawn = multiprocessing.get_context("spawn")
    burning = [spawn.Process(target=burn) for _ in range(os.cpu_count() or 1)]
    much = ("camera.fps=120", "camera.width=1280", "camera.height=720")
    much += ("matting.model=default", "scene.backdrop=blur")
    program = Program(tmp_path, toy_ir, *(f"--set={word}" for word in much))
    try:
        for process in burning:
            process.start()
        program.wait_until(lambda: bool(program.state().get("figures", {}).get("eased")))
    finally:
        program.process.kill()
        program.process.wait()
        for process in burning:
            process.kill()
            process.join()
