"""One run of one Python peer in a process of its own, so that its peak memory is its own.

usage: python benches/peers/worker.py MODULE[:VARIANT] ROWS.f32 --dim D --rows R [--k K | --threshold T] [--answer FILE]

MODULE has VERSION and prepare(unit, rows, k, threshold, variant), which returns a function of the number of leading
rows to search. Rows are brought to unit length first. Prints a JSON line: seconds of the search, resident memory before
and at its peak in bytes, version, OpenBLAS. FILE gets the row numbers found (u32, K + 1 a row).
"""
import argparse, importlib, json, time
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("engine")
parser.add_argument("input")
parser.add_argument("--dim", type=int, required=True)
parser.add_argument("--rows", type=int, required=True)
parser.add_argument("--k", type=int, default=10)
parser.add_argument("--threshold", type=float)
parser.add_argument("--answer")


def resident(name):
    try:
        with open("/proc/self/status") as status:
            return next((1024 * int(line.split()[1]) for line in status if line.startswith(name)), None)
    except OSError:
        return None


def restart_peak():
    """Lets VmHWM begin again at what is resident now."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def openblas(folder):
    """Version and kernels of the OpenBLAS loaded from `folder`."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return None
    found = [pool for pool in threadpool_info() if folder in pool["filepath"] and pool["internal_api"] == "openblas"]
    return f"OpenBLAS {found[0]['version']} {found[0]['architecture']}" if found else None


if __name__ == "__main__":
    a = parser.parse_args()
    module, _, variant = a.engine.partition(":")
    engine = importlib.import_module(module)
    unit = np.fromfile(a.input, np.float32).reshape(-1, a.dim)
    for start in range(0, len(unit), 4096):
        chunk = unit[start:start + 4096].astype(np.float64)
        unit[start:start + 4096] = chunk / np.linalg.norm(chunk, axis=1, keepdims=True)
    search = engine.prepare(unit, a.rows, a.k, a.threshold, variant)
    search(min(a.rows, 256))
    before = resident("VmRSS")
    restart_peak()
    started = time.perf_counter()
    answer = search(a.rows)
    seconds = time.perf_counter() - started
    peak = resident("VmHWM")
    blas = openblas(engine.BLAS) if hasattr(engine, "BLAS") else None
    result = {"seconds": seconds, "resident_before": before, "resident_peak": peak, "version": engine.VERSION, "blas": blas}
    if a.threshold is not None:
        result["pairs"] = int(answer[-1])
    elif a.answer and answer is not None:
        np.asarray(answer, np.uint32).tofile(a.answer)
    print(json.dumps(result))
