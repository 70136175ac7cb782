"""A trained model at work: right and wrong answers explained, and what changes make of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsmodels import loading
from nsmodels.core.errors import InputError
from nsmodels.evaluation.demonstration import Account, Case, Demonstration
from nsmodels.evaluation.metrics import wilson_interval
from nsmodels.notebook import live
from nsmodels.notebook.choice import Choice

if TYPE_CHECKING:
    import pandas as pd

NUM = 24  # inputs: enough for both right and wrong ones, and some seconds


@dataclass(frozen=True)
class Sample:
    """Inputs drawn by chance, with the answers of a model."""

    demonstration: Demonstration
    cases: list[Case]

    @property
    def table(self) -> pd.DataFrame:
        """All of them, a row each, in the order in which they were drawn."""
        import pandas as pd

        return pd.DataFrame([vars(case) for case in self.cases]).rename(columns={"is_right": "right"})

    def first(self, is_right: bool, num: int) -> list[int]:
        """Numbers of the first right or wrong ones."""
        return [number for number, case in enumerate(self.cases) if case.is_right == is_right][:num]

    def beside(self, num: int) -> Iterator[tuple[str, int]]:
        """The first right and the first wrong ones in turn; a line is printed where there are none of a kind."""
        for word, is_right in (("right", True), ("wrong", False)):
            found = self.first(is_right, num)
            if not found:
                print(f"none of the {len(self.cases)} is {word}; demonstrate(choice, num=200) draws more")
            yield from ((word, number) for number in found)


def demonstrate(choice: Choice, num: int = NUM, seed: int = 0) -> Sample:
    """Let the model of a choice answer `num` held-out inputs, drawn by chance; prints how many are right.

    Raises `InputError` where the model is missing, and where the system has no demonstration.
    """
    shown = demonstration_of(choice, num, seed)
    cases = [shown.answer(number) for number in range(len(shown))]
    num_right = sum(case.is_right for case in cases)
    low, high = wilson_interval(num_right, len(cases))
    print(shown.about)
    print(
        f"right: {num_right} of {len(cases)} drawn by chance with seed {seed}, {num_right / len(cases):.0%} "
        f"(95 % interval {low:.0%} to {high:.0%}); none is left out of the table"
    )
    return Sample(shown, cases)


def explain(sample: Sample, num: int = 1) -> None:
    """Explain the first `num` right answers and the first `num` wrong ones, in the order in which they were drawn."""
    for word, number in sample.beside(num):
        _print(word, sample.demonstration.explain(number))


def change(sample: Sample, num: int = 1) -> None:
    """What a change makes of the answers that `explain` explains."""
    print(sample.demonstration.about_change)
    for word, number in sample.beside(num):
        try:
            _print(word, sample.demonstration.change(number))
        except InputError as error:  # of data of one's own, which nothing can simulate again
            print(f"\n--- {word}: {error}")


def own(choice: Choice, sample: Sample) -> None:
    """Print the command line that does the same with an input of one's own."""
    print(sample.demonstration.own.format(model=choice.model, data=choice.data))


def demonstration_of(choice: Choice, num: int, seed: int) -> Demonstration:
    """The loaded model of a choice on inputs of its data; raises `InputError` as `demonstrate`."""
    model: Any = loading.load(choice.model)
    found = choice.trained.demonstrate(model, choice.data, num, seed)
    if not len(found):
        raise InputError(f"{choice.data}: has no held-out inputs; make data with some")
    return found


def _print(word: str, account: Account) -> None:
    live.show_text(f"--- {word} ---\n{account.text}")
    if account.picture:
        live.show_png(account.picture)
