"""Networks of one process alone, while others are spread over the devices of all.

A step of a network that is spread is a step of every process. What the first process does
for the others, such as finding the regions, needs a network of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def undistributed() -> Iterator[None]:
    """Inside, networks and random layers are made for this process alone."""
    spread = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(spread)


def own_copy(network: keras.Model) -> keras.Model:
    """Copy a network that is spread over devices, for this process alone.

    Where nothing is spread, it is the network itself.
    """
    if keras.distribution.distribution() is None:
        return network
    with undistributed():
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
    return copy
