"""From which cosines on texts count as alike: each encoder spreads its vectors in its own way.

Cosines of multilingual-e5-small lie between .75 and 1 whatever the texts are. To take the mean of what is compared off
its vectors would spread them, but fewer titles then find their category, in this encoder and in the default one; so
each has numbers of its own. They were chosen on what is not reported on: `docs/measurements.md`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Likeness:
    """Cosines. Where there is a `by`, the second nearest must be so much further away.

    label: from which a feed's label asks for an attribute. category: a title belongs to a category. kind: a kind that a
    model named is one of a category's. value: a value may be another word for one that is known.
    """

    label_from: float
    label_by: float
    category_from: float
    category_by: float
    kind_from: float
    value_from: float


_OF = {
    "multilingual-e5-small": Likeness(
        label_from=0.91, label_by=0.035, category_from=0.86, category_by=0.02, kind_from=0.93, value_from=0.92
    )
}
DEFAULT = Likeness(
    label_from=0.75, label_by=0.1, category_from=0.5, category_by=0.1, kind_from=0.75, value_from=0.7
)  # fmt: skip
"""Those of all-MiniLM-L6-v2, and of encoders for which nothing was measured."""


def likeness_of(encoder: str) -> Likeness:
    """Of an encoder, by its name."""
    return _OF.get(encoder, DEFAULT)
