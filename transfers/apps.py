from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class TransfersConfig(AppConfig):
    name = "transfers"
    verbose_name = gettext_lazy("Transfers")

    def ready(self) -> None:
        from calls import context, names
        from transfers import desk, desk_live, health, live, observing, outgoing, receivers, retention

        names.mark(self)
        receivers.register()
        health.register()
        live.register()
        desk_live.register()
        context.show_only("desk", lambda user: desk.own_manager(user.pk) is not None)
        outgoing.register()
        observing.register()
        retention.register()
