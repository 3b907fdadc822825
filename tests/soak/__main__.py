"""`make soak MINUTES=60`: random transfers through the running product, with kills, late and forged webhooks.

Without speech, through real rooms and jobs, beside a browser. A seed replays the same ways and kills (not the same
instants). Writes `build/soak.json`; ends with 1 if a promise was broken.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

from config.env import ROOT
from tests.soak.run import soak


def main() -> None:
    minutes = float(os.environ.get("MINUTES", "60"))
    seed = int(os.environ.get("SEED", str(random.randrange(10**6))))
    tally = soak(minutes, seed)
    told = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(tally).items()}
    path = Path(ROOT) / "build" / "soak.json"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(told | {"ok": tally.ok}, indent=2) + "\n"
    path.write_text(text)
    sys.stdout.write(text)
    if not tally.ok:
        sys.exit(1)


if __name__ == "__main__":
    main()
