"""Clauses that speak of another than the product: of another version, of all of a kind, of former times."""

import pytest

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.evidence import Evidence
from tests.taxonomy.test_claims import Case, lexicon_of, verified

SAID: list[Case] = [
    ("shoes", "Kea", "Slim style that goes with everything, made of premium nubuck.", "upper_material=nubuck"),
    ("shoes", "Trail Mid GTX", "The GTX version is waterproof, the standard is not.", "water_protection=waterproof"),
    ("shoes", "Trail Mid", "Die Mid-Version ist wasserdicht, die Low nicht.", "water_protection=waterproof"),
    ("shoes", "Kea", "This shoe is waterproof, the sole is not.", "water_protection=waterproof"),
    (
        "trousers",
        "Pantalon Est",
        "Contrairement au pantalon Ouest, qui est en laine, celui-ci est en coton.",
        "fabric=cotton",
    ),
    ("shirts", "Kea", "Der Liebling vom letzten Jahr ist aus Baumwolle.", "material=cotton"),
    ("shoes", "Lace-free Slip-On", "A shoe.", "closure=slip-on"),
    ("shoes", "Kea", "Zero drop and a leather upper.", "upper_material=leather"),
    ("shoes", "Kea", "Rubber soles finish the look.", "sole_material=rubber"),
    ("jewellery", "Chocolate Ring", "", "color=brown"),
    ("shoes", "Kea", "It takes the touch of calfskin leather and adds a rubber outsole.", "sole_material=rubber"),
    ("shoes", "Jordan Hydro", "The Jordan Hydro works as an everyday, anytime slide.", "shoe_type=slide"),
    # What it consists of, and is not worn with.
    ("trousers", "Kea", "Paired with soft, stretchy fabric it moves.", "need=stretch"),
    ("shoes", "Kea", "Cushioning works with a flexible outsole.", "need=flexibility"),
    ("shoes", "Kea", "It has the traction needed to win.", "need=grip"),
    ("shoes", "Kea", "It molds to your foot for a comfortable fit.", "need=comfort"),
    ("skin_care", "Serum", "Wear this serum with vitamin C.", "ingredient=vitamin C"),
    ("shoes", "Kea", "A trendy spin on this sporty silhouette.", "style=sporty"),
]
DENIED: list[Case] = [
    ("shoes", "Trail Low", "The mid is waterproof, the low is not.", "water_protection=waterproof"),
    ("shoes", "Trailschuh Low", "Die Mid ist wasserdicht, die Low nicht.", "water_protection=waterproof"),
    ("shoes", "Chaussure basse", "La montante est imperméable, la basse non.", "water_protection=waterproof"),
    ("shoes", "Zapatilla baja", "La media es impermeable, la baja no.", "water_protection=waterproof"),
    ("shoes", "Scarpa bassa", "La media è impermeabile, la bassa no.", "water_protection=waterproof"),
    ("jackets", "Kea", "Zero down fill.", "filling=down"),
    ("jackets", "Kea", "Niente piuma d'oca, niente lana.", "filling=down"),
    ("jackets", "Kea", "Pas un gramme de cuir.", "fabric=leather"),
    ("jackets", "Kea", "Kein Gramm Leder.", "fabric=leather"),
    ("jackets", "Kea", "Ni un gramo de cuero.", "fabric=leather"),
    ("jackets", "Kea", "Not an ounce of leather.", "fabric=leather"),
]
NOT_SAID: list[Case] = [
    ("shoes", "Kea", "With rubber outsole inserts.", "sole_material=rubber"),
    ("shoes", "Kea", "First designed as a grippy soccer shoe, today it is an icon.", "need=grip"),
    ("shirts", "Kea", "Im letzten Jahr gab es sie noch aus Leinen.", "material=linen"),
    ("shirts", "Kea", "Im Vorjahr noch aus Leinen, jetzt neu.", "material=linen"),
    ("shoes", "Kea", "Frühere Modelle hatten eine Gummisohle, die neue ist leichter.", "sole_material=rubber"),
    (
        "shoes",
        "Forest Grove",
        "The original Forest Grove had a grid to give runners extra cushioning.",
        "need=cushioning",
    ),
    ("shoes", "Kea", "Perfect for anyone who hates zips.", "closure=zip"),
    ("coffee", "Kea", "Some customers find it nutty.", "flavor=nutty"),
    ("jackets", "コート", "ダウンは入っておりません。", "filling=down"),
    ("bags", "バッグ", "商品自体に防水性はありません。", "water_protection=waterproof"),
    ("shoes", "低帮跑鞋", "本款为低帮。雨天请选择GTX高帮款。", "water_protection=waterproof"),
    ("lamps", "Farol", "Parece solar, pero no lo es.", "supply=solar"),
    ("lamps", "Lantern", "It looks solar but it isn't.", "supply=solar"),
    ("trousers", "Pantalon", "Poches factices à l'arrière.", "need=pockets"),
    ("jewellery", "Colgante", "El colgante imita una perla: es de resina.", "stone=pearl"),
    ("jewellery", "Bague", "Un bleu saphir profond.", "stone=sapphire"),
    ("jackets", "Veste", "Seule la pièce au dos est en cuir véritable.", "fabric=leather"),
    ("jackets", "Giacca", "Solo la toppa sul retro è in vera pelle.", "fabric=leather"),
    ("jackets", "Coat", "Once waterproof, this jacket is now showerproof.", "need=rain protection"),
    ("bags", "Sac", "Photographié en bleu, livré en rouge.", "color=blue"),
    ("jewellery", "Anello", "Versione con diamanti naturali su richiesta.", "stone=diamond"),
    ("shirts", "Chemise", "Repassage doux, essorage léger.", "need=softness"),
    ("jackets", "コート", "中綿コートです。", "fabric=cotton"),
    ("shoes", "Trail Shoe", "The GTX version is waterproof, the standard is not.", "water_protection=waterproof"),
    ("shoes", "Trail Shoe", "The GTX version is waterproof.", "water_protection=waterproof"),
    ("shoes", "Trail Shoe", "The mid is waterproof while the low is not.", "water_protection=waterproof"),
    ("shoes", "Trailschuh", "Die GTX-Ausführung ist wasserdicht.", "water_protection=waterproof"),
    (
        "shoes",
        "Chaussure",
        "La version montante est imperméable, la basse non.",
        "water_protection=waterproof",
    ),
    (
        "shoes",
        "シューズ ロー",
        "ミッド版は防水、ロー版は防水ではない。",
        "water_protection=waterproof",
    ),
    ("shoes", "低帮越野跑鞋", "中帮款防水，低帮款不防水。", "water_protection=waterproof"),
    ("trousers", "Hose Nord", "Im Gegensatz zur Hose Süd, die aus Wolle ist, ist sie leicht.", "fabric=wool"),
    ("trousers", "Pantalon Est", "Contrairement au pantalon Ouest, qui est en laine, il est léger.", "fabric=wool"),
    ("shoes", "Cirrus 5", "The older Cirrus, which was waterproof, is gone.", "water_protection=waterproof"),
    # What it once was.
    ("dresses", "Kleid Mira", "Im letzten Jahr war das Kleid aus Leinen.", "fabric=linen"),
    ("dresses", "Kleid Mira", "Letztes Jahr war es aus Seide.", "fabric=silk"),
    ("shirts", "Orla Blouse", "Last season it was cotton.", "material=cotton"),
    ("dresses", "Robe Mira", "L'an dernier, la robe était en lin.", "fabric=linen"),
    ("dresses", "Vestido Mira", "El año pasado el vestido era de lino.", "fabric=linen"),
    ("dresses", "Vestito Mira", "L'anno scorso il vestito era in lino.", "fabric=linen"),
    ("dresses", "ワンピース ミラ", "昨年はリネン製でした。", "fabric=linen"),
    ("dresses", "连衣裙", "去年这款曾是亚麻的。", "fabric=linen"),
    ("shoes", "Lane Trainers", "The firm started in 1998 making suede boots for dockers.", "upper_material=suede"),
    ("shoes", "Kea", "Gegründet mit Stiefeln aus Wildleder.", "upper_material=suede"),
    # What none is or has.
    ("watches", "Noa Watch", "No watch is truly waterproof.", "water_protection=waterproof"),
    ("watches", "Noa Uhr", "Keine Uhr ist wirklich wasserdicht.", "water_protection=waterproof"),
    ("watches", "Noa Montre", "Aucune montre n'est vraiment étanche.", "water_protection=waterproof"),
    ("shoes", "Noa", "None of our shoes has a leather upper.", "upper_material=leather"),
    ("shoes", "Noa", "Keiner unserer Schuhe hat ein Obermaterial aus Leder.", "upper_material=leather"),
    ("shoes", "Noa", "There is nothing waterproof about it.", "water_protection=waterproof"),
    ("shoes", "Noa", "Nichts daran ist wasserdicht.", "water_protection=waterproof"),
    ("shoes", "Noa", "Rien d'imperméable ici.", "water_protection=waterproof"),
    ("trousers", "Kea", "Wear these tights with tennis shoes.", "scenario=sport"),
    ("shirts", "Kea", "Trage dieses Shirt mit Jeans aus Baumwolle.", "material=cotton"),
    ("shirts", "Kea", "Portez cette chemise avec un jean en coton.", "material=cotton"),
    ("shoes", "Kea", "A fresh take on a classic design.", "style=classic"),
    ("shoes", "Kea Gore-Tex", "It has flat laces, a Gore-Tex bootie and branding.", "shoe_type=ankle boot"),
    ("shoes", "Kea", "It blends a soft sole with the support of a trail shoe.", "scenario=trail running"),
    ("shoes", "Kea", "When running is your sport, you look forward to it.", "style=sporty"),
    ("shoes", "Kea Max 2 Light", "The Kea Max 2 Light returns as a replica of the runner.", "need=light weight"),
    ("shoes", "Kea", "A unit surrounded by clear TPU below the sole.", "sole_material=TPU"),
    ("shoes", "Kea", "Stretchy laces make these shoes easy to slip on.", "closure=slip-on"),
    ("lamps", "Lampe", "Dimmbar nur mit dimmbarem Leuchtmittel.", "need=dimming"),
    ("lamps", "Lamp", "Dimmable only with a dimmable bulb.", "need=dimming"),
    ("lamps", "Lampe", "Dimmable uniquement avec une ampoule dimmable.", "need=dimming"),
    # What it goes with, and what it only looks like.
    ("jewellery", "Bead", "Fits Pandora style silver bracelets.", "metal=silver"),
    ("lamps", "Desk Lamp", "We recommend a dimmable LED.", "need=dimming"),
    ("lamps", "Lampe", "Wir empfehlen ein dimmbares LED.", "need=dimming"),
    ("jewellery", "Leaf Brooch", "Brass with a silver finish.", "metal=silver"),
    ("jewellery", "Silver Leaf Brooch", "Pewter with a silver finish.", "metal=silver"),
    ("jewellery", "Collier Perle", "Perles d'imitation.", "stone=pearl"),
    ("jewellery", "Brosche Blatt", "Messing mit Silber-Finish.", "metal=silver"),
    ("jewellery", "Ring", "Mit synthetischem Rubin.", "stone=ruby"),
    ("jewellery", "Ring", "With a lab-grown sapphire.", "stone=sapphire"),
    ("jewellery", "Collier", "Perles d'imitation.", "stone=pearl"),
    ("jewellery", "Anello", "Con rubino sintetico.", "stone=ruby"),
    ("jewellery", "Charm Milk Chocolate Shaped", "", "color=brown"),
    ("shoes", "Noa", "Cousin of the sandal with a closed toe.", "shoe_type=sandal"),
    ("bags", "Noa Bag", "Large enough for a phone and keys.", "bag_size=large"),
    ("bags", "Sac Noa", "Assez grand pour un téléphone.", "bag_size=large"),
    ("bags", "Noa", "Groß genug für ein Handy.", "bag_size=large"),
]


@pytest.mark.parametrize(
    ("category", "title", "description"),
    [
        ("shoes", "Botas de ante", "Botas de ante. Forro sin piel."),
        ("shoes", "Boots", "Nubuck boots. Lining contains no leather."),
        ("shoes", "Schuh", "Ohne Gore-Tex-Membran, dadurch luftiger."),
    ],
)
def test_a_denial_denies_no_more_than_it_says(category: str, title: str, description: str) -> None:
    claims = ground({}, Document({"title": title, "description": description}), lexicon_of(category))
    denied = {one["value"] for one in claims if one["evidence"] == Evidence.DENIED}
    assert not denied & {"leather", "waterproof"}


def test_a_sentence_ends_before_a_quotation_mark() -> None:
    document = Document({"title": "Daypack 18", "description": '"Is it waterproof? No." "Too small for my laptop."'})
    claims = ground({}, document, lexicon_of("bags"))
    assert [one["value"] for one in claims if one["evidence"] == Evidence.DENIED] == ["waterproof"]


@pytest.mark.parametrize(("category", "title", "description", "claim"), SAID)
def test_of_the_product(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)


@pytest.mark.parametrize(("category", "title", "description", "claim"), DENIED)
def test_denied(category: str, title: str, description: str, claim: str) -> None:
    claims = ground({}, Document({"title": title, "description": description}), lexicon_of(category))
    assert claim in {f"{one['attribute']}={one['value']}" for one in claims if one["evidence"] == Evidence.DENIED}


@pytest.mark.parametrize(("category", "title", "description", "claim"), NOT_SAID)
def test_of_another(category: str, title: str, description: str, claim: str) -> None:
    assert claim not in verified(category, title, description)
    assert claim not in verified(category, title, f"<p>{description}</p>")


@pytest.mark.parametrize(("category", "title", "description", "claim"), [*DENIED, *NOT_SAID])
def test_is_a_claim_of_the_schema(category: str, title: str, description: str, claim: str) -> None:
    name, value = claim.split("=")
    attribute = lexicon_of(category).schema.get(name)
    assert attribute is not None
    assert value in attribute.values
