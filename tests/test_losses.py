"""Loss terms: what each asks for, and what it leaves out."""

from dataclasses import replace

import pytest
import torch

from training import losses

pytestmark = pytest.mark.usefixtures("one_thread")

MATTE_TERMS = ("bce", "edge", "gradient", "boundary_bce")


def square(shift: int = 0) -> torch.Tensor:
    """Two mattes of a square of 16 in 32, moved to the right by so many pixels."""
    pha = torch.zeros(2, 1, 32, 32)
    pha[:, :, 8:24, 8 + shift : 24 + shift] = 1
    return pha


def outcome(**heads: torch.Tensor) -> losses.Outcome:
    return losses.Outcome(heads, square(), torch.ones(2, 1, 32, 32), twins=1)


def test_every_term_prefers_the_better_matte() -> None:
    logits = [(square(shift) * 2 - 1) * 8 for shift in (0, 1, 4)]
    found = [losses.terms(MATTE_TERMS, outcome(mask=x)) for x in logits]
    for name in MATTE_TERMS:
        exact, near, far = (float(terms[name]) for terms in found)
        assert exact < near <= far, name


def test_unknown_pixels_do_not_count() -> None:
    weight = torch.ones(2, 1, 32, 32)
    wrong = (square() * 2 - 1) * 8
    wrong[:, :, :4] = 8
    weight[:, :, :5] = 0
    assert losses.bce(losses.Outcome({"mask": wrong}, square(), weight)) < 1e-3


def test_twins_are_to_agree() -> None:
    right = (square() * 2 - 1) * 8
    assert losses.twin(outcome(mask=right)) == 0
    assert losses.twin(outcome(mask=torch.cat([right[:1], -right[:1]]))) > 0.9


def test_the_boundary_term_sees_the_contour_alone() -> None:
    right = torch.where(outcome().pha > 0, 9.0, -9.0)
    inside = right.clone()
    inside[:, :, 15:17, 15:17] = -9  # a hole in the middle, far from the contour
    assert losses.boundary_bce(outcome(mask=inside)) < 1e-3
    shifted = right.roll(2, 3)
    assert losses.boundary_bce(outcome(mask=shifted)) > 0.5


def test_the_focal_term_asks_for_a_line_of_four_pixels() -> None:
    line = torch.full((2, 1, 32, 32), -9.0)
    line[:, :, 6:26, 6:26] = 9
    line[:, :, 10:22, 10:22] = -9
    filled = torch.where(outcome().pha > 0, 9.0, -9.0)
    assert losses.boundary_focal(outcome(boundary=line)) < 1e-3
    assert losses.boundary_focal(outcome(boundary=filled)) > 0.5


def test_consistency_is_the_divergence_of_two_lights() -> None:
    logits = torch.randn(1, 1, 32, 32)
    same = torch.cat([logits, logits])
    assert losses.consistency(outcome(mask=same)) == pytest.approx(0, abs=1e-6)
    other = torch.cat([logits, logits + 1]).requires_grad_()
    value = losses.consistency(outcome(mask=other))
    value.backward()
    assert value > 0.1
    assert other.grad[0].abs().max() == 0 and other.grad[1].abs().max() > 0  # the first teaches


def test_without_twins_there_is_nothing_to_agree() -> None:
    alone = replace(outcome(mask=(square() * 2 - 1) * 8), twins=0)
    assert losses.twin(alone) == losses.consistency(alone) == 0


def test_cross_entropy_leaves_unknown_pixels_out() -> None:
    labels = torch.zeros(1, 1, 4, 4)
    labels[..., 2:] = 1
    weight = torch.ones_like(labels)
    weight[..., 3] = 0
    logits = torch.full((1, 9, 4, 4), -9.0)
    logits[:, 0, :, :2], logits[:, 1, :, 2], logits[:, 5, :, 3] = 9, 9, 9
    right = losses.Outcome({"mask": logits}, labels, weight)
    assert losses.cross_entropy(right) < 1e-3
    wrong = losses.Outcome({"mask": logits}, labels, torch.ones_like(labels))
    assert losses.cross_entropy(wrong) > 1


def labelled(mask: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor) -> losses.Outcome:
    return losses.Outcome({"mask": mask}, labels[:, None].float(), weight[:, None])


def test_overlap_counts_each_class_alike_however_small() -> None:
    labels = torch.zeros(1, 10, 10, dtype=torch.long)
    labels[:, :1, :5] = 2  # 5 pixels of 100; class 1 is in no picture
    known = torch.ones(1, 10, 10)
    right = torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2) * 40.0
    assert losses.overlap(labelled(right, labels, known)) < 1e-4
    blind = torch.zeros_like(right)
    blind[:, 0] = 40
    assert 0.5 < float(losses.overlap(labelled(blind, labels, known))) < 0.52
    assert losses.overlap(labelled(blind, labels, known * (labels == 0))) < 1e-4
    assert losses.overlap(labelled(blind, labels, known * 0)) == 0
