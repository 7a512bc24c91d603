"""What the words of the starter schemas verify in many languages, and what they must not: each a case from a
feed or from what testers wrote."""

import pytest

from tests.taxonomy.test_claims import Case, lexicon_of, verified

NOT_SO: list[Case] = [
    # A part of the product, or a word of another thing.
    ("sofas", "Sofa Lund", "Füße: Metall", "frame=metal"),
    ("sofas", "Canapé Lund", "Pieds en métal.", "frame=metal"),
    ("sofas", "Soffa Lund", "Ben: svartlackerad metall.", "frame=metal"),
    ("sofas", "Sofa Lund", "Wooden frame, metal legs.", "frame=metal"),
    ("shoes", "Trail runner", "Stack height: 32 mm heel / 24 mm forefoot", "heel_height=3.2 cm"),
    ("shoes", "Trail runner", "Heel drop: 8 mm", "heel_height=0.8 cm"),
    ("watches", "Pilot", "Case thickness 11 mm", "case_diameter=11 mm"),
    ("bicycles", "MTB", 'Wheel size: 27.5" x 2.25". Tyre 2.1 in.', "wheel_size=2.1 in"),
    # What is said is something else in law or in trade.
    ("chocolate", "Dark bar", "No added sugar.", "diet=sugar-free"),
    ("tea", "Kräutertee", "Ohne Zuckerzusatz.", "diet=sugar-free"),
    ("chocolate", "Tablette", "Sans sucres ajoutés.", "diet=sugar-free"),
    ("chocolate", "Tavoletta", "Senza zuccheri aggiunti.", "diet=sugar-free"),
    ("dog_food", "Pienso", "Sin azúcares añadidos.", "free_of=sugar-free"),
    ("chocolate", "Choklad", "Utan tillsatt socker.", "diet=sugar-free"),
    ("tea", "お茶", "砂糖不使用", "diet=sugar-free"),
    ("smartphones", "Nova X", "Like new.", "condition=new"),
    ("smartphones", "Nova X", "Zustand: wie neu", "condition=new"),
    ("bicycles", "City bike", "Disc brakes.", "brakes=mechanical disc brakes"),
    ("bicycles", "City bike", "Scheibenbremsen.", "brakes=mechanical disc brakes"),
    ("televisions", "TV", "Supports HDMI 2.1 features over HDMI 2.0", "connection=HDMI 2.1"),
    ("power_drills", "Taladro", "Sin cable", "supply=mains"),
    ("jackets", "Doudoune légère", "", "need=packability"),
    ("tea", "Earl Grey", "Thé noir à la bergamote", "flavour=lemon"),
    # A word that means several things.
    ("jackets", "Ski jacket", "Zip down to ventilate.", "filling=down"),
    ("jackets", "Jacket", "Breaks down odours.", "filling=down"),
    ("bedding", "Duvet", "Down to earth price", "filling=down"),
    ("bedding", "Single duvet cover", "", "package=single"),
    ("bedding", "Duvet", "Full of feathers.", "bed_size=double"),
    ("dog_food", "Dry food", "Made in Turkey.", "protein=turkey"),
    ("dog_food", "Dry food", "For a game of fetch.", "protein=venison"),
    ("coffee", "Arabica beans", "Instant delivery.", "form=instant"),
    ("coffee", "Colombia", "Medium body, light acidity.", "roast=medium roast"),
    ("building_toys", "Marble run", "", "home_material=stone"),
    ("watches", "Pilot", "Digital download manual.", "display=digital"),
    ("watches", "Smartwatch", "The battery lasts 7 days.", "movement=quartz"),
    ("power_drills", "Drill", "In case of doubt ask us.", "delivery=case"),
    ("power_drills", "Taladro", "Pesa solo 1,2 kg.", "delivery=tool only"),
    ("board_games", "Isle", "Winner of the Spanish games award.", "language=Spanish"),
    ("board_games", "Isle", "German-style game.", "language=German"),
    ("board_games", "Isle", "French artist.", "language=French"),
    ("board_games", "Isle", "Auteur allemand.", "language=German"),
    ("jewellery", "Ring", "Designed by Ruby Jones", "stone=ruby"),
    ("jewellery", "Charm", "Pearl white enamel", "stone=pearl"),
    ("bicycles", "City bike", "Steel-blue frame", "frame_material=steel"),
    ("perfume", "Eau", "Flakon in Lavendel.", "note=lavender"),
    ("perfume", "Eau", "Green glass bottle", "family=green"),
    # The answer is of something that stands behind it.
    ("jackets", "Jacke", "Kapuze: ohne Fell", "hood=no hood"),
    ("jackets", "Giacca", "Cappuccio: non staccabile", "hood=no hood"),
    ("jackets", "Giacca", "Cappuccio: non staccabile", "hood=detachable hood"),
    ("jackets", "ジャケット", "フード：ありません", "hood=hood"),
]
SO: list[Case] = [
    ("sofas", "Sofa Lund", "Wooden frame, metal legs.", "frame=wood"),
    ("sofas", "Sofa Lund", "Gestell: Holz, Füße: Metall", "legs=metal"),
    ("sofas", "Soffa", "Ben: furu", "legs=wood"),
    ("chocolate", "Dark bar", "No added sugar.", "diet=no added sugar"),
    ("chocolate", "Dark bar", "Sugar-free.", "diet=sugar-free"),
    ("smartphones", "Handy", "Zustand: gebraucht", "condition=used"),
    ("smartphones", "Handy", "Condition: refurbished. It looks like new.", "condition=refurbished"),
    ("smartphones", "スマホ", "状態：整備済み品", "condition=refurbished"),
    ("smartphones", "Handy", "Interner Speicher: 128 GB", "storage=128 GB"),
    ("smartphones", "手机", "机身存储:256GB", "storage=256 GB"),
    ("smartphones", "Telefon", "Pamięć wbudowana: 128 GB", "storage=128 GB"),
    ("smartphones", "Nova X", "6.5 inch IPS LCD screen", "display=LCD"),
    ("bicycles", "City bike", "Disc brakes.", "brakes=disc brakes"),
    ("bicycles", "City bike", "Hydraulic disc brakes.", "brakes=hydraulic disc brakes"),
    ("bicycles", "Fahrrad", "Schaltung: 24-Gang", "gears=24 speed"),
    ("tents", "Tente dôme 6 places", "", "persons=6 person"),
    ("board_games", "Jeu", "Joueurs : 4", "players=4 players"),
    ("board_games", "Spiel", "Sprache: Deutsch", "language=German"),
    ("board_games", "Isle", "The rules are in German and English.", "language=English"),
    ("watches", "Pilot", "Case thickness: 11 mm. Case diameter: 40 mm", "case_diameter=40 mm"),
    ("watches", "Zegarek", "Koperta: stal nierdzewna. Średnica koperty: 42 mm", "case_diameter=42 mm"),
    ("watches", "Men's digital sports watch", "", "display=digital"),
    ("power_drills", "Taladro", "Sin cable", "supply=battery"),
    ("power_drills", "Bohrmaschine", "Lieferumfang: Koffer, Ladegerät", "delivery=charger"),
    ("headphones", "Kopfhörer", "Kein Bluetooth, nur Kabel.", "connection=cable"),
    ("headphones", "耳机", "单元尺寸:10mm", "driver_size=10 mm"),
    ("jewellery", "Kette Gold", "", "jewellery_type=necklace"),
    ("jewellery", "Ruby ring in 14k gold", "", "stone=ruby"),
    ("tea", "Earl Grey", "Black tea with bergamot", "flavour=bergamot"),
    ("tea", "红茶", "净含量:100g", "weight=100 g"),
    ("tea", "Tee", "Füllmenge: 100 g", "weight=100 g"),
    ("dog_food", "Hundefutter", "Fresh turkey and sweet potato.", "protein=turkey"),
    ("dog_food", "Trockenfutter", "Hundegröße: mittel und groß", "dog_size=large dogs"),
    ("skin_care", "Crème", "À l'urée", "ingredient=urea"),
    ("bags", "Ryggsäck", "Stängning: Spännen", "closure=buckle"),
    ("bags", "Ryggsäck", "Datorfack: 14 tum", "laptop_size=14 in"),
    ("cookware", "Pfanne", "Beschichtung: Keramik", "coating=ceramic coating"),
    ("cookware", "Pan", "Coating: ceramic", "coating=ceramic coating"),
    ("cookware", "平底锅", "适用炉灶：电磁炉", "hob=induction"),
    ("lamps", "テーブルランプ", "素材：木、スチール", "home_material=wood"),
    ("lamps", "Bordslampa", "Material: furu", "home_material=wood"),
    ("lamps", "Lampe", "Matière : lin", "home_material=fabric"),
    ("jackets", "Jacke", "Kapuze: abnehmbar", "hood=detachable hood"),
    ("jackets", "夹克", "帽子:可脱卸", "hood=detachable hood"),
    ("jackets", "Jacke", "Kapuze: ja", "hood=hood"),
    ("jackets", "Jacket", "Hood: none", "hood=no hood"),
    ("jackets", "Giacca", "Cappuccio: assente", "hood=no hood"),
    ("jackets", "ジャケット", "フード:なし", "hood=no hood"),
    ("jackets", "Doudoune", "Garnissage : duvet", "filling=down"),
    ("jackets", "Doudoune", "90 % duvet, 10 % plumes", "filling=down"),
    ("jackets", "Jacket", "Filled with down.", "filling=down"),
    ("jackets", "Jacke", "Nicht gefüttert.", "filling=unlined"),
    # Shoes in many languages.
    ("shoes", "Buty trekkingowe damskie", "", "audience=women"),
    ("shoes", "Buty trekkingowe damskie", "", "shoe_type=hiking boot"),
    ("shoes", "Sandały dziecięce", "Zapięcie: rzep", "closure=hook-and-loop"),
    ("shoes", "Buty", "Cholewka: tkanina. Sezon: Lato.", "upper_material=textile"),
    ("shoes", "Buty", "Płeć: Kobieta. Sezon: Lato.", "season=summer"),
    ("shoes", "Chaussure de randonnée homme", "", "audience=men"),
    ("shoes", "Baskets femme", "", "shoe_type=sneaker"),
    ("shoes", "Vandringskänga herr", "", "shoe_type=hiking boot"),
    ("shoes", "Gummistiefel Kinder", "", "shoe_type=boot"),
    ("shoes", "登山鞋", "鞋跟高:3cm", "heel_height=3 cm"),
    ("shoes", "徒步鞋 女款", "", "shoe_type=hiking boot"),
    ("shoes", "スニーカー", "アッパー：合成ゴム", "upper_material=rubber"),
    ("shoes", "Scarpe da trekking uomo", "", "shoe_type=hiking boot"),
    ("shoes", "Zapatillas de montaña", "Corte: cuero vegano.", "upper_material=synthetic leather"),
    ("shoes", "Zapato de salón", "Material exterior: charol", "upper_material=patent leather"),
    ("shoes", "Pumps", "Schuhspitze: Rund", "toe_shape=round"),
    ("shoes", "Scarpa antinfortunistica", "Puntale: acciaio", "toe_shape=reinforced"),
    ("shoes", "Sportschoenen dames wit", "Sluiting: veters", "closure=lace-up"),
    ("shoes", "Løbesko herre", "Sål: gummi", "sole_material=rubber"),
    ("shoes", "Sapatilhas de corrida homem", "Cabedal: malha.", "upper_material=mesh"),
]


@pytest.mark.parametrize(("category", "title", "description", "claim"), NOT_SO)
def test_words_do_not_say_it(category: str, title: str, description: str, claim: str) -> None:
    attribute, _, value = claim.partition("=")
    named = lexicon_of(category).schema.get(attribute)
    assert named is not None
    assert named.kind == "measure" or value in named.values
    assert claim not in verified(category, title, description)


@pytest.mark.parametrize(("category", "title", "description", "claim"), SO)
def test_words_say_it(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)
