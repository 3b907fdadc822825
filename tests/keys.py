"""API keys for tests, and a client that sends one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.test import Client

from calls.api_scopes import SCOPES
from calls.models import ApiKey, Department
from calls.services import api_keys


def key(
    *departments: Department, scopes: tuple[str, ...] = tuple(SCOPES), name: str = "CRM", **fields: Any
) -> tuple[ApiKey, str]:
    """A new key and its secret, made as an administrator would."""
    user, _ = User.objects.get_or_create(username="admin")
    made = ApiKey(name=name, scopes=list(scopes), **fields)
    secret = api_keys.make(made, user=user)
    made.departments.set(departments)
    return made, secret


class Program:
    """Whoever has a secret; each answer's status and JSON."""

    def __init__(self, secret: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"authorization": f"Bearer {secret}"} if secret else {}

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query_params=query, headers=self.headers)

    def send(self, method: str, path: str, body: Any, key: str = "") -> Any:
        headers: Mapping[str, str] = self.headers | ({"idempotency-key": key} if key else {})
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(method, f"/api/v1/{path}", data, "application/json", headers=headers)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self.send("POST", path, {} if body is None else body, key)

    def put(self, path: str, body: Any) -> Any:
        return self.send("PUT", path, body)


def ids(answer: Any) -> list[UUID]:
    return [UUID(row["id"]) for row in answer.json()["items"]]
