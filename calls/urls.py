from __future__ import annotations

from django.urls import path

from calls.views import audit, rooms, status, test_call

urlpatterns = [
    path("rooms", rooms.rooms, name="rooms"),
    path("audit", audit.audit, name="audit"),
    path("audit/verify", audit.verify, name="audit_verify"),
    path("audit/heads", audit.kept_heads, name="audit_heads"),
    path("status", status.status, name="status"),
    path("test-call", test_call.test_call, name="test_call"),
    path("test-call/token", test_call.token, name="test_call_token"),
    path("test-call/call", test_call.call_of, name="test_call_of"),
    path("test-call/line", test_call.line, name="test_call_line"),
    path("test-call/simulate", test_call.simulate, name="test_call_simulate"),
]
