"""What can be set: `config.toml` as frozen pydantic models. Floor 0.

What a network needs (size, colour order, mean) is no setting: it lives in the IR's card.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from realtime.address import check_url
from realtime.complaint import complaint

COLOUR = r"^#[0-9a-fA-F]{6}$"


class Table(BaseModel):
    """One table of the file: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*")
    @classmethod
    def _nameable(cls, value: object) -> object:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("no name has a null character")
        return value


class Camera(Table):
    device: str = Field(
        "auto",
        min_length=1,
        coerce_numbers_to_str=True,  # an index is a number
        description='"auto", path, index, name, or "none"',
    )
    width: int = Field(1280, ge=160, le=3840, multiple_of=2, description="pixels, even")
    height: int = Field(720, ge=120, le=2160, multiple_of=2, description="pixels, even")
    fps: float = Field(30.0, ge=1, le=120, description="frames a second to ask for")
    fourcc: str = Field(
        "auto", pattern=r"^(auto|[A-Za-z0-9]{4})$", description='"auto", MJPG, YUYV, NV12, ...'
    )
    mirror: bool = Field(False, description="exchange left and right")
    on_demand: bool = Field(False, description="open only while somebody watches")
    linger: float = Field(5.0, ge=0, le=3600, description="seconds on demand after the last one")
    hidden: bool = Field(False, description="start behind the slate, until privacy is turned off")


class Matting(Table):
    model: str = Field(
        "default", min_length=1, description="a name of `scrim models` or a path to an .xml"
    )
    device: str = Field(
        "CPU", pattern=r"^[A-Z][A-Z0-9.:,_-]*$", description="CPU, GPU, NPU or AUTO"
    )
    threads: int = Field(
        1, ge=0, le=64, description="of the network; 1 costs least, 0 = let OpenVINO choose"
    )
    every: int = Field(
        2,
        ge=1,
        le=10,
        description="frames for one look of the network; motion moves the matte between",
    )
    scale: float = Field(
        1.0, ge=0.5, le=2, description="share of the network's usual sides, where it takes others"
    )
    mirrored: bool = Field(
        False, description="look at the mirror image too: truer edges for twice the time"
    )


class Temporal(Table):
    method: Literal["flow", "gated", "off"] = Field(
        "flow", description="flow (held along motion), gated (held where still), off"
    )
    strength: float = Field(
        0.5, ge=0, le=0.98, description="share of the OLD matte on still pixels, 0 = off"
    )
    patches: float = Field(
        0.05, ge=0, le=1, description="least patch, a share of the person; 1 = main person only"
    )
    certain: float = Field(
        0.3, ge=0, le=1, description="share of a patch that must be certainly person, 0 = off"
    )


class Refine(Table):
    method: Literal["guided", "off"] = Field(
        "guided", description="guided (edges follow the picture), off"
    )
    feather: float = Field(0.0, ge=0, le=1, description="softness added to the edge, 0..1")
    threshold: float = Field(
        0.5, ge=0.05, le=0.95, description="alpha that counts as half; higher cuts closer"
    )


class Render(Table):
    scale: float = Field(
        1.5, ge=0.5, le=2, description="matting.scale of video files, which may take their time"
    )
    every: int = Field(1, ge=1, le=10, description="matting.every of video files")
    mirrored: bool = Field(True, description="matting.mirrored of videos and photographs")


class Light(Table):
    time: bool = Field(True, description="steady through lamps, exposure and mains flicker")
    scene: float = Field(
        0.5, ge=0, le=1, description="match the person's light to the backdrop, 0 = measure only"
    )


class Edges(Table):
    despill: float = Field(
        1.0, ge=0, le=1, description="take the room's colour out of hair and edges, 0 = off"
    )
    wrap: float = Field(
        0.2, ge=0, le=1, description="let the backdrop shine around the edges, 0 = off"
    )


class Scene(Table):
    backdrop: str = Field(
        "blur", min_length=1, description='"blur", "green", "#rrggbb", a picture, video or folder'
    )
    slide: float = Field(
        30.0, ge=1, le=86400, description="seconds that each picture of a folder is shown"
    )
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop", description="how a picture of another shape fills the frame: crop, pad, stretch"
    )
    blur: float = Field(0.5, ge=0, le=1, description="strength of the blur; 0 still hides the room")
    overlay: str = Field(
        "", description="picture with transparency to lay over everything; empty = none"
    )
    framing: bool = Field(False, description="keep head and shoulders in the picture")
    folder: str = Field(
        "backdrops",
        description="what the studio offers by name; relative to where Scrim is started",
    )


class Governor(Table):
    enabled: bool = Field(True, description="keep the frame rate under load, quality gives way")


class VirtualCam(Table):
    enabled: Literal["auto"] | bool = Field(
        "auto", description='"auto" = if there is one, true = insist, false'
    )
    device: str = Field("auto", min_length=1, description='"auto" or a path such as /dev/video10')


class Recording(Table):
    path: str = Field("", description="video file to write, numbered if there is one; empty = off")


class Publish(Table):
    url: str = Field(
        "",
        pattern=r"^(|(https?|rtp)://\S+)$",
        description="where the picture goes: a WHIP endpoint, or rtp://host:port; empty = off",
    )
    token: str = Field("", description="secret that the WHIP endpoint asks for; empty = none")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if url:
            check_url(url)
        return url


class IceServer(Table):
    """A STUN or TURN server (RFC 7064, RFC 7065)."""

    urls: str = Field(pattern=r"^(stun|turns?):[^\s\"<>]+$")
    username: str = Field("", pattern=r"^[^\"\\\x00-\x1f\x7f]*$")
    credential: str = Field("", pattern=r"^[^\"\\\x00-\x1f\x7f]*$")


class Web(Table):
    enabled: bool = Field(True, description="serve the studio")
    host: str = Field(
        "127.0.0.1", min_length=1, description="address to listen on; another needs a token"
    )
    port: int = Field(8080, ge=0, le=65535, description="0 = any free port")
    token: str = Field("", description="secret that browsers must bring; empty = none")
    cert: str = Field("", description="certificate file (PEM) for https; empty = http")
    key: str = Field("", description="its private key; empty = in the same file")
    folder: str = Field(
        "", description="for presets, uploads, the last look; empty = the user's own for state"
    )
    max_peers: int = Field(8, ge=1, le=256, description="browsers served at the same time")
    max_cameras: int = Field(
        6, ge=1, le=256, description="of them with a camera of their own; more would slow all"
    )
    ice_servers: tuple[IceServer, ...] = Field(
        (), description='[{urls = "turn:host:3478", username = "me", credential = "..."}]'
    )

    @field_validator("ice_servers", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        """The environment and `--set` carry text: what stands in a file behind the `=`."""
        try:
            return tomllib.loads(f"key = {value}")["key"] if isinstance(value, str) else value
        except (ValueError, RecursionError) as error:
            raise ValueError("a list of tables is wanted") from error


class Config(Table):
    """All settings. `section.key` names one in messages, `--set` and the environment."""

    camera: Camera = Camera()
    matting: Matting = Matting()
    temporal: Temporal = Temporal()
    refine: Refine = Refine()
    light: Light = Light()
    edges: Edges = Edges()
    scene: Scene = Scene()
    render: Render = Render()
    governor: Governor = Governor()
    virtualcam: VirtualCam = VirtualCam()
    recording: Recording = Recording()
    web: Web = Web()
    publish: Publish = Publish()

    def with_values(self, changes: Mapping[str, Mapping[str, Any]]) -> Config:
        """Return a copy with some keys changed, checked like a file. Raises `ConfigError`."""
        tables = self.model_dump()
        merge(tables, changes)
        return check(tables)

    def unhurried(self) -> Config:
        """Return what holds for video files, which nobody waits for."""
        return self.with_values({"matting": self.render.model_dump()})

    def changes_since(self, other: Config) -> dict[str, dict[str, Any]]:
        """Return the tables with the keys that differ from another's: `with_values` takes them."""
        before, now = other.model_dump(), self.model_dump()
        found = {
            table: {key: value for key, value in keys.items() if before[table][key] != value}
            for table, keys in now.items()
        }
        return {table: keys for table, keys in found.items() if keys}


def check(tables: Mapping[str, Any]) -> Config:
    """Validate plain tables. Raises `ConfigError` that names the key and the nearest right one."""
    try:
        return Config.model_validate(tables)
    except ValidationError as error:
        raise complaint(error, Config(), known_keys()) from error


def merge(tables: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Lay tables over others, key by key."""
    for name, values in layer.items():
        if isinstance(values, Mapping) and isinstance(tables.get(name, {}), dict):
            tables[name] = {**tables.get(name, {}), **values}
        else:
            tables[name] = values


def known_keys() -> list[str]:
    """Return every `table.key`, and every table."""
    tables = Config.model_fields
    return [f"{table}.{key}" for table, model in Config() for key in type(model).model_fields] + [
        *tables
    ]
