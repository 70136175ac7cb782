"""Frozen configuration: base class, fingerprints, conditions between fields, YAML and JSON files, flags."""

from nsmodels.core.config.base import LARGEST_SEED, Config, Given, differences, fingerprint, flat, is_seed, nested
from nsmodels.core.config.conditions import (
    above,
    added_field,
    below,
    conditional,
    decided,
    partly_decided,
    runtime_field,
)
from nsmodels.core.config.files import as_yaml, parse_json, parse_yaml, read_json, read_yaml
from nsmodels.core.config.flags import add_flags, values_from_flags
from nsmodels.core.config.presets import PRESET, from_environment
from nsmodels.core.config.references import described, reference, referred, restored

__all__ = [
    "LARGEST_SEED",
    "PRESET",
    "Config",
    "Given",
    "above",
    "add_flags",
    "added_field",
    "as_yaml",
    "below",
    "conditional",
    "decided",
    "described",
    "differences",
    "fingerprint",
    "flat",
    "from_environment",
    "is_seed",
    "nested",
    "parse_json",
    "parse_yaml",
    "partly_decided",
    "read_json",
    "read_yaml",
    "reference",
    "referred",
    "restored",
    "runtime_field",
    "values_from_flags",
]
