"""How long tests wait for what comes when it comes. The limit ends a test that hangs; it judges no speed."""

from __future__ import annotations

PATIENCE_S = 30.0  # a busy machine is slow, not wrong
