"""Write the model's figures and the curl's true answer into README and docs/, and the model card's page.

    python -m tools.fill_docs

Replaces the text between ``<!-- NAME -->`` and ``<!-- /NAME -->``, from the card and the model. A block without
figures names the command that measures them. Writes docs/model-card.md too.
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench import tables
from tools import model_card
from training.endpoint import inference
from vocab import messages

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "model-card.md"
CURVE = ROOT / "training" / "adapt" / "curve.json"
SERVERS = ROOT / "training" / "aws" / "servers.json"
BENCH = ROOT / "bench" / "results.json"
# The last run that was published on another kind of processor.
BESIDE = BENCH.with_name("results-beside.json")
REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"
REQUEST_ID = "5f0c3f0e8c7d4c5f9a3be0f1d2a6b7c8"
# Each page and its blocks.
PAGES = {
    "README.md": ("answer", "results"),
    "docs/adapt.md": ("curve",),
    "docs/deploy.md": ("servers",),
    "docs/evaluation.md": (
        "figures",
        "stages",
        "seeds",
        "speed",
        "bench",
        "app",
        "peers",
        "behaviour",
        "ablation",
        "faithfulness",
        "warnings",
    ),
}


def blocks(model: Path = inference.MODEL_FOLDER) -> dict[str, str]:
    """Return the text of each block by its name."""
    loaded = inference.model_fn(model)
    card = loaded.card
    parts = {"answer": _answer(loaded), "figures": figures(card), "stages": stages(card)}
    parts["results"] = results(card, read_bench())
    parts["servers"] = servers(json.loads(SERVERS.read_text(encoding="utf-8")))
    parts["bench"] = bench(read_bench())
    parts["curve"] = curve(CURVE)
    return parts | {
        name: show(card["metrics"][name]) if name in card["metrics"] else not_yet(command)
        for name, (show, command) in SHOWN.items()
    }


def fill(page: str, parts: dict[str, str], name: str = "the page") -> str:
    """Return a page with each block's content replaced. Raises ValueError when a block is missing."""
    for block, content in parts.items():
        pattern = re.compile(rf"(<!-- {block} -->\n).*?(<!-- /{block} -->)", re.DOTALL)
        page, count = pattern.subn(lambda match, new=content: match[1] + new + match[2], page)
        if count != 1:
            raise ValueError(f"{name} needs one block {block!r}, has {count}")
    return page


def fill_page(name: str, parts: dict[str, str]) -> str:
    """Return one of PAGES with its blocks as they must be."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return fill(text, {block: parts[block] for block in PAGES[name]}, name)


def _answer(loaded: inference.LoadedModel) -> str:
    encoded, scored = loaded.predict(REVIEW)
    answer = messages.build_answer(encoded, scored, "sentences", loaded.identity, REQUEST_ID)
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in answer.items()]
    return (
        "```console\n$ curl -s http://127.0.0.1:8000/v1/sentiment \\\n"
        "    -H 'Content-Type: application/json' \\\n"
        f"    -d '{json.dumps({'review': REVIEW})}'\n" + "{\n" + ",\n".join(lines) + "\n}\n```\n"
    )


def results(card: dict[str, Any], published: dict[str, Any] | None) -> str:
    """Return README's short table: the model beside the usual choice, with the command that prints each row."""
    test, found = card["metrics"].get("test", {}), card["metrics"].get("peers", {})
    ours, other = (_baseline(found, name) for name in ("Verdict", "VADER"))
    compared = "python -m training.baselines.table"
    rows = [
        ["accuracy on 25,000 test reviews", *_pair(ours, other, "accuracy", 2), "make evaluate"],
        ["answers positive or negative for", percent(test.get("coverage")), "–", "make evaluate"],
        ["and is then right for", percent(test.get("accuracy_outright"), 2), "–", "make evaluate"],
        ["calibration error (ECE)", *_pair(ours, other, "ece", 2), compared],
        ["single sentences", *_pair(ours, other, "sentences", 1), compared],
        ["short cases", *_pair(ours, other, "behaviour", 1), compared],
        ["a review, one core", _milliseconds(ours), f"{_milliseconds(other)} (VADER)", compared],
    ]
    if published:
        rows += [[*row, "make bench"] for row in tables.pairs(published, RESULTS)]
    table_rows = [[*cells, f"`{command}`"] for *cells, command in rows]
    return table(["", "Verdict", "compared with", "printed by"], table_rows)


def _baseline(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next((row for row in found.get("rows", []) if row["name"] == name), {})


def _pair(ours: dict[str, Any], other: dict[str, Any], key: str, decimals: int) -> list[str]:
    return [percent(ours.get(key), decimals), f"{percent(other.get(key), decimals)} (VADER)"]


def _milliseconds(row: dict[str, Any]) -> str:
    return f"{row['ms_median']:.2f} ms" if "ms_median" in row else "–"


def figures(card: dict[str, Any]) -> str:
    """Give the table of both splits' figures, and the model's name and size."""
    rows = []
    for split in ("test", "development"):
        found = card["metrics"].get(split)
        if not found:
            rows.append(
                [
                    split,
                    f"not measured yet: `python -m training.evaluation.evaluate --split {split}`",
                    *[""] * 7,
                ]
            )
            continue
        worst = max((row["ece"] for row in found.get("by_length", [])), default=None)
        rows.append(
            [
                split,
                f"{found['reviews']:,}",
                percent(found["accuracy"], 2),
                percent(found["coverage"]),
                percent(found["accuracy_outright"], 2),
                percent(found.get("accuracy_of_surest_90"), 2),
                _with_chance(found),
                percent(worst, 2),
                percent(found.get("ece_positive"), 2),
            ]
        )
    head = [
        "split",
        "reviews",
        "accuracy",
        "says positive or negative for",
        "and is then right for",
        "surest 90 % right for",
        "ECE",
        "ECE, worst quarter by length",
        "ECE of P(positive)",
    ]
    return table(head, rows) + _sides(card) + f"\nModel `{card['id']}`, {card['onnx_bytes'] / 1e6:.1f} MB.\n"


def _with_chance(found: dict[str, Any]) -> str:
    """Give the calibration error, and the one that so many perfectly calibrated answers would show."""
    chance = found.get("ece_by_chance")
    return percent(found["ece"], 2) + ("" if chance is None else f" (chance {percent(chance, 2)})")


def _sides(card: dict[str, Any]) -> str:
    """Say how often each verdict is right, since the two may differ."""
    found = card["metrics"].get("test", {})
    if found.get("accuracy_positive") is None or found.get("accuracy_negative") is None:
        return ""
    positive, negative = (percent(found[f"accuracy_{side}"], 2) for side in ("positive", "negative"))
    return f'\nOn the test split, "positive" is right for {positive}, "negative" for {negative}.\n'


def stages(card: dict[str, Any]) -> str:
    """Give what each stage of the recipe took."""
    cost = card["training"].get("estimate")
    if not cost:
        return not_yet("make train-best")
    each = ", ".join(f"{name} {minutes:.0f}" for name, minutes in cost["minutes"].items())
    return f"Minutes by stage: {each}; together {cost['minutes_total']:.0f} ({cost['machine']}).\n"


def servers(measured: dict[str, Any]) -> str:
    """Give the start and the memory of the images' servers."""
    rows = [
        [
            f"`{image}`",
            f"{found['install_seconds'] + found['start_seconds']:.1f} s",
            f"{found['image_pauses_seconds']} s",
            f"{found['peak_pss_mb']:,} MB",
            f"{found['serverless_memory_mb']:,} MB",
        ]
        for image, found in measured["servers"].items()
    ]
    head = [
        "`IMAGE`",
        "first answer after",
        "pauses in the image's own start",
        "peak memory",
        "deployed with",
    ]
    return table(head, rows) + f"\nMedian of {measured['runs']} starts on {measured['machine']}.\n"


def read_bench(path: Path = BENCH) -> dict[str, Any] | None:
    """Give the published benchmark's results, or None where there are none yet."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def bench(results: dict[str, Any] | None) -> str:
    """Give what the published benchmark says, ours beside what one would pick instead."""
    if results is None:
        return not_yet("make bench FLAGS=--publish")
    return f"{tables.summary(results)}\n{tables.machine_line(results)}"


def curve(results: Path) -> str:
    """Give what labels of another domain bring, by way and number of labels."""
    if not results.is_file():
        return not_yet("python -m training.adapt.curve --publish")
    found = json.loads(results.read_text(encoding="utf-8"))
    sizes = [row["labels"] for row in found["ways"][0]["rows"]]
    rows = [
        [
            one["way"],
            *(f"{percent(row['accuracy'])} ± {100 * row['spread']:.1f}" for row in one["rows"]),
            percent(one["rows"][-1]["films"]),
            f"{one['rows'][-1]['seconds']:.1f} s",
            f"{one['peak_mb']:,} MB",
        ]
        for one in found["ways"]
    ]
    head = ["", *(f"{size:,} labels" for size in sizes), "film reviews then", "fit", "memory"]
    return table(head, rows) + (
        f"\nAccuracy on sentences of product reviews, mean and standard deviation over {found['splits']}"
        f" splits of {found['sentences']:,} sentences by product. Film reviews: {found['films']:,} of the"
        f" development split, after {sizes[-1]:,} labels; so are seconds and memory ({found['machine']}).\n"
    )


def not_yet(command: str) -> str:
    """Say that something is not measured, and what measures it."""
    return f"Not measured yet: `{command}`.\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Give a Markdown table."""
    head = list(head)
    lines = [f"| {' | '.join(cells)} |\n" for cells in (head, *rows)]
    return "".join([lines[0], f"|{'---|' * len(head)}\n", *lines[1:]])


def percent(share: float | None, decimals: int = 1) -> str:
    """Give a share of 0..1 in percent; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{decimals}f} %"


def _app(found: dict[str, Any]) -> str:
    return (
        f"{found['reviews']} test reviews by HTTP: {100 * found['accuracy']:.1f} % right,"
        f" {found['errors']} errors, {found['p50_ms']:.1f} ms a review at the median and"
        f" {found['p95_ms']:.1f} ms at the 95th percentile ({found['machine']}).\n"
    )


def _speed(found: dict[str, Any]) -> str:
    return (
        f"A review of {found['tokens']} tokens takes {found['ms_median']:.2f} ms at the median and"
        f" {found['ms_p95']:.2f} ms at the 95th percentile, from its text to its explained answer;"
        f" the network alone takes {found['ms_median_network']:.2f} ms ({found['machine']}).\n"
    )


def _seeds(found: dict[str, Any]) -> str:
    numbers = found["seeds"]
    rows = [
        [SEED_FIGURES.get(name, name.replace("_", " ")), percent(one["mean"], 2), f"{100 * one['sd']:.2f}"]
        + [percent(one[end], 2) for end in ("min", "max")]
        for name, one in found["spread"].items()
    ]
    head = [f"seeds {', '.join(map(str, numbers))}", "mean", "standard deviation", "least", "most"]
    return table(head, rows)


def _peers(found: dict[str, Any]) -> str:
    head = ["", "accuracy", "ECE", "contrast", "short cases", "single sentences", "ms a review", "MB"]
    rows = [_peer(row) for row in found["rows"]]
    where = f"{found['split']} split, {found['machine']}" if "split" in found else found.get("machine", "")
    return table(head, rows) + (f"\nMeasured on: {where}.\n" if where else "")


def _peer(row: dict[str, Any]) -> list[str]:
    shares = [("accuracy", 2), ("ece", 2), ("contrast", 1), ("behaviour", 1), ("sentences", 1)]
    numbers = [("ms_median", 2), ("mb", 1)]
    return [
        row["name"],
        *(percent(row.get(key), decimals) for key, decimals in shares),
        *("–" if row.get(key) is None else f"{row[key]:.{decimals}f}" for key, decimals in numbers),
    ]


def _behaviour(metric: dict[str, Any]) -> str:
    found = {name: rate for name, rate in metric.items() if isinstance(rate, dict) and "held" in rate}
    names = [name for name in found if name not in ("overall", "single sentences", "sarcasm")]
    shown = {"overall": "short cases, all but sarcasm"}
    order = ["single sentences", "overall", *sorted(names), "sarcasm"]
    rows = [
        [
            shown.get(name, name.replace("_", " ")),
            *(percent(found[name].get(half)) for half in ("held", "open")),
        ]
        for name in order
        if name in found
    ]
    return table(["right", "of the half held back", "of the open half"], rows)


def _ablation(found: dict[str, Any]) -> str:
    keys = ("development_accuracy", "behaviour_held", "sentences_held")
    rows = [
        [row["without"] or "(everything is there)", *(percent(row[key]) for key in keys)]
        for row in found["rows"]
    ]
    head = ["without", "development", "short cases held back", "single sentences held back"]
    return table(head, rows) + f"\nOne training each, seed {found['seed']}, epochs: {found['epochs']}.\n"


def _faithfulness(found: dict[str, Any]) -> str:
    rows = [
        [
            name,
            *(f"{100 * row[key]:.1f} ± {_error(row, key)}" for key in ("comprehensiveness", "sufficiency")),
        ]
        for name, row in found["words"].items()
    ]
    said = table(["words ranked by", "removed, it falls by", "kept alone, it falls by"], rows)
    said += f"\nPoints of P(verdict), mean and standard error over {found['reviews']} development reviews."
    if split := found.get("sentences"):
        said += (
            f" Without the sentence said to pull most it falls by {100 * split['without_the_strongest']:.1f},"
            f" without one taken at random by {100 * split['without_any_one']:.1f}."
        )
    return said + "\n"


def _error(row: dict[str, Any], key: str) -> str:
    error = row[f"{key}_standard_error"]
    return "?" if error is None else f"{100 * error:.1f}"


def _warnings(found: dict[str, Any]) -> str:
    names = {"latin": "in Latin letters", "other": "in other scripts"}
    rows = []
    for script, total in found["by_script"].items():
        least = min(
            ((name, row["noticed"]) for name, row in found["by_language"].items() if row["script"] == script),
            key=lambda one: one[1],
        )
        rows.append(
            [
                f"{total['languages']} {names.get(script, script)}",
                f"{total['sentences']:,}",
                percent(total["noticed"]),
                f"{least[0]}, {percent(least[1])}",
                percent(total["not_english"]),
            ]
        )
    head = ["languages", "sentences", "noticed", "least", "by `not_english` itself"]
    flagged = ", ".join(
        f"`{code}` {percent(found['flagged'][code], 2)}" for code in ("not_english", "no_known_words")
    )
    return table(head, rows) + f"\nOf {found['reviews']:,} English development reviews get {flagged}.\n"


# Rows of README's table that `make bench` measures.
RESULTS = ("whole answer by HTTP", "a file of reviews, one process", "a million reviews")
SEED_FIGURES = {
    "development_accuracy": "accuracy, development",
    "development_ece": "ECE, development",
    "test_accuracy": "accuracy, test",
    "test_ece": "ECE, test",
    "behaviour_held": "short cases held back",
    "sentences_held": "single sentences held back",
}
# A block's name, which is the metric's in the card: what shows it, and what measures it.
SHOWN: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "speed": (_speed, "python -m training.evaluation.evaluate --speed"),
    "app": (_app, "python -m training.evaluation.evaluate_app"),
    "seeds": (_seeds, "python -m training.recipe.seeds"),
    "peers": (_peers, "python -m training.baselines.table"),
    "behaviour": (_behaviour, "python -m training.evaluation.behaviour"),
    "ablation": (_ablation, "python -m training.recipe.ablate"),
    "faithfulness": (_faithfulness, "python -m training.evaluation.faithfulness"),
    "warnings": (_warnings, "python -m training.evaluation.language_warnings"),
}


def main() -> None:
    parts = blocks()
    for name in PAGES:
        (ROOT / name).write_text(fill_page(name, parts), encoding="utf-8")
    card = inference.model_fn(inference.MODEL_FOLDER).card
    PAGE.write_text(model_card.page(card, parts), encoding="utf-8")


if __name__ == "__main__":
    main()
