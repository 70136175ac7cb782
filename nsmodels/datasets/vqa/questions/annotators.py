"""Ten simulated people who answer a question: the truth, a tempting or a stray answer, typed as people type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from nsmodels.datasets.vqa.files.annotations import NUM_ANSWERS
from nsmodels.datasets.vqa.questions.tempting import ALIKE, STRAY
from nsmodels.datasets.vqa.questions.types import NUMBER, OTHER, YES_NO, answer_type
from nsmodels.datasets.vqa.scoring.accuracy import normal_form

# Parameters of the Beta distribution from which the share of people who answer rightly is drawn, per question.
RIGHT = {YES_NO: (9.0, 0.55), NUMBER: (3.0, 0.9), OTHER: (2.0, 1.1)}
# Share of wrong answers that are the tempting one; chosen so that people and truth score as in the simulation of the
# release: people 96.5 / 82.3 / 71.0 %, each against the other nine, the truth 100 / 98 / 93 %.
TEMPTED = {YES_NO: 1.0, NUMBER: 0.33, OTHER: 0.42}
SYNONYM, WORD, ARTICLE, MARK, CAPITAL = 0.03, 0.06, 0.05, 0.015, 0.02  # how often answers are typed so
CONFIDENT = {True: (0.84, 0.96), False: (0.5, 0.88)}  # yes, and yes or maybe, by whether the answer is right

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SYNONYMS = {
    "bicycle": "bike", "airplane": "plane", "television": "tv", "couch": "sofa", "hamburger": "burger", "gray": "grey",
    "motorcycle": "motorbike", "donut": "doughnut", "phone": "cell phone", "taxi": "cab", "large": "big",
    "small": "little", "dotted": "polka dots", "striped": "stripes", "checkered": "plaid", "wood": "wooden",
    "rainy": "raining", "snowy": "snow", "sunny": "sun", "cloudy": "overcast", "man": "guy", "woman": "lady",
    "mountains": "mountain", "field": "grass", "beach": "ocean", "street": "road", "purple": "violet", "pink": "rose",
    "red": "dark red", "blue": "light blue", "green": "dark green", "living room": "lounge", "gift": "present",
    "rabbit": "bunny", "plain": "solid", "kneeling": "sitting", "running": "jogging",
}  # fmt: skip

UNARTICLED = frozenset((*ALIKE, *STRAY, "sitting"))

Given = list[tuple[str, str]]  # answers with confidences


def ten_answers(truth: str, tempting: str, stray: Callable[[], str], rng: Random) -> Given:
    """Answers of ten people, as typed, with their confidences."""
    kind = answer_type(truth)
    share, tempted = rng.betavariate(*RIGHT[kind]), TEMPTED[kind]
    found: Given = []
    for _ in range(NUM_ANSWERS):
        is_right = rng.random() < share
        meant = truth if is_right else tempting if rng.random() < tempted else stray()
        draw, (sure, unsure) = rng.random(), CONFIDENT[is_right]
        found.append((typed(meant, rng), "yes" if draw < sure else "maybe" if draw < unsure else "no"))
    return found


def typed(answer: str, rng: Random) -> str:
    """The answer as somebody types it: mostly as it is, else with a number word, an article, a mark, a synonym."""
    draw = rng.random()
    if draw > 0.2:  # the usual case
        return answer
    kind = answer_type(answer)
    if kind == NUMBER:
        return NUMBERS[int(answer)] if draw < WORD and int(answer) < len(NUMBERS) else answer
    if draw < MARK:
        return f"{answer}."
    if draw < MARK + CAPITAL:
        return answer.capitalize()
    if kind == YES_NO:
        return answer
    if draw < MARK + CAPITAL + SYNONYM:
        return SYNONYMS.get(answer, answer)
    return _with_article(answer) if draw < MARK + CAPITAL + SYNONYM + ARTICLE else answer


def most_frequent(given: Given) -> str:
    """The most frequent answer in its normal form, the first of several: `multiple_choice_answer`."""
    return Counter(normal_form(answer) for answer, _ in given).most_common(1)[0][0]


def _with_article(answer: str) -> str:
    if answer in UNARTICLED:
        return answer
    head, _, rest = answer.partition(" ")
    if head in ("on", "under", "riding") and rest:
        return f"{head} the {rest}" if head != "riding" else f"{head} a {rest}"
    return f"a {answer}" if answer[0] not in "aeiou" else f"an {answer}"
