"""page: the page at ``/`` on which people try heals by hand, and the example that it fills in."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

# What the page asks of the service it asks as any caller does; that a page is served at all is no part of the API.
routes = APIRouter(include_in_schema=False)

SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

EXAMPLE_LOCATOR = "#login-btn"


@routes.get("/")
async def page() -> Response:
    """Return the page. It holds no data, so anybody may have it; what it then asks for needs the caller's token."""
    html = template()
    return Response(html, media_type="text/html", headers=headers(html))


@routes.get("/example")
async def example() -> JSONResponse:
    """Return the bundled shop before and after its redesign, and a locator that the redesign broke."""
    return JSONResponse(shop())


@cache
def template() -> str:
    """Return the template, which is the page: nothing is filled in."""
    return (files("self_heal_engine") / "service" / "page.html").read_text("utf-8")


@cache
def shop() -> dict[str, str]:
    """Return what the page's form is filled with."""
    folder = files("self_heal_engine") / "examples"
    return {
        "html": (folder / "shop_after.html").read_text("utf-8"),
        "baseline_html": (folder / "shop_before.html").read_text("utf-8"),
        "original_locator": EXAMPLE_LOCATOR,
        "locator_type": "css",
    }


@cache
def headers(html: str) -> dict[str, str]:
    """Return the headers under which nothing but the page's own script runs, and nothing leaves for elsewhere."""
    return {
        "Content-Security-Policy": policy(html),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
        "Cache-Control": "no-store",  # the page and the service that it asks are of one version
    }


def policy(html: str) -> str:
    """Return the content security policy of a page: its scripts by their hashes, no other source but this service.

    A frame without an address of its own has the policy of the page around it. So styles may stand inline here: those
    of the page that is shown do, and no hash is known of them. Nor may this page make HTML out of text, but in the one
    place that is named ``preview``.

    >>> policy("<script>1</script>").split("; ")[1]
    "script-src 'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='"
    """
    digests = (sha256(script.encode("utf-8")).digest() for script in SCRIPT.findall(html))
    hashes = [f"'sha256-{b64encode(digest).decode('ascii')}'" for digest in digests]
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(hashes)}",
            "style-src 'unsafe-inline'",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "trusted-types preview",
            "require-trusted-types-for 'script'",
        ]
    )
