"""What is called by its name: technologies that a schema knows, and the kind of thing that a text points to."""

import pytest

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.evidence import Evidence
from tests.taxonomy.test_claims import Case, lexicon_of, verified

NAMED: list[Case] = [
    ("shoes", "ZX 2", "Responsive Boost cushioning returns energy.", "technology=adidas Boost"),
    ("shoes", "ZX 2", "Mit Boost-Zwischensohle.", "technology=adidas Boost"),
    ("shoes", "ZX 2", "Semelle intermédiaire Boost.", "technology=adidas Boost"),
    ("shoes", "ZX 2", "Mediasuela Boost.", "technology=adidas Boost"),
    ("shoes", "ZX 2", "Boostミッドソール。", "technology=adidas Boost"),
    ("shoes", "ZX 2", "Boost中底。", "technology=adidas Boost"),
    ("shoes", "Runner", "A full-length Max Air unit. OrthoLite® sockliner.", "technology=OrthoLite"),
    ("shoes", "Winter boot", "COLD.RDY keeps feet warm.", "technology=COLD.RDY"),
    ("shoes", "Runner", "Pillow-soft Cloudfoam cushioning in the midsole.", "technology=Cloudfoam"),
    # Its name says no less of what it is.
    ("shoes", "Runner", "Pillow-soft Cloudfoam cushioning in the midsole.", "sole_material=foam"),
    ("shoes", "Runner", "Responsive Boost cushioning.", "need=cushioning"),
    ("shoes", "Runner", "A Continental rubber outsole.", "sole_material=rubber"),
]
NOT_NAMED: list[Case] = [
    ("shoes", "Runner", "They will boost your style and bounce back.", "technology=adidas Boost"),
    ("shoes", "Runner", "They will boost your style and bounce back.", "technology=adidas Bounce"),
    ("shoes", "Sapato", "Uma boa escolha.", "technology=BOA Fit System"),
    ("shoes", "Sneaker", "Unlike the Boost midsole of others, ours is EVA.", "technology=adidas Boost"),
    ("shoes", "Sneaker", "Ohne Sympatex-Membran.", "technology=Sympatex"),
]
POINTED: list[Case] = [
    ("shoes", "Toril", "These neutral running shoes are light.", "shoe_type=running shoe"),
    ("shoes", "Toril", "Diese leichten Laufschuhe sind robust.", "shoe_type=running shoe"),
    ("shoes", "Toril", "Ces chaussures de running sont légères.", "shoe_type=running shoe"),
    ("shoes", "Toril", "Estas zapatillas de running son ligeras.", "shoe_type=running shoe"),
    ("shoes", "トリル", "この登山靴は軽い。", "shoe_type=hiking boot"),
    ("shoes", "托里尔", "这款登山鞋很轻。", "shoe_type=hiking shoe"),
    ("shoes", "Acme Odyssey Rise", "The Acme Odyssey Rise Women's Running Shoe is soft.", "shoe_type=running shoe"),
]
NOT_POINTED: list[Case] = [
    ("shoes", "Toril", "Made for this type of boot.", "shoe_type=boot"),
    ("shoes", "Toril cream", "Fits these hiking boots.", "shoe_type=hiking boot"),
    ("shoes", "Toril", "This comes with hiking boots.", "shoe_type=hiking boot"),
    ("bags", "Acme Jumbo Travel Carrier", "Acme Jumbo Travel Carrier- Men Tote Bags at Acme.", "bag_type=tote"),
]
VERBS: list[Case] = [
    ("shoes", "Jogger", "They revisit the retro style with a mesh upper.", "upper_material=mesh"),
    ("shoes", "Pitch", "It adds a plate that provides traction.", "need=grip"),
    ("shoes", "Fly", "A plate combines with springy foam to give lightweight comfort.", "need=comfort"),
    ("shoes", "Strada", "Comfort that lasts as long as you can run.", "need=comfort"),
    ("shoes", "Larkspur", "A membrane for wet autumn runs.", "scenario=running"),
    ("shoes", "Aqua", "For pebble beaches and rivers.", "scenario=beach"),
    ("shoes", "Advantage", "These tennis-inspired shoes are clean.", "style=sporty"),
]
ORDERS: list[Case] = [
    ("shoes", "Boots black", "Style with a suede jacket.", "upper_material=suede"),
    ("shoes", "Boots brown", "Then add a pair of wool insoles.", "upper_material=wool"),
    ("shoes", "Boots", "Do not use on suede. Not as warm as sheepskin.", "need=warmth"),
    ("skin_care", "Gel nettoyant", "Pensez à ajouter notre fluide SPF 30.", "sun_protection=SPF 30"),
    ("skin_care", "Sérum", "Associer à une protection solaire SPF 50.", "sun_protection=SPF 50"),
    ("jackets", "Fleece", "Bärs under ett vattentätt skal.", "water_protection=waterproof"),
    ("trousers", "Vaqueros", "Parche de piel vegana.", "fabric=leather"),
    ("trousers", "Pantalón", "Forrado hasta la rodilla en viscosa.", "need=warmth"),
    ("jackets", "Jacka", "Den är varm men lätt och har fickor i sidan för händerna.", "audience=men"),
    ("shoes", "Hamburg", "It set the standard for training shoes.", "scenario=gym and training"),
]

OTHER_MODELS: list[Case] = [
    ("shoes", "Sommet 2", "La première version avait une semelle Vibram.", "construction=Vibram outsole"),
    ("shoes", "Orlik 4", "W poprzednim modelu cholewka była z Primeknit.", "technology=Primeknit"),
    ("shoes", "Moab 3", "The leather version has a waterproof membrane.", "water_protection=waterproof"),
    (
        "shoes",
        "Pegasus 41",
        "The Pegasus 41 GTX, which is waterproof, is a different item.",
        "water_protection=waterproof",
    ),
    ("shoes", "Cima", "La Cima GTX impermeabile costa 30 euro in più.", "water_protection=waterproof"),
    ("shoes", "Hoge Venen", "De luxere versie heeft een Vibram zool.", "construction=Vibram outsole"),
    ("shoes", "Nord", "Thinsulate gibt es im Modell Nord Plus.", "technology=Thinsulate"),
    ("shoes", "Sol", "They are as light as Lightstrike Pro racers.", "technology=Lightstrike"),
    ("shoes", "Lido", "Guarda la nostra linea GORE-TEX impermeabile.", "water_protection=waterproof"),
    ("shoes", "Golf", "Nuestra gama incluye también modelos impermeables.", "water_protection=waterproof"),
    ("shoes", "Gisèle", "Portez-les avec nos chaussettes en laine.", "upper_material=wool"),
    ("shoes", "Botas de agua", "Incluye dos pares de calcetines de lana.", "upper_material=wool"),
    ("shoes", "ZX", "The ZX was at the pinnacle of running back then.", "scenario=running"),
    ("shoes", "Winter boot", "Not warm enough for snow.", "need=warmth"),
    ("shoes", "Kestrel 2", "The first Kestrel used a Flyknit upper.", "technology=Flyknit"),
    (
        "shoes",
        "Ventus 5",
        "A diferencia del modelo anterior, que era impermeable, es ligera.",
        "water_protection=waterproof",
    ),
    ("shoes", "Nimbus", "If you love your old running shoes, keep them.", "shoe_type=running shoe"),
    ("skin_care", "Day Cream", "At night? Switch to Hydra Night with retinol.", "ingredient=retinol"),
    ("skin_care", "Night Serum", "Use sunscreen the next morning, SPF 30 or higher.", "sun_protection=SPF 30"),
    ("skin_care", "Sonnenfluid", "Danach hilft unsere Lotion mit Aloe Vera.", "ingredient=aloe vera"),
    ("skin_care", "Sérum", "Préférez notre sérum à la niacinamide.", "ingredient=niacinamide"),
    ("headphones", "Duo USB Headset", "A Bluetooth variant, Duo Air, is also available.", "connection=Bluetooth"),
    ("shoes", "Scout Strap Trainers", "The Scout Lace comes with proper laces.", "closure=lace-up"),
    ("shoes", "Superfly", "Laceless? Not this one.", "closure=slip-on"),
    ("bags", "Backpack", "Not suitable as a school bag.", "scenario=school"),
    ("jackets", "Chiodo", "Fodera leggera in poliestere.", "need=light weight"),
    ("bags", "Suede bag", "Made in a small workshop.", "bag_size=small"),
    ("shoes", "Otto", "Diese Hausschuhe kommen im Karton unserer Wanderschuhe.", "shoe_type=hiking shoe"),
]
OTHER_THINGS: list[Case] = [
    ("shoes", "Midsole whitener pen", "Restores yellowed Boost midsoles.", "technology=adidas Boost"),
    ("shoes", "Reinigungsschaum", "Für Flyknit- und Mesh-Sneaker.", "technology=Flyknit"),
    ("shoes", "Running socks", "Pair them with Gore-Tex trail shoes.", "water_protection=waterproof"),
    ("shoes", "Schuhlöffel 60 cm", "Für Stiefel mit hohem Schaft.", "shoe_type=boot"),
    ("shoes", "Laarzenknecht hout", "Trek je laarzen uit.", "shoe_type=boot"),
    ("shoes", "Keychain mini sneaker", "High-top sneaker with laces on a key ring.", "closure=lace-up"),
    ("shoes", "Cordones elásticos", "Convierten tus zapatillas en slip-on.", "closure=slip-on"),
    ("shoes", "靴ひも 120 cm", "レースアップ", "closure=lace-up"),
    ("jewellery", "Ring box", "Velvet box for gold rings.", "metal=gold"),
    ("trousers", "Trouser braces", "For wool trousers.", "fabric=wool"),
    ("shoes", "Football boot bag", "Holds one pair of boots.", "shoe_type=football boot"),
    ("power_drills", "Set de brocas", "Para taladros con batería.", "supply=battery"),
    ("shoes", "Schuhregal", "Für acht Paar Sneaker.", "color=purple"),
]


@pytest.mark.parametrize(("category", "title", "description", "claim"), NAMED + POINTED + VERBS)
def test_it_is_said(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)


@pytest.mark.parametrize(
    ("category", "title", "description", "claim"), NOT_NAMED + NOT_POINTED + ORDERS + OTHER_MODELS + OTHER_THINGS
)
def test_it_is_not_said(category: str, title: str, description: str, claim: str) -> None:
    assert claim not in verified(category, title, description)


@pytest.mark.parametrize(
    "description",
    [
        "Can be used with or without laces.",
        "Style them by wearing them without the laces.",
        "Can be worn without laces, too.",
        "Mit oder ohne Schnürsenkel zu tragen.",
        "À porter avec ou sans lacets.",
        "Con o sin cordones.",
        "Do not use on suede.",
        "They leave no black marks.",
    ],
)
def test_what_may_be_left_off_is_not_denied(description: str) -> None:
    claims = ground({}, Document({"title": "Acme Fell", "description": description}), lexicon_of("shoes"))
    assert not [claim for claim in claims if claim["evidence"] in (Evidence.DENIED, Evidence.POINTED)]


def test_what_a_thing_for_shoes_is_not_for_is_no_denial() -> None:
    text = Document({"title": "Whitener pen for soles", "description": "Not for leather."})
    claims = ground({}, text, lexicon_of("shoes"))
    assert not [claim for claim in claims if claim["evidence"] is Evidence.DENIED]


@pytest.mark.parametrize(
    ("title", "description", "columns", "claim"),
    [
        ("Smart Watch", "", {"Water Resistance": "IP67"}, "water_protection=IP67"),
        ("Smart Watch", "", {"Case Color": "Rose Gold"}, "case_color=gold"),
        ("Smart Watch", "", {"Features": "Heart Rate Monitor"}, "functions=heart rate"),
        ("Automatikuhr", "Datumsanzeige bei 3 Uhr, Leuchtzeiger.", {}, "functions=luminous"),
        ("Montre", "Bracelet en cuir marron, guichet de date.", {}, "strap_color=brown"),
        ("腕時計", "日付表示、夜光、10気圧防水。", {}, "functions=date"),
    ],
)
def test_what_a_watch_can_do(title: str, description: str, columns: dict[str, str], claim: str) -> None:
    assert claim in verified("watches", title, description, columns)


def test_a_list_of_uses_is_quoted_as_a_whole() -> None:
    text = Document({"title": "Blaze", "description": "For handball, volleyball and badminton, indoors."})
    claims = ground({}, text, lexicon_of("shoes"))
    assert [c["quote"] for c in claims if c["value"] == "court sports"] == ["handball, volleyball and badminton"]


def test_a_style_that_no_schema_knows_is_no_other() -> None:
    text = Document({"title": "Acme Fell", "attributes.style": "Funky"})
    claims = ground({"style": [{"value": "classic"}]}, text, lexicon_of("shoes"))
    assert [claim["status"] for claim in claims if claim["attribute"] == "style"] == ["rejected"]


def test_what_a_model_names_stands_beside_what_is_known() -> None:
    text = Document({"title": "Acme Fell", "description": "Boost midsole and a TrailHug upper."})
    claims = ground({"technology": [{"value": "Boost midsole"}, {"value": "TrailHug"}]}, text, lexicon_of("shoes"))
    found = [(c["value"], c["quote"], c["found_by"]) for c in claims if c["attribute"] == "technology"]
    assert found == [("adidas Boost", "Boost midsole", "lexicon"), ("TrailHug", "TrailHug", "model")]
