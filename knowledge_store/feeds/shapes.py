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
    bmecat,
    ebay,
    further_rows,
    google,
    icecat,
    iof,
    magento,
    nested,
    nopcommerce,
    prestashop,
    salesforce,
    schema_org,
    shopify,
    variant_lines,
    woocommerce,
)
from reaseq.knowledge_store.feeds.columns import apart, cost, fields_of, folded, names_options
from reaseq.knowledge_store.feeds.prices import parse_price
from reaseq.knowledge_store.feeds.quantities import without_scales
from reaseq.knowledge_store.feeds.rows import (
    ONLY_NAMED,
    PLAIN,
    Feed,
    Record,
    Row,
    Variant,
    Writing,
    identifier,
    is_empty,
    text_of,
    with_columns,
)
from reaseq.knowledge_store.names import identities

_PARENTS = frozenset(
    ("parent", "parent id", "parent sku", "parent code", "parent product", "parent product id", "parent identifier")
)
_GROUPS = frozenset(("group id", "itemgroup id", "item group id", "product group id"))
_OPTIONS = frozenset(("option", "options", "attribute", "attributes", "variant options", "variation", "variations"))
"""Columns, folded."""
_BETWEEN = "|;\n,"
_PAIR = re.compile(r"\s*([^:=]{1,40}?)\s*[:=]\s*(.*\S)\s*", re.DOTALL)


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
    Shape("eBay listings", ebay.MARKS, {}, ebay.rows),
    Shape("eBay listings", ebay.MARKS_OF_LISTINGS, ebay.FIELDS_OF_LISTINGS, ebay.rows_of_listings),
    Shape("BMEcat", bmecat.MARKS, bmecat.FIELDS, bmecat.rows),
    Shape("Icecat", (icecat.MARKS_XML,), icecat.FIELDS, icecat.rows_of_xml),
    Shape("Icecat", (icecat.MARKS_JSON,), icecat.FIELDS, icecat.rows_of_json),
    Shape("schema.org products", (schema_org.MARKS,), schema_org.FIELDS, schema_org.rows),
    Shape("Salesforce Commerce", salesforce.MARKS, salesforce.FIELDS, salesforce.rows),
    Shape("Google Merchant products", google.MARKS, google.FIELDS, google.rows, google.WRITING),
    Shape(
        "Vendure products",
        further_rows.MARKS_OF_VENDURE,
        further_rows.FIELDS_OF_VENDURE,
        further_rows.rows_of_vendure,
        Writing(system=frozenset(("optionGroups", "optionValues", "facets", "taxCategory"))),
    ),
    Shape(
        "commercetools products",
        variant_lines.MARKS_OF_COMMERCETOOLS,
        variant_lines.FIELDS_OF_COMMERCETOOLS,
        variant_lines.rows_of_commercetools,
        Writing(system=frozenset(("productType", "categories"))),
    ),
    Shape("Spree products", variant_lines.MARKS_OF_SPREE, variant_lines.FIELDS_OF_SPREE, variant_lines.rows_of_spree),
    Shape(
        "Rakuten items",
        variant_lines.MARKS_OF_RAKUTEN,
        variant_lines.FIELDS_OF_RAKUTEN,
        variant_lines.rows_of_rakuten,
    ),
    Shape("Odoo products", further_rows.MARKS_OF_ODOO, {}, further_rows.rows_of_odoo),
    Shape(
        "Odoo products",
        further_rows.MARKS_OF_ODOO_VARIANTS,
        further_rows.FIELDS_OF_ODOO,
        further_rows.rows_of_odoo_variants,
    ),
    Shape(
        "Odoo variants",
        further_rows.MARKS_OF_ODOO_VALUES,
        further_rows.FIELDS_OF_ODOO,
        further_rows.rows_of_odoo_values,
    ),
    Shape("YML offers", (("model", "vendor"),), {}, _titled_by_models),
    Shape("nopCommerce products", nopcommerce.MARKS, nopcommerce.FIELDS, nopcommerce.rows),
    Shape("IOF offer", iof.MARKS, iof.FIELDS, iof.rows),
    Shape("products with variants, a line each", (nested.MARKS_OF_BULK,), nested.FIELDS, nested.rows_of_bulk),
    Shape("products with variants", nested.MARKS, nested.FIELDS, nested.rows),
)


_NAMED = google.named, prestashop.named, further_rows.named, further_rows.named_of_odoo


def shaped(feed: Feed) -> Feed:
    """`feed` with its rows as the system means them that wrote it; as it is, if that is none of the known."""
    feed, names_of = _in_english(feed)
    columns = {name for one in feed.columns for name in (one, *(of(one) for of in _NAMED))}
    for shape in SHAPES:
        if any(columns.issuperset(marks) for marks in shape.marks):
            # The columns are those the rows have now: several may have become one, or one several.
            system = {own for own, of in names_of.items() if of in shape.writing.system}
            names, rows = with_columns(shape.rows(feed.rows))
            if len(names) < 2:  # nothing but variants
                names = list(dict.fromkeys([*names, *feed.columns]))
            return replace(
                feed,
                format=f"{shape.name}, {feed.format}",
                columns=names,
                rows=rows,
                fields={field: name for field, name in shape.fields.items() if name in names},
                writing=replace(shape.writing, system=shape.writing.system | system),
            )
    return without_scales(_with_parents(_of_pairs(_with_features(feed))))


def _with_parents(feed: Feed) -> Feed:
    """A feed whose rows may name a product that they are a variant of, or a group of offers that are one product's,
    with such rows as variants; any other as it is. A row with a title that names a parent stays a product."""
    parent = next((column for column in feed.columns if folded(column) in _PARENTS), "")
    group = next((column for column in feed.columns if folded(column) in _GROUPS), "")
    fields = fields_of(feed.columns) if parent or group else {}
    id_column, title = fields.get("id", ""), fields.get("title", "")
    if not id_column or id_column in (parent, group) or not {"title", "price", "list_price"} & fields.keys():
        return feed

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record) and not row.variants:
                of_variant = is_empty(row.values.get(title)) or (parent and _chosen(row))
                yield _as_variant(row, fields, parent) if of_variant else _as_offer(row, fields, group)
            else:
                yield row

    return replace(feed, rows=rows())


def _as_variant(row: Record, fields: Mapping[str, str], parent: str) -> Record:
    """A row without a title, or with options of its own, as a variant of the product that it names."""
    of, own = identifier(row.values.get(parent)), identifier(row.values.get(fields["id"]))
    if of in ("", "0") or not own or of == own:
        return row
    return Record(row.line, {fields["id"]: of}, (_variant(row, fields, own, of, parent),), product=False)


def _as_offer(row: Record, fields: Mapping[str, str], group: str) -> Record:
    """A row of a group as its product, and as a variant of that."""
    of, own = identifier(row.values.get(group)), identifier(row.values.get(fields["id"]))
    differs = any(names_options(name) and not is_empty(value) for name, value in row.values.items())
    if not of or not own or not differs:
        return row
    variant = _variant(row, fields, own, of, group)
    product = {name: value for name, value in row.values.items() if name not in variant.options and name != group}
    product[fields["id"]] = of
    return Record(row.line, product, (variant._replace(attributes={}),))


def _chosen(row: Record) -> dict[str, str]:
    """Options as WooCommerce's interface has them: `"attributes": [{"name": "Color", "option": "Black"}]`."""
    listed = row.values.get("attributes")
    pairs = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {text_of(one.get("name")): text_of(one["option"]) for one in pairs if one.get("name") and one.get("option")}


def _packed(text: str) -> dict[str, str]:
    """Options that one cell holds with their names (`color: red|size: 40`); none where a part has no name."""
    signs = [sign for sign in _BETWEEN if sign in text]
    for parts in (*(text.split(sign) for sign in signs), [text]):
        pairs = [_PAIR.fullmatch(part) for part in parts if part.strip()]
        found = {pair[1]: pair[2] for pair in pairs if pair is not None}
        if pairs and len(found) == len(pairs):
            return found
    return {}


def _variant(row: Record, fields: Mapping[str, str], own: str, of: str, named_by: str) -> Variant:
    price = fields.get("price", "")
    used = {named_by, fields["id"]} | ({price} if parse_price(row.values.get(price))[0] is not None else set())
    cells = {name: value for name, value in row.values.items() if name not in used}
    options = {name: text_of(value).strip() for name, value in cells.items() if names_options(name) and text_of(value)}
    texts = {name: value for name, value in cells.items() if isinstance(value, str) and folded(name) in _OPTIONS}
    packed = {name: found for name, text in texts.items() if (found := _packed(text))}
    if chosen := _chosen(row):
        packed["attributes"] = chosen
    options |= {name: value for found in packed.values() for name, value in found.items()}
    said = {name: value for name, value in cells.items() if name not in (*options, *packed)}
    names = tuple((name, said[name]) for name in identities(list(said), None))
    said = {name: value for name, value in said.items() if name not in dict(names)}
    return Variant(own, of, options or {ONLY_NAMED: own}, cost(row.values, fields), names, said)


def _with_features(feed: Feed) -> Feed:
    """A feed with a column of PrestaShop's features with one of each instead; any other as it is."""
    column = next(filter(prestashop.names_features, feed.columns), "")
    if not column:
        return feed

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record) and (said := prestashop.features(text_of(row.values.get(column)))):
                kept = {name: value for name, value in row.values.items() if name != column}
                row = row._replace(values={**kept, **{apart(name, kept): value for name, value in said.items()}})
            yield row

    columns, made = with_columns(rows())
    return replace(feed, columns=columns, rows=made)


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
                if found.get("Title") == "Default Title":  # as Shopify writes that there is none
                    del found["Title"]
                found = {apart(name, kept): value for name, value in found.items() if name}
                row = row._replace(values={**kept, **found})
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


def _in_english(feed: Feed) -> tuple[Feed, dict[str, str]]:
    """A WooCommerce feed of a shop in another language, with the columns' own names, and what they were called; any
    other as it is."""
    names = woocommerce.english(feed.columns)
    renamed = [names.get(column, column) for column in feed.columns]
    if not names or not any(set(renamed).issuperset(marks) for marks in woocommerce.MARKS):
        return feed, {}

    def rows() -> Iterator[Row]:
        for row in feed.rows:
            if isinstance(row, Record):
                row = row._replace(values={names.get(name, name): value for name, value in row.values.items()})
            yield row

    return replace(feed, columns=renamed, rows=rows()), names
