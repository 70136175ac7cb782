"""Files for containers and a public host: they name what the project has, and nothing of a registry or secret."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
WORKFLOW = ROOT / ".github/workflows/check.yml"
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def argument(name: str) -> str:
    return re.findall(rf"^ARG {name}=(.*)$", DOCKERFILE, re.MULTILINE)[0]


def test_the_image_has_the_version_and_extras_that_the_cluster_expects() -> None:
    extras = set(argument("EXTRAS").split(","))
    assert {"pipeline", "ray", "postgres"} <= extras <= set(PROJECT["optional-dependencies"])
    assert f"nsmodels:{PROJECT['version']} ." in DOCKERFILE
    values = yaml.safe_load((ROOT / "docs/deployment/kubernetes/values.yaml").read_text())
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment["image"]["tag"] == PROJECT["version"]
    assert f"WORKDIR {deployment['volumeMounts'][0]['mountPath']}" in DOCKERFILE
    assert tuple(map(int, argument("PYTHON").split("."))) >= (3, 11)


def test_all_that_is_copied_is_there_and_sent_to_the_builder() -> None:
    copied = [word for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()]
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(copied) == set(sent)
    assert all((ROOT / name).exists() for name in copied)


def test_the_container_of_developers_and_the_workflow_call_what_there_is() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert container["postCreateCommand"].removeprefix("make ") in TARGETS
    assert (ROOT / ".devcontainer" / container["build"]["dockerfile"]).exists()
    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    *_, checked, site = [step["run"] for step in job["steps"] if "run" in step]
    assert checked == "bash .ci/run"
    word, target, *_ = site.split()
    assert word == "make"
    assert target in TARGETS
    assert {"check", "test"} <= set(re.findall(r"make (\w+)", (ROOT / ".ci/run").read_text())) <= TARGETS


def test_neither_a_secret_nor_a_registry_is_named() -> None:
    for path in (ROOT / "Dockerfile", ROOT / ".devcontainer/Dockerfile", WORKFLOW):
        text = path.read_text()
        assert "secrets." not in text
        bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        assert all(re.fullmatch(r"python:[\w.${}-]+", base) for base in bases), path


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
