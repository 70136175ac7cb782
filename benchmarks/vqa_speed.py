"""CPU-seconds of VQA v2 on one core: a whole val scored, the twin made, the mini fetched from a local server.

The peers: `json.load` of the same annotations, which keeps everything in memory and checks nothing; the bytes of the
members.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from nsmodels.datasets.vqa.files.fetch import fetch_mini
from nsmodels.datasets.vqa.files.names import annotations_name, image_name, pairs_name, questions_name
from nsmodels.datasets.vqa.files.release import Release, zips_of
from nsmodels.datasets.vqa.questions.asking import Asked, Asker
from nsmodels.datasets.vqa.questions.twin import Recipe, write_twin_split
from nsmodels.datasets.vqa.scoring.predictions import score_files
from nsmodels.scenery.composition import compose
from nsmodels.scenery.config import ScenerySettings
from nsmodels.scenery.words import vocabulary
from tests.core.server import FileServer

RELEASED = 214_354  # questions of val
IMAGES = {"train": 82_783, "val": 40_504}
WANTED = {"train": 10_000, "val": 1_000}
MEMBER = 163_000  # mean bytes of an image of the release


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU-seconds of a call, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def ask(num: int) -> Asked:
    """Questions about scenes, ten a scene."""
    graphs = [compose(0, "val", number).graph for number in range(num // 10)]
    asker = Asker(vocabulary(), 10)

    def run() -> Asked:
        asked = Asked()
        for number, graph in enumerate(graphs):
            asked.extend(asker.ask(graph, Random(number)))
        return asked

    seconds, asked = spent(run)
    print(f"questions with ten answers: {len(asked.questions) / seconds:,.0f} per CPU-second")
    return asked


def score(asked: Asked, folder: Path) -> None:
    """Score a val of the size of the release, the given questions in turn."""
    rng, questions, annotations, rows = Random(0), [], [], []
    for number in range(RELEASED):
        record = asked.annotations[number % len(asked.annotations)]
        key, image = number // 5 * 1000 + number % 5, number // 5
        questions.append({"image_id": image, "question": asked.questions[0].text, "question_id": key})
        annotations.append({**record, "image_id": image, "question_id": key})
        rows.append({"question_id": key, "answer": rng.choice(record["answers"])["answer"]})
    head = {"info": {}, "license": {}, "data_subtype": "val2014"}
    (folder / "q.json").write_text(json.dumps({**head, "questions": questions}))
    (folder / "a.json").write_text(json.dumps({**head, "annotations": annotations}))
    (folder / "p.json").write_text(json.dumps(rows))
    del questions, annotations, rows
    print(f"val of {RELEASED:,} questions, {(folder / 'a.json').stat().st_size / 1e6:,.0f} MB of annotations:")
    seconds, _ = spent(lambda: json.loads((folder / "a.json").read_text()))
    print(f"  json.load       {seconds:6.2f} CPU-s")
    seconds, scores = spent(lambda: score_files(folder / "p.json", folder / "a.json", folder / "q.json"))
    print(f"  read and scored {seconds:6.2f} CPU-s, accuracy {scores.overall.percent:.2f}")


def draw(num: int, folder: Path) -> None:
    """Make a split of the twin."""
    recipe = Recipe(0, 5, 0.5, 0.5, ScenerySettings())
    seconds, made = spent(lambda: write_twin_split(folder, "train", num, recipe, 1))
    num_questions = len(made.asked.questions)
    print(
        f"twin: {num} images with {num_questions} questions, {1000 * seconds / num:.1f} CPU-ms an image, "
        f"{num_questions / seconds:,.0f} questions per CPU-second with their pictures"
    )


def fetch(folder: Path, size: int) -> None:
    """Fetch the mini from archives with the numbers of members of the release, of `size` bytes each."""
    rng, files = Random(0), {}
    content = rng.randbytes(size)
    for split, num in IMAGES.items():
        ids = rng.sample(range(1, 581_921), num)
        _zip(folder / f"{split}2014.zip", {image_name(split, image): content for image in ids}, zipfile.ZIP_STORED)
        files[f"/zips/{split}2014.zip"] = folder / f"{split}2014.zip"
        for name, archive in zips_of(split).items():
            _zip(folder / archive, {name: json.dumps(_records(name, split, ids)).encode()}, zipfile.ZIP_DEFLATED)
            files[f"/vqa/{archive}"] = folder / archive
    boxes: dict[str, Any] = {"info": {}, "images": [], "licenses": [], "annotations": [], "categories": []}
    names = {f"annotations/instances_{split}2014.json": json.dumps(boxes).encode() for split in IMAGES}
    _zip(folder / "boxes.zip", names, zipfile.ZIP_DEFLATED)
    files["/annotations/annotations_trainval2014.zip"] = folder / "boxes.zip"
    annotated = sum(path.stat().st_size for name, path in files.items() if name.startswith("/vqa/"))
    for has_pairs in (False, True):
        with FileServer(files) as server:
            release = Release(server.url(""), server.url("/vqa"), False)
            done = fetch_mini(folder / f"out{has_pairs}", WANTED, release, has_pairs, progress=False)
            num = sum(done.images.values())
            beside = server.bytes - annotated - num * size
            print(
                f"mini, pairs {has_pairs}: {num:,} images, {len(server.requests):,} requests, {beside / 1e6:.1f} MB "
                f"beside members and annotations: {1 + beside / (num * size):.3f} of members of {size:,} bytes, "
                f"{1 + beside / (num * MEMBER):.3f} of those of the release"
            )


def _records(name: str, split: str, ids: list[int]) -> Any:
    head = {"info": {}, "license": {}, "data_subtype": f"{split}2014"}
    if name == questions_name(split):
        return head | {"questions": [{"image_id": i, "question": "What?", "question_id": i * 1000} for i in ids]}
    if name == pairs_name(split):
        return [[one * 1000, other * 1000] for one, other in zip(ids[::2], ids[1::2], strict=False)]
    assert name == annotations_name(split)
    given = [{"answer": "red", "answer_confidence": "yes", "answer_id": number} for number in range(1, 11)]
    fields = {"question_type": "what", "multiple_choice_answer": "red", "answers": given, "answer_type": "other"}
    return head | {"annotations": [{**fields, "image_id": i, "question_id": i * 1000} for i in ids]}


def _zip(path: Path, members: dict[str, bytes], kind: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data, kind)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200, help="images of the twin [200]")
    parser.add_argument("--member", type=int, default=0, help="bytes of an image for the mini; 0: not measured [0]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        score(ask(8_000), Path(name))
        draw(arguments.images, Path(name))
        if arguments.member:
            fetch(Path(name), arguments.member)


if __name__ == "__main__":
    main()
