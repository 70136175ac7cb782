"""Typos within one edit of a known word: a letter too many, missing, different, or two neighbours swapped."""

from __future__ import annotations

from collections.abc import Iterable

# English words near to those of questions about CLEVR's scenes: they are words of their own, and no typos.
_TEXT = """
abject also any anyone around as bag bald bale balk balm barge bath bawl bed before beg behinds behing behold bell
bellow below beneath beside beyond bid bight bill bin bit black bless blew blocked blown blued blues blur bock bog
booth both bother bound box boxed boxer bray brick bright broth brother brow browns bug bull call caller came cape
charge chat cleft clock clue colder collar colon coloring cool core cow crown cub cubed cubic cubs cue cued curb
cure cute cyanide cyans deft dewier dig divisible dolor drape drown eft eight eighth else elsewhere fall fame fed
fellow felt fever few fewer fig fight flock flue font fount fox fright from frontal fronts frost frown gall game gay
gig glue grain gravel gravy grays great greed greens greet grew greys ground grown had hall has have heft height
here him his image imaged images imagine in inn invisible is it its key king knot lager lame larger largest late
latte led lefts lens lent less lesson let lift light local lock loft loss low lumber mage mail mall man mandy mane
manly mare martial mate materiel maternal matrimonial matt matted mattel matter mattes may medal mellow mental mess
meta metals metre might money moor more morn moth mother name nanny newer night no none nor not note now numb
numbered numbers objected objective on once one ones others otter ox petal picture pictures pig pitcher pound pray
preen prey purples queen rad read ready redo reds reed remember rid rig rights ring risible robber rod round rounded
rounds row rubbed rubbers rubble sale sane save scenes scent screen seen sewer shade shall shame shaped shapely
share sharp shave shed sheer shin shine shiniest show side sides sigh sight since sing sire site six sized skinny
sled slumber smaller smallest smalls smell some sore sound spear sphered sphinx spiny spire stall stock store
subject sue tall tame than thank that thaw their them theme then these they thick thin thine thingy think thins
thong those three threw tidy tight tine tinny tint tonal tony tore total totals touch tray tree true tube tubes
tying umber unless unlock valor visible visual vocal wall was wed weight were when where whiny whit wig wing won
word wore work world worth yell yellows
"""
OTHER_WORDS = frozenset(_TEXT.split())
SHORTEST = 4  # letters of a typo: shorter words are too near to each other, unless two letters are swapped


def nearest(word: str, known: Iterable[str]) -> str:
    """The one known word that is one edit away; "" where there is none, or more than one, or the word is no typo."""
    if word in OTHER_WORDS or not word.isalpha():
        return ""
    near = [other for other in known if abs(len(other) - len(word)) < 2 and is_one_edit(word, other)]
    if len(word) < SHORTEST:
        near = [other for other in near if sorted(other) == sorted(word)]
    return near[0] if len(near) == 1 else ""


def is_one_edit(one: str, two: str) -> bool:
    """Whether a letter added, removed or replaced, or two neighbours swapped, make `two` of `one`."""
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    a, b = one[start:], two[start:]
    swapped = len(a) > 1 and a[1::-1] + a[2:] == b
    return one != two and (a[1:] == b[1:] or a[1:] == b or a == b[1:] or swapped)
