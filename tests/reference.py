"""Checks a result directory against numpy in f64, independently of hivescope's code.

usage: python tests/reference.py DIR INPUT.parquet [INPUT.parquet ...]

Neighbours must be identical in order and similarities equal to the f64 cosine rounded to f32; histogram counts must be
equal; means (as the paper has them, and adjusted), floors, intra and its bins, Vendi of queries and models, top-N,
nearest shares, ensemble gain, and the headlines with and without models that answer regardless must agree to 1e-9
relative; intervals too, by the same counter-based resamples (not those of rankings). Distinct
meanings: clusters by scipy, Hill numbers from exact binomial coefficients, adjusted Rand by scikit-learn. Shares of
variation, the headline without refusals, copies and at like length from all pairs, rank correlations and quantiles of
rankings by scipy; what rests on draws or permutations within the error of other draws.
Needs numpy, pandas, pyarrow; distinct meanings are skipped, and said to be, without scipy and scikit-learn. INPUTs in bytewise order, as hivescope reads them.
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

# Copies of a query (white space and case folded) are one question.
question = np.unique([" ".join(name.split()).lower() for name in queries], return_inverse=True)[1][q]

# Neighbours and histogram, a strip of rows at a time.
neighbors = read("neighbors.parquet")
k = int(neighbors["rank"].max())
counts = np.zeros((4, 200), np.int64)
edges = (np.arange(201) - 100) / 100
wrong = 0
by_src = neighbors["src"].to_numpy(); dst = neighbors["dst"].to_numpy(); sim = neighbors["similarity"].to_numpy()
starts = np.searchsorted(by_src, np.arange(n + 1))
nearest_other, nearest_query = np.zeros(n), np.zeros(n)
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
        nearest_query[i] = (question[tied] != question[i]).mean()
        later = s[i - a, i + 1:].astype(np.float64)
        relation = 2 * (question[i + 1:] != question[i]) + (m[i + 1:] != m[i])
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
# Floors are of different questions.
asked_n = np.zeros((M, question.max() + 1)); np.add.at(asked_n, (m, question), 1)
asked = np.zeros((M, question.max() + 1, d)); np.add.at(asked, (m, question), e)
asked_gram = sum(asked[:, i] @ asked[:, i].T for i in range(asked.shape[1]))
pairs = read("model_pairs.parquet")
index = {name: i for i, name in enumerate(models)}
a = pairs["model_a"].astype(str).map(index).to_numpy(); b = pairs["model_b"].astype(str).map(index).to_numpy()
off = a != b
with np.errstate(all="ignore"):
    inter = gram.sum(2) / weights.sum(2)
    floor = (total @ total.T - asked_gram) / (np.outer(count, count) - asked_n @ asked_n.T)
    both = weights > 0
    query_mean = np.where(both, gram / weights, 0).sum(2) / both.sum(2)
    intra_cell = (square - cell_n) / (cell_n * (cell_n - 1))
same("model pairs: mean", pairs["mean"][off], inter[a[off], b[off]])
same("model pairs: query_mean", pairs["query_mean"][off], query_mean[a[off], b[off]])
same("model pairs: floor", pairs["floor"], floor[a, b])

def student_quantile(df):
    """97.5 % quantile of Student's t: bisection on Gauss-Legendre integrals of its density."""
    places, shares = np.polynomial.legendre.leggauss(200)
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    inside = lambda t: (shares * (1 + ((places + 1) * t / 2) ** 2 / df) ** (-(df + 1) / 2)).sum() * t / 2 * scale
    low, high = 0.0, 20.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < 0.475 else (low, middle)
    return low

STREAMS = {"compression": 6122349531753180993, "intervals": 10553661638929736596, "teams": 11344278840823884541}  # first 8 bytes of blake3(name)
SEED = json.load(open(os.path.join(out, "manifest.json")))["settings"]["effective"]["seed"]

def philox_bits(a, b, stream):
    """64 random bits of a stream at counters (a, b), which are arrays of one shape: Philox 4x32-10."""
    a, b, key = np.asarray(a, np.uint64), np.asarray(b, np.uint64), SEED ^ STREAMS[stream]
    right, half, keys = np.uint64(0xFFFFFFFF), np.uint64(32), [key & 0xFFFFFFFF, key >> 32]
    c = [a & right, a >> half, b & right, b >> half]
    for _ in range(10):
        low, high = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(high >> half) ^ c[1] ^ np.uint64(keys[0]), high & right, (low >> half) ^ c[3] ^ np.uint64(keys[1]), low & right]
        keys = [(keys[0] + 0x9E3779B9) % 2**32, (keys[1] + 0xBB67AE85) % 2**32]
    return c[0] | c[1] << half

def resamples(units, stream, known={}):
    """How often each of 1,000 resamples draws each unit."""
    if (units, stream) not in known:
        r, i = np.meshgrid(np.arange(1000), np.arange(units), indexing="ij")
        # floor(bits * units / 2^64) by halves of 32 bits; units are under 2^32.
        bits, half = philox_bits(r, i, stream), np.uint64(32)
        carry = (bits & np.uint64(0xFFFFFFFF)) * np.uint64(units) >> half
        drawn = ((bits >> half) * np.uint64(units) + carry) >> half
        counts = np.zeros((1000, units))
        np.add.at(counts, (r.ravel(), drawn.ravel().astype(int)), 1)
        known[units, stream] = counts
    return known[units, stream]

def between(value, error, k, missed):
    """Limits of a number over k units where resamples missed it by so many of their own standard errors."""
    student = student_quantile(min(k, 1000) - 1)
    low, high = np.quantile(np.clip(missed, -2 * student, 2 * student), [0.025, 0.975])
    away = lambda far: error * max(far, student)
    return value - away(high), value + away(-low)

def interval(top, bottom, at=None, units=None, stream="intervals", logarithm=False, over=None):
    """95 % interval of sum(top) / sum(bottom) over queries, or of its logarithm; None under 5. `at` are the places of the
    queries among `units` of them; without it those with a denominator count. `over` is how many it rests on, if not all."""
    if at is None:
        at = np.flatnonzero(bottom > 0)
        top, bottom = top[at], bottom[at]
    top, bottom, at, k = np.asarray(top, float), np.asarray(bottom, float), np.asarray(at, int), over or len(top)
    if k < 5:
        return None
    spread = lambda ratio, w: np.sqrt((w * (top - np.multiply.outer(ratio, bottom)) ** 2).sum(-1) * k / (k - 1)) / (w * bottom).sum(-1)
    ratio = top.sum() / bottom.sum()
    error = spread(ratio, np.ones(len(top)))
    value, error = (math.log(ratio), error / ratio) if logarithm else (ratio, error)
    if k < 10:
        half = student_quantile(k - 1) * error
        return value - half, value + half
    w = resamples(Q if units is None else units, stream)[:, at]
    w = w[w @ bottom > 0]
    again = w @ top / (w @ bottom)
    errors = spread(again, w)
    with np.errstate(all="ignore"):
        missed, errors = (np.where(again > 0, np.log(again), -np.inf) - value, np.abs(errors / again)) if logarithm else (again - value, errors)
    with np.errstate(all="ignore"):
        # What differs by rounding alone is the same.
        missed = np.where(np.abs(missed) <= 1e-15, 0, missed / np.where(errors <= 1e-15, 0, errors))
    return between(value, error, k, missed)

def moves(sums, counts):
    """How far sum(sums) / sum(counts), by question, moves with each query; every pair is in the sums of both its questions."""
    of_question = 2 * (sums - sums.sum() / counts.sum() * counts) / counts.sum()
    asked_as = np.unique(q * (question.max() + 1) + question)  # a pair (query, question) once
    of = np.zeros(Q); of[asked_as // (question.max() + 1)] = of_question[asked_as % (question.max() + 1)]
    copies = np.bincount(asked_as % (question.max() + 1))
    return of / copies[asked_as % (question.max() + 1)]

def carried(top, bottom, slope, moved, at=None):
    """Numerators with what their queries do to a number that the ratio grows by `slope` with."""
    at = np.arange(Q) if at is None else np.asarray(at, int)
    used = bottom != 0
    own = moved[at]
    return np.where(used, top + slope * bottom.sum() * (own - own[used].mean()), top)

def linearised(top, bottom):
    """Ratio of sums, its standard error, and how many queries it is of."""
    used = bottom > 0
    top, bottom = top[used], bottom[used]
    ratio = top.sum() / bottom.sum()
    return ratio, math.sqrt(((top - ratio * bottom) ** 2).sum() * len(top) / max(len(top) - 1, 1)) / bottom.sum(), len(top)

whole = asked.sum(0)
floor_sums, floor_counts = (whole * (total.sum(0) - whole)).sum(1), asked_n.sum(0) * (n - asked_n.sum(0))
if M > 1:
    floor_sums = floor_sums - (asked * (total[:, None] - asked)).sum((0, 2))
    floor_counts = floor_counts - (asked_n * (count[:, None] - asked_n)).sum(0)
FLOOR_MOVES = moves(floor_sums, floor_counts) if floor_counts.sum() > 0 else np.zeros(Q)

def beta_cdf(x, a, b):
    """Gauss-Legendre integrals of the density, on panels that halve towards the nearer end."""
    places, shares = np.polynomial.legendre.leggauss(40)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    edges = np.r_[0.0, 2.0 ** -np.arange(80)[::-1]]
    middles, halves = (edges[1:] + edges[:-1])[:, None] / 2, (edges[1:] - edges[:-1])[:, None] / 2
    def below(x, a, b):
        t = x * (middles + halves * places)
        return (x * halves * shares * np.exp(scale + (a - 1) * np.log(t) + (b - 1) * np.log1p(-t))).sum()
    return below(x, a, b) if a < b else 1 - below(1 - x, b, a)

def gamma_cdf(x, shape):
    """Gauss-Legendre integrals of the density, on panels that halve towards 0."""
    places, shares = np.polynomial.legendre.leggauss(40)
    edges = np.r_[0.0, 2.0 ** -np.arange(200)[::-1]]
    middles, halves = (edges[1:] + edges[:-1])[:, None] / 2, (edges[1:] - edges[:-1])[:, None] / 2
    t = x * (middles + halves * places)
    return (x * halves * shares * np.exp((shape - 1) * np.log(t) - t - math.lgamma(shape))).sum()

def reached(p, high, *functions):
    """Where the mean of distribution functions is p."""
    low = 0.0
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (middle, high) if np.mean([f(middle) for f in functions]) < p else (low, middle)
    return (low + high) / 2

def share_limits(found, top, bottom):
    """An interval of a share beside the usual one, or near an edge beside binomial limits: mid-P on its side, exact
    and of fewer responses on the other."""
    used = bottom > 0
    away = min(10, used.sum())
    got = [found["low"], found["high"]] if found else [np.nan] * 2
    if used.sum() < 5:
        return got, [np.nan] * 2
    if (top[used] > 0).sum() >= away and (top[used] < bottom[used]).sum() >= away:
        plain = interval(top, bottom)
        return got, [max(plain[0], 0), min(plain[1], 1)]
    size, (rate, error, k) = bottom.sum(), linearised(top, bottom)
    few, many = student_quantile(min(k, 1000) - 1), student_quantile(min(int(size), 1000) - 1)
    counts = min(rate * (1 - rate) / error ** 2, size) if error > 0 else k
    fewer = counts * (many / few) ** 2 if error > 0 else k
    at_least = lambda n: lambda x: beta_cdf(x, n * rate, n * (1 - rate) + 1)
    more = lambda n: lambda x: beta_cdf(x, n * rate + 1, n * (1 - rate))
    near, low, high = [at_least(counts), more(counts)], [at_least(fewer)], [more(fewer)]
    low, high = near if rate < 0.5 else low, near if rate > 0.5 else high
    return got, [reached(0.025, 1.0, *low) if rate > 0 else 0, reached(0.975, 1.0, *high) if rate < 1 else 1]

def labels_limits(top, bottom, most, slope=0.0, at=None, least=1):
    """Interval of a number of labels in units that have one at least and by query at `most` so many, with what the floor does
    to its cut: of the logarithm of what it has beyond `least`; near one label, or near the most, limits of sums of Poisson counts,
    mid-P on the side of the edge (Fay & Kim 2017), exact on the other (Fay & Feuer 1997). `at` are the places of the queries; without it those with a denominator count."""
    most = np.asarray(most, float)
    if at is None:
        at = np.flatnonzero(bottom > 0)
        top, bottom, most = top[at], bottom[at], most[at]
    k = len(top)
    if k < 5:
        return None
    units = bottom.mean()
    events = lambda own: own.sum() ** 2 / (own ** 2).sum()
    below = lambda own: lambda x: gamma_cdf(x * k * own.sum() / (own ** 2).sum(), events(own))
    def rare(counts):
        own = counts[counts > 1e-9]
        if len(own) and events(own) >= min(12, k / 2):
            return None
        one_more = np.append(own, own.max() if len(own) else 1.0)
        more, far = below(one_more), 60 * one_more.sum() / k
        return reached(0.025, far, below(own), more) if len(own) else 0.0, reached(0.975, far, more)
    value, inside = top.sum() / bottom.sum(), lambda low, high: (max(low, 1.0), min(high, (most / bottom).max()))
    beyond, short = rare((top - bottom) / units), rare((most - top) / units)
    if beyond is None and short is None:
        found = interval(carried(top, bottom, slope, FLOOR_MOVES, at) - least * bottom, bottom, at, logarithm=True)
        return inside(least + math.exp(found[0]), least + math.exp(found[1]))
    edge, (low, high) = (1, [1 + x for x in beyond]) if beyond else (most.mean() / units, [most.mean() / units - x for x in short[::-1]])
    error = math.sqrt((FLOOR_MOVES ** 2).sum() * Q / max(Q - 1, 1))
    moved = student_quantile(min(k, 1000) - 1) * slope * error
    def nearer(limit):
        """On the side of the edge: where the number is as far away as what it moves there lets it."""
        if abs(value - edge) < 1e-15:
            return edge
        start, end = (edge, limit) if edge < limit else (limit, edge)
        for _ in range(200):
            middle = (start + end) / 2
            beyond = abs(value - middle) > math.hypot(value - limit, moved * (middle - edge) / (value - edge))
            start, end = ((middle, end) if beyond else (start, middle)) if edge < limit else ((start, middle) if beyond else (middle, end))
        return (start + end) / 2
    far = lambda limit: math.hypot(limit - value, moved)
    return inside(*((nearer(low), value + far(high)) if beyond else (value - far(low), nearer(high))))

def adjusted(values):
    """Comparable means of units x queries with gaps: over common queries if they are half, else least squares."""
    values = np.asarray(values, float)
    there = ~np.isnan(values)
    units, columns = there.any(1), there.any(0)
    common = there[units].all(0) & columns
    out = np.full(len(values), np.nan)
    if not columns.any():
        return out
    if 2 * common.sum() >= columns.sum():
        out[units] = values[units][:, common].mean(1)
        return out
    u, c = np.nonzero(there)
    design = np.zeros((len(u), values.shape[0] + values.shape[1]))
    design[np.arange(len(u)), u] = 1; design[np.arange(len(u)), values.shape[0] + c] = 1
    fit = np.linalg.lstsq(design, values[u, c], rcond=None)[0]
    out[units] = fit[: len(values)][units] + fit[len(values):][columns].mean()
    return out

with np.errstate(all="ignore"):
    paper = gram.sum(2) / weights.sum(2)
    shared = np.where(both, gram / weights, np.nan)
same("model pairs: paper_mean", pairs["paper_mean"], paper[a, b])
adjusted_intra = adjusted(np.where(cell_n >= 2, intra_cell, np.nan))
want = np.full(len(pairs), np.nan)
want[off] = adjusted(shared[a[off], b[off]])
want[~off] = adjusted_intra[a[~off]]
same("model pairs: adjusted_mean", pairs["adjusted_mean"], want)
same("model pairs: diagonal", pairs["mean"][~off], [np.nansum(square[l][cell_n[l] >= 2] - cell_n[l][cell_n[l] >= 2]) / (cell_n[l] * (cell_n[l] - 1)).sum() if (cell_n[l] >= 2).any() else np.nan for l in a[~off]])
low, high = [], []
for i, j in zip(a, b):
    top, bottom = (gram[i, j], weights[i, j]) if i != j else (square[i] - cell_n[i], cell_n[i] * (cell_n[i] - 1))
    ci = interval(np.where(bottom > 0, top, 0), bottom) or (np.nan, np.nan)
    low.append(ci[0]); high.append(ci[1])
same("model pairs: intervals", np.r_[pairs["ci_low"], pairs["ci_high"]], low + high)
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
with np.errstate(all="ignore"):
    same("queries: mean", per_query["mean"], np.where(N > 1, ((S ** 2).sum(1) - N) / (N * (N - 1)), np.nan)[order])
    same("queries: intra_mean", per_query["intra_mean"], np.where((cell_n >= 2).any(0), (square - cell_n).sum(0) / (cell_n * (cell_n - 1)).sum(0), np.nan)[order])

# Models: means over queries, bins, effective numbers at the same n.
per_model = read("models.parquet")
of = per_model["model"].astype(str).map(index).to_numpy()
means = [intra_cell[l][cell_n[l] >= 2] for l in of]
mean_or_nan = lambda x: x.mean() if len(x) else np.nan
same("models: n", per_model["n"], count[of])
same("models: common_queries", per_model["common_queries"], [(cell_n > 0).all(0).sum()] * len(of))
same("models: intra_mean", per_model["intra_mean"], [mean_or_nan(x) for x in means])
same("models: intra_adjusted", per_model["intra_adjusted"], adjusted_intra[of])
same("models: share_ge_0_8", per_model["share_ge_0_8"], [100 * mean_or_nan(x >= 0.8) for x in means])
same("models: underflow", per_model["bins_underflow"], [100 * mean_or_nan(x < 0) for x in means])
same("models: floor", per_model["floor"], floor[of, of])
# Bins of the table's own means (checked above): whether a mean of copies is 1 or the next number decides a paper bin.
tabled = [intra["mean"].to_numpy()[ia == l] if len(intra) else np.zeros(0) for l in of]
for column, edit, edges10 in (("paper_bins", lambda x: x, None), ("bins", lambda x: np.where(abs(x - 1) <= 1e-9, 1, x), np.arange(11) / 10)):
    want = [np.histogram(edit(x), bins=10 if edges10 is None else edges10, range=(0, 1))[0] * 100 / len(x) for x in tabled if len(x)]
    got = [list(x) for x in per_model[column] if x is not None]
    same(f"models: {column}", got, want)
alone = {}
for i in range(Q):
    counts_here = cell_n[:, i][cell_n[:, i] >= 2]
    for l in np.flatnonzero(cell_n[:, i] >= 2):
        alone.setdefault(l, []).append(vendi(e[(q == i) & (m == l)][: int(counts_here.min())]))
for column, place in (("vendi_1", 0), ("vendi_2", 1)):
    same(f"models: {column}", per_model[column], [np.mean(alone[l], 0)[place] if l in alone else np.nan for l in of])
asked_sum, asked_all = (asked.sum(0) ** 2).sum(), (asked_n.sum(0) ** 2).sum()
f_total = (e.sum(0) ** 2).sum() - asked_sum - (total ** 2).sum() + (asked ** 2).sum()
f_pairs = n * n - asked_all - (count ** 2).sum() + (asked_n ** 2).sum()
if M == 1:
    f_total, f_pairs = (e.sum(0) ** 2).sum() - asked_sum, n * n - asked_all
summary = json.load(open(os.path.join(out, "summary.json")))
same("corpus floor", [summary["floor"]], [f_total / f_pairs])
schema = pq.read_schema(inputs[0]).names
people = np.zeros(M, bool)  # models whose rows are all people's are no part of the headline
if "source" in schema:
    source = np.concatenate([pq.read_table(f, columns=["source"])["source"].to_numpy() for f in inputs])
    people = np.array([(source[m == l] == "human").all() for l in range(M)])
kept = ~people if (~people).any() else ~people | True
regardless = np.diag(floor) > summary["floor"] + 0.1 * (1 - summary["floor"])
same("models: answers_regardless", per_model["answers_regardless"], regardless[of])
regular = kept & ~regardless
with np.errstate(all="ignore"):
    all_floor = ((e.sum(0) ** 2).sum() - asked_sum) / (n * n - asked_all)
    own = (total ** 2).sum() - (asked ** 2).sum(), (count ** 2).sum() - (asked_n ** 2).sum()
same("floors: same model, all", [summary["floors"]["same_model"], summary["floors"]["all"]], [own[0] / own[1], all_floor])
headlines = {h["name"]: h for h in summary["headlines"]}

def headline(name, terms, moved=None):
    """Compares a headline, its interval, and the same without models that answer regardless."""
    if name not in headlines:
        return
    top, bottom = terms(kept)
    h = headlines[name]
    above = top if moved is None else carried(top, bottom, *moved)
    got, want = [h["value"]], [top.sum() / bottom.sum()]
    if h["label"].startswith("Share of answers"):
        limits_got, limits_want = share_limits(h["interval"], top, bottom)
        got, want = got + limits_got, want + limits_want
    else:
        some = np.flatnonzero(bottom != 0)
        ci = interval(above[some], bottom[some], some)
        got += [h["interval"]["low"], h["interval"]["high"]] if h["interval"] else [np.nan] * 2
        want += ci or [np.nan] * 2
    if (regular != kept).any() and regular.any():
        top, bottom = terms(regular)
        got.append(np.nan if h["without_regardless"] is None else h["without_regardless"])
        want.append(top.sum() / bottom.sum())
    same(f"headline {name}", got, want)

def inter_terms(keep):
    return (((cell[keep].sum(0) ** 2).sum(1) - square[keep].sum(0)) / 2, (cell_n[keep].sum(0) ** 2 - (cell_n[keep] ** 2).sum(0)) / 2)

def models_too(h, terms):
    """An interval for models in general: each of them left out in turn."""
    top, bottom = (np.asarray(of, float) for of in terms(kept))
    used = bottom > 0
    r, changes = top.sum() / bottom.sum(), []
    for model in np.flatnonzero(kept):
        without = terms(kept & (np.arange(len(kept)) != model))
        off = bottom - without[1]
        if (off > 0.5).any():
            if without[1].sum() < 0.5:
                return same(f"headline {h['name']}, models too: none", [h["interval_models_too"] is None], [1])
            changes.append(np.where(off > 0.5, (top - without[0] - r * off) / -without[1].sum(), np.nan))
    changes = np.array(changes)
    Q, M = used.sum(), len(changes)
    if Q < 5 or M < 5:
        return same(f"headline {h['name']}, models too: none", [h["interval_models_too"] is None], [1])
    by_query = Q / (Q - 1) * ((top - r * bottom) ** 2).sum() / bottom.sum() ** 2
    total = np.nansum(changes, 1)
    there = (~np.isnan(changes)).any(0)
    both = np.nansum((changes[:, there] - np.nanmean(changes[:, there], 0)) ** 2) * (M - 1) / M * Q / (Q - 1)
    by_model = (M - 1) / M * ((total - total.mean()) ** 2).sum()
    parts = max(by_query, both), max(by_model - both, 0)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (Q - 1) + parts[1] ** 2 / (M - 1)) if sum(parts) else 1
    half = math.sqrt(sum(parts)) * student_quantile(freedom)
    same(f"headline {h['name']}, models too", [h["interval_models_too"][side] for side in ("low", "high")], [r - half, r + half])

def vendi_terms(keep):
    value = [vendi(e[(q == i) & keep[m]])[0] if (keep[m] & (q == i)).any() else np.nan for i in range(Q)]
    return np.nan_to_num(value), (~np.isnan(value)).astype(float)

def nearest_terms(keep):
    credit, responses = np.zeros(Q), np.zeros(Q)
    for i in range(Q):
        rows = np.flatnonzero((q == i) & keep[m])
        if len(rows) < 2:
            continue
        s = ((x[rows] @ x[rows].T) / np.outer(norm[rows], norm[rows])).astype(np.float32)
        np.fill_diagonal(s, -np.inf)
        credit[i] = sum((m[rows][r == r.max()] != m[rows][j]).mean() for j, r in enumerate(s)); responses[i] = len(rows)
    return credit, responses

def unrelated_square(keep):
    rows = keep[m]
    square2 = lambda mask: ((e[mask].T @ e[mask]) ** 2).sum() if mask.any() else 0.0
    asked_by = lambda i, l: e[rows & (question == i) & (m == l)]
    inside = sum(((asked_by(i, l) @ asked_by(i, l).T) ** 2).sum() for i in range(asked_n.shape[1]) for l in np.flatnonzero(keep) if asked_n[l, i])
    top = square2(rows) - sum(square2(rows & (question == i)) for i in range(asked_n.shape[1])) - sum(square2(m == l) for l in np.flatnonzero(keep)) + inside
    here = asked_n[keep]
    return top / (here.sum() ** 2 - (here.sum(0) ** 2).sum() - (here.sum(1) ** 2).sum() + (here ** 2).sum())

def gain_of(i, keep, b_inf):
    """(gain, unrelated gain) of query i, or None."""
    present = [l for l in np.flatnonzero(keep) if cell_n[l, i] > 0]
    least = int(min((cell_n[l, i] for l in present), default=0))
    used = len(present) if len(present) <= least else least
    size = least // used * used if used else 0
    if len(present) < 2 or size < 4:
        return None
    within, cross = [], []
    for l in present:
        r = e[(q == i) & (m == l)]; g = r @ r.T
        within.append(((g ** 2).sum() - (np.diag(g) ** 2).sum()) / (len(r) * (len(r) - 1)))
        for o in present:
            if o > l:
                cross.append(((r @ e[(q == i) & (m == o)].T) ** 2).mean())
    A, B, share = np.mean(within), np.mean(cross), size / used
    single = np.mean([size ** 2 / (size + size * (size - 1) * w) for w in within])
    pool = lambda b: size ** 2 / (size + used * share * (share - 1) * A + used * (used - 1) * share ** 2 * b)
    return pool(B) / single, pool(b_inf) / single

def gain_terms(keep, b_inf=None):
    b_inf = unrelated_square(keep) if b_inf is None else b_inf
    found = [gain_of(i, keep, b_inf) for i in range(Q)]
    return np.array([g[0] - 1 if g else 0.0 for g in found]), np.array([g[1] - 1 if g else 0.0 for g in found])

def within_square(i, keep):
    """Mean over models of the mean squared cosine of two of its responses to a query."""
    of = []
    for l in np.flatnonzero(keep & (cell_n[:, i] >= 2)):
        r = e[(q == i) & (m == l)]
        of.append((((r @ r.T) ** 2).sum() - len(r)) / (len(r) * (len(r) - 1)))
    return np.mean(of) if of else np.nan

def moves_of_mean(values):
    """How far a mean of one value a query moves with each."""
    there = ~np.isnan(values)
    return np.where(there, (values - values[there].mean()) / there.sum(), 0.0) if there.any() else np.zeros(len(values))

def worth_terms(keep):
    value = np.zeros(Q); some = np.zeros(Q)
    for i in range(Q):
        r = e[(q == i) & keep[m]]
        if len(r) >= 2:
            g = (r @ r.T) ** 2
            value[i] = len(r) ** 2 / (len(r) + g.sum() - np.diag(g).sum()); some[i] = 1
    return value, some

intra_terms = lambda keep: ((square - cell_n)[keep].sum(0), (cell_n * (cell_n - 1))[keep].sum(0))
for name, terms in (("inter_mean", inter_terms), ("intra_mean", intra_terms)):
    headline(name, terms)
    if name in headlines:
        models_too(headlines[name], terms)
headline("vendi_1", vendi_terms)
headline("nearest_other_model", nearest_terms)
headline("models_worth", worth_terms)
def gain_moves():
    """What the gain grows by with the squares of unrelated answers, and how these move with each query: of 64 answers to it."""
    b_inf = unrelated_square(kept)
    share = lambda b: np.divide(*[t.sum() for t in gain_terms(kept, b)])
    moment = e.T @ e
    of_models = [e[m == l].T @ e[m == l] for l in range(M)]
    sums, counts = np.zeros(question.max() + 1), np.zeros(question.max() + 1)
    for u in range(question.max() + 1):
        rows = np.lexsort((np.arange(n), m, q))
        rows = rows[question[rows] == u]
        looked = rows[np.arange(min(len(rows), 64)) * len(rows) // min(len(rows), 64)]
        own = sum((((e[q == i] @ e[q == i].T) ** 2) * (m[q == i][:, None] != m[q == i][None, :])).sum() for i in np.unique(q[rows]))
        others = sum(e[i] @ (moment - of_models[m[i]]) @ e[i] for i in looked)
        sums[u] = others / len(looked) * len(rows) - own
        mine = np.bincount(m[rows], minlength=M)
        counts[u] = len(rows) * (n - len(rows)) - (mine * (count - mine)).sum()
    return (share(1.001 * b_inf) - share(0.999 * b_inf)) / (0.002 * b_inf), moves(sums, counts)

GAIN_MOVES = gain_moves() if "ensemble_gain" in headlines else None
headline("ensemble_gain", gain_terms, GAIN_MOVES)
for name, credit in (("nearest_other_model_corpus", nearest_other), ("nearest_other_query_corpus", nearest_query)):
    if name in headlines:
        same(f"headline {name}", [headlines[name]["value"]], [credit.mean()])
if "models_worth" in headlines:
    b_inf, size = unrelated_square(kept), (cell_n[kept] > 0).sum(0)
    size = size[size >= 2]
    same("models_worth: unrelated reference", [headlines["models_worth"]["floor"]], [np.mean(size ** 2 / (size + size * (size - 1) * b_inf))])

# Top N, nearest share and ensemble gain, where a cell has more than one response.
topn = read("topn.parquet")
def log_choose(a, b):
    return -np.inf if b > a else math.lgamma(a + 1) - math.lgamma(b + 1) - math.lgamma(a - b + 1)
if len(topn):
    found = {(r.query, int(r.top_n)): r for r in topn.itertuples()}
    got, want, got_null, want_null, got_least, want_least, want_near, want_null_near = [], [], [], [], [], [], [], []
    for i in order:
        rows = np.flatnonzero(q == i)
        if len(rows) < 2:
            want_near.append(np.nan); want_null_near.append(np.nan)
            continue
        labels = m[rows]
        s = ((x[rows] @ x[rows].T) / np.outer(norm[rows], norm[rows])).astype(np.float32)
        np.fill_diagonal(s, -np.inf)
        credit = [(labels[r == r.max()] != labels[j]).mean() for j, r in enumerate(s)]
        want_near.append(np.mean(credit))
        want_null_near.append(np.mean([1 - ((labels == l).sum() - 1) / (len(rows) - 1) for l in labels]))
        for top in range(5, 51, 5):
            if (queries[i], top) not in found:
                continue
            values, nulls, leasts = [], [], []
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
                leasts.append(1 + np.searchsorted(np.cumsum(np.sort(rest)[::-1]), top))
                nulls.append(sum(1 - math.exp(log_choose(rest.sum() - t, top) - log_choose(rest.sum(), top)) for t in rest if t))
            r = found[(queries[i], top)]
            got.append(r.distinct_models_mean); want.append(np.mean(values)); got_null.append(r.null); want_null.append(np.mean(nulls))
            got_least.append(r.least); want_least.append(np.mean(leasts))
    same("top N: distinct models", got, want)
    same("top N: null", got_null, want_null)
    same("top N: fewest models", got_least, want_least)
    same("nearest share", per_query["nearest_other_model"], want_near)
    same("nearest share: null", per_query["nearest_null"], want_null_near)
gains = per_query["ensemble_gain"].astype(float).to_numpy()
if not np.isnan(gains).all():
    everyone = np.ones(M, bool)
    b_inf = unrelated_square(everyone)
    want = [gain_of(i, everyone, b_inf) or (np.nan, np.nan) for i in order]
    same("ensemble gain", gains, [w[0] for w in want])
    same("ensemble gain: unrelated reference", per_query["ensemble_gain_unrelated"].astype(float), [w[1] for w in want])

# Distinct meanings.
def exact_hill(counts, m):
    """Hill numbers of order 0, 1, 2 of m draws without replacement, from E f_k in exact binomial coefficients."""
    n = int(sum(counts))
    if m == 1:
        return 1.0, 1.0, 1.0
    expected = [0.0] * (m + 1)
    for size, labels in zip(*np.unique(counts, return_counts=True)):
        size, labels = int(size), int(labels)
        for k in range(max(0, m + size - n), min(size, m) + 1):
            expected[k] += labels * (math.comb(size, k) * math.comb(n - size, m - k) / math.comb(n, m))
    k = np.arange(1, m + 1); p, f = k / m, np.array(expected[1:])
    return f.sum(), math.exp(-(p * np.log(p) * f).sum()), 1 / (p * p * f).sum()

typed = json.load(open(os.path.join(out, "manifest.json")))["settings"]["input"]
def column(role, *defaults):
    """Values of an optional column, or None."""
    name = typed.get(role) or next((c for d in defaults for c in schema if c.lower() == d), None)
    if name not in schema:
        return None
    return np.concatenate([pq.read_table(f, columns=[name])[name].to_numpy(zero_copy_only=False) for f in inputs])

def periods():
    """The group by time of each row, named by its first and last time; None without two times."""
    values = column("time", "time")
    if values is None:
        return None
    text = np.array([str(v) for v in values])
    value = np.array([float(v) for v in values]) if np.issubdtype(values.dtype, np.number) else pd.to_datetime(pd.Series(text), utc=True, format="ISO8601").astype("int64").to_numpy()
    times, counts = np.unique(value, return_counts=True)
    if len(times) < 2:
        return None
    before = np.cumsum(counts) - counts
    group = np.arange(len(times)) if len(times) <= 6 else (4 * (before + counts / 2) // counts.sum()).astype(int).clip(max=3)
    first_text = {t: min(text[value == t]) for t in times}
    name = {}
    for g in np.unique(group):
        ends = times[group == g][[0, -1]]
        name[g] = first_text[ends[0]] if ends[0] == ends[1] else f"{first_text[ends[0]]} to {first_text[ends[1]]}"
    return np.array([name[group[np.searchsorted(times, v)]] for v in value])

CLUSTERS = {}  # by cut, cluster of each row
SIDES = {}  # by cut, the two that it may move to: with a floor smaller and larger by twice its standard error
GIVEN = json.load(open(os.path.join(out, "manifest.json")))["settings"]["pass"]["tau"] is not None

def floor_slope(c, looser, tighter):
    """What a number grows by with the floor, from (tau, number) at two cuts."""
    return (1 - c) * (tighter[1] - looser[1]) / (tighter[0] - looser[0]) if tighter[0] > looser[0] else 0.0

def meanings_reference():
    try:
        from scipy.cluster.hierarchy import fcluster, linkage
        from sklearn.metrics import adjusted_rand_score, pair_confusion_matrix
    except ImportError as missing:
        print(f"skip distinct meanings: {missing}")
        return
    table = read("meanings.parquet") if os.path.exists(os.path.join(out, "meanings.parquet")) else None
    def names(role):
        values = column(role, role)
        return None if values is None else np.array(["" if v is None or v != v else str(v) for v in values])
    f, given = summary["floor"], summary["meanings"]
    classes = names("class")
    kinds = [("all", np.full(n, "all"))] + [("model", models[m])] + [(role, names(role)) for role in ("source", "stage")]
    kinds.append(("time", periods()))
    labellings = [] if classes is None else [("class", np.nan, np.nan)]
    taus = {round(c, 1): f + c * (1 - f) for c in (0.5, 0.6, 0.7, 0.8, 0.9)} if f is not None else {}
    cuts = sorted(taus.values())
    if given and given["tau"] is not None and not any(abs(t - given["tau"]) < 1e-9 for t in cuts):
        cuts = sorted(cuts + [given["tau"]])
    chosen = min(range(len(cuts)), key=lambda i: abs(cuts[i] - given["tau"])) if given and given["tau"] is not None else None
    labellings += [("cluster", (t - f) / (1 - f) if f is not None else np.nan, t) for t in cuts]
    want, cluster, per = [], np.full(n, -1), {}
    error = math.sqrt((FLOOR_MOVES ** 2).sum() * Q / (Q - 1)) if Q > 1 else 0.0
    for tau in cuts:
        if f is not None and error > 0 and not (GIVEN and cuts.index(tau) == chosen):
            far = 2 * (1 - (tau - f) / (1 - f)) * error
            SIDES[tau] = [max(tau - far, -1), min(tau + far, 1)]
    shown = labellings
    further = [("cluster", np.nan, t) for tau in cuts for t in SIDES.get(tau, [])]
    sides_of_models = {}
    place_of = {t: len(shown) + k for k, (_, _, t) in enumerate(further)}
    for i in range(Q):
        rows = np.flatnonzero(q == i)
        tree = linkage(np.maximum(1 - (e[rows] @ e[rows].T), 0)[np.triu_indices(len(rows), 1)], "average") if len(rows) > 1 else None
        for place, (source, c, tau) in enumerate(shown + further):
            if source == "class":
                labels = classes[rows]
            else:
                labels = fcluster(tree, 1 - tau, "distance").astype(str) if tree is not None else np.array(["1"] * len(rows))
                CLUSTERS.setdefault(tau, np.full(n, -1.0))[rows] = labels.astype(float)
                if place < len(shown) and cuts.index(tau) == chosen:
                    cluster[rows] = labels.astype(int)
            counted = labels != ""
            agree = np.nan
            both = (classes[rows] != "") if classes is not None else np.zeros(len(rows), bool)
            if source == "cluster" and both.sum() > 1:
                agree = adjusted_rand_score(classes[rows][both], labels[both])
            for by, values in kinds:
                if values is None:
                    continue
                groups = {g: np.unique(labels[(values[rows] == g) & counted], return_counts=True)[1] for g in sorted(set(values[rows]) - {""})}
                least = min((int(g.sum()) for g in groups.values() if g.sum() >= 2), default=None)
                for name, counts in groups.items():
                    size = int(counts.sum())
                    if size < 2:
                        continue
                    once, twice, seen = (counts == 1).sum(), (counts == 2).sum(), len(counts)
                    chao = seen + once * (once - 1) / (2 * (twice + 1)) if once < size else np.nan
                    per_1000 = np.nan
                    if size >= 1000:
                        per_1000 = exact_hill(counts, 1000)[0]
                    elif size >= 500:
                        unseen = chao - seen
                        per_1000 = seen + (unseen * (1 - (1 - once / (size * unseen + once)) ** (1000 - size)) if unseen > 0 else 0)
                    hill = exact_hill(counts, least)
                    if place >= len(shown):
                        if by == "model":
                            sides_of_models.setdefault((tau, name), []).append(hill[0])
                        continue
                    want.append((queries[i], by, "" if by == "all" else name, place, size, seen, once, twice, 1 - once / size, chao, least,
                                 *hill, per_1000, agree if by == "all" else np.nan, tau, c))
            # What headlines count: the models that are kept.
            mine = kept[m[rows]] & counted
            cells = [np.unique(labels[mine & (m[rows] == l)], return_counts=True)[1] for l in np.unique(m[rows][mine])]
            cells = [cell for cell in cells if cell.sum() >= 2]
            everyone = np.unique(labels[mine], return_counts=True)[1]
            size = min((int(cell.sum()) for cell in cells), default=0)
            view = kept[m[rows]] & both
            per[i, place] = (
                exact_hill(everyone, int(everyone.sum())) if everyone.sum() > 1 else None,
                (sum(exact_hill(cell, size)[0] for cell in cells), len(cells)),
                exact_hill(everyone, size)[0] if size else 0.0,
                adjusted_rand_score(classes[rows][view], labels[view]) if source == "cluster" and view.sum() > 1 else np.nan,
                pair_confusion_matrix(classes[rows][view], labels[view]) if source == "cluster" and view.sum() > 1 else None,
                1 - (everyone == 1).sum() / max(everyone.sum(), 1),
                size,
            )
    want.sort(key=lambda line: (line[0].encode(), line[1], line[2].encode(), line[3]))
    if table is None:
        same("meanings: no table", [len(want)], [0])
        return
    keys = [(r.query, r.kind, "" if pd.isna(r.name) else r.name, r.labels) for r in table[["query", "kind", "name", "labels"]].itertuples(index=False, name="Line")]
    same("meanings: lines", [len(keys), sum(a != (w[0], w[1], w[2], labellings[w[3]][0]) for a, w in zip(keys, want))], [len(want), 0])
    for place, name in enumerate(["n", "distinct", "singletons", "doubletons", "coverage", "chao1", "at_n", "hill_0", "hill_1", "hill_2", "per_1000",
                                  "adjusted_rand", "tau", "c"]):
        same(f"meanings: {name}", table[name], [w[4 + place] for w in want])
    mean = lambda values: np.mean(values) if len(values) else np.nan
    def at_cut(place, terms_of, most, beside=None):
        """The interval of sums over queries at a labelling, with what the floor does to its cut."""
        terms, slope, sides = terms_of(place), 0.0, SIDES.get(shown[place][2])
        if sides:
            value = lambda t: beside(t) if beside else terms_of(place_of[t])[0].sum() / terms_of(place_of[t])[1].sum()
            slope = floor_slope(shown[place][1], *((t, value(t)) for t in sides))
        ci = labels_limits(*terms, most, slope)
        return [np.nan] * 2 if ci is None else list(ci)
    ends = lambda found: [found[side] if found else np.nan for side in ("low", "high")]
    responses = read("responses.parquet")
    if chosen is None:
        same("responses: no cluster", [responses["cluster"].notna().sum()], [0])
    else:
        found = responses["cluster"].to_numpy()
        same("responses: the clusters are scipy's", [adjusted_rand_score(found[q == i], cluster[q == i]) for i in range(Q)], np.ones(Q))
        sizes = [np.bincount(found[q == i].astype(int)) for i in range(Q)]
        same("responses: clusters are numbered by size", [(np.diff(size) > 0).sum() for size in sizes], np.zeros(Q))
        at = len(labellings) - len(cuts) + chosen
        lines = [w for w in want if w[1] == "all" and w[3] == at]
        found = {w[0]: w for w in lines}
        for name, place in (("distinct", 5), ("hill_1", 12), ("hill_2", 13), ("chao1", 9), ("coverage", 8)):
            same(f"queries: {name}", per_query[name].astype(float), [found[queries[i]][place] if queries[i] in found else np.nan for i in order])
        grid, at_n = np.full((M, Q), np.nan), np.zeros((M, Q))
        for w in want:
            if w[1] == "model" and w[3] == at:
                grid[index[w[2]], list(queries).index(w[0])] = w[11]
                at_n[index[w[2]], list(queries).index(w[0])] = w[10]
        with np.errstate(all="ignore"):
            plain = np.array([mean_or_nan(line[~np.isnan(line)]) for line in grid])
        same("models: distinct", per_model["distinct"], plain[of])
        limits_of_models = []
        for l in range(M):
            terms_of = lambda _: (np.nan_to_num(grid[l]), (~np.isnan(grid[l])).astype(float))
            some, mean_of = terms_of(at)[1].any(), lambda t: np.mean(sides_of_models[t, models[l]])
            limits_of_models.append(at_cut(at, terms_of, at_n[l], mean_of) if some else [np.nan] * 2)
        same("models: distinct, intervals", per_model[["distinct_ci_low", "distinct_ci_high"]].astype(float), np.array(limits_of_models)[of])
        same("models: distinct_adjusted", per_model["distinct_adjusted"], adjusted(grid)[of])
    for line in given["curve"]:
        place = min((p for p in range(len(labellings)) if (labellings[p][0] == "class") == (line["tau"] is None)),
                    key=lambda p: 0 if line["tau"] is None else abs(labellings[p][2] - line["tau"]))
        of_query = [per[i, place] for i in range(Q)]
        hills = np.array([p[0] for p in of_query if p[0]])
        sums = np.array([p[1] for p in of_query], float)
        found, possible = 0.0, 0.0
        for p in of_query:
            if p[4] is not None:
                (apart, second), (first, both) = p[4] / 2
                x, y, pairs = both + first, both + second, apart + first + second + both
                found, possible = found + both - x * y / pairs, possible + (x + y) / 2 - x * y / pairs
        none = np.nan
        got = [line[name] if line[name] is not None else none for name in ("distinct", "hill_1", "hill_2", "coverage", "model", "pooled", "adjusted_rand", "adjusted_rand_shared")]
        same(f"curve at {line['tau']}", got + [line["queries"]], [
            *hills.mean(0), mean([p[5] for p in of_query if p[0]]),
            sums[:, 0].sum() / sums[:, 1].sum() if sums[:, 1].sum() else none,
            sum(p[1][1] * p[2] for p in of_query) / sums[:, 1].sum() if sums[:, 1].sum() else none,
            mean([p[3] for p in of_query if p[3] == p[3]]), found / possible if possible > 1e-9 else none, len(hills)])
        everyone = lambda p: tuple(np.array([(per[i, p][0][0], 1.0) if per[i, p][0] else (0.0, 0.0) for i in range(Q)]).T)
        of_models = lambda p: tuple(np.array([per[i, p][1] for i in range(Q)], float).T)
        most = [int((kept[m] & (q == i) & ((classes != "") if line["tau"] is None else True)).sum()) for i in range(Q)]
        same(f"interval at {line['tau']}", ends(line["interval"]), at_cut(place, everyone, most))
        if line["model"] is not None:
            most = [p[1][1] * p[6] for p in of_query]
            same(f"interval of a model at {line['tau']}", ends(line["model_interval"]), at_cut(place, of_models, most))
        if line["chosen"]:
            same("headline distinct_meanings", [headlines["distinct_meanings"]["value"]], [line["distinct"]])
            if "model_meanings" in headlines:
                same("headline model_meanings", [headlines["model_meanings"]["value"], headlines["model_meanings"]["floor"]], [line["model"], line["pooled"]])

meanings_reference()

# Growth: rarefied in exact binomial coefficients from the clusters of responses.parquet (checked above).
def expected_labels(counts, m):
    """Labels expected among m of sum(counts) responses; linear between whole numbers."""
    n, below = int(sum(counts)), math.floor(m)
    at = lambda k: sum(1 - math.comb(n - int(x), k) / math.comb(n, k) for x in counts)
    return at(below) + ((m - below) * (at(below + 1) - at(below)) if m > below else 0.0)

def labels_in_time(labels, times, m):
    """The same among the first m in the order of time, those of one time in any order."""
    below = math.floor(m)
    def at(k):
        last = np.sort(times)[k - 1]
        before, tied = set(labels[times < last]), labels[times == last]
        new = [(tied == label).sum() for label in set(tied) - before]
        places = k - (times < last).sum()
        return len(before) + sum(1 - math.comb(len(tied) - int(x), int(places)) / math.comb(len(tied), int(places)) for x in new)
    return at(below) + ((m - below) * (at(below + 1) - at(below)) if m > below else 0.0)

def of_sums(at, terms, value):
    """95 % interval of a function of sums over queries that stays where all are multiplied by one number."""
    k = len(terms)
    number = value(terms.sum(0))
    if k < 10:
        others = np.array([value(np.delete(terms, i, 0).sum(0)) for i in range(k)])
        half = student_quantile(k - 1) * math.sqrt(((others - others.mean()) ** 2).sum() * (k - 1) / k)
        return number - half, number + half
    def spread(w):
        total = w @ terms
        step = np.maximum(1e-6 * np.abs(total), 1e-9)
        slope = np.array([(value(total + s) - value(total - s)) / (2 * s.sum()) for s in np.diag(step)])
        return math.sqrt((w * (terms @ slope) ** 2).sum() * k / (k - 1))
    drawn = resamples(Q, "intervals")[:, at]
    return between(number, spread(np.ones(k)), k, np.array([(value(w @ terms) - number) / spread(w) for w in drawn]))

def growth_reference():
    path = os.path.join(out, "growth.parquet")
    found = read("growth.parquet") if os.path.exists(path) else None
    clusters = read("responses.parquet")["cluster"].to_numpy(float)
    raw = column("time", "time")
    times = None
    if raw is not None:
        numbers = pd.to_numeric(pd.Series(raw), errors="coerce")
        times = numbers.to_numpy(float) if numbers.notna().all() else (pd.to_datetime(pd.Series(raw), utc=True, format="ISO8601") - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
        times = np.asarray(times, float)
    sources = column("source", "source")
    want, ends, spans, per_source = [], [], [], {}
    # The cuts next to the chosen one, with the ends there.
    c, tau = summary["meanings"]["c"], summary["meanings"]["tau"]
    beside = next((SIDES[t] for t in SIDES if abs(t - tau) < 1e-12), [])
    known = GIVEN or CLUSTERS
    ends_at, spans_at, source_at = ({t: [] for t in beside} for _ in range(3))
    grid = sorted({1} | {int(math.floor(2 ** (k / 2) + 0.5)) for k in range(1, 40)})
    for i in range(Q):
        here = np.flatnonzero((q == i) & ~np.isnan(clusters))
        groups = [("all", "", here)]
        if sources is not None:
            groups += [("source", s, here[sources[here] == s]) for s in sorted({s for s in sources[here] if s is not None})]
        groups = [(kind, name, rows) for kind, name, rows in groups if len(rows) >= 8]
        of = lambda rows: np.unique(clusters[rows], return_counts=True)[1]
        least = min((len(rows) for kind, _, rows in groups if kind == "source"), default=0)
        for kind, name, rows in groups:
            counts = of(rows)
            dated = times is not None and not np.isnan(times[rows]).any()
            for size in [size for size in grid if size < len(rows)] + [len(rows)]:
                distinct = expected_labels(counts, size)
                want.append((queries[i], kind, name, size, distinct,
                             math.log(distinct / expected_labels(counts, size / 4)) / math.log(4) if size >= 8 else np.nan,
                             np.sort(times[rows])[size - 1] if dated else np.nan,
                             labels_in_time(clusters[rows], times[rows], size) if dated else np.nan))
            if kind == "source":
                per_source.setdefault(name, []).append((i, expected_labels(counts, least), expected_labels(counts, least / 4)))
                for t in beside:
                    counts = np.unique(CLUSTERS[t][rows], return_counts=True)[1]
                    source_at[t].append((name, expected_labels(counts, least), expected_labels(counts, least / 4)))
        mine = here[kept[m[here]]]
        if len(mine) >= 8:
            counts = of(mine)
            ends.append((i, expected_labels(counts, len(mine)), expected_labels(counts, len(mine) / 4)))
            for t in beside:
                counts = np.unique(CLUSTERS[t][mine], return_counts=True)[1]
                ends_at[t].append((expected_labels(counts, len(mine)), expected_labels(counts, len(mine) / 4)))
            if times is not None and not np.isnan(times[mine]).any():
                start = np.sort(times[mine])[math.ceil(len(mine) / 4) - 1]
                early = mine[times[mine] <= start]
                if times[mine].max() > start:
                    span = lambda labels: (len(mine), len(early), len(set(labels[mine])), len(set(labels[early])), times[mine].max() - start, 1)
                    spans.append((i, *span(clusters)))
                    [spans_at[t].append(span(CLUSTERS[t])) for t in beside]
    if found is None:
        same("growth: no table", [len(want)], [0])
        return
    want.sort(key=lambda w: (w[0].encode(), w[1], w[2].encode(), w[3]))
    keys = [(r.query, r.kind, "" if pd.isna(r.name) else r.name, r.n) for r in found[["query", "kind", "name", "n"]].itertuples(index=False, name="Line")]
    same("growth: lines", [len(keys), sum(a != w[:4] for a, w in zip(keys, want))], [len(want), 0])
    for place, name in enumerate(["distinct", "exponent", "time", "distinct_in_time"]):
        same(f"growth: {name}", found[name].astype(float), [w[4 + place] for w in want])
    growth = summary["growth"]
    slope = lambda values: floor_slope(c, *zip(beside, values)) if beside else 0.0
    for line, pairs in [(growth["all"], ends)] + [(line, per_source[line["name"]]) for line in growth["sources"]]:
        mine = lambda t: np.array(ends_at[t] if line is growth["all"] else [p[1:] for p in source_at[t] if p[0] == line["name"]]).sum(0)
        at, top, bottom = np.array(pairs).T
        expected = [len(pairs), top.sum() / bottom.sum(), math.log(top.sum() / bottom.sum()) / math.log(4)]
        got = [line["queries"], line["ratio"], line["exponent"]]
        if len(pairs) >= 5 and known:
            low, high = labels_limits(top, bottom, 4 * bottom, slope([mine(t)[0] / mine(t)[1] for t in beside]), at.astype(int), least=0)
            expected += [math.log(low) / math.log(4), math.log(high) / math.log(4)]
            got += [line["interval"]["low"], line["interval"]["high"]]
        same(f"growth of {line['name'] or 'all'}", got, expected)
    same("headline growth", [headlines["growth"]["value"]], [growth["all"]["exponent"]])
    if spans:
        rates = lambda s: (math.log(s[0] / s[1]) / (s[4] / s[5]), math.log(s[2] / s[3]) / (s[4] / s[5]))
        value = lambda s: rates(s)[0] - rates(s)[1]
        at, spans = np.array(spans)[:, 0].astype(int), np.array(spans, float)[:, 1:]; total = spans.sum(0)
        line = growth["inflation"]
        got = [line["queries"], line["value"], line["answers"], line["meanings"], line["span"], headlines["inflation"]["value"]]
        expected = [len(spans), value(total), *rates(total), total[4] / total[5], value(total)]
        same("inflation", got, expected)
        if len(spans) >= 5 and known:
            # Slopes by differences; the last sum moves the cut.
            grows = slope([value(np.array(spans_at[t], float).sum(0)) for t in beside])
            own = FLOOR_MOVES[at]
            moved = lambda s: value(s) + grows * s[6] * len(spans) / s[5]
            limits_want = of_sums(at, np.c_[spans, own - own.mean()], moved)
            close = np.allclose([line["interval"]["low"], line["interval"]["high"]], limits_want, rtol=1e-6, atol=1e-9)
            same("inflation: interval, within a millionth", [close], [1])
    else:
        same("no inflation", [growth["inflation"] is not None], [0])

if summary["meanings"] and summary["meanings"]["tau"] is not None:
    growth_reference()

# Ratings: pandas groups and medians, polyfit on centred values.
lag = summary["rating_lag"]
if column("rating_time", "rating_time") is not None and column("time", "time") is not None:
    dated = pd.DataFrame({"q": q, "t": column("time", "time").astype(float), "r": column("rating_time", "rating_time").astype(float), "keep": kept[m]})
    dated = dated[dated.keep & dated.t.notna()]
    rated = dated[dated.r >= dated.t].assign(lag=lambda d: d.r - d.t)
    same("ratings: counts", [lag["rated"], lag["waiting"], lag["before"]], [len(rated), dated.r.isna().sum(), (dated.r < dated.t).sum()])
    medians = rated.groupby("q").lag.median().to_numpy()
    centred = rated[["t", "lag"]] - rated.groupby("q")[["t", "lag"]].transform("mean")
    same("ratings: lag, slope", [lag["value"], lag["slope"]], [medians.mean(), (centred.t * centred.lag).sum() / (centred.t ** 2).sum()])
else:
    same("no ratings", [lag is not None], [0])

# People beside models, every pair of responses formed; people are one side, every other source its own.
def least_of(distances, k):
    """Expected least of k of some distances, drawn without replacement."""
    d, size = np.sort(distances), len(distances)
    return sum(x * math.comb(size - 1 - j, k - 1) / math.comb(size, k) for j, x in enumerate(d) if size - 1 - j >= k - 1)

def people_reference():
    path = os.path.join(out, "sources.parquet")
    found = read("sources.parquet") if os.path.exists(path) else pd.DataFrame()
    raw = column("source", "source")
    side = np.array([None if s is None else "human" if s == "human" else s for s in raw], object)
    sides = sorted({s for s in side if s is not None}, key=lambda s: s.encode())
    other = [s for s in sides if s != "human"]
    lines = {}
    put = lambda key, part, i, *values: lines.setdefault(key, {}).setdefault(part, []).append((i, *values))
    for i in range(Q):
        rows = {s: np.flatnonzero((q == i) & (side == s)) for s in sides}
        cosine = lambda a, b: e[a] @ e[b].T
        def own(a):
            k = cosine(a, a)
            return (k.sum() - np.trace(k)) / (len(a) * (len(a) - 1))
        human = rows.get("human", np.zeros(0, int))
        people = own(human) if len(human) >= 2 else None
        for key, of_sides in [((None, None), other)] + [((s, None), [s]) for s in other]:
            cells = {(s, l): rows[s][m[rows[s]] == l] for s in of_sides for l in set(m[rows[s]])}
            mine = np.concatenate([np.zeros(0, int)] + [rows[s] for s in of_sides])
            if people is not None:
                alone = [own(c) for c in cells.values() if len(c) >= 2]
                if alone:
                    put(key, "individual", i, np.mean(alone), people)
                keys = sorted(cells)
                across = [cosine(cells[a], cells[b]).mean() for x, a in enumerate(keys) for b in keys[:x] if a[1] != b[1]]
                if across:
                    put(key, "population", i, np.mean(across), people)
            if key[0] is not None and people is not None:
                for (s, l), c in cells.items():
                    if len(c) >= 2:
                        put((s, models[l]), "individual", i, own(c), people)
            k = min(len(human), len(mine)) - 1
            if k > 0:
                to = lambda a, b: np.mean([least_of(1 - cosine([x], b[b != x])[0], k) for x in a])
                put(key, "nearest", i, to(human, mine), to(human, human), to(mine, human), to(mine, mine))
        present = [s for s in sides if len(rows[s]) >= 2]
        times = min((len(rows[s]) for s in present), default=0) // max(len(present), 1)
        if len(present) >= 2 and times:
            def worth(names):
                share = times * len(present) * (len(present) - 1) // len(names)
                norm = share * len(names)
                for s in names:
                    k = cosine(rows[s], rows[s]) ** 2
                    norm += share * (share - 1) * (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))
                    norm += sum(share ** 2 * (cosine(rows[s], rows[t]) ** 2).mean() for t in names if t != s)
                return (share * len(names)) ** 2 / norm
            for s in present:
                put((s, None), "adds", i, worth(present), worth([t for t in present if t != s]))
    if "human" not in sides:
        lines.pop((None, None), None)
    keys = sorted(lines, key=lambda key: ((key[0] or "").encode(), (key[1] or "").encode()))
    got_keys = [(None if pd.isna(r.source) else r.source, None if pd.isna(r.model) else r.model) for r in found.itertuples()]
    same("sources: lines", [len(got_keys), sum(a != b for a, b in zip(got_keys, keys))], [len(keys), 0])
    for key, row in zip(keys, found.itertuples()):
        name = " ".join(str(part) for part in key)
        for part, terms in lines[key].items():
            at, terms = np.array(terms, float)[:, 0], np.array(terms, float)[:, 1:].T
            mean_of = lambda values: interval(values, np.ones(len(values)), at) or (np.nan, np.nan)
            if part in ("individual", "population"):
                apart = 1 - terms
                expected = [terms.shape[1], *terms.mean(1), apart[0].sum() / apart[1].sum(), (terms[0] - terms[1]).mean()]
                got = [getattr(row, f"{part}_{c}") for c in ("queries", "models", "people", "rho", "crowding")]
                expected += [*np.exp(interval(*apart, at, logarithm=True) or [np.nan] * 2), *mean_of(terms[0] - terms[1])]
                got += [getattr(row, f"{part}_{c}") for c in ("rho_ci_low", "rho_ci_high", "crowding_ci_low", "crowding_ci_high")]
            elif part == "nearest":
                expected = [terms.shape[1], *terms.mean(1), (terms[0] - terms[1]).mean(), (terms[2] - terms[3]).mean()]
                got = [row.nearest_queries, row.people_to_models, row.people_to_people, row.models_to_people, row.models_to_models, row.people_difference, row.models_difference]
                expected += [*mean_of(terms[0] - terms[1]), *mean_of(terms[2] - terms[3])]
                got += [row.people_ci_low, row.people_ci_high, row.models_ci_low, row.models_ci_high]
            else:
                expected = [terms.shape[1], *terms.mean(1), (terms[0] - terms[1]).mean()]
                got = [row.adds_queries, row.adds_with, row.adds_without, row.adds]
                expected += mean_of(terms[0] - terms[1])
                got += [row.adds_ci_low, row.adds_ci_high]
            same(f"sources: {name}, {part}", got, expected)
        missing = {"individual", "population", "nearest", "adds"} - set(lines[key])
        same(f"sources: {name}, nothing else", [getattr(row, f"{part}_queries") for part in sorted(missing)], [0] * len(missing))
    for name in ("population", "individual"):
        if f"rho_{name}" in headlines:
            same(f"headline rho_{name}", [headlines[f"rho_{name}"]["value"]], [found[f"{name}_rho"].iloc[0]])

if "source" in schema:
    people_reference()

# Packaging and stages: cells (query, family, context or stage), every pair of responses formed.
family = column("family", "family", "base_model")
family = models[m] if family is None else family
person = source == "human" if "source" in schema else np.zeros(n, bool)

def cells_of(variant, takes=lambda i: True):
    """Cells as (query, family, variant) -> rows, of the rows that are taken."""
    found = {}
    for i in range(n):
        if family[i] is not None and variant[i] is not None and not person[i] and takes(i):
            found.setdefault((q[i], family[i], variant[i]), []).append(i)
    return found

def cell_means(keys, cells):
    """Mean cosines of all pairs of responses of two cells; on the diagonal without self pairs."""
    rows = [i for k in keys for i in cells[k]]
    size = np.array([len(cells[k]) for k in keys])
    start = np.r_[0, np.cumsum(size)[:-1]].astype(int)
    full = e[rows] @ e[rows].T
    total = np.add.reduceat(np.add.reduceat(full, start, axis=0), start, axis=1)
    mean = total / np.outer(size, size)
    own = np.add.reduceat(np.diag(full), start)
    with np.errstate(all="ignore"):
        np.fill_diagonal(mean, np.where(size > 1, (np.diag(total) - own) / (size * (size - 1)), np.nan))
    return mean

question_of = np.zeros(Q, int); question_of[q] = question

def quotient(top, bottom, k):
    """Interval of a ratio over k queries that others move too: by resamples, or Student's."""
    if k >= 10:
        return interval(top, bottom, np.arange(len(top)), over=k)
    value = top.sum() / bottom.sum()
    error = math.sqrt(((top - value * bottom) ** 2).sum() * k / (k - 1)) / bottom.sum()
    half = student_quantile(k - 1) * error
    return value - half, value + half

def packaging(against, skip=()):
    """(lines by family, the line of all): (queries, n, other, other floor, reference, reference floor, ratio, low, high)."""
    cells = {k: r for k, r in cells_of(context).items() if len(r) >= (2 if against == "same_context" else 1) and k[1] not in skip}
    contexts_of = {}
    for k in cells:
        contexts_of.setdefault(k[:2], []).append(k)
    keys = [k for k in sorted(cells) if len(contexts_of[k[:2]]) >= 2]
    if not keys:
        return {}, None
    mean = cell_means(keys, cells)
    kq, kf, kc = (np.array([k[i] for k in keys]) for i in range(3))
    ku = question_of[kq]
    different = ku[:, None] != ku[None, :]
    same_family, same_context = kf[:, None] == kf[None, :], kc[:, None] == kc[None, :]
    series = {}
    for f in np.unique(kf):
        mine = kf == f
        points = []
        sides = [(mine[:, None] & same_family & ~same_context & different)]
        sides.append(mine[:, None] & (same_family if against == "same_context" else ~same_family) & same_context & different)
        for i in np.unique(kq[mine]):
            here = np.flatnonzero(mine & (kq == i))
            other = np.mean([mean[a, b] for a in here for b in here if a != b])
            if against == "same_context":
                reference = np.mean([mean[a, a] for a in here])
            else:
                beside = [mean[a, b] for a in here for b in np.flatnonzero((kq == i) & (kf != f) & (kc == kc[a]))]
                if not beside:
                    continue
                reference = np.mean(beside)
            points.append((i, other, reference))
        if not points:
            continue
        floors, moved = [], []
        for side in sides:
            if not side.any():
                floors.append(np.nan); moved.append(np.zeros(Q)); continue
            value = mean[side].mean()
            # First-order influence of a query: the pairs it has a part in, from either end.
            away = np.where(side, mean - value, 0)
            part = np.bincount(kq, away.sum(0) + away.sum(1), Q)
            floors.append(value); moved.append(len(points) * part / side.sum())
        series[f] = (points, floors, moved, min(len(cells[k]) for k in keys if k[1] == f))
    def line(names):
        top, bottom, counts = np.zeros(Q), np.zeros(Q), np.zeros(Q)
        values, floors = np.zeros(2), np.zeros(2)
        for f in names:
            points, floor, moved, _ = series[f]
            top -= moved[0]; bottom -= moved[1]
            for i, other, reference in points:
                top[i] += other - floor[0]; bottom[i] += reference - floor[1]; counts[i] += 1
                values += other, reference; floors += floor
        used = counts > 0
        values, floors = values / counts.sum(), floors / counts.sum()
        ratio = (values[0] - floors[0]) / (values[1] - floors[1])
        ci, at = (np.nan, np.nan), np.flatnonzero(used)
        if used.sum() < 5:
            ratio = np.nan
        else:
            ci = quotient(top, bottom, used.sum())
            if quotient(bottom, counts, used.sum())[0] < 0.05 * (1 - summary["floor"]):
                ratio, ci = np.nan, (np.nan, np.nan)
        return (used.sum(), min(series[f][3] for f in names), values[0], floors[0], values[1], floors[1], ratio, *ci)
    return {f: line([f]) for f in series}, line(list(series)) if series else None

context = column("context", "context")
found = read("contexts.parquet") if os.path.exists(os.path.join(out, "contexts.parquet")) else None
for against, name in (("same_context", "packaging"), ("other_family", "packaging_vendor")):
    by_family, everyone = packaging(against) if context is not None else ({}, None)
    if found is None:
        same(f"contexts: none, {against}", [0], [len(by_family)])
        continue
    rows = found[found["against"].astype(str) == against]
    want = ([everyone] if everyone else []) + [by_family[f] for f in sorted(by_family, key=lambda f: f.encode())]
    columns = ["queries", "n", "other_context", "other_context_floor", "reference", "reference_floor", "ratio", "ci_low", "ci_high"]
    same(f"contexts: lines, {against}", [len(rows)], [len(want)])
    for place, name_of in enumerate(columns):
        got = rows[name_of].to_numpy(float)
        expected = np.array([w[place] for w in want], float)
        if name_of == "ratio":  # from 50 queries on it is a resampled limit that decides whether a ratio is defined
            expected = np.where(np.isnan(got) & (rows["queries"] >= 50), np.nan, expected)
        keep = (rows["queries"].to_numpy() < 50) | ~np.full(len(rows), name_of.startswith("ci_"))
        same(f"contexts: {name_of}, {against}", got[keep], expected[keep])
    if name in headlines:
        h, floor_models = headlines[name], models[regardless]
        same(f"headline {name}", [h["value"]], [everyone[6]])
        odd = {f for f, l in zip(family, models[m]) if l in floor_models}
        if odd & set(by_family):
            without = packaging(against, odd)[1]
            same(f"headline {name} without models that answer regardless", [np.nan if h["without_regardless"] is None else h["without_regardless"]], [without[6] if without else np.nan])

stage = column("stage", "stage")
texts = column("text", "text", "response", "output", "completion", "answer")
chars = None if texts is None else np.array([0 if t is None else len(t) for t in texts])
lines = read("stages.parquet") if os.path.exists(os.path.join(out, "stages.parquet")) else pd.DataFrame()
first_stage = next((s for s in ("base", "sft", "rl") if len(lines) and s in set(lines["stage_a"])), None)
if first_stage is None and len(lines):
    first_stage = min(lines["stage_a"].astype(str), key=float)
def rank_slope(groups):
    """Slopes of log counts over log ranks, over the ranks that all groups have; None under 3."""
    counts = [np.sort(np.unique(group, return_counts=True)[1])[::-1] for group in groups]
    ranks = min(len(c) for c in counts)
    return [np.polyfit(np.log(np.arange(1, ranks + 1)), np.log(c[:ranks]), 1)[0] for c in counts] if ranks >= 3 else None

def stage_values(row, cells):
    """By number, the values by query at both stages; sums of floors and of pairs kept; the threshold; families."""
    both = sorted({k[:2] for k in cells if k[:2] + (row.stage_a,) in cells and k[:2] + (row.stage_b,) in cells})
    by_query = {}
    for i, f in both:
        by_query.setdefault(i, []).append(f)
    several = {i: fs for i, fs in by_query.items() if len(fs) >= 2}
    inter, matched, floors, kept = [], [], [], []
    for s in (row.stage_a, row.stage_b):
        keys = [(i, f, s) for i in several for f in several[i]]
        value, like, share = {}, {}, np.zeros(2)
        if keys:
            mean = cell_means(keys, cells)
            kq, kf = np.array([k[0] for k in keys]), np.array([k[1] for k in keys])
            away = (question_of[kq][:, None] != question_of[kq][None, :]) & (kf[:, None] != kf[None, :])
            floors.append([mean[away].sum(), away.sum()])
            for i, fs in several.items():
                here = np.flatnonzero(kq == i)
                value[i] = np.mean([mean[a, b] for a in here for b in here if a < b])
                each = []
                for a, f in enumerate(fs):
                    for g in fs[:a]:
                        x, y = cells[i, f, s], cells[i, g, s]
                        share[1] += len(x) * len(y)
                        if chars is None:
                            continue
                        lx, ly = chars[x][:, None], chars[y][None, :]
                        ok = (np.minimum(lx, ly) > 0) & (4 * np.maximum(lx, ly) <= 5 * np.minimum(lx, ly))
                        share[0] += ok.sum()
                        if ok.any():
                            each.append((e[x] @ e[y].T)[ok].mean())
                if each:
                    like[i] = np.mean(each)
        else:
            floors.append([0, 0])
        inter.append(value); matched.append(like); kept.append(share)
    within = [{}, {}]
    for i, fs in by_query.items():
        pairs_here = [(cells[i, f, row.stage_a], cells[i, f, row.stage_b]) for f in fs]
        for side in range(2):
            values = []
            for pair in pairs_here:
                k = min(len(pair[0]), len(pair[1]))
                if k >= 2:
                    g = e[pair[side][:k]] @ e[pair[side][:k]].T
                    values.append((g.sum() - np.trace(g)) / (k * (k - 1)))
            if values:
                within[side][i] = np.mean(values)
    common = sorted(matched[0].keys() & matched[1].keys())
    # Meanings at the same n, tails of the first stage, meanings met again.
    labels = read("responses.parquet")["cluster"].to_numpy(float)
    first = row.stage_a == first_stage
    counted, even, tailed, again, ranked = [{}, {}], [{}, {}], [{}, {}], [{}, {}], [{}, {}]
    away, pooled = {}, []
    for i, fs in by_query.items():
        for f in fs:
            x, y = cells[i, f, row.stage_a], cells[i, f, row.stage_b]
            if first and len(x) >= 5:
                k, k0 = e[y] @ e[x].T, e[x] @ e[x].T
                t = 1 - (k0.sum(1) - np.diag(k0)) / (len(x) - 1)
                away[i, f] = t, 1 - (k.sum(1)[:, None] - k) / (len(x) - 1)
                pooled.extend(t)
    threshold = np.quantile(pooled, 0.9) if pooled else np.nan
    for i, fs in by_query.items():
        values, met, slopes = [], [], []
        for f in fs:
            x, y = cells[i, f, row.stage_a], cells[i, f, row.stage_b]
            k = min(len(x), len(y))
            slope = rank_slope([labels[x[:k]], labels[y[:k]]]) if not np.isnan(labels).any() else None
            slopes += [slope] if slope else []
            if k >= 2 and not np.isnan(labels).any():
                hills = [exact_hill(np.unique(labels[rows], return_counts=True)[1], k) for rows in (x, y)]
                values.append([hills[0][0], hills[1][0], hills[0][2] / hills[0][0], hills[1][2] / hills[1][0]])
            if (i, f) in away:
                t, u = away[i, f]
                met.append([(t > threshold).mean(), (u > threshold).mean()])
                near, share = summary["meanings"]["tau"], []
                for half, other in ((x[0::2], x[1::2]), (x[1::2], x[0::2])):
                    if len(y) < len(other):
                        break
                    own, late = [], []
                    for label in sorted(set(labels[half])):
                        members = np.array([j for j in half if labels[j] == label])
                        medoid = members[np.argmax((e[members] @ e[members].T).sum(1).round(12))]
                        own.append(float((e[other] @ e[medoid] >= near).any()))
                        hits = int((e[y] @ e[medoid] >= near).sum())
                        late.append(1 - math.comb(len(y) - hits, len(other)) / math.comb(len(y), len(other)))
                    share.append([np.mean(own), np.mean(late)])
                met[-1] += list(np.mean(share, 0)) if len(share) == 2 else [np.nan, np.nan]
        if values:
            counted[0][i], counted[1][i], even[0][i], even[1][i] = np.mean(values, 0)
        if slopes:
            ranked[0][i], ranked[1][i] = np.mean(slopes, 0)
        if met:
            tailed[0][i], tailed[1][i] = np.mean(met, 0)[:2]
            with_half = [line for line in met if line[2] == line[2]]
            if with_half:
                again[0][i], again[1][i] = np.mean(with_half, 0)[2:]
    common = [{i: part[i] for i in common} for part in matched], [{i: part[i] for i in common} for part in inter]
    parts = {"inter": inter, "matched": common[0], "unmatched": common[1], "intra": within, "distinct": counted, "evenness": even,
             "tail": tailed, "coverage": again, "frequency_slope": ranked}
    used = {f for i in several for f in several[i]} | {f for i, f in both if min(len(cells[i, f, row.stage_a]), len(cells[i, f, row.stage_b])) >= 2}
    return parts, np.array(floors, float), np.array(kept, float), threshold, used

def mean_over(groups):
    """A query's mean over the groups that have it."""
    return {i: np.mean([group[i] for group in groups if i in group]) for i in sorted(set().union(*groups))}

# Rows without an arm are in every arm that their family has.
arm = column("arm", "arm")
known = [] if arm is None or stage is None else [i for i in range(n) if family[i] is not None and stage[i] is not None and not person[i] and arm[i] is not None]
arms = sorted({arm[i] for i in known}, key=lambda name: name.encode())
has_arm = {(arm[i], family[i]) for i in known}
plain = ["none", "control", "baseline"]  # those that these tests have
arms = sorted(arms, key=lambda name: (min((k for k, word in enumerate(plain) if name.strip().lower() == word), default=9), name.encode()))
if len(arms) < 2:
    arms = []
def cells_in(name):
    return cells_of(stage) if name is None else cells_of(stage, lambda i: arm[i] == name or (arm[i] is None and (name, family[i]) in has_arm))
in_arm = {name: cells_in(name) for name in arms or [None]} if len(lines) else {}

def stage_line(row):
    name = None if pd.isna(row.arm) else row.arm
    groups = [stage_values(row, in_arm[one]) for one in (arms if name is None and arms else [name])]
    parts = {part: [mean_over([group[0][part][side] for group in groups]) for side in range(2)] for part in groups[0][0]}
    floors, kept = (sum(group[place] for group in groups) for place in (1, 2))
    step = f"stages {row.stage_a} to {row.stage_b}" + (f", {name}" if name else "")
    same(f"{step}: threshold", [row.tail_threshold], [groups[0][3] if len(groups) == 1 else np.nan])
    for part, (at_a, at_b) in parts.items():
        used = sorted(at_a)
        a, b = np.array([at_a[i] for i in used]), np.array([at_b[i] for i in used])
        want = [len(used), *(([a.mean(), b.mean(), (b - a).mean()]) if len(used) else [np.nan] * 3)]
        got = [getattr(row, f"{part}_{of}") for of in ("queries", "a", "b", "difference")]
        if part != "frequency_slope":
            want += interval(b - a, np.ones(len(used)), used) or [np.nan] * 2
            got += [getattr(row, f"{part}_ci_low"), getattr(row, f"{part}_ci_high")]
        same(f"{step}: {part}", got, want)
    with np.errstate(all="ignore"):
        same(f"{step}: floors", [row.floor_a, row.floor_b], floors[:, 0] / floors[:, 1])
        same(f"{step}: share kept", [row.kept_a, row.kept_b], kept[:, 0] / kept[:, 1] if parts["matched"][0] else [np.nan] * 2)
    same(f"{step}: families", [len(row.families)], [len(set().union(*(group[4] for group in groups)))])
for row in lines.itertuples():
    stage_line(row)

# Changes beside the reference arm and slopes: every number at all stages compared, of families that have them all.
trends = read("trends.parquet") if os.path.exists(os.path.join(out, "trends.parquet")) else pd.DataFrame()
stage_number = lambda name: {"base": 0, "sft": 1, "rl": 2}.get(name.strip().lower()) if name.strip().lower() in ("base", "sft", "rl") else float(name)
stage_order = sorted({k[2] for cells in in_arm.values() for k in cells}, key=stage_number)
cluster_of = read("responses.parquet")["cluster"].to_numpy(float)
memory = {}
def at_stages(cells, stages, takes):
    """By number, {query: a value a stage}, of the (query, family) that are taken."""
    chosen = [key for key in sorted({k[:2] for k in cells}) if all((*key, s) in cells for s in stages) and takes(key)]
    found = {name: {} for name in ("inter", "intra", "distinct", "evenness", "tail", "coverage")}
    far = {}
    for i, f in chosen:
        x = cells[i, f, stages[0]]
        if stages[0] == stage_order[0] and len(x) >= 5:
            own = e[x] @ e[x].T
            far[i, f] = [1 - (own.sum(1) - np.diag(own)) / (len(x) - 1)]
            for s in stages[1:]:
                k = e[cells[i, f, s]] @ e[x].T
                far[i, f].append(1 - (k.sum(1)[:, None] - k) / (len(x) - 1))
    bar = np.quantile(np.concatenate([t[0] for t in far.values()]), 0.9) if far else None
    for i in sorted({key[0] for key in chosen}):
        fs = [f for j, f in chosen if j == i]
        if len(fs) >= 2:
            found["inter"][i] = [np.mean([(e[cells[i, f, s]] @ e[cells[i, g, s]].T).mean() for a, f in enumerate(fs) for g in fs[:a]]) for s in stages]
        each = {name: [] for name in found}
        for f in fs:
            rows = [cells[i, f, s] for s in stages]
            k = min(map(len, rows))
            if k >= 2:
                each["intra"].append([((e[r[:k]] @ e[r[:k]].T).sum() - k) / (k * (k - 1)) for r in rows])
                if not np.isnan(cluster_of).any():
                    hills = [exact_hill(np.unique(cluster_of[r], return_counts=True)[1], k) for r in rows]
                    each["distinct"].append([h[0] for h in hills]); each["evenness"].append([h[2] / h[0] for h in hills])
            if (i, f) in far:
                each["tail"].append([(t > bar).mean() for t in far[i, f]])
                x, share = rows[0], []
                for half, other in ((x[0::2], x[1::2]), (x[1::2], x[0::2])):
                    if np.isnan(cluster_of).any() or min(map(len, rows[1:])) < len(other):
                        break
                    met = []
                    for label in sorted(set(cluster_of[half])):
                        members = np.array([j for j in half if cluster_of[j] == label])
                        medoid = members[np.argmax((e[members] @ e[members].T).sum(1).round(12))]
                        near = [int((e[r] @ e[medoid] >= summary["meanings"]["tau"]).sum()) for r in rows[1:]]
                        met.append([float((e[other] @ e[medoid] >= summary["meanings"]["tau"]).any())]
                                   + [1 - math.comb(len(r) - h, len(other)) / math.comb(len(r), len(other)) for r, h in zip(rows[1:], near)])
                    share.append(np.mean(met, 0))
                each["coverage"] += [np.mean(share, 0)] if len(share) == 2 else []
        for name in each:
            if each[name]:
                found[name][i] = np.mean(each[name], 0)
    return found
def contrast(row):
    name, other = ((None if pd.isna(value) else value) for value in (row.arm, row.reference))
    stages = stage_order if row.course == "slope" else [row.stage_a, row.stage_b]
    x = np.array([stage_number(s) for s in stages])
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum() if row.course == "slope" else np.array([-1, 1])
    key = (name, other, *stages)
    if key not in memory:
        whole = lambda cells: {k[:2] for k in cells if all((*k[:2], s) in cells for s in stages)}
        takes, by = (lambda k: True), None
        if other is not None:
            a, b = whole(in_arm[name]), whole(in_arm[other])
            by = "query_and_family" if a & b else "query"
            shared = {k[0] for k in a} & {k[0] for k in b}
            takes = (lambda k: k in a & b) if a & b else (lambda k: k[0] in shared)
        memory[key] = at_stages(in_arm[name], stages, takes), at_stages(in_arm[other], stages, takes) if other is not None else None, by
    own, reference, by = memory[key]
    queries = sorted(set(own[row.measure]) & set(reference[row.measure] if reference else own[row.measure]))
    value = np.array([weights @ own[row.measure][i] for i in queries])
    parts = [value, np.array([weights @ reference[row.measure][i] for i in queries])] if reference else []
    numbers = [parts[0] - parts[1] if parts else value, *parts]
    got, want = [row.queries], [len(queries)]
    for prefix, number in zip(("", "arm_", "reference_"), numbers):
        got.append(getattr(row, f"{prefix}value")); want.append(number.mean())
        got += [getattr(row, f"{prefix}ci_low"), getattr(row, f"{prefix}ci_high")]
        want += interval(number, np.ones(len(queries)), queries) or [np.nan] * 2
    same(f"trends: {row.course} of {row.measure}, {row.stage_a} to {row.stage_b}, {name} less {other}", got, want)
    same("trends: pairing, stages", [(None if pd.isna(row.paired_by) else row.paired_by) == by, row.stages], [True, len(stages)])
for row in trends.itertuples():
    contrast(row)
if len(lines):
    same("trends: courses", sorted(set(trends["course"])) == (["change"] if len(arms) > 1 else []) + (["slope"] if len(stage_order) > 2 else []) if len(trends) else len(arms) < 2 and len(stage_order) < 3, True)

# Shares of variation: closed forms from distances, permutations of numpy's own.
def no_worse(name, ok, said):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}: {said}")

rng = np.random.default_rng(7)
def p_of(values, found):
    return (1 + (values >= found * (1 - 1e-12)).sum()) / (1 + len(values))
def same_p(name, got, want):
    error = math.sqrt(2 * max(want * (1 - want), 1e-3) / 999)
    no_worse(name, abs(got - want) <= 5 * error, f"p {got:.3f}, by other permutations {want:.3f}")

def r2_by_cells(keep, permutations=0):
    """(between, expected, total) by query, and permuted sums of `between`."""
    terms, permuted = [], np.zeros(permutations)
    for i in range(Q):
        used = [l for l in range(M) if keep[l] and cell_n[l, i] >= 2]
        if len(used) < 2:
            terms.append((0, 0, 0)); continue
        rows = np.flatnonzero((q == i) & np.isin(m, used))
        away = e[rows] - e[rows].mean(0)
        labels = m[rows]
        split = lambda labels: sum((labels == l).sum() * (away[labels == l].mean(0) ** 2).sum() for l in used)
        total = (away ** 2).sum()
        terms.append((split(labels), total * (len(used) - 1) / (len(rows) - 1), total))
        k = away @ away.T
        for r in range(permutations):
            shuffled = rng.permutation(labels)[:, None] == np.array(used)[None, :]
            permuted[r] += (np.einsum("ij,im,jm->m", k, shuffled, shuffled, optimize=True) / shuffled.sum(0)).sum()
    return np.array(terms, float), permuted

def in_pairs(units, pair):
    """Variance of a sum over all pairs of units that lies in pairs alone, from all pairs of at most 16 of them."""
    k = min(len(units), 16)
    if k < 4:
        return None
    some = [units[i * len(units) // k] for i in range(k)]
    h = np.array([[0.0 if i == j else pair(a, b) for j, b in enumerate(some)] for i, a in enumerate(some)])
    x = h - h.sum(1)[:, None] / (k - 2) - h.sum(0)[None, :] / (k - 2) + h.sum() / ((k - 1) * (k - 2))
    return len(units) * (len(units) - 1) / 2 * (x[np.triu_indices(k, 1)] ** 2).sum() / (k * (k - 3) / 2)

def score(plain, value, error, at_zero, with_noise):
    """Limits t that are as many standard errors sqrt(at_zero + error^2 max(t, 0) / with_noise) away as the plain ones are of theirs."""
    if plain is None or at_zero is None or not (error > 0 and with_noise > 0):
        return plain
    limits = []
    for limit, side in zip(plain, (-1, 1)):
        far = abs(limit - value) / error
        low, high = sorted([value, value + side * (2 * far * math.sqrt(at_zero) + far * far * error * error / with_noise + 2 * far * error * 4)])
        beyond = lambda t: (value - t) ** 2 > far ** 2 * (at_zero + error ** 2 * max(t, 0) / with_noise)
        for _ in range(200):
            middle = (low + high) / 2
            low, high = ((low, middle) if beyond(middle) else (middle, high)) if side > 0 else ((middle, high) if beyond(middle) else (low, middle))
        limits.append((low + high) / 2)
    return limits

def error_of(top, bottom):
    """Linearised standard error of sum(top) / sum(bottom)."""
    k, r = len(top), top.sum() / bottom.sum()
    return math.sqrt(k / (k - 1) * ((top - r * bottom) ** 2).sum()) / bottom.sum() if k > 1 else 0.0

def r2_by_style(keep, permutations=0):
    """(between, expected, total, terms), and permuted values of `between`; None without two models to exchange."""
    some, asked = keep.copy(), np.ones(Q, bool)
    canonical = question_of
    while True:
        there = (cell_n > 0) & some[:, None] & asked[None, :]
        fewer = asked & (there.sum(0) >= 2)
        there &= fewer[None, :]
        less = some & np.array([len(set(canonical[there[l]])) >= 2 for l in range(M)])
        if (fewer == asked).all() and (less == some).all():
            break
        some, asked = less, fewer
    cells = [(i, l) for i in range(Q) if asked[i] for l in range(M) if some[l] and cell_n[l, i]]
    if not cells:
        return None
    total, vectors, strata = 0.0, [], {}
    of_query = np.zeros(Q)
    for i in sorted({c[0] for c in cells}):
        rows = (q == i) & some[m]
        away = e[rows] - e[rows].mean(0)
        of_query[i] = (away ** 2).sum()
        for l in [l for j, l in cells if j == i]:
            strata.setdefault((i, cell_n[l, i]), []).append(len(vectors))
            vectors.append(away[m[rows] == l].sum(0))
    vectors, owner = np.array(vectors), np.array([l for _, l in cells])
    size = np.array([cell_n[l, :][asked].sum() if some[l] else 0 for l in range(M)])
    if max(map(len, strata.values())) < 2:
        return None
    G = vectors @ vectors.T
    hold = lambda owner: sum(G[np.ix_(owner == l, owner == l)].sum() / size[l] for l in np.flatnonzero(size))
    expected, share = 0.0, np.zeros(Q)
    drift = np.zeros((M, d))
    for (i, _), places in strata.items():
        mean = vectors[places].mean(0)
        variance = (vectors[places] ** 2).sum(1).mean() - (mean ** 2).sum()
        for place in places:
            drift[owner[place]] += mean
            share[i] += variance / size[owner[place]]
    with np.errstate(all="ignore"):
        expected = share.sum() + np.nan_to_num((drift ** 2).sum(1) / size).sum()
    between = hold(owner)
    # With the means of the cells that each could have been handed: in all pairs of queries both go together.
    means, squares = np.zeros_like(vectors), np.zeros(len(vectors))
    for places in strata.values():
        means[places], squares[places] = vectors[places].mean(0), (vectors[places] ** 2).sum(1).mean()
    top, less = np.zeros(Q), np.zeros(Q)
    cq = np.array([i for i, _ in cells])
    for l in np.flatnonzero(size):
        here = np.flatnonzero(owner == l)
        for vector, side in ((vectors, 0), (means, 1)):
            products = vector[here] @ vector[here].T
            np.fill_diagonal(products, 0)
            part = 2 * products.sum(1) / size[l] - products.sum() * cell_n[l, cq[here]] / size[l] ** 2
            np.add.at(top, cq[here], -part if side else part)
            np.add.at(less, cq[here], part + squares[here] / size[l] if side else 0 * part)
    used = np.isin(np.arange(Q), cq)
    top[used] += (between - expected - top.sum()) / used.sum()
    bottom = np.where(used, of_query - less, 0.0)
    bottom[used] -= (expected - less.sum()) / used.sum()
    of_models, of_means = np.zeros((Q, M, d)), np.zeros((Q, M, d))
    for place, (i, l) in enumerate(cells):
        of_models[i, l], of_means[i, l] = vectors[place], means[place]
    ask = sorted(np.flatnonzero(used), key=lambda i: (np.flatnonzero(canonical == canonical[i]).min(), i))
    both = lambda i, j, l: of_models[i, l] @ of_models[j, l] - of_means[i, l] @ of_means[j, l]
    pairs = in_pairs(ask, lambda i, j: sum(2 * both(i, j, l) / size[l] for l in np.flatnonzero(size)))
    with np.errstate(all="ignore"):
        noisy = between - np.nan_to_num(((drift ** 2).sum(1) - np.bincount(owner, (means ** 2).sum(1), M)) / size).sum()
    permuted = np.zeros(permutations)
    for r in range(permutations):
        handed = owner.copy()
        for places in strata.values():
            handed[places] = rng.permutation(handed[places])
        permuted[r] = hold(handed)
    return between, expected, of_query.sum(), (top, bottom, pairs, noisy), permuted

found = summary["variation"]
terms, permuted = r2_by_cells(kept, 999 if found["cell"] and not found["cell"]["folded"] else 0)
if found["cell"]:
    sb, sx, st = terms.sum(0)
    want = [sb / st, sx / st, (sb - sx) / (st - sx)]
    got = [found["cell"][name] for name in ("r2", "permuted", "adjusted")]
    got += [found["cell"]["interval"][side] if found["cell"]["interval"] else np.nan for side in ("low", "high")]
    want += interval(terms[:, 0] - terms[:, 1], terms[:, 2] - terms[:, 1]) or [np.nan] * 2
    same("R2_cell", got, want)
    if len(permuted):
        same_p("R2_cell", found["cell"]["p"], p_of(permuted, sb))
    terms_all, _ = r2_by_cells(np.ones(M, bool))
    with np.errstate(all="ignore"):
        same("queries: r2_cell", per_query["r2_cell"], np.where(terms_all[:, 2] > 1e-9, terms_all[:, 0] / terms_all[:, 2], np.nan)[order])
else:
    same("R2_cell: left out", [terms[:, 2].sum() > 1e-9], [0])
style = r2_by_style(kept, 999 if found["style"] and not found["style"]["folded"] else 0) if (cell_n > 0).sum() <= 4000 else "large"
if style is None:
    same("R2_style: left out", [found["style"] is None], [1])
elif style != "large" and found["style"]:
    sb, sx, st, (top, bottom, pairs, noisy), permuted = style
    want, got = [sb / st, sx / st, (sb - sx) / (st - sx)], [found["style"][name] for name in ("r2", "permuted", "adjusted")]
    got += [found["style"]["interval"][side] if found["style"]["interval"] else np.nan for side in ("low", "high")]
    some, room = bottom > 0, st - sx
    noise = (pairs / room ** 2 if pairs is not None else None, noisy / room)
    want += score(interval(top, bottom), (sb - sx) / room, error_of(top[some], bottom[some]), *noise) or [np.nan] * 2
    same("R2_style", got, want)
    if len(permuted):
        same_p("R2_style", found["style"]["p"], p_of(permuted, sb))
    if (regular != kept).any() and regular.sum() >= 2:
        sb, sx, st, *_ = r2_by_style(regular)
        same("R2_style without models that answer regardless", [found["style"]["without_regardless"]], [(sb - sx) / (st - sx)])

# Ensemble gain of order 1: draws of numpy's own, within the Monte Carlo errors of both.
def near(name, got, error, values, single=None):
    """A mean over draws against other draws; with `single` a ratio of means."""
    values = np.asarray(values, float)
    single = np.ones(len(values)) if single is None else np.asarray(single, float)
    want = values.mean() / single.mean()
    other = np.std(values - want * single, ddof=1) / single.mean() / math.sqrt(len(values))
    no_worse(name, abs(got - want) <= 5 * math.hypot(error, other) + 1e-9, f"{got:.5f}, by other draws {want:.5f}, errors {error:.5f} and {other:.5f}")

def one_draw(i, keep, used, size):
    present = [l for l in np.flatnonzero(keep) if cell_n[l, i]]
    rows_of = lambda l, k: rng.choice(np.flatnonzero((q == i) & (m == l)), k, replace=False)
    together = np.concatenate([rows_of(l, size) for l in rng.permutation(present)[:used]])
    return vendi(e[together])[0], np.mean([vendi(e[rows_of(l, used * size)])[0] for l in present])

ensemble = summary["ensemble"]
got = per_query["ensemble_gain_1"].astype(float).to_numpy()
if ensemble["order_1"]:
    gains = np.where(np.isnan(got), 0, got - 1)
    far = per_query["ensemble_gain_1_unrelated"].astype(float).to_numpy()
    if (kept | ~people).all():
        one = ensemble["order_1"]
        defined = ~np.isnan(got) & ~np.isnan(far)
        same("ensemble gain of order 1", [one["value"], one["gain"], one["unrelated"]],
             [(got[defined] - 1).sum() / (far[defined] - 1).sum(), got[defined].mean(), far[defined].mean()])
        if defined.sum() >= 5:
            top, bottom, at = (got - 1)[defined], (far - 1)[defined], order[defined]
            # What the reference of unrelated answers does with the queries, by slopes that come from the draws.
            within_moves = moves_of_mean(np.array([within_square(i, kept) for i in range(Q)]))
            top = carried(top, bottom, one["slopes"][1], GAIN_MOVES[1], at)
            ci = interval(carried(top, bottom, one["slopes"][0], within_moves, at), bottom, at)
            same("ensemble gain of order 1: interval", [one["interval"]["low"], one["interval"]["high"]], ci)
    checked = 0
    for place, i in enumerate(order):
        if np.isnan(got[place]) or checked == 5:
            continue
        checked += 1
        present = [l for l in range(M) if cell_n[l, i]]
        least = int(min(cell_n[l, i] for l in present))
        used = len(present) if len(present) <= least else least
        size = least // used
        draws = np.array([one_draw(i, np.ones(M, bool), used, size) for _ in range(400)])
        near(f"ensemble gain of order 1, query {i}", got[place], per_query["ensemble_gain_1_error"][place], draws[:, 0], draws[:, 1])
        if not np.isnan(far[place]) and used <= Q:
            apart = []
            for _ in range(400):
                chosen = rng.permutation(M)[:used]
                asked = []
                for l in chosen:
                    able = [j for j in range(Q) if cell_n[l, j] >= size and question_of[j] not in {question_of[a] for a in asked}]
                    asked.append(rng.choice(able))
                apart.append(vendi(e[np.concatenate([rng.choice(np.flatnonzero((q == j) & (m == l)), size, replace=False) for l, j in zip(chosen, asked)])])[0])
            error = far[place] * np.std(apart, ddof=1) / np.mean(apart) / math.sqrt(ensemble["draws"])
            near(f"unrelated gain of order 1, query {i}", far[place], error, np.array(apart) / draws[:, 1].mean())
if ensemble["worth_1"]:
    one = ensemble["worth_1"]
    single = [i for i in range(Q) if (cell_n[kept][:, i] <= 1).all() and (cell_n[kept][:, i] > 0).sum() == one["models"]]
    same("worth of order 1", [one["value"], one["queries"]], [np.mean([vendi(e[(q == i) & kept[m]])[0] for i in single]), len(single)])

# Texts: shares, and the headline of some responses, every pair formed.
def again(rows, pair=lambda a, b: True):
    """By query (sum, pairs) of pairs of different models, and the floor of the queries that have some."""
    top, bottom = np.zeros(Q), np.zeros(Q)
    for i in range(Q):
        here = rows[q[rows] == i]
        ok = np.triu(m[here][:, None] != m[here][None, :], 1) & pair(here[:, None], here[None, :])
        top[i], bottom[i] = ((e[here] @ e[here].T)[ok]).sum(), ok.sum()
    rows = rows[bottom[q[rows]] > 0]
    ok = (m[rows][:, None] != m[rows][None, :]) & (question[rows][:, None] != question[rows][None, :]) & pair(rows[:, None], rows[None, :])
    floor = (e[rows] @ e[rows].T)[ok].mean() if ok.any() else np.nan
    return top, bottom, floor

def limits(found, top, bottom):
    """An interval of the report beside the one that it should be."""
    return [found[side] if found else np.nan for side in ("low", "high")], list(interval(top, bottom) or (np.nan, np.nan))

several = kept.sum() > 1 and n <= 6000
if texts is None:
    same("no texts: nothing on them", [summary["texts"] is None and summary["length"] is None], [1])
else:
    import re
    normal = np.array(["" if t is None else " ".join(t.split()).lower() for t in texts], object)
    unable = r"i (?:can't|cannot|can not|am unable to|am not able to|am not allowed to|won't|will not|do not have the ability to)|i'm (?:unable|not able|not allowed) to"
    acts = ("access accommodate answer assist browse comply complete create discuss engage fulfil fulfill generate give help offer participate perform "
            "produce provide respond share support write").split()
    whole = (r"i (?:must (?:respectfully )?decline|have to decline|respectfully decline|decline to|must refuse|refuse to|would rather not|am not comfortable|"
             r"don't feel comfortable|do not feel comfortable)|i'd rather not|i'm not comfortable")
    sorry = r"i'm sorry, but i|i am sorry, but i|sorry, but i|i'm sorry, i can|i'm sorry but i|sorry, i can't|i apologi[zs]e, but i"
    def refuses(text):
        start = text[:200].replace("\u2018", "'").replace("\u2019", "'")
        if re.match(sorry, start) or re.search(r"(?<![^\W_])(?:" + whole + ")", start):
            return True
        for hit in re.finditer(r"(?<![^\W_])(?:" + unable + ")", start):
            rest = start[hit.end():]
            if not rest.lstrip().startswith("help but") and any(re.sub(r"[\W_]+$", "", w) in acts for w in rest.split()[:4]):
                return True
        return False
    refused = np.array([refuses(t) for t in normal])
    mine = kept[m]
    has_text = normal != ""
    copies = pd.Series(normal[mine & has_text]).duplicated(keep=False).to_numpy()
    repeated = np.zeros(n, bool); repeated[np.flatnonzero(mine & has_text)] = copies
    shares = {s["name"]: s for s in summary["texts"]["shares"]}
    for name, marked, of_rows in (("empty", ~has_text, mine), ("refusal", refused, mine), ("verbatim", repeated, mine & has_text)):
        if name in shares:
            top, bottom = np.bincount(q[of_rows & marked], minlength=Q).astype(float), np.bincount(q[of_rows], minlength=Q).astype(float)
            got, want = share_limits(shares[name]["interval"], top, bottom)
            same(f"texts: share {name}", [shares[name]["value"], shares[name]["responses"], *got], [top.sum() / bottom.sum(), top.sum(), *want])
    everywhere = pd.Series(normal[has_text]).duplicated(keep=False).to_numpy()
    repeats = np.zeros(n, bool); repeats[np.flatnonzero(has_text)] = everywhere
    by_model = lambda marked, of_rows: [mean_or_nan(marked[of_rows & (m == l)].astype(float)) for l in of]
    same("models: empty_share", per_model["empty_share"], by_model(~has_text, np.ones(n, bool)))
    same("models: refusal_share", per_model["refusal_share"], by_model(refused, np.ones(n, bool)))
    same("models: verbatim_share", per_model["verbatim_share"], by_model(repeats, has_text))
    if several:
        by_name = np.lexsort((np.arange(n), m, q))
        first = np.zeros(n, bool)
        seen = set()
        for i in by_name:
            if mine[i] and has_text[i] and (q[i], normal[i]) not in seen:
                seen.add((q[i], normal[i])); first[i] = True
        for line in summary["texts"]["lines"]:
            chosen = {"all": mine, "without_refusals": mine & has_text & ~refused, "collapsed": first, "without_refusals_collapsed": first & ~refused}[line["name"]]
            top, bottom, low = again(np.flatnonzero(chosen))
            if line["name"] == "all" or (chosen == mine).all():
                low = headlines["inter_mean"]["floor"]
            got, want = limits(line["interval"], top, bottom)
            same(f"texts: {line['name']}", [line["value"], line["floor"], line["responses"], *got], [top.sum() / bottom.sum(), low, chosen.sum(), *want])

    # Length.
    try:
        from scipy.stats import spearmanr
        def correlations(keep):
            out = np.full((Q, 2), np.nan)
            for i in range(Q):
                here = np.flatnonzero((q == i) & keep[m] & (chars > 0))
                a, b = np.nonzero(np.triu(m[here][:, None] != m[here][None, :], 1))
                if len(a) < 10:
                    continue
                s = ((x[here] @ x[here].T) / np.outer(norm[here], norm[here])).astype(np.float32)[a, b]
                short, long = np.minimum(chars[here][a], chars[here][b]), np.maximum(chars[here][a], chars[here][b])
                for place, other in enumerate((long / short, short)):
                    if len(set(s)) > 1 and len(set(other)) > 1:
                        out[i, place] = spearmanr(s, other).statistic
            return out
        everyone = correlations(np.ones(M, bool))
        same("queries: length_ratio_rho", per_query["length_ratio_rho"], everyone[order, 0])
        same("queries: shorter_length_rho", per_query["shorter_length_rho"], everyone[order, 1])
        if summary["length"]:
            for place, name in enumerate(("ratio", "shorter")):
                rho = correlations(kept)[:, place]
                line, there = summary["length"][name], ~np.isnan(rho)
                if line:
                    got, want = limits(line["interval"], np.where(there, rho, 0), there.astype(float))
                    same(f"length: {name}", [line["mean"], line["queries"], *got], [rho[there].mean(), there.sum(), *np.clip(want, -1, 1)])
    except ImportError as missing:
        print(f"skip rank correlations: {missing}")
    if summary["length"] and summary["length"]["like_length"] and several:
        like = summary["length"]["like_length"]
        rows = np.flatnonzero(mine & (chars > 0))
        near_length = lambda a, b: 4 * np.maximum(chars[a], chars[b]) <= 5 * np.minimum(chars[a], chars[b])
        top, bottom, low = again(rows, near_length)
        used = bottom > 0
        all_top, all_bottom, all_low = again(rows[used[q[rows]]])
        with np.errstate(all="ignore"):
            all_terms = np.where(used, all_top / all_bottom * bottom, 0)
        got, want = limits(like["interval"], top, bottom)
        more = limits(like["difference_interval"], top - all_terms, bottom)
        names = ("value", "floor", "all_pairs", "all_pairs_floor", "difference", "kept", "queries")
        same("length: like length", [like[k] for k in names] + got + more[0],
             [top.sum() / bottom.sum(), low, all_terms.sum() / bottom.sum(), all_low, (top - all_terms).sum() / bottom.sum(), bottom.sum() / all_bottom.sum(), used.sum(), *want, *more[1]])

# Rankings: joint intervals and comparisons by Student's quantiles of scipy (from 50 queries on joint intervals are resampled).
def rankings():
    try:
        from scipy.stats import t as student
    except ImportError as missing:
        print(f"skip rankings: {missing}")
        return
    def critical(comparisons, size):
        return student.ppf(1 - 0.025 / max(comparisons, 1), min(size - 1, 1000))
    def told(first, other, comparisons):
        """Whether the values of the first are above those of another on common queries; None under 5."""
        away = (first - other)[~np.isnan(first - other)]
        if len(away) < 5:
            return None
        return bool(away.mean() > critical(comparisons, len(away)) * away.std(ddof=1) / math.sqrt(len(away)) + 1e-12)
    def line(grid, units, means):
        """For each unit how many of those below can't be told from it."""
        ranked = sorted(units, key=lambda u: (-means[u], u))
        pairs_of = len(units) * (len(units) - 1) // 2
        out = np.full(len(means), np.nan)
        for place, unit in enumerate(ranked):
            verdicts = [told(grid[unit], grid[other], pairs_of) for other in ranked[place + 1:]]
            if any(v is not None for v in verdicts) or not verdicts:
                out[unit] = sum(v is not True for v in verdicts)
        return out
    def additive_moves(grid, units, means):
        """What each query does to a_u + mean b_q: the derivative of the least-squares fit of all units and queries at once."""
        rows = [(u, i) for i in range(Q) for u in units if not np.isnan(grid[u, i])]
        used = sorted({i for _, i in rows})
        design = np.zeros((len(rows), len(units) + len(used)))
        for place, (u, i) in enumerate(rows):
            design[place, units.index(u)] = design[place, len(units) + used.index(i)] = 1
        inverse = np.linalg.pinv(design.T @ design)
        values = np.array([grid[u, i] for u, i in rows])
        fitted = inverse @ design.T @ values
        left, of_row = values - design @ fitted, np.array([i for _, i in rows])
        found = np.full(grid.shape, np.nan)
        for place, i in enumerate(used):
            here = of_row == i
            moved = inverse @ design[here].T @ left[here]
            level = fitted[len(units) + place] - fitted[len(units):].mean()
            found[units, i] = means[units] + len(used) * (moved[:len(units)] + moved[len(units):].mean()) + level
        return found
    with np.errstate(all="ignore"):
        pair_sum, pair_n = gram.sum(1) - np.einsum("aaq->aq", gram), weights.sum(1) - np.einsum("aaq->aq", weights)
        others = np.where((cell_n > 0) & (pair_n > 0), pair_sum / pair_n, np.nan)
    for name, grid in (("with_others", others), ("intra", np.where(cell_n >= 2, intra_cell, np.nan))):
        means = adjusted(grid)
        units = [u for u in range(M) if not np.isnan(means[u])]
        if name == "with_others":
            same("models: with_others", per_model["with_others"], means[of])
        if not units:
            same(f"models: {name}_next", per_model[f"{name}_next"].astype(float), np.full(M, np.nan))
            continue
        there = ~np.isnan(grid)
        common = there[units].all(0)
        if 2 * common.sum() >= there.any(0).sum():
            moved = grid = np.where(common[None, :], grid, np.nan)
        else:
            moved = additive_moves(grid, units, means)
        same(f"models: {name}_next", per_model[f"{name}_next"].astype(float), line(grid, units, means)[of])
        sizes = (~np.isnan(grid)).sum(1)
        if (sizes[units] < 50).any():
            with np.errstate(all="ignore"):
                error = lambda row: np.nanstd(row, ddof=1) / math.sqrt((~np.isnan(row)).sum())
                half = np.array([critical(len(units), k) * error(row) if k >= 5 else np.nan for row, k in zip(moved, sizes)])
            same(f"models: {name}_joint", np.r_[per_model[f"{name}_joint_low"].astype(float), per_model[f"{name}_joint_high"].astype(float)], np.r_[(means - half)[of], (means + half)[of]])
    calm = ~regardless
    with np.errstate(all="ignore"):
        each = np.where(both, gram / weights, np.nan)
    want, got = [], []
    for row, l in zip(per_model.itertuples(), of):
        grid = np.where((calm & (np.arange(M) != l))[:, None], each[l], np.nan)
        means = adjusted(grid)
        units = [u for u in range(M) if not np.isnan(means[u])]
        if not units:
            want.append((np.nan, np.nan, np.nan)); got.append((np.nan if pd.isna(row.most_like) else 0, row.most_like_mean, row.most_like_next))
            continue
        first = min(units, key=lambda u: (-means[u], u))
        verdicts = [told(each[l, first], each[l, u], len(units) * (len(units) - 1) // 2) for u in units if u != first]
        next_of = sum(v is not True for v in verdicts) if not verdicts or any(v is not None for v in verdicts) else np.nan
        # Equal means may come in another order.
        name = index[row.most_like]
        want.append((means[name] >= means[first] - 1e-12, means[first], next_of)); got.append((1, row.most_like_mean, row.most_like_next))
    same("models: most_like", np.array(got, float), np.array(want, float))
    across = [(i, j) for i in range(M) for j in range(i + 1, M) if both[i, j].any()]
    calmly = [p for p in across if calm[p[0]] and calm[p[1]]] or across
    if len(calmly) < 2:
        same("most alike pair: no other", [summary["most_alike_next"] is None], [1])
        return
    first = max(calmly, key=lambda p: (inter[p], -p[0], -p[1]))
    verdicts = [told(each[first], each[p], len(calmly) * (len(calmly) - 1) // 2) for p in calmly if p != first]
    same("most alike pair", [summary["most_alike_next"]], [sum(v is not True for v in verdicts)])

rankings()

# Form and content: every pair of responses formed.
def fnv_bucket(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h * 0x9E3779B97F4A7C15 % 2**64 >> 46

def pseudo_interval(value, without, at, units=None, stream="intervals"):
    """Of what leaving units out changes: (n - 1) / n (mean - value without)."""
    without = np.asarray(without, float); k = len(without)
    if k < 5 or np.isnan(without).any():
        return np.nan, np.nan
    return interval(value + (k - 1) * (without.mean() - without), np.ones(k), at, units, stream)

MOST_PAIRED = 4000  # responses whose pairs are formed here

def form_reference():
    path = os.path.join(out, "form.parquet")
    if texts is None:
        same("form: no table without texts", [os.path.exists(path)], [False])
        return
    normal = ["" if t is None else " ".join(t.split()).lower() for t in texts]
    rows = np.array([i for i, t in enumerate(normal) if len(t) >= 300], int)
    if not os.path.exists(path):
        same("form: no table for lack of long texts", [len(rows) < 2 or len(set(question[rows])) == len(rows)], [True])
        return
    same("form: responses, short", [summary["form"]["responses"], summary["form"]["short"]], [len(rows), n - len(rows)])
    if len(rows) > MOST_PAIRED:
        print(f"skip form: {len(rows)} responses are too many to form every pair here")
        return
    known, used, counts = {}, {}, np.zeros((len(rows), 0))
    places = []
    for i in rows:
        t = normal[i][:300]
        grams = [t[k:k + 4] for k in range(297)]
        for gram in set(grams) - known.keys():
            known[gram] = used.setdefault(fnv_bucket(gram), len(used))
        places.append([known[gram] for gram in grams])
    counts = np.zeros((len(rows), len(used)))
    for line, place in zip(counts, places):
        np.add.at(line, place, 1)
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    begins = [tuple(normal[i][:300].split(" ")[:5]) for i in rows]
    grams = {"form": counts @ counts.T, "content": e[rows] @ e[rows].T,
             "opening": np.array([[float(a == b) for b in begins] for a in begins])}
    kq, km, kp = question[rows], m[rows], person[rows]
    place_of = {u: min(q[question == u]) for u in np.unique(kq)}  # a question counts as the first of its copies
    odd = set(np.flatnonzero(regardless)) if (regular != kept).any() and regular.any() else set()
    upper = np.triu(np.ones((len(rows), len(rows)), bool), 1)

    def pairs_of(kind, model=None, skip=()):
        both = lambda mask: mask[:, None] & mask[None, :]
        if kind == "people":
            return both(kp)
        ai = both(~kp & ~np.isin(km, list(skip)))
        own = km[:, None] == km[None, :]
        return ai & own & (km == model)[:, None] if model is not None else ai & own if kind == "one_model" else ai & ~own

    def means(mask, other):
        """By channel: mean, and by question the mean without it."""
        mask = mask & upper & ((kq[:, None] != kq[None, :]) if other else (kq[:, None] == kq[None, :]))
        if not mask.any():
            return None
        found = {}
        asked = [u for u in np.unique(kq) if mask[kq == u].any() or mask[:, kq == u].any()]
        for channel, g in grams.items():
            total, size = g[mask].sum(), mask.sum()
            without = {}
            for u in asked:
                part = mask.copy(); part[kq == u] = False; part[:, kq == u] = False
                without[u] = g[part].mean() if part.any() else np.nan
            found[channel] = (total / size, without)
        return found

    def interval_of(found):
        value, without = found
        return pseudo_interval(value, list(without.values()), [place_of[u] for u in without])

    def difference(a, b, noise=None):
        """Of two means: value, interval of the sum of contributions."""
        out_ = {}
        for channel in grams:
            (va, wa), (vb, wb) = a[channel], b[channel]
            share = lambda w: {u: (len(w) - 1) / len(w) * (np.mean(list(w.values())) - x) for u, x in w.items()}
            ca, cb = share(wa), share(wb)
            both_have = sorted(set(ca) | set(cb))
            c = np.array([ca.get(u, 0) - cb.get(u, 0) for u in both_have])
            value, ci = va - vb, (np.nan, np.nan)
            if len(c) >= 5 and not np.isnan(c).any():
                terms = value + len(c) * c
                ci = interval(terms, np.ones(len(c)), [place_of[u] for u in both_have])
                if noise is not None:
                    ci = score(ci, value, error_of(terms, np.ones(len(c))), *noise(channel))
            out_[channel] = (va, vb, value, ci, len(c))
        return out_

    table = read("form.parquet")
    present = sorted(set(km[~kp]), key=lambda l: models[l].encode())
    wanted = [("one_model", None)] + [("one_model", l) for l in present] + [("other_models", None), ("people", None)]
    wanted = [(kind, l) for kind, l in wanted if (pairs_of(kind, l) & upper).any()]
    got_keys = [(r.pairs, None if pd.isna(r.model) else index[str(r.model)]) for r in table[["pairs", "model"]].itertuples(index=False)]
    same("form: lines", [len(got_keys), sum(a != b for a, b in zip(got_keys, wanted))], [len(wanted), 0])
    few = len(np.unique(kq)) < 50  # more take too long
    for name, other in (("other_query", True), ("same_query", False)):
        found = [means(pairs_of(kind, l), other) for kind, l in wanted]
        for channel in grams:
            same(f"form: {name} {channel}", table[f"{name}_{channel}"], [f[channel][0] if f else np.nan for f in found])
            if few:
                want = np.array([interval_of(f[channel]) if f else (np.nan, np.nan) for f in found])
                same(f"form: {name} {channel} intervals", np.r_[table[f"{name}_{channel}_ci_low"], table[f"{name}_{channel}_ci_high"]], np.r_[want[:, 0], want[:, 1]])

    # Compression, by the same draw.
    import pyarrow as pa
    row_of = np.argsort(np.argsort(rows))
    def ratio(mask):
        drawn = []
        for u in np.unique(kq):
            here = [int(i) for i in rows[mask & (kq == u)]]
            if not here:
                continue
            first, second = (philox_bits(here, np.full(len(here), b), "compression") for b in (0, 1))
            order = sorted(range(len(here)), key=lambda k: int(first[k]))
            drawn += [(place, int(second[k]), here[k]) for place, k in enumerate(order)]
        text = "".join(normal[i][:300] + "\n" for _, _, i in sorted(drawn)).encode()[:20000]
        return 20000 / len(pa.Codec("zstd", compression_level=9).compress(text)) if len(text) == 20000 else np.nan
    want = [ratio(kp if kind == "people" else ~kp & ((km == l) if l is not None else True)) for kind, l in wanted]
    of_models = [w for w, (kind, l) in zip(want, wanted) if l is not None and w == w]
    want = [(np.median(of_models) if of_models else np.nan) if key == ("one_model", None) else w for key, w in zip(wanted, want)]
    got = table["compression"].to_numpy(float)
    # Another release of zstd may find a few bytes more or less.
    close = np.array_equal(np.isnan(got), np.isnan(want)) and np.nanmax(np.abs(got / np.array(want) - 1), initial=0) < 0.005
    global failures
    failures += not close
    print(f"{'ok  ' if close else 'FAIL'} form: compression within 0.5 %: {got[:4]} {want[:4]}")

    def style(channel, mask):
        """R^2 of models, its expectation, adjusted; from the Gram matrix of rows centred by question."""
        here = np.flatnonzero(mask)
        if not len(here):
            return None
        u = kq[here]; same_u = u[:, None] == u[None, :]
        centre = np.eye(len(here)) - same_u / same_u.sum(1, keepdims=True)
        g = centre @ grams[channel][np.ix_(here, here)] @ centre
        within, explained, expected = np.trace(g), 0.0, 0.0
        for l in np.unique(km[here]):
            own = km[here] == l
            explained += g[np.ix_(own, own)].sum() / own.sum()
            for v in np.unique(u[own]):
                k, size = (own & (u == v)).sum(), (u == v).sum()
                if size > 1:
                    expected += k * (size - k) / (size - 1) * np.diag(g)[u == v].mean() / own.sum()
        asked = sorted([v for v in np.unique(u) if (u == v).sum() > 1], key=lambda v: place_of[v])
        own = (km[here][:, None] == km[here][None, :]) / np.array([(km[here] == l).sum() for l in km[here]])[:, None]
        room = within - expected
        pairs = in_pairs(asked, lambda a, b: 2 * (g * own)[np.ix_(u == a, u == b)].sum() / room) if few else None
        return explained / within, expected / within, (explained - expected) / room, (pairs, explained / room)

    def noise_between(channel, skip):
        """What the mean of one model's pairs less that of different models' varies where models are alike; and that with its noise."""
        here = np.flatnonzero(~kp & ~np.isin(km, list(skip)))
        g, u, l = grams[channel][np.ix_(here, here)], kq[here], km[here]
        apart, own = u[:, None] != u[None, :], l[:, None] == l[None, :]
        sizes = (apart & own).sum(), (apart & ~own).sum()
        mean, beside = g[apart & own].sum() / sizes[0], g[apart & ~own].sum() / sizes[1]
        weight = np.where(own, 1 / sizes[0], -1 / sizes[1])
        off = (g - np.where(own, mean, beside)) * weight
        asked = sorted([v for v in np.unique(u) if (u == v).sum() > 1], key=lambda v: place_of[v])
        pairs = in_pairs(asked, lambda a, b: 2 * off[np.ix_(u == a, u == b)].sum())
        if pairs is None:
            return None, 0.0
        of_row = 2 * (weight * apart).sum(1) * ((g * apart).sum(1) / apart.sum(1) - g[apart].mean())
        alike = np.array([of_row[u == v].sum() for v in np.unique(u)])
        itself = ((g - g[apart].mean()) * weight * ~apart).sum()
        return pairs + len(alike) / (len(alike) - 1) * ((alike - alike.mean()) ** 2).sum(), mean - beside + itself

    def block(name, found, skip):
        reference = "people" if kp.any() else "other_models"
        kinds = ["one_model", "other_models"] if kp.any() else ["one_model"]
        want = []
        for other in (True, False):
            for kind in kinds:
                a, b = means(pairs_of(kind, skip=skip), other), means(pairs_of(reference, skip=skip), other)
                between = other and kind == "one_model" and reference == "other_models" and few
                found_apart = a and b and difference(a, b, (lambda channel: noise_between(channel, skip)) if between else None)
                if found_apart and found_apart["form"][4] >= 2:
                    want.append((kind, other, found_apart))
        same(f"{name}: contrasts", [len(found["contrasts"]), sum((c["group"], c["other_query"]) != w[:2] for c, w in zip(found["contrasts"], want))], [len(want), 0])
        for c, (kind, other, w) in zip(found["contrasts"], want):
            for channel in grams:
                one, (va, vb, value, ci, size) = c[channel], w[channel]
                got, expected = [one["value"], one["reference"], one["difference"], c["queries"]], [va, vb, value, size]
                if few:
                    got += [one["interval"]["low"], one["interval"]["high"]] if one["interval"] else [np.nan] * 2
                    expected += ci
                same(f"{name}: {kind}, {'other' if other else 'same'} query, {channel}", got, expected)
        mask = ~kp & ~np.isin(km, list(skip))
        for channel in ("form", "content"):
            one = found[f"style_{channel}"]
            if one is None:
                continue
            want = style(channel, mask)
            got, expected = [one["r2"], one["expected"], one["adjusted"]], list(want[:3])
            if few:
                asked = [v for v in np.unique(kq[mask]) if (mask & (kq == v)).sum() > 1]
                got += [one["interval"]["low"], one["interval"]["high"]] if one["interval"] else [np.nan] * 2
                without = np.array([style(channel, mask & (kq != v))[2] for v in asked])
                plain = pseudo_interval(want[2], without, [place_of[v] for v in asked])
                terms = (len(asked) - 1) * (without.mean() - without)
                expected += score(plain, want[2], error_of(terms, np.ones(len(terms))), *want[3]) if len(asked) >= 5 else plain
            same(f"{name}: share of {channel} that models explain", got, expected)

    block("form", summary["form"], ())
    same("form: without models that answer regardless", [summary["form"]["without_regardless"] is not None], [bool(odd)])
    if odd:
        block("form without models that answer regardless", summary["form"]["without_regardless"], odd)
    if "form_repeats" in headlines:
        one = summary["form"]["contrasts"][0]
        same("headline form_repeats", [headlines["form_repeats"][k] for k in ("value", "floor", "queries")], [one["form"]["difference"], one["content"]["difference"], one["queries"]])
    if "form_style" in headlines:
        same("headline form_style", [headlines["form_style"][k] for k in ("value", "floor")], [summary["form"]["style_form"]["adjusted"], summary["form"]["style_content"]["adjusted"]])

form_reference()

# Teams: every pair of a team's responses formed; the outcome model with a column for each query.
def teams_reference():
    team, quality, expertise = column("team", "team"), column("quality", "quality"), column("expertise", "expertise")
    path = os.path.join(out, "teams.parquet")
    if team is None or quality is None:
        same("teams: no table without their columns", [os.path.exists(path)], [False])
        return
    quality = np.array([np.nan if v is None else v for v in quality], float)
    has = np.array([v is not None and v == v for v in team])
    team = np.array([str(v) if h else "" for v, h in zip(team, has)])
    rated = has & ~np.isnan(quality)
    found, table = summary["teams"], read("teams.parquet")
    bar, tau = np.median(quality[rated]), summary["meanings"]["tau"]
    same("teams: bar, unrated", [found["bar"], found["unrated"]], [bar, (has & np.isnan(quality)).sum()])
    s = ((x @ x.T) / np.outer(norm, norm)).astype(np.float32).astype(float)
    first_query = {u: queries[min(q[question == u])] for u in np.unique(question)}

    def lines(rated):
        found = []
        for u in np.unique(question[rated]):
            pool = np.flatnonzero(rated & (question == u))
            good = (quality[pool] >= bar).sum(); k = len(pool)
            both = good * (good - 1) / (k * (k - 1)) if k > 1 else 0.0
            for t in sorted(set(team[pool]), key=str.encode):
                own = pool[team[pool] == t]
                a, b = np.triu_indices(len(own), 1); a, b = own[a], own[b]
                apart = s[a, b] < tau
                eff = apart & (quality[a] >= bar) & (quality[b] >= bar)
                known = np.array([] if expertise is None else [v for v in expertise[own] if v is not None and v == v], float)
                found.append(dict(query=first_query[u], team=t, n=len(own), quality=quality[own].mean(), expertise=known.mean() if len(known) else np.nan,
                                  diversity=1 - (e[a] * e[b]).sum(1).mean() if len(a) else np.nan, pairs=len(a), good=(quality[own] >= bar).sum(),
                                  distinct_pairs=apart.sum(), effective_pairs=eff.sum(), effective=eff.mean() if len(a) else np.nan,
                                  null=apart.sum() * both / len(a) if len(a) else np.nan))
        return pd.DataFrame(found).sort_values(["query", "team"], key=lambda c: c.map(lambda v: v.encode()), kind="stable").reset_index(drop=True)

    want = lines(rated)
    same("teams: lines", [len(table), (table["query"].astype(str).to_numpy() != want["query"].to_numpy()).sum(), (table["team"].astype(str).to_numpy() != want["team"].to_numpy()).sum()], [len(want), 0, 0])
    for name in ("n", "quality", "expertise", "diversity", "pairs", "good", "distinct_pairs", "effective_pairs", "effective", "null"):
        same(f"teams: {name}", table[name].astype(float), want[name].astype(float))
    both = lambda w: (w["effective_pairs"].sum() / w["pairs"].sum(), (w["null"].fillna(0) * w["pairs"]).sum() / w["pairs"].sum())
    value, null = both(want)
    members = sorted(want[want["pairs"] > 0]["team"].unique())
    left = np.array([both(lines(rated & (team != t))) for t in members])
    above = found["above_null"]
    got, expected = [above["value"], above["reference"], above["difference"]], [value, null, value - null]
    got += [above["interval"]["low"], above["interval"]["high"]] if above["interval"] else [np.nan] * 2
    expected += pseudo_interval(value - null, left[:, 0] - left[:, 1], np.arange(len(members)), len(members), "teams")
    same("teams: effective diversity and its reference", got, expected)
    same("headline effective_diversity", [headlines["effective_diversity"]["value"], headlines["effective_diversity"]["floor"]], [value, null])

    some = want[want["diversity"].notna() & (want["expertise"].notna() if expertise is not None else True)]
    some = some[some.groupby("query")["team"].transform("size") > 1]
    members = sorted(some["team"].unique())
    if len(members) < 30:
        same("teams: no outcome model of fewer than 30", [len(found["coefficients"])], [0])
        return
    d = some["diversity"] - some["diversity"].mean()
    columns = {"diversity": d}
    if expertise is not None:
        x_ = some["expertise"] - some["expertise"].mean()
        columns |= {"expertise": x_, "diversity_x_expertise": d * x_}
    columns["log_size"] = np.log(some["n"].astype(float))
    design = np.column_stack([np.array(list(columns.values())).T, pd.get_dummies(some["query"]).to_numpy(float)])
    def fit(mask):
        return np.linalg.lstsq(design[mask], some["quality"].to_numpy()[mask], rcond=None)[0][: len(columns)]
    coefficients = fit(np.ones(len(some), bool))
    same("teams: coefficients", [c["value"] for c in found["coefficients"]], coefficients)
    same("teams: names, teams, lines, queries", [sum(a["name"] != b for a, b in zip(found["coefficients"], columns)), *found["model"]], [0, len(members), len(some), some["query"].nunique()])
    if len(members) <= 200:
        left = np.array([fit((some["team"] != t).to_numpy()) for t in members])
        half = student_quantile(len(members) - 1) * np.sqrt((len(members) - 1) * left.var(axis=0))
        same("teams: intervals", [c["interval"][k] for k in ("low", "high") for c in found["coefficients"]], np.r_[coefficients - half, coefficients + half])

teams_reference()

def map_reference():
    """Principal components of all unit vectors by a singular value decomposition, where their directions are told apart."""
    found = summary["map"]
    if found is None:
        same("map: nothing without a summary", [os.path.exists(os.path.join(out, "map.parquet"))], [0])
        return
    table = read("map.parquet")
    rows = table["row"].to_numpy()
    same("map: rows", [len(rows), found["shown"], found["responses"], len(np.unique(rows))], [min(n, 100000), min(n, 100000), n, len(rows)])
    centred = e - e.mean(0)
    values, directions = np.linalg.svd(centred, full_matrices=False)[1:]
    squares = values ** 2
    same("map: share of variance", found["explained"], squares[:2] / squares.sum())
    try:
        from sklearn.decomposition import PCA
        fitted = PCA(2, svd_solver="full").fit(e)
        same("map: share of variance by scikit-learn", found["explained"], fitted.explained_variance_ratio_)
        directions = fitted.components_
    except ImportError as missing:
        print(f"skip the map by scikit-learn: {missing}")
    gap = np.abs(np.diff(squares[:3])).min() / squares[0]
    if gap < 1e-6:
        print(f"skip coordinates of the map: eigenvalues are {gap:.0e} apart")
        return
    turned = directions[:2] * np.sign(directions[[0, 1], np.abs(directions[:2]).argmax(1)])[:, None]
    # To 1e-9 of the length of a vector.
    same("map: coordinates", 1 + table[["x", "y"]].to_numpy(), 1 + centred[rows] @ turned.T)
    if texts is None:
        same("map: no text", ["text" in table], [0])
    else:
        want = [None if texts[r] is None else texts[r] if len(texts[r]) <= 160 else texts[r][:160] + "\u2026" for r in rows]
        same("map: texts that begin otherwise", [sum((a if isinstance(a, str) else None) != b for a, b in zip(table["text"], want))], [0])

map_reference()
print("0 failed" if failures == 0 else f"{failures} failed")
sys.exit(failures > 0)
