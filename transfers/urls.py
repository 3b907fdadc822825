from __future__ import annotations

from django.urls import path

from transfers.views import actions, call, callbacks, history, supervise, wallboard

urlpatterns = [
    path("", wallboard.wallboard, name="wallboard"),
    path("live/summary", wallboard.summary, name="wallboard_summary"),
    path("calls/<uuid:call_id>", call.call, name="call"),
    path("calls/<uuid:call_id>/escalate", call.escalate, name="escalate"),
    path("calls/<uuid:call_id>/escalate/next", call.escalate_next, name="escalate_next"),
    path("calls/<uuid:call_id>/end", call.end_call, name="end_call"),
    path("calls/<uuid:call_id>/cold", call.cold, name="cold"),
    path("calls/<uuid:call_id>/supervise", supervise.start, name="supervise"),
    path("calls/<uuid:call_id>/whisper", supervise.whisper, name="whisper_to_ai"),
    path("supervisions/<uuid:grant_id>/token", supervise.renew, name="supervision_renew"),
    path("supervisions/<uuid:grant_id>/seen", supervise.seen, name="supervision_seen"),
    path("supervisions/<uuid:grant_id>/stop", supervise.stop, name="supervision_stop"),
    path("departments/<int:department_id>/ranking", wallboard.ranking, name="ranking"),
    path("managers/<uuid:manager_id>/presence", wallboard.presence, name="presence"),
    path("callbacks", callbacks.listing, name="callbacks"),
    path("callbacks/<uuid:callback_id>/claim", callbacks.claim, name="callback_claim"),
    path("callbacks/<uuid:callback_id>/release", callbacks.release, name="callback_release"),
    path("callbacks/<uuid:callback_id>/call", callbacks.call_now, name="callback_call"),
    path("callbacks/<uuid:callback_id>/result", callbacks.finish, name="callback_finish"),
    path("history", history.history, name="history"),
    path("transfers/<uuid:transfer_id>", history.transfer, name="transfer"),
    path("transfers/<uuid:transfer_id>/bundle", history.bundle, name="transfer_bundle"),
    path("transfers/<uuid:transfer_id>/approve", actions.approve, name="approve"),
    path("transfers/<uuid:transfer_id>/decline", actions.decline, name="decline"),
    path("transfers/<uuid:transfer_id>/briefing", actions.edit_briefing, name="edit_briefing"),
    path("transfers/<uuid:transfer_id>/hold", actions.hold, name="hold"),
    path("transfers/<uuid:transfer_id>/resume", actions.resume, name="resume"),
    path("transfers/<uuid:transfer_id>/cancel", actions.cancel, name="cancel"),
]
