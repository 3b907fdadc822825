"""`python -m config.setup.collect`: scripts and styles into PATCHBAY_STATIC_ROOT, while an image is built."""

from __future__ import annotations

import subprocess
import sys

from config.setup.unconnected import ROOT, environment


def main() -> None:
    argv = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "1"]
    raise SystemExit(subprocess.run(argv, cwd=ROOT, env=environment(), check=False).returncode)


if __name__ == "__main__":
    main()
