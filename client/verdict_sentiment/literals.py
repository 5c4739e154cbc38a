"""The words of requests and answers, as types that a type checker knows."""

from typing import Literal

Explain = Literal["none", "sentences", "words"]
Label = Literal["positive", "negative"]
Sentiment = Literal["positive", "negative", "uncertain"]
AspectSentiment = Literal["positive", "negative", "uncertain", "not_mentioned"]
# Why a verdict is uncertain.
Reason = Literal["mixed", "no_opinion", "unclear", "no_known_words", "not_english"]
# The warnings of this version. A newer service may send others.
WarningCode = Literal["truncated", "too_short", "no_known_words", "not_english", "mixed"]
