"""Generated questions: answers, referents, entailments, balance, leaks, form. Oracles: the executor and brute force."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import pytest

from nsmodels.datasets.gqa.files.format import read_choices, read_questions
from nsmodels.datasets.gqa.programs.execution import IllPosed, compile, execute
from nsmodels.datasets.gqa.programs.operations import OPERATIONS
from nsmodels.datasets.gqa.programs.parsing import as_semantic, parse, parse_text, without_leaks
from nsmodels.datasets.gqa.questions.asking import Source
from nsmodels.datasets.gqa.questions.balance import level
from nsmodels.datasets.gqa.questions.config import QuestionSettings
from nsmodels.datasets.gqa.questions.counts import count
from nsmodels.datasets.gqa.questions.generation import questions_of
from nsmodels.datasets.gqa.questions.writing import write_questions
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.scenery.composition import compose
from nsmodels.scenery.words import vocabulary
from tests.datasets.gqa.edited import edited

WORDS = vocabulary()
IMAGES = 170
KEYS = ["semantic", "entailed", "equivalent", "question", "imageId", "isBalanced", "groups", "answer", "semanticStr"]
KEYS += ["annotations", "types", "fullAnswer"]  # in the order of the release


def _graphs(number: int = IMAGES, split: str = "val") -> list[SceneGraph]:
    return [compose(seed=0, split=split, index=index).graph for index in range(number)]


@pytest.fixture(scope="module")
def graphs() -> dict[str, SceneGraph]:
    return {graph.image: graph for graph in _graphs()}


@pytest.fixture(scope="module")
def folder(graphs, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("twin")
    write_questions(root, "val", list(graphs.values()), WORDS, QuestionSettings(), workers=1)
    return root


@pytest.fixture(scope="module")
def questions(folder) -> dict:
    return json.loads((folder / "questions" / "val_all_questions.json").read_text())


@pytest.fixture(scope="module")
def balanced(folder) -> dict:
    return json.loads((folder / "questions" / "val_balanced_questions.json").read_text())


def test_every_answer_is_that_of_the_executor_whatever_the_ids_and_the_order_of_options(questions, graphs):
    rng, scenes = Random(0), {image: compile(graph, WORDS) for image, graph in graphs.items()}
    for key, record in questions.items():
        scene = scenes[record["imageId"]]
        shuffled = [step | {"argument": _shuffled(step["argument"], rng)} for step in record["semantic"]]
        answers = {execute(parse(steps), scene) for steps in (record["semantic"], shuffled)}
        assert answers == {record["answer"]}, f"{key}: {record['question']} {record['semanticStr']}"


def _shuffled(argument: str, rng: Random) -> str:
    """Ids exchanged, options in reverse order."""
    argument = re.sub(r"\(([\d,-]+)\)", lambda _: rng.choice(("(-)", "(7)", "(5,6)")), argument)
    name, comma, rest = argument.partition(",") if "," in argument else ("", "", argument)
    options, *role = rest.split(",")
    return name + comma + ",".join(["|".join(reversed(options.split("|"))), *role])


def test_every_description_fits_exactly_one_object(questions, graphs):
    checked = 0
    for key, record in questions.items():
        sets: list[set[str] | None] = []
        for step in record["semantic"]:
            sets.append(_found(step, sets, graphs[record["imageId"]]))
            if step["operation"] not in ("exist", "and", "or") and not step["operation"].startswith("filter"):
                for each in step["dependencies"]:
                    several = step["operation"].startswith(("same", "different")) and len(step["dependencies"]) == 1
                    is_one = sets[each] is None or len(sets[each]) == 1 or several
                    assert is_one, f"{key}: {record['question']} {record['semanticStr']}: {sets[each]}"
                    checked += 1
    assert checked > len(questions)


def _found(step: dict, sets: list, graph: SceneGraph) -> set[str] | None:
    """Ids of the objects of a step by brute force; None: the scene, a truth or an answer."""
    operation, argument = step["operation"], re.sub(r" \([^()]*\) ?$", "", step["argument"])
    if operation == "select" and argument != "scene":
        return {thing.id for thing in graph if WORDS.is_a(thing.name, argument)}
    if operation == "relate":
        return _relatives(argument, sets[step["dependencies"][0]], graph)
    if operation.startswith("filter") and sets[step["dependencies"][0]] is not None:
        return {key for key in sets[step["dependencies"][0]] if _has(graph, key, argument)}
    return None


def _relatives(argument: str, anchors: set[str], graph: SceneGraph) -> set[str]:
    name, relation, role = argument.split(",")
    called = {thing.id for thing in graph if name == "_" or WORDS.is_a(thing.name, name)}
    if role == "_":
        values = WORDS.attributes[relation.removeprefix("same ")]
        wanted = {value for key in anchors for value in graph.by_id[key].attributes if value in values}
        return {key for key in called - anchors if wanted & set(graph.by_id[key].attributes)}
    pairs = {(thing.id, relation_.name, relation_.target) for thing in graph for relation_ in thing.relations}
    pairs |= {(two, WORDS.inverses[name], one) for one, name, two in pairs if name in WORDS.inverses}
    ends = {(one, two) if role == "s" else (two, one) for one, name, two in pairs if name == relation}
    return {found for found, anchor in ends if found in called and anchor in anchors}


def _has(graph: SceneGraph, key: str, value: str) -> bool:
    if value.startswith("not("):
        return not _has(graph, key, value[4:-1])
    x, y = graph.by_id[key].box.centre
    sides = {("left", "right")[x >= graph.width / 2], ("top", "bottom")[y >= graph.height / 2]}
    return value in {*graph.by_id[key].attributes, *sides}


def test_what_is_entailed_holds_in_edited_graphs_in_which_the_question_has_its_answer(graphs):
    source = Source(WORDS, count(graphs.values(), WORDS))
    rng, checked, pairs = Random(1), 0, set()
    for graph in list(graphs.values())[:45]:
        made = {each.id: each for each in questions_of(graph, source, QuestionSettings(), "val")}
        programs = {key: parse(each.record["semantic"]) for key, each in made.items()}
        for _ in range(10):
            changed = edited(graph, WORDS, rng)
            scene, answers = compile(changed, WORDS), {}
            for key, each in made.items():
                follow = each.record["entailed"]
                if not follow or _answer(key, programs, scene, answers) != each.record["answer"]:
                    continue
                if not all(_is_one(noun, changed) for noun in each.draft.nouns):
                    continue  # "the dog" where there are two: the question has no meaning
                for other in follow:
                    given = _answer(other, programs, scene, answers)
                    text = f"{each.record['question']} {each.record['answer']} => {made[other].record['question']}"
                    assert given == made[other].record["answer"], f"{text} {given} in {changed}"
                    checked += 1
                    pairs.add((each.draft.detailed, made[other].draft.detailed))
    assert checked > 4_000
    assert len(pairs) > 120


def _answer(key: str, programs: dict, scene, answers: dict) -> str:
    if key not in answers:
        try:
            answers[key] = execute(programs[key], scene)
        except IllPosed as error:
            answers[key] = str(error)
    return answers[key]


def _is_one(noun, graph: SceneGraph) -> bool:
    return len(_matching(noun, graph)) == 1


def _matching(noun, graph: SceneGraph) -> set[str]:
    found = {thing.id for thing in graph if noun.name == "_" or WORDS.is_a(thing.name, noun.name)}
    if noun.link is not None:
        argument = f"{noun.name},{noun.link.relation},{noun.link.role}"
        anchors = _matching(noun.link.to, graph)
        found = _relatives(argument, anchors, graph) if len(anchors) == 1 else set()
    return {key for key in found if all(_has(graph, key, trait.argument) for trait in noun.traits)}


def test_entailed_and_equivalent_name_questions_of_the_image(questions):
    having = 0
    for key, record in questions.items():
        assert key in record["equivalent"]
        assert key not in record["entailed"]
        for other in record["equivalent"]:
            assert questions[other]["answer"] == record["answer"]
            assert set(questions[other]["equivalent"]) == set(record["equivalent"])
        assert all(questions[other]["imageId"] == record["imageId"] for other in record["entailed"])
        having += bool(record["entailed"])
    assert having > 0.5 * len(questions)


def test_all_types_roles_and_most_operations_occur(questions):
    types = [record["types"] for record in questions.values()]
    assert {each["structural"] for each in types} == {"verify", "query", "choose", "logical", "compare"}
    assert {each["semantic"] for each in types} == {"obj", "attr", "cat", "rel", "global"}
    steps = [step for record in questions.values() for step in record["semantic"]]
    operations = {step["operation"] for step in steps}
    assert operations <= OPERATIONS.keys()
    assert len(operations) >= 60
    arguments = [step["argument"] for step in steps]
    roles = {parse([*record["semantic"]])[1].role for record in questions.values() if len(record["semantic"]) > 1}
    assert {"s", "o", "_"} <= roles
    assert any(each.startswith("not(") for each in arguments)
    assert any(each.startswith("_,") for each in arguments)
    assert any(each.partition(" (")[0] in WORDS.categories for each in arguments)
    assert any(each.partition(" (")[0] in WORDS.singular_of for each in arguments)


def test_records_have_the_released_form(questions):
    assert len(questions) == len(set(questions))
    for key, record in questions.items():
        assert list(record) == KEYS
        assert parse_text(record["semanticStr"]) == parse(record["semantic"])
        assert as_semantic(parse(record["semantic"])) == record["semantic"]
        assert list(record["annotations"]) == ["answer", "question", "fullAnswer"]
        assert record["groups"].keys() == {"global", "local"}
        assert (record["answer"] in ("yes", "no")) <= (record["groups"]["global"] is None)
        assert key.startswith(record["imageId"])


def test_sentences_are_english_and_their_annotations_name_the_objects(questions, graphs):
    for record in questions.values():
        things = graphs[record["imageId"]].by_id
        for field, sign in (("question", "?"), ("fullAnswer", ".")):
            text = record[field]
            assert text.endswith(sign)
            assert text[0].isupper()
            assert not re.search(r"  | ,|[{}]", text)
            assert not re.search(r"\ba [aeio]|\ban [^aeiou]", text), text
            words = text[:-1].split()
            for span, key in record["annotations"][field].items():
                start, _, end = span.partition(":")
                assert words[int(start) : int(end or int(start) + 1)], text
                assert key in things
        for key in record["annotations"]["answer"].values():
            assert things[key].name == record["answer"]


def test_options_leak_the_answer_as_released_and_not_in_the_form_that_is_learnt_from(questions):
    for record in questions.values():
        last = record["semantic"][-1]
        options = re.sub(r" \(.*", "", last["argument"]).split(",")
        options = (options[1] if last["operation"] == "choose rel" else options[0]).split("|")
        if last["operation"].startswith("choose") and len(options) > 1:
            sides = {"to the left of": "left", "to the right of": "right"}
            assert sides.get(options[0], options[0]) == record["answer"]
        for step in without_leaks(parse(record["semantic"])):
            assert not step.ids
            assert list(step.options) == sorted(step.options)
    absent = [r for r in questions.values() if r["types"]["detailed"].startswith("exist") and len(r["semantic"]) == 2]
    assert {r["answer"] for r in absent if "(-)" in r["semanticStr"]} == {"no"}


def test_balanced_part_is_even_hard_to_guess_and_in_the_released_mix(questions, balanced):
    assert {key for key, record in questions.items() if record["isBalanced"]} == balanced.keys()
    assert all(questions[key] == record for key, record in balanced.items())
    answers = Counter(record["answer"] for record in balanced.values())
    assert answers["yes"] == answers["no"]
    assert answers.most_common(1)[0][1] < 0.3 * len(balanced)
    truths: defaultdict[str, Counter] = defaultdict(Counter)
    for record in balanced.values():
        if record["answer"] in ("yes", "no"):
            truths[record["groups"]["local"].partition("-")[0]][record["answer"]] += 1
    assert all(counts["yes"] == counts["no"] for counts in truths.values())
    _assert_mix(balanced, "structural", {"query": 52, "verify": 20, "choose": 12, "logical": 12, "compare": 3})
    _assert_mix(balanced, "semantic", {"rel": 47, "attr": 32, "obj": 12, "cat": 6, "global": 3})
    colors = [r for r in balanced.values() if _asks_for_color(r)]
    assert len(colors) > 0.15 * len(balanced)


def _assert_mix(balanced: dict, kind: str, wanted: dict[str, float]) -> None:
    counts = Counter(record["types"][kind] for record in balanced.values())
    for name, share in wanted.items():
        assert 100 * counts[name] / len(balanced) == pytest.approx(share, abs=4), name


def _asks_for_color(record: dict) -> bool:
    last = record["semantic"][-1]
    return last["argument"] == "color" or last["operation"].endswith(" color")


@pytest.mark.parametrize("counts", [[1], [9], [1, 9], [2, 2, 2], [1, 1, 1, 30], [1, 5, 40, 41, 300], [10, 20, 30]])
@pytest.mark.parametrize("spread", [1.0, 1.5, 3.0])
def test_no_answer_of_a_smoothed_group_exceeds_its_multiple_of_the_mean_and_no_more_is_dropped(counts, spread):
    most = level(counts, spread)
    if len(counts) == 1:
        assert most == max(1, counts[0] // 3)
        return

    def is_allowed(bound: int) -> bool:
        kept = [min(each, bound) for each in counts]
        return max(kept) * len(kept) <= spread * sum(kept)

    assert most == max((bound for bound in range(1, counts[-1] + 1) if is_allowed(bound)), default=1)


def test_choices_contain_the_answer_and_what_is_plausible_is_valid(folder, balanced):
    choices = read_choices(folder, "val")
    assert choices.keys() == balanced.keys()
    for key, record in balanced.items():
        valid, plausible = choices[key]
        assert record["answer"] in valid & plausible
        assert plausible <= valid
        last = record["semantic"][-1]
        if last["operation"].startswith("choose") and "|" in last["argument"]:
            assert len(valid) == 2
        if record["groups"]["global"] == "color":
            assert valid <= set(WORDS.attributes["color"])


def test_files_depend_on_the_seed_and_not_on_the_number_of_workers(tmp_path):
    graphs = _graphs(6, "train")
    for name, workers, seed in (("one", 1, 0), ("two", 2, 0), ("other", 1, 1)):
        write_questions(tmp_path / name, "train", graphs, WORDS, QuestionSettings(seed=seed), workers=workers)
    files = {name: _contents(tmp_path / name) for name in ("one", "two", "other")}
    assert files["one"] == files["two"]
    assert files["one"] != files["other"]
    names = {f"questions/train_all_questions/train_all_questions_{i}.json" for i in range(10)}
    names |= {f"eval/train_choices/train_choices_{i}.json" for i in range(10)}
    assert files["one"].keys() == {*names, "questions/train_balanced_questions.json"}


def test_images_of_which_nothing_can_be_asked_give_files_without_questions(tmp_path):
    empty = SceneGraph("1", 224, 168, ())
    write_questions(tmp_path, "val", [empty], WORDS, QuestionSettings(), workers=1)
    found = read_questions(tmp_path, "val", "all")
    assert {question.answer for question in found.values()} <= {"no"}  # of existence alone
    write_questions(tmp_path, "val", [], WORDS, QuestionSettings(), workers=1)
    assert read_questions(tmp_path, "val", "all") == {}


def _contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
