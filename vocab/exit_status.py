"""The exit statuses of every command: `verdict`, its programs, and the modules behind `make`."""

import sys

FINE, NO, USAGE, UNAVAILABLE, BROKEN, INTERRUPTED = 0, 1, 2, 3, 4, 130
# A shell's status for a command whose reader has closed the pipe: 128 + SIGPIPE.
PIPE_CLOSED = 141

# docs/cli.md and `verdict --help` show these words.
MEANINGS = {
    FINE: "it did what was asked: every review has a verdict, the model is written, traffic is as expected",
    NO: "it ran, and the outcome is no: a row has no verdict, the model is no better, traffic differs",
    USAGE: "the arguments, the file, the model or too little traffic can't be used; nothing was written",
    UNAVAILABLE: "the service refused the caller, failed or did not answer",
    BROKEN: "something else failed on this machine, such as a full disk",
    INTERRUPTED: "it was interrupted; a server that is stopped so ends with 0",
    PIPE_CLOSED: "the program that read its output has ended",
}


class Ended(SystemExit):
    """The end of a program with one sentence on standard error, and one of these statuses."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.code = status
        print(sentence, file=sys.stderr)
