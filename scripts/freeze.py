"""Print pins for everything reaseq needs with its `embedded`, `onnx`, `studio` and `dev` extras, as installed here.

python scripts/freeze.py > constraints.txt
"""

from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("embedded", "onnx", "studio", "dev")
SKIPPED = {"reaseq", "pip", "setuptools", "wheel"}


def main() -> None:
    pins: dict[str, str] = {}
    todo = [("reaseq", extra) for extra in ("", *EXTRAS)]
    seen: set[tuple[str, str]] = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        if name not in SKIPPED:
            pins[name] = found.version.split("+")[0]
        for line in found.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(requirement.name), wanted) for wanted in ("", *requirement.extras)]
    print("# Made by `make constraints`: the versions the tests last passed with.")
    for name in sorted(pins):
        print(f"{name}=={pins[name]}")


if __name__ == "__main__":
    main()
