"""Random numbers that depend on nothing but a key and an index, so that any moment can be computed on its own.

Only operations that IEEE 754 defines to the last bit are used: the same seed gives the same market on every machine.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Floats = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_LOW_16 = np.uint64(0xFFFF)


def key(*parts: str | int) -> np.uint64:
    """A key that `parts` alone determine."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "big"))


def hashes(of: Hashes, indices: NDArray[np.int64]) -> Hashes:
    """A well mixed number for each key, down, and index, across: splitmix64, whose state needs no history."""
    mixed = indices.astype(np.uint64) * _GOLDEN + of
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    return mixed ^ (mixed >> np.uint64(31))


def uniform(of: Hashes, indices: NDArray[np.int64]) -> Floats:
    """Evenly between 0 and 1, without 1."""
    return (hashes(of, indices) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def bell(of: Hashes, indices: NDArray[np.int64]) -> Floats:
    """Nearly normal with mean 0 and standard deviation 1, and never beyond ±3.5: the sum of four even ones."""
    bits = hashes(of, indices)
    total = np.zeros(bits.shape)
    for shift in (0, 16, 32, 48):
        total += ((bits >> np.uint64(shift)) & _LOW_16).astype(np.float64)
    # Four times the mean and the deviation of an even number between 0 and 65535.
    return (total - 2.0 * 65535.0) * (np.sqrt(3.0) / 65536.0)
