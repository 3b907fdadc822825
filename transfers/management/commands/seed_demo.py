from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from calls.telephony.gateway import Gateway, GatewayError
from calls.telephony.livekit import LiveKitGateway
from calls.telephony.setup import Plan
from transfers import demo


class Command(BaseCommand):
    help = "Fills the demo's database and LiveKit with what is missing. Refuses unless PATCHBAY_DEMO=1."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PATCHBAY_DEMO:
            raise CommandError(
                "Patchbay: PATCHBAY_DEMO is not 1. The demo's users have a password that everybody knows: "
                "`make demo` sets it up in a database of its own."
            )
        demo.seed()
        try:
            made = asyncio.run(_set_up_line())
        except GatewayError as error:
            raise CommandError(f"Patchbay: the demo's phone line could not be set up. {error}") from None
        demo.keep_trunk(made)


async def _set_up_line() -> Plan:
    gateway = make_gateway()
    try:
        return await demo.set_up_line(gateway)
    finally:
        await gateway.close()


def make_gateway() -> Gateway:
    """Straight to LiveKit, which keeps trunks and rules: the carrier simulator may not be up yet."""
    return LiveKitGateway(settings.LIVEKIT_URL, settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
