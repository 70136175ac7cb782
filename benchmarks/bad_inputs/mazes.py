"""Files of maps and scenarios: MovingAI, Maze-Hard, folders of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.bad_inputs.case import Case, Place

READ = ("mazes", "generate", "--preset", "debug", "--source", "local", "--local-path", "in", "--out", "out")
VERIFY = ("mazes", "verify", "--map", "in/a.map", "--scen", "in/a.map.scen")
PLAN = ("nav", "plan", "--checkpoint", "{world}/nav", "--map", "in/a.map", "--start", "0,0", "--goal", "2,2")
OPEN = "type octile\nheight 3\nwidth 3\nmap\n...\n...\n...\n"
WALL = "type octile\nheight 3\nwidth 3\nmap\n.@.\n...\n...\n"
SCEN = "version 1\n0\ta.map\t3\t3\t0\t0\t2\t0\t2\n"
MAZE, PATH = "S   ##      #  G", "Soo ##o   oo#  G"

MAPS: dict[str, str | bytes] = {
    "empty": "",
    "no header": "...\n...\n",
    "a row is missing": OPEN[:-4],
    "a row too many": OPEN + "...\n",
    "a short row": OPEN.replace("...\n...\n...", "...\n..\n..."),
    "a long row": OPEN.replace("...\n...\n...", "...\n....\n..."),
    "unknown terrain": OPEN.replace("...\n...\n...", "...\n.x.\n..."),
    "height 0": OPEN.replace("height 3", "height 0"),
    "height negative": OPEN.replace("height 3", "height -3"),
    "height a word": OPEN.replace("height 3", "height three"),
    "height enormous": OPEN.replace("height 3", "height 99999999999"),
    "no width": OPEN.replace("width 3\n", ""),
    "no map line": OPEN.replace("map\n", ""),
    "binary": bytes(range(256)),
    "utf-16": OPEN.encode("utf-16"),
    "nul bytes": OPEN.replace(".", "\0"),
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(64),
}
SCENARIOS: dict[str, str | bytes] = {
    "empty": "",
    "only a version": "version 1\n",
    "a word for a number": SCEN.replace("\t3\t3\t", "\tthree\t3\t"),
    "columns are missing": "version 1\n0\ta.map\t3\t3\t0\t0\n",
    "length a word": SCEN[:-2] + "far\n",
    "length nan": SCEN[:-2] + "nan\n",
    "length negative": SCEN[:-2] + "-2\n",
    "length infinite": SCEN[:-2] + "inf\n",
    "all outside": SCEN.replace("0\t0\t2\t0", "9\t9\t2\t0"),
    "all negative": SCEN.replace("0\t0\t2\t0", "-1\t0\t2\t0"),
    "binary": bytes(range(256)),
    "another size": SCEN.replace("3\t3", "30\t30"),
}
CSV: dict[str, str | bytes] = {
    "empty": "",
    "only a header": "source,question,answer,rating\n",
    "no question": f"source,answer,rating\nm,{PATH},1\n",
    "not square": f"source,question,answer,rating\nm,{MAZE}   ,{PATH}   ,1\n",
    "unknown cell": f"source,question,answer,rating\nm,{MAZE.replace('#', 'x')},{PATH},1\n",
    "no start": f"source,question,answer,rating\nm,{MAZE.replace('S', ' ')},{PATH},1\n",
    "two goals": f"source,question,answer,rating\nm,{MAZE.replace('S   ', 'S  G')},{PATH},1\n",
    "a path through a wall": f"source,question,answer,rating\nm,{MAZE},So  oo  oo  #ooG,1\n",
    "answer of another size": f"source,question,answer,rating\nm,{MAZE},Soo,1\n",
    "binary": bytes(range(256)),
    "a quote is not closed": f'source,question,answer,rating\nm,"{MAZE},{PATH},1\n',
    "no columns": f"source,question,answer,rating\n{MAZE}\n",
}
GOOD: dict[str, dict[str, str]] = {
    "lengths with two decimals": {
        "a.map": OPEN,
        "a.map.scen": "version 1.0\n0 a.map 3 3 0 0 2 2 2.83\n0 a.map 3 3 0 0 2 0 2.00\n",
    },
    "scenario of another name": {"a.map": OPEN, "a.map-1.scen": SCEN},
    "one problem of two in a wall": {
        "a.map": WALL,
        "a.map.scen": "version 1\n0\ta.map\t3\t3\t0\t0\t0\t2\t2\n0\ta.map\t3\t3\t1\t0\t0\t2\t2\n",
    },
    "windows line ends": {"a.map": OPEN.replace("\n", "\r\n"), "a.map.scen": SCEN.replace("\n", "\r\n")},
    "a byte-order mark": {"a.map": "\ufeff" + OPEN, "a.map.scen": "\ufeff" + SCEN},
    "no scenario": {"a.map": OPEN},
}


def cases() -> Iterator[Case]:
    for name, text in MAPS.items():
        yield Case(f"map/{name}", READ, files({"a.map": text, "a.map.scen": SCEN}), ("a.map",))
        yield Case(f"map/plan on {name}", PLAN, files({"a.map": text}), ("a.map",))
        yield Case(f"map/verify on {name}", VERIFY, files({"a.map": text, "a.map.scen": SCEN}), ("a.map",))
    for name, text in SCENARIOS.items():
        yield Case(f"scenario/{name}", READ, files({"a.map": OPEN, "a.map.scen": text}), ("a.map.scen",))
        yield Case(f"scenario/verify {name}", VERIFY, files({"a.map": OPEN, "a.map.scen": text}), ("a.map.scen",))
    for name, text in CSV.items():
        yield Case(f"csv/{name}", READ, files({"train.csv": text, "test.csv": text}), (".csv",))
    for name, content in GOOD.items():
        yield Case(f"good maps/{name}", READ, files(content), is_good=True)
    yield Case("map/empty folder", READ, lambda place: (place.path / "in").mkdir(), ("in",))
    yield Case("map/missing folder", READ, mentions=("in",))
    yield Case("map/only a scenario", READ, files({"a.map.scen": SCEN}), ("in",))
    yield Case("map/other files", READ, files({"a.txt": OPEN}), ("in",))
    yield Case("map/too small", READ, files({"a.map": "type octile\nheight 0\nwidth 0\nmap\n"}), ("a.map",))
    blocked = OPEN.replace("...\n...\n...", "@@@\n@@@\n@@@")
    yield Case("map/only walls", READ, files({"a.map": blocked}), ("a.map",))
    for name, command in places().items():
        yield Case(f"plan/{name}", command, files({"a.map": WALL}), ("--" if "," not in name else "",))


def places() -> dict[str, tuple[str, ...]]:
    """Plans between places that are none."""
    head = (*PLAN[:6], "--start")
    starts = ("9,9", "0,1", "-1,0", "a,b", "1", "1,2,3", "", "0.5,1", "1e2,0", "99999999999999999999,0")
    return {f"start {start!r}": (*head, start, "--goal", "2,2") for start in starts} | {
        f"goal {goal!r}": (*head, "0,0", "--goal", goal) for goal in ("0,1", "3,3", "x")
    }


def files(content: dict[str, str] | dict[str, str | bytes]) -> Callable[[Place], object]:
    def setup(place: Place) -> None:
        for name, text in content.items():
            place.write(f"in/{name}", text)

    return setup
