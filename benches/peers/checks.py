"""What the answers of the engines are held against, computed by numpy."""
import numpy as np

CHUNK = 8192


def units(corpus, rows):
    x = corpus.vectors()[rows].astype(np.float64)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def similarities(corpus, rows):
    """`rows` against all rows: f64 cosines, rounded to f32 as hivescope's are."""
    some = units(corpus, rows)
    chunks = [slice(start, start + CHUNK) for start in range(0, corpus.rows, CHUNK)]
    found = np.concatenate([(some @ units(corpus, chunk).T).astype(np.float32) for chunk in chunks], axis=1)
    found[np.arange(len(rows)), rows] = -np.inf  # no row is its own neighbour
    return found


def threshold(corpus, a_row, sample=1000):
    """The similarity that is reached by `a_row` unordered pairs a row, from a sample of rows."""
    rows = np.sort(np.random.default_rng(1).choice(corpus.rows, min(sample, corpus.rows), replace=False))
    parts = [similarities(corpus, some) for some in np.array_split(rows, max(1, len(rows) // 100))]
    most = 2 * a_row * len(rows)  # an unordered pair is in two rows
    kept = np.concatenate([-np.partition(-part.ravel(), min(most, part.size - 1))[:most] for part in parts])
    return round(float(-np.partition(-kept, min(most, kept.size) - 1)[min(most, kept.size) - 1]), 4)


def exact(corpus, rows, k):
    """Neighbours of `rows`: similarity descending, then row ascending."""
    found = similarities(corpus, rows)
    return np.stack([np.lexsort((np.arange(corpus.rows), -row))[:k] for row in found])


def without_self(found):
    """The first k of k + 1 row numbers, after each row's own is dropped."""
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(found), -1)


def recall(corpus, found, truth):
    """Share of `truth` that is in `found`, both (rows, k); and the same if what ties with the k-th true one is right too."""
    keys = lambda ids: ids.astype(np.int64) + corpus.rows * np.arange(len(ids))[:, None]
    strict = np.isin(keys(truth), keys(found)).mean()
    row, place = np.nonzero(~np.isin(keys(found), keys(truth)))
    cosine = lambda others: (units(corpus, row) * units(corpus, others)).sum(axis=1).astype(np.float32)
    tied = cosine(found[row, place]) >= cosine(truth[row, -1])
    return float(strict), float(strict + tied.sum() / truth.size)
