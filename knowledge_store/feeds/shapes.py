"""Feeds of known systems: told by their columns, and what their rows mean.

A shape makes records of rows: which row is a product, which is one of its variants, and what columns hold that others
spread over several. It keeps the rows' order and no more state than the parent at hand.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reaseq.knowledge_store.feeds import (
    amazon,
    bigcommerce,
    google,
    icecat,
    magento,
    nested,
    prestashop,
    schema_org,
    shopify,
    woocommerce,
)
from reaseq.knowledge_store.feeds.columns import folded
from reaseq.knowledge_store.feeds.rows import PLAIN, Feed, Record, Row, Writing, text_of, with_columns


@dataclass(frozen=True)
class Shape:
    """`marks` are columns that only this system's files have together, in several ways; `fields` says what its columns
    mean, `writing` where values of ours go."""

    name: str
    marks: Sequence[Sequence[str]]
    fields: Mapping[str, str]
    rows: Callable[[Iterable[Row]], Iterator[Row]]
    writing: Writing = PLAIN


def _titled_by_models(found: Iterable[Row]) -> Iterator[Row]:
    """Yandex's offers of the type vendor.model have no name (https://yandex.ru/support/merchants/en/offers)."""
    for row in found:
        if isinstance(row, Record) and not text_of(row.values.get("name")).strip():
            parts = (text_of(row.values.get(name)).strip() for name in ("typePrefix", "vendor", "model"))
            row = row._replace(values={"name": " ".join(filter(None, parts)), **row.values})
        yield row


SHAPES = (
    Shape("Shopify products", shopify.MARKS, shopify.FIELDS, shopify.rows, shopify.WRITING),
    Shape("BigCommerce products", bigcommerce.MARKS_OLD, bigcommerce.FIELDS_OLD, bigcommerce.rows),
    Shape("BigCommerce products", bigcommerce.MARKS_NEW, bigcommerce.FIELDS_NEW, bigcommerce.rows),
    Shape("WooCommerce products", woocommerce.MARKS, woocommerce.FIELDS, woocommerce.rows, woocommerce.WRITING),
    Shape("Magento products", magento.MARKS, magento.FIELDS, magento.rows, magento.WRITING),
    Shape("PrestaShop combinations", prestashop.MARKS, prestashop.FIELDS, prestashop.rows),
    Shape("Amazon flat file", amazon.MARKS, amazon.FIELDS, amazon.rows, amazon.WRITING),
    Shape("Icecat", (icecat.MARKS_XML,), icecat.FIELDS, icecat.rows_of_xml),
    Shape("Icecat", (icecat.MARKS_JSON,), icecat.FIELDS, icecat.rows_of_json),
    Shape("schema.org products", (schema_org.MARKS,), schema_org.FIELDS, schema_org.rows),
    Shape("Google Merchant products", google.MARKS, google.FIELDS, google.rows, google.WRITING),
    Shape("YML offers", (("model", "vendor"),), {}, _titled_by_models),
    Shape("products with variants, a line each", (nested.MARKS_OF_BULK,), nested.FIELDS, nested.rows_of_bulk),
    Shape("products with variants", (nested.MARKS,), nested.FIELDS, nested.rows),
)


def shaped(feed: Feed) -> Feed:
    """`feed` with its rows as the system means them that wrote it; as it is, if that is none of the known."""
    feed = _in_english(feed)
    columns = {name for one in feed.columns for name in (one, google.named(one), prestashop.named(one))}
    for shape in SHAPES:
        if any(columns.issuperset(marks) for marks in shape.marks):
            # The columns are those the rows have now: several may have become one, or one several.
            names, rows = with_columns(shape.rows(feed.rows))
            if len(names) < 2:  # nothing but variants
                names = list(dict.fromkeys([*names, *feed.columns]))
            return replace(
                feed,
                format=f"{shape.name}, {feed.format}",
                columns=names,
                rows=rows,
                fields={field: name for field, name in shape.fields.items() if name in names},
                writing=shape.writing,
            )
    return _of_pairs(feed)


def _of_pairs(feed: Feed) -> Feed:
    """A feed with columns in pairs of a name and a value (`attribute_1_name`, `attribute_1_value`), with a column of
    each name instead; any other as it is."""
    pairs = pairs_of(feed.columns)
    if not pairs:
        return feed

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                found = {text_of(row.values.get(name)).strip(): row.values.get(value) for name, value in pairs.items()}
                kept = {name: value for name, value in row.values.items() if name not in (*pairs, *pairs.values())}
                row = row._replace(values={name: value for name, value in found.items() if name} | kept)
            yield row

    columns, made = with_columns(rows())
    return replace(feed, columns=columns, rows=made)


def pairs_of(columns: Sequence[str]) -> dict[str, str]:
    """Columns of names, each with its column of values (`Attribute 1 name`, `Attribute 1 value(s)`)."""
    named = {key: column for column in columns if (key := _without(column, "name"))}
    values = {key: column for column in columns if (key := _without(column, "value"))}
    return {column: values[key] for key, column in named.items() if key in values}


def _without(column: str, word: str) -> tuple[str, ...]:
    """The words of a column's name that has a number, without this one; nothing where it does not stand there."""
    words = [one.removesuffix("s") for one in folded(re.sub(r"(\d+)", r" \1 ", column)).split()]
    there = word in words and any(one.isdigit() for one in words)
    return tuple(one for one in words if one not in (word, "")) if there else ()


def _in_english(feed: Feed) -> Feed:
    """A WooCommerce feed of a shop in another language, with the columns' own names; any other as it is."""
    names = woocommerce.english(feed.columns)
    renamed = [names.get(column, column) for column in feed.columns]
    if not names or not any(set(renamed).issuperset(marks) for marks in woocommerce.MARKS):
        return feed

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                row = row._replace(values={names.get(name, name): value for name, value in row.values.items()})
            yield row

    return replace(feed, columns=renamed, rows=rows())
