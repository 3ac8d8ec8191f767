"""scikit-learn NearestNeighbors, brute force, cosine."""
import sklearn
from sklearn.neighbors import NearestNeighbors

VERSION = f"scikit-learn {sklearn.__version__}"
BLAS = "numpy.libs"


def prepare(unit, rows, k, threshold, variant):
    index = NearestNeighbors(n_neighbors=k + 1, algorithm="brute", metric="cosine", n_jobs=-1).fit(unit)
    return lambda rows: index.kneighbors(unit[:rows], return_distance=False)
