"""The agents' part works where there is no Django, and nothing of it asks for one."""

from __future__ import annotations

import subprocess
import sys

from config.env import ROOT

WITHOUT_DJANGO = """
import sys
for name in ("django", "channels", "celery", "redis", "psycopg"):
    sys.modules[name] = None  # whoever imports it fails
import calls.agents.attach, transfers.agents.warm_transfer
import calls.agents.support, transfers.agents.transfer_job, transfers.agents.bridge_job
"""


def test_attach_and_the_task_import_without_django() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DJANGO], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
