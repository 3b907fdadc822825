"""Settings with which the console can be read, as a deployment behind HTTPS would, and connects to nothing."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "PATCHBAY_SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "PATCHBAY_HTTPS": "1",
    "PATCHBAY_STATE": str(ROOT / "build" / "check"),
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "VALKEY_URL": "redis://127.0.0.1:1/0",
    "LIVEKIT_URL": "wss://livekit.example",
    "LIVEKIT_API_KEY": "APIcheck",
    "LIVEKIT_API_SECRET": "only-for-reading-the-settings-of-a-check",
    "PYTHONPATH": str(ROOT),
}


def environment() -> dict[str, str]:
    """Ours, with these instead of whatever it says."""
    return os.environ | SETTINGS
