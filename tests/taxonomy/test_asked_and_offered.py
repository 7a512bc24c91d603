"""What is asked, compared with, offered or at most so is no statement; a part's closure, cloth or protection is no
product's; and what stands beside all that is still so."""

import pytest

from tests.taxonomy.test_claims import Case, verified

ASKED: list[Case] = [
    ("laptops", "Laptop 14", "Does it have a 1 TB SSD? No, it has 512 GB.", "storage=1000 GB"),
    ("headphones", "Headphones over-ear", "Q: Do they have a microphone? A: No.", "microphone=microphone"),
    ("tents", "Tunnelzelt", "Kundenfrage: Sind die Stangen aus Aluminium? Antwort: Nein.", "poles=aluminium"),
    (
        "tents",
        "Tente tunnel",
        "Les arceaux sont-ils en aluminium ? Réponse : non, en fibre de verre.",
        "poles=aluminium",
    ),
    ("headphones", "Auriculares", "¿Tienen micrófono integrado? No.", "microphone=microphone"),
    ("headphones", "Cuffie", "Hanno un microfono integrato? No, purtroppo.", "microphone=microphone"),
    ("headphones", "Koptelefoon", "Heeft hij een microfoon? Nee.", "microphone=microphone"),
    ("headphones", "ヘッドホン", "マイクは内蔵されていますか？いいえ。", "microphone=microphone"),
    ("headphones", "耳机", "有内置麦克风吗？没有。", "microphone=microphone"),
    (
        "shoes",
        "Ankle boots",
        "<p>Are they waterproof?</p><p>Our team tests every pair.</p>",
        "water_protection=waterproof",
    ),
]
COMPARED: list[Case] = [
    ("sofas", "Velvet sofa green", "Easier to care for than leather.", "cover=leather"),
    ("sofas", "Canapé velours", "Plus facile à entretenir que le cuir.", "cover=leather"),
    ("sofas", "Sofa Cord", "Pflegeleichter als Leder und robuster als Leinen.", "cover=leather"),
    ("sofas", "Sofa Cord", "Pflegeleichter als Leder und robuster als Leinen.", "cover=linen"),
    ("bedding", "Leinenbettwäsche", "Kühler als Baumwolle und Satin.", "weave=sateen"),
    ("shoes", "Ballerine in pelle", "Più morbide del modello in camoscio.", "upper_material=suede"),
    ("sofas", "Sofá de terciopelo", "Más fácil de limpiar que el cuero.", "cover=leather"),
    ("sofas", "Bank van fluweel", "Sterker dan leer.", "cover=leather"),
    ("sofas", "Soffa i sammet", "Mjukare än läder.", "cover=leather"),
    ("sofas", "Sofa aksamitna", "Trwalsza niż skóra.", "cover=leather"),
    ("coffee", "Espresso", "Milder als unser Napoli aus Robusta.", "bean=robusta"),
]
OFFERED: list[Case] = [
    ("bags", "Bag", "Available in black and brown.", "color=black"),
    ("jackets", "Jacket", "Front zip. Comes in black or navy.", "color=black"),
    ("sofas", "Sofa", "Erhältlich in Schwarz und Braun.", "color=black"),
    ("shirts", "T-Shirt", "In Schwarz, Weiß und Rot erhältlich.", "color=black"),
    ("bags", "Sac", "Disponible en noir et marron.", "color=black"),
    ("bags", "Bolso", "Disponible en negro y marrón.", "color=black"),
    ("bags", "Borsa", "Disponibile in nero e marrone.", "color=black"),
    ("bags", "Tas", "Verkrijgbaar in zwart en bruin.", "color=black"),
    ("bags", "Väska", "Finns i svart och brunt.", "color=black"),
    ("sofas", "Sofá", "Tapizado en tela o piel sintética a elegir.", "cover=faux leather"),
    ("sofas", "2-Sitzer Sofa", "Wahlweise mit Bezug aus Samt, Cord oder Leinen.", "cover=linen"),
    ("shirts", "T-Shirt", "Erhältlich in Weiß oder Rot. Diese Variante: Rot.", "color=white"),
]
AT_MOST: list[Case] = [
    ("lamps", "Desk lamp", "Wattage: max 60W", "power=60 W"),
    ("lamps", "Lampe", "Leistung: 60 W max.", "power=60 W"),
    ("lamps", "Lampe", "Puissance : 60 W maximum.", "power=60 W"),
    ("lamps", "Lámpara", "Potencia: máx. 60 W", "power=60 W"),
    ("lamps", "灯", "功率:40W以下。", "power=40 W"),
    ("lamps", "ランプ", "消費電力:最大60W", "power=60 W"),
]
OF_A_PART: list[Case] = [
    ("bags", "Canvas Tote Bag", "Inner zip pocket.", "closure=zip"),
    ("bags", "Hard shell suitcase", "Fully lined interior with zipped divider.", "closure=zip"),
    ("bags", "Handbag", "Magnetic closure. Outer back pocket with zip.", "closure=zip"),
    ("bags", "Roll Top Dry Bag", "Adjustable shoulder strap with buckle.", "closure=buckle"),
    ("bags", "Rucksack Rolltop", "Brustgurt mit Schnalle.", "closure=buckle"),
    ("jackets", "Softshelljacke", "Zwei Seitentaschen mit Reißverschluss.", "closure=zip"),
    ("jackets", "Jacket", "Windproof collar.", "need=wind protection"),
    ("jackets", "Trench da donna", "Con patta antivento.", "need=wind protection"),
    ("jackets", "Jacket", "Waterproof chest pocket keeps your phone dry.", "need=rain protection"),
    ("bags", "Backpack nylon", "Waterproof laptop compartment.", "water_protection=waterproof"),
    ("bags", "Sac en cuir", "Bandoulière en coton.", "material=cotton"),
    ("bags", "Leren tas", "Schouderband van katoen.", "material=cotton"),
    ("bags", "Ledertasche", "Verstellbarer Schulterriemen aus Nylon.", "material=nylon"),
    ("cookware", "Bräter Gusseisen", "Deckelknauf aus Edelstahl.", "material=stainless steel"),
    ("cookware", "Pentola in ghisa", "Pomello in acciaio inox.", "material=stainless steel"),
    ("lamps", "Lampadaire métal noir", "Interrupteur en laiton", "home_material=brass"),
    ("headphones", "Gaming headset", "Detachable noise-cancelling boom mic.", "noise_control=active noise cancelling"),
    ("headphones", "Headset", "Mikrofon mit Geräuschunterdrückung.", "noise_control=active noise cancelling"),
    ("headphones", "Casque", "Micro à réduction de bruit.", "noise_control=active noise cancelling"),
    ("headphones", "ヘッドホン", "通話ノイズキャンセリングマイク搭載。", "noise_control=active noise cancelling"),
    ("headphones", "Écouteurs", "6 h d'autonomie, 24 h avec le boîtier de charge.", "battery_life=24 h"),
    ("headphones", "In-Ear Kopfhörer", "24 Stunden mit Ladecase, 6 Stunden pro Ladung.", "battery_life=24 h"),
]
OF_ANOTHER: list[Case] = [
    ("smartphones", "Coque pour iPhone 14", "Écran OLED, 5G.", "display=OLED"),
    ("smartphones", "Panzerglas für Galaxy S23", "5G, OLED-Display.", "display=OLED"),
    ("laptops", "Docking station", "4K HDMI, Windows 11.", "resolution=4K"),
    ("laptops", "Netzteil 65W USB-C", "Für Chromebook und Windows-Laptops.", "system=Windows"),
    ("power_drills", "Bohrer-Set SDS-plus", "Für 18-V-Akku-Bohrhammer.", "drill_type=rotary hammer"),
    ("jackets", "Veste en jean", "Sur un gros pull en laine.", "fabric=wool"),
    ("dresses", "Robe en coton", "Se porte avec un gilet en laine.", "fabric=wool"),
    ("tea", "Rooibos Vanille", "Unser Tipp: auch den Grüntee mit Minze probieren.", "flavour=mint"),
    ("sofas", "Sofa", "Keep pets' claws away from the fabric.", "need=pets"),
    ("sofas", "Sofa", "Bitte Haustiere fernhalten.", "need=pets"),
    ("sofas", "Sofa", "Tenir les animaux à distance.", "need=pets"),
    ("shirts", "Orange County Surf Club Tee", "Men's t-shirt in white cotton", "color=orange"),
    ("shirts", "Blue Ridge Mountains T-Shirt", "Grey organic cotton tee.", "color=blue"),
    ("cookware", "Frying pan", "All hobs. Not induction.", "hob=all hobs"),
    ("cookware", "Pfanne", "Für alle Herdarten geeignet. Nicht für Induktion.", "hob=all hobs"),
    ("cookware", "Sartén", "No apta para inducción.", "hob=induction"),
    ("cookware", "Poêle", "Tous feux (hors induction).", "hob=induction"),
    ("cookware", "Padella", "Escluso induzione.", "hob=induction"),
    ("cookware", "フライパン", "IH以外の全熱源対応。", "hob=all hobs"),
    ("cookware", "Topfset 16, 20, 24 cm", "", "diameter=24 cm"),
]

SOLD_BESIDE: list[Case] = [
    ("shoes", "Safety boots brown", "Add our wool boot socks for winter warmth!", "need=warmth"),
    ("laptops", "Nitro V 15 Gaming Laptop", 'Bundle offer: add a gaming mouse and 27" 4K monitor.', "resolution=4K"),
    ("laptops", "Notebook 15 Zoll", 'Angebot: 27" 4K Monitor dazu und 10% sparen.', "resolution=4K"),
    ("laptops", "Ordinateur portable 15", "Promotion : écran 4K à -10 %.", "resolution=4K"),
    ("laptops", "Laptop 15", "Docking station supports two 4K displays.", "resolution=4K"),
    ("perfume", "Velvet EDP 50 ml", "Available as a set with body lotion.", "package=set"),
    ("perfume", "Velvet EDP 50 ml", "Coffret cadeau disponible.", "package=set"),
    ("perfume", "Velvet EDP 50 ml", "Free sample of our Oud cologne with each order.", "note=oud"),
    ("jewellery", "Silver necklace", "Can be worn with our gold hoop earrings.", "metal=gold"),
    ("coffee", "Kaffeebohnen Crema 1 kg", "Auch gemahlen erhältlich.", "form=ground"),
    ("laptops", "MacBook Air 13", "Can run Windows apps through third party software.", "system=Windows"),
    ("laptops", "Laptop 14", "Läuft auch mit Linux.", "system=Linux"),
    ("laptops", 'Portátil 15,6"', "Sin sistema operativo (FreeDOS).", "system=Linux"),
    ("smartphones", "Galaxia S24", "Easy switch from your iPhone.", "system=iOS"),
    ("smartphones", "Phone A15", "Same chip as the 5G model.", "network=5G"),
    ("skin_care", "Retinol serum 30ml", "Always use a sunscreen with SPF 50.", "sun_protection=SPF 50"),
    ("skin_care", "Retinol Serum 30 ml", "Tagsüber Sonnenschutz LSF 50 verwenden.", "need=sun protection"),
    ("skin_care", "Sérum rétinol 30 ml", "Utiliser une protection solaire SPF 50 le jour.", "need=sun protection"),
    ("skin_care", "维生素C精华液 30ml", "白天使用请配合防晒霜SPF50。", "need=sun protection"),
    ("tea", "Matcha powder 30 g", "Also delicious in lattes with vanilla syrup.", "flavour=vanilla"),
    ("tea", "Schwarztee lose", "Schmeckt mit Honig und Ingwer.", "flavour=honey"),
    ("shirts", "Oxford shirt light blue", "Wear it open over a white t-shirt.", "color=white"),
    ("shirts", "Polo shirt navy", "Looks good under a beige V-neck pullover.", "neckline=V-neck"),
    ("trousers", "Cargo trousers", "Belt loops. Drawstring hem.", "waist=elastic waist"),
    ("hair_care", "Dry shampoo 200ml", "", "skin_type=dry"),
    ("skin_care", "Dry body oil 100 ml", "", "skin_type=dry"),
    ("jewellery", "Pearl stud earrings", "Hypoallergenic.", "need=nickel-free"),
    ("cookware", "Aluminium frying pan", "Free gift: a saucepan of stainless steel.", "material=stainless steel"),
    ("cookware", "Padella in alluminio", "In omaggio un pentolino in acciaio inox.", "material=stainless steel"),
    ("bags", "Canvas bag", "Includes a cotton shoe bag.", "material=cotton"),
    ("sofas", "Leather sofa", "Clean with a cotton cloth.", "cover=cotton"),
    ("coffee", "Beans", "Our founder comes from Colombia.", "origin=Colombia"),
    ("coffee", "Bohnen", "Röster aus Brasilien.", "origin=Brazil"),
    ("jackets", "Parka", "Shell 60% cotton; rib 95% wool.", "fabric=wool"),
    ("chocolate", "Chocolat au lait", "Traces possibles d'amandes et de noisettes.", "filling=hazelnut"),
    ("smartphones", "Smartphone", "Batterie 5 300 mAh", "battery=300 mAh"),
    ("skin_care", "Cream", "No parabens, with alcohol.", "free_of=alcohol-free"),
    ("skin_care", "Cream", "Parabens: yes", "free_of=paraben-free"),
    ("shoes", "Court shoes", "In the 80s sneakers were for tennis.", "scenario=tennis"),
    ("watches", "Kids digital watch", "Alarm, stopwatch, light.", "display=chronograph"),
]


@pytest.mark.parametrize(
    ("category", "title", "description", "claim"),
    [*SOLD_BESIDE, *ASKED, *COMPARED, *OFFERED, *AT_MOST, *OF_A_PART, *OF_ANOTHER],
)
def test_it_is_not_said(category: str, title: str, description: str, claim: str) -> None:
    assert claim not in verified(category, title, description)


SAID: list[Case] = [
    ("headphones", "Headphones", "Do they have a microphone? Yes, built in.", "microphone=microphone"),
    ("headphones", "Kopfhörer", "Mit Mikrofon? Ja. Bluetooth 5.3.", "connection=Bluetooth"),
    ("shoes", "Ankle boots", "Are they waterproof? ✓", "water_protection=waterproof"),
    (
        "headphones",
        "Headphones",
        "Active noise cancelling. 50 hours without ANC.",
        "noise_control=active noise cancelling",
    ),
    ("sofas", "Sofa", "More than a sofa. Velvet cover, softer than linen.", "cover=velvet"),
    ("headphones", "Headphones", "Plays for more than 30 hours on one charge.", "battery_life=30 h"),
    ("televisions", 'QLED TV 50"', "Brighter than OLED.", "panel=QLED"),
    ("bedding", "Kissenbezug", "Als Kissen oder als Decke, aus Baumwolle. Fabric: cotton", "fabric=cotton"),
    ("shoes", "Stiefel", "Obermaterial Leder, immer als Erstes gepflegt.", "upper_material=leather"),
    ("bags", "Bag black", "Comes in a dust bag. Waterproof.", "water_protection=waterproof"),
    ("bags", "Backpack", "Main compartment with zip, inner pocket.", "closure=zip"),
    ("bags", "Tote", "Zip top, two handles.", "closure=zip"),
    ("bags", "Borsa a tracolla in pelle", "Chiusura con zip.", "material=leather"),
    ("jackets", "Rain jacket", "Windproof nylon with a fixed hood and a full-length zip.", "closure=zip"),
    ("jackets", "Jacke", "Durchgehender Reißverschluss mit Kinnschutz.", "closure=zip"),
    ("jackets", "Jacke", "Reißverschluss und Kapuze.", "closure=zip"),
    ("jackets", "Jacke", "Obermaterial: 100 % Polyester", "fabric=polyester"),
    (
        "headphones",
        "Headset",
        "Headset with noise cancelling and boom microphone.",
        "noise_control=active noise cancelling",
    ),
    (
        "headphones",
        "Headphones",
        "Four microphones for active noise cancelling.",
        "noise_control=active noise cancelling",
    ),
    ("sofas", "Sofa", "Bezug: Samt (100 % Polyester). Füße aus Holz.", "legs=wood"),
    ("sofas", "Sofa", "Cover: velvet (100 % polyester). Legs of oak.", "legs=wood"),
    ("sofas", "Schlafsofa 2-Sitzer", "", "sofa_type=sofa bed"),
    ("lamps", "Solar String Lights", "", "supply=solar"),
    ("headphones", "头戴式耳机 2.4G无线", "", "connection=2.4 GHz radio"),
    ("cookware", "Casserole inox", "Avec couvercle.", "cookware_type=saucepan"),
    ("dog_food", "Pâtée poulet 400 g", "", "weight=400 g"),
    ("chocolate", "Vollmilch Tafel 100 g", "", "weight=100 g"),
    ("cookware", "Padella 24 cm", "", "diameter=24 cm"),
    ("bicycles", "Citybike 28 Zoll", "", "wheel_size=28 in"),
    ("watches", "Reloj 41 mm", "", "case_diameter=41 mm"),
    ("perfume", "Eau de parfum No. 7 50 ml", "", "concentration=eau de parfum"),
    ("perfume", "Eau de parfum No. 7 50 ml", "", "volume=50 ml"),
    ("lamps", "Lampe E27 9 W", "", "power=9 W"),
    ("skin_care", "Sun cream SPF 30 50 ml", "", "volume=50 ml"),
    ("cookware", "Topf Serie 5 24 cm", "", "diameter=24 cm"),
    ("smartphones", "Smartphone 256 GB", "", "storage=256 GB"),
    ("board_games", "Kartenspiel", "Spieldauer: 20 Minuten", "duration=20 min"),
    ("jackets", "Steppjacke", "Füllung: 100 % Polyester.", "filling=synthetic filling"),
    ("jackets", "Black bomber jacket", "Outer: nylon.", "fabric=nylon"),
    ("bedding", "Duvet", "Cover: 100% cotton.", "fabric=cotton"),
    ("shirts", "T-shirt donna", "", "audience=women"),
    ("skin_care", "维生素C精华液 30ml", "不含酒精、不含香精。", "free_of=fragrance-free"),
    ("dresses", "Midi dress black", "Length: 115 cm", "length=midi"),
    ("shoes", "Wanderschuh Trail 2", "Der Trail 2 ist wasserdicht.", "water_protection=waterproof"),
    ("headphones", "Headphones Aria 2", "The Aria 2 has Bluetooth and IPX4.", "connection=Bluetooth"),
    ("cookware", "Pfanne 28 cm", "Pfanne 24 cm aus Edelstahl.", "material=stainless steel"),
    ("jackets", "Giacca a vento", "Cappuccio assente.", "hood=no hood"),
    ("skin_care", "Cream", "Parabens: no", "free_of=paraben-free"),
    ("skin_care", "Day cream", "Free from parabens, silicones and fragrance.", "free_of=silicone-free"),
    ("skin_care", "Day cream", "Free from parabens, silicones and fragrance.", "free_of=fragrance-free"),
    ("skin_care", "Tagescreme", "Ohne Parabene, Silikone und Alkohol.", "free_of=alcohol-free"),
    ("skin_care", "Crema", "Senza parabeni, siliconi e profumo.", "free_of=fragrance-free"),
    ("skin_care", "Crème", "Parabènes : non", "free_of=paraben-free"),
    ("skin_care", "Cream", "<table><tr><td>Silicones</td><td>No</td></tr></table>", "free_of=silicone-free"),
    ("hair_care", "Shampoo", "Sulfate: nein", "free_of=sulphate-free"),
    ("skin_care", "面霜 50ml", "不含香精、不含酒精、不含硅油。", "free_of=alcohol-free"),
    ("dresses", "Bodycon dress long sleeve", "", "dress_type=bodycon dress"),
    ("shirts", "Merino base layer long sleeve mens", "100% merino wool", "material=wool"),
    ("hair_care", "Dry Shampoo Spray", "For oily roots.", "care_type=dry shampoo"),
    ("skin_care", "Day cream", "For dry skin.", "skin_type=dry"),
    ("coffee", "Kaffee gemahlen", "Röstgrad: dunkel", "roast=dark roast"),
    ("hair_care", "Shampoo", "Haartyp: fettig", "skin_type=oily"),
    ("skin_care", "Crème de nuit", "Type de peau : sèche, sensible", "skin_type=sensitive"),
    ("trousers", "Cargo shorts", "", "trouser_type=shorts"),
    ("jewellery", "Cuban Chain Bracelet", "", "jewellery_type=bracelet"),
]


@pytest.mark.parametrize(("category", "title", "description", "claim"), SAID)
def test_it_is_still_said(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)


@pytest.mark.parametrize(
    ("category", "column", "value", "claim"),
    [
        ("dresses", "sleeves", "long", "sleeve=long sleeve"),
        ("dresses", "Ärmellänge", "lang", "sleeve=long sleeve"),
        ("shirts", "Sleeve length", "Short", "sleeve_length=short sleeve"),
        ("shirts", "Manches", "longues", "sleeve_length=long sleeve"),
    ],
)
def test_words_that_say_so_under_a_label_only(category: str, column: str, value: str, claim: str) -> None:
    assert claim in verified(category, "XR 7", "", {column: value})
    assert claim not in verified(category, f"XR 7 {value}", f"{value}.", {})


@pytest.mark.parametrize(
    ("category", "title", "description", "columns", "colours"),
    [
        ("bags", "Wallet", "Colours: Brown, Black, Tan", {"Colour": "Brown"}, {"brown"}),
        ("bags", "Wallet", "Colours: choose from Brown, Black or Tan.", {"Colour": "Brown"}, {"brown"}),
        ("bags", "Portefeuille", "Couleurs : marron, noir.", {"Couleur": "marron"}, {"brown"}),
        ("shoes", "Zapatilla", "Colores: blanco, rojo", {"Color": "negro"}, {"black"}),
        ("bedding", "Bettwäsche", "Farben: Weiß, Grau, Blau", {"Farbe": "Blau"}, {"blue"}),
        ("bags", "Wallet", "Colours: brown, black", {}, {"brown", "black"}),
    ],
)
def test_what_is_offered_beside_what_is_sold(
    category: str, title: str, description: str, columns: dict[str, str], colours: set[str]
) -> None:
    found = verified(category, title, description, columns)
    assert {claim.removeprefix("color=") for claim in found if claim.startswith("color=")} == colours
