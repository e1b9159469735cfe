"""remote: heals asked of a running service, with the answers of the library."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from self_heal_engine.errors import CannotHeal, quoted
from self_heal_engine.healer import Healing, HealResult
from self_heal_engine.locators import Locator
from self_heal_engine.request import HealRequest
from self_heal_engine.service.schemas import HealAnswer, Problem
from self_heal_engine.settings import without_password
from self_heal_engine.validation import from_json

# More than the service's own deadline and queue.
SECONDS = 30.0

MOST_ANSWER_BYTES = 10_000_000


def ask(url: str, token: str | None, path: str, body: dict[str, Any]) -> bytes:
    """Return what the service answers to a body.

    CannotHeal with the service's own word where it refuses, ``no_service`` where none answers at the URL.
    """
    shown = quoted(without_password(url))
    request = Request(url.rstrip("/") + path, json.dumps(body).encode("utf-8"))  # noqa: S310 - of the settings
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")  # for this service, and no other
    try:
        with urlopen(request, timeout=SECONDS) as response:  # noqa: S310 - the settings allow http and https alone
            answer: bytes = response.read(MOST_ANSWER_BYTES)
    except HTTPError as error:
        problem = from_json(Problem, error.read(MOST_ANSWER_BYTES), "no_service", f"the answer of {shown}")
        raise CannotHeal(problem.type, problem.detail) from error
    except (URLError, OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise CannotHeal("no_service", f"no service answers at {shown}: {reason}") from error
    return answer


def heal_remotely(url: str, token: str | None, html: str, request: HealRequest, limit: int) -> HealResult:
    """Return the service's answer for one broken locator; CannotHeal as of :func:`ask`."""
    answer = ask(url, token, "/heal", heal_body(html, request, limit))
    return result_of(from_json(HealAnswer, answer, "no_service", f"the answer of {quoted(without_password(url))}"))


def heal_body(html: str, request: HealRequest, limit: int) -> dict[str, Any]:
    """Return the body of /heal for a page and a request."""
    context = {
        "anchors": list(request.anchors),
        "visible_text": request.visible_text,
        "action": request.action,
        "fingerprint": request.fingerprint,
        "baseline_html": request.baseline_html,
    }
    return {
        "html": html,
        "original_locator": request.original_locator,
        "locator_type": request.locator_type,
        "context": context,
        "max_candidates": limit,
    }


def result_of(answer: HealAnswer) -> HealResult:
    """Return a service's answer as the library's; what is only known on the page, the rows, is -1."""
    return HealResult(
        decision=answer.decision,
        confidence=answer.confidence,
        calibrated=answer.calibrated,
        threshold=answer.threshold,
        original_matches=answer.original_matches,
        knowledge=answer.knowledge,
        candidates=[
            Healing(
                row=-1,
                score=one.score,
                locators=[Locator(each.locator_type, each.locator) for each in (one, *one.alternatives)],
                tag=one.tag,
                text=one.text,
                html=one.html,
                reasons=one.reasons,
            )
            for one in answer.candidates
        ],
        model=f"{answer.model.name}-{answer.model.version}",
    )
