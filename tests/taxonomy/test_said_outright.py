"""What texts say outright: what a thing is made of, where it is worn, of what kind it is, what has a quality."""

import pytest

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from tests.taxonomy.test_claims import Case, lexicon_of, verified

SAID: list[Case] = [
    ("shoes", "Kea", "An all over print gives it a unique style.", "pattern=all-over print"),
    ("shoes", "Kea", "Knit with a sock-like collar.", "construction=sock-like"),
    ("bags", "Kea tote", "With grommet eyelets.", "decoration=eyelets"),
    ("jewellery", "Kea ring", "Made of copper alloy.", "metal=alloy"),
    ("shoes", "Kea", "Studs for icy roads.", "season=winter"),
    ("shoes", "Kea", "A boot for busy days.The sole is made of rubber.", "sole_material=rubber"),
    ("shoes", "Kea", "A breathable mesh upper with a midfoot cage for support.", "construction=support cage"),
    ("shoes", "Kea", "They have a breathable textile upper trimmed with welded overlays.", "upper_material=textile"),
    ("shoes", "Kea", "The rubber outsole grips wet tarmac.", "sole_material=rubber"),
    ("shoes", "Kea", "Its rubber outsole grips the road.", "sole_material=rubber"),
    ("shoes", "Kea", "They're made of soft suede.", "upper_material=suede"),
    ("shoes", "Kea", "These shoes come in a mix of nylon, honeycomb mesh and suede.", "upper_material=mesh"),
    ("shoes", "Kea", "A hoops style in soft leather.", "upper_material=leather"),
    ("shoes", "Kea", "Ein Klassiker aus weichem Leder.", "upper_material=leather"),
    ("shoes", "Kea", "Fabriquée en beau cuir.", "upper_material=leather"),
    ("shoes", "Kea", "Hechas en suave cuero.", "upper_material=leather"),
    ("shirts", "Kea", "Stay comfy in soft cotton.", "material=cotton"),
    ("shirts", "Kea", "Woven from long-staple cotton.", "material=cotton"),
    ("shirts", "Kea", "Aus 100 % europäischem Leinen.", "material=linen"),
    ("bags", "Kea", "In full-grain bridle leather.", "material=leather"),
    ("trousers", "Kea", "Pure cotton, washed soft.", "fabric=cotton"),
    ("shoes", "ケア", "天然ゴムを使ったレインブーツ。アッパーはゴム製。", "upper_material=rubber"),
    ("dresses", 'Jersey Wrap Dress "Kit"', "", "dress_type=wrap dress"),
    # Feet are people's where things are worn.
    ("shoes", "Kea", "Hugs the foot with a lightweight, breathable upper.", "need=light weight"),
    ("shoes", "Kea", "Soft cushioning rewards tired feet with plush comfort.", "need=comfort"),
    # Where it is worn.
    ("shoes", "Kea", "These shoes perform in the gym.", "scenario=gym and training"),
    ("shoes", "Kea", "Wear them to the office or the gym.", "scenario=office"),
    ("shoes", "Kea", "They're a comfortable, everyday pair of shoes.", "scenario=everyday wear"),
    ("shoes", "Kea", "For high-impact training sessions.", "scenario=gym and training"),
    ("shoes", "ケア", "通勤・通学におすすめのスニーカーです。", "scenario=commuting"),
    ("shoes", "ケア", "通勤・通学におすすめのスニーカーです。", "scenario=school"),
    ("shoes", "凯亚", "适合日常通勤和跑步。", "scenario=running"),
    # What kind it is, where the title says no more than that it is a shoe.
    ("shoes", "Kea Shoes", "The definitive daily sneaker. Made of suede.", "shoe_type=sneaker"),
    ("shoes", "Kea Shoes", "A running shoe designed for long miles.", "shoe_type=running shoe"),
    # Technologies of fabrics.
    ("shirts", "Kea Tee", "AEROREADY keeps you dry.", "technology=AEROREADY"),
    ("jackets", "Kea Jacke", "Mit Gore-Tex-Membran.", "technology=Gore-Tex"),
    ("skin_care", "Moisturiser", "A light moisturiser.", "care_type=face cream"),
    ("skin_care", "Sérum", "Un sérum qui révèle l'éclat. Bon pour l'éclat.", "care_type=serum"),
    ("headphones", "Kea Buds", "Our Kea buds are IPX4.", "water_rating=IPX4"),
    ("bags", "Kea 30 Pack", "The 30 L is made of leather.", "material=leather"),
    ("watches", "Watch", "Steel case. A stainless steel case.", "case_material=stainless steel"),
    ("watches", "Watch", "A steel case.", "case_material=steel"),
    ("shoes", "Kea", "Our suede boots are lined with fleece.", "upper_material=suede"),
    ("lamps", "Lampe", "Abat-jour en osier tressé.", "home_material=wicker"),
    ("bags", "Bolsa de playa Menorca", "", "bag_type=beach bag"),
    ("skin_care", "Body polish", "Cruelty-free and vegan.", "free_of=vegan"),
    ("watches", "Watch", "A cream dial.", "dial_color=beige"),
    ("cookware", "Wok", "Compatible with gas, ceramic and induction hobs.", "hob=induction"),
    ("trousers", "Trousers", "Regular fit with a medium-high waist.", "waist=mid waist"),
    ("trousers", "Hose", "Die Hose hat einen hohen Bund.", "waist=high waist"),
    ("cookware", "Fell frying pan 24 cm", "– Non-stick frying pan 24 cm", "coating=non-stick"),
    ("chocolate", "Fell milk chocolate", "The bar is vegan.", "diet=vegan"),
    (
        "headphones",
        "Otus headphones",
        "Noise cancelling: six microphones listen to what is around you.",
        "noise_control=active noise cancelling",
    ),
    ("bags", "Fell Travel backpack 30 L", "", "scenario=travel"),
    ("power_drills", "Fell drill", "Delivered without battery.", "delivery=tool only"),
    ("shoes", "Fell", "The upper is mesh, no leather.", "upper_material=mesh"),
    ("jewellery", "Gold ring", "Solid 14k gold.", "metal=gold"),
    ("laptops", "Fell 15", "15.6 inch Full HD display and a webcam.", "resolution=Full HD"),
    ("lamps", "Lamp", "Colour temperature 6500 K.", "light=cool white"),
    ("watches", "Watch", "A titanium case with a ceramic bezel.", "case_material=titanium"),
]
NOT_SAID: list[Case] = [
    ("shoes", "Kea", "Upper of breathable mesh with suede reinforcements.", "upper_material=suede"),
    ("skin_care", "Crème", "Sans parabène, sans silicone, parfum frais d'agrume.", "free_of=fragrance-free"),
    ("bags", "Satchel", "Magnetic snap (the buckles are for show).", "closure=buckle"),
    ("tea", "Corrie Breakfast", "Our organic range is sold under the Corrie label.", "diet=organic"),
    ("coffee", "Dusk Decaf", "For the caffeinated version see Dawn, a dark roast from Brazil.", "roast=dark"),
    ("jackets", "Fleece jacket", "Wear it under our waterproof Storm shell.", "need=rain protection"),
    ("jackets", "Fleece jacket", "Zips into the Storm jacket.", "closure=zip"),
    ("shirts", "Shirt", "We dropped the chest pocket.", "details=chest pocket"),
    ("laptops", "Laptop 15", "A second M.2 slot takes up to 2 TB SSD.", "storage=2000 GB"),
    ("laptops", "Laptop 15", "Battery lasts 2 hours at most.", "need=long battery life"),
    ("smartphones", "Phone", "LTE only: 5G is reserved for the Pro model.", "network=5G"),
    ("watches", "Nylon strap", "Nylon strap that fits the Meridian automatic watch.", "movement=automatic"),
    ("shoes", "Stivale", "Tomaia in pelle, lamina antiperforazione in tessuto.", "upper_material=textile"),
    ("shoes", "Kea 3", "The Kea 3 drops the knit upper of the Kea 2 for an engineered mesh.", "upper_material=knit"),
    ("shirts", "Kea Shirt", "Fans of short sleeves will like our Bay Shirt.", "sleeve_length=short sleeve"),
    ("jackets", "Parka", "Does not come with a belt.", "closure=belt"),
    ("jackets", "Jacke", "Nur nach Imprägnierung wasserdicht.", "need=rain protection"),
    ("trousers", "Jean slim", "Le bootcut reviendra en automne.", "season=autumn"),
    ("trousers", "Slim jeans", "The bootcut returns in autumn.", "leg=flared"),
    ("trousers", "Wide jeans", "The opposite of skinny.", "fit=slim"),
    ("bags", "Tasche", "Wahlw. mit Nieten.", "decoration=studs"),
    ("headphones", "In-Ear", "Touch-Bedienung, o. ANC", "noise_control=active noise cancelling"),
    ("headphones", "In-Ear", "No wireless charging.", "connection=Bluetooth"),
    ("jewellery", "Earrings", "Butterfly backs.", "motif=butterfly"),
    ("jackets", "Jacket", "Taped seams and pit zips.", "closure=zip"),
    ("jackets", "Silver Fox Bomber", "Of nylon.", "color=silver"),
    ("jackets", "Jacket", "Not for children.", "filling=unlined"),
    ("jackets", "Jacket", "Fleece-lined pockets.", "filling=fleece lining"),
    ("bags", "Roll-top", "With leather zip pulls.", "closure=zip"),
    ("cookware", "Pan", "{{#if nonstick}}Non-stick{{/if}} pan", "coating=non-stick"),
    ("cookware", "Pan", "{% if hob %}Induction{% endif %} {{ product.title }}", "hob=induction"),
    ("shirts", "Grandad shirt", "Grandad collar.", "neckline=collar"),
    ("shoes", "Kea", "A Cloudfoam insole for comfort.", "sole_material=foam"),
    ("shoes", "Kea", "Leopard print laces come with it.", "pattern=animal print"),
    ("shoes", "Kea", "Responsive foam adds to the icy-cool feel on hot days.", "season=winter"),
    ("shoes", "Kea boots", "Get a grip, playtime's over.", "need=grip"),
    ("shoes", "Kea", "Out of your comfort zone and onto the track.", "need=comfort"),
    ("shoes", "Kea", "The Kea borrows design lines from heritage runners and adds a mesh tongue.", "style=classic"),
    ("shoes", "Kea", "Der Kea ist angelehnt an klassische Laufschuhe.", "style=classic"),
    ("shoes", "Kea", "Kann auch ohne Schnürung getragen werden.", "closure=slip-on"),
    ("shoes", "Kea", "Se porte même sans lacets.", "closure=slip-on"),
    ("shoes", "Kea Boot", "For the months between sandals and snow.", "season=winter"),
    ("shoes", "ケア", "防寒用の中綿は入っていません。", "need=warmth"),
    ("shoes", "Kea", "Two straps do the job of laces.", "closure=lace-up"),
    ("shirts", "シャツ", "Tシャツの上に羽織っても決まります。", "shirt_type=T-shirt"),
    ("trousers", "ワイドイージーパンツ", "", "trouser_type=jeans"),
    ("jackets", "Trench", "Respinge la pioggia leggera.", "need=light weight"),
    ("bags", "Bolso", "Lo necesario para salir ligera de casa.", "need=light weight"),
    ("jewellery", "Ring", "Eine Gravur auf der Innenseite ist möglich.", "need=engraved"),
    ("shoes", "Kea", "Lined in soft leather.", "upper_material=leather"),
    ("shoes", "Kea", "Trimmed with soft leather.", "upper_material=leather"),
    ("shoes", "ケア", "通勤が楽しくなる。", "scenario=commuting"),
    ("shoes", "Kea", "A design between pool and shower.", "scenario=shower"),
    ("shoes", "Kea Boots", "A sneaker brand since the start.", "shoe_type=sneaker"),
    ("shirts", "Oxford shirt", "It is not a non-iron shirt.", "need=easy care"),
    ("skin_care", "Cream", "Vegan, but not yet certified cruelty-free.", "free_of=cruelty-free"),
    ("bags", "Tasche", "Zwei Außentaschen mit Reißverschluss.", "closure=zip"),
    ("bags", "Sac", "Une pochette intérieure zippée.", "closure=zip"),
    ("bags", "Tasche", "Tablet bis 8 Zoll, ein Laptop passt nicht hinein.", "laptop_size=8 in"),
    ("skin_care", "Crème", "Toujours suivi d'une protection solaire.", "need=sun protection"),
    ("lamps", "Lamp", "A dimmer switch can be fitted by an electrician.", "need=dimming"),
    ("headphones", "Buds", "The case is IPX4; the buds themselves carry no rating.", "water_rating=IPX4"),
    ("headphones", "Buds", "For more bass, our Sonora Sport earbuds are waterproof to IPX7.", "water_rating=IPX7"),
    ("headphones", "Buds", "For more bass, our Sonora Sport earbuds are waterproof to IPX7.", "need=bass"),
    ("headphones", "Wireless buds", "No cable.", "connection=Bluetooth"),
    ("watches", "Watch", "The date window is gone on this edition.", "functions=date"),
    ("watches", "Watch", "Chronograph pushers are decorative.", "display=chronograph"),
    ("watches", "Watch", "A steel case.", "case_material=stainless steel"),
    ("shoes", "Kea", "Earlier runs had a suede upper; since spring we use leather.", "upper_material=suede"),
    ("shoes", "Kea", "Earlier runs had a suede upper; since spring we use leather.", "season=spring"),
    ("bags", "Pack", "The 30 L has a laptop sleeve; the 20 L does without.", "further_details=laptop sleeve"),
    ("shoes", "Kea", "The large has a leather upper, the small does not.", "upper_material=leather"),
    (
        "shoes",
        "Schuh",
        "Die Sohle lässt sich durch orthopädische Einlagen ersetzen.",
        "further_details=orthopädische Einlagen",
    ),
    ("watches", "Damenuhr", "Auf eine Datumsanzeige haben wir bewusst verzichtet.", "functions=date"),
    ("watches", "Harbour 38", "The automatic Harbour adds a date window, this one has none.", "functions=date"),
    ("watches", "Watch", "A power reserve of 42 hours.", "functions=power reserve indicator"),
    ("watches", "Watch", "On a canvas strap, with a brown leather strap in the box.", "strap_material=leather"),
    ("bags", "Duffel 40", "Padded strap; backpack straps only on the 60 and 90 L.", "further_details=backpack straps"),
    ("skin_care", "Calm Cream", "The serum in the Calm line also contains niacinamide.", "ingredient=niacinamide"),
    ("skin_care", "Sérum Nuit", "Une protection solaire est conseillée le lendemain.", "need=sun protection"),
    ("shoes", "Marlow", "The suede Marlow with the rubber sole is listed separately.", "sole_material=rubber"),
    ("trousers", "Tight", "Pair it with the loose-fit Kestrel shorts on hot days.", "season=summer"),
    ("trousers", "Tight", "Relaxed through the thigh it is not.", "fit=relaxed"),
    ("shirts", "Camisa", "O modelo de manga curta tem bolso no peito, este não.", "sleeve_length=short sleeve"),
    ("lamps", "Lampe", "Abat-jour en osier tressé.", "home_material=rattan"),
    (
        "headphones",
        "Tempo 3",
        "Active noise cancelling is reserved for the Tempo 3 Pro.",
        "noise_control=active noise cancelling",
    ),
    (
        "headphones",
        "Cuffie",
        "Non è presente la cancellazione attiva del rumore.",
        "noise_control=active noise cancelling",
    ),
    ("lamps", "Leuchte", "Wir empfehlen eine Filamentlampe mit 7 W, 806 lm, warmweiß.", "light=warm white"),
    ("lamps", "Leuchte", "Mit dimmbarem Leuchtmittel und geeignetem Wandschalter dimmbar.", "need=dimming"),
    ("lamps", "Leuchte", "Baldachin aus Messing.", "home_material=brass"),
    ("jewellery", "Hoops", "Sterling silver with a layer of rose gold vermeil.", "color=silver"),
    ("cookware", "Pan set", "The non-stick frying pan shown in the photo is not part of the set.", "coating=non-stick"),
    ("cookware", "Wok", "Il noircira et deviendra naturellement antiadhésif.", "coating=non-stick"),
    ("cookware", "Bräter", "Hält Temperaturen bis 260 °C stand.", "further_details=260 °C stand"),
    ("sofas", "Divano", "Se cercate un posto per gli ospiti, guardate Brezza Notte.", "need=guests"),
    ("trousers", "Trousers", "Regular fit with a medium-high waist.", "waist=high waist"),
    # Under the label of a part.
    (
        "headphones",
        "Cuffie",
        "Microfono: rimovibile, con riduzione del rumore",
        "noise_control=active noise cancelling",
    ),
    ("headphones", "Headset", "Microphone: removable, with noise reduction", "noise_control=active noise cancelling"),
    ("headphones", "Headset", "Mikrofon: abnehmbar, mit Rauschunterdrückung", "noise_control=active noise cancelling"),
    # A model's name with its number.
    ("headphones", "Otus Studio 700 headphones", "", "scenario=studio"),
    # One thing of a set.
    ("cookware", "Cookware set Fell 5 pieces", "- Saucepan 16 cm\n- Non-stick frying pan 24 cm", "coating=non-stick"),
    ("cookware", "Batería de cocina Fell", "– Cazo 16 cm\n– Sartén antiadherente 24 cm", "coating=non-stick"),
    # What it comes in.
    ("chocolate", "Tablette", "Le papier est vegan et compostable.", "diet=vegan"),
    ("chocolate", "Milk chocolate", "Our wrapper inks are vegan.", "diet=vegan"),
    ("chocolate", "Milk chocolate", "L'emballage est vegan.", "diet=vegan"),
    ("skin_care", "Face cream", "The bottle is vegan.", "free_of=vegan"),
    # Former times, and other models.
    ("chocolate", "Schokolade", "Ohne Zuckerzusatz war gestern – jetzt mit Rohrzucker.", "diet=no added sugar"),
    ("chocolate", "Chocolate", "No added sugar is a thing of the past.", "diet=no added sugar"),
    ("shoes", "Sneaker Low", "Wie der legendäre High-Top Kea Hi, nur mit flachem Schaft", "shaft_height=ankle-high"),
    # Of parts, in brackets or as what a sentence goes on of.
    ("shoes", "Slipper", "Suede-look (100% polyester) cuff.", "upper_material=synthetic"),
    ("power_drills", "Perceuse filaire", "Aucune batterie à recharger.", "delivery=tool only"),
    ("coffee", "Kaffee", "Unsere Bohnen sind mild geröstet.", "need=smooth taste"),
    ("jackets", "Softshelljacke", "Für den Weg ins Büro.", "scenario=office"),
    ("power_drills", "Drill", "400 screws on a 4.0Ah battery (battery not included).", "further_details=4.0Ah battery"),
    # Of another model that is recommended.
    ("bags", "Fell backpack", 'Note: For a 13" laptop, choose Fell Laptop 13".', "laptop_size=13 in"),
    ("shirts", "Hemd Fell", "Für eine schmalere Form empfehlen wir das Hemd Level aus Leinen.", "material=linen"),
    ("shirts", "Hemd Fell", "Hemd im modern fit.", "style=modern"),
    # What it is covered with, and what stands in for a stone.
    ("jewellery", "Gold hoops", "Sterling silver covered with 14k gold.", "metal=gold"),
    ("jewellery", "Gold hoops", "Sterling silver dipped in 14k gold.", "metal=gold"),
    ("jewellery", "Ring Gold", "Vergoldeter Ring mit Zirkonia.", "metal=gold"),
    ("jewellery", "Diamond ring", "CZ set in a gold colored ring.", "stone=diamond"),
    ("jewellery", "Bague diamant", "Sertie d'un oxyde de zirconium.", "stone=diamond"),
    # A camera's.
    ("laptops", "Fell 13", "1080p FaceTime HD Kamera", "resolution=HD"),
    ("laptops", "Fell 13", "Camera: 1080P FHD IR Hybrid with privacy shutter", "resolution=Full HD"),
    ("laptops", "Fell 13", "Full HD webcam with a shutter", "resolution=Full HD"),
    ("lamps", "Deckenleuchte", "Farbtemperatur (2700–6500 K) einstellbar.", "light=cool white"),
    ("lamps", "Lamp", "Colour temperature from 2700 to 6500 K.", "light=cool white"),
    ("watches", "Montre", "Boîtier en polymère renforcé 45 mm, lunette en titane", "case_material=titanium"),
    ("watches", "Watch", "Polymer case with a titanium bezel", "case_material=titanium"),
    ("hair_care", "Shampoo", "Bei Augenkontakt sofort ausspülen.", "further_details=Bei Augenkontakt"),
]


@pytest.mark.parametrize(
    "cell", ["Lightweight", "Lightweight, foldable", "Two pockets; lightweight", "Leicht, faltbar"]
)
def test_a_column_of_features(cell: str) -> None:
    assert "need=light weight" in verified("bags", "Bag", "", {"Features": cell})
    if ";" not in cell:
        assert "need=light weight" in verified("bags", "Bag", "", {"other_attributes": f"Features: {cell}"})


def test_what_stands_in_a_cell_with_other_words_is_no_feature() -> None:
    assert "need=light weight" not in verified("bags", "Bag", "", {"Features": "Fits a lightweight jacket inside"})


@pytest.mark.parametrize(
    ("category", "title", "columns", "claim"),
    [
        ("jackets", "Leather Jacket", {"Details": "shell 100% polyurethane faux leather"}, "fabric=leather"),
        ("skin_care", "Vegan cream", {"Ingredients": "Aqua, Cera Alba (Beeswax)"}, "free_of=vegan"),
        ("skin_care", "Fragrance-free cream", {"Ingredients": "Aqua, Parfum"}, "free_of=fragrance-free"),
        ("shoes", "Vegan sneaker", {"Lining": "calf leather"}, "need=vegan"),
        ("jewellery", "Pearl earrings", {"Material": "PMMA"}, "stone=pearl"),
        ("shirts", "Dino Tee (Gender Neutral)", {"breadcrumbs": "Men/Clothing"}, "audience=men"),
    ],
)
def test_what_words_elsewhere_speak_against_is_left_to_be_judged(
    category: str, title: str, columns: dict[str, str], claim: str
) -> None:
    assert claim not in verified(category, title, "", columns)
    assert claim in verified(category, title, "", {"Note": "Aqua"}) | verified(category, "Kea", "", columns)


@pytest.mark.parametrize(("category", "title", "description", "claim"), SAID)
def test_said_outright(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)


@pytest.mark.parametrize(("category", "title", "description", "claim"), NOT_SAID)
def test_not_said(category: str, title: str, description: str, claim: str) -> None:
    assert claim not in verified(category, title, description)


@pytest.mark.parametrize(
    ("description", "claim", "quote"),
    [
        ("With durable traction on wet roads.", "need=durability", "durable traction"),
        ("Sticky sole with a durable look.", "need=durability", "durable look"),
        ("Stay comfortable all day.", "need=comfort", "comfortable"),
        ("A soft EVA midsole.", "sole_material=EVA", "EVA midsole"),
        ("Zwischensohle aus EVA.", "sole_material=EVA", "Zwischensohle aus EVA"),
        ("A leather upper.", "upper_material=leather", "leather"),
    ],
)
def test_is_quoted_with_what_it_is_said_of(description: str, claim: str, quote: str) -> None:
    claims = ground({}, Document({"title": "Kea", "description": description}), lexicon_of("shoes"))
    quotes = {f"{one['attribute']}={one['value']}": one["quote"] for one in claims if one["status"] == "verified"}
    assert quotes[claim] == quote


def test_a_column_alone_against_title_and_text_is_left_to_be_judged() -> None:
    said = ("shoes", "Kea Sneaker Midnight Navy", "A low navy suede sneaker.")
    assert "color=black" not in verified(*said, {"Color": "black"})
    assert "color=black" in verified("shoes", "Kea Sneaker", "", {"Color": "black"})


def test_what_is_not_to_be_used_with_it_is_not_denied_of_it() -> None:
    document = Document({"title": "Sérum", "description": "Ne pas associer au rétinol."})
    assert not [one for one in ground({}, document, lexicon_of("skin_care")) if one["attribute"] == "ingredient"]


@pytest.mark.parametrize("shelf", ["Men", "Women/Hats"])
def test_the_title_says_whom_for_before_the_shelf(shelf: str) -> None:
    said = verified("bags", "1pc Unisex Zirconia Necklace", "Unisex.", {"root_category": shelf})
    assert {claim for claim in said if claim.startswith("audience=")} == {"audience=unisex"}


def test_a_part_is_denied_of_the_part() -> None:
    document = Document({"title": "Slipper", "description": "The sole is textile with silicone dots, no rubber."})
    claims = ground({}, document, lexicon_of("shoes"))
    assert [one["attribute"] for one in claims if one["value"] == "rubber"] == ["sole_material"]


def test_what_it_is_made_for_is_told_with_its_exception() -> None:
    said = verified("cookware", "Sartén", "Apta para lavavajillas y horno hasta 220 ºC (excepto tapas).")
    assert "made_for=lavavajillas y horno hasta 220 ºC (excepto tapas)" in said
