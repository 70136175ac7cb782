import zipfile
from pathlib import Path

import pytest

from nsmodels.core.disk import sha256_of
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.remote import Unreachable
from nsmodels.core.transfer.wheels import fetch, members

NAME, VERSION = "nsmodels-test-files", "1.0"
FILES = {"files/b.txt": b"two", "files/a.txt": b"one", "other.txt": b"three"}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel in a folder that pip looks into, without any index, and an empty data root."""
    path = tmp_path / "wheels" / f"{NAME.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    path.parent.mkdir()
    about = f"{NAME.replace('-', '_')}-{VERSION}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def test_a_wheel_is_fetched_once_and_its_files_are_read(wheel: Path, tmp_path: Path) -> None:
    found = fetch(NAME, VERSION, sha256_of(wheel))
    assert found.is_relative_to(tmp_path / "data" / ".cache" / "wheels")
    assert members(found, "files/*.txt") == {"files/a.txt": b"one", "files/b.txt": b"two"}
    assert list(members(found, "files/*.txt")) == ["files/a.txt", "files/b.txt"]
    checksum = sha256_of(wheel)
    wheel.unlink()
    assert fetch(NAME, VERSION, checksum) == found
    with pytest.raises(InputError, match=r"no file 'absent/\*' inside"):
        members(found, "absent/*")
    found.write_bytes(b"no zip")
    with pytest.raises(InputError, match="not a readable wheel"):
        members(found, "*")


def test_a_wheel_with_a_different_checksum_is_not_kept(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"sha256 {sha256_of(wheel)}, expected 000.* local_path"):
        fetch(NAME, VERSION, "0" * 64)
    assert not list((tmp_path / "data" / ".cache" / "wheels").glob("*.whl"))


def test_a_wheel_that_pip_cannot_deliver_is_one_line_with_a_remedy(wheel: Path) -> None:
    with pytest.raises(Unreachable, match=r"nsmodels-test-files==2\.0: pip could not fetch it .* local_path") as caught:
        fetch(NAME, "2.0", sha256_of(wheel))
    assert "\n" not in str(caught.value)
