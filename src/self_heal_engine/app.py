"""app: the service, for ``uvicorn self_heal_engine.app:app``. Every route translates; the library works."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from self_heal_engine.errors import CannotHeal, at_the_edge, quoted
from self_heal_engine.service import logs, page
from self_heal_engine.service.access import needs
from self_heal_engine.service.body import body_of
from self_heal_engine.service.confirming import confirm, told_of
from self_heal_engine.service.healing import BATCH, HEAL
from self_heal_engine.service.heals import heal
from self_heal_engine.service.health import detailed, ready
from self_heal_engine.service.metrics import CONTENT_TYPE
from self_heal_engine.service.openapi import asks, document, problems
from self_heal_engine.service.problems import problem
from self_heal_engine.service.recording import Recording
from self_heal_engine.service.schemas import BatchAnswer, BatchBody, ConfirmAnswer, ConfirmBody, HealAnswer, HealBody
from self_heal_engine.service.state import Service
from self_heal_engine.settings import Settings, read_settings

# A confirmation is a few hundred bytes.
MOST_CONFIRM_BYTES = 65_536

routes = APIRouter()


def service_of(request: Request) -> Service:
    """Return what the routes share."""
    service: Service = request.app.state.service
    return service


Shared = Annotated[Service, Depends(service_of)]
MAY_HEAL, MAY_CONFIRM, IS_ADMIN = ([Depends(needs(scope))] for scope in ("heal", "confirm", "admin"))


# -- heals ---------------------------------------------------------------------------------------------------------


@routes.post(
    "/heal",
    dependencies=MAY_HEAL,
    openapi_extra=asks(HealBody),
    responses={200: {"model": HealAnswer}, **problems(401, 403, 408, 413, 415, 422, 429, 503)},
)
async def heal_one(request: Request, service: Shared) -> JSONResponse:
    """Find replacements for one broken locator, or say that its element is gone."""
    body = await body_of(request, service.settings.body_bytes, service.settings.body_seconds)
    (answer,) = await heal(service, HEAL, body, request.scope["trace_id"])
    return JSONResponse(answer)


@routes.post(
    "/heal/batch",
    dependencies=MAY_HEAL,
    openapi_extra=asks(BatchBody),
    responses={200: {"model": BatchAnswer}, **problems(401, 403, 408, 413, 415, 422, 429, 503)},
)
async def heal_batch(request: Request, service: Shared) -> JSONResponse:
    """Heal many broken locators of one page; no element is the first choice of two."""
    body = await body_of(request, service.settings.body_bytes, service.settings.body_seconds)
    return JSONResponse({"answers": await heal(service, BATCH, body, request.scope["trace_id"])})


@routes.post(
    "/confirm",
    dependencies=MAY_CONFIRM,
    openapi_extra=asks(ConfirmBody),
    responses={200: {"model": ConfirmAnswer}, **problems(401, 403, 404, 408, 409, 413, 415, 422, 429, 503)},
)
async def confirm_one(request: Request, service: Shared) -> JSONResponse:
    """Say what turned out to be right; the same again is fine, something else is refused."""
    body = await body_of(request, MOST_CONFIRM_BYTES, service.settings.body_seconds)
    return JSONResponse(await confirm(service, body))


# -- operation -----------------------------------------------------------------------------------------------------


@routes.get("/health")
@routes.get("/health/live")
async def health() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@routes.get("/health/ready", responses=problems(503))
async def health_ready(service: Shared) -> dict[str, str]:
    """Say whether a heal would be answered."""
    if not ready(service):
        raise CannotHeal("not_ready", "no healing process lives; new ones are being started")
    return {"status": "ok"}


@routes.get("/health/detailed", dependencies=IS_ADMIN, responses=problems(401, 403, 429, 503))
async def health_detailed(service: Shared) -> JSONResponse:
    """Say what serves and what stands behind it: model, storage, Redis, disk, LLM, version, uptime."""
    return JSONResponse(await detailed(service), 200 if ready(service) else 503)


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(service: Shared) -> Response:
    """Return the metrics for Prometheus."""
    service.show_workers()
    return Response(service.metrics.exposition(), media_type=CONTENT_TYPE)


@routes.get("/heals", dependencies=MAY_HEAL, responses=problems(401, 403, 422, 429, 503))
async def recent(
    service: Shared,
    session: str | None = None,
    decision: Literal["healed", "unchanged", "gone"] | None = None,
    least: Annotated[float, Query(ge=0, le=1)] = 0.0,
    most: Annotated[float, Query(ge=0, le=1)] = 1.0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Return heals with what was said of them, the newest first, by session, decision and confidence."""
    found = await service.storing(partial(service.store.heals, session, None, decision, least, most, limit))
    return {"heals": [told_of(heard) for heard in found]}


@routes.get("/snapshots/{request_id}", dependencies=IS_ADMIN, responses=problems(401, 403, 404, 422, 429, 503))
async def snapshot(request_id: UUID, service: Shared) -> dict[str, Any]:
    """Return what is stored of one heal: its candidates, its redacted page, what was confirmed."""
    return await service.storing(service.store.load_snapshot, request_id)


@routes.get("/stats", dependencies=IS_ADMIN, responses=problems(401, 403, 429, 503))
async def stats(service: Shared) -> dict[str, Any]:
    """Return how often heals were right, by model and variant; null where nothing was confirmed yet."""
    return without_nan(await service.storing(service.store.stats))


@routes.post("/model/reload", dependencies=IS_ADMIN, responses=problems(401, 403, 422, 429, 503))
async def model_reload(service: Shared) -> dict[str, Any]:
    """Put the model file as it is now in place of the one that serves; a bad one changes nothing."""
    await service.reload()
    return {"models": [one.named() for one in service.models]}


def without_nan(value: Any) -> Any:
    """Return plain data with None for NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {name: without_nan(each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and value != value else value  # NaN alone is not itself


# -- what goes wrong -----------------------------------------------------------------------------------------------


async def refused(request: Request, refusal: CannotHeal) -> JSONResponse:
    """Return what the caller can mend, or try again, as a problem."""
    return problem(request, refusal)


async def unrouted(request: Request, error: HTTPException) -> JSONResponse:
    """Return a path or method that is none of ours as a problem."""
    word = {404: "no_route", 405: "wrong_method"}.get(error.status_code, "bad_request")
    answer = problem(request, CannotHeal(word, f"{request.method} {quoted(request.url.path)} is not answered here"))
    answer.headers.update(error.headers or {})
    return answer


async def unreadable(request: Request, error: RequestValidationError) -> JSONResponse:
    """Return a bad part of a URL as a problem, without repeating it."""
    first = error.errors()[0]
    return problem(request, CannotHeal("bad_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))


# -- wiring --------------------------------------------------------------------------------------------------------


def create_app(settings: Settings) -> FastAPI:
    """Return the service; CannotHeal if it cannot start with these settings."""
    logs.set_up(settings.log_level, settings.log_file)
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    # FastAPI's pages load scripts from elsewhere; and a redirect would name whatever host the caller made up.
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.service = service
    app.include_router(routes)
    app.include_router(page.routes)
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    app.add_exception_handler(CannotHeal, refused)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, unrouted)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, unreadable)  # type: ignore[arg-type]
    app.add_middleware(Recording, service=service)
    return app


def __getattr__(name: str) -> FastAPI:
    """Make ``app`` when it is first asked for: importing this module reads no settings."""
    if name != "app":
        raise AttributeError(name)
    app = globals()["app"] = at_the_edge("self-heal-engine", lambda: create_app(read_settings()))
    return app
