"""Snapshot: a page as it is kept, redacted and compressed; and what else of a request is redacted."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from self_heal_engine.errors import CannotHeal
from self_heal_engine.files import sha256
from self_heal_engine.fingerprint import Fingerprint, dump_fingerprint
from self_heal_engine.parser import redacted_html
from self_heal_engine.redaction import is_secret, is_secret_field, without_secrets

# More than a request may hold, so that only what is damaged or made to burst is refused.
MOST_PAGE_BYTES = 100_000_000

# Elements in which no field can stand, so that words from inside them are no field's value.
WITHOUT_FIELDS = frozenset("a button summary option svg i img input select textarea h1 h2 h3 h4 h5 h6".split())

NO_SITE = "unknown"
LONGEST_SITE = 80


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One redacted page: the SHA-256 of its HTML, which names it, and the HTML, gzipped."""

    sha256: str
    body: bytes


def page_snapshot(html: str) -> Snapshot:
    """Return the page as it may be kept.

    >>> page_html(page_snapshot("<input type=hidden value=a8f3>").body)
    '<html><head></head><body><input type="hidden" value=""></body></html>'
    """
    return compressed(redacted_html(html).encode("utf-8", "backslashreplace"))


def compressed(html: bytes) -> Snapshot:
    """Return HTML that is redacted already as it is kept; the same HTML gives the same bytes."""
    return Snapshot(sha256(html), gzip.compress(html, compresslevel=1, mtime=0))


def page_html(body: bytes) -> str:
    """Return the HTML of a snapshot; CannotHeal ``bad_snapshot`` if it is damaged, or larger than any page."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
            html = file.read(MOST_PAGE_BYTES + 1)
        if len(html) <= MOST_PAGE_BYTES:
            return html.decode("utf-8")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise CannotHeal("bad_snapshot", f"a stored page cannot be read: {error}") from error
    raise CannotHeal("bad_snapshot", f"a stored page has more than {MOST_PAGE_BYTES} bytes")


def redacted_fingerprint(wanted: Fingerprint) -> str | None:
    """Return what the caller stored of an element, without a secret's value; None if it is known by its locator only.

    The words inside a container are left out, which may be those of a hidden field; and the anchors, which are not the
    page's but the caller's, and are kept beside it.
    """
    if not wanted.complete:
        return None
    secret = is_secret_field(wanted.tag, wanted.attributes)
    kept = replace(
        wanted,
        attributes=redacted_attributes(wanted.attributes, secret),
        parent_attributes=redacted_attributes(wanted.parent_attributes),
        anchors=(),
        inside=wanted.inside if wanted.tag in WITHOUT_FIELDS else (),
    )
    if secret and wanted.tag == "textarea":
        kept = replace(kept, text="", leading_text="", neighbour_text="")
    return dump_fingerprint(kept)


def redacted_candidate(candidate: dict[str, Any], secret: bool) -> dict[str, Any]:
    """Return a candidate of an answer as it is kept: its locators and texts without what is a secret.

    ``secret``: it holds one. A locator that is made of one, and would find nothing on the redacted page, is left out.
    """
    held = candidate["text"] if secret else ""
    locators = [{name: candidate[name] for name in ("locator", "locator_type")}, *candidate["alternatives"]]
    clean = [one for one in locators if may_be_kept(one["locator"], held, secret)]
    best, *others = clean or [{"locator": candidate["tag"], "locator_type": "tag_name"}]
    return {
        **{name: candidate[name] for name in ("index", "score", "tag")},
        **best,
        "alternatives": others,
        "text": "" if secret else without_secrets(candidate["text"]),
        "reasons": [] if secret else [without_secrets(reason) for reason in candidate["reasons"]],
    }


def may_be_kept(locator: str, held: str, secret: bool) -> bool:
    """Return whether a locator holds nothing that is a secret."""
    if secret and ("value" in locator or (held and held in locator)):
        return False
    return without_secrets(locator) == locator


def redacted_attributes(attributes: Mapping[str, str], secret: bool = False) -> dict[str, str]:
    """Return an element's attributes as ``redacted_html`` leaves them, those of a secret field without its value."""
    return {
        name: "" if is_secret(name) or (secret and "value" in name) else without_secrets(value)
        for name, value in attributes.items()
    }


def redacted_url(url: str) -> str | None:
    """Return a page's address without user, query and fragment; None for what is no address of a page.

    >>> redacted_url("https://ann:pw@shop.example:8443/cart;jsessionid=a8f3?user=ann#top"), redacted_url("data:,a8f3")
    ('https://shop.example:8443/cart;jsessionid=removed', None)
    """
    scheme, host, path = parts(url)
    path = without_secrets(re.split("[?#]", path, maxsplit=1)[0])
    if scheme in ("http", "https", "file"):
        return f"{scheme}://{host}{path if host or scheme == 'file' else ''}"
    return path if scheme == "" else None


def site(url: str | None) -> str:
    """Return the host of an address as the name of a site; "unknown" without one.

    >>> site("https://Shop.example:8443/cart"), site("http://[::1]/"), site("/cart")
    ('shop.example', '1', 'unknown')
    """
    scheme, host, _ = parts(url or "")
    if scheme not in ("http", "https"):
        return NO_SITE
    name = re.sub(r":[0-9]*$", "", host) if not host.endswith("]") else host
    name = re.sub(r"[^\w.-]+", "-", name.lower())[:LONGEST_SITE]
    return re.sub(r"^[^A-Za-z0-9]+", "", name).rstrip("-.") or NO_SITE


def parts(url: str) -> tuple[str, str, str]:
    """Return scheme, host with its port, and all from the path on; read as leniently as a browser does."""
    url = re.sub(r"[\x00-\x20\x7f]+", "", url)
    scheme, colon, rest = url.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        scheme, rest = "", url
    if scheme.lower() not in ("http", "https", "file") and not rest.startswith("//"):
        return scheme.lower(), "", rest if scheme else rest.rpartition("@")[2]
    found = re.match(r"([^?#]*)(.*)", rest.replace("\\", "/"), re.DOTALL)
    before, after = (found[1], found[2]) if found else ("", "")
    slashes = len(before) - len(before.lstrip("/"))
    if scheme.lower() == "file":
        return "file", "", "/" + before.lstrip("/") + after
    host, slash, path = before[slashes:].partition("/")
    return scheme.lower(), host.rpartition("@")[2], slash + path + after
