"""What a signature says, in numpy: the second opinion that a stamped graph is compared with."""

from __future__ import annotations

import numpy as np

from conversion.cards import Signature
from realtime.contract import Card
from realtime.frame import Alpha, Bytes


def feed(bgr: Bytes, signature: Signature) -> Alpha:
    """Return BGR uint8 (H, W, 3) as the graph takes it: float32 (1, 3, H, W) or (1, H, W, 3)."""
    pixels = bgr if signature.colour == "BGR" else bgr[..., ::-1]
    values = (pixels.astype(np.float32) - signature.mean) / signature.scale
    ordered = values if signature.layout == "NHWC" else values.transpose(2, 0, 1)
    return np.ascontiguousarray(ordered[np.newaxis], np.float32)


def matte(output: Alpha, signature: Signature, card: Card, shape: tuple[int, ...]) -> Alpha:
    """Return alpha, float32 (H, W) in 0..1, of what the graph gave; `shape` is (H, W)."""
    values = output.astype(np.float32)
    if values.ndim == 4 and signature.layout == "NHWC":
        values = values.transpose(0, 3, 1, 2)
    return _alpha(values.reshape(-1, *shape), signature, card)


def _alpha(channels: Alpha, signature: Signature, card: Card) -> Alpha:
    if card.classes:
        return np.asarray(1 - _softmax(channels)[0])
    if signature.kind == "logits":
        return np.asarray(1 / (1 + np.exp(-channels[0])))
    if signature.kind == "two-class-logits":
        channels = _softmax(channels)
    return np.asarray(channels[0 if signature.kind == "alpha" else signature.channel])


def _softmax(channels: Alpha) -> Alpha:
    raised = np.exp(channels - channels.max(0))
    return np.asarray(raised / raised.sum(0))
