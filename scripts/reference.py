"""Write the page of API reference: all that `reaseq` names as public, from its docstrings.

    python scripts/reference.py site

pdoc (extra `docs`) renders the objects as they are imported, so names that the package loads when they are asked for
are asked for here.
"""

import sys
from pathlib import Path

import pdoc

import reaseq

LOOKS = Path(__file__).resolve().parents[1] / "docs" / "reference"


def write(folder: Path) -> Path:
    """The page, in `folder`, which is made if it is not there."""
    for name in reaseq.__all__:
        setattr(reaseq, name, getattr(reaseq, name))
    pdoc.render.configure(docformat="google", show_source=False, search=False, template_directory=LOOKS)
    pdoc.pdoc("reaseq", r"!reaseq\..+", output_directory=folder)
    return folder / "reaseq.html"


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
