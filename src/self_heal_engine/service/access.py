"""Who may call: a token's scopes, or this machine where no token is configured; and how often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from self_heal_engine.errors import CannotHeal
from self_heal_engine.service.problems import RETRY_AFTER, TryLater
from self_heal_engine.service.rate import client_address, is_loopback, limit_key
from self_heal_engine.service.state import Service

HOW_TO = (
    "no token is configured, so only this machine may call: `self-heal token create --name NAME --scope heal --scope "
    "confirm` makes one, AUTH=off lets everybody in"
)


def needs(scope: str) -> Callable[[Request], Awaitable[None]]:
    """Return the check that a caller may do something and has not called too often."""

    async def enter(request: Request) -> None:
        service: Service = request.app.state.service
        most = service.settings.concurrent_requests
        if service.in_flight > most:
            raise TryLater("overloaded", f"{most} requests are being answered already", RETRY_AFTER)
        peer = request.client.host if request.client else None
        address = limit_key(client_address(peer, request.headers, service.settings.trusted_proxies))
        try:
            caller, refusal = caller_of(request, scope, service) or address, None
        except CannotHeal as refused:  # who guesses tokens is counted, too
            caller, refusal = address, refused
        wait = await service.limiter.hit(caller)
        if service.limiter.configured and not service.limiter.shared:
            service.metrics.rate_limit_alone.inc()
        if wait is not None:
            raise TryLater("rate_limited", f"more requests than {service.settings.rate_limit}", wait)
        if refusal is not None:
            raise refusal

    return enter


def caller_of(request: Request, scope: str, service: Service) -> str | None:
    """Return whose token a request has, None where none is needed; CannotHeal if the caller may not do that."""
    if service.settings.auth == "off":
        return None
    if not service.tokens.any():
        if is_loopback(request.client.host if request.client else None, request.headers):
            return None
        raise CannotHeal("no_token_configured", HOW_TO)
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        raise CannotHeal("no_token", "send your token: Authorization: Bearer TOKEN")
    token = service.tokens.holder(secret.strip())
    if service.tokens.expired(secret.strip()):
        raise CannotHeal("expired_token", "the token's time is over; `self-heal token create` makes a new one")
    if token is None:
        raise CannotHeal("unknown_token", "the token is none that was created here, or was revoked")
    if scope not in token.scopes:
        given = ", ".join(token.scopes)
        raise CannotHeal("missing_scope", f"the token {token.id} has not the scope {scope}; it has {given}")
    return f"token {token.id}"
