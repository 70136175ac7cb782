"""The run of a schedule leaves the data as they are that replicates were trained on."""

import dagster as dg
import pytest

from nsmodels.core import artifact
from nsmodels.core.sealed.inventory import Item, dependents, items
from pipeline.lib import store
from pipeline.lib.automation import unattended

KEY, PLACE = "groats", "groats_replicates/3/model"


def seal(folder, key, config, **more):
    with artifact.build(folder, key=key, maker="tests", config=config, code_version="1", **more):
        pass
    return artifact.read_manifest(folder)


@store.on_demand(KEY, lambda manifest, preset: manifest.config["n"] < {"debug": 1, "base": 2}[preset])
def make(preset):
    """More of them for a larger preset."""
    return seal(store.folder(KEY), KEY, {"n": {"debug": 1, "base": 2}[preset]})


@dg.asset
def groats_model(context: dg.AssetExecutionContext) -> None:
    """A model of the preset base."""
    store.ready(context, [KEY], "base")


@pytest.mark.parametrize(("allowed", "is_kept"), [("", True), ("first-models", True), ("replace-data", False)])
def test_data_are_replaced_only_where_that_is_allowed(data, instance, monkeypatch, allowed, is_kept):
    before = make("debug")
    seal(data / PLACE, "model", {}, inputs={KEY: data / KEY})
    monkeypatch.setenv(unattended.VARIABLE, allowed)
    tags = unattended.request([groats_model.key], {}).tags
    assert dg.materialize([groats_model], instance=instance, tags=tags).success
    after = artifact.read_manifest(data / KEY)
    assert (after == before) is is_kept
    found = items(data)
    data_item = next(item for item in found if item.name == KEY)
    assert isinstance(data_item, Item)
    assert dependents(data_item, found) == ([PLACE] if is_kept else [])


def test_missing_data_are_made_and_a_misspelt_tag_is_refused(data, instance):
    assert dg.materialize([groats_model], instance=instance, tags={"nsmodels/data": "keep"}).success
    assert artifact.read_manifest(data / KEY).config == {"n": 2}
    make("debug")
    with pytest.raises(Exception, match="run tag nsmodels/data: expected keep, got 'kept'"):
        dg.materialize([groats_model], instance=instance, tags={"nsmodels/data": "kept"})
