"""Step 2 of 9: one stream's inference. A thumbnail goes in, an alpha matte comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov

from realtime.contract import ALPHA, CLASSES, IMAGE, Card, Size, nearest_size
from realtime.errors import FrameError, ModelContract
from realtime.frame import Alpha, Bytes

# OpenVINO makes its table of numpy's types at the first look, and lets go of the interpreter's lock
# meanwhile: two streams that began at once would wait for each other, and the whole program with
# them. So it is made while this is imported, by one thread.
ov.Type.f32.to_dtype()


class MattingSession:
    """One stream's inference request and recurrent memory. One thread at a time.

    `compiled` returns the network with this card compiled for one of the `sizes`.
    """

    def __init__(
        self, compiled: Callable[[Size], ov.CompiledModel], card: Card, sizes: tuple[Size, ...]
    ) -> None:
        self._compiled = compiled
        self._card = card
        self._sizes = sizes
        self._size: Size | None = None
        self._request: Any = None
        self._memory: dict[str, Any] = {}

    def size_for(self, width: int, height: int) -> Size:
        """Return the network input (width, height) that squeezes such a picture least."""
        return nearest_size(self._sizes, width, height)

    def reset(self) -> None:
        """Forget the stream: memory starts from zeros again."""
        self._memory = {}

    def infer(self, bgr: Bytes) -> Alpha:
        """Return alpha, float32 (height, width) in 0..1, of uint8 (height, width, 3) in BGR.

        The array is the caller's to keep. Raises `FrameError` for another dtype or shape, for
        an output that is not finite and when the runtime fails; `ModelError` when the network
        does not compile.
        """
        self._take_size(bgr)
        if not self._memory:
            self._memory = empty_memory(self._request.get_compiled_model(), self._card)
        try:
            self._ask({IMAGE: np.require(bgr, requirements=("C", "W"))[np.newaxis], **self._memory})
        except RuntimeError as error:
            raise FrameError(f"inference failed: {reason(error)}", "is the device lost?") from error
        alpha = self._checked(self._answer(ALPHA), bgr.shape[:2])
        for source, target in self._card.memory:
            self._memory[source] = self._answer(target).copy()
        return alpha

    def _ask(self, inputs: dict[str, Any]) -> None:
        """Infer from inputs that are not copied; `request.infer` takes a twentieth longer."""
        for name, array in inputs.items():
            self._request.set_tensor(name, ov.Tensor(array, shared_memory=True))
        self._request.start_async()
        self._request.wait()

    def _answer(self, name: str) -> Any:
        """Return an output, which lives until the next frame."""
        return self._request.get_tensor(name).data

    def classes(self, bgr: Bytes) -> Bytes:
        """Return the number of each pixel's class in the card's `classes`, uint8 (height, width).

        Takes what `infer` takes, raises what it raises, and moves the stream's memory on as one
        more frame. Raises `ModelContract` for a network whose card names no classes.
        """
        names = self._card.classes
        if not names:
            raise ModelContract(
                f"{self._card.name} knows person and room only",
                "choose a model whose card names classes",
            )
        self.infer(bgr)
        found = self._answer(CLASSES)
        if found.shape != (1, *bgr.shape[:2]):  # an open shape is known only now
            raise FrameError(f"the network gave classes of {found.shape} for {bgr.shape}")
        if found.max() >= len(names):
            raise FrameError(f"the network gave class {found.max()} of {len(names)}")
        numbers: Bytes = found[0].copy()
        return numbers

    def _take_size(self, bgr: Any) -> None:
        """Make sure that the request fits the picture; another size is another stream."""
        if not isinstance(bgr, np.ndarray) or bgr.dtype != np.uint8:
            raise FrameError("the network takes pictures of uint8")
        size = bgr.shape[1::-1]
        if bgr.ndim != 3 or bgr.shape[2] != 3 or size not in self._sizes:
            raise FrameError(f"the network takes {self._sizes}, not {bgr.shape}")
        if size != self._size:
            self._request = self._compiled(size).create_infer_request()
            self._size = size
            self.reset()

    def _checked(self, output: Any, shape: tuple[int, ...]) -> Alpha:
        """Return a copy in 0..1. A sum is finite only when every pixel is: one quick pass."""
        if output.shape != (1, 1, *shape):
            self.reset()
            raise FrameError(f"the network gave {output.shape} for a picture of {shape}")
        if not np.isfinite(output.sum()):
            self.reset()
            raise FrameError("the network gave values that are no numbers", "try another model")
        alpha: Alpha = np.clip(output[0, 0], 0.0, 1.0)
        return alpha


def empty_memory(compiled: ov.CompiledModel, card: Card) -> dict[str, Any]:
    """Return the memory of a stream that has seen nothing; open dimensions count 1."""
    zeros = {}
    for name, _ in card.memory:
        port = compiled.input(name)
        shape = [side.get_length() if side.is_static else 1 for side in port.partial_shape]
        zeros[name] = np.zeros(shape, port.element_type.to_dtype())
    return zeros


def reason(error: RuntimeError) -> str:
    """Return the last line with words that OpenVINO wrote, without its trail of source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" ;")]
    return lines[-1] if lines else type(error).__name__
