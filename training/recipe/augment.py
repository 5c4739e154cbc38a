"""What the network is taught with: labelled reviews, and, when a teacher is there, much more.

    python -m training.recipe.augment --sample 20      # print some lessons

Beside the labelled reviews: unlabelled reviews and single sentences with a teacher's soft targets;
reviews with their polar words swapped and their label flipped (Kaushik et al., ICLR 2020, by rule
instead of by hand); and lessons, short texts filled from training/recipe/lessons/, which teach what "not",
"hardly" or "could have been" do to the words around them. No text of a test or development
review, nor of the behaviour suite, takes part.
"""

import argparse
import io
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vocab.files import write_atomic
from vocab.vocabulary import FIRST_KNOWN_ID, Vocabulary

FOLDER = Path(__file__).with_name("lessons")
# A lesson is clear, so its target is nearer to 0 or 1 than a smoothed label's.
LESSON_TARGET = 0.98
# Two lessons that agree stand together as often as this; a last full stop is dropped as often as that.
PAIRED, UNSTOPPED = 0.2, 0.15
# This share of the lessons gets typing slips; so often an apostrophe is left out ("dont"), a word drawn
# out ("sooo"), or written in capitals.
SLIPPED, UNQUOTED, STRETCHED, SHOUTED = 0.08, 0.04, 0.03, 0.03
# A slip falls on words of so many letters, never on one of these: without them the label turns.
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
STRETCHES = re.compile(r"\b(so|good|bad|great|love|boring|awful|amazing|wow|fun)\b", re.IGNORECASE)
# Swapped reviews: this share is cut to a window of so many sentences.
WINDOWED, WINDOW_SENTENCES = 0.7, 8
# With fewer swaps than this, or a smaller share of the words, the label would be doubtful.
MIN_SWAPS, MIN_SWAPPED_SHARE = 2, 0.03
NEGATORS = ("not", "n't", "no", "never", "nor", "without", "hardly")
SCOPE_TOKENS = 3


class Examples(NamedTuple):
    """Texts as ids, int32 (tokens,) each, and targets, float32 (texts,): P(positive)."""

    ids: list[np.ndarray]
    targets: np.ndarray

    def __add__(self, other: "Examples") -> "Examples":  # type: ignore[override]
        return Examples(self.ids + other.ids, np.concatenate([self.targets, other.targets]))


class Taught(NamedTuple):
    """Teachers' soft targets: for unsup reviews, in their order, and for single sentences.

    ``teachers`` says of each kind what it is, how much it weighs, and how good it is alone.
    """

    unsup: np.ndarray
    sentences: Examples
    teachers: list[dict[str, Any]]


def smoothed(labels: np.ndarray, smoothing: float) -> np.ndarray:
    """Give targets for labels 0 or 1, moved towards 0.5 by half of ``smoothing``."""
    return (labels * (1 - smoothing) + 0.5 * smoothing).astype(np.float32)


def save_taught(taught: Taught, path: Path) -> None:
    """Write soft targets for train.py; float16 is what training/recipe/soft_targets.npz keeps, so no more is said."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        teachers=json.dumps(taught.teachers),
        unsup_targets=taught.unsup.astype(np.float16),
        sentence_ids=np.concatenate(taught.sentences.ids),
        sentence_lengths=np.array([len(one) for one in taught.sentences.ids], dtype=np.int32),
        sentence_targets=taught.sentences.targets.astype(np.float16),
    )
    write_atomic(path, buffer.getvalue())


def load_taught(path: Path) -> Taught:
    """Read what ``save_taught`` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        ends = np.cumsum(arrays["sentence_lengths"])[:-1]
        targets = arrays["sentence_targets"].astype(np.float32)
        sentences = Examples(np.split(arrays["sentence_ids"], ends), targets)
        unsup = arrays["unsup_targets"].astype(np.float32)
        return Taught(unsup, sentences, json.loads(str(arrays["teachers"])))


# --- swapped reviews ----------------------------------------------------------------------------


class Swapper:
    """Turn a review's polar words into their opposites, at the level of ids."""

    def __init__(self, words: Vocabulary) -> None:
        self.opposites: dict[int, dict[int, list[int]]] = {0: defaultdict(list), 1: defaultdict(list)}
        for line in (FOLDER / "antonyms.jsonl").read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            positive, negative = words.id_of(pair["positive"]), words.id_of(pair["negative"])
            if min(positive, negative) >= FIRST_KNOWN_ID and positive != negative:
                self.opposites[1][positive].append(negative)
                self.opposites[0][negative].append(positive)
        self.negators = {words.id_of(word) for word in NEGATORS}
        self.stops = {words.id_of(sign) for sign in ".!?"}

    def swap(
        self, ids: np.ndarray, label: int, chance: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Give a window of the review as it is and swapped, or None when too little can be swapped.

        Only words that agree with the label are swapped, and none within a negation's scope.
        """
        if chance.random() < WINDOWED:
            ids = self._window(ids, chance)
        swapped, swaps = ids.copy(), 0
        for place, number in enumerate(ids):
            opposites = self.opposites[label].get(int(number))
            scope = ids[max(0, place - SCOPE_TOKENS) : place]
            if opposites and not self.negators.intersection(scope.tolist()):
                swapped[place] = opposites[chance.integers(len(opposites))]
                swaps += 1
        if swaps < max(MIN_SWAPS, MIN_SWAPPED_SHARE * len(ids)):
            return None
        return ids, swapped

    def _window(self, ids: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        ends = [place + 1 for place, number in enumerate(ids) if int(number) in self.stops]
        ends = ends or [len(ids)]
        first = int(chance.integers(max(1, len(ends) - WINDOW_SENTENCES + 1)))
        last = min(first + WINDOW_SENTENCES, len(ends)) - 1
        return ids[ends[first - 1] if first else 0 : ends[last]]


def swapped_examples(
    reviews: Sequence[np.ndarray], labels: np.ndarray, share: float, words: Vocabulary, seed: int
) -> Examples:
    """Give, for a share of the reviews, a window as it is and the same swapped with the other label."""
    swapper, chance = Swapper(words), np.random.default_rng(seed)
    ids: list[np.ndarray] = []
    targets: list[int] = []
    for review, label in zip(reviews, labels, strict=True):
        pair = swapper.swap(review, int(label), chance) if chance.random() < share else None
        if pair:
            ids += pair
            targets += [int(label), 1 - int(label)]
    return Examples(ids, smoothed(np.array(targets), 0.05))


# --- lessons ------------------------------------------------------------------------------------

SLOT = re.compile(r"\{([^{}]*)\}")


class Frame(NamedTuple):
    """A lesson with slots in braces; every filling has this label."""

    frame: str
    label: str
    topic: str


def load_lexicon() -> dict[str, list[str]]:
    """Read what fills the slots."""
    return json.loads((FOLDER / "lexicon.json").read_text(encoding="utf-8"))


def load_frames() -> list[Frame]:
    """Read the frames."""
    lines = (FOLDER / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    return [Frame(**json.loads(line)) for line in lines]


def slot_name(slot: str, lexicon: dict[str, list[str]]) -> str:
    """Give the lexicon's name of a slot: {pos_adj2} is a second draw from pos_adj."""
    return slot if slot in lexicon else re.sub(r"\d$", "", slot)


def fill(frame: Frame, lexicon: dict[str, list[str]], chance: random.Random) -> str:
    """Fill every slot, never the same entry twice for one name; mend a/an and capitals.

    An entry may hold slots itself; they are filled in the same way.
    """
    used: dict[str, set[str]] = defaultdict(set)

    def draw(match: re.Match[str]) -> str:
        name = slot_name(match[1], lexicon)
        entry = chance.choice([one for one in lexicon[name] if one not in used[name]] or lexicon[name])
        used[name].add(entry)
        return SLOT.sub(draw, entry) if "{" in entry else entry

    text = re.sub(r"\b([Aa]) ([A-Za-z][\w-]*)", _article, SLOT.sub(draw, frame.frame))
    if frame.topic == "slang":  # slang stays in lower case
        return text
    return re.sub(r"(^|[.!?]\s+)([a-z])", lambda match: match[1] + match[2].upper(), text)


def lessons(seed: int, typing: bool = True) -> Iterator[tuple[str, int]]:
    """Yield lessons and their labels, 0 or 1, for ever; topics and labels come equally often.

    Without ``typing`` the same lessons come as they are written, with no typing slips.
    """
    chance, slips, lexicon = random.Random(seed), random.Random(f"slips {seed}"), load_lexicon()
    known = _words_of(lexicon) if typing else frozenset()
    by_topic: dict[tuple[str, str], list[Frame]] = defaultdict(list)
    for frame in load_frames():
        by_topic[frame.topic, frame.label].append(frame)
    kinds = sorted(by_topic)

    def one() -> tuple[str, int]:
        frame = chance.choice(by_topic[chance.choice(kinds)])
        return fill(frame, lexicon, chance), int(frame.label == "positive")

    while True:
        text, label = one()
        if chance.random() < PAIRED:
            second, agrees = one()
            text = f"{text} {second}" if agrees == label else text
        text = text.rstrip(".") if chance.random() < UNSTOPPED else text
        yield (mistype(text, known, slips) if typing else text), label


def mistype(text: str, known: frozenset[str], chance: random.Random) -> str:
    """Write a share of the texts as people type: slips, no apostrophes, words drawn out or in capitals.

    A slip never makes one of the ``known`` words, so that no word turns into another.
    """
    if chance.random() < SLIPPED:
        text = slip(text, known, chance)
    if chance.random() < UNQUOTED:
        text = re.sub(r"(?<=[A-Za-z])['\u2019](?=[a-z])", "", text)
    if chance.random() < STRETCHED:
        text = STRETCHES.sub(lambda match: _stretch(match[0], chance), text, count=1)
    if chance.random() < SHOUTED:
        words = [match.span() for match in re.finditer(r"[A-Za-z']{3,}", text)]
        start, end = chance.choice([(0, len(text)), *words])
        text = text[:start] + text[start:end].upper() + text[end:]
    return text


def slip(text: str, known: frozenset[str], chance: random.Random) -> str:
    """Swap, drop, double or mistype a letter in one or two of the longer words, never the first letter."""
    words = [
        match
        for match in re.finditer(rf"(?<![\w'\u2019])[A-Za-z]{{{SLIP_LETTERS},}}(?![\w'\u2019])", text)
        if match[0].lower() not in UNSLIPPED
    ]
    drawn = chance.sample(words, min(len(words), chance.choice([1, 1, 2])))
    for match in sorted(drawn, key=lambda match: -match.start()):
        slipped = _slipped(match[0], chance)
        if slipped.lower() not in known:
            text = text[: match.start()] + slipped + text[match.end() :]
    return text


def lesson_examples(count: int, words: Vocabulary, seed: int) -> Examples:
    """Give ``count`` lessons as ids."""
    ids, targets = [], []
    for text, label in lessons(seed):
        if len(ids) >= count:
            break
        ids.append(np.array(words.encode_ids(text), dtype=np.int32))
        targets.append(LESSON_TARGET if label else 1 - LESSON_TARGET)
    return Examples(ids, np.array(targets, dtype=np.float32))


def _words_of(lexicon: dict[str, list[str]]) -> frozenset[str]:
    texts = [entry for entries in lexicon.values() for entry in entries]
    texts += [frame.frame for frame in load_frames()]
    return frozenset(word for text in texts for word in re.findall("[a-z]+", text.lower()))


def _slipped(word: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(word))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    kind = chance.choice(["swap", "drop", "double", "neighbour"])
    if kind == "swap" and after:
        return before + after[0] + letter + after[1:]
    if kind == "drop":
        return before + after
    if kind == "neighbour" and letter in NEIGHBOURS:
        return before + chance.choice(NEIGHBOURS[letter]) + after
    return before + letter + letter + after


def _stretch(word: str, chance: random.Random) -> str:
    place = max(word.lower().rfind(vowel) for vowel in "ao") if word.lower() != "fun" else 1
    return word[:place] + word[place] * chance.randint(2, 4) + word[place:]


def _article(match: re.Match[str]) -> str:
    article, word = match.groups()
    low = word.lower()
    vowel = low[0] in "aeiou" and not re.match(r"(one|once|uni|use|euro)(?!nt|nv)", low)
    vowel = vowel or bool(re.match(r"un(im|in)|honest|hour|honou?r", low))
    return f"{article}n {word}" if vowel else f"{article} {word}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Print lessons.")
    parser.add_argument("--sample", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    options = parser.parse_args()
    for number, (text, label) in enumerate(lessons(options.seed)):
        if number >= options.sample:
            break
        print("+" if label else "-", text)


if __name__ == "__main__":
    main()
