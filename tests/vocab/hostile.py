"""Strings that try to break the text code: markup, entities, accents, every corner of Unicode."""

import random

from hypothesis import strategies as st

FRAGMENTS = [
    *"< > </ <b> <br/> <BR > \" ' = a b x1 <!-- --> --!> <!--> <script> </script> <script/x <style".split(),
    *"<![CDATA[ ]]> <?x <!doctype &amp; &lt; &#60; &lt &#xD800; &#55357; &#0; &#x80; &#x110000;".split(),
    *"&notin &nbsp; &shy; &#x200B; & 10/10 7.5 / n't 's :) :'-( ;D </3 <3 ... !? *** --".split(),
    *"Mr. U.S. e.g. No. great Movie N\u2019T \u2019s \u2026 \u2014 \u4e2d \u3042\u3099 \u043f \u03a3".split(),
    *"\u0130 \u00e9 e\u0301 \u0323 \u1100\u1161 \U0001f600 \U0001f3fd \u200b \ufeff \u200d \ufffd".split(),
    *"\u0378 \u0ece \U0001e08f \U0001e4ee \U00011f02 \U0010ffff \ud800 \udc00 \x00 \x1b".split(),
    *("\x85", "\u2028", " ", "\n", "\r", "\t"),
    *('<a href="x>y">', "<a x='", "&#" + "9" * 5000 + ";", "y" * 300),
]

ANY_TEXT = st.text(st.characters(exclude_categories=()))
HOSTILE_TEXT = st.lists(
    st.sampled_from(FRAGMENTS) | st.text(st.characters(exclude_categories=()), max_size=4)
).map("".join)
REVIEWS = ANY_TEXT | HOSTILE_TEXT

# Repeated to great length, each asks some loop or regular expression for quadratic time.
ENDLESS = [
    *"< </ <b <b> a<b> x<br> <! <!-- <!---> --> <script <script> </script <script></script </style/x".split(),
    *"& &amp; &a &# &#1 &#x 9 9. 1/ 10/10 'n't n't a' .... ((( [ a.b. - * !? y yes ing ational".split(),
    *('<a "', "<a '\"", '<a x=">">', "isn't ", ". ", ".) ", ") ", "- ", "\x00", "\n", " \n"),
    *("\u0301", "e\u0301", "\u0316\u0301", "\u03a3", "\u4e2d", "\u200d", "\U0001f600", "\ud800"),
]


def listed(count: int, seed: int = 7) -> list[str]:
    """Yield the same hostile strings on every Python: ``count`` mixed ones, then a walk through Unicode."""
    chance = random.Random(seed)
    mixed = ["".join(chance.choices(FRAGMENTS, k=chance.randint(1, 25))) for _ in range(count)]
    dense, sparse = range(0, 0x20000, 16), range(0x20000, 0x110000, 1024)
    # Assigned by Unicode 15 or later with a place in the order of accents, which NFC sorts by.
    newer = [0x0897, 0x0ECE, 0x10EFD, 0x11F02, 0x11F41, 0x1E08F, 0x1E4EC, 0x1E4EE, 0x1DF25]
    points = [*dense, *sparse, *newer]
    walk = [
        "".join(_in_words(chr(point)) for point in points[start : start + 30])
        for start in range(0, len(points), 30)
    ]
    return mixed + walk


def _in_words(character: str) -> str:
    return f"a{character}\u0323\u0301 {character} <script{character}>q</script>"
