"""Operations of others that OpenVINO lacks, written in operations that it has.

A rewriting takes the node's context and returns the output that stands for the node's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino.frontend import ConversionExtension

NHWC_TO_NCHW, NCHW_TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
OHWI_TO_IOHW = (3, 0, 1, 2)


def transposed_convolution_with_bias(node: Any) -> ov.Output:
    """MediaPipe's Convolution2DTransposeBias: (picture NHWC, filter OHWI, bias O) -> NHWC.

    Its parameters are a blob that OpenVINO does not show; in MediaPipe's files the stride always
    equals the filter's side, so that patches neither overlap nor leave gaps.
    """
    picture, weights, bias = (node.get_input(index) for index in range(3))
    strides = list(weights.get_shape()[1:3])
    up = op.convolution_backprop_data(
        turned(picture, NHWC_TO_NCHW), turned(weights, OHWI_TO_IOHW), strides=strides
    )
    return op.add(turned(up.output(0), NCHW_TO_NHWC), bias).output(0)


NODES: dict[str, Callable[[Any], ov.Output]] = {
    "Convolution2DTransposeBias": transposed_convolution_with_bias,
}


def extension(name: str) -> ConversionExtension:
    """Return what tells OpenVINO's readers of files to rewrite the node of this name."""
    return ConversionExtension(name, lambda node: [NODES[name](node)])


def turned(port: ov.Output, order: tuple[int, ...]) -> ov.Output:
    """Return a tensor with its axes in this order."""
    return op.transpose(port, op.constant(np.array(order))).output(0)
