"""Icecat's product data sheets, XML and JSON: a product, its category, and features by name.

https://iceclog.com/open-catalog-interface-oci-open-icecat-xml-and-full-icecat-xml-repositories/
https://iceclog.com/manual-for-icecat-json-product-requests/
"""

from collections.abc import Iterable, Iterator
from typing import Any

from reaseq.knowledge_store.feeds.rows import BadRow, Record, Row, text_of

MARKS_XML = ("Prod_id", "Name", "Title")
MARKS_JSON = ("data.GeneralInfo.IcecatId",)
FIELDS = {"id": "id", "title": "title", "description": "description", "brand": "brand", "category": "category"}


def rows_of_xml(found: Iterable[Row]) -> Iterator[Row]:
    """One product an element `Product`."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        features = {
            name: value
            for feature in _list(values.get("ProductFeature"))
            if (name := _first(feature, "Feature", "Name", "Value")) and (value := feature.get("Presentation_Value"))
        }
        product = {
            "id": values.get("ID") or values.get("Prod_id"),
            "title": values.get("Title") or values.get("Name"),
            "description": values.get("ProductDescription.LongDesc") or values.get("ProductDescription.ShortDesc"),
            "brand": values.get("Supplier.Name"),
            "category": values.get("Category.Name.Value") or _first(values, "Category.Name", "Value"),
            "part number": values.get("Prod_id"),
        }
        yield Record(row.line, features | product)


def rows_of_json(found: Iterable[Row]) -> Iterator[Row]:
    """One product a reply of the API."""
    for row in found:
        if isinstance(row, BadRow):
            yield row
            continue
        values = {name.removeprefix("data."): value for name, value in row.values.items()}
        features = {
            name: value
            for group in _list(values.get("FeaturesGroups"))
            for feature in _list(group.get("Features"))
            if (name := _first(feature, "Feature", "Name", "Value")) and (value := feature.get("PresentationValue"))
        }
        product = {
            "id": text_of(values.get("GeneralInfo.IcecatId")),
            "title": values.get("GeneralInfo.Title") or values.get("GeneralInfo.ProductName"),
            "description": values.get("GeneralInfo.Description.LongDesc")
            or values.get("GeneralInfo.SummaryDescription.LongSummaryDescription"),
            "brand": values.get("GeneralInfo.Brand"),
            "category": values.get("GeneralInfo.Category.Name.Value"),
            "part number": values.get("GeneralInfo.BrandPartCode"),
        }
        yield Record(row.line, features | product)


def _list(value: Any) -> list[dict[str, Any]]:
    """One or several of something, as a list of those that are objects."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _first(value: Any, *trail: str) -> str:
    """The text at the end of a trail of names; of several, the first."""
    for name in trail:
        if isinstance(value, list):
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, dict) else None
    return text_of(value[0] if isinstance(value, list) and value else value).strip()
