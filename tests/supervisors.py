"""Supervisors with a voice and ears of their own, in the rooms of the running product: for the tests of who hears
whom. Everybody has a tone, and what each of them heard is looked at afterwards."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

from livekit import rtc

from calls.agents.speech.tts import SCRIPTED_TONE_HZ
from calls.telephony.simulator.party import Party
from config.launcher.demo import PASSWORD
from tests.bench.house import Supervisor
from tests.floor import Caller, Floor
from tests.product import Product
from transfers.rehearsal.sound import Recording, of_wav, without_tones
from transfers.rehearsal.sound import loudness as loudness_of
from transfers.rehearsal.tones import CALLER_HZ, LEVEL, MANAGER_HZ, presence

# As far from each other, from the music and from the keys as the rehearsal's own.
BARGES_HZ, WHISPERS_HZ = 3170.0, 2210.0
TONES = {"caller": CALLER_HZ, "manager": MANAGER_HZ, "barge": BARGES_HZ, "whisper": WHISPERS_HZ}
BEAT_S = 2.0
LOOKED_AT_S = 2.0
SETTLED_WITHIN_S = 45.0
HEARD, UNHEARD = 0.6, 0.05  # share of the time

ACCOUNTS = """
from django.contrib.auth.models import Group, User
from calls.models import Department, Membership
for name in {names}:
    user, made = User.objects.get_or_create(username=name)
    if made:
        user.set_password("{password}")
        user.save()
        user.groups.add(Group.objects.get(name="supervisor"))
        for department in Department.objects.real():
            Membership.objects.create(user=user, department=department)
"""


def make_accounts(product: Product, *names: str) -> None:
    """Supervisors of every department: each is in a call in one way at a time."""
    done = product.manage("shell", "--command", ACCOUNTS.format(names=names, password=PASSWORD))
    assert done.returncode == 0, done.stderr


class InCall:
    """One supervisor's browser, without the browser: what the page's own code does with the console's answer."""

    def __init__(self, floor: Floor, name: str, caller: Caller, mode: str, *, side: str = "call") -> None:
        self.floor, self.person = floor, Supervisor(floor.product, name)
        self.told = self.person.ask(f"calls/{caller.id}/supervise", mode=mode, side=side, key=str(uuid4()))
        self.party: Party = floor.loop.do(self._enter(TONES.get(mode, BARGES_HZ)))
        self._gone = threading.Event()
        if mode == "take_over":
            threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        """As the page does; a console that is away is tried again."""
        while not self._gone.wait(BEAT_S):
            with suppress(OSError):
                self.person.post(self.told["seen"].lstrip("/"))

    async def _enter(self, hz: float) -> Party:
        party = Party(self.told["url"], self.told["token"], listens=False)
        await party.connect(publish=False)
        if self.told["speaks"]:
            if self.told["only_to"]:
                allowed = [
                    rtc.ParticipantTrackPermission(participant_identity=one, allow_all=True)
                    for one in self.told["only_to"]
                ]
                party.room.local_participant.set_track_subscription_permissions(
                    allow_all_participants=False, participant_permissions=allowed
                )
            await party.publish()
            party.set_tone(hz, LEVEL)
        return party

    def heard(self) -> Recording:
        return recorded(self.party)

    def stops(self) -> None:
        self.person.post(self.told["stop"].lstrip("/"))
        self.vanishes()

    def vanishes(self) -> None:
        self._gone.set()
        self.floor.loop.do(self.party.leave())

    def is_there(self) -> bool:
        return self.party.connected


def recorded(party: Party) -> Recording:
    return of_wav(party.recording.wav_bytes(), party.recording.started_at)


def heard_by_phone(floor: Floor, dial_id: str) -> Recording:
    """By the manager's phone, at the carrier."""
    settings = floor.product.settings
    request = urllib.request.Request(
        f"{settings['CARRIER_URL']}/carrier/requests/{dial_id}/heard.wav",
        headers={"Authorization": f"Bearer {settings['CARRIER_TOKEN']}"},
    )
    with urllib.request.urlopen(request, timeout=15) as answer:
        return of_wav(answer.read(), float(answer.headers["X-Started-At"]))


def hear(ears: dict[str, Callable[[], Recording]], expected: dict[str, set[str]]) -> None:
    """Whose tones are in what each of them hears, for a stretch of time: it has to come to what is expected.

    A tone that is neither heard nor unheard is not yet that.
    """
    end = time.monotonic() + SETTLED_WITHIN_S
    while (found := _heard_now(ears)) != {name: dict.fromkeys(whom, HEARD) for name, whom in expected.items()}:
        assert time.monotonic() < end, f"not {expected} but, by share of the time, {found}"


def _heard_now(ears: dict[str, Callable[[], Recording]]) -> dict[str, dict[str, float]]:
    """By name and tone the share of the time; HEARD where that is nearly all of it, left out where it is none."""
    since = time.time()
    time.sleep(LOOKED_AT_S)
    until = time.time() - 0.2  # what was played a moment ago may not be in a recording yet
    found: dict[str, dict[str, float]] = {}
    for name, recording in ears.items():
        part = recording().part(since, until)
        shares = {who: presence(part, hz).share for who, hz in TONES.items()}
        found[name] = {who: min(share, HEARD) for who, share in shares.items() if share > UNHEARD}
    return found


def words_of_the_ai(heard: Recording) -> int:
    """For how many windows in a row the scripted voice is heard."""
    return presence(heard, SCRIPTED_TONE_HZ).longest


def beside_the_tones(heard: Recording) -> float:
    """What else is heard, as the mean RMS of full scale: the music, above all."""
    levels = loudness_of(without_tones(heard, tuple(TONES.values())))
    return float(levels.mean()) if len(levels) else 0.0
