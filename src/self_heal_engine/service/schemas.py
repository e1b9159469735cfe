"""The bodies that callers send and the answers they get, as HTTP's documentation shows them."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from self_heal_engine.request import MOST_CANDIDATES

EXAMPLE_PAGE = (
    '<html><body><form><input name="user"><button class="css-1x2y3z">Sign In</button></form>'
    "<button>Register</button></body></html>"
)


class Body(BaseModel):
    """What a caller sends: known fields of the right type, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Known(Body):
    """What is known of the wanted element beside its locator; all of it may be left out."""

    anchors: list[str] = Field([], max_length=50, description="Texts that stood near the element.")
    visible_text: str | None = Field(None, description="The text that was visible in the element.")
    action: str | None = Field(None, description="What the test does with it: click, type, select, check or read.")
    fingerprint: str | dict[str, JsonValue] | None = Field(
        None, description="What `self-heal fingerprint` printed while the locator worked."
    )
    baseline_html: str | None = Field(None, description="The last page on which the locator worked.")


class Context(Known):
    """What is known of the element, and where the request comes from."""

    page_url: str | None = Field(
        None, max_length=4_000, description="Where the page was; its host groups training data."
    )
    test_session: str | None = Field(None, max_length=200, description="Heals of one run of a suite share it.")


class BatchContext(Body):
    """What all locators of a batch share."""

    baseline_html: str | None = Field(None, description="The last page on which the locators worked.")
    page_url: str | None = Field(None, max_length=4_000, description="Where the page was.")
    test_session: str | None = Field(None, max_length=200, description="Heals of one run of a suite share it.")


class HealBody(Body):
    """One broken locator and the page on which it is broken."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "html": EXAMPLE_PAGE,
                    "original_locator": "#login-btn",
                    "locator_type": "css",
                    "context": {"anchors": ["Login"], "visible_text": "Sign In"},
                    "max_candidates": 5,
                    "use_llm": False,
                }
            ]
        }
    )

    html: str = Field(description="The page as it is now.")
    original_locator: str = Field(description="The broken locator.")
    locator_type: str = Field("css", description="Its kind: css, xpath, id, role, text, ...")
    context: Context = Context()
    max_candidates: int | None = Field(None, ge=1, le=MOST_CANDIDATES, description="How many candidates to return.")
    use_llm: bool | None = Field(None, description="Whether a configured LLM may be asked for a second opinion.")


class Wanted(Body):
    """One broken locator of a batch."""

    original_locator: str = Field(description="The broken locator.")
    locator_type: str = Field("css", description="Its kind.")
    context: Known = Known()


class BatchBody(Body):
    """Many broken locators of one page; no element is the first choice of two."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "html": EXAMPLE_PAGE,
                    "locators": [
                        {"original_locator": "#login-btn", "context": {"visible_text": "Sign In"}},
                        {"original_locator": "//button[@id='register']", "locator_type": "xpath"},
                    ],
                }
            ]
        }
    )

    html: str = Field(description="The page as it is now.")
    locators: list[Wanted] = Field(min_length=1, description="The broken locators.")
    context: BatchContext = BatchContext()
    max_candidates: int | None = Field(None, ge=1, le=MOST_CANDIDATES, description="How many candidates each.")
    use_llm: bool | None = Field(None, description="Whether a configured LLM may be asked for a second opinion.")


def finite(value: Any) -> Any:
    """Return plain data; ValueError if it holds a number that JSON does not have, which JsonValue lets through."""
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("NaN and infinity are not numbers of JSON")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        finite(each)
    return value


Metadata = Annotated[dict[str, JsonValue], Field(max_length=50), AfterValidator(finite)]


class ConfirmBody(Body):
    """What turned out to be right for one heal."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "request_id": "6f1c2f6e-3f0e-4a55-9c1e-1d1f6f9c2b7a",
                    "accepted_index": 0,
                    "metadata": {"test_session": "regression_001", "browser": "chrome"},
                }
            ]
        }
    )

    request_id: Annotated[UUID, Field(strict=False)]
    accepted_index: int | None = Field(
        None, ge=0, le=MOST_CANDIDATES, description="The right candidate; null: on the page, but not among them."
    )
    gone: bool = Field(False, description="True: the element really is gone.")
    correct_locator: str | None = Field(
        None, min_length=1, max_length=4_000, description="Where no candidate was right: what finds the element."
    )
    correct_locator_type: str = Field("css", description="The kind of correct_locator.")
    metadata: Metadata = Field({}, description="Whatever the caller wants to keep with it.")

    @model_validator(mode="after")
    def says_one_thing(self) -> ConfirmBody:
        """Refuse a confirmation that says nothing, or two things."""
        if self.gone and (self.accepted_index is not None or self.correct_locator is not None):
            raise ValueError("an element that is gone has neither accepted_index nor correct_locator")
        if self.accepted_index is not None and self.correct_locator is not None:
            raise ValueError("correct_locator is for an element that is not among the candidates: accepted_index null")
        if not self.gone and "accepted_index" not in self.model_fields_set:
            raise ValueError("either accepted_index (null: none of them) or gone must be said")
        return self


# -- answers -------------------------------------------------------------------------------------------------------


class Proposal(BaseModel):
    """A locator that finds a candidate alone."""

    locator: str
    locator_type: str


class Candidate(Proposal):
    """One candidate, with its locators, the most stable first, and why."""

    index: int
    score: float
    tag: str
    text: str
    html: str
    alternatives: list[Proposal]
    source: dict[str, str]
    reasons: list[str]


class AnsweredBy(BaseModel):
    """The model that answered."""

    name: str
    version: str
    variant: str


class Opinion(BaseModel):
    """What a language model said of an answer, and whether that changed it."""

    provider: str
    asked: bool
    choice: int | None
    changed: bool
    problem: str | None
    duration_ms: float


class HealAnswer(BaseModel):
    """The answer for one broken locator: the fields of ``self-heal heal --json`` and those of the service."""

    request_id: UUID
    original_locator: str
    locator_type: str
    decision: Literal["healed", "unchanged", "gone"]
    confidence: float
    calibrated: bool
    threshold: float
    original_matches: int | None
    knowledge: Literal["fingerprint", "locator"]
    candidates: list[Candidate]
    model: AnsweredBy
    llm: Opinion | None = Field(description="What a language model said of it, where one was asked.")
    duration_ms: float
    confirmable: bool


class BatchAnswer(BaseModel):
    """The answers of a batch, in the order of its locators."""

    answers: list[HealAnswer]


class ConfirmAnswer(BaseModel):
    """What is stored of a confirmation."""

    request_id: UUID
    recorded: bool = Field(description="False: the same was confirmed before.")


class Problem(BaseModel):
    """RFC 9457 problem details; ``type`` is one fixed word, which docs/errors.md explains."""

    type: str
    title: str
    status: int
    detail: str
    trace_id: str
