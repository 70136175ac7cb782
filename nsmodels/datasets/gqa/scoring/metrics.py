"""The official metrics of GQA, by the formulas of the published evaluation; all but distribution in percent.

Over balanced questions: accuracy (binary: all but structural type query; open: query), by structural and semantic
type, number of words and of steps; validity and plausibility: the answer is in the question's choices; consistency: of
a right answer with entailed questions, the share of these that are right; distribution: chi-square distance of the
predicted from the true answers by global group, weighted by its size, lower is better; grounding: see `grounding`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.scoring.grounding import grounding
from nsmodels.datasets.gqa.scoring.items import Attention, Item, Predictions
from nsmodels.formats.scenes.graphs import SceneGraph

COMMON = frozenset(("color", "material", "shape"))  # all answers to "what do they have in common"
Choices = Mapping[str, tuple[frozenset[str], frozenset[str]]]
Table = dict[str, tuple[float, int]]  # percent and number of questions


@dataclass(frozen=True)
class Scores:
    """Scores of predictions; None: not computed, see `left_out`.

    Attributes:
        by: percent and number of questions, by "StructuralType", "SemanticType", "Steps", "Length".
        right: whether each balanced question is answered right, by id.
        left_out: metrics that are not computed, with the reason.
    """

    accuracy: float
    binary: float
    open: float
    validity: float | None
    plausibility: float | None
    consistency: float | None
    distribution: float
    grounding: float | None = None
    grounding_fixed: float | None = None
    by: Mapping[str, Table] = field(default_factory=dict)
    right: Mapping[str, bool] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The scores under the names of the published evaluation."""
        names = ("accuracy", "binary", "open", "validity", "plausibility", "consistency", "distribution")
        names += ("grounding", "grounding_fixed")
        found: dict[str, Any] = {name: value for name in names if (value := getattr(self, name)) is not None}
        found |= {
            f"accuracyPer{kind}": {key: list(pair) for key, pair in rows.items()} for kind, rows in self.by.items()
        }
        return found | ({"left_out": dict(self.left_out)} if self.left_out else {})


@dataclass
class Scorer:
    """Predictions that are scored question by question: `add` for every balanced one, then `finish`.

    Attributes:
        predictions: answers by question id.
        choices: valid and plausible answers by question id; None: there are none.
        attentions: by question id; None: there are none.
    """

    predictions: Predictions
    choices: Choices | None = None
    attentions: Mapping[str, Attention] | None = None
    _right: dict[str, bool] = field(default_factory=dict)
    _tallies: dict[str, Counter[Any]] = field(default_factory=lambda: defaultdict(Counter))
    _valid: int = 0
    _plausible: int = 0
    _true: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _predicted: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _entailed: list[tuple[str, ...]] = field(default_factory=list)
    _grounding: list[tuple[float, float]] = field(default_factory=list)

    def add(self, item: Item, graph: SceneGraph | None = None) -> None:
        """Score a balanced question that has a prediction. Raises `InputError` for choices or a map that is missing."""
        predicted = self.predictions[item.id]
        is_right = predicted == item.answer
        self._right[item.id] = is_right
        self._count(item, is_right)
        if self.choices is not None:
            self._choose(item, predicted, self.choices)
        if is_right and item.entailed:
            self._entailed.append(item.entailed)
        if item.group is not None:
            self._true[item.group][item.answer] += 1
            self._predicted[item.group][predicted] += 1
        if self.attentions is not None and graph is not None:
            self._ground(item, graph, self.attentions)

    @property
    def needed(self) -> set[str]:
        """Ids of the questions whose answers decide the consistency."""
        return {key for keys in self._entailed for key in keys}

    def finish(self, answers: Mapping[str, str], left_out: Mapping[str, str]) -> Scores:
        """The scores; `answers` are the true ones of all `needed` questions."""
        number = len(self._right)
        reasons = dict(left_out)
        if missing := self.needed - (self.predictions.keys() & answers.keys()):
            reasons["consistency"] = f"predictions or answers of {len(missing):,} entailed questions are missing"
        has_choices, is_grounded = self.choices is not None, bool(self._grounding)
        return Scores(
            accuracy=_percent(sum(self._right.values()), number),
            binary=self._share("Answer", "binary"),
            open=self._share("Answer", "open"),
            validity=_percent(self._valid, number) if has_choices else None,
            plausibility=_percent(self._plausible, number) if has_choices else None,
            consistency=None if missing else self._consistency(answers),
            distribution=self._distance(),
            grounding=self._mean(0) if is_grounded else None,
            grounding_fixed=self._mean(1) if is_grounded else None,
            by={kind: self._table(kind) for kind in ("StructuralType", "SemanticType", "Steps", "Length")},
            right=self._right,
            left_out=reasons,
        )

    def _count(self, item: Item, is_right: bool) -> None:
        keys = (
            ("Answer", "open" if item.structural == "query" else "binary"),
            ("StructuralType", item.structural),
            ("SemanticType", item.semantic),
            ("Steps", item.num_steps),
            ("Length", item.num_words),
        )
        for kind, key in keys:
            self._tallies[kind][key, is_right] += 1

    def _choose(self, item: Item, predicted: str, choices: Choices) -> None:
        if "Common" in item.detailed:
            valid = plausible = COMMON
        elif item.id in choices:
            valid, plausible = choices[item.id]
        else:
            raise InputError(f"the choices lack question '{item.id}'; fetch eval/ again, or move it away")
        self._valid += predicted in valid
        self._plausible += predicted in plausible

    def _ground(self, item: Item, graph: SceneGraph, attentions: Mapping[str, Attention]) -> None:
        if item.id not in attentions:
            raise InputError(f"the attention maps lack question '{item.id}'; give one for every balanced question")
        try:
            pair = [grounding(item, graph, attentions[item.id], is_fixed) for is_fixed in (False, True)]
        except KeyError as error:
            raise InputError(f"question '{item.id}' names object {error}, which its scene graph lacks") from None
        self._grounding.append((pair[0], pair[1]))

    def _share(self, kind: str, key: Any) -> float:
        tally = self._tallies[kind]
        return _percent(tally[key, True], tally[key, True] + tally[key, False])

    def _table(self, kind: str) -> Table:
        tally = self._tallies[kind]
        keys = sorted({key for key, _ in tally})
        return {str(key): (self._share(kind, key), tally[key, True] + tally[key, False]) for key in keys}

    def _consistency(self, answers: Mapping[str, str]) -> float:
        shares = [sum(self.predictions[key] == answers[key] for key in keys) / len(keys) for keys in self._entailed]
        return 100 * sum(shares) / len(shares) if shares else 0.0

    def _distance(self) -> float:
        """Mean over groups of the chi-square distance, weighted by size, in hundreds."""
        total = weighted = 0.0
        for group, true in self._true.items():
            predicted, size = self._predicted[group], true.total()
            weighted += size * sum((predicted[answer] - number) ** 2 / number for answer, number in true.items())
            total += size
        return weighted / total / 100 if total else 0.0

    def _mean(self, which: int) -> float:
        return 100 * sum(pair[which] for pair in self._grounding) / len(self._grounding)


def _percent(part: float, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
