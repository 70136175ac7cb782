"""How long the question parser takes for one question, and for many at once, on one CPU thread.

    python benchmarks/parser_latency.py [--questions FILE] [--checkpoint FILE]

Without a checkpoint the parser is trained first on the questions, so that its programs have real lengths.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from nsmodels.engine import checkpoint
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.systems.visual.config import ParserConfig
from nsmodels.systems.visual.language.parser import Parser
from nsmodels.systems.visual.language.task import ParserTask

OFFICIAL = Path(__file__).parents[1] / "tests/data/clevr_official/CLEVR_v1.0/questions"


def memorise(questions: list[dict]) -> Parser:
    torch.manual_seed(0)
    task = ParserTask(questions, questions, ParserConfig(), TrainingConfig(batch_size=16))
    model = task.build()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(60):
        for batch in task.batches("train", epoch, Shard()):
            optimizer.zero_grad()
            task.loss(model, batch)[0].backward()
            optimizer.step()
    return model.eval()


def milliseconds(parser: Parser, batches: list[list[str]]) -> np.ndarray:
    """Per question, (number of batches, 2): wall and CPU. They differ on a machine that does other work, too."""
    taken = []
    for batch in batches:
        began = time.perf_counter(), time.process_time()
        parser.parse(batch)
        ended = time.perf_counter(), time.process_time()
        taken.append(np.subtract(ended, began) * 1e3 / len(batch))
    return np.array(taken)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=Path, default=next(OFFICIAL.glob("*.json"), None))
    options.add_argument("--checkpoint", type=Path)
    given = options.parse_args()
    torch.set_num_threads(1)
    questions = json.loads(given.questions.read_text())["questions"]
    parser = Parser.from_checkpoint(checkpoint.load(given.checkpoint)) if given.checkpoint else memorise(questions)
    texts = [question["question"] for question in questions]
    parser.parse(texts[:20])
    alone = milliseconds(parser, [[text] for text in texts])
    together = milliseconds(parser, [texts * 4])
    print(f"parameters {sum(weights.numel() for weights in parser.parameters()):,}")
    for column, name in enumerate(("wall", "CPU")):
        median, slow = np.percentile(alone[:, column], (50, 95))
        print(f"{name} ms: one question {median:.2f} (95 %: {slow:.2f}), in batches {together[0, column]:.3f}")


if __name__ == "__main__":
    main()
