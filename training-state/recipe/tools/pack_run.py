"""Pack the finished phases of a training run small, or put them back.

pack_run.py RUN OUT     copies logs, recipes, tables, and final weights in half precision
To go on from them: copy OUT over an empty run folder and give the same `boneage train` command; finished phases are found.
Do it before the stage after begins: later stages note the checksums of the weights that they stand on.
"""
import shutil, sys
from pathlib import Path
import h5py
import numpy as np

def _pack(source, target):
    """Half precision (all 11 bits of it) where nothing is too large or too small for it."""
    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _pack(item, target.create_group(name)); continue
        values = item[()]
        if values.dtype == np.float32 and values.size >= 64 and np.allclose(values.astype(np.float16), values, rtol=1e-3, atol=1e-6):
            values = values.astype(np.float16)
        options = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if values.ndim else {}
        target.create_dataset(name, data=values, **options).attrs.update(item.attrs)

run, out = map(Path, sys.argv[1:])
SMALL = {"epochs.csv", "held-out.csv", "recipe.json", "regions.csv"}
for path in sorted(run.rglob("*")):
    target = out / path.relative_to(run)
    if path.name in SMALL:
        target.parent.mkdir(parents=True, exist_ok=True); shutil.copy(path, target)
    elif path.name == "final.weights.h5":
        target.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path) as s, h5py.File(target, "w", libver="latest") as t: _pack(s, t)
        print(target, f"{target.stat().st_size / 1e6:.1f} MB")
