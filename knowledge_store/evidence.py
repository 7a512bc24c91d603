"""Whether what a claim rests on is still there: an import may have changed a product's text since."""

from collections.abc import Mapping
from typing import Any

from reaseq.documents.columns import cell_text, said_cells
from reaseq.documents.document import COLUMN


def still_stands(claim: Mapping[str, Any], product: Mapping[str, Any]) -> bool:
    """Does the product's text hold the claim's words, where the claim says or elsewhere in the field? A claim that
    rests on none always stands."""
    name = claim["field"]
    if name is None or claim["start"] is None:
        return True
    text = (
        cell_text(said_cells(product).get(name.removeprefix(COLUMN)))
        if name.startswith(COLUMN)
        else product.get(name) or ""
    )
    return text[claim["start"] : claim["end"]] == claim["quote"] or str(claim["quote"]) in text
