"""body_of(request): the bytes of a body, bounded in size and time, before anything reads them."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

from self_heal_engine.errors import CannotHeal, quoted


async def body_of(request: Request, most: int, seconds: float) -> bytes:
    """Return a JSON body as it was sent; CannotHeal ``not_json``, ``body_too_large`` or ``body_too_slow``.

    Compressed bodies are not taken: their size would be known too late.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or request.headers.get("content-encoding", "identity") != "identity":
        raise CannotHeal("not_json", f"the Content-Type {quoted(kind)} is not application/json, uncompressed")
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told[:20]) > most:
        raise too_large(most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise too_large(most)
                parts.append(part)
    except TimeoutError:
        raise CannotHeal("body_too_slow", f"the body did not arrive within {seconds:g} s") from None
    except ClientDisconnect:  # nobody hears it, but the log and the metrics must not call it a fault of ours
        raise CannotHeal("bad_request", "the connection ended before the body did") from None
    return b"".join(parts)


def too_large(most: int) -> CannotHeal:
    """Return the refusal of a body that is larger than so many bytes."""
    return CannotHeal("body_too_large", f"the body has more than {most} bytes")
