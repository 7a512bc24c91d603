"""What has but the look of a kind or a use is none; what a title's last words say it is; and what likenesses, sets and
numbers within other numbers are."""

import pytest

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.evidence import Evidence
from tests.taxonomy.test_claims import Case, lexicon_of, verified

LOOKS: list[Case] = [
    ("shoes", "Premiere shoes", "Classic tennis style is reimagined for today.", "scenario=tennis"),
    ("shoes", "Sneaker", "Running-inspired design with a basketball look.", "scenario=basketball"),
    ("shoes", "Samba", "The timeless training icon has been winning fans.", "scenario=gym and training"),
    ("shoes", "Sneaker", "Im Wanderschuh-Look, Sneaker im Tennis-Stil.", "shoe_type=hiking shoe"),
    ("shoes", "Baskets", "Un look randonnée pour la ville.", "scenario=hiking"),
    ("shoes", "Zapatillas", "Con estilo de tenis.", "scenario=tennis"),
    ("shoes", "Sneakers", "In stile tennis.", "scenario=tennis"),
    ("shoes", "スニーカー", "ランニングシューズ風。", "scenario=running"),
    ("shoes", "休闲鞋", "跑步鞋风。", "scenario=running"),
    ("shoes", "Court 84 Retro Tennis Shoes", "More for cafés than for match points.", "scenario=tennis"),
    ("shoes", "Chasm", "Overlays that mirror the Fell, an archival running shoe.", "shoe_type=running shoe"),
    ("shoes", "Hearth", "A moccasin-style slipper.", "shoe_type=loafer"),
]
SAYINGS: list[Case] = [
    ("shoes", "ZX", "Boost energises every step as you zip around town.", "closure=zip"),
    ("shoes", "Falcon", "From school to running errands with you.", "scenario=running"),
    ("shoes", "Fusio", "They not only support the journey, they encourage it.", "need=stability"),
    ("shoes", "Reissue", "Dial it back to the '80s, when sneakers were designed for tennis.", "scenario=tennis"),
]
OTHER_THINGS: list[Case] = [
    ("bags", "Sleeping bag with zip", "", "closure=zip"),
    ("bags", "Schlafsack mit Reißverschluss", "", "closure=zip"),
    ("bags", "Sac poubelle 30 l", "", "capacity=30 l"),
    ("bags", "Bolsas de basura 50 l", "", "capacity=50 l"),
    ("bags", "30 Freezer bags", "", "bag_type=handbag"),
    ("skin_care", "Ski Mask", "", "care_type=mask"),
    ("skin_care", "Party lace masks black", "", "care_type=mask"),
    ("hair_care", "Curly wig, brown hair color", "", "care_type=hair colour"),
    ("shirts", "30 Golf Tees", "", "shirt_type=T-shirt"),
    ("jewellery", "10pcs Throwing Rings Toss Game", "", "jewellery_type=ring"),
    ("jewellery", "Tongue rings, acrylic", "", "jewellery_type=ring"),
    ("jewellery", "Pendant For Necklace Or Earrings", "", "jewellery_type=necklace"),
    ("cookware", '22.5" Tall Planter Plant Pot', "", "diameter=57.15 cm"),
    ("cookware", "30 cm high stock pot", "", "diameter=30 cm"),
    ("cookware", "Topf, 20 cm hoch", "", "diameter=20 cm"),
    ("cookware", "Marmite 30 cm de haut", "", "diameter=30 cm"),
    ("bags", "Marc Women's Handbag H009L01SP21", "", "capacity=009 l"),
    ("sofas", "Sofa aus Cord", "Nähte in Leder abgesetzt. Zierkissen aus Leinen.", "cover=leather"),
    ("sofas", "Leather sofa", "Contrast stitching in linen.", "cover=linen"),
    ("sofas", "Canapé en velours", "Coutures en lin.", "cover=linen"),
]
DENIED: list[Case] = [
    ("chocolate", "チョコ", "ヴィーガン対応ではありません。", "diet=vegan"),
    ("chocolate", "チョコ", "ヴィーガンの方には適しません。", "diet=vegan"),
    ("chocolate", "チョコ", "乳糖不使用ではありません。", "diet=lactose-free"),
    ("chocolate", "チョコ", "乳糖不使用。", "diet=sugar-free"),
    ("chocolate", "Chocolate", "No es apto para veganos ni celíacos.", "diet=vegan"),
    ("chocolate", "巧克力", "也不是无麸质。", "diet=gluten-free"),
    ("skin_care", "Crème", "Pas tout à fait sans parfum.", "free_of=fragrance-free"),
    ("skin_care", "Crema", "Non è privo di alcol.", "free_of=alcohol-free"),
    ("coffee", "Café", "Ne contient pas de caféine ajoutée.", "caffeine=decaffeinated"),
]
OF_OTHERS: list[Case] = [
    ("smartphones", "Orvia X2", "Compared to the X1 (4G, LCD) it is faster.", "display=LCD"),
    ("smartphones", "Orvia X2", "Frente al Orvia X1 (4G, pantalla LCD), más rápido.", "network=4G"),
    ("skin_care", "Crème", "À ne pas utiliser en même temps qu'un soin au rétinol.", "ingredient=retinol"),
    ("skin_care", "Cream", "Always finish with an SPF 50 sunscreen.", "sun_protection=SPF 50"),
    ("tea", "Chai", "Onze andere chai is cafeïnevrij.", "caffeine=caffeine-free"),
    ("shoes", "Nite Jogger", "It debuted at a time when running was becoming popular.", "scenario=running"),
    ("shoes", "Vinterstøvle", "Foret er af tekstil.", "upper_material=textile"),
    ("shoes", "Vinterkänga", "Sulan är av gummi.", "upper_material=rubber"),
    ("smartphones", "iPhone 14 用 強化ガラスフィルム 6.1インチ", "", "screen_size=6.1 in"),
    ("smartphones", "华为 Mate 60 钢化膜", "OLED屏幕适用。", "display=OLED"),
    ("smartphones", "iPhone 12 battery 2815mAh", "", "battery=2815 mAh"),
    ("watches", "Bracelet cuir pour montre automatique", "", "movement=automatic"),
    ("headphones", "完全ワイヤレスイヤホン用の交換イヤーピース", "", "form=in-ear"),
    ("jackets", "Leather jacket conditioner", "", "jacket_type=leather jacket"),
    ("tea", "Papieren theefilters voor losse thee", "", "form=loose leaf"),
    ("smartphones", "Nova 128GB RAM 6GB", "", "working_memory=128 GB"),
    ("shirts", "Cotton Polyester Linen shirt", "100% cotton.", "material=polyester"),
    ("shirts", "シャツ コットン ポリエステル", "綿100%", "material=polyester"),
    ("bedding", "Sheet", "Machine wash warm.", "need=warmth"),
    ("tents", "Tent", "It stands up to gales.", "need=headroom"),
    ("lamps", "ランプ", "E26電球。", "bulb=E27"),
]
LIKENESSES: list[Case] = [
    ("shoes", "Botas", "Corte de microfibra que imita el ante.", "upper_material=suede"),
    ("shoes", "Schuh", "Fersenkappe, die Veloursleder imitiert.", "upper_material=suede"),
    ("shoes", "Baskets", "Tige en textile qui imite le daim.", "upper_material=suede"),
    ("shoes", "Shoe", "Upper made to resemble suede.", "upper_material=suede"),
    ("jewellery", "Ring", "Stones that sparkle like diamonds.", "stone=diamond"),
    ("jewellery", "Bague", "Brille comme un saphir.", "stone=sapphire"),
    ("jewellery", "项链", "光泽媲美天然珍珠。", "stone=pearl"),
    ("sofas", "Velvet-touch corner sofa", "", "cover=velvet"),
    ("shirts", "衬衫", "真丝般的手感。", "material=silk"),
    ("jackets", "Chaqueta de cuero sintético", "", "jacket_type=leather jacket"),
    ("jackets", "Synthetic leather jacket", "", "jacket_type=leather jacket"),
    ("jackets", "仿皮夹克", "", "jacket_type=leather jacket"),
    ("jewellery", "Gold-tone stainless steel ring", "", "metal=gold"),
    ("jewellery", "Anillo con baño de oro de 18k", "", "metal=gold"),
    ("jewellery", "Anillo", "Metal: oro blanco 18 k", "metal=gold"),
    ("watches", "Montre", "Boîtier plaqué or.", "case_material=gold"),
    ("watches", "Orologio", "Cassa color oro in lega.", "case_material=gold"),
    ("coffee", "Caffè", "Crema densa color nocciola.", "flavor=hazelnut"),
    ("lamps", "Desk lamp", "Base in faux leather.", "home_material=leather"),
    ("lamps", "Lampada", "Base in ecopelle.", "home_material=leather"),
    ("lamps", "Lámpara", "Base de piel sintética.", "home_material=leather"),
    ("watches", "Uhr", "Armband aus veganem Leder.", "strap_material=leather"),
    ("watches", "腕時計", "合皮ベルト。", "strap_material=leather"),
    ("watches", "手表", "人造革表带。", "strap_material=leather"),
    ("headphones", "Passive Noise Cancelling headphones", "", "noise_control=active noise cancelling"),
]


@pytest.mark.parametrize(
    ("category", "title", "description", "claim"), [*LOOKS, *SAYINGS, *OTHER_THINGS, *DENIED, *OF_OTHERS, *LIKENESSES]
)
def test_it_is_none(category: str, title: str, description: str, claim: str) -> None:
    assert claim not in verified(category, title, description)


@pytest.mark.parametrize(
    ("category", "title", "description", "claim"),
    [
        ("shoes", "Men's FG boots", "These football boots have a light upper.", "shoe_type=football boot"),
        ("shoes", "Men's boots black", "These Chelsea boots are suede.", "shoe_type=ankle boot"),
        ("shoes", "Rugged boots", "Goes well with hiking boots.", "shoe_type=boot"),
        ("shoes", "ブーツ", "このチェルシーブーツは本革です。", "shoe_type=ankle boot"),
        ("shoes", "Court Tennis Shoes", "For tennis.", "scenario=tennis"),
        ("shoes", "Slipper", "A suede sole for indoor use.", "scenario=indoors"),
        ("shoes", "Kinderschuh", "Griffige Gummisohle.", "need=grip"),
        ("shoes", "Oxford", "Full brogue oxford in hand-burnished calf leather.", "upper_material=leather"),
        ("jewellery", "Rings, Earrings, Necklace Jewelry Set", "", "jewellery_type=jewellery set"),
        ("jewellery", "Kette, Ohrringe, Armband Schmuckset", "", "jewellery_type=jewellery set"),
        ("jewellery", "ネックレス、ピアス、ジュエリーセット", "", "jewellery_type=jewellery set"),
        ("jewellery", "项链，耳环，首饰套装", "", "jewellery_type=jewellery set"),
        ("jewellery", "Tongue rings, acrylic", "", "jewellery_type=body jewellery"),
        ("jewellery", "18k gold ring", "", "metal=gold"),
        ("jewellery", "Gold vermeil ring", "18k gold over silver", "metal=vermeil"),
        ("jackets", "Leather jacket", "", "jacket_type=leather jacket"),
        ("watches", "Uhr", "Gehäuse vergoldet.", "case_material=gold-plated"),
        ("smartphones", "Galaxy A54 128GB", "", "storage=128 GB"),
        ("smartphones", "Nova X", 'Pantalla: 6,5" AMOLED, 120 Hz', "display=OLED"),
        ("smartphones", "Nova X", "Bildschirm: 6,5 Zoll AMOLED", "screen_size=6.5 in"),
        ("laptops", "Laptop", 'Display: 15.6" Full HD IPS', "resolution=Full HD"),
        ("televisions", "TV", 'Screen: 55" 4K OLED', "panel=OLED"),
        ("smartphones", "Nova X 64GB 3GB RAM azul", "", "storage=64 GB"),
        ("smartphones", "Nova X 64GB 3GB RAM azul", "", "working_memory=3 GB"),
        ("smartphones", "Nova X 5G 5000 mAh battery", "", "battery=5000 mAh"),
        ("watches", "Orologio", "Movimento: automatico, riserva di carica 42 ore", "movement=automatic"),
        ("shoes", "Vinterkänga", "Sulan är av gummi.", "sole_material=rubber"),
        ("shoes", "Forest", "These shoes echo the original look with a leather upper.", "upper_material=leather"),
        ("shoes", "Nike Superfly 7 FG", "", "shoe_type=football boot"),
        ("headphones", "ヘッドホン", "接続：2.4GHz無線", "connection=2.4 GHz radio"),
        ("trousers", "Pantalón", "<div>Oferta</div><ul><li>Tejido: algodón</li></ul>", "fabric=cotton"),
        ("bags", "Laptop backpack 25 l", "", "capacity=25 l"),
        ("cookware", "12 inch deep frying pan", "", "diameter=30.48 cm"),
        ("lamps", "Desk lamp", "Base in faux leather.", "home_material=faux leather"),
        ("watches", "Montre", "Bracelet en similicuir.", "strap_material=faux leather"),
        ("headphones", "Passive Noise Cancelling headphones", "", "noise_control=passive isolation"),
        ("sofas", "Sofa", "Upholstered in linen. Seat and back in leather.", "cover=leather"),
    ],
)
def test_it_is_so(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)


@pytest.mark.parametrize(
    ("title", "description", "colours"),
    [
        ("Chelsea Boot black", "The Ferryman in brown.", set()),
        ("Stiefel schwarz", "Der Stiefel in Braun.", set()),
        ("Botte noire", "La botte en marron.", set()),
        ("黑色靴子", "棕色靴子。", set()),
        ("Chelsea Boot black", "The Ferryman in black and brown.", {"black"}),
    ],
)
def test_a_title_and_a_text_that_say_other_colours(title: str, description: str, colours: set[str]) -> None:
    found = verified("shoes", title, description)
    assert {claim.removeprefix("color=") for claim in found if claim.startswith("color=")} == colours


@pytest.mark.parametrize(
    "title",
    [
        "Rings, earrings, 3 pcs",
        "1 set of gold-tone jewelry accessories including necklace, bracelet and ring",
        "Open cuff & choker set",
    ],
)
def test_several_things_are_none_of_them(title: str) -> None:
    assert not {claim for claim in verified("jewellery", title, "") if "jewellery_type" in claim}


@pytest.mark.parametrize(
    ("title", "description", "denied"),
    [
        ("Slip-on", "The Stroll without laces.", {"lace-up"}),
        ("Boot", "No laces, zips or buckles.", {"lace-up", "zip", "buckle"}),
        ("Stiefel", "Ohne Schnürsenkel.", {"lace-up"}),
        ("Shoes", "No need to announce your arrival when you have these laced on.", set()),
        ("Shoes", "Nobody will ever ask you why on earth you have them laced.", set()),
    ],
)
def test_what_is_denied_is_denied_close_by(title: str, description: str, denied: set[str]) -> None:
    claims = ground({}, Document({"title": title, "description": description}), lexicon_of("shoes"))
    assert {claim["value"] for claim in claims if claim["evidence"] == Evidence.DENIED} == denied
