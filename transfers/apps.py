from django.apps import AppConfig


class TransfersConfig(AppConfig):
    name = "transfers"
    verbose_name = "Transfers"

    def ready(self) -> None:
        from transfers import health, live, observing, outgoing, receivers, retention

        receivers.register()
        health.register()
        live.register()
        outgoing.register()
        observing.register()
        retention.register()
