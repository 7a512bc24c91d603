"""What of a product code alone verifies, and what it must not: what went wrong on real feeds, each by its kind."""

from functools import cache

import pytest

from reaseq.agents.grounder import ground
from reaseq.documents.document import Document
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for


@cache
def lexicon_of(category: str) -> Lexicon:
    schema = starter_for(category)
    assert schema is not None
    return Lexicon(schema)


def verified(category: str, title: str, description: str, columns: dict[str, str] | None = None) -> set[str]:
    """attribute=value of each verified claim."""
    sources = {"title": title, "description": description}
    sources |= {name if name == "brand" else f"attributes.{name}": text for name, text in (columns or {}).items()}
    claims = ground({}, Document(sources), lexicon_of(category))
    return {f"{claim['attribute']}={claim['value']}" for claim in claims if claim["status"] == "verified"}


Case = tuple[str, str, str, str]


DENIED: list[Case] = [
    ("bags", "Tasche", "Material: ☐ Leder ☑ Nylon ☐ Canvas", "material=leather"),
    ("bags", "Bag", "Material: [ ] leather [x] nylon.", "material=leather"),
    ("bags", "Bag", "<ul><li><input type='checkbox'> Leather</li></ul>", "material=leather"),
    ("headphones", "ヘッドホン", "マイク×", "microphone=microphone"),
    ("jackets", "Jacket", "Hood – no", "hood=hood"),
    ("jackets", "Chaqueta", "<dt>Capucha</dt><dd>No</dd>", "hood=hood"),
    ("jackets", "夹克", "闭合方式：拉链 不含腰带", "closure=belt"),
    ("power_drills", "Boormachine", "zonder accu en lader", "delivery=charger"),
    ("jackets", "Jacke", "Eine Kapuze hat die Jacke nicht.", "hood=hood"),
    ("cookware", "Pan", "Not suitable for induction.", "hob=induction"),
    ("cookware", "Pfanne", "Nicht geeignet für Induktion.", "hob=induction"),
    ("cookware", "Poêle", "Non adapté aux plaques à induction.", "hob=induction"),
    ("cookware", "Pan", "Niet geschikt voor inductie.", "hob=induction"),
    ("shoes", "Trail shoe", "防水：×", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "Waterproof: ✗ Breathable: ✓", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "❌ Waterproof ✅ Breathable", "water_protection=waterproof"),
    ("smartphones", "Nova X", "NFC ✗ | 5G ✓", "network=NFC"),
    (
        "shoes",
        "Trail shoe",
        "<tr><td>Waterproof</td><td></td></tr><tr><td>Upper</td><td>Mesh</td></tr>",
        "water_protection=waterproof",
    ),
    ("shoes", "Trail shoe", "<dt>Imperméable</dt><dd>&cross;</dd>", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "<li><b>Wasserdicht</b> nein</li>", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "Wasserdicht: bedingt", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "Imperméable : sur demande", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "Impermeabile: in parte", "water_protection=waterproof"),
    ("shoes", "Waterproof trail shoe", "Not waterproof.", "water_protection=waterproof"),
    ("shoes", "Waterproof trail shoe", "Waterproof: no", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "Wasserdicht ist er nicht.", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "Waterproof they are not.", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "No laces, zips or buckles.", "closure=buckle"),
    ("shoes", "Halbschuh", "Ohne Schnürsenkel, Reißverschluss oder Schnalle.", "closure=buckle"),
    ("shoes", "Trail shoe", "Is it waterproof?\nNo.", "water_protection=waterproof"),
    ("shoes", "Chaussure", "<p>Est-elle imperméable ?</p><p>Non.</p>", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "<del>Waterproof</del>", "water_protection=waterproof"),
    ("cookware", "Pan", "Suitable for all hobs except induction", "hob=induction"),
    ("cookware", "Pfanne", "Für alle Herdarten außer Induktion", "hob=induction"),
    ("shoes", "Shoe", "No virgin polyester.", "upper_material=synthetic"),
    ("jewellery", "3000 Beads Bracelet DIY Making Set", "", "jewellery_type=bracelet"),
    ("smartphones", "Nova X", "5G：不支持 NFC：支持", "network=5G"),
    ("smartphones", "Nova X", "NFC：非対応 5G：対応", "network=NFC"),
    ("smartphones", "Nova X", "NFC: not supported. 5G: supported.", "network=NFC"),
    ("smartphones", "Nova X", "5G unsupported, 4G only.", "network=5G"),
    ("shoes", "运动鞋", "防水：否 鞋面材质：牛皮", "water_protection=waterproof"),
    ("shoes", "スニーカー", "防水：なし アッパー：本革", "water_protection=waterproof"),
    ("laptops", "Zen 14", "Windows 11 nicht vorinstalliert.", "system=Windows"),
    ("jackets", "Puffer jacket", "Down-free insulation.", "filling=down"),
    ("jackets", "Puffer jacket", "Filled with a down alternative.", "filling=down"),
    ("headphones", "Buds ANC", "Active noise cancelling: no", "noise_control=active noise cancelling"),
]
LIMITS: list[Case] = [
    ("laptops", "Zen 14", "RAM expandable up to 32 GB.", "working_memory=32 GB"),
    ("laptops", "Zen 14", "Speicher erweiterbar bis 1 TB SSD", "storage=1 TB"),
    ("laptops", "Zen 14", "Memory upgradeable to 64 GB", "working_memory=64 GB"),
    ("smartphones", "Nova X", "microSD cards up to 1 TB are supported", "storage=1 TB"),
]
OTHERS: list[Case] = [
    ("bags", "Bag", "Matches the brown leather wallet from the same line.", "material=leather"),
    ("sofas", "Sofa", "The matching footstool is covered in leather.", "cover=leather"),
    ("bags", "Bag", "Too small for 15 inch laptops; fits 13 inch", "laptop_size=15 in"),
    ("laptops", "Laptop", "Comes with 100 GB cloud storage for a year", "storage=100 GB"),
    ("laptops", "Laptop A1", "Das größere Modell A2 hat 16 GB RAM", "working_memory=16 GB"),
    ("sofas", "Sofa", 'Seat width 63".', "width=160 cm"),
    ("sofas", "ソファ", "幅180×奥行85×高さ80cm", "width=80 cm"),
    ("shirts", "Shirt", "Sleeve: long (can be rolled to short sleeve)", "sleeve_length=short sleeve"),
    ("bags", "Laptop bag", "Fits 15 inch laptop? No, 13 inch only.", "laptop_size=15 in"),
    ("tea", "Green tea", "No added lemon", "flavour=lemon"),
    ("headphones", "Headphones", "The battery recharges in 2 hours.", "battery_life=2 h"),
    ("headphones", "Casque", "5 minutes de charge pour 3 heures de musique", "battery_life=3 h"),
    ("headphones", "Kopfhörer", "In 2 Stunden ist der Akku geladen.", "battery_life=2 h"),
    ("smartphones", "手机", "包装清单：手机、充电器", "need=compact size"),
    ("tea", "Thé noir", "Pour une version sans théine, découvrez notre rooibos.", "caffeine=caffeine-free"),
    (
        "shoes",
        "Kea shoe",
        '<p>Suede upper.</p><p><a href="/x">Shop all leather boots</a></p>',
        "upper_material=leather",
    ),
    ("shoes", "Kea shoe", '<ul><li><a href="/x">Leather shoes</a></li></ul>', "upper_material=leather"),
    ("skin_care", "Night cream", "Use SPF 50 during the day.", "sun_protection=SPF 50"),
    ("skin_care", "Nachtcreme", "Tagsüber Sonnenschutz LSF 50 verwenden", "sun_protection=SPF 50"),
    ("coffee", "Coffee", "Roasted in Brazil", "origin=Brazil"),
    ("cookware", "Pan", "Suitable for all hobs except induction", "hob=all hobs"),
    ("cookware", "Pfanne", "Für alle Herdarten außer Induktion", "hob=all hobs"),
    ("cookware", "Poêle", "Tous feux sauf induction", "hob=all hobs"),
    ("cookware", "フライパン", "IH以外のすべての熱源に対応", "hob=induction"),
    ("shoes", "Kea loafer", "The Kea Pro has a leather upper.", "upper_material=leather"),
    ("headphones", "Kea buds", "The Kea Max offers noise cancelling.", "noise_control=active noise cancelling"),
    ("shoes", "Loafer", "Color: white (photo shows blue)", "color=blue"),
    ("shoes", "ローファー", "色：黒（白もあり）", "color=white"),
    ("shirts", "T-Shirt", "Farbe: weiß (schwarz ausverkauft)", "color=black"),
    ("shirts", "Koszulka", "Kolor: czarny (dostępny też biały)", "color=white"),
    ("shoes", "Loafer", "Colour: black / red / blue (this listing: black)", "color=red"),
    ("shoes", "Loafer", "Farbe: schwarz, rot, blau - hier: schwarz", "color=red"),
    ("shoes", "乐福鞋", "颜色:黑色/白色,本款为黑色", "color=white"),
    ("shoes", "ローファー", "カラー:ブラック、ネイビー(この商品はブラックです)", "color=blue"),
    ("jackets", "Wool coat", "Lining 100% viscose.", "fabric=viscose"),
    ("jackets", "Mantel", "Futter 65 % Polyester, 35 % Baumwolle", "fabric=cotton"),
    ("jackets", "Manteau", "Doublure 100 % soie", "fabric=silk"),
    ("shoes", "Shoe", "Free from:<br>- leather<br>- wool", "upper_material=leather"),
    ("shoes", "Zapato", "<h4>No contiene</h4><ul><li>cuero</li></ul>", "upper_material=leather"),
    ("shoes", "Schuh", "<h3>Nicht geeignet für</h3><ul><li>Wandern</li></ul>", "scenario=hiking"),
    ("shoes", "Shoe", "<div>Waterproof</div><div>No</div>", "water_protection=waterproof"),
    ("shoes", "Schuh", "Wasserdicht<br>Nein", "water_protection=waterproof"),
    ("shoes", "Chaussure", "<p>Imperméable</p><p>Non</p>", "water_protection=waterproof"),
    ("shoes", "シューズ", "防水<br>なし", "water_protection=waterproof"),
    ("shoes", "Shoe", "<table><tr><td>Waterproof</td><td></td></tr></table>", "water_protection=waterproof"),
    (
        "shoes",
        "Shoe",
        '<table><tr><td>Waterproof</td><td><img alt="no"></td></tr></table>',
        "water_protection=waterproof",
    ),
    ("shoes", "Shoe", "<table><tr><td>Waterproof</td><td>&#10060;</td></tr></table>", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "The predecessor had a mesh upper, this one is knitted.", "upper_material=mesh"),
    ("shoes", "Laufschuh", "Der Vorgänger hatte ein Obermaterial aus Leder.", "upper_material=leather"),
    ("shoes", "Basket", "L'ancien modèle avait une tige en cuir.", "upper_material=leather"),
    ("shoes", "ランニングシューズ", "旧モデルのアッパーはレザーでした。", "upper_material=leather"),
    ("shoes", "跑鞋", "旧款鞋面为皮革。", "upper_material=leather"),
    ("shoes", "Trail shoe", "Previous colour: red", "color=red"),
    ("shoes", "Trail shoe", "Competitor material: leather", "upper_material=leather"),
    ("shoes", "Trail shoe", "Excluded colours: red, green", "color=red"),
    ("shoes", "Laufschuh", "Ausgeschlossene Farben: rot", "color=red"),
    ("shoes", "Trail shoe", "Compare with our Kea Pro, which is waterproof.", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "The waterproof version costs more.", "water_protection=waterproof"),
    ("shoes", "Sneaker", "A basketball-inspired sneaker.", "scenario=basketball"),
    ("shoes", "Boot", "Shown in black_leather_boot.jpg", "upper_material=leather"),
    ("shoes", "Trail shoe", "Obermaterial: veganes Leder", "upper_material=leather"),
    ("cookware", "Wok wie aus Gusseisen", "Gusseisen-Optik, aus Aluminium", "material=cast iron"),
    ("bags", "Rucksack", "Couleur : bleu (rouge épuisé)", "color=red"),
    ("shirts", "T-Shirt", "Livré dans un sac en coton.", "material=cotton"),
    ("chocolate", "Dark bar", "May contain traces of hazelnut.", "filling=hazelnut"),
    ("headphones", "Buds 2", "Want quiet? See our noise cancelling version.", "noise_control=active noise cancelling"),
    ("skin_care", "Night cream", "Apply after SPF 30 sunscreen in the day.", "sun_protection=SPF 30"),
    ("skin_care", "Crème de nuit", "S'utilise avant une crème solaire SPF 50.", "sun_protection=SPF 50"),
    ("headphones", "Studio cans", "Bluetooth adapter sold separately.", "connection=Bluetooth"),
    ("shoes", "Canvas sneaker", "Real leather version also available.", "upper_material=leather"),
    ("sofas", "Cloud sofa", "Leather-look fabric cover.", "cover=leather"),
    ("watches", "Pilot", "Gold-tone case with imitation chronograph.", "case_material=gold"),
    ("watches", "Pilot", "Gold-tone case with imitation chronograph.", "display=chronograph"),
    ("watches", "Pilot", "Sapphire blue dial.", "dial_color=silver"),
    ("sofas", "Cloud sofa", "Oak effect legs.", "frame=wood"),
    ("lamps", "Desk lamp", "Light colour: Warm White", "color=white"),
    ("lamps", "Desk lamp warm white LED, black", "", "color=white"),
    ("coffee", "House blend", "Comes in an organic cotton bag.", "certification=organic"),
    ("shoes", "アクア スニーカー", "素材：本革", "sole_material=leather"),
]
PARTS: list[Case] = [
    ("board_games", "Strategiespiel für 2-4 Spieler ab 10 Jahren", "", "age=3 to 5 years"),
    ("shoes", "シューズラック スニーカー用", "", "shoe_type=sneaker"),
    ("lamps", "ランプシェード付き替えカバー", "", "lamp_type=table lamp"),
    ("headphones", "Écouteurs filaires sans Bluetooth", "", "connection=Bluetooth"),
    ("jackets", "Regenjacke", "Kapuze: ja", "hood=fixed hood"),
    ("bicycles", "City bike 6-speed", "Smooth at every speed.", "scenario=racing"),
    ("shoes", "Moc loafer", "Suede, with a rawhide lace around the collar.", "closure=lace-up"),
    ("shoes", "Indoor Court Shoe Men", "For handball.", "shoe_type=pump"),
]
ACCESSORIES: list[Case] = [
    ("bicycles", "Fahrradschloss Faltschloss Stahl 90 cm", "Für E-Bikes.", "drive=electric"),
    ("jewellery", "Schmuckständer Baum schwarz für Ketten, Ringe, Ohrringe", "", "jewellery_type=ring"),
    ("jackets", "Imprägnierspray für Regenjacken, Softshell und Daunenjacken", "", "jacket_type=softshell"),
    ("shirts", "31.4in Gold Garment Rack Metal Rack With Wheels For Coats, Shirts, Dress", "", "shirt_type=shirt"),
    ("shoes", "Leather boot care cream", "For black leather boots.", "upper_material=leather"),
    ("shirts", "Collar stays for dress shirts, steel", "", "shirt_type=dress shirt"),
    ("sofas", "Sofa cover 3 seater grey velvet", "Fits a corner sofa.", "sofa_type=corner sofa"),
    ("sofas", "Side table for sofa, oak", "", "frame=wood"),
    ("laptops", "Laptop backpack 15.6 inch", "For a gaming laptop.", "scenario=gaming"),
    ("watches", "Watch box for 6 watches, leather", "", "strap_material=leather"),
    ("jewellery", "Jewellery box with necklace hooks, silver", "", "jewellery_type=necklace"),
    ("coffee", "Kaffeemühle für Espresso", "Für ganze Bohnen.", "form=whole bean"),
    ("lamps", "Replacement lampshade for floor lamp, linen", "", "lamp_type=floor lamp"),
]


@pytest.mark.parametrize(("category", "title", "description", "claim"), DENIED + LIMITS + OTHERS + PARTS + ACCESSORIES)
def test_it_is_not_so(category: str, title: str, description: str, claim: str) -> None:
    assert claim.split("=")[0] in {attribute.name for attribute in lexicon_of(category).schema.attributes}
    assert claim not in verified(category, title, description)


@pytest.mark.parametrize(
    ("category", "title", "brand", "claim"),
    [
        ("shoes", "Strand Espadrille Classic", "Strand", "scenario=beach"),
        ("lamps", "Silver Birch floor lamp white", "Silver Birch", "color=silver"),
        ("shoes", "Red Tape men's oxford", "Red Tape", "color=red"),
        ("shirts", "Shirt by Blue Harbour", "Blue Harbour", "color=blue"),
        ("shoes", "Boot", "Leather Works", "upper_material=leather"),
    ],
)
def test_a_brand_says_nothing_of_a_product(category: str, title: str, brand: str, claim: str) -> None:
    assert claim not in verified(category, title, "", {"brand": brand})


def test_a_brand_of_one_common_word_takes_but_one_word_of_the_title() -> None:
    assert "color=gold" in verified("lamps", "Gold table lamp in gold", "", {"brand": "Gold"})
    assert "color=white" in verified("lamps", "Silver Birch floor lamp in white", "", {"brand": "Silver Birch"})


SAID: list[Case] = [
    ("board_games", "Game", "Number of players: 4", "players=4 players"),
    ("building_toys", "Set", "Anzahl Teile: 250", "pieces=250 pieces"),
    ("shoes", "Safety boot", "Steel toe cap.", "toe_protection=reinforced"),
    ("skin_care", "Cream", "Free from: parabens, fragrance", "free_of=fragrance-free"),
    ("skin_care", "Crème", "<h4>Sans</h4><ul><li>parabènes</li><li>parfum</li></ul>", "free_of=fragrance-free"),
    ("skin_care", "Creme", "Ohne Parfüm, Silikone oder Parabene", "free_of=paraben-free"),
    ("hair_care", "Shampoo", "Without silicones or sulphates.", "free_of=sulphate-free"),
    ("bags", "Bag", "Material: [ ] leather [x] nylon.", "material=nylon"),
    ("jackets", "Jacket", "Hood: no", "hood=no hood"),
    ("jackets", "Jacke", "Kapuze: nein", "hood=no hood"),
    ("jackets", "Jacke", "<h3>Nicht enthalten</h3><ul><li>Gürtel</li></ul><p>Aus Baumwolle.</p>", "fabric=cotton"),
    ("watches", "Watch", "No leather - silicone strap", "strap_material=silicone"),
    ("jackets", "夹克", "闭合方式：拉链 不含腰带", "closure=zip"),
    ("jackets", "ダウンジャケット", "ダウン使用 撥水 フードは付いていません", "filling=down"),
    ("jackets", "Jacket", "With hood. Batteries not included.", "hood=hood"),
    ("dog_food", "Dog food", "❌ No grain", "free_of=grain-free"),
    ("dog_food", "Dog food", "❌ No chicken ✅ Salmon", "protein=salmon"),
    ("watches", "Watch", "Water resistance: 5 ATM (50 m)", "water_resistance=5 atm"),
    ("power_drills", "Drill", "Weight (without battery): 1.2 kg", "weight=1200 g"),
    ("cookware", "锅", "材质：铝合金 手柄：不锈钢", "material=aluminium"),
    ("shirts", "T恤 白色", "不可漂白", "color=white"),
    ("headphones", "Headphones", "Up to 30 hours of battery life on a single charge.", "battery_life=30 h"),
    ("televisions", "TV 139 cm (55 Zoll)", "", "screen_size=55 in"),
    ("televisions", "55'' TV", "", "screen_size=55 in"),
    ("watches", "Uhr", "Wasserdicht bis 10 bar", "water_resistance=10 atm"),
    ("shoes", "Pump", "Heel height: 3 1/2 in", "heel_height=8.89 cm"),
    ("shoes", "Pump", "Heel height 3½ inches", "heel_height=8.89 cm"),
    ("laptops", "Ordinateur portable", "Mémoire vive : 32 Go", "working_memory=32 GB"),
    ("laptops", "Ordinateur portable", "Stockage : 1 To", "storage=1000 GB"),
    ("skin_care", "Serum", "Apply this vitamin C serum after cleansing.", "ingredient=vitamin C"),
    ("shoes", "Sneaker ohne Schnürsenkel Leder weiß", "", "color=white"),
    ("dresses", "Robe sans manches rouge", "", "color=red"),
    ("dresses", "Sukienka bez rękawów w kropki", "", "pattern=dotted"),
    ("dresses", "Jurk zonder mouwen gestreept", "", "pattern=striped"),
    ("shoes", "Loafer", "Color: white (photo shows blue)", "color=white"),
    ("shoes", "Loafer", "Colour: black / red (this listing: black)", "color=black"),
    ("shoes", "Kea Pro loafer", "The Kea Pro has a leather upper.", "upper_material=leather"),
    ("shoes", "Schuh", "Atmungsaktiv<br>Ja", "need=breathability"),
    ("shoes", "Trail shoe", "The predecessor had a mesh upper, this one is knitted.", "upper_material=knit"),
    *(
        (
            "shoes",
            "Loafer",
            f"<table><tr><th>{head}</th><th>{other}</th></tr><tr><td>{one}</td><td>{two}</td></tr></table>",
            claim,
        )
        for head, other, one, two in (("Color", "Upper", "red", "Leather"), ("Farbe", "Obermaterial", "rot", "Leder"))
        for claim in ("color=red", "upper_material=leather")
    ),
    ("shoes", "Sandals", "Adjustable hook-and-loop straps in recycled webbing.", "closure=hook-and-loop"),
    ("shoes", "Trail shoe", "Waterproof: ✓", "water_protection=waterproof"),
    ("shoes", "Trail shoe", "防水：○", "water_protection=waterproof"),
    ("shoes", "Pump", "Heel: 7.5 cm (3 in)", "heel_height=7.5 cm"),
    ("bicycles", "Ebike", "Gewicht: 1'800 g", "weight=1800 g"),
    ("bicycles", "Ebike", "Weight: .9 kg", "weight=900 g"),
    ("bags", "Rucksack", "Capacidad: 15 litros", "capacity=15 l"),
    ("bags", "Tasche", "Obermaterial: Polyester", "material=polyester"),
    ("smartphones", "Nova X", "5G：不支持 NFC：支持", "network=NFC"),
    ("shoes", "运动鞋", "防水：否 鞋面材质：牛皮", "upper_material=leather"),
    ("lamps", "Desk lamp", "Bulb: LED. Not dimmable with LED bulbs of other makers.", "bulb=LED"),
    ("smartphones", "Nova X", "Network: 5G. Not compatible with 5G SA networks.", "network=5G"),
    ("skin_care", "Day cream", "SPF: 30", "sun_protection=SPF 30"),
    ("jackets", "Parka", "Shell: 100% nylon", "fabric=nylon"),
    ("lamps", "Table lamp", "Bulb: E27, max. 60 W", "bulb=E27"),
    ("bicycles", "Trekkingrad", "Rahmen: Aluminium, 55 cm. Gabel: Stahl.", "frame_material=aluminium"),
    ("bicycles", "Trekkingrad", "Gänge: 24", "gears=24 speed"),
    ("tents", "Kuppelzelt", "Personen: 3", "persons=3 person"),
    ("sofas", "Cloud sofa", "Breite: 210 cm, Tiefe 90 cm, Höhe 85 cm", "width=210 cm"),
    ("sofas", "Cloud sofa", "Width 210 cm, depth 90 cm, height 85 cm", "width=210 cm"),
    ("smartphones", "Nova X silver", "Silver Birch edition", "color=silver"),
    ("shoes", "Rubber boot", "", "upper_material=rubber"),
    ("lamps", "Desk lamp warm white LED, black", "", "color=black"),
    ("jewellery", "18K金项链", "", "jewellery_type=necklace"),
    ("shirts", "レディース Tシャツ 無地 ホワイト", "", "color=white"),
    ("bedding", "掛け布団カバー シングル 綿100% 無地 グレー", "", "color=grey"),
    ("bags", "女士单肩包 真皮 黑色", "", "material=leather"),
    ("bags", "女士单肩包 黑色 真皮", "", "color=black"),
    ("shirts", "Camisa de lino hombre manga larga", "", "material=linen"),
    ("bicycles", "山地自行车 铝合金车架", "", "bike_type=mountain bike"),
    ("laptops", "Notebook Vento 15,6 Zoll", "", "screen_size=15.6 in"),
    ("laptops", "ノートパソコン 15.6インチ", "", "screen_size=15.6 in"),
    ("watches", "メンズ腕時計", "文字盤：ブラック ケース：ステンレス", "case_material=stainless steel"),
    ("watches", "メンズ腕時計", "文字盤：ブラック ケース：ステンレス", "dial_color=black"),
    ("general", "Enamel mug", "Color: white", "color=white"),
    ("jackets", "Jacket not lined with fur, but with fleece", "Fabric: nylon", "fabric=nylon"),
]


@pytest.mark.parametrize(("category", "title", "description", "claim"), SAID)
def test_it_is_so(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)
