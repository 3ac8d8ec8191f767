"""Reading embeddings beside memcpy, arrow-rs and pyarrow in one run, on files as writers write them.

usage: python benches/reading.py [--rows N] [--dim D] [--repetitions R] [--only NAME...]

Files are written by pyarrow to a temporary directory (page cache warm). Every way runs R times in turn; medians and
ratios are printed, in GB/s of the vectors as f32. Needs numpy and pyarrow.
"""
import argparse, os, re, statistics, subprocess, tempfile, time
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=200_000)
parser.add_argument("--dim", type=int, default=384)
parser.add_argument("--repetitions", type=int, default=5)
parser.add_argument("--only", nargs="*")
a = parser.parse_args()

x = np.random.default_rng(0).standard_normal((a.rows, a.dim)).astype(np.float32)
x /= np.linalg.norm(x, axis=1, keepdims=True)


def embedding(dtype=np.float32, fixed=False):
    flat = pa.array(x.astype(dtype).ravel())
    if fixed:
        return pa.FixedSizeListArray.from_arrays(flat, a.dim)
    return pa.ListArray.from_arrays(pa.array(np.arange(a.rows + 1, dtype=np.int32) * a.dim), flat)


def binary():
    return pa.array([row.tobytes() for row in x], pa.binary(4 * a.dim))


plain = dict(use_dictionary=False)
split = dict(use_dictionary=False, use_byte_stream_split=["embedding.list.element"])
FILES = {
    "PLAIN, none, list": (embedding, dict(compression="none", **plain)),
    "PLAIN, none, fixed-size list": (lambda: embedding(fixed=True), dict(compression="none", **plain)),
    "PLAIN, none, V2 pages": (embedding, dict(compression="none", data_page_version="2.0", **plain)),
    "PLAIN, snappy": (embedding, dict(compression="snappy", **plain)),
    "pyarrow default (dictionary, snappy)": (embedding, {}),
    "PLAIN, zstd": (embedding, dict(compression="zstd", **plain)),
    "BYTE_STREAM_SPLIT, zstd": (embedding, dict(compression="zstd", **split)),
    "BYTE_STREAM_SPLIT, none": (embedding, dict(compression="none", **split)),
    "f64, default": (lambda: embedding(np.float64), {}),
    "f16, none": (lambda: embedding(np.float16), dict(compression="none", **plain)),
    "fixed-size binary, none": (binary, dict(compression="none", **plain)),
}

build = ["cargo", "bench", "--bench", "reading", "--no-run"]
subprocess.run(build, check=True, stderr=subprocess.PIPE)
program = re.search(r"\((target[^)]*)\)", subprocess.run(build, stderr=subprocess.PIPE, text=True).stderr).group(1)

print(f"{a.rows} x {a.dim} f32 = {x.nbytes / 1e6:.0f} MB, {os.cpu_count()} cores, median of {a.repetitions}, GB/s")
print("kept: into fresh memory of the whole corpus (peer: memcpy to such memory); checked: decoded and forgotten (peers:")
print("memcpy through a small buffer, arrow-rs as it comes); rows: our pass through arrow-rs; whole: kept, with keys and order")
WAYS = {"memcpy": "memcpy", "pages": "kept", "staging": "memcpy*", "check": "checked", "rows": "rows", "whole": "whole", "arrow": "arrow-rs", "pyarrow": "pyarrow"}
RATIOS = [("pages", "memcpy"), ("check", "staging"), ("pages", "arrow"), ("check", "arrow"), ("pages", "pyarrow")]
print(f"{'file':36}" + "".join(f"{name:>9}" for name in WAYS.values()) + "   " + " ".join(f"{WAYS[a]}/{WAYS[b]}" for a, b in RATIOS))
with tempfile.TemporaryDirectory() as directory:
    for name, (column, settings) in FILES.items():
        if a.only and not any(part in name for part in a.only):
            continue
        path = os.path.join(directory, "file.parquet")
        rows = np.arange(a.rows)
        table = pa.table({"query": rows // 50, "model": rows % 50, "embedding": column()})
        pq.write_table(table, path, row_group_size=50_000, **settings)
        del table
        times = {}
        for _ in range(a.repetitions):
            lines = subprocess.run([program, path, "1"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
            for way, seconds, size in (line.split() for line in lines):
                times.setdefault(way, []).append(float(seconds))
                assert int(size) == x.nbytes
            started = time.perf_counter()
            pq.read_table(path, columns=["embedding"], memory_map=True)
            times.setdefault("pyarrow", []).append(time.perf_counter() - started)
        speed = {way: x.nbytes / statistics.median(seconds) / 1e9 for way, seconds in times.items()}
        columns = "".join(f"{speed[way]:9.2f}" for way in WAYS)
        ratios = "".join(f"{speed[a] / speed[b]:{len(WAYS[a]) + len(WAYS[b]) + 2}.2f}" for a, b in RATIOS)
        print(f"{name:36}{columns}  {ratios}", flush=True)
