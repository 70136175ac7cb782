"""The leaderboard as an artifact: every evaluation in the ledger ranked, a figure, pairs compared item by item."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import Field

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.evaluation import leaderboard, ledger
from nsmodels.evaluation.ledger import Comparison, Entry

MAKER = "nsmodels"
CODE_VERSION = "4"
TABLE = "leaderboard.parquet"
MOST_ROWS = 50  # of `cells`
MODEL = re.compile(r"_model\b|_(replicates|trials)/(\S+)")
ABOUT = {  # of the columns of `cells`, in order; they fit into the page of an asset
    "#": "rank among the evaluations of the same data, split and metric; the best is 1",
    "score": "of the model on held-out data",
    "95 %": "interval of the score; whole images or maps are resampled",
    "beside": "best score of what was scored beside it on the same items, and its name",
    "model": "the artifact that was scored, without _model",
    "data": "data and split on which it was scored, and the metric",
}
COLUMNS = {  # of the file
    "rank": "among the evaluations of the same data, split and metric; the best is 1",
    "id": "of the evaluation in the ledger; its first characters serve nsmodels leaderboard --compare",
    "name": "key of the model; of a replicate or trial with its partition",
    "key": "key of the evaluation",
    "system": "that trained and scored",
    "dataset": "key of the scored data",
    "data_fingerprint": "recipe of the scored data",
    "source": "origin of the scored data",
    "trained_on": "origin of the data that the model learnt from",
    "split": "of the scored data",
    "metric": "what the score counts",
    "unit": "of the score; a share is in [0, 1]",
    "bounds": "least and greatest possible score; null: none",
    "direction": "which scores are better",
    "is_headline": "whether the metric is the first of its evaluation",
    "score": "mean over n items",
    "low": "lower end of the 95 % interval",
    "high": "upper end of the 95 % interval",
    "n": "number of items scored",
    "num_clusters": "groups of items that the interval takes as independent, as images or maps",
    "seed": "of the training",
    "code_version": "of the evaluation",
    "num_parameters": "trained ones",
    "train_cpu_seconds": "of the scored networks, baselines left out",
    "train_wall_seconds": "likewise",
    "evaluation_cpu_seconds": "of the evaluation",
    "evaluation_wall_seconds": "likewise",
    "model_fingerprint": "recipe of the model",
    "evaluation_fingerprint": "recipe of the evaluation",
    "commit": "of the code that evaluated",
    "machine": "that evaluated",
    "created": "when the evaluation was sealed, UTC",
    "entered": "when it came into the ledger, UTC",
    "baseline": "the best of what was scored beside it",
    "baseline_score": "its score",
    "differences": "fields of the configuration that are not the same in all rows of the group",
}


class RankingConfig(Config):
    """What the leaderboard compares."""

    compare: list[str] = Field(
        default=[], max_length=2, description="two evaluations: ids, their beginnings or keys; empty: the best two each"
    )


def listed() -> list[Entry]:
    """Every evaluation under the data root; InputError when there is none."""
    ledger.scan()
    if found := ledger.entries():
        return found
    raise InputError(leaderboard.NOTHING.format(root=artifact.data_root()))


def config_of(entries: Sequence[Entry], config: RankingConfig) -> dict[str, Any]:
    """What decides the content of a leaderboard."""
    return {"compare": config.compare, "entries": sorted(entry.id for entry in entries)}


def make_ranking(config: RankingConfig, folder: Path, key: str = "leaderboard", is_forced: bool = False) -> Manifest:
    """Seal table, figure and comparisons over the ledger; an equal leaderboard is kept.

    Raises InputError for an empty ledger, and for two evaluations that cannot be compared.
    """
    entries = listed()
    recipe: Any = {"config": config_of(entries, config), "code_version": CODE_VERSION}

    def fill(part: Part) -> None:
        _write(part, entries, compared(entries, config.compare))
        part.source = ", ".join(sorted({entry.source for entry in entries}))
        part.metrics |= {"num_evaluations": len(entries), **_best(entries)}

    return artifact.made(folder, is_forced, fill, key=key, maker=MAKER, is_resumable=False, **recipe)


def cells(folder: Path) -> list[dict[str, str]]:
    """The first rows of a sealed leaderboard, as text by column of `ABOUT`."""
    import pandas as pd

    found = pd.read_parquet(folder / TABLE).head(MOST_ROWS).astype(object)
    # Where a metric has no bound the file has none, which is read as NaN.
    found["bounds"] = [[None if math.isnan(end) else end for end in bounds] for bounds in found["bounds"]]
    records = found.where(found.notna(), None).to_dict("records")
    return [_cells({str(name): value for name, value in record.items()}) for record in records]


def _cells(row: leaderboard.Row) -> dict[str, str]:
    text, measure = leaderboard.CELLS, leaderboard.measure_of(row)
    return {
        "#": text["rank"](row),
        "score": f"{text['score'](row)} {measure.unit_text}".rstrip(),
        "95 %": text["95 %"](row),
        "beside": text["best baseline"](row).replace("_", " "),
        "model": MODEL.sub(lambda found: f" {found[1]} {found[2]}" if found[1] else "", text["model"](row)),
        "data": f"{row['dataset']} {row['split']}: {measure.title}",
    }


def compared(entries: Sequence[Entry], words: Sequence[str]) -> list[Comparison]:
    """The two that `words` name, else the best two of each data set, split and metric, where they share items."""
    if len(words) == 1:
        raise InputError(f"compare: expected two evaluations, got only '{words[0]}'")
    if words:
        first, second = (ledger.find(word, entries) for word in words)
        return [ledger.compare(first, second)]
    by_id = {entry.id: entry for entry in entries}
    best = [[by_id[row["id"]] for row in rows] for rows in _groups(entries, limit=2)]
    found = []
    for pair in best:
        if len(pair) == 2:
            with contextlib.suppress(ledger.NothingShared):
                found.append(ledger.compare(pair[0], pair[1]))
    return found


def _groups(entries: Sequence[Entry], limit: int) -> list[list[leaderboard.Row]]:
    """The best rows of each data set, split and metric."""
    names = ("dataset", *leaderboard.GROUP)
    ranked = leaderboard.rows(entries, limit=limit)
    return [list(rows) for _, rows in groupby(ranked, key=lambda row: tuple(str(row[name]) for name in names))]


def _best(entries: Sequence[Entry]) -> dict[str, float]:
    """The best score of each group; the first group of a data set and split has no metric in its name."""
    found: dict[str, float] = {}
    for row in (rows[0] for rows in _groups(entries, limit=1)):
        name = f"best/{row['dataset']}/{row['split']}"
        found[f"{name}/{row['metric']}" if name in found else name] = row["score"]
    return found


def _write(part: Part, entries: Sequence[Entry], pairs: Sequence[Comparison]) -> None:
    from nsmodels.evaluation import plots

    leaderboard.frame(entries).to_parquet(part.path / TABLE)
    disk.write_atomic(part.path / "table.txt", leaderboard.FORMATS["table"](leaderboard.rows(entries)))
    disk.write_json(part.path / "comparisons.json", [pair.to_dict() for pair in pairs])
    texts = [pair.text() for pair in pairs] or ["no two evaluations of the same data yet"]
    disk.write_atomic(part.path / "comparisons.txt", "\n\n".join(texts) + "\n")
    figure, sources = leaderboard.draw(entries), sorted({entry.source for entry in entries})
    caption = "Best evaluations by their first metric; the table has all metrics"
    plots.save_figure(figure, part.path / "figures" / "ranking", caption, ", ".join(sources))
