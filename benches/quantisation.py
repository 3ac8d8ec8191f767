"""How many pairs a row pass the filter of a quantised product, and what would make them fewer.

usage: python benches/quantisation.py [--input FILES...] [--planted NxD...] [options]

The pair pass multiplies quantised rows and looks again, in f32, at every pair with S + bound >= L, where L is the k-th
largest similarity of a row. Here `--sample` random rows meet all rows, in f64, and the pairs that pass are counted for ways
to quantise:

as built         the unit row, a scale a row (int8: largest element / 127; int16: no slice of 64 products leaves 32 bits)
7 bits           int8 with 63 steps to each side
clipped          the scale of a row chosen so that its residual is least
rotated, PCA     after one random rotation, after that to principal components
Hadamard         after random signs and a Hadamard rotation of every 2^p elements, 2^p the largest that divides D: d log d
centred          the difference from the mean of all unit rows
by query         the difference from the mean of the query's unit rows
by 128 rows      the difference from the mean of the 128 unit rows that stand together (rows stand by query)

Bound. A row x = m + dx, m the centre of its group p (0 where nothing is centred), dx' = scale q, r = |dx - dx'|, n = |dx|:
  S = scale_x scale_y <q_x, q_y> + A_x(q) + A_y(p),  A_x(q) = <x, m_q> - <m_p, m_q> / 2  (its two f32, and the two
                    additions in f32, are allowed 3 2^-24 of error together: half of it in each h below)
  per pair:         |<x,y> - S| <= r_x n_y + r_y n_x + r_x r_y + gamma (n_x + r_x) (n_y + r_y)
  additive, max:    halves h = r max(n) + r^2 / 2 + gamma (n + r)^2 / 2
  additive, AM-GM:  halves h = (t r^2 + n^2 / t) / 2 + r^2 / 2 + gamma (n + r)^2 / 2 for any t (here: the median of n / r),
                    since r_x n_y <= (t r_x^2 + n_y^2 / t) / 2
No error may exceed a bound, and no bound of the pair an additive one: asserted for all pairs, and for rows made to err most.
Where nothing is centred (n = 1) the first two are the same, but for what rounding adds.

L: final, the true k-th largest similarity; seeded, the k-th largest among a window of the row's own query, as in
src/run/seed.rs. Pairs are counted from the row's side, itself left out; of identical rows one stays.

Besides the corpora as they are, the first one is made anisotropic: a common offset (a random direction) that brings the mean
cosine of all pairs to --offsets; --outliers random elements multiplied by ten; or raised by ten times the typical element.
Needs numpy, and pyarrow for --input.
"""
import argparse, dataclasses, tempfile
import numpy as np
from peers import corpora

UNIT = 2.0**-24
CENTRED = 1.5 * UNIT  # half of what rounding to f32 may add where rows are centred
SLICE = 64  # elements whose products are summed at once
BLOCK = 4096  # rows taken at once
BIN = 0.01
ROUNDING = 1e-12  # of this script, in f64

LEGEND = """median: of the bound. largest error: in terms of the bound; of made rows: where rows meet rows made to be worst for them.
near an edge: pairs nearer to an edge of a bin of .01 than their bound; by the largest: than the largest bound of all pairs."""

parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
parser.add_argument("--input", nargs="*", default=[], help="Parquet files, one corpus")
parser.add_argument("--planted", nargs="*", default=[], help="NxD...")
parser.add_argument("-k", nargs="*", type=int, default=[10, 32, 100])
parser.add_argument("--sample", type=int, default=600, help="rows that meet all rows")
parser.add_argument("--offsets", nargs="*", type=float, default=[0.3, 0.7])
parser.add_argument("--outliers", type=int, default=5)
parser.add_argument("--plain", action="store_true", help="corpora as they are alone")
parser.add_argument("--only", nargs="*", help="ways to quantise whose name has one of these words")
parser.add_argument("--seed", type=int, default=0)


@dataclasses.dataclass
class Corpus:
    name: str
    x: np.ndarray  # N x D f32, sorted by query
    query: np.ndarray  # N

    def __post_init__(self):
        self.inverse = np.concatenate([1 / np.linalg.norm(self.x[some].astype(float), axis=1) for some in blocks(len(self.x))])

    def unit(self, rows):
        """Unit rows in f64."""
        return self.x[rows] * self.inverse[rows, None]

    def mean(self):
        return sum(self.unit(some).sum(0) for some in blocks(len(self.x))) / len(self.x)


def blocks(rows):
    return [slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]


def load(planted):
    """Distinct rows that are not zero, by query."""
    x, query = np.array(planted.vectors()), np.fromfile(planted.query, np.uint32)
    distinct = np.unique(np.ascontiguousarray(x).view(f"V{4 * x.shape[1]}").ravel(), return_index=True)[1]
    distinct = distinct[np.any(x[distinct] != 0, axis=1)]
    order = distinct[np.lexsort([distinct, query[distinct]])]
    return Corpus(planted.name, x[order], query[order])


def anisotropic(corpus, rng):
    """The corpus with an offset, and with outlier elements."""
    unit, dim = corpus.unit(slice(None)), corpus.x.shape[1]
    variant = lambda name, x: Corpus(f"{corpus.name}, {name}", x.astype(np.float32), corpus.query)
    mean, direction = corpus.mean(), rng.standard_normal(dim)
    direction -= mean * (direction @ mean) / (mean @ mean)
    direction /= np.linalg.norm(direction)
    for cosine in options.offsets:
        yield variant(f"offset to mean cosine {cosine}", unit + np.sqrt((cosine - mean @ mean) / (1 - cosine)) * direction)
    outliers = rng.choice(dim, options.outliers, replace=False)
    multiplied, raised = unit.copy(), unit.copy()
    multiplied[:, outliers] *= 10
    raised[:, outliers] += 10 / np.sqrt(dim) * rng.choice([-1, 1], options.outliers)
    yield variant(f"{options.outliers} elements times ten", multiplied)
    yield variant(f"{options.outliers} elements plus ten typical ones", raised)


def steps(most, factors=(1.0,)):
    """Integers up to `most` to each side: elements, scale, of the factor that leaves the least residual."""

    def quantise(x):
        largest = np.maximum(np.abs(x).max(1), 1e-30)
        best = np.full(len(x), np.inf)
        elements, chosen = np.zeros(x.shape, np.float32), np.zeros(len(x))
        for factor in factors:
            scale = np.nextafter((factor * largest / most).astype(np.float32), np.float32(1)).astype(float)
            q = np.clip(np.rint(x / scale[:, None]), -most, most)
            residual = np.linalg.norm(x - q * scale[:, None], axis=1)
            better = residual < best
            best[better], chosen[better], elements[better] = residual[better], scale[better], q[better]
        return elements, chosen

    return quantise


def int16(x):
    padded = np.pad(x, ((0, 0), (0, -x.shape[1] % SLICE))).reshape(len(x), -1, SLICE)
    slices = np.sqrt((padded**2).sum(2).max(1)) * (1 + 1e-9)
    scale = np.maximum(slices / (46_339 - 0.5 * SLICE**0.5), np.abs(x).max(1) / 32_767)
    scale = np.nextafter(scale.astype(np.float32), np.float32(1)).astype(float)
    return np.rint(x / scale[:, None]).astype(np.float32), scale


def bf16(x):
    bits = x.astype(np.float32).view(np.uint32)
    bits = (bits + (0x7FFF + (bits >> 16 & 1))) & np.uint32(0xFFFF0000)
    return bits.view(np.float32), np.ones(len(x))


def f16(x):
    """Scaled by 2^8, subnormals set to 0."""
    half = (x * 256).astype(np.float16).astype(np.float32)
    return np.where(np.abs(half) < 2.0**-14, np.float32(0), half), np.full(len(x), 2.0**-8)


@dataclasses.dataclass
class Coarse:
    """Quantised rows."""

    corpus: Corpus
    rotation: np.ndarray | None
    centres: np.ndarray | None  # groups x D
    group: np.ndarray | None  # N
    quantise: object
    gamma: float

    def __post_init__(self):
        rows, dim = self.corpus.x.shape
        self.elements = np.empty((rows, dim), np.float32)
        self.scale, self.residual, self.length = np.empty(rows), np.empty(rows), np.empty(rows)
        self.shift = None if self.centres is None else np.empty((rows, len(self.centres)))
        for some in blocks(rows):
            x = self.corpus.unit(some)
            if self.centres is not None:
                own = self.centres[self.group[some]]
                self.shift[some] = (x - 0.5 * own) @ self.centres.T
                x = x - own
            if self.rotation is not None:
                x = x @ self.rotation
            self.elements[some], self.scale[some] = self.quantise(x)
            self.residual[some] = np.linalg.norm(x - self.elements[some] * self.scale[some, None], axis=1)
            self.length[some] = np.linalg.norm(x, axis=1)
        # Sums of integers in f32 are exact below 2^24; other products are formed in f64.
        squares = (self.elements**2).sum(1, dtype=float).max()
        whole = all((self.elements[some] == np.rint(self.elements[some])).all() for some in blocks(rows))
        self.number = np.float32 if whole and squares < 2**24 else np.float64
        self.t = np.median(self.length / np.maximum(self.residual, 1e-30))

    def similarities(self, sample, columns):
        product = self.elements[sample].astype(self.number) @ self.elements[columns].astype(self.number).T
        s = product * self.scale[columns] * self.scale[sample, None]
        if self.shift is not None:
            s += self.shift[sample][:, self.group[columns]] + self.shift[columns][:, self.group[sample]].T
        return s

    def bounds(self, sample, columns):
        """(name, sample x columns, largest of all pairs where it is additive); the first is the least."""
        r, n = self.residual, self.length
        rx, nx, ry, ny = r[sample, None], n[sample, None], r[columns], n[columns]
        added = 0.0 if self.shift is None else CENTRED
        rounding = 0.5 * self.gamma * (n + r) ** 2 + added
        yield "per pair", rx * ny + nx * ry + rx * ry + self.gamma * (nx + rx) * (ny + ry) + 2 * added, np.nan
        halves = {"additive, max": r * n.max() + 0.5 * r * r + rounding}
        if self.shift is not None:
            halves["additive, AM-GM"] = 0.5 * (self.t * r * r + n * n / self.t) + 0.5 * r * r + rounding
        for name, half in halves.items():
            yield name, half[sample, None] + half[columns], 2 * half.max()


def hadamard(dim, rng):
    """Random signs, then elements i, i + s, i + 2 s ... (s strides of 2^p elements) rotated together. D x D."""
    size = dim & -dim
    block = np.ones((1, 1))
    while len(block) < size:
        block = np.block([[block, block], [block, -block]])
    return rng.choice([-1.0, 1.0], (dim, 1)) * np.kron(block, np.eye(dim // size)) / np.sqrt(size)


def ways(corpus, rng):
    """(name, how to make it) of every way to quantise."""
    rows, dim = corpus.x.shape
    rotation = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    spread = hadamard(dim, rng)
    mean = corpus.mean()
    some = corpus.unit(np.sort(rng.choice(rows, min(rows, 10_000), replace=False))) - mean
    components = np.linalg.eigh(some.T @ some)[1]
    first, query, count = np.unique(corpus.query, return_index=True, return_inverse=True, return_counts=True)[1:]
    centres = np.stack([corpus.unit(slice(start, start + rows)).mean(0) for start, rows in zip(first, count)])
    eight, exact = steps(127), 4.1 * UNIT
    clipped = steps(127, [0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 1])
    near = np.arange(rows) // 128
    near_centres = np.stack([corpus.unit(slice(start, start + 128)).mean(0) for start in range(0, rows, 128)])
    one, slices = np.zeros(rows, int), -(-dim // SLICE)
    long = (slices + 3.1) * UNIT
    make = lambda *arguments: lambda: Coarse(corpus, *arguments)
    return [
        ("int8, as built", make(None, None, None, eight, exact)),
        ("int8, 7 bits", make(None, None, None, steps(63), exact)),
        ("int8, clipped", make(None, None, None, clipped, exact)),
        ("int8, rotated", make(rotation, None, None, eight, exact)),
        ("int8, PCA", make(components, None, None, eight, exact)),
        ("int8, centred", make(None, mean[None], one, eight, exact)),
        ("int8, centred, rotated", make(rotation, mean[None], one, eight, exact)),
        ("int8, centred, Hadamard", make(spread, mean[None], one, eight, exact)),
        ("int8, by query", make(None, centres, query, eight, exact)),
        ("int8, by query, Hadamard", make(spread, centres, query, eight, exact)),
        ("int8, by 128 rows", make(None, near_centres, near, eight, exact)),
        ("bf16, as built", make(None, None, None, bf16, (2 * SLICE + slices + 4) * UNIT)),
        ("f16", make(None, None, None, f16, (SLICE + slices) * 4 * UNIT)),
        ("int16, as built", make(None, None, None, int16, long)),
        ("int16, centred", make(None, mean[None], one, int16, long)),
        ("int16, centred, Hadamard", make(spread, mean[None], one, int16, long)),
        ("int16, by query", make(None, centres, query, int16, long)),
    ]


def lower_bounds(corpus, sample, truth):
    """L of the sample, final and seeded: (2, ks, sample)."""
    rows = len(corpus.x)
    final, seeded = np.empty((len(options.k), len(sample))), np.empty((len(options.k), len(sample)))
    for place, row in enumerate(sample):
        start, end = np.searchsorted(corpus.query, corpus.query[row] + np.array([0, 1]))
        kth = lambda some, k: np.partition(some, -k - 1)[-k - 1]  # the row itself is the largest
        similarities = truth[place].copy()
        similarities[row] = np.inf
        for which, k in enumerate(options.k):
            most = max(4 * k, 512)
            low, high = (0, rows) if end - start < 2 * k else (start, end)
            begin = max(min(row - most // 2, high - most), low)
            final[which, place] = kth(similarities, k)
            seeded[which, place] = kth(similarities[begin:min(begin + most, high)], k)
    return np.stack([final, seeded])


def count(coarse, sample, truth, lower):
    """For each bound: median, largest error over bound, shares of pairs near an edge, passes (2, ks, sample)."""
    found = {}
    rows = truth.shape[1]
    for columns in blocks(rows):
        s = coarse.similarities(sample, columns)
        error = np.abs(s - truth[:, columns])
        own = np.arange(rows)[columns] == sample[:, None]
        from_edge = np.abs(s / BIN - np.rint(s / BIN)) * BIN
        least = None
        for name, bound, largest in coarse.bounds(sample, columns):
            least = bound if least is None else least
            assert (error <= bound + ROUNDING).all(), f"a similarity is farther from the true one than its bound: {name}"
            assert (least <= bound + ROUNDING).all(), f"below the bound of the pair: {name}"
            upper = np.where(own, -np.inf, s + bound)
            passes, medians, ratios, near, nearer = found.setdefault(name, ([], [], [], [], []))
            passes.append(np.array([[(upper >= row[:, None]).sum(1) for row in rows] for rows in lower]))
            medians.append(bound[:, ::7].ravel())
            ratios.append((error / (bound + ROUNDING)).max())
            near.append((~own & (from_edge <= bound)).sum())
            nearer.append(np.nan if np.isnan(largest) else (~own & (from_edge <= largest)).sum())
    pairs = truth.size - len(sample)
    return {
        name: (np.median(np.concatenate(medians)), max(ratios), sum(near) / pairs, sum(nearer) / pairs, sum(passes))
        for name, (passes, medians, ratios, near, nearer) in found.items()
    }


def worst(coarse):
    """What `count` finds where rows meet rows that differ from their centre as the residuals of the former point."""
    rows = np.arange(min(256, len(coarse.scale)))
    x, group = coarse.corpus.unit(rows), None if coarse.group is None else coarse.group[rows]
    centre = 0.0 if group is None else coarse.centres[group]
    rotation = np.eye(x.shape[1]) if coarse.rotation is None else coarse.rotation
    along = ((x - centre) @ rotation - coarse.elements[rows] * coarse.scale[rows, None]) @ rotation.T
    along *= (coarse.length[rows] / np.maximum(np.linalg.norm(along, axis=1), 1e-30))[:, None]
    made = Corpus("", np.concatenate([x, centre + along, centre - along]).astype(np.float32), None)
    three = dataclasses.replace(coarse, corpus=made, group=None if group is None else np.tile(group, 3))
    return count(three, rows, made.unit(rows) @ made.unit(slice(None)).T, np.zeros((1, 1, len(rows))))


def table(corpus, rng):
    rows, dim = corpus.x.shape
    sample = np.sort(rng.choice(rows, min(rows, options.sample), replace=False))
    own = corpus.unit(sample)
    truth = np.concatenate([own @ corpus.unit(some).T for some in blocks(rows)], axis=1)
    lower = lower_bounds(corpus, sample, truth)
    mean = corpus.mean()
    print(f"\n{corpus.name}: {rows} x {dim}, {len(np.unique(corpus.query))} queries, mean cosine {mean @ mean:.3f}", flush=True)
    figures = []
    for name, make in ways(corpus, rng):
        if options.only and not any(word in name for word in options.only):
            continue
        coarse = make()
        made = worst(coarse)
        for bound, found in count(coarse, sample, truth, lower).items():
            if coarse.shift is not None or bound != "per pair":
                figures.append((name, bound, made[bound][1], *found))
        del coarse
    head = f"{'mean':>8} {'median':>7} {'p99':>7} {'max':>7}"
    for which, k in enumerate(options.k):
        print(f"\n{f'k = {k}':41} {'':>9} {'largest':>8} {'of made':>8} {'near':>8} {'by the':>8}   {'passes a row, final L':>32}   {'passes a row, seeded L':>32}")
        print(f"{'quantised':24} {'bound':16} {'median':>9} {'error':>8} {'rows':>8} {'an edge':>8} {'largest':>8}   {head}   {head}")
        for name, bound, made, median, ratio, near, largest, passes in figures:
            cells = []
            for row in passes[:, which]:
                middle, high = np.quantile(row, [0.5, 0.99])
                cells.append(f"{row.mean():8.1f} {middle:7.0f} {high:7.0f} {row.max():7d}")
            print(f"{name:24} {bound:16} {median:9.2e} {ratio:8.1%} {made:8.1%} {near:8.2%} {'' if np.isnan(largest) else f'{largest:.2%}':>8}   {'   '.join(cells)}", flush=True)


options = parser.parse_args()
print(LEGEND)
with tempfile.TemporaryDirectory() as directory:
    shapes = [tuple(map(int, shape.split("x"))) for shape in options.planted]
    sources = [lambda shape=shape: corpora.plant(*shape, directory) for shape in shapes]
    if options.input:
        sources.insert(0, lambda: corpora.read(options.input, directory))
    for place, source in enumerate(sources):
        rng = np.random.default_rng(options.seed)
        corpus = load(source())
        table(corpus, rng)
        for variant in [] if options.plain or place else anisotropic(corpus, rng):
            table(variant, rng)
