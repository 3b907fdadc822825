"""What the API says when it will not or cannot: problem details (RFC 9457), in the words that people get, too."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import Field, NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from calls.errors import Refused

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:patchbay:problem:"


class FieldProblem(Schema):
    """`where` is the way to it: body, reason."""

    where: list[str]
    says: str


class ProblemDetails(Schema):
    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(default_factory=list)


class Problem(Exception):
    """Ends a request. `kind` is the last part of the type; `retry_after_s` becomes a header."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(kind)
        self.status, self.kind, self.detail = status, kind, detail
        self.errors, self.retry_after_s = tuple(errors), retry_after_s

    def as_json(self) -> dict[str, Any]:
        return ProblemDetails(
            type=TYPE + self.kind,
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            errors=list(self.errors),
        ).model_dump(mode="json")


def of_refusal(refusal: Refused) -> Problem:
    return Problem(409, "refused", refusal.message)


def respond(problem: Problem) -> HttpResponse:
    answer = JsonResponse(problem.as_json(), status=problem.status, content_type=CONTENT_TYPE)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Bearer realm="Patchbay"'
    if problem.retry_after_s is not None:
        answer["Retry-After"] = str(problem.retry_after_s)
    return answer


NO_KEY = Problem(
    401,
    "no-key",
    "There is no API key that we know in this request. Send it as “Authorization: Bearer pbk_…”; an administrator "
    "makes keys under Administration, API keys.",
)
NOT_FOUND = Problem(404, "not-found", "There is nothing here that this key can see.")
UNAVAILABLE = Problem(
    503,
    "unavailable",
    "The database does not answer. Conversations go on; nothing was changed. Try again in a moment.",
    retry_after_s=2,
)
OUR_FAULT = Problem(500, "our-fault", "This went wrong on our side. Nothing was changed; our log says why.")


def _validation(error: ValidationError) -> Problem:
    errors = [
        FieldProblem(where=[str(part) for part in found["loc"]], says=str(found["msg"])) for found in error.errors
    ]
    where = ", ".join(sorted({row.where[-1] for row in errors}))
    return Problem(
        422, "not-valid", f"The request is not as it should be: {where}. Nothing was changed.", errors=errors
    )


def _http(error: HttpError) -> Problem:
    """What the framework itself refuses: a body that is no JSON, for example."""
    return Problem(error.status_code, "not-readable", f"{error}. Nothing was changed.")


def _ours(error: Exception) -> Problem:
    logger.error("a request to the API failed", exc_info=error)
    return OUR_FAULT


def install(api: NinjaAPI) -> None:
    """Every error of the API leaves it as a problem."""
    ways: dict[type[Exception], Any] = {
        Problem: lambda error: error,
        Refused: of_refusal,
        AuthenticationError: lambda error: NO_KEY,
        ValidationError: _validation,
        HttpError: _http,
        Http404: lambda error: NOT_FOUND,
        PermissionDenied: lambda error: NOT_FOUND,
        DatabaseError: lambda error: UNAVAILABLE,
        Exception: _ours,
    }
    for kind, problem_of in ways.items():

        def handler(request: HttpRequest, error: Any, problem_of: Any = problem_of) -> HttpResponse:
            return respond(problem_of(error))

        api.add_exception_handler(kind, handler)
