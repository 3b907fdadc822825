"""The API as one: its routers, its errors, its description, its addresses."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from transfers.api import calls, presence, problems, transfers, webhooks

DESCRIPTION = """Calls, transfers and presence for programs.

Send an API key (Administration, API keys) as `Authorization: Bearer pbk_…`. Every error is a problem (RFC 9457). A
`POST` with an `Idempotency-Key` can be repeated: it is done once. Lists are newest first, in pages."""


class Api(NinjaAPI):
    def create_response(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return with_rate(request, super().create_response(request, *args, **kwargs))

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        return with_rate(request, super().on_exception(request, exc))

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**kwargs)
        _describe_problems(schema)
        return schema


def with_rate(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """What the key has left, on every answer to a key that was counted."""
    rate = getattr(request, "rate", None)
    if rate:
        for name, value in rate.headers.items():
            answer[name] = value
    return answer


def _describe_problems(schema: OpenAPISchema) -> None:
    """Every operation may answer with a problem: said once here, not at every view."""
    details = problems.ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schema["components"]["schemas"] |= details.pop("$defs") | {"ProblemDetails": details}
    problem = {
        "description": "A problem (RFC 9457): what happened and what to do.",
        "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    for methods in schema["paths"].values():
        for operation in methods.values():
            operation["responses"] |= {"4XX": problem, "5XX": problem}


api = Api(
    title="Patchbay",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    docs=Swagger(settings={"persistAuthorization": False, "defaultModelsExpandDepth": 0}),
)
problems.install(api)
for part in (calls.router, transfers.router, presence.router, webhooks.router):
    api.add_router("", part)


@login_not_required
def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    return problems.respond(problems.NOT_FOUND)


def urls() -> tuple[list[URLPattern], str, str]:
    """With their own keys instead of log-ins; whatever else is asked for is a problem, too."""
    patterns, app, namespace = api.urls
    for pattern in patterns:
        assert isinstance(pattern, URLPattern)
        pattern.callback = login_not_required(pattern.callback)
    return [*patterns, path("<path:rest>", nothing)], app, namespace  # type: ignore[list-item]
