"""Errors keep their fields through copies, pickles and processes, and stand where callers catch them."""

import copy
import functools
import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from verdict_sentiment import (
    BadAnswerError,
    RateLimitedError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    VerdictError,
)

KINDS = [
    VerdictError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    RateLimitedError,
    BadAnswerError,
]
FIELDS = {"code": "too_many_requests", "status": 429, "request_id": "r1", "retry_after": 3.5}


def make_error(kind: type[VerdictError] = RateLimitedError) -> VerdictError:
    return kind("wait a little", code="too_many_requests", status=429, request_id="r1", retry_after=3.5)


def fail(_: int) -> None:
    raise make_error()


def pickled(error: Any, protocol: int) -> Any:
    return pickle.loads(pickle.dumps(error, protocol))


COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]
COPIES += [functools.partial(pickled, protocol=number) for number in range(pickle.HIGHEST_PROTOCOL + 1)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("again", COPIES)
def test_an_error_survives_copy_and_pickle(kind: type[VerdictError], again: Callable[[Any], Any]) -> None:
    error = make_error(kind)
    error.add_note("of row 7")
    same = again(error)
    assert type(same) is kind
    assert {name: getattr(same, name) for name in FIELDS} == FIELDS
    assert (same.detail, str(same), repr(same)) == (error.detail, str(error), repr(error))
    assert (same.args, same.__notes__) == (error.args, ["of row 7"])


def test_an_error_crosses_from_a_process_of_a_pool() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        with pytest.raises(RateLimitedError) as caught:
            list(pool.map(fail, [1]))
    assert (caught.value.code, caught.value.retry_after) == ("too_many_requests", 3.5)


def test_the_tree_lets_older_code_catch_what_it_caught() -> None:
    assert issubclass(UnauthorizedError, RefusedError)
    assert issubclass(RateLimitedError, UnavailableError)
    assert all(issubclass(kind, VerdictError) for kind in KINDS)


def test_an_error_shows_its_code_and_status() -> None:
    assert repr(make_error()) == "RateLimitedError('wait a little', code='too_many_requests', status=429)"
    assert repr(VerdictError("broken", code="x")) == "VerdictError('broken', code='x')"
