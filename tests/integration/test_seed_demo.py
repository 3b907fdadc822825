"""The demo's data: whole, made once, and only where the demo is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from calls.models import AgentProfile, Department, Event, NumberRoute
from calls.roles import Role
from calls.services.snapshot import profile_message
from calls.telephony.gateway import Retryable
from calls.telephony.memory import MemoryGateway
from config.launcher.demo import PASSWORD, USERS
from tests.people import account
from transfers.management.commands import seed_demo
from transfers.models import Endpoint, Manager, Trunk
from transfers.roster import rank

pytestmark = pytest.mark.django_db


@pytest.fixture
def livekit(monkeypatch: pytest.MonkeyPatch) -> MemoryGateway:
    account(Role.SUPERVISOR, name="before")  # so that the roles are there
    gateway = MemoryGateway()
    monkeypatch.setattr(seed_demo, "make_gateway", lambda: gateway)
    return gateway


def everything() -> dict[str, int]:
    models = [m for app in ("calls", "transfers", "auth") for m in apps.get_app_config(app).get_models()]
    return {model._meta.label: model._base_manager.count() for model in models}


def test_it_is_done_once(livekit: MemoryGateway, settings: Settings) -> None:
    settings.PATCHBAY_DEMO = True
    call_command("seed_demo")
    first = everything()
    call_command("seed_demo")
    assert everything() == first
    made = {name: livekit.calls[name] for name in livekit.calls if name.startswith("create_")}
    assert made == {"create_outbound_trunk": 1, "create_inbound_trunk": 1, "create_dispatch_rule": 1}


def test_what_people_changed_stays(livekit: MemoryGateway, settings: Settings) -> None:
    settings.PATCHBAY_DEMO = True
    call_command("seed_demo")
    Endpoint.objects.filter(manager__name="Dana", position=2).update(address="+12025550177")
    User.objects.filter(username="priya").update(password="changed")
    NumberRoute.objects.filter(department__name="Billing").delete()
    call_command("seed_demo")
    assert Endpoint.objects.get(manager__name="Dana", position=2).address == "+12025550177"
    assert User.objects.get(username="priya").password == "changed"
    assert not NumberRoute.objects.filter(department__name="Billing").exists()


def test_the_house_is_whole(livekit: MemoryGateway, settings: Settings) -> None:
    settings.PATCHBAY_DEMO = True
    call_command("seed_demo")
    for name, role in {
        "priya": Role.SUPERVISOR,
        "dana": Role.MANAGER,
        "audra": Role.AUDITOR,
        "admin": Role.ADMINISTRATOR,
    }.items():
        user = User.objects.get(username=name)
        assert user.check_password(PASSWORD)
        assert list(user.groups.all()) == [Group.objects.get(name=role)]
    assert set(USERS) == set(User.objects.exclude(username="before").values_list("username", flat=True))
    assert Manager.objects.get(name="Dana").user == User.objects.get(username="dana")
    greetings = {profile_message(p, department="").greeting for p in AgentProfile.objects.all()}
    assert len(greetings) == 4
    midnight_on_sunday = datetime(2027, 1, 3, 0, 30, tzinfo=UTC)
    for department in Department.objects.all():
        assert rank(department=department, person=None, at=midnight_on_sunday).candidates, department
        assert NumberRoute.objects.filter(department=department).exists()
    assert Trunk.objects.get().is_default


def test_a_livekit_that_forgot_gets_its_trunks_again(
    livekit: MemoryGateway, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PATCHBAY_DEMO = True
    call_command("seed_demo")
    emptied = MemoryGateway()
    for _ in range(3):  # ids that the first one did not give
        emptied._id("ST")
    monkeypatch.setattr(seed_demo, "make_gateway", lambda: emptied)
    call_command("seed_demo")
    assert {trunk.trunk_id for trunk in Trunk.objects.all()} == set(emptied._outbound)


def test_it_refuses_where_the_demo_is_not(livekit: MemoryGateway, settings: Settings) -> None:
    settings.PATCHBAY_DEMO = False
    with pytest.raises(CommandError, match="PATCHBAY_DEMO is not 1"):
        call_command("seed_demo")
    assert not Department.objects.exists()


def test_without_livekit_there_is_one_line(livekit: MemoryGateway, settings: Settings) -> None:
    settings.PATCHBAY_DEMO = True
    livekit.down = Retryable("LiveKit at 127.0.0.1:1 (LIVEKIT_URL) cannot be reached", code="unreachable")
    with pytest.raises(CommandError, match="LIVEKIT_URL"):
        call_command("seed_demo")
    assert Event.objects.filter(type="profile.published").count() == 4  # the rest is there
