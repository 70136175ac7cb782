"""Typos within one edit of a known word: a letter too many, missing, different, or two neighbours swapped."""

from __future__ import annotations

from collections.abc import Iterable

# English words near to those of questions about CLEVR's scenes: they are words of their own, and no typos.
_TEXT = """
abject also any anyone around as aside bag bald bale balk balm barge bath bawl bean beard bed before beg behinds
behing behold bell bellow bells below beneath beside beyond bid bight bill bills bin bit black blacks bless blew
blocked blow blown blued blues blur boards bock bog bones booth both bother bound box boxed boxer boxers brawn bray
bread breed brick bright brings brittle broth brother brow browns bug bull bulls cable cables call caller calls came
cant cape captain cave charge chat clan cleft clock clocks clue colder collar colon coloring colors cool core county
court cow crowd crown cub cuba cubed cubic cubist cubs cue cued curb cure cute cyanide cyans deft dewier dig
divisible dogs dolls dolor drape drown eft eight eighth else elsewhere equals ether ever fade fall falls fame fed
fellow felt fever few fewer fig fight flock flocks flow flue font fount fox foxes fright from frontal fronts frost
frown gall game gave gay gig globe globes glue goes grain gravel gravy grays great greed greens greet grew greys
ground grown had hall halls hare has hate have heft height here hide him his hue hugs image imaged images imagine in
inn invisible is it its jade key king kings knot lager lame larger largest late latte led lefts lens lent less
lesson let lift light litter local lock locks loft loss low lumber mad mage mail make male mall man mandy mane manly
mare martial mate materials materiel maternal matrimonial matted matter may medal mellow mental mess meta metals
metre might miles mode money moor more morn moth mother mount move name nanny neither newer night no none nor not
note now numb numbered numbers objected objective on once one ones others otter ox petal picture pictures pig
pitcher pound pray preen prey purples queen rad read reads ready redo reds reed remember rid ride rig rights ring
rings risible robber rod round rounded rounds row rubbed rubbers rubble sale sane save scenes scent screen seen
seize sewer shade shall shame shaped shapely shapes share sharp shave shed sheer shin shine shiniest show side sides
sigh sight since sing sire site six sized sizes skinny sled slow slumber smack smaller smallest smalls smell snack
some sore sound spear sphered sphinx spiny spire stack stall stem stems stock store string subject sue tall tame
than thank that thaw their them theme then these they thick thin thine thingy think thinking thins thong those three
threw tide tidy tight tiles tine tinny tint title toes tonal tony tore total totals touch trade tray tree true tube
tubes tying umber unless unlock valor very visible visual vocal wade wall walls was wave wed weight were when where
whiny whit wide width wig wing wings wish won word wore work world worth yell yellows
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
