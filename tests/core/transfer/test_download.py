import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.disk import sha256_of
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.download import Unreachable, download, probe
from tests.core.server import FileServer, Traps, free_port

CONTENT = np.random.default_rng(0).bytes(1_000_000)
FAST = {"backoff": 0.0, "progress": False, "timeout": 5.0}


@pytest.fixture
def server():
    with FileServer({"/file.bin": CONTENT, "/empty.bin": b""}) as server:
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "file.bin"


def leftovers(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_a_file_arrives_whole_and_nothing_else_stays(server: FileServer, target: Path) -> None:
    done = download(server.url(), target, size=len(CONTENT), **FAST)
    assert target.read_bytes() == CONTENT
    assert leftovers(target) == []
    assert (done.size, done.bytes, done.requests, done.sha256) == (1_000_000, 1_000_000, 1, sha256_of(target))


def test_a_file_that_is_there_is_checked_and_not_fetched(server: FileServer, target: Path) -> None:
    first = download(server.url(), target, **FAST)
    server.forget()
    again = download(server.url(), target, size=len(CONTENT), sha256=first.sha256, **FAST)
    assert (again.bytes, again.requests, server.requests) == (0, 0, [])
    with pytest.raises(InputError, match=r"is not the expected one \(sha256 .* move it away"):
        download(server.url(), target, sha256="0" * 64, **FAST)


def test_broken_connections_are_resumed_without_reading_a_byte_twice(server: FileServer, target: Path) -> None:
    server.traps = Traps(cut_after=300_000, cuts=3)
    done = download(server.url(), target, attempts=2, **FAST)
    assert target.read_bytes() == CONTENT
    assert done.requests == 4
    # bytes in the client's buffer when the connection broke are requested again
    assert len(CONTENT) <= server.bytes <= len(CONTENT) + 3 * 65_536
    assert server.requests[1][1] is not None
    assert server.requests[1][1].startswith("bytes=")


def test_a_later_call_continues_what_an_earlier_one_began(server: FileServer, target: Path) -> None:
    server.traps = Traps(cut_after=400_000, cuts=1)
    with pytest.raises(InputError, match=r"stopped at \d+\.\d kB after 1 attempts .* run again to resume"):
        download(server.url(), target, attempts=1, **FAST)
    assert not target.exists()
    assert leftovers(target) == ["file.bin.partial", "file.bin.partial.json"]
    done = download(server.url(), target, **FAST)
    assert target.read_bytes() == CONTENT
    assert done.bytes < 700_000


def test_a_changed_etag_starts_again(server: FileServer, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.traps = Traps(cut_after=400_000, cuts=1, etag='"one"')
    with pytest.raises(InputError, match="stopped at"):
        download(server.url(), target, attempts=1, **FAST)
    other = CONTENT[::-1]
    server.files["/file.bin"], server.traps = other, Traps(etag='"two"')
    download(server.url(), target, **FAST)
    assert target.read_bytes() == other
    assert "the file has changed on the server; restarting from zero" in caplog.text


def test_without_range_support_it_restarts_with_a_warning(
    server: FileServer, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.traps = Traps(cut_after=400_000, cuts=1, ranges=False)
    download(server.url(), target, **FAST)
    assert target.read_bytes() == CONTENT
    assert "the server has no range support and sends the whole file; restarting from zero" in caplog.text


def test_without_range_support_endless_cuts_end(server: FileServer, target: Path) -> None:
    server.traps = Traps(cut_after=400_000, ranges=False)
    with pytest.raises(InputError, match="after 3 attempts without progress"):
        download(server.url(), target, attempts=3, **FAST)
    assert not target.exists()


def test_416_with_everything_there_finishes_the_file(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    remote = probe(server.url())
    Path(f"{target}.partial").write_bytes(CONTENT)
    # a run that was killed before the size was known
    Path(f"{target}.partial.json").write_text(json.dumps({"url": server.url(), "etag": remote.etag, "size": None}))
    assert download(server.url(), target, **FAST).bytes == 0
    assert target.read_bytes() == CONTENT


def test_416_with_a_longer_partial_starts_again(
    server: FileServer, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target.parent.mkdir()
    Path(f"{target}.partial").write_bytes(CONTENT + b"more")
    known = {"url": server.url(), "etag": probe(server.url()).etag, "size": None}
    Path(f"{target}.partial.json").write_text(json.dumps(known))
    download(server.url(), target, **FAST)
    assert target.read_bytes() == CONTENT
    assert "does not match the server's (416); restarting" in caplog.text


def test_a_range_that_begins_elsewhere_is_never_appended(server: FileServer, target: Path) -> None:
    server.traps = Traps(cut_after=400_000, cuts=1, shift=1_000)
    with pytest.raises(InputError, match="the response does not start where the partial file ends"):
        download(server.url(), target, attempts=3, **FAST)
    server.traps = Traps()
    download(server.url(), target, **FAST)
    assert target.read_bytes() == CONTENT


def test_a_server_that_refuses_every_range_ends_with_the_whole_file(server: FileServer, target: Path) -> None:
    server.traps = Traps(cut_after=400_000, cuts=1, refuse_ranges=True)
    download(server.url(), target, **FAST)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("traps", "message"),
    [
        (Traps(page=404), "answered 404 Not Found instead of the file; check the configured URL"),
        (Traps(page=403), "answered 403 Forbidden"),
        (Traps(page=200), "sent a web page \\(text/html\\) instead of the file"),
        (Traps(page=200, page_type="application/zip"), "sent a web page instead of the file; check the URL"),
    ],
)
def test_a_page_is_never_saved_as_the_file(server: FileServer, target: Path, traps: Traps, message: str) -> None:
    server.traps = traps
    with pytest.raises(InputError, match=message) as caught:
        download(server.url(), target, **FAST)
    assert not isinstance(caught.value, Unreachable)
    assert server.url() in str(caught.value)
    assert not target.exists()
    assert len(server.requests) == 1  # a permanent failure is not retried
    partial = Path(f"{target}.partial")
    assert not partial.exists() or partial.stat().st_size == 0


def test_wrong_size_is_refused_before_a_byte_is_read(server: FileServer, target: Path) -> None:
    with pytest.raises(InputError, match="has 1000000 bytes, expected 5; it is a different file"):
        download(server.url(), target, size=5, **FAST)
    assert not target.exists()


def test_a_short_stray_answer_does_not_cost_what_is_there(server: FileServer, target: Path) -> None:
    server.traps = Traps(cut_after=400_000, cuts=1)
    with pytest.raises(InputError, match="stopped at"):
        download(server.url(), target, size=len(CONTENT), attempts=1, **FAST)
    partial = Path(f"{target}.partial")
    kept = partial.stat().st_size
    assert kept > 0
    server.traps = Traps(ranges=False)
    whole, server.files["/file.bin"] = server.files["/file.bin"], b"maintenance, come back later"
    with pytest.raises(InputError, match=f"has 28 bytes, expected {len(CONTENT)}; it is a different file"):
        download(server.url(), target, size=len(CONTENT), **FAST)
    assert partial.stat().st_size == kept
    server.traps, server.files["/file.bin"] = Traps(), whole
    assert download(server.url(), target, size=len(CONTENT), **FAST).bytes == len(CONTENT) - kept
    assert target.read_bytes() == CONTENT


def test_wrong_checksum_drops_the_file(server: FileServer, target: Path) -> None:
    with pytest.raises(InputError, match=r"wrong content: sha256 [0-9a-f]{64}, expected 0000"):
        download(server.url(), target, sha256="0" * 64, **FAST)
    assert not target.exists()
    assert Path(f"{target}.partial").stat().st_size == 0


def test_a_body_shorter_than_announced_is_truncated_not_whole(server: FileServer, target: Path) -> None:
    server.traps = Traps(claimed_size=1_500_000, ranges=False)
    with pytest.raises(InputError, match=r"stopped at .* after 2 attempts"):
        download(server.url(), target, attempts=2, **FAST)
    assert not target.exists()


def test_more_than_the_free_space_is_refused_at_once(server: FileServer, target: Path) -> None:
    server.traps = Traps(claimed_size=10**16)
    with pytest.raises(InputError, match=r"not enough disk space for file.bin: 10000.0 TB are still needed and .*"):
        download(server.url(), target, **FAST)
    assert server.bytes < 10**6 + 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_reported_in_one_line(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    Path(f"{target}.partial").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"file.bin.partial: no space left on the disk; free some, or .* run again"):
        download(server.url(), target, **FAST)
    assert not target.exists()


def test_temporary_failures_are_retried(server: FileServer, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.traps = Traps(statuses=[503, 429, 500])
    assert download(server.url(), target, **FAST).requests == 4
    assert "the server answered 503 Service Unavailable; retrying" in caplog.text


def test_a_silent_server_is_left_and_resumed(server: FileServer, target: Path) -> None:
    server.traps = Traps(seconds_per_piece=1.0)
    with pytest.raises(InputError, match="the server stopped sending"):
        download(server.url(), target, attempts=2, backoff=0.0, progress=False, timeout=0.2)


def test_a_host_that_does_not_answer_is_unreachable(target: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/file.bin"
    with pytest.raises(Unreachable, match=f"{url}: not reachable after 2 attempts \\(connection refused\\)"):
        download(url, target, attempts=2, **FAST)
    with pytest.raises(Unreachable, match="configure a mirror or a local copy"):
        probe(url, attempts=1)
    with pytest.raises(InputError, match="not a usable URL"):
        probe("no-such-scheme://x", attempts=1)


def test_a_server_out_of_order_is_unreachable(server: FileServer, target: Path) -> None:
    server.traps = Traps(statuses=[503] * 9)
    with pytest.raises(Unreachable, match=r"after 2 attempts .the server answered 503"):
        download(server.url(), target, attempts=2, **FAST)


def test_mirrors_are_tried_in_order(server: FileServer, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    dead = f"http://127.0.0.1:{free_port()}/file.bin"
    done = download([dead, server.url("/gone.bin"), server.url()], target, attempts=1, **FAST)
    assert done.url == server.url()
    assert target.read_bytes() == CONTENT
    assert caplog.text.count("trying the next mirror") == 2


def test_when_every_mirror_fails_all_reasons_are_reported(server: FileServer, target: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}/file.bin"
    with pytest.raises(InputError, match=r"no mirror delivered: .*connection refused.*404") as caught:
        download([dead, server.url("/gone.bin")], target, attempts=1, **FAST)
    assert not isinstance(caught.value, Unreachable)
    with pytest.raises(Unreachable):
        download([dead, dead], target, attempts=1, **FAST)
    with pytest.raises(InputError, match="no URL configured"):
        download([], target)


def test_another_mirror_continues_only_under_a_checksum(server: FileServer, target: Path) -> None:
    server.files["/copy.bin"] = CONTENT
    server.traps = Traps(cut_after=500_000, cuts=1)
    with pytest.raises(InputError, match="stopped at"):
        download(server.url(), target, attempts=1, **FAST)
    kept = Path(f"{target}.partial").read_bytes()
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert download(server.url("/copy.bin"), target, sha256=digest, **FAST).bytes == len(CONTENT) - len(kept)
    target.rename(f"{target}.partial")
    Path(f"{target}.partial.json").write_text(json.dumps({"url": "elsewhere", "etag": '"x"', "size": 5}))
    assert download(server.url("/copy.bin"), target, **FAST).bytes == len(CONTENT)


def test_an_empty_file_is_a_file(server: FileServer, target: Path) -> None:
    assert download(server.url("/empty.bin"), target, **FAST).size == 0
    assert target.read_bytes() == b""
    assert probe(server.url("/empty.bin")).size == 0


def test_probe_requests_one_byte(server: FileServer) -> None:
    remote = probe(server.url())
    assert (remote.size, remote.accepts_ranges) == (1_000_000, True)
    assert remote.etag
    assert server.requests == [("/file.bin", "bytes=0-0")]
    server.traps = Traps(ranges=False)
    assert probe(server.url()).accepts_ranges is False


def test_two_processes_do_not_write_into_one_partial(server: FileServer, target: Path) -> None:
    target.parent.mkdir()
    with Path(f"{target}.partial").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process is downloading this file"):
            download(server.url(), target, **FAST)


def test_a_file_finished_by_another_process_while_waiting_for_the_lock_is_left_alone(
    server: FileServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish_first(file, operation: int) -> None:
        Path(f"{target}.partial").replace(target)

    monkeypatch.setattr(fcntl, "flock", finish_first)
    target.parent.mkdir()
    Path(f"{target}.partial").write_bytes(CONTENT)
    with pytest.raises(InputError, match=r"file.bin.partial: another process has just finished this file; run again"):
        download(server.url(), target, **FAST)
    assert target.read_bytes() == CONTENT


def test_off_a_terminal_progress_is_plain_lines(
    server: FileServer, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    download(server.url(), target)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("file.bin: 1.0 MB of 1.0 MB (100%), ")


def test_a_killed_download_is_continued(server: FileServer, target: Path) -> None:
    server.traps = Traps(seconds_per_piece=0.05)
    code = "import sys; from pathlib import Path; from nsmodels.core.transfer.download import download\n"
    code += "download(sys.argv[1], Path(sys.argv[2]), progress=False)"
    child = subprocess.Popen([sys.executable, "-c", code, server.url(), str(target)])
    partial = Path(f"{target}.partial")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size > 200_000):
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    kept = partial.stat().st_size
    assert 200_000 < kept < len(CONTENT)
    assert not target.exists()
    server.traps = Traps()
    assert download(server.url(), target, **FAST).bytes == len(CONTENT) - kept
    assert target.read_bytes() == CONTENT
