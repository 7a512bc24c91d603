"""Labels that feeds use and no schema knows, taken to attributes by their meaning.

"Fastening mechanism" asks for a closure, though nobody listed it. A label is taken to the attribute one of whose names
it is nearest to in the text encoder, if it is near enough, nearer than to any other attribute's, and nearer than to
labels of what the schema has no attribute for.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from reaseq.documents.document import Document
from reaseq.documents.language import words
from reaseq.documents.tokens import stems
from reaseq.taxonomy.labels import Asks, names_of, other_names
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.likeness import DEFAULT, Likeness
from reaseq.taxonomy.proposals import Encode
from reaseq.taxonomy.schema import CategorySchema

_FEWEST = 2
"""Products that must use a label."""
_MOST = 500


def unknown_labels(lexicon: Lexicon, documents: Iterable[Document]) -> list[str]:
    """Labels and columns' names that at least two of the documents use and the schema does not know, as most often
    written, the most frequent first."""
    used: Counter[tuple[str, ...]] = Counter()
    written: dict[tuple[str, ...], Counter[str]] = {}
    for document in documents:
        mine: set[tuple[str, ...]] = set()
        for label, asked in lexicon.labels_in(document):
            key = stems(label)
            if asked.asks is Asks.UNKNOWN and key:
                mine.add(key)
                written.setdefault(key, Counter())[label] += 1
        used.update(mine)
    return [written[key].most_common(1)[0][0] for key, count in used.most_common(_MOST) if count >= _FEWEST]


def by_meaning(
    schema: CategorySchema, labels: Sequence[str], encode: Encode, likeness: Likeness = DEFAULT
) -> dict[str, str]:
    """Of `labels`, those that ask for an attribute by what they mean, with its name; none that ask for a count. How
    often that is right is measured by `reaseq.bench.label_meanings`."""
    labels = [label for label in labels if not words("counts").within_any(stems(label))]
    known = [(attribute.name, name) for attribute in schema.attributes for name in names_of(schema, attribute)]
    known += [("", name) for name in other_names(schema)]
    if not labels:
        return {}
    owners = np.array([owner for owner, _ in known])
    near = np.asarray(encode(list(labels)), np.float32) @ np.asarray(encode([name for _, name in known]), np.float32).T
    taken: dict[str, str] = {}
    for label, row in zip(labels, near, strict=True):
        owner = str(owners[row.argmax()])
        others = row[owners != owner]
        if owner and row.max() >= likeness.label_from and row.max() - others.max() >= likeness.label_by:
            taken[label] = owner
    return taken


def with_meanings(schema: CategorySchema, taken: Mapping[str, str]) -> CategorySchema:
    """The schema whose attributes know the labels that were taken to them."""
    attributes = []
    for attribute in schema.attributes:
        mine = [label for label, name in taken.items() if name == attribute.name]
        attributes.append(attribute.replace(near_labels=(*attribute.near_labels, *mine)))
    return schema.replace(attributes=tuple(attributes))
