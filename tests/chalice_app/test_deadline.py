"""deadline.py: every call ends within its time."""

import threading

import pytest

from chalicelib.deadline import Workers


def test_a_call_s_answer_is_given() -> None:
    assert Workers().run(10, lambda: b"answer") == b"answer"


def test_a_call_s_error_is_raised() -> None:
    def fail() -> bytes:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Workers().run(10, fail)


def test_calls_one_after_the_other_share_a_thread() -> None:
    workers = Workers()
    names = set()

    def call() -> bytes:
        names.add(threading.current_thread().name)
        return b""

    for _ in range(50):
        workers.run(10, call)
    assert len(names) <= 2  # a thread may not have come back when the next call is there


def test_a_call_that_hangs_is_left_and_holds_up_no_other() -> None:
    workers, freed = Workers(), threading.Event()

    def hang() -> bytes:
        freed.wait(60)
        return b"too late"

    with pytest.raises(TimeoutError):
        workers.run(0.05, hang)
    assert workers.run(10, lambda: b"next") == b"next"
    freed.set()


def test_calls_at_once_run_at_once() -> None:
    workers, together = Workers(), threading.Barrier(8, timeout=30)

    def meet() -> bytes:
        together.wait()
        return b"met"

    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(workers.run(30, meet))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [b"met"] * 8


def test_a_thread_keeps_nothing_of_a_call_that_ended() -> None:
    import gc
    import weakref

    class Review:
        pass

    workers, review = Workers(), Review()
    reference = weakref.ref(review)
    workers.run(10, lambda review=review: b"")  # type: ignore[misc]
    workers.run(10, lambda: b"")
    del review
    gc.collect()
    assert reference() is None
