"""Checks a directory of `hivescope reproduce infinity-chat` against numpy, scipy and scikit-learn.

usage: python tests/reproduce.py DIR INPUT.parquet

INPUT is the dump (Table 6 by np.histogram, the matrix by pooled means with self-pairs, Figure 8 by sorting, PCA by
scikit-learn) or the file of ratings (entropy, Tukey fences, disagreement, Spearman by scipy). Values must agree to 1e-9
relative. Principal components are skipped, and said to be, without scikit-learn; correlations without scipy.
"""
import csv, json, math, os, sys
from itertools import combinations
import numpy as np, pandas as pd, pyarrow.parquet as pq

out, source = sys.argv[1:]
data = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
table = pq.read_table(source)
lines = pq.read_table(os.path.join(out, "reproduction.parquet")).to_pandas()
for column in ("part", "name", "other"):
    lines[column] = lines[column].astype(object).where(lines[column].notna(), None)
failures = 0

def same(name, got, want):
    global failures
    got, want = np.asarray(got, float), np.asarray(want, float)
    ok = got.shape == want.shape and got.size > 0
    worst = float((np.abs(got - want) / np.maximum(np.abs(want), 1e-3)).max()) if ok else math.nan
    ok = ok and worst <= 1e-9
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}: {got.size} values, largest relative difference {worst:.2e}")

def values(part, column="value", **where):
    chosen = lines[lines.part == part]
    for key, value in where.items():
        chosen = chosen[chosen[key].isna()] if value is None else chosen[chosen[key] == value]
    return chosen[column].to_numpy(float)

def responses():
    found = json.load(open(os.path.join(out, "reproduction.json")))
    paper_name = {model["name"]: model["paper"] for model in found["models"] if model["paper"]}
    x = np.stack(table["embedding"].to_numpy()).astype(np.float64)
    e = x / np.linalg.norm(x, axis=1)[:, None]
    q, m = table["query"].to_numpy().astype(str), table["model"].to_numpy().astype(str)
    names, queries = sorted(paper_name), np.unique(q)
    published = {row[0]: [float(v) for v in row[1:]] for row in list(csv.reader(open(f"{data}/infinity_chat_table6.csv")))[1:]}
    high = {}
    for name in names:
        means = []
        for query in queries:
            rows = e[(q == query) & (m == name)]
            means.append((rows @ rows.T)[np.triu_indices(len(rows), 1)].mean())
        counts, _ = np.histogram(means, bins=10, range=(0, 1))
        percent = (counts / len(means) * 100)[::-1]
        same(f"Table 6: {name}", values("table_6", name=name), percent)
        same(f"Table 6 published: {name}", values("table_6", "published", name=name), published[paper_name[name]])
        high[name] = percent
    average = np.mean([high[name] for name in names], axis=0)
    same("Table 6 average", values("table_6_average"), average)
    same("share at or above .8", values("share_at_least_0_8", name=None), [average[:2].sum()] * 3)
    block = list(csv.reader(open(f"{data}/infinity_chat_inter_block.csv")))
    block = {(row[0], name): float(v) for row in block[1:] for name, v in zip(block[0][1:], row[1:])}
    got, want, checked = [], [], 0
    for a, b in [(a, b) for k, a in enumerate(names) for b in names[k:]]:
        pooled = np.concatenate([(e[(q == query) & (m == a)] @ e[(q == query) & (m == b)].T).ravel() for query in queries])
        line = lines[(lines.part == "inter") & (lines.name == a) & (lines.other == b)]
        got.append(float(line["value"].iloc[0])); want.append(100 * pooled.mean())
        pair = tuple(paper_name[name].split("/")[-1] for name in (a, b))
        if pair in block:
            same(f"published: {pair}", line["published"], [block[pair]]); checked += 1
    same("inter, self-pairs on the diagonal", got, want)
    assert checked, "no pair of the block"
    f, kept = x.astype(np.float32).astype(np.float64), np.isin(m, names)
    norm = np.linalg.norm(f, axis=1)
    for size in (5, 10, 20):
        over = []
        for query in queries:
            rows = np.flatnonzero((q == query) & kept)
            s = ((f[rows] @ f[rows].T) / np.outer(norm[rows], norm[rows])).astype(np.float32)
            np.fill_diagonal(s, -np.inf)
            over.append(np.mean([len(set(m[rows[np.argsort(-line, kind="stable")[:size]]])) for line in s]))
        same(f"Figure 8 at {size}", values("figure_8", name="seen", other=str(size)), [np.mean(over)])
    try:
        from sklearn.decomposition import PCA
    except ImportError:
        print("skip principal components: no scikit-learn")
        return
    points = pq.read_table(os.path.join(out, "pca.parquet")).to_pandas()
    rows = points["file_row"].to_numpy()
    assert set(rows) == set(np.flatnonzero((q == found["pca"]["query"]) & kept))
    fitted = PCA(2, svd_solver="full").fit(x[rows])
    sign = np.sign(fitted.components_[[0, 1], np.abs(fitted.components_).argmax(1)])
    want = fitted.transform(x[rows]) * sign
    got = points[["x", "y"]].to_numpy()
    same("PCA", got + 10, want + 10)
    same("PCA: variance", found["pca"]["explained"], fitted.explained_variance_ratio_)

def rated():
    labels = [np.asarray(line, float) for line in table["human_labels"].to_pylist()]
    pairwise = "response_1" in table.column_names
    human = np.array([line.mean() for line in labels])
    if pairwise:
        counts = np.array([[(line > 0).sum(), (line < 0).sum(), (line == 0).sum()] for line in labels])
        disagreement = 1 - (counts[:, :2].max(1) + 0.5 * counts[:, 2]) / counts.sum(1)
        score = table["judge_1"].to_numpy() - table["judge_2"].to_numpy()
        order = np.argsort(-disagreement, kind="stable")
        subsets = {f"top {p} % disagreement": order[: int(len(order) * p / 100)] for p in range(60, 100, 5)}
    else:
        def entropy(line):
            p = np.unique(line, return_counts=True)[1] / len(line)
            return -(p * np.log2(p)).sum() + 0.0
        disagreement = np.array([entropy(line) for line in labels])
        score = table["judge"].to_numpy()
        q1, q3 = np.percentile(human, [25, 75])
        subsets = {}
        for k in np.arange(0.5, 3.1, 0.5):
            subsets[f"fences k = {k:.1f}"] = np.flatnonzero((human >= q1 - k * (q3 - q1)) & (human <= q3 + k * (q3 - q1)))
        for p in range(2, 17, 2):
            least = np.percentile(disagreement, 100 - p)
            subsets[f"top {p} % entropy"] = np.flatnonzero(disagreement >= least - 1e-12)
    subsets["all"] = np.arange(len(labels))
    items = pq.read_table(os.path.join(out, "ratings.parquet")).to_pandas()
    same("human", items["human"], human)
    same("disagreement", items["disagreement"], disagreement)
    try:
        from scipy.stats import spearmanr
    except ImportError:
        spearmanr = None
        print("skip correlations: no scipy")
    for name, rows in subsets.items():
        same(f"{name}: items", values("ratings_disagreement", "n", other=name), [len(rows)])
        same(f"{name}: mean", values("ratings_disagreement", other=name), [disagreement[rows].mean()])
        rho = spearmanr(score[rows], human[rows]).statistic if spearmanr else math.nan
        if not math.isnan(rho):
            same(f"{name}: Spearman", values("ratings_correlation", name="judge", other=name), [rho])

(responses if "embedding" in table.column_names else rated)()
print("0 failed" if failures == 0 else f"{failures} failed")
sys.exit(failures > 0)
