from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = "Calls"

    def ready(self) -> None:
        from calls import call_effects, clock, events, health_checks, metrics, presence
        from calls.link import support
        from calls.live import rooms
        from calls.outgoing import catalogue, sender
        from calls.outgoing import health as outgoing_health
        from calls.reconcile import reconciler
        from calls.services import api_keys

        call_effects.register()
        support.register()
        health_checks.register()
        outgoing_health.register()
        rooms.register()
        catalogue.register()
        events.on_record(metrics.observe)
        clock.every_tick(reconciler.tick)
        clock.every_tick(presence.forget_closed)
        clock.every_tick(clock.seldom(api_keys.forget_answers, seconds=60))
        clock.every_tick(clock.seldom(sender.tidy, seconds=10))
        clock.every_tick(sender.tick)
