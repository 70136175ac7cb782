"""Bytes and requests to get 500 of 3,000 images out of a zip on a server, beside downloading it whole.

A server on 127.0.0.1 serves a synthetic archive in CLEVR's layout (3,000 members of 100 kB, stored): once in the
order of the names, once shuffled, as a release packed in directory order would be. The killed run is a process
ended with SIGKILL half way and started again. `--annotations N` also cuts a synthetic questions file of N records.

    python benchmarks/mini_fetch.py [--annotations 700000]
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from nsmodels.core.transfer.archive import RemoteZip
from nsmodels.core.transfer.download import download
from nsmodels.formats.scenes.records import cut_records
from tests.core.server import FileServer

NUM, WANTED, SIZE = 3_000, 500, 100_000
NAMES = [f"CLEVR_v1.0/images/train/CLEVR_train_{i:06d}.png" for i in range(NUM)]
CHILD = """
import sys
from pathlib import Path
from nsmodels.core.transfer.archive import RemoteZip
RemoteZip(sys.argv[1]).fetch_members(sys.argv[3:], Path(sys.argv[2]), progress=False)
"""


def write_archive(path: Path, names: list[str]) -> None:
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, rng.bytes(SIZE))


def measured(server: FileServer, work: Callable[[], object]) -> tuple[int, int, float]:
    server.forget()
    start = time.perf_counter()
    work()
    return server.bytes, len(server.requests), time.perf_counter() - start


def killed_and_resumed(url: str, out: Path) -> int:
    """Kill the fetch when half the members are there, then run it again; the number that were there."""
    command = [sys.executable, "-c", CHILD, url, str(out), *NAMES[:WANTED]]
    child = subprocess.Popen(command)
    while child.poll() is None and sum(1 for _ in out.rglob("*.png")) < WANTED // 2:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    there = sum(1 for _ in out.rglob("*.png"))
    RemoteZip(url).fetch_members(NAMES[:WANTED], out, progress=False)
    return there


def compare(folder: Path) -> None:
    shuffled = [NAMES[i] for i in np.random.default_rng(1).permutation(NUM)]
    write_archive(folder / "ordered.zip", NAMES)
    write_archive(folder / "shuffled.zip", shuffled)
    files = {f"/{name}.zip": folder / f"{name}.zip" for name in ("ordered", "shuffled")}
    total = (folder / "ordered.zip").stat().st_size
    with FileServer(files) as server:
        server.traps.seconds_per_piece = 0.0005  # a line of about 100 MB/s, so that the kill meets work under way
        ordered, scattered = server.url("/ordered.zip"), server.url("/shuffled.zip")

        def fetch(url: str, out: str) -> None:
            RemoteZip(url).fetch_members(NAMES[:WANTED], folder / out, progress=False)

        print(f"archive {total / 1e6:.1f} MB, wanted {WANTED * SIZE / 1e6:.1f} MB in {WANTED} of {NUM} members\n")
        print("| how | MB sent by the server | of the file | of what is wanted | requests | s |")
        print("| --- | --- | --- | --- | --- | --- |")
        row("whole file", total, measured(server, lambda: download(ordered, folder / "whole.zip", progress=False)))
        row("members, in order", total, measured(server, lambda: fetch(ordered, "a")))
        row("members, shuffled archive", total, measured(server, lambda: fetch(scattered, "b")))
        row("members, again (all there)", total, measured(server, lambda: fetch(ordered, "a")))
        there: list[int] = []
        used = measured(server, lambda: there.append(killed_and_resumed(ordered, folder / "c")))
        row(f"members, killed at {there[0]}, resumed", total, used)


def row(name: str, total: int, used: tuple[int, int, float]) -> None:
    num_bytes, requests, seconds = used
    shares = f"{num_bytes / total:.1%} | {num_bytes / (WANTED * SIZE):.1%}"
    print(f"| {name} | {num_bytes / 1e6:.1f} | {shares} | {requests} | {seconds:.2f} |")


def cut(folder: Path, num: int) -> None:
    """Cut the first seventh of a questions file as long as the release's."""
    step = {"inputs": [0], "function": "filter_color", "value_inputs": ["red"]}
    question = {"program": [step] * 12, "question": "Is it? " * 12, "answer": "yes", "split": "train"}
    source, target = folder / "questions.json", folder / "cut.json"
    with source.open("w") as file:
        file.write('{"info": {}, "questions": [')
        for i in range(num):
            file.write((", " if i else "") + json.dumps({"image_index": i // 10, **question}))
        file.write("]}")
    start = time.perf_counter()
    with source.open() as file, target.open("w") as copy:
        kept, _ = cut_records(file, copy, "questions", lambda item: item["image_index"] < num // 70, source.name)
    seconds = time.perf_counter() - start
    size, peak = source.stat().st_size / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"\ncut {kept} of {num} questions ({size:.0f} MB) in {seconds:.1f} s, peak memory of the process {peak:.0f} MB"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bytes and requests of a mini fetch")
    parser.add_argument("--annotations", type=int, default=0, help="also cut a questions file of so many records")
    given = parser.parse_args()
    work_folder = Path(tempfile.mkdtemp())
    try:
        compare(work_folder)
        if given.annotations:
            cut(work_folder, given.annotations)
    finally:
        shutil.rmtree(work_folder)
