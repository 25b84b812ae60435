"""Machines made of folders."""

from __future__ import annotations

from pathlib import Path


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def node(root: Path, number: int, name: str = "Webcam", index: int = 0, loop: bool = False) -> Path:
    """Plug in a video device, `loop` that of v4l2loopback; gives its path."""
    folder, device = root / f"sys/class/video4linux/video{number}", root / f"dev/video{number}"
    write(folder / "name", f"{name}\n")
    write(folder / "index", f"{index}\n")
    write(device)
    if loop:
        write(folder / "max_openers", "10\n")
    return device
