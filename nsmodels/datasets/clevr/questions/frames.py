"""Phrases of the generated questions: words and their synonyms, links between objects, question frames.

They were written for this project to cover the language of CLEVR's questions (one order of adjectives, its synonyms,
its question forms) and somewhat more, so that a parser trained on them understands both. Slots such as `{single}` are
filled by `wording`.
"""

from __future__ import annotations

from nsmodels.datasets.clevr.questions.phrases import parse

# Values and relations → their synonyms; those not listed have none.
WORDS = {
    "": parse("[thing|object]"),
    "cube": parse("[cube|block]"),
    "sphere": parse("[sphere|ball]"),
    "cylinder": parse("cylinder"),
    "large": parse("[large|big]"),
    "small": parse("[small|tiny]"),
    "metal": parse("[metal|metallic|shiny]"),
    "rubber": parse("[rubber|matte]"),
    "gray": parse("[24:gray|grey]"),
    "left": parse("[left of|to the left of|on the left side of]"),
    "right": parse("[right of|to the right of|on the right side of]"),
    "front": parse("in front of"),
    "behind": parse("behind"),
}
MANY = "[How many|What number of]"
AS_MANY = "[how many|what number of]"
# Modifiers after a noun that express its links, singular and plural: "ball {that is left of the cube}".
MODIFIERS = {
    ("relate", False): parse("[14: |14: that is | which is ]{relation}"),
    ("relate", True): parse("[14: |14: that are | which are ]{relation}"),
    ("same", False): parse(" [6:that [is|has] the same {attribute} as|of the same {attribute} as] the {end}"),
    ("same", True): parse(" [6:that [are|have] the same {attribute} as|3:of the same {attribute} as] the {end}"),
    ("made", False): parse(" [3:|2:that is ]made of the same material as the {end}"),
    ("made", True): parse(" [3:|2:that are ]made of the same material as the {end}"),
    ("crossed", False): parse(" [14:that|which] is [both {one} and {two}|{one} and [3:|is ]{two}]"),
    ("crossed", True): parse(" [14:that|which] are [both {one} and {two}|{one} and [3:|are ]{two}]"),
}
# The same links as predicates: "how many balls {are left of the cube}?"
PREDICATES = {
    "relate": parse("are {relation}"),
    "same": parse("[are|have|are there of] the same {attribute} as the {end}"),
    "made": parse("are [4:|there ]made of the same material as the {end}"),
    "crossed": parse("are [both |]{one} and {two}"),
}
# By the function of the question and the kind of link of the first group: none, "relate", "same" or "crossed".
FRAMES = {
    "count": parse(f"{MANY} {{plural}} [12:are there|are visible|are in the [image|picture|scene]|can you see]?"),
    "count relate": parse(
        f"[12:{MANY} {{heads}} {{predicate}}|10:There is a {{end}}; {AS_MANY} {{heads}} are {{it}}|"
        f"{MANY} {{plural}} are there]?"
    ),
    "count same": parse(f"{MANY} {{other}}{{heads}} {{predicate}}?"),
    "count crossed": parse(f"[9:{MANY} {{heads}} {{predicate}}|{MANY} {{plural}} are there]?"),
    "exist": parse(
        "[8:Is there a {single}|8:Are there any {plural}|6:Are any {plural} visible|"
        "Is there a {single} [visible|in the [image|picture|scene]]|Are there {plural}]?"
    ),
    "exist relate": parse(
        "[8:Is there a {single}|8:Are there any {plural}|"
        "6:There is a {end}; is there a {head}[ that is|] {it}|"
        "6:There is a {end}; are there any {heads}[ that are|] {it}|Are any {heads} {relation}]?"
    ),
    "exist same": parse("[Is there {another} {single}|Are there any {other}{plural}]?"),
    "exist else": parse(
        "[2:Is there [2:anything else|any other [thing|object]|another [thing|object]]{modifier}|"
        "Are there any other [things|objects]{plural_modifier}]?"
    ),
    "query": parse(
        "[2:What {attribute} is the {other}{single}|2:What is the {attribute} of the {other}{single}|"
        "The {other}{single} [is|has] what {attribute}|4:There is {another} {single}; {follow_up}]?"
    ),
    "query size": parse("How big is the {other}{single}?"),
    "query material": parse(
        "[What [|material ]is the {other}{single} made of|The {other}{single} is made of what[| material]]?"
    ),
    "compare": parse(
        "[2:Do the {single} and the {second} have the same {attribute}|"
        "2:Does the {single} have the same {attribute} as the {second}|"
        "2:Is the {single} the same {attribute} as the {second}|"
        "2:Is the {attribute} of the {single} the same as [4:|that of |the {attribute} of ]the {second}|"
        "1:Are the {single} and the {second} the same {attribute}|"
        "{opening}; does it have the same {attribute} as the {second}|"
        "{opening}; is it the same {attribute} as the {second}|"
        "{opening}; is its {attribute} the same as [4:|that of |the {attribute} of ]the {second}]?"
    ),
    "compare material": parse(
        "[2:Is the {single} made of the same material as the {second}|"
        "2:Are the {single} and the {second} made of the same material|"
        "{opening}; is it made of the same material as the {second}]?"
    ),
    "less_than": parse(
        "[Are there fewer {plural} than {seconds}|"
        "Is the number of {plural} [6:less|fewer|smaller] than the number of {seconds}]?"
    ),
    "greater_than": parse(
        "[Are there more {plural} than {seconds}|"
        "Is the number of {plural} [6:greater|larger|more] than the number of {seconds}]?"
    ),
    "equal_integer": parse(
        "[4:Are there [an equal|the same] number of {plural} and {seconds}|"
        "Are there as many {plural} as {seconds}|"
        "4:Is the number of {plural} [4:the same as|equal to] the number of {seconds}]?"
    ),
    "either": parse(f"{MANY} {{base}} are [either |]{{plural}} or {{seconds}}?"),
}
FOLLOW_UPS = {
    "size": parse("[what is its size|what size is it|how big is it]"),
    "color": parse("[what is its color|what color is it]"),
    "shape": parse("[what is its shape|what shape is it]"),
    "material": parse(
        "[2:what is its material|2:what material is it|2:what is it made of|what material is it made of]"
    ),
}
