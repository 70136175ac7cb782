import pytest

from nsmodels.core import discover
from nsmodels.core.errors import InputError


def test_the_folders_with_a_configuration_are_the_registry() -> None:
    for kind, names in (("datasets", discover.datasets()), ("systems", discover.systems())):
        assert names == sorted(names)
        assert all((discover.folder(kind, name) / "config.py").is_file() for name in names)


def test_an_absent_module_is_named() -> None:
    with pytest.raises(InputError, match="nothing: not one of the datasets; known are"):
        discover.module("datasets", "nothing", "config")
    for name in discover.datasets():
        assert discover.module("datasets", name, "config").__name__ == f"nsmodels.datasets.{name}.config"
        with pytest.raises(InputError, match=f"nsmodels/datasets/{name}: has no absent.py"):
            discover.module("datasets", name, "absent")
