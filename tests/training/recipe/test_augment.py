"""Examples beside labelled reviews: lessons from frames, swapped reviews, the teachers' soft targets."""

import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import tiny_corpus
from training.data.corpus import Corpus, Split, columns_of
from training.data.dataset import DataError, fold
from training.evaluation import behaviour, opinion
from training.recipe import augment, train
from training.recipe.augment import Examples, Frame, Swapper
from vocab import vocabulary
from vocab.vocabulary import FIRST_KNOWN_ID, Vocabulary

ROOT = Path(__file__).resolve().parents[3]
Lessons = list[tuple[str, str]]
Lexicon = dict[str, list[str]]
# Words that turn a verdict around, or that go with one: none may give the label away by itself.
OPERATORS = frozenset(
    "not n't never no nothing nobody none without hardly barely but although despite however yet could"
    " would should wanted expected wish hate love like too enough only far anything everyone recommend"
    " again watch better worse regret say miss".split()
)


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary.load()


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return augment.load_frames()


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return augment.load_lexicon()


@pytest.fixture(scope="module")
def drawn() -> Lessons:
    """Return the first lessons of seed 1 with typing slips."""
    return list(islice(augment.lessons(1), 20_000))


@pytest.fixture(scope="module")
def untyped() -> Lessons:
    """Return the same lessons without typing slips."""
    return list(islice(augment.lessons(1, typing=False), 20_000))


@pytest.fixture(scope="module")
def exam() -> dict[str, str]:
    """Return the texts of both exams, folded, with the case of each; signs alone are left out.

    The opinion cases that are cut from reviews are left out too: they need the archive.
    """
    texts = {fold(case[key]): case["id"] for case in behaviour.load_cases() for key in case_texts(case)}
    lines = (opinion.FOLDER / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    rows = enumerate(map(json.loads, lines), 1)
    texts |= {fold(row["text"]): f"opinion, line {number}" for number, row in rows if "text" in row}
    return {text: number for text, number in texts.items() if text}


def case_texts(case: dict) -> list[str]:
    return [key for key in ("review", "other") if key in case]


def ids_of(words: Vocabulary, text: str) -> np.ndarray:
    return np.array(words.encode_ids(text), dtype=np.int32)


# --- the lesson files ---------------------------------------------------------------------------


def test_frames_have_three_labels_and_a_topic(frames: list[Frame]) -> None:
    assert len(frames) > 70_000
    assert {frame.label for frame in frames} == set(augment.LESSON_TARGETS) == set(augment.SIGNS)
    assert len({frame.topic for frame in frames if frame.label != "neutral"}) == 135


def test_neutral_frames_have_topics_of_their_own(frames: list[Frame]) -> None:
    neutral = Counter(frame.topic for frame in frames if frame.label == "neutral")
    assert set(neutral) == {"facts", "plot", "watching", "lukewarm", "questions", "balance"}
    assert min(neutral.values()) >= 30
    assert not set(neutral) & {frame.topic for frame in frames if frame.label != "neutral"}


def test_words_of_praise_and_of_complaint_are_as_frequent_in_neutral_lessons(
    drawn: Lessons, lexicon: Lexicon
) -> None:
    good, bad = (set(lexicon[f"strong_{side}_adj"] + lexicon[f"{side}_adj"]) for side in ("pos", "neg"))
    tokens = [
        word
        for text, label in drawn
        if label == "neutral"
        for word in re.findall(r"[a-z]+(?:-[a-z]+)*", text.lower())
    ]
    praise, complaint = (sum(word in side for word in tokens) for side in (good, bad))
    assert praise + complaint > 1000
    assert 0.4 <= praise / (praise + complaint) <= 0.6


def test_no_frame_stands_twice_or_under_two_labels(frames: list[Frame]) -> None:
    twice = [frame for frame, count in Counter(frame.frame for frame in frames).items() if count > 1]
    assert twice == []


def test_topics_have_about_as_many_frames_of_each_label(frames: list[Frame]) -> None:
    counts = Counter((frame.topic, frame.label) for frame in frames)
    for topic in {frame.topic for frame in frames if frame.label != "neutral"}:
        positive, negative = counts[topic, "positive"], counts[topic, "negative"]
        assert min(positive, negative) >= 30, topic
        assert 0.45 <= positive / (positive + negative) <= 0.55, topic


def test_every_slot_stands_in_the_lexicon_and_every_entry_s_slot_in_a_frame(
    frames: list[Frame], lexicon: Lexicon
) -> None:
    slots: set[str] = set()
    texts = [frame.frame for frame in frames]
    while texts:
        new = {augment.slot_name(slot, lexicon) for text in texts for slot in slots_in(text)} - slots
        slots |= new
        texts = [entry for slot in new for entry in lexicon[slot]]
    assert slots == set(lexicon)


def slots_in(text: str) -> list[str]:
    return augment.SLOT.findall(text)


def test_no_entry_holds_itself(lexicon: Lexicon) -> None:
    def depth(text: str, above: tuple[str, ...] = ()) -> int:
        names = {augment.slot_name(slot, lexicon) for slot in slots_in(text)}
        assert not names & set(above), (text, above)
        below = [depth(entry, (*above, name)) for name in names for entry in lexicon[name] if "{" in entry]
        return 1 + max(below, default=0)

    for entry in {entry for entries in lexicon.values() for entry in entries if "{" in entry}:
        assert depth(entry) <= 3, entry


def test_the_lexicon_holds_distinct_plain_entries(lexicon: Lexicon) -> None:
    for slot, entries in lexicon.items():
        assert len(set(entries)) == len(entries) > 1, slot
        assert all(entry.strip() == entry and entry for entry in entries), slot
        assert not re.search(r"[{}\[\]|]", augment.SLOT.sub("", "".join(entries))), slot


def test_every_frame_fills_without_a_brace_left_and_has_ids(
    frames: list[Frame], lexicon: Lexicon, words: Vocabulary
) -> None:
    rng = random.Random(5)
    for frame in frames:
        for _ in range(3 if "{" in frame.frame else 1):
            text = augment.fill(frame, lexicon, rng)
            assert not re.search(r"[{}\[\]|]|  ", text), (frame, text)
            assert words.encode_ids(text), frame


def test_no_operator_word_gives_the_label_away(frames: list[Frame]) -> None:
    tally: Counter[tuple[str, str]] = Counter()
    for frame in frames:
        tally.update((word, frame.label) for word in operators_in(frame.frame))
    for word in OPERATORS:
        positive, negative = tally[word, "positive"], tally[word, "negative"]
        assert positive + negative >= 5, word
        assert 0.4 <= positive / (positive + negative) <= 0.6, (word, positive, negative)


def operators_in(frame: str) -> set[str]:
    """Return the operator words of a frame's own text: whole words, "n't" cut off, "cannot" as "not"."""
    text = augment.SLOT.sub(" ", frame).lower().replace("\u2019", "'")
    operators = set(re.findall(r"[a-z]+(?!'t)", re.sub(r"n't\b", " ", text)))
    if "n't" in text:
        operators.add("n't")
    if "cannot" in operators:
        operators.add("not")
    return operators & OPERATORS


def test_antonyms_are_single_lower_case_words_never_on_both_sides() -> None:
    lines = (augment.FOLDER / "antonyms.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [(pair["positive"], pair["negative"]) for pair in map(json.loads, lines)]
    assert len(set(pairs)) == len(pairs) > 400
    assert all(re.fullmatch(r"[^\W\d_]+(-[^\W\d_]+)*", word) for pair in pairs for word in pair)
    assert all(word == word.lower() for pair in pairs for word in pair)
    assert not {positive for positive, _ in pairs} & {negative for _, negative in pairs}


def test_antonyms_stay_on_one_side_as_ids_and_nearly_all_are_known(words: Vocabulary) -> None:
    opposites = Swapper(words).opposites
    assert not opposites[0].keys() & opposites[1].keys()
    assert sum(map(len, opposites[1].values())) == sum(map(len, opposites[0].values())) > 400
    assert all(words.id_of(word) >= FIRST_KNOWN_ID for word in augment.NEGATORS)


# --- no text of the exam ------------------------------------------------------------------------


def test_no_frame_without_a_slot_is_a_case_of_the_exam(frames: list[Frame], exam: dict[str, str]) -> None:
    plain = [frame.frame for frame in frames if "{" not in frame.frame]
    assert len(plain) > 100
    assert {text: exam[fold(text)] for text in plain if fold(text) in exam} == {}


def test_no_frame_can_be_filled_to_a_case_of_the_exam(
    frames: list[Frame], lexicon: Lexicon, exam: dict[str, str]
) -> None:
    cases = {}
    for frame in [frame for frame in frames if "{" in frame.frame]:
        parts = literals_of(frame.frame)
        near = [text for text in exam if all(part in text for part in parts)]
        if near:
            fillings = re.compile(pattern_of(frame.frame, lexicon))
            cases.update({exam[text]: frame.frame for text in near if fillings.fullmatch(text)})
    assert cases == {}


def literals_of(frame: str) -> list[str]:
    """Return what every filling of a frame holds, folded: the parts between its slots and articles."""
    parts = augment.SLOT.sub("|", frame).split("|")
    return [piece.strip() for part in parts for piece in re.split(r"\ban?\b", fold(part))]


def pattern_of(frame: str, lexicon: Lexicon) -> str:
    """Return a pattern of all that a frame, or an entry of the lexicon, can be filled to, folded."""
    slots: list[str] = []

    def keep(match: re.Match[str]) -> str:
        entries = lexicon[augment.slot_name(match[1], lexicon)]
        slots.append("|".join(dict.fromkeys(pattern_of(entry, lexicon) for entry in entries)))
        return f" slot{len(slots) - 1}slot "

    folded = re.sub(r"\ban?\b", "an?", fold(augment.SLOT.sub(keep, frame)))
    return re.sub(r"slot(\d+)slot", lambda match: f"(?:{slots[int(match[1])]})", folded)


def test_the_pattern_of_a_frame_fits_what_it_fills_to(frames: list[Frame], lexicon: Lexicon) -> None:
    rng = random.Random(7)
    for frame in frames[::60]:
        text = augment.fill(frame, lexicon, rng)
        assert all(part in fold(text) for part in literals_of(frame.frame)), (frame, text)
        assert re.fullmatch(pattern_of(frame.frame, lexicon), fold(text)), (frame, text)


def test_no_drawn_lesson_is_a_case_of_the_exam(
    drawn: Lessons, untyped: Lessons, exam: dict[str, str]
) -> None:
    assert {text: exam[fold(text)] for text, _ in drawn if fold(text) in exam} == {}
    signs = {case[key].strip() for case in behaviour.load_cases() for key in case_texts(case)}
    assert not signs & {text.strip() for text, _ in [*drawn, *untyped]}


def test_no_misspelling_of_the_exam_stands_in_the_slots_of_misspellings(
    lexicon: Lexicon, frames: list[Frame]
) -> None:
    misspelled = [slot for slot in lexicon if re.search("typo|_mis_", slot)]
    slots = words_in(entry for slot in misspelled for entry in lexicon[slot])
    spelled = words_in(entry for slot in lexicon.keys() - set(misspelled) for entry in lexicon[slot])
    spelled |= words_in(frame.frame for frame in frames if not frame.topic.startswith("typos"))
    slips = slips_of_the_exam()
    assert len(misspelled) > 10 and len(slips - spelled) > 20
    assert slots & (slips - spelled) == set()


def test_no_misspelling_of_the_exam_stands_in_a_pair(frames: list[Frame], lexicon: Lexicon) -> None:
    pairs = load_pairs()
    written = words_in(pair[label] for pair in pairs for label in ("positive", "negative"))
    topics = {pair["topic"] for pair in pairs}
    spelled = words_in(frame.frame for frame in frames if frame.topic not in topics)
    spelled |= words_in(
        entry for slot in lexicon if not re.search("typo|_mis_", slot) for entry in lexicon[slot]
    )
    assert written & (slips_of_the_exam() - spelled) == set()


def load_pairs() -> list[dict[str, str]]:
    lines = (augment.FOLDER / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def slips_of_the_exam() -> set[str]:
    """Return the words that only the misspelled texts of the behaviour suite hold."""
    cases = [case for case in behaviour.load_cases() if case["capability"] == "typos"]
    return {word for case in cases for word in words_in([case["other"]]) - words_in([case["review"]])}


def words_in(texts: Iterable[str]) -> set[str]:
    """Return the words of texts, without slots and apostrophes."""
    plain = (augment.SLOT.sub(" ", text).lower().replace("'", "") for text in texts)
    return {word for text in plain for word in re.findall("[a-z]+", text)}


# --- filling ------------------------------------------------------------------------------------


def filled(frame: str, lexicon: dict[str, list[str]], topic: str = "plain", seed: int = 0) -> str:
    return augment.fill(Frame(frame, "positive", topic), lexicon, random.Random(seed))


def test_a_second_slot_is_another_draw() -> None:
    texts = {filled("{x} and {x2}", {"x": ["one", "two"]}, seed=seed) for seed in range(30)}
    assert texts == {"One and two", "Two and one"}


def test_a_slot_whose_entries_are_used_up_starts_again() -> None:
    assert filled("{x}, {x2}", {"x": ["only"]}) == "Only, only"


def test_a_name_that_ends_in_a_digit_is_its_own_slot_where_the_lexicon_has_it() -> None:
    lexicon = {"x": ["one"], "x2": ["two"]}
    assert augment.slot_name("x2", lexicon) == "x2"
    assert augment.slot_name("x3", lexicon) == "x"


@pytest.mark.parametrize(
    "word, article",
    [
        ("dull", "a"),
        ("awful", "an"),
        ("honest", "an"),
        ("hour", "an"),
        ("humble", "a"),
        ("unique", "a"),
        ("useful", "a"),
        ("European", "a"),
        ("one-note", "a"),
        ("uneven", "an"),
        ("unimaginative", "an"),
        ("uninspired", "an"),
        ("unconvincing", "an"),
        ("8/10", "a"),
    ],
)
def test_the_article_agrees_with_what_fills_the_slot(word: str, article: str) -> None:
    assert filled("It is a {x} film.", {"x": [word]}) == f"It is {article} {word} film."
    assert filled("A {x} film.", {"x": [word]}) == f"{article.capitalize()} {word} film."


def test_the_articles_of_drawn_lessons_agree(untyped: Lessons) -> None:
    pairs = {
        (article.lower(), word.lower())
        for text, _ in untyped
        for article, word in re.findall(r"\b([Aa]n?) ([\w-]+)", text)
    }
    assert {word for article, word in pairs if article == "an" and word[0] not in "aeiou"} <= {
        "hour",
        "honest",
        "honour",
        "heiress",
        "f",  # the grade
        "11",
        "8",
        "me",  # "the wife an me"
        "my",
    }
    assert {word for article, word in pairs if article == "a" and re.match("[aeiou]|8|11|18", word)} <= {
        "once",
        "one",
        "one-armed",
        "one-eyed",
        "one-hit",
        "one-note",
        "one-star",
        "one-trick",
        "unique",
        "universe",
        "university",
        "used",
        "useless",
    }


def test_sentences_begin_with_a_capital_except_in_slang() -> None:
    assert filled("{x} works. it does! yes", {"x": ["the film"]}) == "The film works. It does! Yes"
    assert filled("{x} slaps. yes", {"x": ["it"]}, topic="slang") == "it slaps. yes"


# --- drawing lessons ----------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_lessons_and_another_one_others(drawn: Lessons) -> None:
    assert list(islice(augment.lessons(1), 500)) == drawn[:500]
    assert list(islice(augment.lessons(2), 500)) != drawn[:500]


def test_labels_come_equally_often(drawn: Lessons) -> None:
    counts = Counter(label for _, label in drawn)
    assert 0.485 < counts["positive"] / (counts["positive"] + counts["negative"]) < 0.515


def test_a_share_of_the_lessons_is_neutral(drawn: Lessons) -> None:
    assert augment.NEUTRAL_SHARE == 0.15
    assert 0.14 < np.mean([label == "neutral" for _, label in drawn]) < 0.16


@pytest.mark.parametrize("topics", [1, 40])
def test_the_neutral_share_does_not_depend_on_the_number_of_topics(
    topics: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [Frame("So it is", "neutral", f"topic {number}") for number in range(topics)]
    frames += [Frame("So it is", label, "plain") for label in ("positive", "negative")]
    monkeypatch.setattr(augment, "load_frames", lambda: frames)
    counts = Counter(label for _, label in islice(augment.lessons(6, typing=False), 10_000))
    assert 1350 < counts["neutral"] < 1650
    assert abs(counts["positive"] - counts["negative"]) < 400


def test_lessons_of_a_label_or_a_topic_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [
        Frame(f"{label} {topic}.", label, topic)
        for label in ("positive", "negative", "neutral")
        for topic in ("negation", "plain")
    ]
    monkeypatch.setattr(augment, "load_frames", lambda: frames)

    def texts_without(pattern: str) -> set[str]:
        drawn = islice(augment.lessons(1, typing=False, without=pattern), 1000)
        return {part.strip().lower() for text, _ in drawn for part in text.split(".") if part.strip()}

    everything = {f"{frame.label} {frame.topic}" for frame in frames}
    assert texts_without("negation") == {text for text in everything if "negation" not in text}
    assert texts_without("^neutral ") == {text for text in everything if "neutral" not in text}
    assert texts_without("no such topic") == everything
    with pytest.raises(DataError, match="no lesson with a side is left without '.'"):
        texts_without(".")


def test_lessons_seldom_repeat(drawn: Lessons) -> None:
    assert len({text for text, _ in drawn}) > 0.7 * len(drawn)


def test_a_topic_is_drawn_by_the_square_root_of_its_size_and_its_frames_evenly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = {"small": 4, "large": 36}
    frames = [
        Frame(f"It {topic} {label} {number}", label, topic)
        for topic, size in sizes.items()
        for label in ("positive", "negative")
        for number in range(size)
    ]
    neutral = [Frame("It ends", "neutral", "plot")]
    monkeypatch.setattr(augment, "load_frames", lambda: [*frames, *neutral])
    monkeypatch.setattr(augment, "PAIRED", 0)
    counts = Counter(text for text, _ in islice(augment.lessons(3, typing=False), 40_000))
    by_topic = {
        topic: [count for text, count in counts.items() if topic in text and "." not in text]
        for topic in sizes
    }
    assert [len(by_topic[topic]) for topic in sizes] == [8, 72]
    assert sum(by_topic["large"]) / sum(by_topic["small"]) == pytest.approx(3, rel=0.1)
    assert all(max(found) < 1.5 * min(found) for found in by_topic.values()), by_topic


def test_pairs_are_two_different_texts_and_lie_in_the_order_of_their_topics() -> None:
    pairs = load_pairs()
    assert len(pairs) > 30_000
    assert all(pair["positive"] != pair["negative"] for pair in pairs)
    topics = [pair["topic"] for pair in pairs]
    assert topics == sorted(topics)


def test_a_lesson_s_label_is_its_frame_s_and_pairs_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "fill", lambda frame, *_: frame.label)
    drawn = list(islice(augment.lessons(4, typing=False), 2000))
    labels = ("positive", "negative", "neutral")
    single = {(label, label) for label in labels}
    assert set(drawn) == single | {(f"{label} {label}", label) for label in labels}
    paired = sum(" " in text for text, _ in drawn) / len(drawn)
    assert 0.05 < paired < 0.11  # more than half of those meant to be paired disagree


@pytest.mark.parametrize("unstopped", [0.0, 1.0])
def test_the_last_full_stop_is_dropped_at_a_share(unstopped: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "UNSTOPPED", unstopped)
    texts = [text for text, _ in islice(augment.lessons(5, typing=False), 300)]
    stopped = sum(text.endswith(".") for text in texts)
    assert stopped == 0 if unstopped else stopped > 150


def test_lesson_examples_are_the_lessons_as_ids_with_their_labels_targets(
    drawn: Lessons, words: Vocabulary
) -> None:
    examples = augment.lesson_examples(40, words, 1)
    encoded = [words.encode(text) for text, _ in drawn[:40]]
    assert [ids.tolist() for ids in examples.ids] == [one.ids for one in encoded]
    assert [lengths.tolist() for lengths in examples.lengths] == [one.lengths for one in encoded]
    assert (examples.ids[0].dtype, examples.lengths[0].dtype) == (np.int32, np.int32)
    assert examples.targets.dtype == np.float32
    targets = {"positive": 0.98, "negative": 0.02, "neutral": 0.5}
    assert examples.targets.tolist() == pytest.approx([targets[label] for _, label in drawn[:40]])
    assert {label for _, label in drawn[:40]} == set(targets)


# --- typing slips -------------------------------------------------------------------------------


def test_typing_changes_a_share_of_the_lessons_and_no_label(drawn: Lessons, untyped: Lessons) -> None:
    assert [label for _, label in drawn] == [label for _, label in untyped]
    changed = [
        (written, typed) for (written, _), (typed, _) in zip(untyped, drawn, strict=True) if written != typed
    ]
    assert 0.08 < len(changed) / len(drawn) < 0.2


@pytest.fixture
def slips_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for share in ("UNQUOTED", "STRETCHED", "SHOUTED"):
        monkeypatch.setattr(augment, share, 0)


def test_slips_fall_on_one_or_two_long_words_that_are_no_negators(
    untyped: Lessons, slips_alone: None
) -> None:
    slipped = 0
    for (written, _), (typed, _) in zip(untyped[:5000], islice(augment.lessons(1), 5000), strict=True):
        before, after = written.split(), typed.split()
        assert len(before) == len(after)
        pairs = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert len(pairs) <= 2
        for old, new in pairs:
            words = re.findall(r"[A-Za-z]{5,}", old)
            assert words, (old, new)
            assert "n't" not in old
            assert old.strip('.,;:!?"()').lower() not in augment.UNSLIPPED
            assert abs(len(old) - len(new)) <= 2 and old[0] == new[0]
        slipped += bool(pairs)
    assert 0.06 < slipped / 5000 < 0.09


def test_a_slip_makes_no_known_word() -> None:
    texts = {augment.slip("better worse grate", frozenset(), random.Random(seed)) for seed in range(60)}
    assert {text[:13] for text in texts} == {"better worse "}
    assert len(texts) > 5
    alone = {augment.slip("stale", frozenset({"stae", "stalle"}), random.Random(n)) for n in range(99)}
    assert not alone & {"stae", "stalle"}


@pytest.mark.parametrize(
    "share, text, pattern",
    [
        ("UNQUOTED", "It isn't a film I'd miss", "It isnt a film Id miss"),
        ("STRETCHED", "It is so dull", "It is so{3,5} dull"),
        ("STRETCHED", "A bad film", "A ba{3,5}d film"),
        ("SHOUTED", "awful", "AWFUL"),
    ],
)
def test_other_ways_of_typing(share: str, text: str, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("SLIPPED", "UNQUOTED", "STRETCHED", "SHOUTED"):
        monkeypatch.setattr(augment, other, 1 if other == share else 0)
    assert re.fullmatch(pattern, augment.mistype(text, frozenset(), random.Random(1)))


def test_the_command_prints_lessons_with_their_signs(drawn: Lessons) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training.recipe.augment", "--sample", "30"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    signs = {"positive": "+", "negative": "-", "neutral": "0"}
    assert done.stdout.splitlines() == [f"{signs[label]} {text}" for text, label in drawn[:30]]
    assert {line[0] for line in done.stdout.splitlines()} == set(signs.values())


# --- swapped reviews ----------------------------------------------------------------------------


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Swap whole reviews, not windows of them."""
    monkeypatch.setattr(augment, "WINDOWED", 0)


# A window as it is and swapped, and its sentences' lengths; None when too little can be swapped.
Pair = tuple[np.ndarray, np.ndarray, np.ndarray] | None


def swap(words: Vocabulary, review: str | np.ndarray, label: int, seed: int = 0) -> Pair:
    """Swap a text, or ids that are one sentence."""
    if isinstance(review, str):
        ids, lengths = columns_of(words.encode(review))
    else:
        ids, (lengths,) = review, augment.whole([review])
    return Swapper(words).swap(ids, lengths, label, np.random.default_rng(seed))


def changed(pair: Pair) -> list[int]:
    """Return the places where a swapped review differs."""
    assert pair is not None
    return np.flatnonzero(pair[0] != pair[1]).tolist()


def test_words_that_agree_with_the_label_become_opposites(words: Vocabulary, whole: None) -> None:
    pair = swap(words, "a wonderful film, a brilliant script and a terrible end.", 1)
    assert changed(pair) == [1, 5]
    opposites = Swapper(words).opposites[1]
    assert pair is not None
    assert all(pair[1][place] in opposites[int(pair[0][place])] for place in (1, 5))


def test_a_negative_review_swaps_its_negative_words(words: Vocabulary, whole: None) -> None:
    assert changed(swap(words, "a terrible, awful film, a wonderful song.", 0)) == [1, 3]


def test_swapping_leaves_the_review_itself_alone(words: Vocabulary, whole: None) -> None:
    ids = ids_of(words, "a wonderful film, a brilliant script.")
    before = ids.copy()
    pair = swap(words, ids, 1)
    assert pair is not None
    assert np.array_equal(ids, before)
    assert np.array_equal(pair[0], before)
    assert (len(pair[1]), pair[1].dtype) == (len(before), np.int32)
    assert pair[2].tolist() == [len(before)]


@pytest.mark.parametrize("negator", augment.NEGATORS)
@pytest.mark.parametrize("between", [0, 1, 2, 3])
def test_nothing_within_three_tokens_after_a_negator_is_swapped(
    negator: str, between: int, words: Vocabulary, whole: None
) -> None:
    film, good = words.id_of("film"), words.id_of("good")
    head = [film, good, film, good, film, film, words.id_of(negator)]
    ids = np.array(head + [film] * between + [good, film], dtype=np.int32)
    outside = [1, 3] + ([len(head) + between] if between == 3 else [])
    assert changed(swap(words, ids, 1)) == outside


def test_one_swap_is_too_few_and_so_is_a_small_share(words: Vocabulary, whole: None) -> None:
    film, good = words.id_of("film"), words.id_of("good")
    assert swap(words, np.array([film, good, film], dtype=np.int32), 1) is None
    assert swap(words, np.array([good, good] + [film] * 64, dtype=np.int32), 1) is not None  # 2 of 66
    assert swap(words, np.array([good, good] + [film] * 65, dtype=np.int32), 1) is None  # 2 of 67


def test_a_review_without_words_swaps_to_nothing(words: Vocabulary) -> None:
    assert swap(words, np.array([], dtype=np.int32), 1) is None


def test_a_window_is_eight_whole_sentences(words: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "WINDOWED", 1)
    good = words.id_of("good")
    sentences = [[FIRST_KNOWN_ID + 1000 + n] + [good] * (1 + n % 3) for n in range(11)]
    ids = np.array(sum(sentences, []), dtype=np.int32)
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int32)
    swapper, rng = Swapper(words), np.random.default_rng(0)
    firsts = set()
    for _ in range(60):
        pair = swapper.swap(ids, lengths, 1, rng)
        assert pair is not None
        first = int(pair[0][0]) - FIRST_KNOWN_ID - 1000
        assert pair[0].tolist() == sum(sentences[first : first + 8], [])
        assert pair[2].tolist() == lengths[first : first + 8].tolist()
        firsts.add(first)
    assert firsts == {0, 1, 2, 3}


@pytest.mark.parametrize("stop", ["", " ."])
def test_a_short_review_is_its_own_window(
    stop: str, words: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(augment, "WINDOWED", 1)
    ids = ids_of(words, f"a good film and a good script{stop}")
    pair = swap(words, ids, 1)
    assert pair is not None
    assert np.array_equal(pair[0], ids)


def praising(words: Vocabulary, count: int) -> Split:
    """Return reviews that damn and praise by turns, of two sentences each."""
    texts = [f"An {word} film. An {word} script." for word in ("awful", "excellent")]
    kinds = [columns_of(words.encode(text)) for text in texts]
    ids, lengths = ([kinds[n % 2][place] for n in range(count)] for place in range(2))
    labels = (np.arange(count) % 2).astype(np.int8)
    return Split([str(n) for n in range(count)], ids, lengths, labels, 8 * labels + 1)


def test_swapped_examples_come_in_pairs_with_opposite_targets(words: Vocabulary) -> None:
    reviews = praising(words, 6)
    examples = augment.swapped_examples(reviews, 1.0, words, 1)
    assert len(examples.ids) == 12
    assert examples.targets.dtype == np.float32
    assert examples.targets.tolist() == pytest.approx([0.025, 0.975, 0.975, 0.025] * 3)
    assert [lengths.tolist() for lengths in examples.lengths] == [[4, 4]] * 12
    for review, window, swapped in zip(reviews.ids, examples.ids[::2], examples.ids[1::2], strict=True):
        assert np.array_equal(window, review)
        assert not np.array_equal(swapped, review)


def test_swapped_examples_are_a_share_of_the_reviews_and_follow_the_seed(words: Vocabulary) -> None:
    reviews = praising(words, 400)
    one, again, other = (augment.swapped_examples(reviews, 0.5, words, seed) for seed in (1, 1, 2))
    assert 320 < len(one.ids) < 480
    assert [ids.tolist() for ids in one.ids] == [ids.tolist() for ids in again.ids]
    assert [ids.tolist() for ids in one.ids] != [ids.tolist() for ids in other.ids]


def test_no_share_gives_no_swapped_examples(words: Vocabulary) -> None:
    examples = augment.swapped_examples(praising(words, 9), 0.0, words, 1)
    assert (examples.ids, examples.targets.shape, examples.targets.dtype) == ([], (0,), np.float32)


# --- targets, and all of it together ------------------------------------------------------------


def test_smoothed_labels_move_towards_the_middle() -> None:
    targets = augment.smoothed(np.array([0, 1], dtype=np.int8), 0.1)
    assert targets.dtype == np.float32
    assert targets.tolist() == pytest.approx([0.05, 0.95])
    assert augment.smoothed(np.array([0, 1]), 0.0).tolist() == [0, 1]


def test_examples_add_up_in_order_and_leave_the_summands_alone() -> None:
    first, second = [np.array([1]), np.array([2, 3])], [np.array([4])]
    one = Examples(first, augment.whole(first), np.array([0.1, 0.2], dtype=np.float32))
    other = Examples(second, augment.whole(second), np.array([0.9], dtype=np.float32))
    both = one + other
    assert [ids.tolist() for ids in both.ids] == [[1], [2, 3], [4]]
    assert [lengths.tolist() for lengths in both.lengths] == [[1], [2], [1]]
    assert both.targets.tolist() == pytest.approx([0.1, 0.2, 0.9])
    assert both.targets.dtype == np.float32
    assert (len(one.ids), len(other.ids)) == (2, 1)


TEACHERS = [{"name": "a teacher", "weight": 1.5, "development_accuracy": 0.9}]


def write_soft_targets(path: Path, unsup: int) -> Path:
    """Write soft targets as distill.py does: 0.25 for each unsup review, and three sentences."""
    np.savez_compressed(
        path,
        teachers=json.dumps(TEACHERS),
        unsup_targets=np.full(unsup, 0.25, dtype=np.float32),
        sentence_ids=np.array([5, 6, 7, 8, 9, 10], dtype=np.int32),
        sentence_lengths=np.array([3, 1, 2], dtype=np.int32),
        sentence_targets=np.array([0.7, 0.1, 0.6], dtype=np.float32),
    )
    return path


def test_soft_targets_are_loaded_as_written(tmp_path: Path) -> None:
    targets = augment.load_soft_targets(write_soft_targets(tmp_path / "soft_targets.npz", 2))
    assert targets.unsup.tolist() == [0.25, 0.25]
    assert [ids.tolist() for ids in targets.sentences.ids] == [[5, 6, 7], [8], [9, 10]]
    assert [lengths.tolist() for lengths in targets.sentences.lengths] == [[3], [1], [2]]
    assert targets.sentences.targets.tolist() == pytest.approx([0.7, 0.1, 0.6])
    assert targets.teachers == TEACHERS


@pytest.fixture
def corpus(words: Vocabulary) -> Corpus:
    """The tiny corpus with reviews that can be swapped in its train split."""
    return tiny_corpus()._replace(train=praising(words, 96))


TRAIN, UNSUP, SENTENCES = 96, 40, 3


@pytest.mark.parametrize(
    "flags, more",
    [
        ([], 0),
        (["--soft-targets"], UNSUP + SENTENCES),
        (["--swaps", "1"], 2 * TRAIN),
        (["--lessons", "7"], 7),
        (["--swaps", "1", "--lessons", "7", "--soft-targets"], UNSUP + SENTENCES + 2 * TRAIN + 7),
    ],
)
def test_each_flag_adds_its_examples_after_the_labelled_reviews(
    flags: list[str], more: int, corpus: Corpus, tmp_path: Path
) -> None:
    path = write_soft_targets(tmp_path / "soft_targets.npz", UNSUP)
    arguments = [*flags, str(path)] if "--soft-targets" in flags else flags
    options = train.parse(["--model-dir", str(tmp_path), *arguments])
    examples = train.fixed_examples(corpus, options) + train.drawn_examples(corpus, options, 1)
    assert len(examples.ids) == len(examples.lengths) == len(examples.targets) == TRAIN + more
    assert examples.targets.dtype == np.float32
    assert examples.targets[:TRAIN].tolist() == pytest.approx([0.025, 0.975] * (TRAIN // 2))
    assert [ids.tolist() for ids in examples.ids[:TRAIN]] == [ids.tolist() for ids in corpus.train.ids]
    assert [sum(lengths) for lengths in examples.lengths] == [len(ids) for ids in examples.ids]
    added = examples.targets[TRAIN:]
    if "--soft-targets" in flags:
        assert added[:UNSUP].tolist() == [0.25] * UNSUP
        assert [ids.tolist() for ids in examples.ids[TRAIN : TRAIN + UNSUP]] == [
            ids.tolist() for ids in corpus.unsup.ids
        ]
        added = added[UNSUP:]
        assert added[:SENTENCES].tolist() == pytest.approx([0.7, 0.1, 0.6])
        added = added[SENTENCES:]
    if "--swaps" in flags:
        assert added[: 2 * TRAIN].sum() == pytest.approx(TRAIN, abs=1e-3)  # each pair cancels out
        added = added[2 * TRAIN :]
    assert set(added.round(2).tolist()) <= {np.float32(target).item() for target in (0.98, 0.02, 0.5)}
    assert len(added) == (7 if "--lessons" in flags else 0)


def test_another_epoch_draws_other_swaps_and_lessons(corpus: Corpus, tmp_path: Path) -> None:
    options = train.parse(["--model-dir", str(tmp_path), "--lessons", "5", "--swaps", "0.5"])
    one, again, other = (train.drawn_examples(corpus, options, seed) for seed in (1, 1, 2))
    assert [ids.tolist() for ids in one.ids] == [ids.tolist() for ids in again.ids]
    assert [ids.tolist() for ids in one.ids[-5:]] != [ids.tolist() for ids in other.ids[-5:]]


def test_examples_leave_the_corpus_alone(corpus: Corpus, tmp_path: Path) -> None:
    options = train.parse(["--model-dir", str(tmp_path), "--lessons", "5", "--swaps", "1"])
    train.fixed_examples(corpus, options)
    train.drawn_examples(corpus, options, 1)
    assert len(corpus.train.ids) == TRAIN
    assert set(corpus.train.labels.tolist()) == {0, 1}
