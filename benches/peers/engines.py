"""The engines and how each is started, once, in a process of its own."""
import dataclasses, importlib.util, json, os, re, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Kernels of OpenBLAS are set below or left to its own choice, whatever this shell says.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")} | {"RUST_BACKTRACE": "0"}


@dataclasses.dataclass
class Engine:
    label: str
    number: str  # of the products: f32, bf16 or int8
    rows: int  # leading rows that are searched among all rows, or whose pairs are formed
    triangle: bool  # each unordered pair once, or all N columns of each row
    repetitions: int
    command: list
    k: int | None = None
    threshold: float | None = None
    answers: str | None = None  # option before the file that gets the neighbours; "" if it is the last argument
    environment: dict = dataclasses.field(default_factory=dict)
    key: str = ""

    def operations(self, corpus):
        """Multiplications and additions that it does."""
        return self.rows**2 * corpus.dim if self.triangle else 2 * self.rows * corpus.rows * corpus.dim

    def whole(self, corpus):
        """Times the work would be this, were it done for all rows."""
        return (corpus.rows / self.rows) ** (2 if self.triangle else 1)

    def run(self, file, prefix):
        """One run; what it says of itself."""
        command = prefix + self.command
        if self.answers is not None:
            command = command + [self.answers, file] if self.answers else command + [file]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT | self.environment, cwd=ROOT)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("note:")]
            raise RuntimeError(said[-1] if said else f"exit code {done.returncode}")
        return json.loads(done.stdout.strip().splitlines()[-1])


def hivescope_binaries():
    """Paths of the bench binaries, built if need be."""
    command = ["cargo", "bench", "--bench", "pairs", "--bench", "peaks", "--no-run"]
    built = subprocess.run(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ)
    if built.returncode:
        sys.exit(built.stderr)
    return {name: os.path.join(ROOT, re.search(rf"benches/{name}\.rs \(([^)]*)\)", built.stderr)[1]) for name in ["pairs", "peaks"]}


def hivescope(binary, corpus, label, a, kernel, k, *options, **fields):
    command = [binary, "--input", corpus.input, "--dim", str(corpus.dim), "--query", corpus.query, "--model", corpus.model]
    command += ["--k", str(k), *options, *(["--kernel", kernel] if kernel else []), *(["--memory", a.memory] if a.memory else [])]
    number = next((name for name in ["bf16", "int8"] if (kernel or "").startswith(name)), "f32")
    label = f"hivescope, {label}" + (f", {kernel}" if kernel else "")
    return Engine(label, number, corpus.rows, True, a.repetitions, command, k=k, answers="--neighbors", **fields)


def worker(module, corpus, label, number, repetitions, rows=None, triangle=False, **fields):
    """A Python peer; None, said aloud, if its package is missing."""
    package = {"faiss_flat": "faiss", "numpy_product": "numpy", "sklearn_brute": "sklearn", "usearch_exact": "usearch", "numkong_symmetric": "numkong"}
    if importlib.util.find_spec(package[module.partition(":")[0]]) is None:
        print(f"skipped: {label}: the package {package[module.partition(':')[0]]} is not installed")
        return None
    rows = min(rows or corpus.rows, corpus.rows)
    command = [sys.executable, os.path.join(HERE, "worker.py"), module, corpus.input, "--dim", str(corpus.dim), "--rows", str(rows)]
    for name in ["k", "threshold"]:
        command += [f"--{name}", str(fields[name])] if fields.get(name) is not None else []
    answers = "--answer" if fields.get("k") is not None else None
    return Engine(label, number, rows, triangle, repetitions, command, answers=answers, **fields)


def ann_search(corpus, a, k):
    """The Rust peer, built on demand; None, said aloud, if that fails."""
    label = "ann-search-rs 0.12.1 exhaustive"
    target = os.path.join(ROOT, "target", "peers")
    build = ["cargo", "build", "--release", "--locked", "--target-dir", target]
    environment = os.environ | {"RUSTFLAGS": "-C target-cpu=native"}
    built = subprocess.run(build, cwd=os.path.join(HERE, "ann-search"), env=environment, stderr=subprocess.PIPE, text=True)
    if built.returncode:
        print(f"skipped: {label}: {built.stderr.strip().splitlines()[-1]}")
        return None
    rows = min(a.slab, corpus.rows)
    command = [os.path.join(target, "release", "ann-search-peer"), corpus.input, str(corpus.dim), str(k), str(rows)]
    return Engine(label, "f32", rows, False, a.slow_repetitions, command, k=k, answers="")


def openblas_kernels():
    """The kernels that numpy's OpenBLAS and faiss's choose on this machine, as far as threadpoolctl says."""
    code = """
import json, numpy
try:
    import faiss
except ImportError:
    pass
from threadpoolctl import threadpool_info
pools = [p for p in threadpool_info() if p["internal_api"] == "openblas"]
print(json.dumps({name: next((p["architecture"] for p in pools if name + ".libs" in p["filepath"]), None) for name in ["numpy", "faiss_cpu"]}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
    return json.loads(done.stdout) if done.returncode == 0 else {"numpy": None, "faiss_cpu": None}


def engines(corpus, binary, threshold, a):
    """All of them, in the order of the table."""
    first, found = a.k[0], []
    for kernel in a.kernel or [None]:
        found.append(hivescope(binary, corpus, "everything on", a, kernel, first, "--histogram", "auto"))
        for k in a.k:
            found.append(hivescope(binary, corpus, "graph", a, kernel, k, "--histogram", "off"))
        if threshold is not None:
            edges = ["--histogram", "off", "--threshold", str(threshold)]
            found.append(hivescope(binary, corpus, "graph and edges", a, kernel, first, *edges, threshold=threshold))
    kernels = openblas_kernels()
    better = a.coretype or (kernels["numpy"] if kernels["numpy"] != kernels["faiss_cpu"] else None)
    best, environment = ("", {}) if better is None else (f", OPENBLAS_CORETYPE={better}", {"OPENBLAS_CORETYPE": better})
    for k in a.k:
        found.append(worker("faiss_flat", corpus, "faiss IndexFlatIP.search" + best, "f32", a.repetitions, k=k, environment=environment))
    if threshold is not None:
        label = "faiss IndexFlatIP.range_search" + best
        found.append(worker("faiss_flat", corpus, label, "f32", a.repetitions, threshold=threshold, environment=environment))
    if better is not None:
        label = f"faiss IndexFlatIP.search as installed ({kernels['faiss_cpu']})"
        found.append(worker("faiss_flat", corpus, label, "f32", a.slow_repetitions, a.slab, k=first))
    found.append(worker("numpy_product", corpus, "numpy product alone", "f32", a.repetitions))
    for variant, number in [("f32", "f32"), ("bf16", "bf16"), ("i8", "int8")]:
        label = f"numkong dots_symmetric alone, {variant}"
        found.append(worker(f"numkong_symmetric:{variant}", corpus, label, number, a.slow_repetitions, 4 * a.slab, True))
    for variant, number in [("f32", "f32"), ("i8", "int8")]:
        found.append(worker(f"usearch_exact:{variant}", corpus, f"usearch exact, {variant}", number, a.slow_repetitions, a.slab, k=first))
    found.append(worker("sklearn_brute", corpus, "scikit-learn brute cosine", "f32", a.slow_repetitions, a.slab, k=first))
    wanted = lambda label: not a.only or any(word.lower() in label.lower() for word in a.only)
    if wanted("ann-search-rs"):
        found.append(ann_search(corpus, a, first))
    found = [engine for engine in found if engine is not None and wanted(engine.label)]
    for at, engine in enumerate(found):
        engine.key = f"{at}"
    return found
