"""from_json(form, text, word): JSON from outside as one of our records, every field of exactly its type."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from self_heal_engine.errors import CannotHeal, printable, quoted

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Record = TypeVar("Record")

# What a record sets as ``__pydantic_config__`` to be read from outside: no other fields, no "3" for 3, no NaN.
STRICT: dict[str, object] = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


# The name of a field comes from outside, too.
MOST_PLACE = 120

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def from_json(form: type[Record], text: str | bytes, word: str, named: str | None = None) -> Record:
    """Return the record that the text holds; CannotHeal ``word`` naming the field that does not fit.

    ``named`` stands for the text in the sentence, where the text was made of something else or is not to be repeated.
    """
    from pydantic import ValidationError  # 0.1 s, and a plain heal reads no JSON

    try:
        record: Record = _adapter(cast(Any, form)).validate_json(text)
    except ValidationError as invalid:
        # A misspelt field is unknown and the right one missing: the first says more.
        first = min(invalid.errors(include_url=False), key=lambda error: error["type"] not in UNKNOWN)
        place = printable(".".join(map(str, first["loc"])))[:MOST_PLACE]
        why = f"{place}: {first['msg']}" if place else first["msg"]
        raise CannotHeal(word, f"{named or quoted(text)} cannot be read: {why}") from invalid
    return record


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(form)
