from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = gettext_lazy("Calls")

    def ready(self) -> None:
        from calls import (
            account_events,
            announcements,
            call_effects,
            clock,
            events,
            health_checks,
            metrics,
            names,
            presence,
        )
        from calls.audit import heads
        from calls.link import support
        from calls.live import rooms
        from calls.outgoing import catalogue, sender
        from calls.outgoing import health as outgoing_health
        from calls.reconcile import reconciler
        from calls.services import api_keys, retention, supervision

        names.mark(self)
        account_events.register()
        call_effects.register()
        support.register()
        health_checks.register()
        outgoing_health.register()
        rooms.register()
        catalogue.register()
        events.on_record(metrics.observe)
        announcements.leg_joined.connect(supervision.on_leg_joined)
        announcements.leg_left.connect(supervision.on_leg_left)
        announcements.call_ended.connect(supervision.on_call_ended)
        clock.every_tick(clock.seldom(supervision.tick, seconds=clock.JUDGED_EVERY_S))
        clock.every_tick(reconciler.tick)
        clock.every_tick(clock.seldom(presence.forget_closed, seconds=10))
        clock.every_tick(clock.seldom(api_keys.forget_answers, seconds=60))
        clock.every_tick(clock.seldom(sender.tidy, seconds=10))
        clock.every_tick(sender.tick)
        clock.every_tick(clock.seldom(heads.tick, seconds=20))
        clock.every_tick(clock.seldom(retention.tick, seconds=60))
