"""Run a notebook from top to bottom in a folder: NOTEBOOK FOLDER; the outputs are written into NOTEBOOK."""

import sys

import nbformat
from nbclient import NotebookClient

CELL_SECONDS = 400


def main() -> None:
    path, folder = sys.argv[1:]
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
    )
    try:
        client.execute()
    finally:
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
