"""Scores of answers: four rows that separate errors of perception and parser, baselines, calibration, depth.

Intervals resample whole images, not questions: the questions of one image share its perception errors. With m questions
per image of intra-image correlation ρ the variance of a mean is 1 + (m − 1) ρ times that of independent questions, so
that an interval which ignored this would be too narrow by the root of that factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.questions.executor import (
    Compiled,
    IllPosed,
    compile,
    execute,
    relational_hops,
    symbolic_depth,
)
from nsmodels.datasets.clevr.vocabulary import QUESTION_TYPES, question_type
from nsmodels.evaluation.metrics import calibration_bins, expected_calibration_error, mean_interval, selective_accuracy
from nsmodels.evaluation.outcomes import Outcomes, distinct
from nsmodels.systems.visual.baselines.priors import CHANCE, Prior, last_function
from nsmodels.systems.visual.reasoning.belief import Array, Scene, SceneBelief
from nsmodels.systems.visual.reasoning.execution import Answer, Program, answer
from nsmodels.systems.visual.reasoning.proof import Proof, prove

ROWS = (
    "true_scene_true_program",
    "predicted_scene_true_program",
    "true_scene_predicted_program",
    "predicted_scene_predicted_program",
)
HEADLINE = ROWS[-1]
COVERAGES = (1.0, 0.9, 0.8)
# The images resampled for an interval; of fewer the resampled means are too alike, and the interval too narrow.
FEWEST_IMAGES = 20
Question = dict[str, Any]
Scored = tuple[dict[str, Any], list[Answer]]


@dataclass(frozen=True, eq=False)
class Predictions:
    """A split with the model's predictions: a belief per scene, a program per question (None: not parsed).

    Scenes and questions are in CLEVR's released form; `image_index` joins them. Raises InputError when lengths differ,
    a question has no answer (CLEVR's test split) or refers to an image without a scene.
    """

    scenes: Sequence[Scene]
    beliefs: Sequence[SceneBelief]
    questions: Sequence[Question]
    programs: Sequence[Program | None]

    def __post_init__(self) -> None:
        if len(self.scenes) != len(self.beliefs) or len(self.questions) != len(self.programs) or not self.questions:
            sizes = f"{len(self.scenes)}, {len(self.beliefs)}, {len(self.questions)}, {len(self.programs)}"
            raise InputError(f"Predictions: need a belief per scene and a program per question, got {sizes} of them")
        missing = [q for q in self.questions if "answer" not in q or "program" not in q]
        if missing:
            raise InputError("questions: no `answer` or `program` (the test split has none); evaluate on train or val")
        unknown = {q["image_index"] for q in self.questions} - {s["image_index"] for s in self.scenes}
        if unknown:
            raise InputError(f"questions: image_index {min(unknown)} has no scene; pass the scenes of the same split")

    @property
    def places(self) -> list[int]:
        """Index of the scene of each question."""
        place = {scene["image_index"]: k for k, scene in enumerate(self.scenes)}
        return [place[question["image_index"]] for question in self.questions]


def to_released_form(program: Program) -> Program:
    """The program with the keys function, inputs and value_inputs, from either of CLEVR's two spellings."""
    return [
        {
            "function": node.get("function") or node["type"],
            "inputs": node["inputs"],
            "value_inputs": node.get("value_inputs", node.get("side_inputs", [])),
        }
        for node in program
    ]


def hard_answer(program: Program | None, scene: Scene | Compiled) -> str | None:
    """Answer of the exact executor; None without a program, or when it is ill posed in the scene."""
    try:
        return None if program is None else execute(program, scene)
    except (IllPosed, InputError):
        return None


def soft_answer(program: Program | None, belief: SceneBelief) -> Answer:
    """Answer of the soft executor; an empty one at confidence 0 without a program, or when it cannot be executed."""
    try:
        return Answer({}, "", 0.0, 0.0) if program is None else answer(program, belief)
    except InputError:
        return Answer({}, "", 0.0, 0.0)


def rows(data: Predictions) -> Scored:
    """The four rows, and the soft answers behind the headline row in the order of the questions.

    Each row: accuracy, interval (95 %, clustered by image), n, unanswered, by_type. Rows with a predicted scene are
    executed softly; "hard" is the row of exact execution in the most likely scene.
    """
    # Replacing one predicted input by the true one attributes the errors: true scene and predicted program leave those
    # of the parser, predicted scene and true program those of perception.
    true_programs = [to_released_form(question["program"]) for question in data.questions]
    true = [compile(scene) for scene in data.scenes]
    likely = [compile(belief.most_likely()) for belief in data.beliefs]
    result, soft = {}, []
    for name, programs in zip(ROWS, (true_programs, true_programs, data.programs, data.programs), strict=True):
        pairs = list(zip(programs, data.places, strict=True))
        if name.startswith("true_scene"):
            result[name] = score_answers([hard_answer(p, true[k]) for p, k in pairs], data.questions)
            continue
        soft = [soft_answer(p, data.beliefs[k]) for p, k in pairs]
        result[name] = score_answers([found.best or None for found in soft], data.questions)
        result[name]["hard"] = score_answers([hard_answer(p, likely[k]) for p, k in pairs], data.questions)
    return result, soft


def outcomes(found: Sequence[Answer], questions: Sequence[Question], split: str) -> Outcomes:
    """Correctness of the answer to each question of a split; `found` are the answers of the headline row."""
    return outcomes_of([each.best for each in found], questions, split)


def outcomes_of(answers: Sequence[str | None], questions: Sequence[Question], split: str) -> Outcomes:
    """Correctness of an answer to each question of a split."""
    images = [q["image_filename"] for q in questions]
    items = [f"{split}/{q['question_index']}/{image}" for q, image in zip(questions, images, strict=True)]
    right = [a == q["answer"] for a, q in zip(answers, questions, strict=True)]
    return Outcomes("accuracy", split, distinct(items), images, np.array(right, float), chance=CHANCE)


def score_answers(answers: Sequence[str | None], questions: Sequence[Question]) -> dict[str, Any]:
    """Accuracy of `answers` with its interval, overall and by question type; None counts as wrong and as unanswered."""
    right = np.array([a == q["answer"] for a, q in zip(answers, questions, strict=True)], float)
    images = np.array([q["image_index"] for q in questions])
    types = np.array([question_type(last_function(q)) for q in questions])
    by_type = {name: _accuracy(right[types == name], images[types == name]) for name in QUESTION_TYPES}
    return {**_accuracy(right, images), "unanswered": sum(a is None for a in answers), "by_type": by_type}


def _accuracy(right: Array, images: Array) -> dict[str, Any]:
    if not len(right):
        return {"accuracy": None, "interval": None, "n": 0}
    return {"accuracy": float(right.mean()), **interval(right, images), "n": len(right)}


def interval(right: Array, images: Array) -> dict[str, Any]:
    """The 95 % interval of a share, clustered by image; none, and the mark `is_few`, below `FEWEST_IMAGES` images."""
    if len(np.unique(images)) < FEWEST_IMAGES:
        return {"interval": None, "is_few": True}
    found = mean_interval(right, images)
    return {"interval": found and list(found)}


def baseline_rows(
    prior: Prior,
    questions: Sequence[Question],
    learned: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Chance, the majority answer and the question-type prior, scored on `questions`.

    `learned`: answers of trained baselines to `questions`, by name; each is a further row.
    """
    place = {"fitted_on": prior.fitted_on}
    return {
        "chance": {"accuracy": CHANCE, "interval": None, "n": len(questions)},
        "majority": {**score_answers([prior.majority for _ in questions], questions), **place},
        "question_type_prior": {
            **score_answers([prior.answer(question) for question in questions], questions),
            **place,
        },
        **{name: score_answers(answers, questions) for name, answers in (learned or {}).items()},
    }


def answers_beside(
    prior: Prior, questions: Sequence[Question], learned: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Sequence[str]]:
    """Answers to `questions` of the question-type prior and of trained baselines, by name."""
    return {"question_type_prior": [prior.answer(question) for question in questions], **(learned or {})}


def calibration(found: Sequence[Answer], questions: Sequence[Question]) -> dict[str, Any]:
    """Calibration of the confidence: ECE with its bins, and accuracy on the most confident 100, 90 and 80 %."""
    # A calibrated confidence c is right with probability c. ECE = Σ_b (n_b / n) |accuracy_b − mean confidence_b| over
    # bins b of equal width measures the deviation. Selective accuracy depends on the order of confidences alone: it
    # rises with falling coverage when the least confident answers, which a user would reject, are the wrong ones.
    confidence = np.array([a.confidence for a in found])
    right = np.array([a.best == q["answer"] for a, q in zip(found, questions, strict=True)], float)
    return {
        "ece": expected_calibration_error(confidence, right),
        "mean_confidence": float(confidence.mean()),
        "selective_accuracy": {f"{c:.0%}": selective_accuracy(confidence, right, c) for c in COVERAGES},
        "bins": reliability_bins(confidence, right),
    }


def reliability_bins(confidence: Array, right: Array) -> list[dict[str, float]]:
    """Non-empty bins of equal width over `confidence` (n,), `right` (n,): low, high, n, mean confidence, accuracy."""
    bins = calibration_bins(confidence, right)
    return [
        {
            "low": float(bins.edges[k]),
            "high": float(bins.edges[k + 1]),
            "n": int(bins.count[k]),
            "confidence": float(bins.confidence[k]),
            "accuracy": float(bins.accuracy[k]),
        }
        for k in np.flatnonzero(bins.count)
    ]


def program_exact(data: Predictions) -> float:
    """Share of questions whose predicted program equals the true one node by node."""
    pairs = zip(data.programs, data.questions, strict=True)
    return float(np.mean([p is not None and to_released_form(p) == to_released_form(q["program"]) for p, q in pairs]))


def depth(
    data: Predictions,
    found: Sequence[Answer],
    beside: Mapping[str, Sequence[str]] | None = None,
    num_proofs: int = 200,
) -> dict[str, Any]:
    """Reasoning depth of the questions, accuracy by depth, and number of derived facts per query.

    Depth, hops and derived facts as defined in `datasets.clevr.questions.executor`; facts are counted in the proofs of
    the first `num_proofs` questions. `found` are the answers of the headline row, `beside` those of baselines, by name.
    """
    programs = [to_released_form(question["program"]) for question in data.questions]
    depths = np.array([symbolic_depth(program) for program in programs])
    hops = np.array([relational_hops(program) for program in programs])
    images = np.array([q["image_index"] for q in data.questions])

    def by_depth(answers: Sequence[str | None]) -> dict[str, Any]:
        right = np.array([a == q["answer"] for a, q in zip(answers, data.questions, strict=True)], float)
        return {str(d): _accuracy(right[depths == d], images[depths == d]) for d in np.unique(depths).tolist()}

    proofs = _first_proofs(data, num_proofs)
    return {
        "mean": float(depths.mean()),
        "std": float(depths.std()),
        "min": int(depths.min()),
        "max": int(depths.max()),
        "hops": float(hops.mean()),
        "derived_facts": float(np.mean([p.num_derived for p in proofs])) if proofs else None,
        "proved": len(proofs) / min(num_proofs, len(programs)),
        "by_depth": by_depth([each.best for each in found]),
        "beside": {name: by_depth(answers) for name, answers in (beside or {}).items()},
        "chance": CHANCE,
    }


def _first_proofs(data: Predictions, limit: int) -> list[Proof]:
    proofs = []
    for program, place in list(zip(data.programs, data.places, strict=True))[:limit]:
        try:
            proofs += [prove(program, data.beliefs[place])] if program else []
        except InputError:
            continue
    return proofs
