"""Pair pass beside its peers in one run: hivescope (everything on), faiss-cpu IndexFlatIP search, numpy sgemm.

usage: python benches/pairs.py [--input FILES...] [--rows N --dim D] [-k K] [--repetitions R]

Rows come from Parquet files with an `embedding` and a `query` column, or are planted. Needs numpy, pyarrow, faiss-cpu.
Each engine runs R times in turn (A B C A B C ...); medians and ratios are printed.
"""
import argparse, glob, json, os, re, statistics, subprocess, tempfile, time
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--input", nargs="*", default=[])
parser.add_argument("--rows", type=int, default=20000)
parser.add_argument("--dim", type=int, default=384)
parser.add_argument("-k", type=int, default=10)
parser.add_argument("--repetitions", type=int, default=5)
a = parser.parse_args()

import faiss

if a.input:
    import pyarrow.parquet as pq
    parts = [np.stack(pq.read_table(f, columns=["embedding"])["embedding"].to_numpy()) for f in a.input]
    x = np.concatenate(parts).astype(np.float32)
    names = np.concatenate([pq.read_table(f, columns=["query"])["query"].to_numpy() for f in a.input])
    _, query = np.unique(names, return_inverse=True)
    queries = query.max() + 1
    order = np.lexsort((np.arange(len(x)), query))  # the bench assigns query = row mod Q: deal the rows out
    rank = np.empty(len(x), int)
    counts = np.bincount(query)
    rank[order] = np.concatenate([np.arange(c) for c in counts])
    x = x[np.lexsort((query, rank))]
else:
    rng = np.random.default_rng(0)
    queries = 150
    x = rng.standard_normal((queries, a.dim))[np.arange(a.rows) % queries] + rng.standard_normal((a.rows, a.dim)) * 0.7
    x = x.astype(np.float32)
n, d = x.shape
unit = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
subprocess.run(["cargo", "bench", "--bench", "pairs", "--no-run"], check=True, stderr=subprocess.PIPE)
listing = subprocess.run(["cargo", "bench", "--bench", "pairs", "--no-run"], stderr=subprocess.PIPE, text=True).stderr
binary = re.search(r"\((target[^)]*)\)", listing).group(1)

times = {"hivescope": [], "faiss": [], "numpy": []}
with tempfile.NamedTemporaryFile(suffix=".f32") as file:
    x.tofile(file.name)
    for _ in range(a.repetitions):
        line = subprocess.run([binary, file.name, str(d), str(queries), str(a.k), "1"], check=True, stdout=subprocess.PIPE, text=True).stdout
        times["hivescope"].append(float(line.split()[1]))
        index = faiss.IndexFlatIP(d)
        index.add(unit)
        t = time.perf_counter(); index.search(unit, a.k + 1); times["faiss"].append(time.perf_counter() - t)
        t = time.perf_counter()
        for start in range(0, n, 2048):
            unit[start:start + 2048] @ unit.T
        times["numpy"].append(time.perf_counter() - t)
median = {name: statistics.median(t) for name, t in times.items()}
print(f"{n} x {d}, k = {a.k}, {os.cpu_count()} cores, median of {a.repetitions}")
for name, seconds in median.items():
    flop = n * n * d * (1 if name == "hivescope" else 2)
    print(f"{name:10} {seconds:8.3f} s  {flop / seconds / 1e9:7.1f} GFLOP/s executed  min {min(times[name]):.3f} max {max(times[name]):.3f}")
print(f"hivescope / faiss = {median['hivescope'] / median['faiss']:.2f}, hivescope / numpy product alone = {median['hivescope'] / median['numpy']:.2f}")
print(json.loads(line.split(maxsplit=2)[2]))
