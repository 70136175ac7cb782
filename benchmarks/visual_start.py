"""CPU-seconds of one question about one image, start of the process included: exported model beside torch.

Both answer in processes of their own, alternately, so that other programs slow down both; the least of several counts.

    OMP_NUM_THREADS=1 python -m benchmarks.visual_start --checkpoint FOLDER --image FILE [--rounds 5]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

QUESTION = "How many cubes are there?"
ASK = """
import sys
from pathlib import Path
from nsmodels.systems.visual import SYSTEM
print(SYSTEM.load(Path(sys.argv[1]), "cpu").answer(Path(sys.argv[2]), sys.argv[3]).text())
"""


def cpu_seconds(words: list[str]) -> float:
    """User and system time of a Python process with these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder made by train")
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "exported"
        words = ["-m", "nsmodels", "visual", "export", "--checkpoint", str(arguments.checkpoint)]
        print(f"export: {cpu_seconds([*words, '--out', str(exported)]):.1f} CPU-seconds")
        models = {"exported": exported, "torch and timm": arguments.checkpoint}
        spent: dict[str, list[float]] = {name: [] for name in models}
        for _ in range(arguments.rounds):
            for name, model in models.items():
                spent[name].append(cpu_seconds(["-c", ASK, str(model), str(arguments.image), QUESTION]))
    for name, seconds in spent.items():
        print(f"{name:<16}{min(seconds):>6.2f} CPU-seconds")


if __name__ == "__main__":
    main()
