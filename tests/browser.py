"""A Chromium for tests and shots, and a console of its own for pages that need no phones."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from config.env import ROOT
from config.launcher.state import any_port
from config.setup.chromium import find
from tests.patience import PATIENCE_S
from tests.product import until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PASSWORD = "of-no-importance"
PATIENCE_MS = PATIENCE_S * 1000
SCREEN = {"width": 1440, "height": 900}
Enter = Callable[..., BrowserContext]  # of a user and Chromium's options; see tests/integration/conftest.py
TONE_RATE, TONE_S, TONE_LEVEL = 48_000, 10, 8000
# How much of a tone is in what the page plays, in dB; -200 where it plays nothing.
HEARS = """async (hz) => {
  const one = [...document.querySelectorAll('audio')].filter((audio) => audio.srcObject);
  if (!one.length) return -200;
  const context = (window.__ears ??= new AudioContext());
  const ears = context.createAnalyser();
  ears.fftSize = 8192;
  ears.smoothingTimeConstant = 0;
  for (const audio of one) context.createMediaStreamSource(audio.srcObject).connect(ears);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const bins = new Float32Array(ears.frequencyBinCount);
  ears.getFloatFrequencyData(bins);
  ears.disconnect();
  const at = Math.round(hz / (context.sampleRate / ears.fftSize));
  return Math.max(...bins.slice(at - 1, at + 2));
}"""
AUDIBLE_DB = -65.0
TABS = 80  # more than a page has places to go to
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """The system's Chromium, headless. Fails in words where there is none."""
    program = find()
    assert program, "there is no Chromium: python -m config.setup.chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *flags])
        try:
            yield browser
        finally:
            browser.close()


def with_a_voice(hz: float, folder: Path) -> Sequence[str]:
    """Flags for a Chromium whose microphone plays a tone, and whose pages may play what they are sent."""
    tone = np.sin(2 * np.pi * hz * np.arange(TONE_RATE * TONE_S) / TONE_RATE)
    sound = folder / "microphone.wav"
    with wave.open(str(sound), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(TONE_RATE)
        out.writeframes((tone * TONE_LEVEL).astype(np.int16).tobytes())
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
        "--autoplay-policy=no-user-gesture-required",
        "--allow-loopback-in-peer-connection",
    )


def log_in(page: Page, base: str, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{base}/login")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("button.btn-primary")
    page.wait_for_url(f"{base}/")


def logged_in(browser: Browser, base: str, user: User, **options: Any) -> BrowserContext:
    """A window with a session of this account, of a console on this process's database. Options are Chromium's."""
    from django.test import Client  # once Django is set up: benches import this before

    client = Client()
    client.force_login(user)
    context = browser.new_context(**({"viewport": SCREEN} | options))
    context.set_default_timeout(PATIENCE_MS)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": base}])
    return context


def opened(context: BrowserContext, url: str) -> Page:
    """A new page there, which is told of changes."""
    page = context.new_page()
    page.goto(url)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    return page


def tab_to(page: Page, selector: str) -> None:
    """As somebody without a mouse gets there."""
    trail = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => !!document.activeElement?.matches(selector)", selector):
            return
        trail.append(page.evaluate("() => document.activeElement?.cloneNode().outerHTML.slice(0, 60)"))
    raise AssertionError(f"{selector} is not reached by Tab, which went to {trail}")


class Console:
    """The web process on the test's own database, to be stopped and started again."""

    def __init__(self) -> None:
        self.port = any_port(set())
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(self.port)]
        before, name = os.environ["DATABASE_URL"].split("?", 1), connection.settings_dict["NAME"]
        base = before[0].rsplit("/", 1)[0]
        env = os.environ | {"DATABASE_URL": f"{base}/{name}?{before[1]}", "PYTHONPATH": str(ROOT)}
        env.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # this process's alone
        self.process = subprocess.Popen([*command, "config.asgi:application"], cwd=ROOT, env=env)
        until(self._answers, 200, "the console answers")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(10)
            self.process = None
