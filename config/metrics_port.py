"""Metrics of a process that serves no pages, at a port of its own."""

from __future__ import annotations

import logging

from prometheus_client import start_http_server

from config import env

logger = logging.getLogger(__name__)


def serve() -> None:
    """If METRICS_PORT says where. A port that is taken must not keep the process from its work."""
    port = env.number("METRICS_PORT")
    if not port:
        return
    try:
        start_http_server(port, addr=env.text("METRICS_HOST"))
    except OSError as error:
        logger.warning(
            "METRICS_PORT %d is not to be had (%s): this process serves no metrics", port, error.strerror
        )
