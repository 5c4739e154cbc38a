"""Make more training examples than the labelled reviews give.

    python -m training.recipe.augment --sample 20      # print some lessons

Soft targets: unlabelled reviews and single sentences with the teachers' answers. Swapped reviews: polar
words become their opposites and the label flips (Kaushik et al., ICLR 2020, by rule instead of by
hand). Lessons: short texts filled from training/recipe/lessons/. They teach what "not", "hardly" or
"could have been" do to the words around them, and which sentences take no side. No text of a test or
development review, nor of the behaviour suite, takes part.
"""

import argparse
import io
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.data.corpus import Split, columns_of
from training.data.dataset import DataError
from vocab.files import write_atomic
from vocab.vocabulary import FIRST_KNOWN_ID, Vocabulary

FOLDER = Path(__file__).with_name("lessons")
# P(positive) by a lesson's label. A lesson is clear, so its target is nearer to 0 or 1 than a smoothed label.
LESSON_TARGETS = {"positive": 0.98, "negative": 0.02, "neutral": 0.5}
SIGNS = {"positive": "+", "negative": "-", "neutral": "0"}
# The share of lessons that are neutral, however many topics they have.
NEUTRAL_SHARE = 0.15
# The share of lessons with a second one beside them, if both agree; the share without a last full stop.
PAIRED, UNSTOPPED = 0.2, 0.15
# The shares of lessons with typing slips, without apostrophes ("dont"), with a word drawn out ("sooo"),
# and with capitals.
SLIPPED, UNQUOTED, STRETCHED, SHOUTED = 0.08, 0.04, 0.03, 0.03
# A slip falls on words of at least this many letters, never on one of these: they decide the label.
SLIP_LETTERS = 5
UNSLIPPED = frozenset(
    "never nothing nobody neither without hardly barely scarcely rarely seldom cannot unlike anything"
    " everything anyone everyone nowhere could would should might although though despite however better"
    " worse least enough fails failed lacks lacked".split()
)
NEIGHBOURS = {
    key: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, key in enumerate(row)
}
# Topics of which people type a sentence's first letter small.
AS_WRITTEN = frozenset(
    "slang slang_natural slang_plain slang_everyday typed_natural typos_plain format_plain".split()
)
STRETCHES = re.compile(r"\b(so|good|bad|great|love|boring|awful|amazing|wow|fun)\b", re.IGNORECASE)
# The share of swapped reviews that is cut to a window, and the window's length in sentences.
WINDOWED, WINDOW_SENTENCES = 0.7, 8
# With fewer swaps than this, or a smaller share of the words, the label would be doubtful.
MIN_SWAPS, MIN_SWAPPED_SHARE = 2, 0.03
NEGATORS = ("not", "n't", "no", "never", "nor", "without", "hardly")
SCOPE_TOKENS = 3


class Examples(NamedTuple):
    """Hold texts as ids, int32 (tokens,) each, and targets, float32 (texts,): P(positive).

    ``lengths``, int32 (sentences,) each, counts the tokens of each sentence of a text.
    """

    ids: list[np.ndarray]
    lengths: list[np.ndarray]
    targets: np.ndarray

    def __add__(self, other: "Examples") -> "Examples":  # type: ignore[override]
        return Examples(
            self.ids + other.ids,
            self.lengths + other.lengths,
            np.concatenate([self.targets, other.targets]),
        )


class SoftTargets(NamedTuple):
    """Hold the teachers' soft targets for unsup reviews, float32 (reviews,), and for single sentences.

    ``teachers`` has each kind's name, weight and accuracy on the development split.
    """

    unsup: np.ndarray
    sentences: Examples
    teachers: list[dict[str, Any]]


def whole(ids: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the lengths of texts that are one sentence each, int32 (1,), of ids (tokens,)."""
    return [np.array([len(text)], dtype=np.int32) for text in ids]


def smoothed(labels: np.ndarray, smoothing: float) -> np.ndarray:
    """Return targets, float32 (reviews,), for labels 0 or 1, moved towards 0.5 by half of ``smoothing``."""
    return (labels * (1 - smoothing) + 0.5 * smoothing).astype(np.float32)


def save_soft_targets(soft_targets: SoftTargets, path: Path) -> None:
    """Write soft targets for train.py, as float16: training/recipe/soft_targets.npz stores no more digits."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        teachers=json.dumps(soft_targets.teachers),
        unsup_targets=soft_targets.unsup.astype(np.float16),
        sentence_ids=np.concatenate(soft_targets.sentences.ids),
        sentence_lengths=np.array([len(ids) for ids in soft_targets.sentences.ids], dtype=np.int32),
        sentence_targets=soft_targets.sentences.targets.astype(np.float16),
    )
    write_atomic(path, buffer.getvalue())


def load_soft_targets(path: Path) -> SoftTargets:
    """Load a file that ``save_soft_targets`` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        lengths = arrays["sentence_lengths"]
        targets = arrays["sentence_targets"].astype(np.float32)
        ids = np.split(arrays["sentence_ids"], np.cumsum(lengths)[:-1])
        sentences = Examples(ids, list(lengths[:, None]), targets)
        unsup = arrays["unsup_targets"].astype(np.float32)
        return SoftTargets(unsup, sentences, json.loads(str(arrays["teachers"])))


# --- swapped reviews ----------------------------------------------------------------------------


class Swapper:
    """Turn a review's polar words into their opposites, at the level of ids."""

    def __init__(self, words: Vocabulary) -> None:
        self.opposites: dict[int, dict[int, list[int]]] = {0: defaultdict(list), 1: defaultdict(list)}
        for pair in _rows("antonyms.jsonl"):
            positive, negative = words.id_of(pair["positive"]), words.id_of(pair["negative"])
            if min(positive, negative) >= FIRST_KNOWN_ID and positive != negative:
                self.opposites[1][positive].append(negative)
                self.opposites[0][negative].append(positive)
        self.negators = {words.id_of(word) for word in NEGATORS}

    def swap(
        self, ids: np.ndarray, lengths: np.ndarray, label: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Return a window of the review as it is and swapped, and the lengths of its sentences.

        Return None when too little can be swapped. Only words that agree with the label are swapped,
        and none within a negation's scope.

        :param ids: int32 (tokens,)
        :param lengths: int32 (sentences,)
        :param label: 0 or 1
        """
        if rng.random() < WINDOWED:
            ids, lengths = _window(ids, lengths, rng)
        swapped, swaps = ids.copy(), 0
        for place, number in enumerate(ids):
            opposites = self.opposites[label].get(int(number))
            scope = ids[max(0, place - SCOPE_TOKENS) : place]
            if opposites and not self.negators.intersection(scope.tolist()):
                swapped[place] = opposites[rng.integers(len(opposites))]
                swaps += 1
        if swaps < max(MIN_SWAPS, MIN_SWAPPED_SHARE * len(ids)):
            return None
        return ids, swapped, lengths


def swapped_examples(reviews: Split, share: float, words: Vocabulary, seed: int) -> Examples:
    """Return a window of a share of the reviews, each as it is and swapped with the other label."""
    swapper, rng = Swapper(words), np.random.default_rng(seed)
    ids: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    targets: list[int] = []
    for review, sizes, label in zip(reviews.ids, reviews.lengths, reviews.labels, strict=True):
        pair = swapper.swap(review, sizes, int(label), rng) if rng.random() < share else None
        if pair:
            ids += pair[:2]
            lengths += [pair[2], pair[2]]
            targets += [int(label), 1 - int(label)]
    return Examples(ids, lengths, smoothed(np.array(targets), 0.05))


def _window(ids: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    first = int(rng.integers(max(1, len(lengths) - WINDOW_SENTENCES + 1)))
    chosen = lengths[first : first + WINDOW_SENTENCES]
    start = int(lengths[:first].sum())
    return ids[start : start + int(chosen.sum())], chosen


# --- lessons ------------------------------------------------------------------------------------

SLOT = re.compile(r"\{([^{}]*)\}")


class Frame(NamedTuple):
    """Hold a lesson with slots in braces; every filling has this label, a key of LESSON_TARGETS."""

    frame: str
    label: str
    topic: str


def load_lexicon() -> dict[str, list[str]]:
    """Load the entries that fill the slots, by slot name."""
    lexicon: dict[str, list[str]] = json.loads((FOLDER / "lexicon.json").read_text(encoding="utf-8"))
    return lexicon


def load_frames() -> list[Frame]:
    """Load the frames of all files: those of frames.jsonl, both of each pair, the neutral ones."""
    frames = [Frame(**row) for row in _rows("frames.jsonl")]
    for row in _rows("pairs.jsonl"):
        frames += [Frame(row[label], label, row["topic"]) for label in ("positive", "negative")]
    return frames + [Frame(**row) for row in _rows("neutral.jsonl")]


def _rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def slot_name(slot: str, lexicon: dict[str, list[str]]) -> str:
    """Return the lexicon's name of a slot: {pos_adj2} is a second draw from pos_adj."""
    return slot if slot in lexicon else re.sub(r"\d$", "", slot)


def fill(frame: Frame, lexicon: dict[str, list[str]], rng: random.Random) -> str:
    """Fill every slot, never the same entry twice for one name; mend a/an and capitals.

    An entry may hold slots itself; they are filled in the same way.
    """
    used: dict[str, set[str]] = defaultdict(set)

    def draw(match: re.Match[str]) -> str:
        name = slot_name(match[1], lexicon)
        entry = rng.choice([entry for entry in lexicon[name] if entry not in used[name]] or lexicon[name])
        used[name].add(entry)
        return SLOT.sub(draw, entry) if "{" in entry else entry

    text = re.sub(r"\b([Aa]) ([A-Za-z][\w-]*)", _article, SLOT.sub(draw, frame.frame))
    if frame.topic in AS_WRITTEN:
        return text
    return re.sub(r"(^|[.!?]\s+)([a-z])", lambda match: match[1] + match[2].upper(), text)


def lessons(seed: int, typing: bool = True, without: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield lessons and their labels, keys of LESSON_TARGETS, for ever.

    NEUTRAL_SHARE of them are neutral. A topic is drawn by the square root of the number of its frames,
    so that a large one comes more often, and each of its frames less often. Without ``typing`` the same
    lessons come without typing slips.

    :param without: a regular expression. Lessons are left out if it is found in their label and topic,
        for example in "neutral plot". Raises dataset.DataError when it leaves none with a side.
    """
    rng, slips, lexicon = random.Random(seed), random.Random(f"slips {seed}"), load_lexicon()
    known = _words_of(lexicon) if typing else frozenset()
    by_topic: dict[tuple[str, str], list[Frame]] = defaultdict(list)
    for frame in load_frames():
        if without is None or not re.search(without, f"{frame.label} {frame.topic}"):
            by_topic[frame.topic, frame.label].append(frame)
    neutral = sorted(kind for kind in by_topic if kind[1] == "neutral")
    sided = sorted(by_topic.keys() - set(neutral))
    if not sided:
        raise DataError(f"no lesson with a side is left without {without!r}")
    choices = [
        (kinds, list(accumulate(len(by_topic[kind]) ** 0.5 for kind in kinds))) for kinds in (neutral, sided)
    ]

    def draw() -> tuple[str, str]:
        kinds, sums = choices[rng.random() >= NEUTRAL_SHARE or not neutral]
        frame = rng.choice(by_topic[rng.choices(kinds, cum_weights=sums)[0]])
        return fill(frame, lexicon, rng), frame.label

    while True:
        text, label = draw()
        if rng.random() < PAIRED:
            second, other = draw()
            text = f"{text} {second}" if other == label else text
        text = text.rstrip(".") if rng.random() < UNSTOPPED else text
        yield (mistype(text, known, slips) if typing else text), label


def mistype(text: str, known: frozenset[str], rng: random.Random) -> str:
    """Write a share of the texts as people type: slips, no apostrophes, words drawn out or in capitals.

    A slip never makes one of the ``known`` words, so that no word turns into another.
    """
    if rng.random() < SLIPPED:
        text = slip(text, known, rng)
    if rng.random() < UNQUOTED:
        text = re.sub(r"(?<=[A-Za-z])['\u2019](?=[a-z])", "", text)
    if rng.random() < STRETCHED:
        text = STRETCHES.sub(lambda match: _stretch(match[0], rng), text, count=1)
    if rng.random() < SHOUTED:
        words = [match.span() for match in re.finditer(r"[A-Za-z']{3,}", text)]
        start, end = rng.choice([(0, len(text)), *words])
        text = text[:start] + text[start:end].upper() + text[end:]
    return text


def slip(text: str, known: frozenset[str], rng: random.Random) -> str:
    """Swap, drop, double or mistype a letter in one or two of the longer words, never the first letter."""
    words = [
        match
        for match in re.finditer(rf"(?<![\w'\u2019])[A-Za-z]{{{SLIP_LETTERS},}}(?![\w'\u2019])", text)
        if match[0].lower() not in UNSLIPPED
    ]
    drawn = rng.sample(words, min(len(words), rng.choice([1, 1, 2])))
    for match in sorted(drawn, key=lambda match: -match.start()):
        slipped = _slipped(match[0], rng)
        if slipped.lower() not in known:
            text = text[: match.start()] + slipped + text[match.end() :]
    return text


def lesson_examples(count: int, words: Vocabulary, seed: int, without: str | None = None) -> Examples:
    """Return ``count`` lessons as ids, with the targets of their labels.

    :param without: what ``lessons`` leaves out
    """
    texts, labels = zip(*islice(lessons(seed, without=without), count), strict=True)
    ids, lengths = zip(*(columns_of(words.encode(text)) for text in texts), strict=True)
    targets = np.array([LESSON_TARGETS[label] for label in labels], dtype=np.float32)
    return Examples(list(ids), list(lengths), targets)


def _words_of(lexicon: dict[str, list[str]]) -> frozenset[str]:
    texts = [entry for entries in lexicon.values() for entry in entries]
    texts += [frame.frame for frame in load_frames()]
    return frozenset(word for text in texts for word in re.findall("[a-z]+", text.lower()))


def _slipped(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    kind = rng.choice(["swap", "drop", "double", "neighbour"])
    if kind == "swap" and after:
        return before + after[0] + letter + after[1:]
    if kind == "drop":
        return before + after
    if kind == "neighbour" and letter in NEIGHBOURS:
        return before + rng.choice(NEIGHBOURS[letter]) + after
    return before + letter + letter + after


def _stretch(word: str, rng: random.Random) -> str:
    place = max(word.lower().rfind(vowel) for vowel in "ao") if word.lower() != "fun" else 1
    return word[:place] + word[place] * rng.randint(2, 4) + word[place:]


def _article(match: re.Match[str]) -> str:
    article, word = match.groups()
    low = word.lower()
    vowel = low[0] in "aeiou" and not re.match(r"(one|once|uni|use|euro)(?!nt|nv)", low)
    vowel = vowel or bool(re.match(r"un(im|in)|honest|hour|honou?r", low))
    return f"{article}n {word}" if vowel else f"{article} {word}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Print lessons.")
    parser.add_argument("--sample", type=int, default=20, help="number of lessons (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default 1)")
    options = parser.parse_args()
    for number, (text, label) in enumerate(lessons(options.seed)):
        if number >= options.sample:
            break
        print(SIGNS[label], text)


if __name__ == "__main__":
    main()
