"""Recording: every request gets a trace id, is counted, and is one line of the log."""

from __future__ import annotations

import re
from secrets import token_hex
from time import perf_counter

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from self_heal_engine.errors import CannotHeal
from self_heal_engine.service import logs
from self_heal_engine.service.problems import problem
from self_heal_engine.service.state import Service

log = logs.get("request")

# https://www.w3.org/TR/trace-context/#traceparent-header
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

UNKNOWN_ROUTE = "unknown"


class Recording:
    """Around everything else: what a request came to, whatever it was."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and record it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, started = perf_counter(), 500, False
        trace_id = scope["trace_id"] = trace_of(scope)

        async def sent(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                message["headers"] = [*message.get("headers", ()), (b"x-trace-id", trace_id.encode("ascii"))]
            await send(message)

        with logs.bound(trace_id=trace_id):
            self.service.in_flight += 1
            try:
                await self.app(scope, receive, sent)
            except Exception as error:
                log.error("Request failed", exc_info=error)
                failed = CannotHeal("internal_error", "this is a fault of the service; its log has the trace id")
                if not started:
                    await problem(Request(scope), failed)(scope, receive, sent)
            finally:
                self.service.in_flight -= 1
                self.record(scope, status, perf_counter() - began)

    def record(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log one request."""
        route = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
        refused = scope.get("refused")
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"
        self.service.metrics.requests.labels(route, method, str(status)).inc()
        self.service.metrics.seconds.labels(route).observe(seconds)
        self.service.show_workers()
        if refused:
            self.service.metrics.problems.labels(refused).inc()
        level = log.error if status == 500 else log.debug if route in PROBES and not refused else log.info
        level("Request answered", route=route, status=status, problem=refused, duration_ms=round(1_000 * seconds, 1))


# Probes and scrapes come every few seconds and tell nothing.
PROBES = ("/health", "/health/live", "/health/ready", "/metrics")


def trace_of(scope: Scope) -> str:
    """Return the trace id that the caller sent in ``traceparent``, else a new one."""
    for name, value in scope["headers"]:
        if name == b"traceparent" and (found := TRACEPARENT.fullmatch(value)):
            return found[1].decode("ascii")
    return token_hex(16)
