"""Pretrained weights that a training starts from, and on what terms its own may be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boneage.errors import ProfileError, WeightsError
from boneage.inference.manifest import Manifest, bundled_folder, read_manifest
from boneage.training.export import sha256_of
from boneage.training.profile import Profile, profile_of

if TYPE_CHECKING:
    import keras

BUNDLED = "bundled"
"""Names the weights that ship with boneage, where others are named by their folder."""
TERMS = (
    "RSNA Pediatric Bone Age Challenge 2017: research and education, not commercial use. "
    "Cite Halabi et al., Radiology 2019;290:498-503."
)
LOCAL_TERMS = "Fine-tuned on local films: whoever holds those states their terms."
"""Of all films that weights learned from."""


@dataclass(frozen=True)
class Pretrained:
    """A folder of weights, with the Keras files to train on from."""

    folder: Path
    manifest: Manifest

    @property
    def profile(self) -> Profile:
        """The profile that the weights were trained by."""
        try:
            return profile_of(self.manifest.table["profile"])
        except ProfileError as error:
            raise WeightsError(
                f"the weights {self.manifest.name!r} state a profile that this version of boneage "
                f"cannot train by: {error}"
            ) from error

    @property
    def identity(self) -> dict[str, Any]:
        """The name, and the checksum of each Keras file: what a run that began from them notes."""
        checksums = {name: entry["keras_sha256"] for name, entry in self._entries.items()}
        return {"name": self.manifest.name, "networks": checksums}

    @property
    def origin(self) -> dict[str, Any]:
        """What the manifest of weights fine-tuned from these states of them."""
        table = self.manifest.table
        known = ("date", "commit", "data", "fine_tuned_from")
        stated = {key: table[key] for key in known if key in table}
        return {"name": self.manifest.name, "sha256": self.manifest.sha256, **stated}

    def load(self, network: keras.Model, name: str) -> None:
        """Load the weights of the pretrained network ``name``: attention, a region, or fusion."""
        path = self._verified(name)
        try:
            network.load_weights(path)
        except (OSError, ValueError, KeyError) as error:
            raise ProfileError(
                f"{str(path)!r} does not fit the profile's {name} network: {error}"
            ) from error

    def _verified(self, name: str) -> Path:
        entry = self._entries.get(name)
        if entry is None:
            raise WeightsError(f"the weights {self.manifest.name!r} have no {name!r} network")
        path = self.folder / Path(entry["keras_file"]).name
        if not path.is_file():
            raise WeightsError(f"no {path.name} to fine-tune from in {str(self.folder)!r}")
        if sha256_of(path) != entry["keras_sha256"]:
            raise WeightsError(
                f"{str(path)!r} does not have the sha256 that its manifest states; "
                "the file was changed or cut off"
            )
        return path

    @property
    def _entries(self) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = self.manifest.table["networks"]
        return entries


def find_pretrained(weights: str) -> Pretrained:
    """Find pretrained weights: ``bundled``, or the path of a folder of them."""
    folder = bundled_folder() if weights == BUNDLED else Path(weights)
    manifest = read_manifest(folder)
    for name, entry in manifest.table["networks"].items():
        if not {"keras_file", "keras_sha256"} <= entry.keys():
            raise WeightsError(
                f"the weights {manifest.name!r} have no Keras file of {name!r}; "
                "without them, they can be used, but not fine-tuned"
            )
    return Pretrained(folder, manifest)


def terms_of(pretrained: Pretrained | None) -> str:
    """The terms for the manifest.

    Fine-tuning takes none away: what binds the weights it started from binds
    all that descends from them.
    """
    if pretrained is None:
        return TERMS
    inherited: str = pretrained.manifest.table.get("data", {}).get("terms", TERMS)
    return f"{inherited.removesuffix(LOCAL_TERMS).rstrip()} {LOCAL_TERMS}"
