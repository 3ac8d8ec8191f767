"""Rows to search: of Parquet files, or planted. Written flat to a directory, since every engine reads them itself."""
import dataclasses, os
import numpy as np

ANSWERS = 250  # rows of a planted query: 25 models x 10 samples
MODELS = 25
CHUNK = 40  # planted queries made at once


@dataclasses.dataclass
class Corpus:
    name: str
    rows: int
    dim: int
    input: str  # N x D f32
    query: str  # N u32
    model: str  # N u32

    def vectors(self):
        return np.memmap(self.input, np.float32, "r").reshape(self.rows, self.dim)


def empty(name, directory):
    path = lambda kind: os.path.join(directory, f"{name}.{kind}")
    return Corpus(name, 0, 0, path("f32"), path("query"), path("model"))


def read(files, directory):
    """The `embedding`, `query` and `model` columns of Parquet files."""
    import pyarrow.parquet as pq

    corpus = empty("real", directory)
    keys = {"query": [], "model": []}
    with open(corpus.input, "wb") as out:
        for file in files:
            for batch in pq.ParquetFile(file).iter_batches(4096, columns=["embedding", *keys]):
                x = np.stack(batch["embedding"].to_numpy(zero_copy_only=False)).astype(np.float32)
                x.tofile(out)
                corpus.rows, corpus.dim = corpus.rows + len(x), x.shape[1]
                for key, names in keys.items():
                    names.extend(batch[key].to_pylist())
    for key, names in keys.items():
        np.unique(np.array(names, str), return_inverse=True)[1].astype(np.uint32).tofile(getattr(corpus, key))
    return corpus


def deviations(dim, rate, power):
    """Standard deviations of components whose variances fall as exp(-rate (j / dim)^power) and sum to 1."""
    variance = np.exp(-rate * (np.arange(1, dim + 1) / dim) ** power)
    return np.sqrt(variance / variance.sum()).astype(np.float32)


def plant(rows, dim, directory, seed=0):
    """Rows clustered as real embeddings are.

    A row is (mean + centre of its query + radius * (0.77 style of its model + 0.63 noise)), times a random rotation.
    Mean: squared length 0.035. Centres: Gaussian, squared length 0.69 on average, variance of component j proportional to
    exp(-5.8 (j / D)^0.65). Style (one for each query and model) and noise: Gaussian, variance proportional to
    exp(-3.6 (j / D)^0.31), squared length 1 on average. Radius: log-normal, median 0.46, log deviation 0.33. These fit
    22,647 answers of 151 models to 150 instructions (all-MiniLM-L6-v2, D = 384): spread between and within queries, the
    spectrum of each, quantiles of the distance to the query's centre; 0.77 and 0.63 (shares 0.6 and 0.4) are a guess,
    since that corpus has one sample a model. The rotation spreads the few large components over all, as in real
    embeddings, or quantising would look worse.
    """
    rng = np.random.default_rng([seed, dim])
    corpus = empty(f"planted-{rows}x{dim}", directory)
    corpus.rows, corpus.dim = rows, dim
    between, within = np.float32(0.69**0.5) * deviations(dim, 5.8, 0.65), deviations(dim, 3.6, 0.31)
    rotation = np.linalg.qr(rng.standard_normal((dim, dim)))[0].astype(np.float32)
    mean = np.sqrt(0.035 / dim).astype(np.float32)
    normal = lambda *shape: rng.standard_normal(shape, np.float32)
    row = np.arange(rows)
    query, model = row // ANSWERS, row % ANSWERS % MODELS
    with open(corpus.input, "wb") as out:
        for start in range(0, rows, CHUNK * ANSWERS):
            some = slice(start, min(start + CHUNK * ANSWERS, rows))
            q, m = query[some] - query[start], model[some]
            centre, style, noise = normal(CHUNK, dim), normal(CHUNK, MODELS, dim), normal(len(q), dim)
            radius = 0.46 * np.exp(0.33 * normal(len(q), 1))
            answer = radius * (np.float32(0.6**0.5) * style[q, m] + np.float32(0.4**0.5) * noise) * within
            ((mean + centre[q] * between + answer) @ rotation).astype(np.float32).tofile(out)
    query.astype(np.uint32).tofile(corpus.query)
    model.astype(np.uint32).tofile(corpus.model)
    return corpus
