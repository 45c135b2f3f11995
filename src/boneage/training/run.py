"""One training run: its folder, the options it was started with, and what each stage is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boneage.datasets.films import Film, Fold
from boneage.errors import DataError, ProfileError
from boneage.storage.files import write_text
from boneage.training.distributed.group import ALONE, ProcessGroup
from boneage.training.fine_tuning import Pretrained
from boneage.training.profile import NOT_A_FILE, NetworkSpec

if TYPE_CHECKING:
    import keras

RECIPE = "recipe.json"


@dataclass(frozen=True)
class Run:
    """The folder of a run, and the options of the command line."""

    folder: Path
    data: Path
    """Labelled films; see :mod:`boneage.datasets.films`."""
    initial_weights: Path | None = None
    """The folder of the weights files that profiles name."""
    pretrained: Pretrained | None = None
    """Weights to start every network from."""
    epochs: int | None = None
    """Instead of every phase's own number: to try a profile small."""
    limit: int | None = None
    """At most this many films of each kind: likewise."""
    strict: bool = False
    group: ProcessGroup = ALONE
    """The processes that train together."""
    shared_images: Path | None = None
    """A folder of prepared images that several runs share."""
    fold: Fold | None = None
    """Of the training ids, held out of every network: training is monitored on it, and what is
    fitted on held-out films is fitted on it, not on the profile's ``calibration.share``.
    """

    @property
    def images(self) -> Path:
        """The folder of prepared images."""
        return self.shared_images or self.folder / "prepared"

    def limited(self, films: tuple[Film, ...]) -> tuple[Film, ...]:
        """The films this run uses."""
        return films[: self.limit] if self.limit else films

    def begin(self, stage: str, recipe: Mapping[str, Any]) -> None:
        """Write down what a stage is made from when it begins; check it when it resumes.

        Resuming from something else would mix two models.
        """
        path = self.folder / stage / RECIPE
        text = json.dumps(recipe, indent=1)

        def write_if_new() -> None:
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, text)

        self.group.once(write_if_new)
        begun, wanted = json.loads(path.read_text("utf-8")), json.loads(text)
        changed = sorted(k for k in begun.keys() | wanted.keys() if begun.get(k) != wanted.get(k))
        if changed:
            raise DataError(
                f"{str(path.parent)!r} was begun with another {' and '.join(changed)}; "
                "give another --run folder, or delete that one to train it anew"
            )

    def weights_folder(self, spec: NetworkSpec) -> Path | None:
        """The folder of the initial weights that a network's profile names, if it names a file."""
        if spec.initial_weights in NOT_A_FILE or self.pretrained is not None:
            return None
        if self.initial_weights is None:  # it would start from random numbers unnoticed
            raise ProfileError(
                f"the profile starts from {spec.initial_weights!r}; name its folder with "
                '--initial-weights, or set initial_weights to "imagenet" or "none"'
            )
        return self.initial_weights

    def load_pretrained(self, network: keras.Model, name: str) -> None:
        """Load the Keras weights that a network is to be fine-tuned from, if any."""
        if self.pretrained is not None:
            self.pretrained.load(network, name)
