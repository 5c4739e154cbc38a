"""Write all figures and the true answer of the curl example into README and docs.

    python -m tools.fill_docs

Fills each block wherever it stands (bench/pages.py), from the card, the model and published results. A block
without figures names the command that measures them. Writes docs/model-card.md too.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import pages, publish, published, tables
from bench.pages import not_measured, percent, table
from tools import model_card
from training.aws import images, prices
from training.aws.hosting import Plan
from training.aws.lambda_host import MEMORY_MB
from training.endpoint import inference
from training.evaluation import behaviour
from vocab import messages

ROOT = Path(__file__).resolve().parents[1]

PAGE = ROOT / "docs" / "model-card.md"
CURVE = ROOT / "training" / "adapt" / "curve.json"
SERVERS = ROOT / "training" / "aws" / "servers.json"
FUNCTION = ROOT / "training" / "aws" / "function.json"
FAULTS = ROOT / "tests" / "support" / "faults.json"
RIGHTS = ROOT / "tests" / "support" / "rights.json"
PAGE_NUMBERS = Path(__file__).with_name("page_numbers.json")
REVIEW = "The plot is thin and the jokes fall flat. Still, I loved the music!"
# The example of aspects; its answer is shown without what every answer has.
ASPECTS_REQUEST: dict[str, Any] = {
    "review": "The music is lovely, but the plot is dull.",
    "explain": "none",
    "aspects": {"music": ["music", "score"], "plot": ["plot", "story"], "acting": ["acting", "actor"]},
}
REQUEST_ID = "5f0c3f0e8c7d4c5f9a3be0f1d2a6b7c8"


def blocks(model: Path = inference.MODEL_FOLDER) -> dict[str, str]:
    """Return the text of each block by its name."""
    loaded = inference.model_fn(model)
    card = loaded.card
    parts = {"answer": _answer(loaded), "figures": figures(card), "stages": stages(card)}
    parts["aspects-answer"] = _aspects_answer(loaded)
    parts["servers"] = servers(json.loads(SERVERS.read_text(encoding="utf-8")))
    parts["rights"] = rights(json.loads(RIGHTS.read_text(encoding="utf-8")))
    parts["kinds"] = kinds(json.loads(SERVERS.read_text(encoding="utf-8")), _function())
    parts["curve"] = curve(CURVE)
    parts["faults"] = faults(FAULTS)
    parts["page-numbers"] = _page_numbers()
    benchmark = published.read()
    parts["results"] = results(card, benchmark)
    parts |= publish.blocks(benchmark, published.read(published.BESIDE))
    return parts | {
        name: format_block(card["metrics"][name]) if name in card["metrics"] else not_measured(command)
        for name, (format_block, command) in METRICS.items()
    }


def _page_numbers() -> str:
    """Return the table of the page's figures, or the command that measures them."""
    if not PAGE_NUMBERS.is_file():
        return not_measured("python -m tools.measure_page --publish")
    return page_numbers(json.loads(PAGE_NUMBERS.read_text(encoding="utf-8")))


def page_numbers(found: dict[str, Any]) -> str:
    """Return the table of what tools/measure_page.py measured."""
    return f"{table(['what', 'measured', 'aim'], found['rows'])}\nMeasured on: {found['machine']}."


def faults(path: Path) -> str:
    """Return the table of AWS's faults: which commands go on, and which stop with which sentence."""
    if not path.is_file():
        return not_measured("python -m tests.support.faults --write")
    by_fault: dict[str, list[dict[str, Any]]] = {}
    for row in json.loads(path.read_text(encoding="utf-8")):
        by_fault.setdefault(row["fault"], []).append(row)
    rows = []
    for fault, outcomes in by_fault.items():
        stopped = [row for row in outcomes if row["status"]]
        said = " ".join(stopped[0]["said"].replace("|", "/").split()) if stopped else ""
        rows.append(
            [
                fault,
                ", ".join(f"`{row['command']}`" for row in outcomes if not row["status"]),
                ", ".join(f"`{row['command']}`" for row in stopped),
                said,
            ]
        )
    return table(["fault", "go on", "stop", "the first of them says"], rows)


def _function() -> dict[str, Any] | None:
    """Return the measurement of the model's Lambda function, or None."""
    return dict(json.loads(FUNCTION.read_text(encoding="utf-8"))) if FUNCTION.is_file() else None


def _answer(loaded: inference.LoadedModel) -> str:
    encoded, scored = loaded.predict(REVIEW, "sentences")
    answer = messages.build_answer(encoded, scored, loaded.identity, REQUEST_ID)
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in answer.items()]
    return (
        "```console\n$ curl -s http://127.0.0.1:8000/v1/sentiment \\\n"
        "    -H 'Content-Type: application/json' \\\n"
        f"    -d '{json.dumps({'review': REVIEW})}'\n" + "{\n" + ",\n".join(lines) + "\n}\n```\n"
    )


def _aspects_answer(loaded: inference.LoadedModel) -> str:
    aspects = messages.parse_aspects(ASPECTS_REQUEST["aspects"])
    answer = loaded.answer(ASPECTS_REQUEST["review"], ASPECTS_REQUEST["explain"], aspects)
    lines = [f"    {json.dumps(name)}: {json.dumps(found)}" for name, found in answer["aspects"].items()]
    shown = [f"  {json.dumps(name)}: {json.dumps(answer[name])}" for name in ("sentiment", "text", "bias")]
    shown.insert(2, '  "aspects": {\n' + ",\n".join(lines) + "\n  }")
    return (
        "```console\n$ curl -s http://127.0.0.1:8000/v1/sentiment \\\n"
        "    -H 'Content-Type: application/json' \\\n"
        f"    -d '{json.dumps(ASPECTS_REQUEST)}'\n" + "{\n" + ",\n".join(shown) + "\n}\n```\n"
    )


def results(card: dict[str, Any], benchmark: dict[str, Any] | None) -> str:
    """Return README's short table: the model beside the usual choice, and the command of each row."""
    test, baselines = card["metrics"].get("test", {}), card["metrics"].get("peers", {})
    ours, other = (_baseline(baselines, name) for name in ("Verdict", "VADER"))
    ours = {key: test[key] for key in ("accuracy", "ece") if key in test} | ours
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
    if benchmark:
        rows += [[*row, "make bench"] for row in tables.pairs(benchmark, BENCH_ROWS)]
    table_rows = [[*cells, f"`{command}`"] for *cells, command in rows]
    return table(["", "Verdict", "compared with", "printed by"], table_rows)


def _baseline(baselines: dict[str, Any], name: str) -> dict[str, Any]:
    return next((row for row in baselines.get("rows", []) if row["name"] == name), {})


def _pair(ours: dict[str, Any], other: dict[str, Any], key: str, decimals: int) -> list[str]:
    return [percent(ours.get(key), decimals), f"{percent(other.get(key), decimals)} (VADER)"]


def _milliseconds(row: dict[str, Any]) -> str:
    median = row.get("ms_median")
    return "–" if median is None else f"{median:.2f} ms"


def figures(card: dict[str, Any]) -> str:
    """Return the table of both splits' figures, and the model's id and size."""
    rows = []
    for split in ("test", "development"):
        metrics = card["metrics"].get(split)
        if not metrics:
            rows.append(
                [
                    split,
                    f"not measured yet: `python -m training.evaluation.evaluate --split {split}`",
                    *[""] * 7,
                ]
            )
            continue
        worst = max((row["ece"] for row in metrics.get("by_length", [])), default=None)
        rows.append(
            [
                split,
                f"{metrics['reviews']:,}",
                percent(metrics["accuracy"], 2),
                percent(metrics["coverage"]),
                percent(metrics["accuracy_outright"], 2),
                percent(metrics.get("accuracy_of_surest_90"), 2),
                _with_chance(metrics),
                percent(worst, 2),
                percent(metrics.get("ece_positive"), 2),
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


def _with_chance(metrics: dict[str, Any]) -> str:
    """Return the calibration error, and that of as many perfectly calibrated answers."""
    chance = metrics.get("ece_by_chance")
    return percent(metrics["ece"], 2) + ("" if chance is None else f" (chance {percent(chance, 2)})")


def _sides(card: dict[str, Any]) -> str:
    """Return how often each verdict is right, since the two may differ."""
    metrics = card["metrics"].get("test", {})
    if metrics.get("accuracy_positive") is None or metrics.get("accuracy_negative") is None:
        return ""
    positive, negative = (percent(metrics[f"accuracy_{side}"], 2) for side in ("positive", "negative"))
    return f'\nOn the test split, "positive" is right for {positive}, "negative" for {negative}.\n'


def stages(card: dict[str, Any]) -> str:
    """Return the minutes of each stage of the recipe."""
    cost = card["training"].get("estimate")
    if not cost:
        return not_measured("make train-best")
    by_stage = ", ".join(f"{name} {minutes:.0f}" for name, minutes in cost["minutes"].items())
    return f"Minutes by stage: {by_stage}; together {cost['minutes_total']:.0f} ({cost['machine']}).\n"


def servers(measured: dict[str, Any]) -> str:
    """Return the start and the memory of the images' servers."""
    rows = [
        [
            f"`{image}`",
            ", ".join(f"`{place}`" for place in server["writes_to"]) or "nothing",
            f"{server['start_seconds']:.1f} s",
            f"{server['image_pauses_seconds']} s",
            f"{server['peak_pss_mb']:,} MB",
            f"{server['serverless_memory_mb']:,} MB",
        ]
        for image, server in measured["servers"].items()
    ]
    head = [
        "`IMAGE`",
        "its start needs, beyond `/tmp`",
        "first answer after",
        "pauses in the image's own start",
        "peak memory",
        "deployed with",
    ]
    return table(head, rows) + f"\nMedian of {measured['runs']} starts on {measured['machine']}.\n"


def kinds(servers: dict[str, Any], function: dict[str, Any] | None) -> str:
    """Return the three kinds of host beside each other: wait, speed, memory and cost."""
    server = servers["servers"][images.SERVING[0]]
    endpoint = Plan(memory_mb=server["serverless_memory_mb"], image=images.SERVING[0])
    plans = {"serverless": endpoint, "lambda": endpoint._replace(kind="lambda", memory_mb=MEMORY_MB)}
    plans["realtime"] = endpoint._replace(kind="realtime")
    warm = _warm(server)
    measured = {
        "serverless": (f"{server['start_seconds']:.1f} s", warm, f"{server['peak_pss_mb']:,} MB"),
        "lambda": ("–", "–", "–"),
        "realtime": ("never asleep", warm, f"{server['peak_pss_mb']:,} MB"),
    }
    if function:
        memory = f"{function['peak_pss_mb']:,} MB"
        measured["lambda"] = (f"{function['cold_seconds']:.1f} s", _warm(function), memory)
    rows = []
    for kind, plan in plans.items():
        host, most = prices.of_plan(plan, "none")[0], prices.most_a_month(plan) or 0.0
        idle = (host.idle_hour or 0.0) * prices.MONTH_HOURS
        money = [f"${host.million or 0:.2f}", f"${idle:,.0f}", f"${most:,.0f}"]
        rows.append([f"`{kind}`", *measured[kind], *money, CHOOSE[kind]])
    head = ["`ENDPOINT_KIND`", "first answer after sleep", "a later one", "peak memory", "a million reviews"]
    text = table([*head, "idle, a month", "at most, a month", "choose it"], rows)
    if not function:
        text += "\n" + not_measured("python -m tools.measure_function")
    return (
        text
        + "\nThe seconds are our own start. AWS's download of image and package comes on top."
        + f" The prices are of the model alone, from the lists of {prices.table()['date']}.\n"
    )


def _warm(measured: dict[str, Any]) -> str:
    return f"{measured['warm_ms']:.1f} ms" if "warm_ms" in measured else "–"


def rights(counted: list[dict[str, Any]]) -> str:
    """Return each role's rights, and how many of them what works by it used."""
    rows = [
        [f"`verdict-STAGE-{row['role']}`", WORKS[row["role"]], str(row["rights"]), str(row["used"])]
        for row in counted
    ]
    return table(["role", "works by it", "rights", "used"], rows)


def curve(results: Path) -> str:
    """Return the accuracy on another domain by method and number of labels."""
    if not results.is_file():
        return not_measured("python -m training.adapt.curve --publish")
    measured = json.loads(results.read_text(encoding="utf-8"))
    sizes = [row["labels"] for row in measured["ways"][0]["rows"]]
    rows = [
        [
            method["way"],
            *(f"{percent(row['accuracy'])} ± {100 * row['spread']:.1f}" for row in method["rows"]),
            percent(method["rows"][-1]["films"]),
            f"{method['rows'][-1]['seconds']:.1f} s",
            f"{method['peak_mb']:,} MB",
        ]
        for method in measured["ways"]
    ]
    head = ["", *(f"{size:,} labels" for size in sizes), "film reviews then", "fit", "memory"]
    splits, machine = measured["splits"], measured["machine"]
    sentences, films = measured["sentences"], measured["films"]
    return table(head, rows) + (
        f"\nAccuracy on sentences of product reviews, mean and standard deviation over {splits}"
        f" splits of {sentences:,} sentences by product. Film reviews: {films:,} of the"
        f" development split, after {sizes[-1]:,} labels; so are seconds and memory ({machine}).\n"
    )


def _app(metrics: dict[str, Any]) -> str:
    return (
        f"{metrics['reviews']} test reviews by HTTP: {100 * metrics['accuracy']:.1f} % right,"
        f" {metrics['errors']} errors, {metrics['p50_ms']:.1f} ms a review at the median and"
        f" {metrics['p95_ms']:.1f} ms at the 95th percentile ({metrics['machine']}).\n"
    )


def _speed(metrics: dict[str, Any]) -> str:
    return (
        f"A review of {metrics['tokens']} tokens takes {metrics['ms_median']:.2f} ms at the median and"
        f" {metrics['ms_p95']:.2f} ms at the 95th percentile, from its text to its explained answer;"
        f" the network alone takes {metrics['ms_median_network']:.2f} ms ({metrics['machine']}).\n"
    )


def _seeds(metrics: dict[str, Any]) -> str:
    numbers = metrics["seeds"]
    rows = [
        [
            SEED_FIGURES.get(name, name.replace("_", " ")),
            percent(spread["mean"], 2),
            f"{100 * spread['sd']:.2f}",
        ]
        + [percent(spread[end], 2) for end in ("min", "max")]
        for name, spread in metrics["spread"].items()
    ]
    head = [f"seeds {', '.join(map(str, numbers))}", "mean", "standard deviation", "least", "most"]
    return table(head, rows)


def _peers(metrics: dict[str, Any]) -> str:
    head = ["", "accuracy", "ECE", "contrast", "short cases", "single sentences", "ms a review", "MB"]
    rows = [_peer(row) for row in metrics["rows"]]
    where = (
        f"{metrics['split']} split, {metrics['machine']}"
        if "split" in metrics
        else metrics.get("machine", "")
    )
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
    rates = {name: rate for name, rate in metric.items() if isinstance(rate, dict) and "held" in rate}
    names = [name for name in rates if name not in ("overall", "single sentences", "sarcasm")]
    labels = {"overall": "short cases, all but sarcasm"}
    order = ["single sentences", "overall", *sorted(names), "sarcasm"]
    rows = [
        [
            labels.get(name, name.replace("_", " ")),
            *(percent(rates[name].get(half)) for half in ("held", "open")),
        ]
        for name in order
        if name in rates
    ]
    return table(["right", "of the half held back", "of the open half"], rows)


def _ablation(metrics: dict[str, Any]) -> str:
    names = {
        "network_accuracy": "development, network",
        "development_accuracy": "development, packaged",
        "sentences_held": "single sentences",
        "behaviour_held": "short cases",
        **{name: name for name in behaviour.TAUGHT},
    }
    rows = [
        [row["without"] or "(everything is there)", *(percent(row[key]) for key in names)]
        for row in metrics["rows"]
    ]
    head = ["without", *names.values()]
    return table(head, rows) + f"\nOne training each, seed {metrics['seed']}, epochs: {metrics['epochs']}.\n"


def _faithfulness(metrics: dict[str, Any]) -> str:
    rows = [
        [
            name,
            *(f"{100 * row[key]:.1f} ± {_error(row, key)}" for key in ("comprehensiveness", "sufficiency")),
        ]
        for name, row in metrics["words"].items()
    ]
    text = table(["words ranked by", "removed, it falls by", "kept alone, it falls by"], rows)
    text += f"\nPoints of P(verdict), mean and standard error over {metrics['reviews']} development reviews."
    if split := metrics.get("sentences"):
        text += (
            f" Without the strongest sentence it falls by {100 * split['without_the_strongest']:.1f},"
            f" without a random one by {100 * split['without_any_one']:.1f}."
        )
    return text + "\n"


def _error(row: dict[str, Any], key: str) -> str:
    error = row[f"{key}_standard_error"]
    return "?" if error is None else f"{100 * error:.1f}"


def _planted(metrics: dict[str, Any]) -> str:
    def cell(row: dict[str, float]) -> str:
        return f"{percent(row['share'])} ± {100 * row['standard_error']:.1f}"

    halves = [metrics[half] for half in ("held", "open")]
    rows = [
        ["planted sentences with their own sign", *(cell(half["planted"]) for half in halves)],
        ["agreeing sentences with their own sign", *(cell(half["agreeing"]) for half in halves)],
        *(
            [f"two planted, the verdict is {name}", *(cell(half["two_planted"][key]) for half in halves)]
            for key, name in (("minority", "theirs"), ("majority", "the others'"), ("uncertain", "uncertain"))
        ),
    ]
    return table(["", "half held back", "open half"], rows)


def _opinion(metrics: dict[str, Any]) -> str:
    rows = [
        [
            f"`{label}`",
            *(f"{100 * metrics['held'][label][key]:.0f} %" for key in ("precision", "recall")),
            *(f"{metrics[half][label]['f1']:.2f}" for half in ("held", "open")),
        ]
        for label in ("mixed", "no_opinion", "unclear")
    ]
    return table(["reason", "precision", "recall", "F1", "F1, open half"], rows)


def _aspects(metrics: dict[str, Any]) -> str:
    texts = {"film": "film reviews", "product": "product sentences"}
    readers = {
        "clause": "the aspect's verdict",
        "alone": "its clause alone",
        "whole": "the whole text's verdict",
        "vader": "VADER on the clause",
    }
    rows, gains = [], []
    for kind, name in texts.items():
        held, opened = metrics["held"][kind], metrics["open"][kind]
        for reader, title in readers.items():
            low, high = held[reader]["accuracy"]["interval"]
            rows.append(
                [
                    f"{held['opinions']} in {name}",
                    title,
                    f"{percent(held[reader]['accuracy']['share'])} ({100 * low:.1f} to {100 * high:.1f})",
                    percent(held["against"][reader]),
                    percent(held[reader]["three_way"]["share"]),
                    percent(held[reader].get("ece")),
                    percent(opened[reader]["accuracy"]["share"]),
                ]
            )
        gain = held["gain"]["whole"]
        low, high = gain["interval"]
        gains.append(
            f"{name} {100 * gain['share']:.1f} points (95 % interval {100 * low:.1f} to {100 * high:.1f})"
        )
    head = [
        "mentions held back",
        "judged by",
        "right",
        "against the text",
        "with none",
        "ECE",
        "right, open half",
    ]
    return f"{table(head, rows)}\nMore often right than the whole text's verdict: {', '.join(gains)}.\n"


def _warnings(metrics: dict[str, Any]) -> str:
    names = {"latin": "in Latin letters", "other": "in other scripts"}
    rows = []
    for script, total in metrics["by_script"].items():
        least = min(
            (
                (name, row["noticed"])
                for name, row in metrics["by_language"].items()
                if row["script"] == script
            ),
            key=lambda pair: pair[1],
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
        f"`{code}` {percent(metrics['flagged'][code], 2)}" for code in ("not_english", "no_known_words")
    )
    return table(head, rows) + f"\nOf {metrics['reviews']:,} English development reviews get {flagged}.\n"


# What works by each role.
WORKS = {
    "function": "the Lambda, with `FEEDBACK`",
    "endpoint": "the endpoint, with every image and both names",
    "sagemaker": "batches, trainings, the notebook",
    "adapt": "an adaptation, with its file's own key",
    "model": "the model's function, for `ENDPOINT_KIND=lambda`",
}
# When each kind of host is the one to choose.
CHOOSE = {
    "serverless": "to start with: SageMaker, and AWS limits its cost",
    "lambda": "where the first visitor should not wait",
    "realtime": "for steady load",
}
# Rows of README's table that `make bench` measures.
BENCH_ROWS = ("whole answer by HTTP", "a file of reviews, one process", "a million reviews")
SEED_FIGURES = {
    "development_accuracy": "accuracy, development",
    "development_ece": "ECE, development",
    "test_accuracy": "accuracy, test",
    "test_ece": "ECE, test",
    "behaviour_held": "short cases held back",
    "sentences_held": "single sentences held back",
    **{name: f"{name} held back" for name in behaviour.TAUGHT},
}
# By block, named as the card's metric: the function that lays it out, and the command that measures it.
METRICS: dict[str, tuple[Callable[[dict[str, Any]], str], str]] = {
    "speed": (_speed, "python -m training.evaluation.evaluate --speed"),
    "app": (_app, "python -m training.evaluation.evaluate_app"),
    "seeds": (_seeds, "python -m training.recipe.seeds"),
    "peers": (_peers, "python -m training.baselines.table"),
    "behaviour": (_behaviour, "python -m training.evaluation.behaviour"),
    "ablation": (_ablation, "python -m training.recipe.ablate"),
    "faithfulness": (_faithfulness, "python -m training.evaluation.faithfulness"),
    "planted": (_planted, "python -m training.evaluation.planted"),
    "opinion": (_opinion, "python -m training.evaluation.opinion"),
    "aspects": (_aspects, "python -m training.evaluation.aspects"),
    "warnings": (_warnings, "python -m training.evaluation.language_warnings"),
}


def main() -> None:
    parts = blocks()
    pages.write(parts)
    card = inference.model_fn(inference.MODEL_FOLDER).card
    PAGE.write_text(model_card.page(card, parts), encoding="utf-8")


if __name__ == "__main__":
    main()
