"""XML as systems write it: texts of nested markup, and what stands before the declaration."""

from pathlib import Path
from typing import Any

import pytest

from reaseq.knowledge_store.feeds.opening import open_feed, understood
from reaseq.knowledge_store.feeds.rows import Feed, FeedError, Record


def opened(tmp_path: Path, data: str) -> Feed:
    path = tmp_path / "feed.xml"
    path.write_text(data, encoding="utf-8")
    return open_feed(path)


def values(feed: Feed) -> list[dict[str, Any]]:
    return [row.values for row in feed.rows if isinstance(row, Record)]


LISTED = "<p>Nice <b>mug</b>.</p><ul><li>Holds 300 ml</li></ul>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (f"<description>{LISTED}</description>", {"description": LISTED}),
        (f"<description>\n  {LISTED}\n</description>", {"description": LISTED}),
        (f"<description><![CDATA[{LISTED}]]></description>", {"description": LISTED}),
        (f"<g:description>{LISTED}</g:description>", {"description": LISTED}),
        ("<description><html:p>Nice</html:p></description>", {"description": "<p>Nice</p>"}),
        (f"<longText>{LISTED}</longText>", {"longText": LISTED}),
        (
            '<description><div class="a"><p>Salt &amp; pepper</p><br/><a href="x">y</a></div></description>',
            {"description": '<div class="a"><p>Salt &amp; pepper</p><br/><a href="x">y</a></div>'},
        ),
        ("<description><b>Nice mug</b></description>", {"description": "<b>Nice mug</b>"}),
        ("<description><P>Nice</P><TABLE><TR><TD>a</TD></TR></TABLE></description>",
         {"description": "<P>Nice</P><TABLE><TR><TD>a</TD></TR></TABLE>"}),
        (f'<param name="More">{LISTED}</param>', {"More": LISTED}),
        ("<description><p> </p><br/></description>", {"description": ""}),
        # Elements that are called like HTML's, and are fields.
        ("<size><a>10</a><b>20</b></size>", {"size.a": "10", "size.b": "20"}),
        ("<images><img>1.jpg</img><img>2.jpg</img></images>", {"images.img": ["1.jpg", "2.jpg"]}),
        ('<params><p name="Colour">red</p></params>', {"params.p.name": "Colour", "params.p.text": "red"}),
        ('<imgs><i url="1.jpg"/></imgs>', {"imgs.i.url": "1.jpg"}),
        ("<data><p>Nice</p><weight>3</weight></data>", {"data.p": "Nice", "data.weight": "3"}),
        ("<features><li>red</li><li>soft</li></features>", {"features.li": ["red", "soft"]}),
    ],
)  # fmt: skip
def test_a_text_of_nested_markup_is_text(tmp_path: Path, inner: str, expected: dict[str, Any]) -> None:
    spaces = 'xmlns:g="http://base.google.com/ns/1.0" xmlns:html="http://www.w3.org/1999/xhtml"'
    feed = opened(tmp_path, f"<feed {spaces}><item><id>1</id><title>Mug</title>{inner}</item></feed>")
    assert values(feed) == [{"id": "1", "title": "Mug"} | expected]


def test_texts_with_and_without_markup_stand_in_one_column(tmp_path: Path) -> None:
    items = "".join(
        f"<item><id>{number}</id><title>Mug</title><description>{text}</description></item>"
        for number, text in enumerate(("Plain.", LISTED, "<p>One.</p><p>Two.</p>", ""))
    )
    feed, mapping = understood(opened(tmp_path, f"<feed>{items}</feed>"))
    assert mapping["description"] == "description"
    assert [one["description"] for one in values(feed)] == ["Plain.", LISTED, "<p>One.</p><p>Two.</p>", ""]


DECLARED = '<?xml version="1.0" encoding="UTF-8"?>'
WARNING = "Warning: Undefined index: foo in /var/www/feed.php on line 12"


@pytest.mark.parametrize(
    ("front", "told"),
    [
        ("", None),
        ("\n\n", None),
        ("\ufeff\n", None),
        ("<!-- made by a shop -->", None),
        ("<!-- made by a shop,\n2 lines -->\n", None),
        ("\n\n<!-- one --> <!-- two -->\n\n", None),
        (f"{WARNING}\n", f"1 line before <?xml left out: {WARNING}"),
        (f"\n{WARNING}\n", f"1 line before <?xml left out: {WARNING}"),
        (f"{WARNING}\n\n{WARNING}\nStack trace, 2\n", f"3 lines before <?xml left out: {WARNING}"),
        (f"PHP {WARNING}", f"1 line before <?xml left out: PHP {WARNING}"),
        ("<br />\n<b>Notice</b>:  Undefined: a, b in <b>x.php</b> on line <b>3</b><br />\n",
         "1 line before <?xml left out: Notice:  Undefined: a, b in x.php on line 3"),
        ("Connected.\n", "1 line before <?xml left out: Connected."),
    ],
)  # fmt: skip
def test_what_stands_before_the_declaration(tmp_path: Path, front: str, told: str | None) -> None:
    items = "\n".join(f"<item><id>{number}</id><title>Müg</title></item>" for number in range(3))
    feed = opened(tmp_path, f"{front}{DECLARED}\n<feed>\n{items}</feed>")
    assert feed.doubts == (() if told is None else (told,))
    lines = front.count("\n") + 3
    assert list(feed.rows) == [Record(lines + at, {"id": str(at), "title": "Müg"}) for at in range(3)]


@pytest.mark.parametrize(
    "data",
    [
        f"id,title\n1,Mug\n{DECLARED}<feed/>\n",
        f"<feed><item><id>1</id><title>Warning: hot</title><code><![CDATA[{DECLARED}]]></code></item></feed>",
        f"<feed><!-- {DECLARED} --><item><id>1</id><title>Mug</title></item></feed>",
        f"<!-- {DECLARED} --><feed><item><id>1</id><title>Mug</title></item></feed>",
    ],
)
def test_a_declaration_within_something_else_begins_nothing(tmp_path: Path, data: str) -> None:
    feed = opened(tmp_path, data)
    assert feed.doubts == ()
    assert values(feed)[0]["id"] == "1"


def test_a_warning_without_a_declaration_is_no_xml(tmp_path: Path) -> None:
    with pytest.raises(FeedError):
        values(opened(tmp_path, f"{WARNING}\n"))


def _texts(language: str, text: str) -> str:
    return f'<long_desc xml:lang="{language}">{text}</long_desc>'


_BOTH = _texts("eng", "Warm <b>boot</b>") + _texts("fre", "Botte chaude")
_TRANSLATED = (
    '<translations><translation lang="en"><name>Boot</name><description>Warm</description></translation>'
    '<translation lang="de"><name>Stiefel</name><description>Warmer</description></translation></translations>'
)


@pytest.mark.parametrize(
    ("inner", "locale", "expected"),
    [
        (f"<title>Boot</title><description>{_BOTH}</description>", None, ("Boot", "Warm <b>boot</b>", None)),
        (f"<title>Boot</title><description>{_BOTH}</description>", "fr", ("Boot", "Botte chaude", None)),
        ('<title>Boot</title><description><text xml:lang="eng">Warm</text><text xml:lang="ger">Warmer</text>'
         "</description>",
         "de", ("Boot", "Warmer", None)),
        ('<names><name lang="ger">Stiefel</name><name lang="eng">Boot</name></names>'
         '<desc lang="ger"><p>Warmer</p></desc>'
         '<desc lang="eng"><p>Warm</p></desc>', "en", ("Boot", "<p>Warm</p>", None)),
        ('<name type="name" xml:lang="pol">But</name><description xml:lang="pol"/>', None, ("But", "", None)),
        (_TRANSLATED, None, ("Boot", "Warm", None)),
        (_TRANSLATED, "de", ("Stiefel", "Warmer", None)),
        ("<brand><id>4</id><title>Acme</title></brand><name>Boot</name>", None, ("Boot", None, "Acme")),
        ("<brand><id>4</id><title>Acme</title></brand><unit><name>pcs</name></unit><category><title>Shoes</title></category>"
         "<general><name>Boot</name></general>", None, ("Boot", None, "Acme")),
        ('<producer id="7" name="Acme"/><description><name>Boot</name><long>Warm</long></description>', None,
         ("Boot", "Warm", "Acme")),
    ],
)  # fmt: skip
def test_texts_stand_in_elements_and_languages(
    tmp_path: Path, inner: str, locale: str | None, expected: tuple[str | None, ...]
) -> None:
    items = "".join(f"<product><id>{at}</id>{inner}<price>9</price></product>" for at in range(2))
    feed, mapping = understood(opened(tmp_path, f"<products>{items}</products>"), None, locale)
    first, _ = values(feed)
    assert tuple(first.get(mapping[one]) if one in mapping else None for one in ("title", "description", "brand")) == (
        expected
    )
    assert not [name for name in first if "{" in name]


def test_the_language_that_a_file_says_comes_first(tmp_path: Path) -> None:
    name = '<name xml:lang="eng">Boot</name><name xml:lang="pol">But</name>'
    item = f"<product><id>1</id>{name}<price>9</price></product>"
    feed, mapping = understood(opened(tmp_path, f'<products language="pol" currency="PLN">{item}</products>'))
    (row,) = values(feed)
    assert (row[mapping["title"]], row[mapping["currency"]]) == ("But", "PLN")
