"""What words say of how a shoe is made and how high it reaches, in many languages, and which do not say it."""

import pytest

from tests.taxonomy.test_claims import verified

FEATURES = ("construction", "heel_type")

SO: list[tuple[str, str, set[str]]] = [
    # Insole and lining.
    ("Trainer", "Removable memory foam insole.", {"removable insole", "memory foam insole"}),
    ("Schuh", "Innensohle: herausnehmbar", {"removable insole"}),
    ("Schuh", "Herausnehmbare Einlegesohle, gepolsterter Schaftrand.", {"removable insole", "padded collar"}),
    ("Chaussure", "Semelle intérieure amovible et doublure en cuir.", {"removable insole", "lined with leather"}),
    ("Zapato", "Plantilla extraíble acolchada.", {"removable insole"}),
    ("Schoen", "Uitneembaar voetbed.", {"removable insole"}),
    ("スニーカー", "インソール取り外し可", {"removable insole"}),
    ("运动鞋", "鞋垫可拆卸,真皮内里", {"removable insole", "lined with leather"}),
    ("Sandale", "Anatomisch geformtes Fußbett.", {"contoured footbed"}),
    ("Sandal", "Cork-latex footbed.", {"cork footbed"}),
    ("Sandali", "Plantare in sughero.", {"cork footbed"}),
    ("Stiefel", "Futter: Leder", {"lined with leather"}),
    ("Boots", "Smooth upper, lined in soft leather.", {"lined with leather"}),
    ("Winterstiefel", "Innenmaterial: Warmfutter", {"warm lining"}),
    ("Vinterkängor", "Varmt foder.", {"warm lining"}),
    ("Hiking boot", "Waterproof GORE-TEX lining.", {"GORE-TEX membrane"}),
    ("Wanderschuh", "Mit GTX-Membran.", {"GORE-TEX membrane"}),
    ("登山鞋", "GORE-TEX防水膜", {"GORE-TEX membrane"}),
    # Sole.
    ("Scarponi", "Suola Vibram.", {"Vibram outsole"}),
    ("登山靴", "ビブラムソール", {"Vibram outsole"}),
    ("Indoor shoe", "Non-marking rubber outsole.", {"non-marking sole"}),
    ("Hallenschuh", "Nicht färbende Sohle.", {"non-marking sole"}),
    ("室内鞋", "不留痕鞋底", {"non-marking sole"}),
    ("Running shoe", "Full-length carbon plate.", {"carbon plate"}),
    ("ランニングシューズ", "カーボンプレート搭載", {"carbon plate"}),
    ("Football boot", "Moulded studs for firm ground.", {"studs"}),
    ("Chaussure de football", "Crampons moulés.", {"studs"}),
    # Other parts.
    ("Laufschuh", "Reflektierende Details an der Ferse, Anziehlasche.", {"reflective", "pull tab"}),
    ("Løbesko", "Refleksdetaljer og elastiske snørebånd.", {"reflective", "elastic laces"}),
    ("跑鞋", "反光条,后跟提拉", {"reflective", "pull tab"}),
    ("Sandalias", "Tiras ajustables.", {"adjustable straps"}),
    ("Work shoe", "Steel toe cap, metal-free otherwise.", {"steel toe cap", "metal-free"}),
    ("Sicherheitsschuh", "Stahlkappe, durchtrittsichere Sohle.", {"steel toe cap", "puncture-resistant midsole"}),
    ("Buty robocze", "Stalowy podnosek.", {"steel toe cap"}),
    ("Boots", "Goodyear-welted.", {"Goodyear welt"}),
    ("Herrenschuh", "Rahmengenäht.", {"welted"}),
    ("革靴", "グッドイヤーウェルト製法", {"Goodyear welt"}),
    ("Mocassins", "Cousus main.", {"hand-sewn"}),
    # The heel.
    ("Platform sandals", "", {"platform"}),
    ("Pumps", "Absatzform: Blockabsatz", {"block heel"}),
    ("Pumps", "Heel type: Block", {"block heel"}),
    ("Sandales", "Talon compensé.", {"wedge heel"}),
    ("Escarpins", "Talon aiguille.", {"stiletto"}),
    ("凉鞋", "粗跟凉鞋", {"block heel"}),
    # More than one sentence, and a label beside: all of them hold.
    ("Pumps", "Heel type: block. Cushioned insole.", {"block heel", "cushioned insole"}),
]
REACHES: list[tuple[str, str, str]] = [
    ("Hiking boot", "Mid-cut upper.", "ankle-high"),
    ("High-top sneaker", "", "ankle-high"),
    ("Low-top sneaker", "", "low-cut"),
    ("Wanderschuh", "Knöchelhoher Schaft.", "ankle-high"),
    ("Stiefel", "Schafthöhe: kniehoch", "knee-high"),
    ("Trainer", "Cut height: Mid", "ankle-high"),
    ("Chaussure de randonnée", "Tige basse.", "low-cut"),
    ("Bottes", "Bottes cuissardes.", "over-the-knee"),
    ("Laarzen", "Kuithoge laarzen.", "calf-high"),
    ("Støvler", "Knæhøje støvler.", "knee-high"),
    ("スニーカー", "ハイカット", "ankle-high"),
    ("运动鞋", "低帮", "low-cut"),
    ("靴子", "过膝长靴", "over-the-knee"),
]
NOT_SO: list[tuple[str, str]] = [
    ("Trainer", "No removable insole."),
    ("Stiefel", "Ohne herausnehmbare Innensohle."),
    ("Trainer", "Laces sold separately."),
    ("Trainer", "Flat rate shipping on every order."),
    ("Sneakers", "Our platform for sneakers and boots has free returns."),
    ("Running shoe", "A wide, stable platform underfoot and a soft midsole."),
    ("Zapatos", "Vende en nuestra plataforma los zapatos."),
    ("Sneakers", "Look great with striped socks."),
    ("Boots", "Wear them with a knee-high sock."),
    ("Boots", "Remove salt stains with wedge salt."),
    ("Trainer", "Spikes in demand may delay delivery."),
    ("Trainer", "A washable marker removes it."),
    ("Boots", "Decorative studs on the upper."),
    ("Sneakers", "Low weight, low price."),
    ("Trainer", "Mid season sale."),
    ("Running shoe", "Easy on the knee."),
    ("Trainer", "A floating feel with every step."),
    ("Shoe", "Upper: leather, lining: textile, sole: rubber."),
    ("Shoe", "Leather, lining in textile."),
    ("Schuh", "Obermaterial: Leder, Futter: Textil"),
    ("Chaussure", "Dessus : cuir, doublure : textile"),
    ("Chaussures", "Les émissions de CO2 de ces chaussures sont compensées."),
    ("Trainer", "Rubber outsole by Goodyear."),
    ("Boots", "An elastic gore, laces up the front."),
    ("Boots", "Comes in a foldable box."),
    ("Boots", "Waterproof GORE-TEX."),
    ("Sneaker", "Not machine washable."),
    ("Sandal", "Color-block sandal with padded heel."),
    ("鞋", "平台发货"),
    ("ランニングシューズ", "厚底のランニングシューズ"),
]
OTHERS: list[tuple[str, str, str]] = [
    # What other attributes said before, they still say.
    ("Boots", "Features: waterproof, leather upper, pull tab", "water_protection=waterproof"),
    ("Boots", "Besonderheiten: wasserdicht, Anziehlasche", "water_protection=waterproof"),
    ("Boots", "GORE-TEX lining.", "water_protection=waterproof"),
    ("Work shoe", "Steel toe cap.", "toe_protection=reinforced"),
    ("Work shoe", "Composite toe cap.", "toe_protection=reinforced"),
    ("Trainer", "Elastic laces.", "closure=lace-up"),
    ("Sandal", "Adjustable ankle strap.", "closure=strap"),
    ("Trainer with cushioned insole", "", "need=cushioning"),
    ("Boots with ankle support", "", "need=ankle support"),
    ("Boots", "Vibram outsole.", "sole_material=rubber"),
    ("Shoe", "Upper leather, lining textile, sole rubber", "upper_material=leather"),
    ("Platform sandals", "", "shoe_type=sandal"),
    ("Over-the-knee boots", "", "shoe_type=boot"),
]
OTHERS_NOT: list[tuple[str, str, str]] = [
    ("Shoe", "Lined with leather.", "upper_material=leather"),
    ("Sandal", "Cork footbed, rubber sole.", "sole_material=cork"),
    ("Trainer", "Memory foam insole, rubber sole.", "sole_material=foam"),
]


def values(attributes: tuple[str, ...], title: str, description: str) -> set[str]:
    claims = (claim.partition("=") for claim in verified("shoes", title, description))
    return {value for name, _, value in claims if name in attributes}


@pytest.mark.parametrize(("title", "description", "features"), SO)
def test_words_say_how_it_is_made(title: str, description: str, features: set[str]) -> None:
    assert values(FEATURES, title, description) == features


@pytest.mark.parametrize(("title", "description", "height"), REACHES)
def test_words_say_how_high_it_reaches(title: str, description: str, height: str) -> None:
    assert values(("shaft_height",), title, description) == {height}


@pytest.mark.parametrize(("title", "description"), NOT_SO)
def test_words_mean_something_else(title: str, description: str) -> None:
    assert not values((*FEATURES, "shaft_height"), title, description)


@pytest.mark.parametrize(("title", "description", "claim"), OTHERS)
def test_other_attributes_keep_their_words(title: str, description: str, claim: str) -> None:
    assert claim in verified("shoes", title, description)


@pytest.mark.parametrize(("title", "description", "claim"), OTHERS_NOT)
def test_parts_are_not_the_shoe(title: str, description: str, claim: str) -> None:
    assert claim not in verified("shoes", title, description)
