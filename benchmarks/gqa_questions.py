"""The generated questions of the GQA twin: per CPU-second on one core, their mix, and how well they are guessed blind.

The blind predictors see the question alone: the most frequent answer of its local group in training, and a logistic
regression on its words and pairs of words.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import SGDClassifier

from nsmodels.datasets.gqa.files.format import Question, read_questions
from nsmodels.datasets.gqa.questions.config import QuestionSettings
from nsmodels.datasets.gqa.questions.writing import write_questions
from nsmodels.scenery.composition import compose
from nsmodels.scenery.words import vocabulary


def written(place: Path, split: str, number: int) -> list[Question]:
    """The balanced questions of a split, written and timed."""
    graphs = [compose(seed=0, split=split, index=index).graph for index in range(number)]
    start = time.process_time()
    counts = write_questions(place, split, graphs, vocabulary(), QuestionSettings(), workers=1)
    seconds = time.process_time() - start
    rates = ", ".join(f"{counts[part] / seconds:,.0f} {part} a CPU-second" for part in counts)
    print(f"{split}: {number} images, {counts['all']:,} questions, {counts['balanced']:,} balanced: {rates}")
    return list(read_questions(place, split).values())


def shares(name: str, values: list[str]) -> None:
    """Print the most frequent values in per cent."""
    print(f"{name}: " + ", ".join(f"{v} {100 * n / len(values):.1f}" for v, n in Counter(values).most_common(8)))


def prior(train: list[Question], val: list[Question]) -> float:
    """Accuracy of the most frequent answer of each local group; "yes" for groups that training has not."""
    groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for question in train:
        groups[question.local_group or ""][question.answer] += 1
    best = {group: counts.most_common(1)[0][0] for group, counts in groups.items()}
    return sum(best.get(question.local_group or "", "yes") == question.answer for question in val) / len(val)


def regression(train: list[Question], val: list[Question]) -> float:
    """Accuracy of a logistic regression on words and pairs of words."""
    words = CountVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=r"\S+", binary=True)
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=5, tol=0.0, random_state=0)
    model.fit(words.fit_transform([question.text for question in train]), [question.answer for question in train])
    return float(model.score(words.transform([question.text for question in val]), [q.answer for q in val]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=2000, help="training images")
    parser.add_argument("--val", type=int, default=1000, help="validation images")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        train, val = (written(Path(folder), split, getattr(options, split)) for split in ("train", "val"))
    for kind in ("structural", "semantic", "detailed"):
        shares(kind, [(question.types or {})[kind] for question in val])
    shares("answers", [question.answer for question in val])
    steps = [step for question in val for step in question.semantic]
    print(f"operations: {len({step['operation'] for step in steps})} of 138")
    print(f"prior per local group: {prior(train, val):.3f}, blind regression: {regression(train, val):.3f}")


if __name__ == "__main__":
    main()
