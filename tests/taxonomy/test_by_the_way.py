"""What texts mention by the way: styles and uses of something else, of former times, or in words that mean another
thing."""

import pytest

from tests.taxonomy.test_claims import Case, verified

SAID: list[Case] = [
    ("shoes", "Kea", "These classic comfortable shoes go anywhere.", "style=classic"),
    ("shoes", "Kea", "These classic shoes go anywhere.", "style=classic"),
    ("shoes", "Kea", "Diese klassischen Schuhe passen immer.", "style=classic"),
    ("shoes", "Kea", "Ces chaussures classiques vont partout.", "style=classic"),
    ("shoes", "Kea", "These shoes have a sporty two-tone knit upper.", "style=sporty"),
    ("shoes", "Kea", "These shoes have a classic design.", "style=classic"),
    ("shoes", "Kea", "These slippers are perfect for casual wear.", "style=casual"),
    ("shoes", "Kea", "These running shoes are light.", "scenario=running"),
    ("shoes", "Kea", "The upper is finished for a retro, worn look.", "style=retro"),
    ("shoes", "Kea", "Das Modell im klassischen Design passt immer.", "style=classic"),
    ("shoes", "Kea", "Un modelo de diseño clásico.", "style=classic"),
    ("shoes", "Kea", "レトロなデザインの一足。", "style=retro"),
    ("shoes", "Kea", "复古设计，百搭。", "style=retro"),
    ("shoes", "Kea", "It takes you from a short run to the office.", "scenario=running"),
    ("shoes", "Kea", "Bequem von der Schule bis zum Büro.", "scenario=school"),
    ("shoes", "Kea", "A retro shape for today's streets.", "scenario=streets"),
    ("shoes", "Kea 2", "The Kea 2 is a versatile trainer.", "shoe_type=sneaker"),
    ("shoes", "Kea", "The upper supports your ankle.", "need=support"),
    ("shoes", "Kea", "Continentalâ?¢ Rubber outsole.", "technology=Continental rubber"),
    ("jewellery", "Ring aus Silber", "", "metal=silver"),
    ("bags", "Toiletry bag", "", "bag_type=toiletry bag"),
    ("trousers", "Kea Short Tights", "", "trouser_type=shorts"),
    # A mix is had, and no choice.
    ("shoes", "Kea", "These sneakers come in a mix of suede and mesh.", "upper_material=suede"),
    # "Slide" tells no other model.
    ("shoes", "Acme Offcourt SE", "The Acme Offcourt SE Slide features a suede upper.", "upper_material=suede"),
    ("shoes", "Kea", "Textured rubber footbed and outsole.", "sole_material=rubber"),
    ("shoes", "Kea", "These cricket shoes cushion every stride.", "shoe_type=cricket shoe"),
    ("shirts", "Kea", "AEROREADY wicks away moisture.", "need=moisture wicking"),
    ("shirts", "Kea", "Das Shirt ist feuchtigkeitsableitend.", "need=moisture wicking"),
    ("jackets", "Kea Track Jacket", "", "jacket_type=track jacket"),
]
NOT_SAID: list[Case] = [
    ("shoes", "Kea", "These shoes give classic comfort.", "style=classic"),
    ("shoes", "Kea", "It modernises a retro design.", "style=retro"),
    ("shoes", "Kea", 'The left tongue says "To the streets."', "scenario=streets"),
    ("shoes", "Kea", "These boots bring a classic comic book character to the pitch.", "style=classic"),
    ("shoes", "Kea", "The shoe became a streetwear phenomenon.", "style=streetwear"),
    ("shoes", "Kea", "Kea shoes became style icons in the '80s, when rap was young.", "style=retro"),
    ("shoes", "Kea", "The Kea was introduced as a basketball shoe.", "scenario=basketball"),
    ("shoes", "Kea", "First designed as a cold-weather soccer shoe, it is an icon now.", "season=winter"),
    ("shoes", "Kea", "Ursprünglich als Laufschuh gedacht.", "scenario=running"),
    ("shoes", "Kea", "Né en 1970 comme chaussure de course.", "scenario=running"),
    ("shoes", "Kea", "Nata come scarpa da corsa.", "scenario=running"),
    ("shoes", "Kea", "The outsole handles rugged routes in style.", "style=rugged"),
    ("shoes", "Kea", "His jump shot took him from school to basketball stardom.", "scenario=basketball"),
    ("shoes", "Kea", "It is designed to support clutch moves.", "need=stability"),
    ("shoes", "Kea", "With the appeal of a classic tennis shoe appeal and raw edges.", "scenario=tennis"),
    ("shoes", "Kea", "Details pay homage to last season's pair, the React Boot.", "shoe_type=boot"),
    ("shoes", "Kea", "They follow in the steps of our first trail running shoe.", "scenario=trail running"),
    ("shoes", "Kea", "Zwei Griffe zum leichten Anziehen.", "need=light weight"),
    ("shoes", "Vetta 110", "Scarponi da sci.", "shoe_type=hiking boot"),
    ("jewellery", "Verlobungsring Stella", "", "motif=star"),
    ("jackets", "Down Jacket", "For cool spring days.", "season=winter"),
    ("shoes", "Kea", "Leave your boots at home.", "scenario=indoors"),
    ("shoes", "Kea", "Pair them with comfy joggers.", "need=comfort"),
    ("shoes", "Kea", "This trainer deserves the gold.", "color=gold"),
    ("shoes", "Kea", "The shoe rose to fame on courts.", "color=pink"),
    ("shoes", "Kea", "The lace-like mesh upper breathes.", "closure=lace-up"),
    ("shoes", "Kea", "The textile upper has a laceless forefoot.", "closure=slip-on"),
    ("shoes", "Kea", "Our cotton products support more sustainable farming.", "need=stability"),
    ("shoes", "Kea", "Cushioning in the midsole lets you bounce back.", "sole_material=foam"),
    ("shoes", "Kea", "Rubber spines grip the ball.", "need=grip"),
    ("shirts", "3-Stripes Tee", "", "pattern=striped"),
    ("shirts", "Kea tee", "Too tight, too loose. But this one fits.", "fit=loose"),
    ("shirts", "Kea tee", "It sits well as you bend, stretch and move.", "need=stretch"),
    ("shirts", "Kea tee", "By buying cotton products from us, you support farmers.", "material=cotton"),
    ("shoes", "Kea", "The details fit in at social events.", "technology=eVent"),
    ("trousers", "Kea tights", "They cover you when you bend and stretch.", "need=stretch"),
    ("trousers", "Kea tights", "The soft, wide waistband holds.", "leg=wide"),
    ("trousers", "Kea shorts", "They straight up go anywhere.", "leg=straight"),
]


@pytest.mark.parametrize(("category", "title", "description", "claim"), SAID)
def test_what_is_said_of_the_product_is_verified(category: str, title: str, description: str, claim: str) -> None:
    assert claim in verified(category, title, description)


@pytest.mark.parametrize(("category", "title", "description", "claim"), NOT_SAID)
def test_what_is_said_by_the_way_is_not(category: str, title: str, description: str, claim: str) -> None:
    assert claim not in verified(category, title, description)
