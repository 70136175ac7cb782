"""The artifact `supplement`: how everything was made, what it cost, proofs, and what did not work, as one PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.config import as_yaml
from nsmodels.core.sealed.inputs import input_folder
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.paper import recipes, spending
from nsmodels.paper.contents import SUPPLEMENT
from nsmodels.paper.inputs import MAKER, Inputs, manifests, read_inputs, recipe
from nsmodels.paper.supplement import examples, findings
from nsmodels.paper.supplement.pages import Pages
from nsmodels.paper.versions import SUPPLEMENT_VERSION

NAME = "supplement.pdf"
NOT_MEASURED = "not measured"
WORK = {  # that is not in what is sealed, with its title
    "replaced": "Replaced since",
    "left": "Begun and left",
    "running": "Running now on this machine, with what earlier sittings took",
}
ABOUT = (
    "Everything on these pages is read from the manifests, reports and ledger of sealed artifacts. Seconds are those "
    "of the processor (CPU-s) unless wall time is named. Energy is that of the counters of the machine during a "
    "training, of all that ran on the device then; without counters it is not measured, and nothing is put in its "
    "place."
)


def make_supplement(root: Path, folder: Path, is_forced: bool = False, is_strict: bool = False) -> Manifest:
    """Seal the supplement of all that lies sealed under a data root; an equal artifact is kept.

    Raises `InputError` as `read_inputs` does.
    """
    inputs = read_inputs(root, is_strict)
    known = with_data(inputs)
    work = {"replaced": spending.replaced(root), "left": list(spending.abandoned(root))}
    work["running"] = list(spending.abandoned(root, is_running=True))
    config = recipe(inputs) | {name: dict(places) for name, places in work.items()}

    def fill(part: Part) -> None:
        with Pages(part.path / NAME, "Supplement") as pages:
            _overview(pages, inputs, known)
            _configurations(pages, known)
            _spent(pages, known, work)
            _findings(pages, inputs)
            _proofs(pages, inputs, known)
        part.metrics |= totals(known)

    about: Any = {"key": SUPPLEMENT, "maker": MAKER, "kind": SUPPLEMENT, "code_version": SUPPLEMENT_VERSION}
    about |= {"is_resumable": False}
    return artifact.made(folder, is_forced, fill, config=config, inputs=dict(inputs.folders), **about)


def with_data(inputs: Inputs) -> dict[str, Manifest]:
    """Manifests of everything that was read, after those of the data that it was made from, by key."""
    own = manifests(inputs)
    data: dict[str, Manifest] = {}
    for manifest in own.values():
        for key, record in manifest.datasets.items():
            found = manifest_of(input_folder(key, record))
            if found and found.fingerprint == record.fingerprint and found.key not in own:
                data[found.key] = found
    return dict(sorted(data.items())) | own


def totals(known: Mapping[str, Manifest]) -> dict[str, Any]:
    """Figures for the manifest: what everything that was read cost."""
    spent = spending.of_builds(known.values())
    energy = [each.joules for each in spent if each.joules is not None]
    found = {"cpu_seconds": sum(s.cpu_seconds for s in spent), "wall_seconds": sum(s.wall_seconds for s in spent)}
    measured = {"joules": sum(energy), "joules_of": _measured(spent)} if energy else {}
    return found | {"num_artifacts": len(known)} | measured


# --- sections --------------------------------------------------------------------------------------------------------


def _overview(pages: Pages, inputs: Inputs, known: Mapping[str, Manifest]) -> None:
    pages.head("Supplement")
    pages.text(ABOUT)
    pages.head("Code, libraries, hardware")
    for title, values in {
        "commit": [manifest.commit for manifest in known.values()],
        "libraries": [", ".join(f"{n} {v}" for n, v in manifest.versions.items()) for manifest in known.values()],
        "machine": [manifest.machine for manifest in known.values()],
        "device": [device for m in known.values() for device in spending.spent(m).devices],
        "preset": [recipes.preset_of(manifest).label for manifest in known.values()],
        "source of the data": [manifest.source for manifest in known.values()],
    }.items():
        pages.lines(f"{title}: {value} ({values.count(value)} times)" for value in dict.fromkeys(values) if value)
    pages.head("Left out")
    pages.lines(inputs.left_out.values() if inputs.left_out else ["nothing"])


def _configurations(pages: Pages, known: Mapping[str, Manifest]) -> None:
    pages.head("Commands")
    pages.text(
        "Each command makes one artifact again, with `git checkout COMMIT` before it; equal ones are kept. "
        "COMMIT+changes: files differed from that commit."
    )
    for key, manifest in known.items():
        pages.lines([f"{key}  (commit {manifest.commit}, {_seed(manifest)}fingerprint {manifest.fingerprint})"])
        with_model = f"made with {key.rpartition('/')[0]}/{recipes.MODEL}"
        pages.lines([f"    {with_model if recipes.is_made_with_model(manifest) else recipes.command(manifest)}"])
    pages.head("Configurations")
    pages.text("Resolved, each once; below it the artifacts that have it but for their seed.")
    for text, keys in _grouped(known).items():
        first = known[keys[0]]
        pages.lines([f"{', '.join(keys)}: {first.maker}", recipes.preset_of(first).text(len(keys) > 1), ""])
        pages.lines([*(f"    {line}" for line in text.splitlines()), ""])


def _seed(manifest: Manifest) -> str:
    return "" if manifest.seed is None else f"seed {manifest.seed}, "


def _grouped(known: Mapping[str, Manifest]) -> dict[str, list[str]]:
    """Keys of the artifacts of each configuration, seeds apart, by its text."""
    found: dict[str, list[str]] = {}
    for key, manifest in known.items():
        text = as_yaml(_without_seed(manifest.config))
        found.setdefault(f"# {manifest.maker} {manifest.kind}\n{text}", []).append(key)
    return found


def _without_seed(config: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in config.items() if name != "seed"}
    return {name: _without_seed(value) if isinstance(value, dict) else value for name, value in plain.items()}


def _spent(pages: Pages, known: Mapping[str, Manifest], work: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    pages.head("Compute and energy")
    spent = spending.of_builds(known.values())
    pages.table(["artifact", "CPU-s", "wall, s", "energy, J", "device"], [*map(_line, spent), _total(spent)])
    pages.lines(f"energy of {each.key}: {', then '.join(each.energy_of)}" for each in spent if each.energy_of)
    for name, places in work.items():
        pages.head(WORK[name])
        if places:
            total = ("all of it", sum(seconds for _, seconds in places))
            pages.table(["", "CPU-s"], [[place, f"{seconds:,.1f}"] for place, seconds in (*places, total)])
        else:
            pages.text("Nothing is recorded.")


def _line(spent: spending.Spending) -> list[str]:
    is_trained = bool(spent.devices)
    energy = f"{spent.joules:,.0f}" if spent.joules is not None else NOT_MEASURED if is_trained else "-"
    return [
        spent.key,
        f"{spent.cpu_seconds:,.1f}",
        f"{spent.wall_seconds:,.1f}",
        energy,
        ", ".join(spent.devices) or "-",
    ]


def _total(spent: Sequence[spending.Spending]) -> list[str]:
    cpu, wall = sum(each.cpu_seconds for each in spent), sum(each.wall_seconds for each in spent)
    energy = [each.joules for each in spent if each.joules is not None]
    text = f"{sum(energy):,.0f}" if energy else NOT_MEASURED
    return ["all of it", f"{cpu:,.1f}", f"{wall:,.1f}", text, _measured(spent)]


def _measured(spent: Sequence[spending.Spending]) -> str:
    """Of how many trainings the energy was measured."""
    trained = [each for each in spent if each.devices]
    return f"energy of {sum(each.joules is not None for each in trained)} of {len(trained)}"


def _findings(pages: Pages, inputs: Inputs) -> None:
    pages.head("Negative results")
    studies = {key: parts for key, (parts, _) in inputs.studies.items()}
    for title, lines in {
        "Parts whose gain is not shown": findings.parts_without_gain(studies),
        "Metrics by which something beside the model is as good or better": findings.unbeaten(inputs.results),
    }.items():
        pages.lines([f"{title}:", *(list(_indented(lines)) or ["    none"]), ""])


def _indented(lines: Iterator[str]) -> Iterator[str]:
    yield from (f"    {line}" for line in lines)


def _proofs(pages: Pages, inputs: Inputs, known: Mapping[str, Manifest]) -> None:
    pages.head("Proofs")
    pages.text(
        f"Of the first seed of each training whose evaluation holds proofs: at most {examples.NUM_DRAWN} of right and "
        f"of wrong answers each, drawn by Python's random.Random({examples.SEED}) and not chosen."
    )
    seen: set[str] = set()
    for key, folder in inputs.folders.items():
        training = key.partition("/")[0]
        drawn = examples.draw(folder, known[key]) if training not in seen and key in known else None
        if drawn:
            seen.add(training)
            sealed = ", ".join(f"{kind.replace('_', ' ') or 'any'} {num}" for kind, num in drawn.num_sealed.items())
            pages.head(f"{key} (sealed there: {sealed})")
            for kind, files in drawn.files.items():
                for file in files:
                    text = file.read_text(encoding="utf-8").splitlines()
                    pages.lines([f"{kind.replace('_', ' ').upper()}  {file.name}", *text, ""])
    if not seen:
        pages.text("No evaluation that was read holds proofs.")
