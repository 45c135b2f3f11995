"""Pack a checkpoint in the middle of a phase, with the optimiser's state: 44 MB become about 22.

pack_epoch.py epoch-0003.weights.h5 OUT     all stays float32, of which 13 bits of the mantissa are cut off
To go on: copy it beside epochs.csv into the phase's folder of the run; it is found by its name.
"""
import sys
import h5py
import numpy as np

def pack(source, target):
    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            pack(item, target.create_group(name)); continue
        values = item[()]
        if values.dtype == np.float32 and values.size >= 64:
            bits = values.view(np.uint32)
            values = ((bits + np.uint32(1 << 12)) & np.uint32(0xFFFFE000)).view(np.float32)
        options = {"compression": "gzip", "compression_opts": 6, "shuffle": True} if values.ndim else {}
        target.create_dataset(name, data=values, **options).attrs.update(item.attrs)

with h5py.File(sys.argv[1]) as s, h5py.File(sys.argv[2], "w", libver="latest") as t: pack(s, t)
