"""Run a notebook from its first cell to its last in a fresh folder, and keep what came out.

    python scripts/notebook.py examples/first_steps.ipynb

An error in a cell ends it, and leaves the file as it was.
"""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS = 600
"""That a cell may take."""


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs; no cell keeps when it ran.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = {"kernelspec": notebook.metadata.get("kernelspec", {})}
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:]:
        nbformat.write(run(Path(name)), name)
