"""The OpenAPI document and the server, held to each other by schemathesis against a live server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

from realtime.config import Config
from realtime.web.api.document import describe
from realtime.web.api.table import OPERATIONS
from tests.toy import save_toy
from tests.web.serving import PATIENCE_S, served

schema = schemathesis.openapi.from_dict(describe(OPERATIONS, "0"))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a local line, in a thread of its own, for all the requests of this file."""
    folder = tmp_path_factory.mktemp("studio")
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
        async with served(config, camera=True) as client:
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


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_keeps_the_document(case: schemathesis.Case, url: str) -> None:
    # A schema cannot say what makes bytes a picture.
    spared = [positive_data_acceptance] if "image/" in str(case.media_type) else []
    response: Response = case.call_and_validate(base_url=url, excluded_checks=spared)
    assert response.headers["x-content-type-options"] == ["nosniff"]
