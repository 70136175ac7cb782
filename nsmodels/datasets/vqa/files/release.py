"""The archives of VQA v2 and COCO: addresses, sizes, checksums, and which file each contains."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from nsmodels.datasets.vqa.config import COCO_URL, VQA_URL, VqaConfig
from nsmodels.datasets.vqa.files.names import (
    SPLITS,
    annotations_name,
    instances_name,
    pairs_name,
    questions_name,
    subtype,
)

INSTANCES_ZIP = "annotations_trainval2014.zip"  # 241 MB, of which two members are needed
BYTES = {"train2014.zip": 13_510_573_713, "val2014.zip": 6_645_013_297}
SHA256 = {
    "train2014.zip": "ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775",
    "val2014.zip": "fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0",
    "v2_Questions_Train_mscoco.zip": "05a64b6e2582d06d7585f5429674a9a33851878be1bff9f8668cdcf792df611e",
    "v2_Questions_Val_mscoco.zip": "e71f6c5c3e97a51d050f28243e262b28cd0c48d11a6b4632d769d30d3f93222a",
    "v2_Annotations_Train_mscoco.zip": "fb101bcefe91422c543c2bb6d70af11eb3119d0ff745ae283d09acdf66250853",
    "v2_Annotations_Val_mscoco.zip": "0caae7c8d1dafd852727f5ac046bc1efca9b72026bd6ffa34fc489f3a7b3291e",
}  # of the complementary pairs and the instances none is published; theirs are recorded in the manifest


@dataclass(frozen=True)
class Archive:
    """A zip on a server; `bytes` and `sha256` are those that are demanded, None: any."""

    name: str
    url: str
    bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Release:
    """Where the archives are; `verify`: whether sizes and checksums of the release are demanded."""

    coco_url: str = COCO_URL
    vqa_url: str = VQA_URL
    verify: bool = True

    @classmethod
    def of(cls, config: VqaConfig) -> Release:
        """The release that a configuration names."""
        return cls(config.coco_url.rstrip("/"), config.vqa_url.rstrip("/"), config.verify_release)

    def images(self, split: str) -> Archive:
        """The archive of images."""
        return self._archive(f"{subtype(split)}.zip", f"{self.coco_url}/zips")

    def instances(self) -> Archive:
        """COCO's archive of named boxes of both splits."""
        return self._archive(INSTANCES_ZIP, f"{self.coco_url}/annotations")

    def annotations(self, split: str) -> dict[str, Archive]:
        """Archives of questions, annotations and complementary pairs, by the file that each contains."""
        return {name: self._archive(archive, self.vqa_url) for name, archive in zips_of(split).items()}

    def all(self) -> list[Archive]:
        """Every archive of both splits."""
        given = [each for split in SPLITS for each in (self.images(split), *self.annotations(split).values())]
        return [*given, self.instances()]

    @property
    def strangers(self) -> list[str]:
        """Hosts that are not those of the release."""
        given = ((self.coco_url, COCO_URL), (self.vqa_url, VQA_URL))
        return list(dict.fromkeys(urlsplit(url).netloc or url for url, official in given if url != official))

    def _archive(self, name: str, folder: str) -> Archive:
        if not self.verify:
            return Archive(name, f"{folder}/{name}")
        return Archive(name, f"{folder}/{name}", BYTES.get(name), SHA256.get(name))


def zips_of(split: str) -> dict[str, str]:
    """Names of the archives of questions, annotations and complementary pairs, by the file that each contains."""
    return {
        questions_name(split): f"v2_Questions_{split.capitalize()}_mscoco.zip",
        annotations_name(split): f"v2_Annotations_{split.capitalize()}_mscoco.zip",
        pairs_name(split): f"v2_Complementary_Pairs_{split.capitalize()}_mscoco.zip",
    }


def zip_of(name: str, split: str) -> str:
    """Name of the archive that contains a file of a split."""
    return INSTANCES_ZIP if name == instances_name(split) else zips_of(split)[name]
