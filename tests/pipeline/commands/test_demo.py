"""The demo replaces its own artifacts only."""

import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from pipeline import demo


def seal(folder, config):
    """Seal an empty artifact of that configuration."""
    key = folder.name
    with artifact.build(folder, key=key, maker="tests", config=config, code_version="1", source="CLEVR v1.0"):
        pass


def test_an_empty_data_root_and_its_own_artifacts_are_accepted(data):
    demo.guard()
    for key, config in demo.expected_configs().items():
        seal(data / key, config)
    demo.guard()


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("clevr_mini", {"source": "archive", "num_train": 10_000, "num_val": 1_000}),
        ("clevr_mini_model", {"training": {"epochs": 40}}),
    ],
)
def test_different_data_and_models_are_an_error_with_the_remedy(data, capsys, key, config):
    seal(data / key, config)
    with pytest.raises(InputError):
        demo.guard()
    assert demo.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {data / key}: contains CLEVR v1.0 built ")
    assert line.endswith("run: NSMODELS_DATA=data/demo make demo (or move that folder away)")
    assert artifact.read_manifest(data / key).config == config
