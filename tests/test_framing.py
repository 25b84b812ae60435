"""The cut that follows head and shoulders: right, soft, and the matte's as much as the frame's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime import pixels
from realtime.frame import Bytes, Frame
from realtime.scene.framing import ABOVE, CLOSEST, Framing, best_cut

SIZE = (640, 360)


def person(x: int, top: int, scale: float = 1.0) -> Bytes:
    """Return the matte of a head and shoulders that reach the lower border."""
    alpha = np.zeros(SIZE[::-1], np.uint8)
    head = round(30 * scale)
    cv2.ellipse(alpha, (x, top + head), (round(24 * scale), head), 0, 0, 360, 255, -1)
    wide = round(70 * scale)
    cv2.rectangle(alpha, (x - wide, top + 2 * head + 8), (x + wide, SIZE[1]), 255, -1)
    cv2.rectangle(alpha, (x - 14, top + head), (x + 14, top + 2 * head + 10), 255, -1)
    return alpha


def seen(alpha: Bytes, at_s: float = 0.0) -> Frame:
    """Return a frame whose luma is the matte, so that both can be compared."""
    return pixels.from_bgr(cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), round(at_s * 30), at_s)


def box(alpha: Bytes) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(cv2.compare(alpha, 127, cv2.CMP_GT))
    return left, top, width, height


@pytest.mark.parametrize("x", [140, 320, 500])
def test_a_small_person_becomes_large_and_stands_in_the_middle(x: int) -> None:
    alpha = person(x, 170, 0.7)
    frame, cut = Framing().follow(seen(alpha), alpha)
    left, top, width, _ = box(cut)
    assert width > 1.4 * box(alpha)[2]
    if x == 320:
        assert abs(left + width / 2 - 320) < 12
        assert top == pytest.approx(ABOVE * 360, abs=14)
    error = np.abs(frame.y.astype(int) - (16 + cut.astype(int) * 219 // 255))
    assert error.mean() < 1, "frame and matte are cut alike"


def test_nothing_outside_the_frame_is_shown_and_no_cut_is_too_close() -> None:
    for x in (0, 60, 320, 639):
        for top, scale in ((0, 1.0), (20, 2.0), (300, 0.3), (200, 0.5)):
            cut = best_cut(person(x, top, scale))
            if cut:
                assert CLOSEST <= cut.height <= 1
                assert cut.height / 2 <= cut.x <= 1 - cut.height / 2
                assert cut.height / 2 <= cut.y <= 1 - cut.height / 2


def test_who_fills_the_picture_is_left_alone() -> None:
    alpha = person(320, 10, 2.5)
    frame = seen(alpha)
    assert Framing().follow(frame, alpha) == (frame, alpha)


def test_it_is_still_while_the_person_sways_and_soft_when_they_move() -> None:
    framing = Framing()

    def shown(x: int, number: int) -> float:
        alpha = person(x, 170, 0.7)
        left, _, width, _ = box(framing.follow(seen(alpha, number / 30), alpha)[1])
        return left + width / 2

    middle = shown(300, 0)
    swaying = [shown(300 + 6 * (n % 3 - 1), n) for n in range(1, 30)]
    assert max(swaying) - min(swaying) < 30, "only the person moves, not the cut"
    walked = [shown(420, n) for n in range(30, 150)]
    assert walked[0] > middle + 150, "first the person leaves the middle"
    assert walked[-1] == pytest.approx(middle, abs=15), "then the cut has followed"
    steps = np.abs(np.diff(walked))
    assert steps[0] < 3 and steps.max() < 12, "softly"


@pytest.mark.parametrize(("gap_s", "anew"), [(1.0, False), (10.0, True), (-5.0, True)])
def test_after_a_long_gap_alone_it_begins_anew(gap_s: float, anew: bool) -> None:
    framing, here, there = Framing(), person(200, 170, 0.7), person(440, 170, 0.7)
    framing.follow(seen(here, 20.0), here)
    cut = box(framing.follow(seen(there, 20.0 + gap_s), there)[1])
    assert (cut == box(Framing().follow(seen(there), there)[1])) == anew


def test_nobody_is_followed_nowhere() -> None:
    framing, empty = Framing(), np.zeros(SIZE[::-1], np.uint8)
    frame = seen(empty)
    assert framing.follow(frame, empty)[0] is frame
    alpha = person(320, 170, 0.7)
    framing.reset()
    before = box(framing.follow(seen(alpha, 1.0), alpha)[1])
    framing.follow(seen(empty, 1.1), empty)
    assert box(framing.follow(seen(alpha, 1.2), alpha)[1]) == before, "the cut waits"
    framing.reset()
    assert framing.follow(frame, empty)[0] is frame
