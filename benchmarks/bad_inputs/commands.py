"""Command lines: where results may go, options that cannot act, names that do not exist, numbers out of bounds."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bad_inputs.case import Case, Place
from nsmodels.datasets.mazes.config import KINDS

MAZES = ("mazes", "generate", "--preset", "debug")
CLEVR = ("clevr", "prepare", "--preset", "debug")
NAV = ("nav", "train", "--preset", "debug", "--device", "cpu", "--data", "{world}/mazes")
VISUAL = ("visual", "train", "--preset", "debug", "--device", "cpu", "--data", "{world}/clevr")
MAKERS = {"mazes": MAZES, "clevr": CLEVR, "nav": NAV, "visual": VISUAL}
SCORE = ("nav", "evaluate", "--checkpoint", "{world}/nav")
LOOK = ("visual", "evaluate", "--checkpoint", "{world}/visual", "--data", "{world}/clevr")
ASK = ("visual", "answer", "--checkpoint", "{world}/visual")
IMAGE = ("--image", "{world}/clevr/images/val/CLEVR_val_000000.png")
SWEEP = ("sweep", "nav_model", "--preset", "debug", "--dry-run")

# Commands that need no files, by name: arguments, and what the error must mention.
PLAIN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no such system": (("navv", "train"), ("navv",)),
    "no such verb": (("nav", "trian"), ("trian",)),
    "local path without local, mazes": ((*MAZES, "--out", "o", "--local-path", "two"), ("source",)),
    "local path without local, clevr": ((*CLEVR, "--out", "o", "--local-path", "two"), ("source",)),
    "problems per map without local": ((*MAZES, "--out", "o", "--problems-per-map", "3"), ("source",)),
    "local split without local": ((*MAZES, "--out", "o", "--local-split", "test"), ("source",)),
    "archive url of the twin": ((*CLEVR, "--out", "o", "--archive-url", "http://127.0.0.1:1/a.zip"), ("source",)),
    "archive bytes of the twin": ((*CLEVR, "--out", "o", "--archive-bytes", "5"), ("source",)),
    "widths without heights": ((*MAZES, "--out", "o", "--widths", "8"), ("heights",)),
    "no weights": (
        (*MAZES, "--out", "o", *(word for kind in KINDS for word in (f"--{kind}-weight", "0"))),
        ("weight",),
    ),
    "density turned round": ((*MAZES, "--out", "o", "--min-density", "0.8", "--max-density", "0.2"), ("density",)),
    "more maps than there are": ((*MAZES, "--out", "o", "--sides", "3"), ("sides",)),
    "ten million large maps": ((*MAZES, "--out", "o", "--num-train", "10000000", "--sides", "512"), ("GB",)),
    "render nowhere": (("clevr", "render", "--num-scenes", "1", "--out", "o", "--split", "nope"), ("split",)),
    "render none": (("clevr", "render", "--num-scenes", "0", "--out", "o"), ("num-scenes",)),
    "render fewer than none": (("clevr", "render", "--num-scenes", "-1", "--out", "o"), ("num-scenes",)),
    "render too narrow": (("clevr", "render", "--num-scenes", "1", "--out", "o", "--width", "1"), ("width",)),
    "render enormous": (("clevr", "render", "--num-scenes", "1", "--out", "o", "--width", "9000000"), ("width",)),
    "render with a seed of 10^23": (
        ("clevr", "render", "--num-scenes", "1", "--out", "o", "--seed", "1" + "0" * 23),
        ("seed",),
    ),
    "render with a negative seed": (("clevr", "render", "--num-scenes", "1", "--out", "o", "--seed", "-1"), ("seed",)),
    "render questions": (
        ("clevr", "render", "--num-scenes", "1", "--out", "o", "--questions-per-image", "-1"),
        ("questions",),
    ),
    "render with -1 workers": (
        ("clevr", "render", "--num-scenes", "1", "--out", "o", "--num-workers", "-1"),
        ("workers",),
    ),
    "execute on nothing": (("clevr", "execute", "--data", "none"), ("none",)),
    "execute on no split": (("clevr", "execute", "--data", "{world}/clevr", "--split", "nope"), ("nope",)),
    "inspect at no host": (("clevr", "inspect", "--archive-url", "ftp://nowhere/x"), ("ftp",)),
    "show of nothing": (("mazes", "show", "--data", "none"), ("none",)),
    "show of another dataset": (("mazes", "show", "--data", "{world}/clevr"), ("clevr",)),
    "show fewer than none": (("mazes", "show", "--data", "{world}/mazes", "--number", "-1"), ("number",)),
    "show of no split": (("mazes", "show", "--data", "{world}/mazes", "--split", "nope"), ("split",)),
    "data of another kind, nav": ((*NAV[:-1], "{world}/clevr", "--out", "o"), ("clevr",)),
    "data of another kind, visual": ((*VISUAL[:-1], "{world}/mazes", "--out", "o"), ("mazes",)),
    "no data": ((*NAV[:-1], "none", "--out", "o"), ("none",)),
    "a model as data": ((*NAV[:-1], "{world}/nav", "--out", "o"), ("nav",)),
    "the same data twice": ((*NAV, "{world}/mazes", "--out", "o"), ("data",)),
    "learning rate nan": ((*NAV, "--out", "o", "--lr", "nan"), ("lr",)),
    "learning rate infinite": ((*VISUAL, "--out", "o", "--lr", "inf"), ("lr",)),
    "learning rate negative": ((*NAV, "--out", "o", "--lr", "-1"), ("lr",)),
    "epochs 0": ((*NAV, "--out", "o", "--epochs", "0"), ("epochs",)),
    "epochs 1e3": ((*NAV, "--out", "o", "--epochs", "1e3"), ("epochs",)),
    "seed 10^23, training": ((*NAV, "--out", "o", "--seed", "1" + "0" * 23), ("seed",)),
    "seed 10^23, data": ((*MAZES, "--out", "o", "--seed", "1" + "0" * 23), ("seed",)),
    "seed 10^23, images": ((*CLEVR, "--out", "o", "--seed", "1" + "0" * 23), ("seed",)),
    "monitor misspelt": ((*NAV, "--out", "o", "--monitor", "val/lozz"), ("monitor",)),
    "monitor misspelt, parser": ((*VISUAL, "--out", "o", "--parser-training.monitor", "nope"), ("monitor",)),
    "monitor misspelt, images": ((*VISUAL, "--out", "o", "--monitor", "nope"), ("monitor",)),
    "device gpu": ((*NAV, "--out", "o", "--device", "gpu"), ("gpu",)),
    "device that is not there": ((*VISUAL, "--out", "o", "--device", "cuda:7"), ("cuda:7",)),
    "wandb without a key": ((*NAV, "--out", "o", "--use-wandb"), ("offline",)),
    "wandb project without wandb": ((*NAV, "--out", "o", "--wandb-project", "mine"), ("use_wandb",)),
    "step epochs with cosine": ((*NAV, "--out", "o", "--scheduler", "cosine", "--step-epochs", "2"), ("scheduler",)),
    "amp type without amp": ((*NAV, "--out", "o", "--no-use-amp", "--amp-dtype", "bf16"), ("use_amp",)),
    "attention heads of another core": ((*NAV, "--out", "o", "--core", "conv", "--num-heads", "2"), ("core",)),
    "cnn depth without baselines": (
        (*NAV, "--out", "o", "--no-baselines.is-enabled", "--baselines.cnn-depth", "2"),
        ("is_enabled",),
    ),
    "no such backbone": ((*VISUAL, "--out", "o", "--backbone", "resnet19"), ("resnet19",)),
    "backbone and channels": (
        (*VISUAL, "--out", "o", "--backbone", "resnet18", "--backbone-channels", "8", "16"),
        ("backbone_channels",),
    ),
    "99 processes": ((*NAV, "--out", "o", "--num-processes", "99"), ("process",)),
    "images larger than memory": ((*VISUAL, "--out", "o", "--image-width", "100000"), ("image_width",)),
    "evaluate no split": ((*SCORE, "--data", "{world}/mazes", "--split", "nope"), ("nope",)),
    "evaluate no split, visual": ((*LOOK, "--split", "nope"), ("nope",)),
    "evaluate in a negative number of steps": ((*SCORE, "--data", "{world}/mazes", "--steps", "-1"), ("steps",)),
    "evaluate on a gpu": ((*SCORE, "--data", "{world}/mazes", "--device", "gpu"), ("gpu",)),
    "evaluate nothing": (SCORE, ("--data",)),
    "evaluate data and a map": ((*SCORE, "--data", "{world}/mazes", "--map", "a.map"), ("--map",)),
    "evaluate some problems of a split": ((*SCORE, "--data", "{world}/mazes", "--max-problems", "3"), ("--map",)),
    "evaluate data as a model": (
        ("nav", "evaluate", "--checkpoint", "{world}/mazes", "--data", "{world}/mazes"),
        ("mazes",),
    ),
    "evaluate another system's model": (
        ("nav", "evaluate", "--checkpoint", "{world}/visual", "--data", "{world}/mazes"),
        ("visual",),
    ),
    "report into a folder": ((*LOOK, "--json", "."), ("folder",)),
    "report into no folder": ((*LOOK, "--json", "none/report.json"), ("none",)),
    "report below a device": ((*LOOK, "--json", "/dev/null/report.json"), ("/dev/null",)),
    "answer about no image": ((*ASK, "--image", "none.png", "Are there cubes?"), ("none.png",)),
    "answer to nothing": ((*ASK, *IMAGE, ""), ("question",)),
    "answer to blanks": ((*ASK, *IMAGE, "   "), ("question",)),
    "answer without a fact of no form": ((*ASK, *IMAGE, "Are there any cubes?", "--without", "red"), ("red",)),
    "drawing of no format": ((*ASK, *IMAGE, "Are there any cubes?", "--draw", "a.xyz"), (".xyz",)),
    "drawing without an ending": ((*ASK, *IMAGE, "Are there any cubes?", "--tree", "a"), (".png",)),
    "leaderboard of nothing": (("leaderboard",), ("evaluat",)),
    "comparison of nothing": (("leaderboard", "--compare", "a", "b"), ("a",)),
    "leaderboard of -1 rows": (("leaderboard", "--limit", "-1"), ("limit",)),
    "leaderboard of no root": (("leaderboard", "--data", "none"), ("none",)),
    "leaderboard in no format": (("leaderboard", "--format", "pdf"), ("format",)),
    "free nothing known": (("disk", "--free", "nope"), ("nope",)),
    "yes to nothing": (("disk", "--yes"), ("--free",)),
    "verify nothing known": (("verify", "nope"), ("nope",)),
    "verify nothing": (("verify",), ("--all",)),
    "sweep of no model": (("sweep", "nav_modell", "lr=1"), ("nav_modell",)),
    "sweep of no field": ((*SWEEP, "lrr=1"), ("lrr",)),
    "sweep of no value": ((*SWEEP, "lr="), ("lr",)),
    "sweep of a word": ((*SWEEP, "lr=fast"), ("lr",)),
    "sweep of one value twice": ((*SWEEP, "lr=0.1,0.1"), ("lr",)),
    "sweep of one field twice": ((*SWEEP, "lr=0.1", "lr=0.2"), ("lr",)),
    "sweep of no form": ((*SWEEP, "lr"), ("lr",)),
    "sweep of a billion seeds": ((*SWEEP, "lr=0.1", "--seeds", "0...999999999"), ("seeds",)),
    "sweep of seeds turned round": ((*SWEEP, "lr=0.1", "--seeds", "5...1"), ("seeds",)),
    "sweep of no seeds": ((*SWEEP, "lr=0.1", "--seeds", "x"), ("seeds",)),
    "sweep of an empty range": ((*SWEEP, "lr=0.1", "--seeds", ""), ("seeds",)),
    "sweep of no preset": (("sweep", "nav_model", "--preset", "nope", "--dry-run", "lr=0.1"), ("nope",)),
    "upkeep of no age": (("upkeep", "--older-than", "soon"), ("older-than",)),
    "upkeep of a negative age": (("upkeep", "--older-than", "-1d"), ("older-than",)),
    "upkeep that keeps -1": (("upkeep", "--keep", "-1"), ("keep",)),
    "export of no height": (
        ("nav", "export", "--checkpoint", "{world}/nav", "--out", "a.onnx", "--height", "8"),
        ("--width",),
    ),
    "export to no format": (("nav", "export", "--checkpoint", "{world}/nav", "--out", "a.txt"), ("onnx",)),
    "export with 0 steps": (
        ("nav", "export", "--checkpoint", "{world}/nav", "--out", "a.onnx", "--steps", "0"),
        ("steps",),
    ),
}
ODD_PATHS = {
    "empty": "",
    "the current folder": ".",
    "the parent": "..",
    "the root": "/",
    "below a file": "notes.txt/out",
    "a file": "notes.txt",
    "below a device": "/proc/out",
    "a name too long": "x" * 300,
    "a name with a zero byte": "a\0b",
    "a loop of links": "loop/out",
    "a folder of somebody's": "mine",
    "a folder with a manifest of somebody's": "web",
    "a folder with an empty manifest": "blank",
    "a page of somebody's": "page",
}


def cases() -> Iterator[Case]:
    for name, (command, mentions) in PLAIN.items():
        yield Case(f"command/{name}", command, mentions=mentions)
    nowhere = ("clevr", "inspect", "--archive-url", "http://127.0.0.1:1/x.zip")
    yield Case("command/inspect at no address", nowhere, mentions=("127.0.0.1",), status=1)
    for maker, command in MAKERS.items():
        for name, path in ODD_PATHS.items():
            yield Case(f"out/{maker} to {name}", (*command, "--out", path), folders)
    for name in ("mine", "web", "page"):
        yield Case(
            f"out/render into {name}", ("clevr", "render", "--num-scenes", "1", "--out", f"{name}/notes.txt"), folders
        )


def folders(place: Place) -> None:
    """Folders and files that are somebody's own."""
    place.write("notes.txt", "mine")
    place.write("mine/notes.txt", "mine")
    place.write("mine/deep/er/notes.txt", "mine")
    place.write("web/manifest.json", "{}\n")
    place.write("web/notes.txt", "years of work")
    place.write("blank/manifest.json", "")
    place.write("page/manifest.json", '{"name": "My page", "icons": [], "start_url": "/"}')
    place.write("page/notes.txt", "<html>")
    (place.path / "loop").symlink_to("loop")
