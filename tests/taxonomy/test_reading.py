"""What code reads in product texts, in many languages, plain and as HTML: labels, denial, mention, parts."""

import html
from collections.abc import Callable

import pytest

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for


def lexicon_of(category: str) -> Lexicon:
    schema = starter_for(category)
    assert schema is not None
    return Lexicon(schema)


SHOES, LAPTOPS, BICYCLES, JEWELLERY = map(lexicon_of, ("shoes", "laptops", "bicycles", "jewellery"))


def verified(lexicon: Lexicon, title: str, description: str = "", **columns: str) -> dict[str, set[str]]:
    """Attribute to the values that code alone verifies, but for what kind of thing it is."""
    sources = {"title": title, "description": description}
    sources |= {f"attributes.{name.replace('_', ' ')}": text for name, text in columns.items()}
    found: dict[str, set[str]] = {}
    for claim in ground({}, Document(sources), lexicon):
        if claim["status"] == "verified" and claim["facet"] == "supply" and claim["attribute"] != lexicon.labels.kind:
            found.setdefault(claim["attribute"], set()).add(claim["value"])
            assert claim["confidence"] is not None
            assert sources[claim["field"] or ""][claim["start"] : claim["end"]] == claim["quote"]
    return found


def plain(text: str) -> str:
    return text


def paragraph(text: str) -> str:
    return f'<div class="d"><p style="color:red">{html.escape(text, quote=False)}</p></div>'


def rows(text: str) -> str:
    """Each "label: value" line as the row of a table."""
    made = []
    for line in text.replace("：", ":").split("\n"):
        label, _, value = line.partition(":")
        made.append(f"<tr><td>{label.strip()}</td><td>{value.strip()}</td></tr>")
    return f"<table>{''.join(made)}</table>"


def items(text: str) -> str:
    return "<ul>" + "".join(f"<li><b>{line}</b></li>" for line in text.split("\n")) + "</ul>"


def escaped(text: str) -> str:
    return html.escape(paragraph(text))


SPEC = {
    "en": ("Boot", "Upper: Leather\nSole: Rubber\nLining: Textile\nInsole: Suede\nWaterproof: No"),
    "de": ("Stiefel", "Obermaterial: Leder\nSohle: Gummi\nFutter: Textil\nDecksohle: Wildleder\nWasserdicht: nein"),
    "fr": (
        "Bottines",
        "Tige : cuir\nSemelle : caoutchouc\nDoublure : textile\nSemelle intérieure : daim\nImperméable : non",
    ),
    "es": ("Botines", "Corte: piel\nSuela: goma\nForro: textil\nPlantilla: ante\nImpermeable: no"),
    "it": ("Stivaletti", "Tomaia: pelle\nSuola: gomma\nFodera: tessuto\nSoletta: camoscio\nImpermeabile: no"),
    "nl": ("Laarzen", "Bovenmateriaal: leer\nZool: rubber\nVoering: textiel\nBinnenzool: suède\nWaterdicht: nee"),
    "sv": ("Kängor", "Ovandel: läder\nSula: gummi\nFoder: textil\nInnersula: mocka\nVattentät: nej"),
    "ja": ("ブーツ", "アッパー：本革\nソール：ゴム\n裏地：テキスタイル\n中敷き：スエード\n防水：なし"),
    "zh": ("靴子", "鞋面：真皮\n鞋底：橡胶\n里料：纺织\n鞋垫：绒面革\n防水：否"),
}


@pytest.mark.parametrize("written", [plain, rows, items, paragraph, escaped], ids=lambda written: written.__name__)
@pytest.mark.parametrize("language", SPEC)
def test_a_label_says_whose_a_value_is(language: str, written: Callable[[str], str]) -> None:
    title, text = SPEC[language]
    found = verified(SHOES, title, written(text))
    assert found == {"upper_material": {"leather"}, "sole_material": {"rubber"}}


@pytest.mark.parametrize(
    "text",
    [
        "Sole: Rubber",
        "Sole - rubber",
        "Sole – rubber",
        "Sole = rubber",
        "Sole (rubber)",
        "Rubber (sole)",
        "Outsole material: rubber",
        "Lining: leather, Sole: Rubber",
        "Lining - leather, Sole - rubber",
        "sole rubber",
        "rubber sole",
        "Sole made of rubber",
        "The sole is rubber.",
        "| Sole | Rubber |",
        "Sole\tRubber",
        "• Sole: rubber • Lining: leather",
        "Upper: see picture Sole: Rubber Origin: Italy",
        "<dl><dt>Sole</dt><dd>Rubber</dd><dt>Insole</dt><dd>Leather</dd></dl>",
        "<table><tr><th>Lining</th><th>Sole</th></tr><tr><td>Leather</td><td>Rubber</td></tr></table>",
        "<h3>Sole</h3><p>Rubber</p>",
        "[vc_row][vc_column_text el_class='leather']Sole: rubber[/vc_column_text][/vc_row]",
        "Made well.\\nSole: rubber\\nLining: leather",
        "Sohle aus Gummi",
        "semelle en caoutchouc",
        "suela de goma",
        "suola in gomma",
        "rubberen zool, zool van rubber",
        "sula av gummi",
        "ゴムソール",
        "ソールはゴム",
        "橡胶鞋底",
        "鞋底采用橡胶",
    ],
)
def test_a_sole_of_rubber_in_every_way_of_writing(text: str) -> None:
    assert verified(SHOES, "Boot", text) == {"sole_material": {"rubber"}}


@pytest.mark.parametrize(
    "text",
    [
        "Waterproof: No",
        "Waterproof - no",
        "Waterproof? No.",
        "Waterproof = false",
        "Waterproof: 0",
        "Waterproof: n/a",
        "Waterproof (no)",
        "Waterproof: No, but water kept out for a while",
        "Is it waterproof? Unfortunately not.",
        "Is it waterproof?",
        "This boot is anything but waterproof.",
        "non-waterproof",
        "not waterproof",
        "It isn't really waterproof.",
        "neither windproof nor waterproof",
        "Wasserdicht: nein",
        "leider nicht wasserdicht",
        "Ist er wasserdicht? Leider nein.",
        "Imperméable : non",
        "pas imperméable",
        "Impermeable: no",
        "no es impermeable",
        "non è impermeabile",
        "niet waterdicht",
        "inte vattentät",
        "ei vedenpitävä",
        "防水：なし",
        "防水ではありません",
        "非防水",
        "防水：否",
        "不防水",
        "waterproof spray recommended",
        "Waterproof cover sold separately",
        "A waterproof bag is not included.",
        "Wasserdichte Hülle separat erhältlich",
        "Housse imperméable vendue séparément",
        "防水スプレー別売り",
    ],
)
def test_what_is_denied_or_not_of_this_product(text: str) -> None:
    assert "water_protection" not in verified(SHOES, "Boot", text)


@pytest.mark.parametrize(
    "text",
    [
        "Waterproof: Yes",
        "Waterproof: true",
        "Waterproof? Yes!",
        "<li>Waterproof</li>",
        "Waterproof upper",
        "not only light but waterproof boots",
        "Wasserdicht: ja",
        "Imperméable : oui",
        "Impermeable: sí",
        "Vattentät: ja",
        "防水：あり",
        "防水：是",
    ],
)
def test_what_is_affirmed(text: str) -> None:
    assert verified(SHOES, "Boot", text)["water_protection"] == {"waterproof"}


@pytest.mark.parametrize(
    "text",
    [
        "Leather-free",
        "0% leather",
        "leather: 0 %",
        "Pairs well with our leather belt",
        "Looks like leather",
        "leather look",
        "leather-effect finish",
        "Also available in leather",
        "Fits over leather shoes? No.",
        "leather lining",
        "lined with leather",
        "leather laces",
        "Leather heel cap",
        "collar in soft leather",
        "Packaging: leather",
        "<h3>You may also like</h3><p>Leather boots</p>",
        "Ohne Leder",
        "frei von Leder",
        "Innenfutter aus Leder",
        "Lederoptik",
        "Passt gut zu Leder",
        "sans cuir",
        "doublure en cuir",
        "aspect cuir",
        "va bien avec un sac en cuir",
        "forro de piel",
        "efecto piel",
        "fodera in pelle",
        "voering van leer",
        "foder av läder",
        "本革不使用",
        "裏地は本革",
        "本革調",
        "内里真皮",
        "仿真皮",
        '<p>Nice.</p><style>.leather{color:red}</style><script>var a="leather"</script><!-- leather -->',
        "<noscript>leather</noscript>",
        '<img src="leather.jpg" alt="leather"><a href="/leather-boots">see</a>',
        "https://shop.example/leather-boots",
    ],
)
def test_leather_that_is_not_the_upper(text: str) -> None:
    assert "upper_material" not in verified(SHOES, "Boot", text)


@pytest.mark.parametrize(
    "text",
    [
        "Upper: Leather, Sole: Rubber",
        "Sole (rubber), upper (leather)",
        "100% leather",
        "0% canvas, 100 % leather",
        "Looks like canvas but is leather",
        "The boots are built of soft, supple leather.",
        "100 % Leder",
        "100% cuir",
        "本革アッパー",
        "鞋面为真皮",
    ],
)
def test_a_leather_upper(text: str) -> None:
    assert verified(SHOES, "Boot", text)["upper_material"] == {"leather"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"Sole": "rubber"}, {"sole_material": {"rubber"}}),
        ({"outsoleMaterial": "Rubber"}, {"sole_material": {"rubber"}}),
        ({"Colour": "Navy"}, {"color": {"blue"}}),
        ({"baseColour": "Navy"}, {"color": {"blue"}}),
        ({"pa_color": "navy"}, {"color": {"blue"}}),
        ({"Farbe": "blau"}, {"color": {"blue"}}),
        ({"Sole_colour": "white"}, {}),
        ({"Lining": "leather"}, {}),
        ({"Waterproof": "Yes"}, {"water_protection": {"waterproof"}}),
        ({"Waterproof": "No"}, {}),
        ({"Waterproof": "false"}, {}),
        ({"specs": '{"Upper": "Leather", "Sole": {"material": "Rubber"}, "Lining": "Wool"}'},
         {"upper_material": {"leather"}, "sole_material": {"rubber"}}),
        ({"details": '[{"name": "Sole", "value": "Rubber"}, {"name": "Waterproof", "value": "No"}]'},
         {"sole_material": {"rubber"}}),
        ({"details": "Sole: Rubber|Upper: Leather|Lining: Wool"},
         {"upper_material": {"leather"}, "sole_material": {"rubber"}}),
    ],
)  # fmt: skip
def test_a_column_is_a_label(columns: dict[str, str], expected: dict[str, set[str]]) -> None:
    assert verified(SHOES, "Boot", **columns) == expected


@pytest.mark.parametrize(
    ("lexicon", "title", "description", "columns", "expected"),
    [
        (LAPTOPS, "Aspire 5", "",
         {"RAM": "8 GB", "Storage": "512 GB SSD", "Screen_size": "15.6 inch", "Weight": "1.7 kg"},
         {"working_memory": {"8 GB"}, "storage": {"512 GB"}, "screen_size": {"15.6 in"}, "weight": {"1700 g"}}),
        (LAPTOPS, "Notebook Falke", "", {"Weight_(kg)": "1.7", "spec_1": "true"}, {"weight": {"1700 g"}}),
        (LAPTOPS, "Notebook Falke", "Weight (kg): 1.7", {}, {"weight": {"1700 g"}}),
        (LAPTOPS, "Notebook Falke", "Shipping weight: 3 kg", {}, {}),
        (LAPTOPS, "Notebook Falke", "Gewicht: 1,7 kg", {}, {"weight": {"1700 g"}}),
        (LAPTOPS, "Notebook Falke", "Poids : 1,7 kg", {}, {"weight": {"1700 g"}}),
        (LAPTOPS, "ノートパソコン laptop", "重量：1.7 kg", {}, {"weight": {"1700 g"}}),
        (BICYCLES, "Road bike", "Weight of the wheelset 2400 +/- 10 g", {}, {}),
        (BICYCLES, "Road bike", "Weight: 9,400 ± 100 g", {}, {"weight": {"9400 g"}}),
        (BICYCLES, "Road bike", "Maximum rider weight 120 kg", {}, {}),
        (BICYCLES, "Road bike", "Weight 8-9 kg", {}, {}),
        (SHOES, "Boot", "Heel height: 5 cm. Platform: 2 cm", {}, {"heel_height": {"5 cm"}}),
        (SHOES, "Boot", "Absatzhöhe: 5 cm", {}, {"heel_height": {"5 cm"}}),
        (SHOES, "Boot", "Hauteur du talon : 5 cm", {}, {"heel_height": {"5 cm"}}),
        (SHOES, "ブーツ", "ヒール高：5cm", {}, {"heel_height": {"5 cm"}}),
        (SHOES, "靴子", "跟高：5cm", {}, {"heel_height": {"5 cm"}}),
        (SHOES, "Boot", "heel 5 1/2 cm", {}, {}),
        (SHOES, "Boot", "heel 5¼ cm", {}, {}),
    ],
)  # fmt: skip
def test_measures(
    lexicon: Lexicon, title: str, description: str, columns: dict[str, str], expected: dict[str, set[str]]
) -> None:
    found = verified(lexicon, title, description, **columns)
    assert {name: values for name, values in found.items() if name in expected or "weight" in name} == expected


@pytest.mark.parametrize(
    ("lexicon", "title", "columns", "denied"),
    [
        (BICYCLES, "Lock for folding bikes", {}, "folding bike"),
        (BICYCLES, "Handlebar for mountain bike, black", {}, "mountain bike"),
        (BICYCLES, "Fahrradschloss für Falträder", {}, "folding bike"),
        (BICYCLES, "Antivol pour vélo pliant folding bike", {}, "folding bike"),
        (SHOES, "Shoe rack for sneakers", {}, "sneaker"),
        (SHOES, "Boot spray", {}, "boot"),
        (SHOES, "Laces for running shoes", {}, "running shoe"),
        (JEWELLERY, "Interlocked heart earrings", {"color": "Silver", "Material": "Iron alloy"}, "sterling silver"),
    ],
)
def test_what_a_product_is_not(lexicon: Lexicon, title: str, columns: dict[str, str], denied: str) -> None:
    sources = {"title": title} | {f"attributes.{name}": text for name, text in columns.items()}
    claims = ground({}, Document(sources), lexicon)
    assert denied not in {claim["value"] for claim in claims if claim["status"] == "verified"}


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Women's Trail Running Shoes", "trail running shoe"),
        ("Chelsea Boot with shoe laces", "ankle boot"),
        ("Nordal - waterproof hiking boot", "hiking boot"),
        ("Sandals for men", "sandal"),
        ("Damen Wanderschuh aus Leder", "hiking shoe"),
        ("Pump, 7 cm, black", "pump"),
    ],
)
def test_the_head_of_the_title_says_what_it_is(title: str, expected: str) -> None:
    (claim,) = [
        claim
        for claim in ground({}, Document({"title": title}), SHOES)
        if claim["attribute"] == "shoe_type" and claim["status"] == "verified"
    ]
    assert claim["value"] == expected


def test_a_column_outweighs_prose() -> None:
    sources = {"title": "Boot in black", "description": "Also fine in red.", "attributes.Colour": "White"}
    claims = [claim for claim in ground({}, Document(sources), SHOES) if claim["attribute"] == "color"]
    assert {(claim["value"], claim["status"]) for claim in claims if claim["value"] != "red"} == {
        ("white", "verified"),
        ("black", "proposed"),
    }
    assert "the Colour says 'White'" in next(claim["verdict"] for claim in claims if claim["value"] == "black")


def test_what_the_text_denies_is_kept_as_denied() -> None:
    claims = ground({}, Document({"title": "Boot", "description": "Waterproof: No"}), SHOES)
    (denied,) = [claim for claim in claims if claim["attribute"] == "water_protection"]
    assert (denied["status"], denied["quote"]) == ("rejected", "Waterproof")
    assert denied["verdict"].startswith("the text denies it")
