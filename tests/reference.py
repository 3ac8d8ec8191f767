"""Checks a result directory against numpy in f64, independently of hivescope's code.

usage: python tests/reference.py DIR INPUT.parquet [INPUT.parquet ...]

Neighbours must be identical in order and similarities equal to the f64 cosine rounded to f32; histogram counts must be
equal; means, floors, intra, Vendi, top-N, nearest share and ensemble gain must agree to 1e-9 relative.
Needs numpy, pandas, pyarrow. INPUTs in bytewise order, as hivescope reads them.
"""
import json, math, os, sys
import numpy as np, pandas as pd, pyarrow.parquet as pq

out, inputs = sys.argv[1], sorted(sys.argv[2:])
tables = [pq.read_table(f, columns=["query", "model", "embedding"]) for f in inputs]
x = np.concatenate([np.stack(t["embedding"].to_numpy()) for t in tables]).astype(np.float32).astype(np.float64)
queries, q = np.unique(np.concatenate([t["query"].to_numpy() for t in tables]).astype(str), return_inverse=True)
models, m = np.unique(np.concatenate([t["model"].to_numpy() for t in tables]).astype(str), return_inverse=True)
n, d = x.shape
norm = np.sqrt((x * x).sum(1))
e = x / norm[:, None]
read = lambda name: pq.read_table(os.path.join(out, name)).to_pandas()
failures = 0

def same(name, got, want):
    global failures
    got, want = np.asarray(got, float), np.asarray(want, float)
    ok = got.shape == want.shape and np.array_equal(np.isnan(got), np.isnan(want))
    worst = 0.0
    if ok:
        with np.errstate(all="ignore"):
            error = np.abs(got - want) / np.maximum(np.abs(want), 1e-3)
        worst = float(np.nanmax(error)) if error.size and not np.isnan(error).all() else 0.0
        ok = worst <= 1e-9
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}: {got.size} values, largest relative difference {worst:.2e}")

# Neighbours and histogram, a strip of rows at a time.
neighbors = read("neighbors.parquet")
k = int(neighbors["rank"].max())
counts = np.zeros((4, 200), np.int64)
edges = (np.arange(201) - 100) / 100
wrong = 0
by_src = neighbors["src"].to_numpy(); dst = neighbors["dst"].to_numpy(); sim = neighbors["similarity"].to_numpy()
starts = np.searchsorted(by_src, np.arange(n + 1))
nearest_other = np.zeros(n)
for a in range(0, n, 512):
    b = min(a + 512, n)
    s = ((x[a:b] @ x.T) / (norm[a:b, None] * norm[None, :])).astype(np.float32) + np.float32(0)
    for i in range(a, b):
        row = s[i - a].copy(); row[i] = -np.inf
        order = np.lexsort((np.arange(n), -row))[: min(k, n - 1)] if n < 3000 else None
        if order is None:
            part = np.argpartition(-row, k)[:k]
            part = np.flatnonzero(row >= row[part].min())
            order = part[np.lexsort((part, -row[part]))][:k]
        got = slice(starts[i], starts[i + 1])
        wrong += not (np.array_equal(dst[got], order) and np.array_equal(sim[got], row[order]))
        tied = np.flatnonzero(row == row.max())
        nearest_other[i] = (m[tied] != m[i]).mean()
        later = s[i - a, i + 1:].astype(np.float64)
        relation = 2 * (q[i + 1:] != q[i]) + (m[i + 1:] != m[i])
        bins = np.clip(np.searchsorted(edges, later, side="right") - 1, 0, 199)
        np.add.at(counts, (relation, bins), 1)
print(f"{'ok  ' if wrong == 0 else 'FAIL'} neighbours (k = {k}): {wrong} of {n} rows differ")
failures += wrong > 0
relations = ["same_query_same_model", "same_query_other_model", "other_query_same_model", "other_query_other_model"]
if os.path.exists(os.path.join(out, "histogram.parquet")):
    h = read("histogram.parquet")
    got = np.zeros((4, 200), np.int64)
    got[[relations.index(r) for r in h["relation"]], h["bin"].astype(int)] = h["pairs"].astype(np.int64)
    print(f"{'ok  ' if (got == counts).all() else 'FAIL'} histogram: {np.abs(got - counts).sum()} pairs in another bin of {counts.sum()}")
    failures += not (got == counts).all()

# Sums.
Q, M = len(queries), len(models)
cell_n = np.zeros((M, Q)); np.add.at(cell_n, (m, q), 1)
cell = np.zeros((M, Q, d)); np.add.at(cell, (m, q), e)
total = cell.sum(1); count = cell_n.sum(1)
square = (cell ** 2).sum(-1)
gram = np.einsum("aqd,bqd->abq", cell, cell, optimize=True)
weights = cell_n[:, None, :] * cell_n[None, :, :]
pairs = read("model_pairs.parquet")
index = {name: i for i, name in enumerate(models)}
a = pairs["model_a"].astype(str).map(index).to_numpy(); b = pairs["model_b"].astype(str).map(index).to_numpy()
off = a != b
with np.errstate(all="ignore"):
    inter = gram.sum(2) / weights.sum(2)
    floor = (total @ total.T - gram.sum(2)) / (np.outer(count, count) - weights.sum(2))
    both = weights > 0
    query_mean = np.where(both, gram / weights, 0).sum(2) / both.sum(2)
    intra_cell = (square - cell_n) / (cell_n * (cell_n - 1))
same("model pairs: mean", pairs["mean"][off], inter[a[off], b[off]])
same("model pairs: query_mean", pairs["query_mean"][off], query_mean[a[off], b[off]])
same("model pairs: floor", pairs["floor"], floor[a, b])
intra = read("intra.parquet")
if len(intra):
    qi = {name: i for i, name in enumerate(queries)}
    ia = intra["model"].astype(str).map(index).to_numpy(); iq = intra["query"].astype(str).map(qi).to_numpy()
    same("intra", intra["mean"], intra_cell[ia, iq])
    same("intra: number of cells", [len(intra)], [(cell_n >= 2).sum()])
per_query = read("queries.parquet")
order = per_query["query"].astype(str).map({name: i for i, name in enumerate(queries)}).to_numpy()
S = cell.sum(0); N = cell_n.sum(0)
with np.errstate(all="ignore"):
    inter_q = ((S ** 2).sum(1) - square.sum(0)) / (N ** 2 - (cell_n ** 2).sum(0))
same("queries: inter_mean", per_query["inter_mean"], inter_q[order])
def vendi(rows):
    l = np.clip(np.linalg.eigvalsh(rows @ rows.T / len(rows)), 0, None); l = l[l > 0]
    return math.exp(-(l * np.log(l)).sum()), 1 / (l ** 2).sum(), 1 / l.max()
v = np.array([vendi(e[q == i]) for i in order])
for column, place in (("vendi_1", 0), ("vendi_2", 1), ("vendi_inf", 2)):
    same(f"queries: {column}", per_query[column], v[:, place])
other = lambda t: t.sum()
f_total = (e.sum(0) ** 2).sum() - (S ** 2).sum() - (total ** 2).sum() + square.sum()
f_pairs = n * n - (N ** 2).sum() - (count ** 2).sum() + (cell_n ** 2).sum()
if M == 1:
    f_total, f_pairs = (e.sum(0) ** 2).sum() - (S ** 2).sum(), n * n - (N ** 2).sum()
summary = json.load(open(os.path.join(out, "summary.json")))
same("corpus floor", [summary["floor"]], [f_total / f_pairs])
schema = pq.read_schema(inputs[0]).names
people = np.zeros(M, bool)  # models whose rows are all people's are no part of the headline
if "source" in schema:
    source = np.concatenate([pq.read_table(f, columns=["source"])["source"].to_numpy() for f in inputs])
    people = np.array([(source[m == l] == "human").all() for l in range(M)])
ai, ai_n = cell[~people], cell_n[~people]
for headline in summary["headlines"]:
    if headline["name"] == "inter_mean":
        top = (ai.sum(0) ** 2).sum() - (ai ** 2).sum()
        same("headline inter_mean", [headline["value"]], [top / ((ai_n.sum(0) ** 2).sum() - (ai_n ** 2).sum())])

# Top N, nearest share and ensemble gain, where a cell has more than one response.
topn = read("topn.parquet")
def log_choose(a, b):
    return -np.inf if b > a else math.lgamma(a + 1) - math.lgamma(b + 1) - math.lgamma(a - b + 1)
if len(topn):
    found = {(r.query, int(r.top_n)): r for r in topn.itertuples()}
    got, want, got_null, want_null, got_near, want_near, want_null_near = [], [], [], [], [], [], []
    for i in order:
        rows = np.flatnonzero(q == i)
        labels = m[rows]
        s = ((x[rows] @ x[rows].T) / np.outer(norm[rows], norm[rows])).astype(np.float32)
        np.fill_diagonal(s, -np.inf)
        credit = [(labels[r == r.max()] != labels[j]).mean() for j, r in enumerate(s)]
        want_near.append(np.mean(credit))
        want_null_near.append(np.mean([1 - ((labels == l).sum() - 1) / (len(rows) - 1) for l in labels]))
        for top in range(5, 51, 5):
            if (queries[i], top) not in found:
                continue
            values, nulls = [], []
            for j, r in enumerate(s):
                last = np.sort(r)[::-1][top - 1]
                nearer = set(labels[r > last]); tied = labels[r == last]
                left = top - (r > last).sum()
                expected = float(len(nearer))
                for l in set(tied) - nearer:
                    t = (tied == l).sum()
                    expected += 1 - math.exp(log_choose(len(tied) - t, left) - log_choose(len(tied), left))
                values.append(expected)
                rest = np.bincount(labels, minlength=M); rest[labels[j]] -= 1
                nulls.append(sum(1 - math.exp(log_choose(rest.sum() - t, top) - log_choose(rest.sum(), top)) for t in rest if t))
            r = found[(queries[i], top)]
            got.append(r.distinct_models_mean); want.append(np.mean(values)); got_null.append(r.null); want_null.append(np.mean(nulls))
    same("top N: distinct models", got, want)
    same("top N: null", got_null, want_null)
    same("nearest share", per_query["nearest_other_model"], want_near)
    same("nearest share: null", per_query["nearest_null"], want_null_near)
gains = per_query["ensemble_gain"].astype(float).to_numpy()
if not np.isnan(gains).all():
    want, want_inf = [], []
    t_all = e.T @ e
    square2 = lambda mask: ((e[mask].T @ e[mask]) ** 2).sum()
    pairs2 = (t_all ** 2).sum() - sum(square2(q == i) for i in range(Q)) - sum(square2(m == l) for l in range(M)) + sum(square2((q == i) & (m == l)) for i in range(Q) for l in range(M))
    b_inf = pairs2 / f_pairs
    for i in order:
        present = [l for l in range(M) if cell_n[l, i] > 0]
        least = int(min(cell_n[l, i] for l in present))
        used = len(present) if len(present) <= least else least
        size = least // used * used if used else 0
        if len(present) < 2 or size < 4:
            want.append(np.nan); want_inf.append(np.nan); continue
        within, cross = [], []
        for l in present:
            r = e[(q == i) & (m == l)]; g = r @ r.T
            within.append(((g ** 2).sum() - (np.diag(g) ** 2).sum()) / (len(r) * (len(r) - 1)))
            for o in present:
                if o > l:
                    g = r @ e[(q == i) & (m == o)].T
                    cross.append((g ** 2).mean())
        A, B, share = np.mean(within), np.mean(cross), size / used
        single = np.mean([size ** 2 / (size + size * (size - 1) * w) for w in within])
        pool = lambda b: size ** 2 / (size + used * share * (share - 1) * A + used * (used - 1) * share ** 2 * b)
        want.append(pool(B) / single); want_inf.append(pool(b_inf) / single)
    same("ensemble gain", gains, want)
    same("ensemble gain: unrelated reference", per_query["ensemble_gain_unrelated"].astype(float), want_inf)
print("0 failed" if failures == 0 else f"{failures} failed")
sys.exit(failures > 0)
