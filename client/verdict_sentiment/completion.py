"""Run `verdict completion`: print the script with which a shell completes commands, flags and files.

eval "$(verdict completion bash)"                                      # in ~/.bashrc
verdict completion zsh > "${fpath[1]}/_verdict"
verdict completion fish > ~/.config/fish/completions/verdict.fish
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SHELLS = ("bash", "zsh", "fish")
DESCRIPTION = (__doc__ or "").partition("\n")[2]
# Flags with a path that the parsers don't read as one.
PATHS = {"aspects", "beside", "first", "model", "out", "second"}
# shtab completes only commands in the first place; files of reviews stand there too.
FILES_TOO = {
    "bash": ("complete -o bashdefault -F", "complete -o bashdefault -o default -F"),
    "zsh": ("_describe 'verdict commands' _commands", "_describe 'verdict commands' _commands; _files"),
    "fish": ("complete -c verdict -f\n", "complete -c verdict\n"),
}
# Returns a command's parser, or None where its libraries are not installed.
MakeParser = Callable[[], argparse.ArgumentParser | None]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `verdict completion`."""
    parser = argparse.ArgumentParser(
        prog="verdict completion",
        description=f"Print the script with which a shell completes verdict.\n{DESCRIPTION}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    return parser


def print_script(
    arguments: Sequence[str], root: argparse.ArgumentParser, commands: Mapping[str, tuple[str, MakeParser]]
) -> int:
    """Print the script for a shell, from the parsers of the command and its programs."""
    shell = make_parser().parse_args(arguments).shell
    import shtab  # late, because most commands have no use for it

    subparsers = root.add_subparsers()
    for name, (line, make) in commands.items():
        parser = make() or argparse.ArgumentParser()
        subparsers.add_parser(name, help=line, parents=[parser], add_help=False)
    _mark_paths(root, shtab.FILE)
    commands_only, files_too = FILES_TOO[shell]
    print(shtab.complete(root, shell=shell).replace(commands_only, files_too))
    return 0


def _mark_paths(parser: argparse.ArgumentParser, file: object) -> None:
    """Mark the flags where a shell completes files."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _mark_paths(inner, file)
        elif action.type is Path or action.dest in PATHS:
            action.complete = file  # type: ignore[attr-defined]
