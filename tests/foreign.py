"""Models of others, small and real: written by the libraries that people write theirs with.

TensorFlow and Paddle work in processes of their own, which also write what their network gives.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEIGHT, WIDTH = 36, 64
OPSET = [helper.make_opsetid("", 17)]
WEIGHTS = np.array([[0.4, -2.0, 3.0], [-0.3, 2.5, -1.0]], np.float32)
"""Two channels of three colours, no two alike: a wrong order of anything shows."""

KERAS = """
import sys
from pathlib import Path
import flatbuffers, keras, numpy as np, tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
image = keras.Input((36, 64, 3), name="image")
x = keras.layers.Conv2D(4, 2, strides=2)(image)
x = keras.layers.BatchNormalization(beta_initializer="ones")(x)
x = keras.layers.ReLU()(x)
bias = keras.initializers.Constant(-0.7)
x = keras.layers.Conv2DTranspose(1, 2, strides=2, bias_initializer=bias)(x)
alpha = keras.layers.Activation("sigmoid")(x)
network = keras.Model(image, alpha)
network.save(folder / "net.keras")
network.save(folder / "net.h5")
network.export(folder / "saved", verbose=False)
row = keras.Model(image, keras.layers.Flatten()(alpha))
for name, model in (("net", network), ("row", row)):
    model.export(folder / name, verbose=False)
    written = tf.lite.TFLiteConverter.from_saved_model(str(folder / name)).convert()
    (folder / f"{name}.tflite").write_bytes(written)

# The transposed convolution as MediaPipe writes it: an operation of its own, with padding 1
# (same), strides 2 and 2 as bytes.
found = schema.ModelT.InitFromPackedBuf(bytearray((folder / "net.tflite").read_bytes()), 0)
graph = found.subgraphs[0]
kinds = [found.operatorCodes[node.opcodeIndex].builtinCode for node in graph.operators]
node = graph.operators[kinds.index(schema.BuiltinOperator.TRANSPOSE_CONV)]
code = schema.OperatorCodeT()
code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
code.customCode, code.version = "Convolution2DTransposeBias", 1
found.operatorCodes.append(code)
node.opcodeIndex = len(found.operatorCodes) - 1
_, weights, picture, bias = node.inputs
node.inputs = [picture, weights, bias]
node.builtinOptionsType, node.builtinOptions = 0, None
node.customOptions = np.array([1, 2, 2], np.int32).tobytes()
builder = flatbuffers.Builder()
builder.Finish(found.Pack(builder), b"TFL3")
(folder / "custom.tflite").write_bytes(builder.Output())

seen = np.load(folder / "seen.npy")
np.save(folder / "given.npy", network(seen).numpy())
"""

PADDLE = """
import sys
import numpy as np, paddle
from paddle import nn

paddle.seed(0)

network = nn.Sequential(
    nn.Conv2D(3, 4, 3, padding=1), nn.BatchNorm2D(4), nn.ReLU(), nn.Conv2D(4, 2, 1), nn.Softmax(1)
)
network.eval()
spec = [paddle.static.InputSpec([1, 3, 36, 64], "float32", "src")]
paddle.jit.save(network, f"{sys.argv[1]}/net", input_spec=spec)
seen = np.load(f"{sys.argv[1]}/seen.npy").transpose(0, 3, 1, 2)
np.save(f"{sys.argv[1]}/given.npy", network(paddle.to_tensor(seen)).numpy())
"""


def write_elsewhere(script: str, folder: Path, **environment: str) -> Path:
    """Run a script that writes a network into `folder`, and what it gives for `photo()`."""
    np.save(folder / "seen.npy", (photo()[None, ..., ::-1] / 255).astype(np.float32))
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, os.fspath(folder)],
        env=os.environ | quiet | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def photo() -> np.ndarray:
    """Return a picture in which every pixel differs: BGR uint8 (36, 64, 3)."""
    return np.random.default_rng(7).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def save_onnx(
    path: Path,
    nodes: list,
    inputs: dict,
    outputs: dict,
    held: dict,
    half: bool = False,
    ir_version: int = 9,
) -> Path:
    """Write a graph of float32 (or float16) tensors; names may stand for open sides."""
    kind, dtype = (TensorProto.FLOAT16, "f2") if half else (TensorProto.FLOAT, "f4")
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(value, dtype), name) for name, value in held.items()],
    )
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=ir_version)
    onnx.save(model, path)
    return path


def save_two_class(path: Path, softmax: bool = True, newer: bool = False) -> Path:
    """Write a 1x1 convolution to two classes, `data` -> `given`, in ONNX of now or of later."""
    last = ["logits"] if softmax else ["given"]
    nodes = [helper.make_node("Conv", ["data", "weights"], last)]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["given"], axis=1))
    shapes = {"data": [1, 3, HEIGHT, WIDTH]}, {"given": [1, 2, HEIGHT, WIDTH]}
    held = {"weights": WEIGHTS.reshape(2, 3, 1, 1)}
    return save_onnx(path, nodes, *shapes, held, ir_version=99 if newer else 9)


def save_modnet(path: Path, half: bool = False) -> Path:
    """Write a graph of MODNet's signature, any size: `input` in -1..1 -> `output` in 0..1."""
    nodes = [
        helper.make_node("Conv", ["input", "weights"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["output"]),
    ]
    inputs = {"input": ["batch", 3, "height", "width"]}
    outputs = {"output": ["batch", 1, "height", "width"]}
    held = {"weights": WEIGHTS[:1].reshape(1, 3, 1, 1)}
    return save_onnx(path, nodes, inputs, outputs, held, half)


def save_rvm(path: Path) -> Path:
    """Write a graph of RobustVideoMatting's signature: each memory half the size of the last.

    As there, a first memory of (1, 1, 1, 1) is broadcast.
    """
    nodes = [
        helper.make_node("Identity", ["src"], ["fgr"]),
        helper.make_node("Conv", ["src", "weights"], ["grey"]),
        helper.make_node("Mul", ["grey", "downsample_ratio"], ["level0"]),
    ]
    for n in range(1, 5):
        pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
        nodes += [
            helper.make_node("AveragePool", [f"level{n - 1}"], [f"level{n}"], **pool),
            helper.make_node("Mul", [f"r{n}i", "half"], [f"old{n}"]),
            helper.make_node("Add", [f"level{n}", f"old{n}"], [f"r{n}o"]),
        ]
    mean = [helper.make_node("ReduceMean", [f"r{n}o"], [f"mean{n}"]) for n in range(1, 5)]
    means = [f"mean{n}" for n in range(1, 5)]
    nodes += [*mean, helper.make_node("Sum", ["level0", *means], ["sum"])]
    nodes.append(helper.make_node("Sigmoid", ["sum"], ["pha"]))
    sides = {f"r{n}i": [f"b{n}", f"c{n}", f"h{n}", f"w{n}"] for n in range(1, 5)}
    inputs = {"src": ["b", 3, "h", "w"], **sides, "downsample_ratio": [1]}
    after = {f"r{n}o": [f"b{n}", f"d{n}", f"i{n}", f"x{n}"] for n in range(1, 5)}
    outputs = {"fgr": ["b", 3, "h", "w"], "pha": ["b", 1, "h", "w"], **after}
    held = {"weights": WEIGHTS[1:].reshape(1, 3, 1, 1), "half": np.float32(0.5)}
    return save_onnx(path, nodes, inputs, outputs, held)
