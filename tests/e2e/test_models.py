"""Other models by settings alone: both agents on a server that speaks OpenAI's protocol."""

from __future__ import annotations

import json

import pytest

from tests.openai_server import OpenAIServer
from tests.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]


def test_both_agents_work_with_models_of_an_openai_compatible_server() -> None:
    with OpenAIServer() as server, Product("--demo", "--quiet", env=server.environment) as product:
        done = product.manage("rehearse", "--json", timeout=250)
        told = json.loads(done.stdout)
        assert told["outcome"] == "connected", f"{done.stdout}\n{done.stderr}"
        for part in ("chat", "transcriptions", "speech", "record_fact", "accept_call"):
            assert server.used[part], f"{part} was not used: {server.used}"
