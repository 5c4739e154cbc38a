"""Rewrite the golden cases after an intended change; then read ``git diff``.

    python tests/vocab/rewrite_golden.py            # text.json, ids.json and aspects.json
    python tests/vocab/rewrite_golden.py --check    # say what would change, write nothing

A new case is an entry with ``name`` and ``review`` alone, and ``aspects`` in aspects.json. Ids or lengths
that changed under the same text version and fingerprint are refused: raise ``TEXT_VERSION`` in vocab/text.py
and run `python -m training.data.build_vocab`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
COMPARED = ("ids", "lengths")


def text_case(case: dict[str, Any]) -> dict[str, Any]:
    """Return a case of text.json with the code's text, tokens and sentences."""
    from vocab.text import clean, split_sentences, tokenize

    text = clean(case["review"])
    tokens = tokenize(text)
    return {
        "name": case["name"],
        "review": case["review"],
        "text": text,
        "tokens": tokens.names,
        "sentences": [text[s.start : s.end] for s in split_sentences(text, tokens)],
    }


def ids_case(case: dict[str, Any], vocabulary: Any) -> dict[str, Any]:
    """Return a case of ids.json with the code's ids, and the number of them in each sentence."""
    encoded = vocabulary.encode(case["review"])
    return {
        "name": case["name"],
        "review": case["review"],
        "ids": encoded.ids,
        "lengths": encoded.lengths,
    }


def aspects_case(case: dict[str, Any], vocabulary: Any) -> dict[str, Any]:
    """Return a case of aspects.json with the clauses that mention each aspect, as texts and as tokens."""
    from vocab import messages
    from vocab.aspects import clauses, name_mentions

    encoded = vocabulary.encode(case["review"])
    names, starts, ends = encoded.tokens

    def text(first: int, last: int) -> str:
        return str(encoded.text[starts[first] : ends[last - 1]])

    parts = [part for sentence in encoded.sentences for part in clauses(names, sentence.first, sentence.last)]
    mentions = name_mentions(encoded, messages.parse_aspects(case["aspects"]))
    return {
        "name": case["name"],
        "review": case["review"],
        "aspects": case["aspects"],
        "clauses": [text(*part) for part in parts],
        "mentions": {
            name: [
                {
                    "clause": text(mention.first, mention.last),
                    "term": text(mention.term_first, mention.term_last),
                    "tokens": list(mention[:4]),
                    "negated": mention.negated,
                }
                for mention in found
            ]
            for name, found in mentions.items()
            if found
        },
    }


def changed_ids(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the cases whose ids or lengths changed while text version and fingerprint did not."""
    if (old["text_version"], old["fingerprint"]) != (new["text_version"], new["fingerprint"]):
        return []
    before = {case["name"]: case for case in old["cases"]}
    return [
        case["name"]
        for case in new["cases"]
        if any(key in before[case["name"]] and before[case["name"]][key] != case[key] for key in COMPARED)
    ]


def dump(head: dict[str, Any], cases: list[dict[str, Any]]) -> str:
    """Return JSON with one field a line, in ASCII, for readable diffs."""
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    blocks = [
        "{" + ",\n ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in case.items()) + "}"
        for case in cases
    ]
    return "{" + "\n".join([*lines, '"cases": [\n' + ",\n".join(blocks) + "\n]}\n"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Rewrite the golden cases of texts, ids and aspects.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something differs")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from vocab.text import TEXT_VERSION
    from vocab.vocabulary import load

    vocabulary = load()
    text = json.loads((GOLDEN / "text.json").read_text(encoding="utf-8"))
    ids = json.loads((GOLDEN / "ids.json").read_text(encoding="utf-8"))
    aspects = json.loads((GOLDEN / "aspects.json").read_text(encoding="utf-8"))
    head = {"text_version": TEXT_VERSION, "fingerprint": vocabulary.fingerprint}
    new: dict[str, Any] = {**head, "cases": [ids_case(case, vocabulary) for case in ids["cases"]]}
    if changed := changed_ids(ids, new):
        sys.exit(
            f"rewrite_golden: ids or lengths of {', '.join(changed)} changed; raise TEXT_VERSION in"
            " vocab/text.py, run `python -m training.data.build_vocab`, train, then rewrite"
        )
    expected = {
        "text.json": dump({}, [text_case(case) for case in text["cases"]]),
        "ids.json": dump(head, new["cases"]),
        "aspects.json": dump({}, [aspects_case(case, vocabulary) for case in aspects["cases"]]),
    }
    differ = [name for name, content in expected.items() if (GOLDEN / name).read_bytes() != content.encode()]
    print("\n".join(f"tests/golden/{name} differs" for name in differ) or "nothing differs")
    if arguments.check:
        sys.exit(bool(differ))
    for name in differ:
        (GOLDEN / name).write_text(expected[name], encoding="utf-8")


if __name__ == "__main__":
    main()
