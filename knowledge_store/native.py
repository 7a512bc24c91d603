"""Values of NumPy, pandas and Arrow as Python has them."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def native(value: Any) -> Any:
    """The value as Python's own, and None for what stands for nothing: NaN, NaT, NA. Keys of dictionaries are text."""
    if type(value) is str or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): native(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [native(one) for one in value]
    if hasattr(value, "as_py"):
        return native(value.as_py())
    if type(value).__module__ == "numpy" and hasattr(value, "dtype"):
        return _of_numpy(value)
    return None if is_missing(value) else value


def record_in(value: Any) -> Any:
    """The dictionary that a row stands for: a named tuple, a row of pandas, a dataclass, a model of pydantic; anything
    else as it is."""
    for name in ("_asdict", "to_dict", "model_dump"):
        if callable(made := getattr(value, name, None)) and not isinstance(value, type):
            return made()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    return value


def in_words(value: Any) -> str:
    """What somebody gave, in a few words: numbers as they are, of anything else what it is."""
    if value is None or isinstance(value, int | float | bytes):
        return f"{value!r:.40}"
    kind = type(value)
    of = kind.__module__.partition(".")[0]
    told = f"{kind.__name__} of {of}" if of in ("numpy", "pandas", "polars", "pyarrow") else kind.__name__
    return f"{'an' if told[0] in 'AEIOUaeiou' else 'a'} {told}"


def _of_numpy(value: Any) -> Any:
    if value.dtype.kind != "M":
        return native(value.tolist())
    if value.ndim:
        return [_of_numpy(one) for one in value]
    made = value.item()
    return value.astype("datetime64[us]").item() if isinstance(made, int) else made  # nanoseconds have no datetime


def is_missing(value: Any) -> bool:
    """None, or what is not even equal to itself: NaN, NaT, pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError, ArithmeticError):  # nobody knows whether NA is NA; of arrays there are several
        return type(value).__name__ == "NAType"
