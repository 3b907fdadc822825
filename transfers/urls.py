from __future__ import annotations

from django.urls import path

from transfers.views import actions, call, history, wallboard

urlpatterns = [
    path("", wallboard.wallboard, name="wallboard"),
    path("live/summary", wallboard.summary, name="wallboard_summary"),
    path("calls/<uuid:call_id>", call.call, name="call"),
    path("calls/<uuid:call_id>/escalate", call.escalate, name="escalate"),
    path("calls/<uuid:call_id>/escalate/next", call.escalate_next, name="escalate_next"),
    path("calls/<uuid:call_id>/end", call.end_call, name="end_call"),
    path("history", history.history, name="history"),
    path("transfers/<uuid:transfer_id>", history.transfer, name="transfer"),
    path("transfers/<uuid:transfer_id>/approve", actions.approve, name="approve"),
    path("transfers/<uuid:transfer_id>/decline", actions.decline, name="decline"),
    path("transfers/<uuid:transfer_id>/briefing", actions.edit_briefing, name="edit_briefing"),
    path("transfers/<uuid:transfer_id>/cancel", actions.cancel, name="cancel"),
]
