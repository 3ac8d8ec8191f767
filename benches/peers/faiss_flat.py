"""faiss-cpu IndexFlatIP: products by the OpenBLAS in its package, the k + 1 best of each row or all above a threshold."""
import faiss

VERSION = f"faiss-cpu {faiss.__version__}"
BLAS = "faiss_cpu.libs"


def prepare(unit, rows, k, threshold, variant):
    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    if threshold is None:
        return lambda rows: index.search(unit[:rows], k + 1)[1]
    return lambda rows: index.range_search(unit[:rows], threshold)[0]
