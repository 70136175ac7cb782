"""Words of questions and of graphs: plurals, pronouns, places, and what comparisons of two things rest on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

IRREGULAR: Mapping[str, str] = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "kids": "kid", "geese": "goose",
    "mice": "mouse", "teeth": "tooth", "feet": "foot", "leaves": "leaf", "knives": "knife", "shelves": "shelf",
    "loaves": "loaf", "calves": "calf", "wolves": "wolf", "scarves": "scarf", "halves": "half",
    "policemen": "policeman",
    "potatoes": "potato", "tomatoes": "tomato", "mangoes": "mango", "dishes": "dish", "buses": "bus", "pies": "pie",
    "ties": "tie", "cookies": "cookie", "brownies": "brownie", "movies": "movie", "zombies": "zombie",
    "fries": "fry", "shoes": "shoe", "canoes": "canoe", "axes": "axe", "oxen": "ox",
    "olives": "olive", "gloves": "glove",
    "stoves": "stove", "waves": "wave", "caves": "cave", "sleeves": "sleeve", "houses": "house", "horses": "horse",
    "vases": "vase", "cases": "case", "bases": "base", "hoses": "hose", "roses": "rose", "noses": "nose",
    "suitcases": "suitcase", "purses": "purse", "nurses": "nurse", "blouses": "blouse", "cheeses": "cheese",
    "ambulances": "ambulance", "sausages": "sausage",
}  # fmt: skip
NO_PLURALS = frozenset(("glasses", "sunglasses", "pants", "shorts", "jeans", "scissors", "goggles", "clothes"))
EVERYTHING = frozenset(("this", "that", "it", "these", "those", "object", "objects", "thing", "things"))
PRONOUNS: Mapping[str, frozenset[str]] = {
    "she": frozenset(("woman", "girl", "lady", "mother", "daughter", "waitress", "bride", "person", "female", "women")),
    "he": frozenset(("man", "boy", "guy", "gentleman", "father", "son", "waiter", "person", "male", "men")),
    "they": frozenset(("person", "people", "men", "women", "children", "kids")),
}
INDOORS = frozenset(
    ("indoors", "attic", "bathroom", "bedroom", "dining room", "kitchen", "living room", "office", "restaurant",
     "store",
     "shop", "supermarket", "classroom", "library", "museum", "gym", "cafe", "bar", "hotel room", "lounge", "lobby",
     "laundry room", "garage", "basement", "mall", "church", "auditorium", "hallway", "closet", "bakery", "pub")
)  # fmt: skip
OUTDOORS = frozenset(
    ("outdoors", "street", "beach", "park", "field", "forest", "garden", "yard", "backyard", "road", "sidewalk", "city",
     "zoo", "ocean", "sea", "lake", "river", "mountain", "mountains", "ski slope", "parking lot", "farm", "desert",
     "harbor", "savannah", "pasture", "market", "baseball field", "tennis court", "train station", "airport",
     "highway",
     "runway", "plaza", "playground", "skate park", "village", "town", "dock", "pier", "sky", "hills", "jungle",
     "shore")
)  # fmt: skip
YOUNG = frozenset(("baby", "boy", "girl", "child", "kid", "toddler", "puppy", "kitten", "calf", "lamb", "cub", "foal"))
HEALTHY = frozenset(("vegetable", "fruit", "salad", "fish", "herb", "nut"))
UNHEALTHY = frozenset(("dessert", "fast food", "candy", "baked good", "snack", "meat", "alcohol", "sauce", "soda"))


@lru_cache(maxsize=1 << 16)
def singular(word: str) -> str:
    """The singular of a noun or of the last word of a name: "tennis rackets" → "tennis racket"."""
    before, space, last = word.rpartition(" ")
    if last in NO_PLURALS or last.endswith(("ss", "us", "is")) or not last.endswith("s"):
        found = IRREGULAR.get(last, last)
    elif last in IRREGULAR:
        found = IRREGULAR[last]
    elif last.endswith("ies"):
        found = f"{last[:-3]}y"
    else:
        found = last[:-2] if last.endswith(("ches", "shes", "xes", "sses", "zes")) else last[:-1]
    return f"{before}{space}{found}"


def whereabouts(location: str) -> tuple[str, ...]:
    """What a stated place is: itself, and "indoors" or "outdoors" where that follows."""
    if not location:
        return ()
    known = [name for name, places in (("indoors", INDOORS), ("outdoors", OUTDOORS)) if location in places]
    return tuple(dict.fromkeys((location, *known)))
