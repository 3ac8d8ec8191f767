"""The products alone of the unordered pairs among the first rows: numkong dots_symmetric, threads with equal shares.

f32 (sums and result in f64), bf16 (f32) or i8 (i32). Its result is a whole square matrix, so it gets a slab of rows.
"""
from concurrent.futures import ThreadPoolExecutor
import numkong, numpy as np
import machine

VERSION = f"numkong {numkong.__version__}"
OUT = {"f32": "float64", "bf16": "float32", "i8": "int32"}


def prepare(unit, rows, k, threshold, variant):
    threads = machine.threads()
    vectors = unit[:rows]
    if variant == "bf16":
        vectors = ((np.ascontiguousarray(vectors).view(np.uint32) + 0x8000) >> 16).astype(np.uint16)
    if variant == "i8":
        vectors = np.rint(vectors * (127 / np.abs(vectors).max(axis=1, keepdims=True))).astype(np.int8)
    given = {"dtype": "bf16"} if variant == "bf16" else {}  # numpy has no bf16
    out = numkong.full((rows, rows), 1, dtype=OUT[variant])  # its pages are there before the clock runs
    cuts = [round(rows * (1 - (1 - share / threads) ** 0.5)) for share in range(threads + 1)]
    pool = ThreadPoolExecutor(threads)

    def part(first, end):
        numkong.dots_symmetric(vectors, out=out, start_row=first, end_row=end, **given)

    return lambda _: list(pool.map(part, cuts, cuts[1:])) and None
