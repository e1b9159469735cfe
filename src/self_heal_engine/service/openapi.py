"""What the routes say of themselves in the OpenAPI document; bodies are read by us, so FastAPI does not know them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from self_heal_engine.service.problems import TITLES
from self_heal_engine.service.schemas import BatchBody, ConfirmBody, HealBody, Problem

BODIES = (HealBody, BatchBody, ConfirmBody)
REFERENCE = "#/components/schemas/{model}"

ABOUT = """Send the page as it is now and the broken locator; take the first candidate when the decision is `healed`;
confirm what was right. Errors are problem details (RFC 9457) whose `type` is one fixed word."""


def asks(body: type[BaseModel]) -> dict[str, Any]:
    """Return a route's body for the document."""
    schema = {"$ref": REFERENCE.format(model=body.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems with which a route may answer."""
    schema = {"$ref": REFERENCE.format(model=Problem.__name__)}
    content = {"application/problem+json": {"schema": schema}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, the bodies that we read and the bearer token included."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="self-heal-engine", version=version("self-heal-engine"), description=ABOUT, routes=app.routes
        )
        components = made.setdefault("components", {})
        _, bodies = models_json_schema([(model, "validation") for model in (*BODIES, Problem)], ref_template=REFERENCE)
        components["schemas"] = {**components.get("schemas", {}), **bodies["$defs"]}
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"bearer": []}, {}]
        app.openapi_schema = made
    return app.openapi_schema
