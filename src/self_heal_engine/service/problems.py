"""Problems: what goes wrong as RFC 9457 problem details, whose type is one fixed word."""

from __future__ import annotations

from math import ceil

from fastapi import Request
from fastapi.responses import JSONResponse

from self_heal_engine.errors import CannotHeal

# The status of each word; of every other, which is about what the body says, 422.
STATUS = {
    "no_token_configured": 401,
    "no_token": 401,
    "unknown_token": 401,
    "expired_token": 401,
    "missing_scope": 403,
    "unknown_request": 404,
    "no_route": 404,
    "wrong_method": 405,
    "body_too_slow": 408,
    "other_verdict": 409,
    "body_too_large": 413,
    "page_too_large": 413,
    "not_json": 415,
    "rate_limited": 429,
    "bad_snapshot": 500,
    "internal_error": 500,
    "overloaded": 503,
    "worker_died": 503,
    "storage_down": 503,
    "schema_behind": 503,  # it was changed under a running service
    "schema_ahead": 503,
    "not_ready": 503,
}
UNPROCESSABLE = 422
UNAUTHORIZED = 401
TOO_SLOW = 408
UNAVAILABLE = 503

# After how many seconds to try again, where nobody knows better.
RETRY_AFTER = 1.0

TITLES = {
    401: "Not authenticated", 403: "Not allowed", 404: "Not found", 405: "Method not allowed", 408: "Too slow",
    409: "Contradicts what is stored", 413: "Too large", 415: "Not JSON", 422: "Cannot be healed as asked",
    429: "Too many requests", 500: "A fault of ours", 503: "Not now",
}  # fmt: skip


class TryLater(CannotHeal):
    """The same request may be answered after so many seconds."""

    def __init__(self, word: str, sentence: str, seconds: float) -> None:
        super().__init__(word, sentence)
        self.seconds = seconds


def status_of(word: str) -> int:
    """Return the HTTP status of a word.

    >>> status_of("overloaded"), status_of("locator_syntax")
    (503, 422)
    """
    return STATUS.get(word, UNPROCESSABLE)


def problem(request: Request, refusal: CannotHeal) -> JSONResponse:
    """Return a refusal as an answer; its word is kept with the request for the log and the metrics."""
    word = request.scope["refused"] = str(refusal)
    status = status_of(word)
    headers = {}
    if status in (429, UNAVAILABLE):
        headers["Retry-After"] = str(ceil(refusal.seconds if isinstance(refusal, TryLater) else RETRY_AFTER))
    if status == TOO_SLOW:
        headers["Connection"] = "close"  # uvicorn would keep it open for the rest of the body
    if status == UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        {
            "type": word,
            "title": TITLES[status],
            "status": status,
            "detail": refusal.sentence,
            "trace_id": request.scope["trace_id"],
        },
        status,
        headers,
        media_type="application/problem+json",
    )
