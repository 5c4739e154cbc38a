"""Measure the warnings: the share of other languages that they notice, and of English that they flag.

    python -m training.evaluation.language_warnings              # a table
    python -m training.evaluation.language_warnings --failures   # and the missed sentences of the open half

The sentences are the project's own (training/evaluation/cases/languages/README.md). The development reviews
must not be flagged. The warnings come from the function that serves them.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.data import dataset
from training.endpoint import inference
from training.evaluation.evaluate import publish
from vocab import messages, vocabulary
from vocab.vocabulary import Vocabulary

SENTENCES = Path(__file__).parent / "cases" / "languages" / "sentences.jsonl"
CODES = ("not_english", "no_known_words", "too_short", "truncated")
# Warnings of another language. A text without a known word gets only the second.
FOREIGN = frozenset({"not_english", "no_known_words"})
# Goals: the least share noticed of a language in Latin letters, the most of development reviews flagged.
LEAST_NOTICED, MOST_FLAGGED = 0.95, 0.005


def load_sentences() -> list[dict[str, str]]:
    """Load the sentences in other languages."""
    return [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]


def warning_codes(words: Vocabulary, review: str) -> frozenset[str]:
    """Return the codes of a review's warnings, none without a token."""
    encoded = words.encode(review)
    return frozenset(warning["code"] for warning in messages.warnings_of(encoded) if encoded.ids)


def languages(
    sentences: Sequence[dict[str, str]], codes: Sequence[frozenset[str]]
) -> dict[str, dict[str, Any]]:
    """Return, by language, the number of sentences and the shares noticed.

    ``not_english``: with that warning. ``noticed``: with that one or ``no_known_words``.
    """
    found: dict[str, list[frozenset[str]]] = defaultdict(list)
    scripts = {}
    for row, given in zip(sentences, codes, strict=True):
        found[row["language"]].append(given)
        scripts[row["language"]] = row["script"]
    return {
        language: {
            "script": scripts[language],
            "sentences": len(given),
            "not_english": sum("not_english" in one for one in given) / len(given),
            "noticed": sum(bool(one & FOREIGN) for one in given) / len(given),
        }
        for language, given in found.items()
    }


def summarize(by_language: dict[str, dict[str, Any]], of_reviews: Sequence[frozenset[str]]) -> dict[str, Any]:
    """Return the shares by language and by script, and the share of English reviews with each warning."""
    flagged = Counter(code for given in of_reviews for code in given)
    rows = by_language.values()
    total: dict[str, dict[str, Any]] = {}
    for script in sorted({row["script"] for row in rows}):
        of_script = [row for row in rows if row["script"] == script]
        count = sum(row["sentences"] for row in of_script)
        total[script] = {
            "languages": len(of_script),
            "sentences": count,
            **{
                key: sum(row[key] * row["sentences"] for row in of_script) / count
                for key in ("not_english", "noticed")
            },
        }
    return {
        "by_script": total,
        "by_language": by_language,
        "reviews": len(of_reviews),
        "flagged": {code: flagged[code] / len(of_reviews) for code in CODES},
    }


def shortcomings(found: dict[str, Any]) -> list[str]:
    """Return a sentence for each goal that is missed."""
    short = [
        f"of {language} only {100 * row['noticed']:.1f} % is noticed, {100 * LEAST_NOTICED:.0f} % is asked"
        for language, row in found["by_language"].items()
        if row["script"] == "latin" and row["noticed"] < LEAST_NOTICED
    ]
    flagged = sum(found["flagged"][code] for code in FOREIGN)
    if flagged > MOST_FLAGGED:
        short.append(
            f"{100 * flagged:.2f} % of the English reviews are flagged, {100 * MOST_FLAGGED:.1f} % may be"
        )
    return short


def table(found: dict[str, Any]) -> str:
    """Format the figures, languages in Latin letters first."""
    lines = [f"{'':18}sentences   noticed       by not_english alone"]

    def line(name: str, row: dict[str, Any]) -> str:
        noticed, named = (f"{100 * row[key]:.1f} %" for key in ("noticed", "not_english"))
        return f"{name:18}{row['sentences']:9}{noticed:>10}{named:>26}"

    for script, total in found["by_script"].items():
        lines += [line(name, row) for name, row in found["by_language"].items() if row["script"] == script]
        lines.append(line(f"all, {script} script", total))
    lines.append(f"of {found['reviews']:,} English development reviews get")
    lines += [f"  {code:16}{100 * share:8.2f} %" for code, share in found["flagged"].items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the warnings of other languages.")
    parser.add_argument("--model", type=Path, default=inference.MODEL_FOLDER, help="model folder")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    parser.add_argument("--failures", action="store_true", help="list the missed sentences of the open half")
    parser.add_argument("--publish", action="store_true", help="write the shares into the model's card")
    options = parser.parse_args()
    try:
        words = vocabulary.load()
        reviews = dataset.load(dataset.find_archive(options.archive)).development
        sentences = load_sentences()
        codes = [warning_codes(words, row["text"]) for row in sentences]
        progress = tqdm(reviews, desc="reading", unit=" reviews", disable=None)
        of_reviews = [warning_codes(words, review.text) for review in progress]
        found = summarize(languages(sentences, codes), of_reviews)
        if options.publish:
            publish(options.model, "warnings", found, "python -m training.evaluation.language_warnings")
    except OSError as error:
        sys.exit(f"warnings: {error.filename}: {error.strerror}")
    except (ValueError, dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"warnings: {error}")
    print(table(found))
    for sentence in shortcomings(found):
        print(f"falls short: {sentence}")
    if options.failures:
        for row, given in zip(sentences, codes, strict=True):
            if row["half"] == "open" and not given & FOREIGN:
                print(f"{row['language']}: {row['text']}")
        for review, given in zip(reviews, of_reviews, strict=True):
            if given & FOREIGN:
                print(f"{review.name}: {', '.join(sorted(given))}")


if __name__ == "__main__":
    main()
