"""`python -m calls.telephony.simulator`, as the launcher starts it."""

from __future__ import annotations

import logging
import os

from calls.telephony.simulator import server, settings

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    server.serve(settings.read(os.environ))
