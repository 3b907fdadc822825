"""The page of the API in a real browser: it works under the console's own policy, with nothing from elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from tests.browser import Console

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_shows_every_operation_and_asks_nobody_else(browser: Browser, console: Console) -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    said: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.goto(f"{console.url}/api/v1/docs")
    expect(page.locator(".opblock")).to_have_count(sum(len(methods) for methods in paths.values()))
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.locator("input[type=text], input[type=password]").first).to_be_visible()
    assert said == []
    assert asked - {""} == {urlsplit(console.url).netloc}
    page.close()
