"""A microphone that is lent with the camera: its sound comes back as late as the picture."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import numpy as np
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from realtime.config import Config
from realtime.web import sound
from realtime.web.sound import DelayedSound, Sound
from tests.web.guest import Browser, Camera, browser, lend_camera, post_sdp
from tests.web.serving import BLUE, GREEN, PATIENCE_S, in_loop, served

RATE, SAMPLES = 48_000, 960


class Tone(MediaStreamTrack):  # type: ignore[misc]
    """A loud 440 Hz, 20 ms at a time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(SAMPLES / RATE)
        moments = np.arange(self._sent, self._sent + SAMPLES) / RATE
        wave = (12_000 * np.sin(2 * np.pi * 440 * moments)).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._sent, Fraction(1, RATE)
        self._sent += SAMPLES
        return frame


@in_loop
async def test_a_lent_microphone_comes_back(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        guest.connection.addTrack(Tone())
        await lend_camera(client, guest)
        await guest.sees(GREEN, BLUE)
        await hears(guest)


async def hears(guest: Browser) -> None:
    """Wait for the tone."""
    (heard,) = [r.track for r in guest.connection.getReceivers() if r.track.kind == "audio"]
    async with asyncio.timeout(PATIENCE_S):
        while np.abs((await heard.recv()).to_ndarray()).max() < 6_000:
            pass


@in_loop
async def test_who_watches_a_published_camera_hears_it(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        guest.connection.addTrack(Tone())
        for medium in guest.connection.getTransceivers():
            medium.direction = "sendonly"
        answer = await post_sdp(client, await guest.offer(), "/whip")
        place = answer.headers["Link"][1:].partition(">")[0]
        await guest.accept(await answer.text())
        async with browser() as first, browser() as second:
            for watcher in (first, second):
                watcher.connection.addTransceiver("audio", direction="recvonly")
                watched = await post_sdp(client, await watcher.offer(), place)
                await watcher.accept(await watched.text())
            for watcher in (first, second):
                await watcher.sees(GREEN, BLUE)
                await hears(watcher)


@in_loop
async def test_who_hides_is_not_heard_either(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        guest.connection.addTrack(Tone())
        session = await lend_camera(client, guest)
        await hears(guest)
        path = f"/api/v1/sessions/{session}/privacy"
        assert (await client.put(path, json={"hidden": True})).status == 200
        await is_silent(guest)
        assert (await client.put(path, json={"hidden": False})).status == 200
        await hears(guest)


async def is_silent(guest: Browser) -> None:
    """Wait until nothing is sent any more, but for what was under way."""
    (heard,) = [r.track for r in guest.connection.getReceivers() if r.track.kind == "audio"]
    with pytest.raises(TimeoutError):
        for _ in range(50):  # a second of it
            await asyncio.wait_for(heard.recv(), 0.5)


@in_loop
async def test_what_waits_while_somebody_hides_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, hidden = Clock(), False
    monkeypatch.setattr(sound, "time", clock)
    ticks = Ticks(clock)
    microphone = Sound(lambda: 0.2, lambda: hidden)
    listener = microphone.listen()
    draining = asyncio.create_task(microphone.drain(ticks))
    assert await listener.recv() == 1
    hidden, next_heard = True, asyncio.create_task(listener.recv())
    while ticks.given < 50:
        await asyncio.sleep(0)
    assert not next_heard.done()
    hidden = False
    assert await next_heard > 49
    await draining


class Clock:
    """A clock that stands still until it is set."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Ticks(MediaStreamTrack):  # type: ignore[misc]
    """Gives its number a tick of 20 ms, ten times."""

    kind = "audio"

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock, self.given = clock, 0

    async def recv(self) -> int:
        if self.given == 100:
            raise MediaStreamError
        await asyncio.sleep(0)
        self._clock.now += 0.02
        self.given += 1
        return self.given


@pytest.mark.parametrize(("delay_s", "behind"), [(0.0, 0), (0.1, 5), (0.2, 10), (30.0, 50)])
def test_sound_waits_as_long_as_it_is_told(
    monkeypatch: pytest.MonkeyPatch, delay_s: float, behind: int
) -> None:
    clock = Clock()
    monkeypatch.setattr(sound, "time", clock)
    ticks = Ticks(clock)
    microphone = Sound(lambda: delay_s, lambda: False)

    async def listen(listener: DelayedSound) -> list[tuple[int, int]]:
        return [(await listener.recv(), ticks.given) for _ in range(40)]

    async def hear() -> list[list[tuple[int, int]]]:
        draining = asyncio.create_task(microphone.drain(ticks))
        first, second = microphone.listen(), microphone.listen()
        heard = await asyncio.gather(listen(first), listen(second))
        await draining
        for listener in (first, second):
            with pytest.raises(MediaStreamError):
                await listener.recv()
        return heard

    for heard in asyncio.run(hear()):
        assert [number for number, _ in heard] == list(range(1, 41)), "in order, none left out"
        assert all(abs(given - number - behind) <= 1 for number, given in heard)


@in_loop
async def test_who_has_stopped_listening_holds_nothing() -> None:
    microphone = Sound(lambda: 30.0, lambda: False)
    gone, listener = microphone.listen(), microphone.listen()
    gone.stop()
    await microphone.drain(Ticks(Clock()))
    assert not gone._waiting and len(listener._waiting) == 100
    assert not microphone._listeners


@in_loop
async def test_sound_that_nobody_wants_back_is_not_taken(config: Config, loopback: None) -> None:
    async with served(config) as client, browser(Camera()) as guest:
        guest.connection.addTransceiver(Tone(), direction="sendonly")
        body = {"type": "offer", "sdp": await guest.offer()}
        answer = (await (await client.post("/offer", json=body)).json())["sdp"]
        assert "a=inactive" in answer[answer.index("m=audio") :]
        await guest.accept(answer)
        await guest.sees(GREEN, BLUE)
