"""Health: whether the service can heal, and what stands behind it."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from time import monotonic
from typing import Any

from self_heal_engine.errors import CannotHeal
from self_heal_engine.service.state import Service

# Below this, SQLite's next write may be refused.
LEAST_FREE_BYTES = 50_000_000


def ready(service: Service) -> bool:
    """Return whether a heal would be answered: a worker lives. Without storage it is, only not confirmable."""
    return service.workers.alive > 0


async def detailed(service: Service) -> dict[str, Any]:
    """Return everything an operator asks about; ``status`` is ok, degraded (it heals, but ...) or down."""
    parts = {
        "storage": await storage(service),
        "redis": await redis(service),
        "disk": disk(service),
        "tokens": {"status": "degraded" if service.tokens.problem else "ok", "detail": service.tokens.problem or ""},
    }
    degraded = any(part["status"] == "degraded" for part in parts.values())
    return {
        "status": "down" if not ready(service) else "degraded" if degraded else "ok",
        "version": version("self-heal-engine"),
        "uptime_seconds": round(monotonic() - service.began, 1),
        "models": [
            {
                "name": one.name,
                "version": one.version,
                "variant": one.variant,
                "sha256": one.sha256,
                "source": one.source,
            }
            for one in service.models
        ],
        "workers": {
            "alive": service.workers.alive,
            "wanted": service.workers.count,
            "waiting": service.workers.waiting,
        },
        "llm": {"provider": service.settings.llm_provider, "asked_by_default": service.settings.use_llm},
        **parts,
    }


async def storage(service: Service) -> dict[str, Any]:
    """Return whether storage answers, and took the last heal: a full disk can be read."""
    try:
        await service.storing(service.store.ping, seconds=1.0)
    except CannotHeal as refusal:
        return {"status": "degraded", "detail": refusal.sentence}
    if service.unstored is not None:
        return {"status": "degraded", "detail": service.unstored}
    return {"status": "ok", "kind": service.store.kind}


async def redis(service: Service) -> dict[str, Any]:
    """Return whether rate limits are shared, where they are meant to be."""
    if not service.limiter.configured:
        return {"status": "ok", "detail": "not configured: rate limits are counted by each process"}
    if await service.limiter.check():
        return {"status": "ok"}
    return {"status": "degraded", "detail": "Redis does not answer: rate limits are counted by each process"}


def disk(service: Service) -> dict[str, Any]:
    """Return the room that is left where data is kept."""
    folder = service.settings.data_dir
    free = shutil.disk_usage(folder if folder.exists() else ".").free
    return {"status": "ok" if free >= LEAST_FREE_BYTES else "degraded", "free_bytes": free}
