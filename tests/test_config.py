"""The configuration: what is shipped is what is default, and every mistake is named."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.config import Config, check
from realtime.errors import ConfigError
from realtime.layers import load, to_toml

ROOT = Path(__file__).parent.parent


def test_the_shipped_file_is_the_defaults_with_their_comments() -> None:
    assert (ROOT / "config.toml").read_text(encoding="utf-8") == to_toml(Config())
    assert load(ROOT / "config.toml") == Config()


def test_every_key_is_documented() -> None:
    for name, table in Config():
        for key, field in type(table).model_fields.items():
            assert field.description, f"{name}.{key}"


def test_the_readme_tells_every_key_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shipped = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))
    for name, table in Config():
        for key, field in type(table).model_fields.items():
            default = json.dumps(shipped[name][key])
            assert f"| `{name}.{key}` | `{default}` | {field.description} |" in readme


def test_a_list_comes_by_text_as_it_stands_in_a_file() -> None:
    server = '{urls = "turn:host:3478", username = "me"}'
    config = load(None, {"SCRIM_WEB_ICE_SERVERS": f"[{server}]"})
    assert config == load(None, {}, [f"web.ice_servers=[{server}]"])
    assert [at.urls for at in config.web.ice_servers] == ["turn:host:3478"]
    with pytest.raises(ConfigError, match="is not allowed: a list of tables is wanted"):
        load(None, {}, ["web.ice_servers=turn:host"])


def test_a_camera_may_be_told_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[camera]\ndevice = 2\n")
    assert load(file).camera.device == "2"


def test_later_layers_win(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[camera]\nwidth = 640\nheight = 480\n[scene]\nbackdrop = "#102030"\n')
    environment = {"SCRIM_CAMERA_WIDTH": "800", "SCRIM_SCENE_BACKDROP": "blur", "HOME": "/"}
    config = load(file, environment, ["camera.width=1024", "camera.mirror=true"])
    assert (config.camera.width, config.camera.height) == (1024, 480)
    assert config.scene.backdrop == "blur"
    assert config.camera.mirror is True


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["scene.backdrp=blur"], ["scene.backdrp", "no such key", "scene.backdrop"]),
        (["scne.backdrop=blur"], ["scne", "no such key", "scene"]),
        (["camera.width=wide"], ["camera.width", "wide"]),
        (["camera.width=641"], ["camera.width", "641"]),
        (["temporal.strength=1.5"], ["temporal.strength", "1.5", "OLD"]),
        (["temporal.method=magic"], ["temporal.method", "gated"]),
        (["web.port=99999"], ["web.port"]),
        (["backdrop=blur"], ["table.key=value"]),
        (["camera"], ["table.key=value"]),
        ([".blur=1"], ["table.key=value"]),
        (["web.ice_servers=" + "[" * 3000], ["web.ice_servers", "list of tables"]),
        (["web.ice_servers=" + "9" * 5000], ["web.ice_servers", "list of tables"]),
        (["publish.url=rtp://host"], ["publish.url", "a port"]),
        (["publish.url=rtp://host:99999"], ["publish.url", "0-65535"]),
        (["publish.url=rtp://host:5004?codec=AV9"], ["publish.url", "codec", "H264, VP8"]),
        (["publish.url=https://host:0/whip"], ["publish.url", "a port"]),
        (["publish.url=https://[::1/whip"], ["publish.url", "IPv6"]),
        (["matting.device=gpu"], ["'gpu' is not allowed (CPU"]),
    ],
)
def test_a_mistake_is_named_with_what_to_do(sets: list[str], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {}, sets)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["SCRIM_FOO", "SCRIM_SCENE", "SCRIM_SCENE_BLR", "SCRIM_"])
def test_a_variable_that_stands_for_nothing_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: no such key"):
        load(None, {name: "1"})


@pytest.mark.parametrize(
    "text",
    [
        "[camera",
        'camera = "auto"',
        "[camera]\nfps = 0\n",
        "\x00",
        '[scene]\nbackdrop = "a\\u0000.jpg"',
        "[[camera]]\nwidth=2\n",
        f"[camera]\nwidth = {'9' * 5000}\n",
        f"[web]\nice_servers = {'[' * 3000}\n",
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=str(file)):
        load(file)


def test_a_file_may_have_a_byte_order_mark_and_any_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf[camera]\r\nwidth = 640\r\n")
    assert load(file).camera.width == 640


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file"):
        load(tmp_path / "nothing.toml")


def test_a_folder_or_bytes_instead_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError):
        load(tmp_path / "bytes")


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.binary(max_size=4),
)
KEYS = st.sampled_from(["device", "width", "fps", "strength", "backdrop", "port", "x", ""])
TABLES = st.sampled_from([*Config.model_fields, "x", ""])


@given(st.dictionaries(TABLES, st.one_of(VALUES, st.dictionaries(KEYS, VALUES)), max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_tables_give_a_config_or_a_config_error(tables: dict[str, object]) -> None:
    try:
        config = check(tables)
    except ConfigError as error:
        assert error.message
    else:
        assert check(config.model_dump()) == config


NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=40)


@given(NAMES, st.floats(0, 1), st.sampled_from(["auto", True, False]))
@settings(max_examples=100, deadline=None)
def test_toml_is_read_back_as_it_was_written(name: str, blur: float, enabled: object) -> None:
    config = Config().with_values(
        {"scene": {"backdrop": name, "blur": blur}, "virtualcam": {"enabled": enabled}}
    )
    assert check(tomllib.loads(to_toml(config))) == config
