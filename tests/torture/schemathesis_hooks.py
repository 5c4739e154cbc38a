"""Generate CSV and JSON lines of reviews for Schemathesis, since no schema describes them."""

import csv
import io
import json
from typing import Any

import schemathesis
from hypothesis import strategies as st

from vocab import messages
from vocab.messages import MessageError

REVIEWS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=200)
ITEMS = st.lists(
    st.fixed_dictionaries({"review": REVIEWS}, optional={"id": st.integers() | REVIEWS}), min_size=1
)


def _lines(items: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(item) + "\n" for item in items).encode()


def _table(items: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ["id", "review"])
    writer.writeheader()
    writer.writerows(items)
    return out.getvalue().encode()


schemathesis.openapi.media_type("text/csv", ITEMS.map(_table))
schemathesis.openapi.media_type("application/jsonlines", ITEMS.map(_lines), aliases=("application/x-ndjson",))


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Leave out aspects that no schema can refuse: terms without a word, names that differ in capitals."""
    aspects = body.get("aspects") if isinstance(body, dict) else None
    if not isinstance(aspects, dict) or not all(isinstance(terms, list) for terms in aspects.values()):
        return True
    try:
        messages.parse_aspects(aspects)
        return True
    except MessageError:
        return not all(isinstance(term, str) for terms in aspects.values() for term in terms)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Remove the examples of these bodies: a type with its own strategy accepts no text."""
    body = raw_schema["paths"]["/v1/sentiment/batch"]["post"]["requestBody"]
    for kind in ("text/csv", "application/jsonlines", "application/x-ndjson"):
        del body["content"][kind]["examples"]


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Leave out queries that contradict their body's explain, which no schema can refuse."""
    asked = [part.get("explain") for part in (case.query, case.body) if isinstance(part, dict)]
    return len({value for value in asked if value in messages.EXPLAIN}) < 2


@schemathesis.hook
def before_add_examples(context: Any, examples: list[Any]) -> None:
    """Do the same for the document's examples, which no filter sees."""
    examples[:] = [case for case in examples if filter_case(context, case)]
