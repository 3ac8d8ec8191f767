"""The products alone: numpy's sgemm, 2,048 rows at a time, nothing looked at or kept."""
import numpy as np

VERSION = f"numpy {np.__version__}"
BLAS = "numpy.libs"
STRIP = 2048


def prepare(unit, rows, k, threshold, variant):
    product = np.zeros((STRIP, len(unit)), np.float32)
    product += 1  # its pages are there before the clock runs

    def multiply(rows):
        for start in range(0, rows, STRIP):
            strip = unit[start:min(start + STRIP, rows)]
            np.matmul(strip, unit.T, out=product[:len(strip)])

    return multiply
