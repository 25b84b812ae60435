"""The OpenAPI document and the server, held to each other by schemathesis against a live server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

from realtime.config import Config
from realtime.web import gate
from realtime.web.api.document import describe
from realtime.web.api.table import OPERATIONS
from tests.toy import save_toy
from tests.web.serving import PATIENCE_S, in_loop, served

schema = schemathesis.openapi.from_dict(describe(OPERATIONS, "0", guarded=False))
guarded = schemathesis.openapi.from_dict(describe(OPERATIONS, "0", guarded=True))

SHORT = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

TOKEN = {"Authorization": "Bearer s3cret"}


@contextmanager
def live(folder: Path, token: str = "") -> Iterator[str]:
    """A server with a local line, in a thread of its own."""
    config = Config().with_values(
        {
            "camera": {"width": 320, "height": 180},
            "matting": {"model": str(save_toy(folder / "toy.xml"))},
            "scene": {"folder": str(folder)},
            "web": {"folder": str(folder / "state")},
        }
    )
    found: list[str] = []
    up, down = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        async with served(config, camera=True, token=token) as client:
            loops.append(asyncio.get_running_loop())
            found.append(str(client.make_url("/")).rstrip("/"))
            up.set()
            await down.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert up.wait(PATIENCE_S)
    yield found[0]
    loops[0].call_soon_threadsafe(down.set)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for all the requests of this file."""
    with live(tmp_path_factory.mktemp("studio")) as url:
        yield url


@pytest.fixture(scope="module")
def guarded_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for a token, and lets nobody wait who has a wrong one."""
    with pytest.MonkeyPatch.context() as patch, live(tmp_path_factory.mktemp("t"), "s3cret") as url:
        patch.setattr(gate, "WRONG_S", (0, 0))
        yield url


@schema.parametrize()
@settings(SHORT, max_examples=12)
def test_every_operation_keeps_the_document(case: schemathesis.Case, url: str) -> None:
    # A schema cannot say what makes bytes a picture.
    spared = [positive_data_acceptance] if "image/" in str(case.media_type) else []
    response: Response = case.call_and_validate(base_url=url, excluded_checks=spared)
    assert response.headers["x-content-type-options"] == ["nosniff"]


@guarded.parametrize()
@settings(SHORT, max_examples=1, phases=[Phase.generate])
def test_a_token_is_asked_for_where_the_document_says(
    case: schemathesis.Case, guarded_url: str
) -> None:
    spared = [positive_data_acceptance] if "image/" in str(case.media_type) else []
    case.call_and_validate(base_url=guarded_url, headers=TOKEN, excluded_checks=spared)
    case.headers.clear()
    case.cookies.clear()
    alone = case.call(base_url=guarded_url)
    case.validate_response(alone, excluded_checks=spared)
    is_open = case.operation.definition.raw.get("security") == []
    log_in = case.path == "/api/v1/login"  # open, and told a wrong token
    assert (alone.status_code == 401) is not is_open or log_in


@in_loop
async def test_the_document_says_whether_a_token_is_asked_for(config: Config) -> None:
    for token, anonymous in (("", True), ("s3cret", False)):
        async with served(config, token=token) as client:
            said = await (await client.get("/api/v1/openapi.json", headers=TOKEN)).json()
            assert ({} in said["security"]) is anonymous
            assert said["paths"]["/healthz"]["get"]["security"] == []
