"""usearch, exact search by cosine, f32 or int8 (each row scaled so that its largest component is 127)."""
import numpy as np
import usearch
from usearch.index import MetricKind, search

VERSION = f"usearch {usearch.__version__}"


def prepare(unit, rows, k, threshold, variant):
    if variant == "i8":
        unit = np.rint(unit * (127 / np.abs(unit).max(axis=1, keepdims=True))).astype(np.int8)
    return lambda rows: search(unit, unit[:rows], k + 1, MetricKind.Cos, exact=True).keys
