"""Words that make generated sentences differ, since near duplicates count as one sentence."""

# Eight places choose from eleven words each. Any two of the first 1,331 numbers share at most two words.
PLACES, CHOICES = 8, 11
WORDS = (
    "morning evening kitchen garden window street neighbour daughter brother office winter"
    " summer holiday train market corner letter paper table shelf cupboard basement"
    " attic village river mountain lake harbour bridge station church school doctor"
    " baker teacher farmer sailor soldier painter driver pocket button ribbon candle"
    " blanket pillow carpet mirror bottle basket ladder hammer needle thread feather"
    " pebble shadow thunder meadow forest island valley desert tower castle palace"
    " cousin uncle nephew captain pilot nurse lawyer judge student writer singer"
    " saddle barrel anchor rope wagon tunnel fountain statue library museum theatre"
).split()


def varied(number: int) -> str:
    """Return a number's eight words.

    The number's digits in base 11 are a polynomial's coefficients (Reed & Solomon, 1960).
    """
    digits = [number // CHOICES**power % CHOICES for power in range(3)]
    chosen = [
        sum(digit * place**power for power, digit in enumerate(digits)) % CHOICES for place in range(PLACES)
    ]
    return " ".join(WORDS[CHOICES * place + choice] for place, choice in enumerate(chosen))
