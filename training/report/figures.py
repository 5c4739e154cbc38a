"""Every figure of the report, from the answers to a file's rows, which are read a part at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from training.files.rows import BatchError
from training.report import periods, quotes
from training.report.cells import Cells, rounded
from training.report.comparison import AFTER, BEFORE, FEWEST_ROWS, Comparison
from training.report.dates import NO_DATE, day_of
from training.report.quotes import Sentences
from training.report.resampling import group_key, row_keys, weights
from training.report.table import MILLION, Chunk, Measured, Table, chunks_of

VERSION = 1
# More groups than this are counted, not listed.
MOST_GROUPS = 200
SMALL = 20
# Groups whose course over time is shown.
SMALL_MULTIPLES = 12
# Groups are resampled where there are so many, or more.
FEWEST_RESAMPLED = 20
# Two aspects overlap when they share more than this part of the clauses of one, and so many or more.
OVERLAP, OVERLAPPING_CLAUSES = 0.5, 5


class NoTextError(BatchError):
    """No row of a file has an answer."""


class File(NamedTuple):
    """A surveyed file: its name, its rows, its columns, and each row's date and group.

    ``dates`` are days since 1970 or NO_DATE, ``groups`` places in ``names`` or -1, int32 (rows,) each.
    ``columns`` names the columns of the review, the date and the group.
    """

    name: str
    rows: int
    columns: dict[str, str | None]
    dates: np.ndarray
    groups: np.ndarray
    names: list[str]


class Wish(NamedTuple):
    """What the caller chose: the aspects and where they come from, and the sides to compare.

    ``since`` is a day since 1970, ``between`` two groups' names.
    """

    aspects: tuple[str, ...] = ()
    aspects_from: str = "none"
    since: int | None = None
    between: Sequence[str] | None = None


class _Plan(NamedTuple):
    """What the first reading of the answers decides.

    ``listed`` are the places of the listed groups. ``place_of``, int64 (groups + 1,), is a group's place
    among them or -1; its last entry is -1, for a row without a group. ``keys`` holds the groups' keys, uint32
    (groups,), where groups are resampled.
    """

    judged: int
    not_understood: int
    undated: int
    failed: dict[str, int]
    first: int
    last: int
    unit: str
    starts: np.ndarray
    group_rows: np.ndarray
    listed: np.ndarray
    place_of: np.ndarray
    keys: np.ndarray | None
    clauses: np.ndarray


def report_of(file: File, wish: Wish, tables: Callable[[], Iterable[Table]], model: str) -> dict[str, Any]:
    """Return the report without the texts of its rows; ``tables`` reads the answers, more than once.

    Raises NoTextError when no row has an answer, and BatchError when a side to compare has none.
    """
    plan = _plan(file, wish, tables())
    if not plan.judged:
        raise NoTextError(f"{file.name} has no row with a text that could be judged")
    sums = _Sums(file, wish, plan)
    words: list[Measured] = []
    sentences = Sentences()

    def noted(tables: Iterable[Table]) -> Iterator[Table]:
        for table in tables:
            sentences.add(table.sentences)
            words.extend(table.words)
            yield table

    for chunk in _chunks(file, wish, noted(tables())):
        sums.add(chunk)
    agreeing = sums.agreeing_groups(_chunks(file, wish, tables())) if sums.needs_groups() else {}
    comparison, moved = sums.compare()
    overall = sums.overall.figures(0, agreeing.get(("overall", 0)))
    measured = len({word.number for word in words})
    report = {
        "version": VERSION,
        "file": {
            "name": file.name,
            "rows": file.rows,
            "judged": plan.judged,
            "failed": file.rows - plan.judged,
            "columns": file.columns,
        },
        "model": {"id": model},
        "aspects_from": wish.aspects_from,
        "resampled": "rows" if plan.keys is None else "groups",
        "notices": [],
        "overall": overall,
        "over_time": sums.over_time(agreeing),
        "groups": sums.by_group(),
        "aspects": sums.by_aspect(agreeing),
        "sentences": sentences.report(),
        "words": quotes.report_words(words, measured, plan.judged),
        "comparison": comparison,
        "moved": moved,
        "rows": {},
    }
    report["notices"] = _notices(file, wish, plan, report)
    return report


def named_rows(report: dict[str, Any]) -> list[int]:
    """Return the numbers of all rows that a report names, in order."""
    cells = [report["overall"], *(report["groups"] or []), *report["aspects"]]
    cells += (report["over_time"] or {"periods": []})["periods"]
    numbers = {number for cell in cells for number in cell["examples"]}
    numbers |= {number for cause in report["moved"] for number in cause["rows"]}
    numbers |= {sentence["row"] for side in report["sentences"].values() for sentence in side}
    words = report["words"]["up"] + report["words"]["down"]
    numbers |= {number for word in words for number in word["examples"]}
    return sorted(numbers)


def _chunks(file: File, wish: Wish, tables: Iterable[Table]) -> Iterator[Chunk]:
    return chunks_of(tables, file.dates, file.groups, len(wish.aspects))


def _plan(file: File, wish: Wish, tables: Iterable[Table]) -> _Plan:
    judged = not_understood = undated = 0
    failed: Counter[str] = Counter()
    first, last = 1 << 40, NO_DATE
    group_rows = np.zeros(len(file.names), dtype=np.int64)
    clauses = np.zeros((len(wish.aspects),) * 2, dtype=np.int64)
    for table in tables:
        failed.update(table.failed)
        clauses += table.clauses
        places = table.answers["number"].astype(np.int64) - 1
        judged += len(places)
        not_understood += int(np.count_nonzero(~table.answers["understood"]))
        dates = file.dates[places]
        dated = dates[dates != NO_DATE]
        undated += len(dates) - len(dated)
        if len(dated):
            first, last = min(first, int(dated.min())), max(last, int(dated.max()))
        groups = file.groups[places]
        group_rows += np.bincount(groups[groups >= 0], minlength=len(file.names))
    present = np.flatnonzero(group_rows)
    names = np.array([file.names[place] for place in present], dtype=object)
    order = sorted(range(len(present)), key=lambda index: (-group_rows[present[index]], names[index]))
    listed = present[order[:MOST_GROUPS]] if len(present) > 1 else present[:0]
    place_of = np.full(len(file.names) + 1, -1, dtype=np.int64)
    place_of[listed] = np.arange(len(listed))
    repeats = len(present) >= FEWEST_RESAMPLED and group_rows.max() > 1
    keys = np.array([group_key(name) for name in file.names], dtype=np.uint32) if repeats else None
    unit = periods.unit_of(first, last) if last != NO_DATE else periods.DAY
    starts = periods.starts_of(first, last, unit) if last != NO_DATE else np.zeros(0, dtype=np.int64)
    return _Plan(
        judged, not_understood, undated, dict(failed), first, last, unit, starts, group_rows, listed,
        place_of, keys, clauses,
    )  # fmt: skip


class _Sums:
    """All sums over the rows, filled chunk by chunk."""

    def __init__(self, file: File, wish: Wish, plan: _Plan) -> None:
        self._file, self._wish, self._plan = file, wish, plan
        self.overall = Cells(1)
        self._periods = Cells(len(plan.starts))
        self._groups = Cells(len(plan.listed))
        self._aspects = Cells(len(wish.aspects))
        self._courses = np.zeros((2, SMALL_MULTIPLES, len(plan.starts)), dtype=np.int64)
        self._between = self._places_between()
        self._cut = self._cut_of()
        # A small group is often on one side alone, and would count as a change of the mix.
        apart = [place for place in plan.listed if plan.group_rows[place] >= SMALL]
        names = [file.names[place] for place in apart] if self._between is None else []
        self._comparison = Comparison(wish.aspects, names)

    def add(self, chunk: Chunk) -> None:
        """Add rows to every sum."""
        by_row = weights(row_keys(chunk.numbers))
        weighed = by_row if self._plan.keys is None else weights(self._keys_of(chunk))
        places = self._plan.place_of[chunk.groups]
        rows = chunk.signs, chunk.opinions, chunk.logits, weighed, chunk.numbers
        self.overall.add(np.zeros(len(chunk.numbers), dtype=np.int64), *rows)
        period = self._period_of(chunk)
        self._periods.add(period, *rows)
        self._groups.add(places, chunk.signs, chunk.opinions, chunk.logits, by_row, chunk.numbers)
        self._add_courses(places, period, chunk.signs)
        for place in range(len(self._wish.aspects)):
            self._add_aspect(place, chunk, weighed)
        self._compare(chunk, places, by_row, weighed)

    def _add_aspect(self, place: int, chunk: Chunk, weighed: np.ndarray) -> None:
        cells = np.where(chunk.mentioned[:, place], place, -1)
        self._aspects.add(
            cells,
            chunk.aspect_signs[:, place],
            chunk.aspect_opinions[:, place],
            chunk.logits,
            weighed,
            chunk.numbers,
            chunk.pulls[:, place],
        )

    def _keys_of(self, chunk: Chunk) -> np.ndarray:
        assert self._plan.keys is not None
        grouped = chunk.groups >= 0
        return np.where(grouped, self._plan.keys[np.maximum(chunk.groups, 0)], row_keys(chunk.numbers))

    def _period_of(self, chunk: Chunk) -> np.ndarray:
        found: np.ndarray = np.searchsorted(self._plan.starts, chunk.dates, side="right") - 1
        return found

    def _add_courses(self, places: np.ndarray, period: np.ndarray, signs: np.ndarray) -> None:
        rows = (places >= 0) & (places < SMALL_MULTIPLES) & (period >= 0)
        at = places[rows], period[rows]
        np.add.at(self._courses[0], at, 1)
        np.add.at(self._courses[1], at, signs[rows].astype(np.int64))

    # --- sides ---

    def _places_between(self) -> tuple[int, int] | None:
        """Return the two groups to compare. Raises BatchError when one has no judged row."""
        if self._wish.between is None:
            return None
        places = []
        for name in self._wish.between:
            if name not in self._file.names or not self._plan.group_rows[self._file.names.index(name)]:
                raise BatchError(f"no row of the group {name[:40]!r} has a text that could be judged")
            places.append(self._file.names.index(name))
        return places[0], places[1]

    def _cut_of(self) -> int:
        """Return the first day of the side after; NO_DATE without dates."""
        if self._wish.since is not None or self._plan.last == NO_DATE:
            return NO_DATE if self._wish.since is None else self._wish.since
        return self._plan.first + 2 * (self._plan.last - self._plan.first + 1) // 3

    def _compare(self, chunk: Chunk, places: np.ndarray, by_row: np.ndarray, weighed: np.ndarray) -> None:
        if self._between is not None:
            before, after = self._between
            sides = np.where(chunk.groups == before, BEFORE, np.where(chunk.groups == after, AFTER, -1))
            self._comparison.add(chunk, sides, np.full_like(places, -1), by_row)
        elif self._cut != NO_DATE:
            sides = np.where(chunk.dates == NO_DATE, -1, np.where(chunk.dates < self._cut, BEFORE, AFTER))
            self._comparison.add(chunk, sides, places, weighed)

    def compare(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """Return the report's ``comparison`` and ``moved``: None and nothing without two full sides."""
        if min(self._comparison.rows) < FEWEST_ROWS:
            return None, []
        if self._wish.between is not None:
            return self._comparison.report("groups", self._wish.between)
        day = day_of(self._cut).isoformat()
        comparison, moved = self._comparison.report("dates", (f"before {day}", f"from {day} on"))
        return comparison, moved

    # --- cells ---

    def needs_groups(self) -> bool:
        """Return whether some cell's interval needs the number of its groups."""
        cells = (self.overall, self._periods, self._aspects)
        return self._plan.keys is not None and any(one.unanimous().any() for one in cells)

    def agreeing_groups(self, chunks: Iterable[Chunk]) -> dict[tuple[str, int], int]:
        """Return the number of groups in each unanimous cell; a row without a group counts as one."""
        found: dict[tuple[str, int], set[int]] = {}
        for chunk in chunks:
            owners = np.where(chunk.groups >= 0, chunk.groups, -1 - chunk.numbers.astype(np.int64))
            kinds = [
                ("overall", self.overall, np.zeros(len(owners), dtype=np.int64)),
                ("periods", self._periods, self._period_of(chunk)),
            ]
            for place in range(len(self._wish.aspects)):
                kinds.append(("aspects", self._aspects, np.where(chunk.mentioned[:, place], place, -1)))
            for kind, cells, of_row in kinds:
                unanimous = np.append(cells.unanimous(), False)
                for cell in np.unique(of_row[unanimous[of_row]]).tolist():
                    found.setdefault((kind, cell), set()).update(owners[of_row == cell].tolist())
        return {cell: len(owners) for cell, owners in found.items()}

    def over_time(self, agreeing: dict[tuple[str, int], int]) -> dict[str, Any] | None:
        """Return the report's ``over_time``; None without a date."""
        if not len(self._plan.starts):
            return None
        listed = [
            {"start": day_of(start).isoformat()}
            | self._periods.figures(place, agreeing.get(("periods", place)))
            for place, start in enumerate(self._plan.starts.tolist())
        ]
        first, last = (day_of(day).isoformat() for day in (self._plan.first, self._plan.last))
        return {"unit": self._plan.unit, "first": first, "last": last, "periods": listed}

    def by_group(self) -> list[dict[str, Any]] | None:
        """Return the report's ``groups``, the highest net first; None without two groups."""
        if not len(self._plan.listed):
            return None
        listed = []
        for place, group in enumerate(self._plan.listed.tolist()):
            cell = self._groups.figures(place)
            shown = {"name": self._file.names[group], "small": cell["rows"] < SMALL}
            if place < SMALL_MULTIPLES and len(self._plan.starts):
                shown["periods"] = self._course(place)
            listed.append(shown | cell)
        listed.sort(key=lambda group: (-group["net"], -group["rows"], group["name"]))
        return listed

    def _course(self, place: int) -> list[float | None]:
        pairs = zip(*self._courses[:, place].tolist(), strict=True)
        return [rounded(100 * signs / rows) if rows else None for rows, signs in pairs]

    def by_aspect(self, agreeing: dict[tuple[str, int], int]) -> list[dict[str, Any]]:
        """Return the report's ``aspects``, that with the lowest effect first."""
        judged = self._plan.judged
        listed = []
        for place, name in enumerate(self._wish.aspects):
            cell = self._aspects.figures(place, agreeing.get(("aspects", place)))
            rows, pulls = cell["rows"], int(self._aspects.pulls[place])
            pull = rounded(pulls / rows / MILLION) if rows else None
            shown = {"name": name, "share": rounded(rows / judged), "pull": pull} | cell
            listed.append((not rows, pulls, place, shown))
        return [shown for *_, shown in sorted(listed, key=lambda one: one[:3])]


def _notices(file: File, wish: Wish, plan: _Plan, report: dict[str, Any]) -> list[dict[str, str]]:
    """Return what the reader should know before the figures, each a code and a sentence."""
    found: list[tuple[str, str]] = []
    failed = file.rows - plan.judged
    if failed:
        found.append(("failed", f"{_rows(failed)} could not be judged and {_are(failed)} left out."))
    if plan.not_understood:
        share = np.floor(1000 * plan.not_understood / plan.judged + 0.5) / 10
        found.append(
            (
                "not_english",
                f"{_rows(plan.not_understood)} ({share:.1f} %) {_are(plan.not_understood)} not English or"
                " without a known word, and counted as uncertain.",
            )
        )
    if file.columns["date"] is None:
        found.append(("no_date_column", "No column of dates was found, so nothing is shown over time."))
    elif plan.undated:
        found.append(
            (
                "odd_dates",
                f"{_rows(plan.undated)} {_have(plan.undated)} no readable date, and {_are(plan.undated)} left"
                " out over time.",
            )
        )
    if file.columns["group"] is not None and report["groups"] is None:
        found.append(
            ("one_group", f"The column {_quoted(file.columns['group'])} holds fewer than two groups.")
        )
    groups = int(np.count_nonzero(plan.group_rows))
    if groups > MOST_GROUPS:
        found.append(
            ("many_groups", f"The {MOST_GROUPS} groups with most rows are listed, of {groups:,} groups.")
        )
    small = sum(group["small"] for group in report["groups"] or [])
    if small:
        one = small == 1
        found.append(
            (
                "small",
                f"{small:,} {'group has' if one else 'groups have'} under {SMALL} rows; read"
                f" {'it' if one else 'them'} with care.",
            )
        )
    overall = report["overall"]
    for sentiment in ("positive", "negative", "uncertain"):
        if overall[sentiment] == overall["rows"]:
            found.append(("one_verdict", f"All rows are {sentiment}, so nothing can be compared."))
    unmentioned = [aspect["name"] for aspect in report["aspects"] if not aspect["rows"]]
    if unmentioned:
        found.append(("not_mentioned", f"Nobody mentions {_listed(unmentioned)}."))
    found += [("overlap", sentence) for sentence in _overlaps(wish.aspects, plan.clauses)]
    if report["comparison"] is None and (report["over_time"] or wish.between):
        found.append(
            ("too_few", f"Each side of a comparison needs {FEWEST_ROWS} rows, so nothing is compared.")
        )
    return [{"code": code, "detail": detail} for code, detail in found]


def _overlaps(names: tuple[str, ...], clauses: np.ndarray) -> Iterator[str]:
    for one in range(len(names)):
        for other in range(one + 1, len(names)):
            shared = int(clauses[one, other])
            fewer = int(min(clauses[one, one], clauses[other, other]))
            if shared >= OVERLAPPING_CLAUSES and shared > OVERLAP * fewer:
                yield (
                    f"The aspects {_quoted(names[one])} and {_quoted(names[other])} share {shared:,} clauses,"
                    " over half of those of one; they divide what these say."
                )


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _quoted(name: str) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def _listed(names: list[str]) -> str:
    shown = [_quoted(name) for name in names]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
