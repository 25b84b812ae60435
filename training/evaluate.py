"""Measure a network on the pictures set aside: stills by source, clips without and with light.

A picture goes through at the input size whose shape is nearest to its own, area-downscaled; the
matte is brought to the picture's size (bilinear) and compared there, as the engine does it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from realtime.contract import Card, Size, nearest_size
from realtime.errors import ConfigError
from training import metrics, readers
from training.metrics import Matte
from training.pictures import Pixels, picture, video
from training.readers import Item

Infer = Callable[[Pixels], Matte]  # BGR H x W x 3 -> alpha H x W


@dataclass
class Score:
    """Figures of one set; `worst` are its pictures by rising IoU: IoU, name, and as they are shown,
    BGR, the picture, what was found and what is true. Of rooms they are those in which a person was
    found, by what was left free, in %."""

    name: str
    figures: dict[str, float]
    pictures: int
    worst: list[tuple[float, str, Pixels, Pixels, Pixels]] = field(default_factory=list, repr=False)


class Network:
    """A network in evaluation mode, from a BGR picture to a matte of the picture's size.

    Pictures between two calls of `reset` are frames of one stream to a network with memory.
    """

    def __init__(self, model: nn.Module, sizes: Sequence[Size]):
        self.model, self.sizes = model.eval(), sizes
        self.device = next((p.device for p in model.parameters()), torch.device("cpu"))
        self.memory: tuple[torch.Tensor, ...] = ()

    def reset(self) -> None:
        self.memory = ()

    @torch.inference_mode()
    def __call__(self, bgr: Pixels) -> Matte:
        height, width = bgr.shape[:2]
        size = nearest_size(self.sizes, width, height)
        small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)[:, :, ::-1]
        src = source(small, self.device)
        out = self.model(src, *self.memory)
        if isinstance(out, tuple):
            out, *memory = out
            self.memory = tuple(memory)
        pha = out.sigmoid()[0, 0].cpu().numpy()
        return np.asarray(cv2.resize(pha, (width, height), interpolation=cv2.INTER_LINEAR))


def source(rgb: Pixels, device: torch.device) -> torch.Tensor:
    """A picture as a network takes it, where the network is."""
    src = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float() / 255
    return src.to(device, memory_format=torch.channels_last)


def truth(mask: Pixels) -> Matte:
    return mask.astype(np.float32) / np.float32(255)


def restart(infer: Infer) -> None:
    """Tell a network with a memory that what comes now is another scene."""
    if hasattr(infer, "reset"):
        infer.reset()


def score_stills(infer: Infer, source: str, items: Sequence[Item]) -> Score:
    """The pictures set aside of one source."""
    rows, pixels, worst = [], metrics.Pixels(), []
    for item in items:
        bgr, mask = item.load()
        restart(infer)
        out, pha = infer(bgr), truth(mask)
        pixels.add(out, pha)
        rows.append(compared(out, pha))
        worst.append((rows[-1]["iou"], f"{source}/{item.name}", bgr, shown(out), shown(pha)))
    worst.sort(key=lambda item: item[0])
    return Score(source, averaged(rows) | {"miou": pixels.miou()}, len(rows), worst[:24])


def shown(pha: Matte) -> Pixels:
    """A matte in grey, BGR."""
    return np.asarray(cv2.cvtColor((pha * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR))


def compared(out: Matte, pha: Matte) -> dict[str, float]:
    return {
        "iou": metrics.foreground_iou(out, pha),
        "biou": metrics.boundary_iou(out, pha),
        "mad": metrics.mad(out, pha),
        "mse": metrics.mse(out, pha),
    }


def averaged(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def score_clip(infer: Infer, path: Path, alpha: Path, limit: int | None = None) -> Score:
    """One clip against its alpha, frame by frame."""
    outs, phas, pixels = [], [], metrics.Pixels()
    restart(infer)
    for number, (bgr, grey) in enumerate(zip(video(path), video(alpha), strict=True)):
        if limit and number >= limit:
            break
        outs.append(infer(bgr))
        phas.append(truth(grey[:, :, 0]))
        pixels.add(outs[-1], phas[-1])
    rows = [compared(out, pha) for out, pha in zip(outs, phas, strict=True)]
    moving = {"dtssd": metrics.dtssd(outs, phas), "flicker": metrics.flicker(outs, phas)}
    return Score(path.stem, averaged(rows) | {"miou": pixels.miou()} | moving, len(rows))


def merged(name: str, scores: Sequence[Score]) -> Score:
    """The mean over sets of equal weight."""
    figures = averaged([score.figures for score in scores])
    return Score(name, figures, sum(score.pictures for score in scores))


def score_clips(infer: Infer, folder: Path, limit: int | None = None) -> dict[str, Score]:
    """Clips by light event; "clips" are those without one.

    `lost` is what an event costs: points of IoU less than the same clip without it.
    """
    groups: dict[str, list[Score]] = {}
    usual: dict[str, float] = {}
    for path in sorted(folder.glob("*.mp4"), key=lambda path: path.stem.count(".")):
        name, *event = path.stem.split(".")
        alpha = folder / f"{name}.alpha.mkv"
        if not alpha.is_file() or (limit and event):
            continue
        score = score_clip(infer, path, alpha, limit)
        if event:
            score.figures["lost"] = usual.get(name, np.nan) - score.figures["iou"]
        else:
            usual[name] = score.figures["iou"]
        groups.setdefault(f"clips, {event[0]}" if event else "clips", []).append(score)
    return {kind: merged(kind, scores) for kind, scores in sorted(groups.items())}


def score_negatives(infer: Infer, items: Sequence[Item]) -> Score:
    """False persons: IoU is 100 where nothing was found; `false` is the share of pixels in %."""
    rows, worst = [], []
    for item in items:
        restart(infer)
        bgr = picture(item.picture)
        out = infer(bgr)
        nobody = np.zeros_like(out)
        false = 100 * float((out > 0.5).mean())
        rows.append(compared(out, nobody) | {"false": false})
        if false:
            name = f"negatives/{item.name}"
            worst.append((100 - false, name, bgr, shown(out), shown(nobody)))
    worst.sort(key=lambda item: item[0])
    return Score("negatives", averaged(rows), len(rows), worst[:24])


def aside(data: Path, kind: str = "person", skip_bad: bool = False) -> dict[str, list[Item]]:
    """What to measure on, by source. Raises `ConfigError` where there is nothing."""
    found = readers.held_out(data, kind, skip_bad)
    if not found:
        hint = "label maps go into parts/val" if kind == "parts" else "a tenth is, of two or more"
        raise ConfigError(f"nothing set aside in {data} to measure by", hint)
    return found


def evaluate(infer: Infer, data: Path, quick: bool = False, skip_bad: bool = False) -> list[Score]:
    """Every set that is aside in the data folder; `quick` looks at six frames of each clip, and at
    none under a light event."""
    sources = aside(data, skip_bad=skip_bad)
    scores = [score_stills(infer, source, items) for source, items in sorted(sources.items())]
    scores += score_clips(infer, data / "clips", 6 if quick else None).values()
    rooms = readers.held_out(data, "negative", skip_bad).get("negative", [])
    return [*scores, score_negatives(infer, rooms)] if rooms else scores


def measured(
    model: nn.Module,
    card: Card,
    folder: Path,
    quick: bool = False,
    skip_bad: bool = False,
    scale: float = 1.0,
) -> list[Score]:
    """A network's figures on what is set aside for its task, at a share of its usual sides."""
    if card.classes:
        from training import parts

        infer = parts.PartsNetwork(model, card.sizes_at(scale))
        return [parts.evaluate_parts(infer, folder, skip_bad)]
    return evaluate(Network(model, card.sizes_at(scale)), folder, quick, skip_bad)


def flat(scores: list[Score]) -> dict[str, float]:
    """{"eg1800 iou": 96.1, ...} of the figures a card carries."""
    return {
        f"{score.name} {key}": round(score.figures[key], 3)
        for score in scores
        for key in score.figures
        if key not in ("mse", "miou") or score.name == "parts"
    }
