"""CPU-seconds of GQA's files on one core: questions read, parsed, executed, and a whole val scored.

The peer is `json.load` of the same file, which keeps everything in memory and checks nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from nsmodels.datasets.gqa.files.format import each_question, read_choices, read_graphs, write_entries
from nsmodels.datasets.gqa.files.places import questions_path
from nsmodels.datasets.gqa.programs.execution import compile, execute
from nsmodels.datasets.gqa.scoring.evaluation import score_file
from nsmodels.datasets.gqa.vocabulary.building import read_vocabulary

RELEASED = 132_062  # balanced questions of val


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU-seconds of a call, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def copied(data: Path, place: Path) -> int:
    """Write val with as many questions as the release has, those of `data` in turn; number of bytes."""
    records = json.loads(questions_path(data, "val").read_text())
    choices = read_choices(data, "val")
    keys = [(f"{number:06d}{key}", key) for number, key in enumerate(islice(cycle(records), RELEASED))]
    path = write_entries(questions_path(place, "val"), ((new, {**records[key], "entailed": []}) for new, key in keys))
    lists = {key: {"valid": sorted(pair[0]), "plausible": sorted(pair[1])} for key, pair in choices.items()}
    write_entries(place / "eval" / "val_choices.json", ((new, lists[key]) for new, key in keys))
    rows = [{"questionId": new, "prediction": records[key]["answer"]} for new, key in keys]
    (place / "predictions.json").write_text(json.dumps(rows))
    return path.stat().st_size


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a GQA folder with graphs of val, as of `nsmodels gqa prepare`")
    data = parser.parse_args().data
    words = read_vocabulary(data)
    scenes = {image: compile(graph, words) for image, graph in read_graphs(data, "val").items()}
    asked = [(question.program, scenes[question.image]) for question in each_question(data, "val")]
    seconds, _ = spent(lambda: [execute(program, scene) for program, scene in asked])
    print(f"executed: {len(asked) / seconds:,.0f} questions per CPU-second")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        print(f"val of {RELEASED:,} questions, {copied(data, place) / 1e6:,.0f} MB:")
        seconds, _ = spent(lambda: json.loads(questions_path(place, "val").read_text()))
        print(f"  json.load       {seconds:6.2f} CPU-s")
        seconds, _ = spent(lambda: sum(1 for _ in each_question(place, "val")))
        print(f"  read, checked   {seconds:6.2f} CPU-s")
        seconds, _ = spent(lambda: sum(len(question.program) for question in each_question(place, "val")))
        print(f"  and parsed      {seconds:6.2f} CPU-s")
        seconds, scores = spent(lambda: score_file(place / "predictions.json", place))
        print(f"  scored          {seconds:6.2f} CPU-s, accuracy {scores.accuracy:.2f}")


if __name__ == "__main__":
    main()
