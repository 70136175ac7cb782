"""Questions with programs, whatever their dataset: those of GQA as they are, and those of CLEVR."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.datasets.clevr.files import format as clevr
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS, MAX_OBJECTS, question_type
from nsmodels.datasets.gqa.files import format as gqa
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.datasets.gqa.programs.parsing import Program, Step
from nsmodels.systems.natural.folders import Kind, kind_of

NUM_ANSWERS = {"int": MAX_OBJECTS + 1, "bool": 2} | {name: len(values) for name, values in ATTRIBUTES.items()}


@dataclass(frozen=True, slots=True)
class FunctionQuestion:
    """A question of CLEVR.

    Attributes:
        id: its number in the file.
        image: split and file name of its image, "val/CLEVR_val_000000.png".
        text, answer: as in the file.
        nodes: its program as released.
        where: file and number, for messages.
        types: "structural" is the group of the literature, "semantic" the last function.
    """

    id: str
    image: str
    text: str
    answer: str
    nodes: Sequence[Mapping[str, Any]]
    where: str = ""
    global_group: str | None = None
    local_group: str | None = None

    @property
    def last(self) -> str:
        """The function that gives the answer."""
        return self.nodes[-1]["function"]

    @property
    def types(self) -> Mapping[str, str]:
        """Group of the literature, and last function."""
        return {"structural": question_type(self.last), "semantic": self.last}

    @property
    def program(self) -> Program:
        """Its steps."""
        return steps_of(self.nodes)

    @property
    def num_answers(self) -> int:
        """Number of answers that its kind of question can have."""
        return NUM_ANSWERS[FUNCTIONS[self.last][1]]


# What the parser, the baselines and evaluations read of a question, both have.
Question = gqa.Question | FunctionQuestion


def steps_of(nodes: Sequence[Mapping[str, Any]]) -> Program:
    """The steps of a released list of nodes."""
    return tuple(
        Step(node["function"], tuple(node["inputs"]), relations=tuple(node["value_inputs"]))
        if node["function"] == "relate"
        else Step(node["function"], tuple(node["inputs"]), value="".join(node["value_inputs"]))
        for node in nodes
    )


def nodes_of(program: Sequence[Step]) -> list[dict[str, Any]]:
    """The released list of nodes of steps."""
    return [
        {
            "inputs": list(step.dependencies),
            "function": step.operation,
            "value_inputs": [*step.relations, *([step.value] if step.value else [])],
        }
        for step in program
    ]


def each_question(root: Path, split: str) -> Iterator[Question]:
    """The (balanced) questions of a split, in the order of the file. Raises `InputError` for broken files."""
    return READERS[kind_of(root)](root, split)


def places_of(root: Path, images: Sequence[str]) -> list[Path]:
    """The files of images of questions."""
    place = PLACES[kind_of(root)]
    return [place(root, image) for image in images]


def _functions(root: Path, split: str) -> Iterator[FunctionQuestion]:
    path = clevr.questions_path(root, split)
    for record in clevr.each_question(root, split):
        number = str(record["question_index"])
        image, where = f"{split}/{record['image_filename']}", f"{path}: question {number}"
        yield FunctionQuestion(number, image, record["question"], record["answer"], record["program"], where)


READERS: Mapping[Kind, Callable[[Path, str], Iterator[Question]]] = {"gqa": gqa.each_question, "clevr": _functions}
PLACES: Mapping[Kind, Callable[[Path, str], Path]] = {
    "gqa": image_path,
    "clevr": lambda root, image: Path(root) / "images" / image,
}
