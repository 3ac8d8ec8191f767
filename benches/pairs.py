"""Pair pass on the CPU beside its peers, in one run: time, operations, memory, and whether the answers are right.

usage: python benches/pairs.py [--input FILES...] [--planted NxD...] [--growth [N...]] [options]

Corpora: the `embedding`, `query` and `model` columns of Parquet files, and planted ones (recipe: peers/corpora.py).
Engines run in turn (A B C A B C ...), each time in a process of their own: medians. Time is that of the pass or search;
reading, bringing rows to unit length for the peers and faiss's `add` are not in it, preparing coarse rows for hivescope is.
Slow peers search a slab of leading rows, fewer times; `~` marks what was multiplied up from that, in proportion to rows
(products of pairs among a slab: to pairs). Operations are those executed: N^2 d where each unordered pair is formed once,
2 N^2 d where every row meets all rows. OPENBLAS_* is taken out of the environment: faiss runs with the kernels its
OpenBLAS chooses, and with those that numpy's chooses where they differ.

Needs numpy, and threadpoolctl; the peers faiss-cpu, usearch, scikit-learn, numkong where installed, and pyarrow for
--input. ann-search-rs is built from peers/ann-search, which is no part of the main build.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile
import numpy as np
from peers import checks, corpora, machine
from peers.engines import engines, hivescope_binaries

parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
parser.add_argument("--input", nargs="*", default=[], help="Parquet files, one corpus")
parser.add_argument("--planted", nargs="*", help="NxD...; default 50000x384 50000x768 50000x1536")
parser.add_argument("--growth", nargs="*", type=int, help="N... at D = 384, main engines only; default 10000 to 200000")
parser.add_argument("-k", nargs="*", type=int, default=[10, 32, 100])
parser.add_argument("--kernel", nargs="*", help="hivescope's kernels; its own choice if left out")
parser.add_argument("--memory", help="hivescope's --memory")
parser.add_argument("--repetitions", type=int, default=5)
parser.add_argument("--slow-repetitions", type=int, default=2)
parser.add_argument("--slab", type=int, default=2048, help="rows that slow peers search")
parser.add_argument("--pairs-a-row", type=int, default=10, help="edges a row that the threshold lets pass; 0: no threshold")
parser.add_argument("--only", nargs="*", help="engines whose name has one of these words")
parser.add_argument("--coretype", help="OPENBLAS_CORETYPE for faiss; default: what numpy's OpenBLAS chooses")
parser.add_argument("--realtime", action="store_true", help="run everything under chrt -f 10, before other programs")
parser.add_argument("--no-peaks", action="store_true")
parser.add_argument("--json", help="JSON lines of every run and figure go here")
LEGEND = """
k: neighbours asked for (peers: one more, and the row itself dropped). median, min, max: seconds for all rows; ~: less was
done and multiplied up. G op/s: executed, a multiplication and an addition are two. of peak: of the best instruction for such
numbers, all threads. / hivescope: seconds over those of hivescope's graph of the same k (of the pass with edges for
range_search; of the first k for products alone; of the first kernel). peak MiB: resident at most while the clock ran;
before: when it started, rows included (faiss: twice, as queries and in the index)."""
GROWTH = [10_000, 20_000, 50_000, 100_000, 200_000]
GROWTH_ENGINES = ["hivescope", "faiss"]


def say(kind, **fields):
    """A line of the JSON file."""
    if json_lines:
        print(json.dumps({"type": kind, **fields}), file=json_lines, flush=True)


def peaks(binary, prefix):
    """Printed; the best G operations/s of all threads for each kind of number."""
    listed = subprocess.run(prefix + [binary, "--json"], check=True, capture_output=True, text=True).stdout.splitlines()
    best = {}
    print(f"\n{'peaks of this machine':48} {'one thread':>12} {'all threads':>12}")
    for line in map(json.loads, listed):
        say("peak", **line)
        print(f"{line['peak']:48} {line['one_thread']:12.1f} {line['all_threads']:12.1f}  {line['unit']}")
        number = line["peak"].split()[0]
        best[number] = max(best.get(number, 0), line["all_threads"])
    return best


def measure(corpus, found, directory):
    """Results of every engine's runs; in turn."""
    results = {engine.key: [] for engine in found}
    for repetition in range(max(engine.repetitions for engine in found)):
        for engine in [engine for engine in found if repetition < engine.repetitions]:
            if sys.stderr.isatty():
                print(f"\r{corpus.name} {repetition + 1}: {engine.label:70}", end="", file=sys.stderr)
            try:
                result = engine.run(answer_file(engine, directory), prefix)
            except RuntimeError as error:
                print(f"failed: {engine.label}: {error}")
                engine.repetitions = 0
                continue
            results[engine.key].append(result)
            say("run", **result | {"corpus": corpus.name, "engine": engine.label, "k": engine.k, "searched": engine.rows})
    return results


def answer_file(engine, directory):
    return os.path.join(directory, f"answer-{engine.key}")


def answers(engine, directory):
    """(rows, k or k + 1) row numbers; None if it gives none."""
    file = answer_file(engine, directory)
    return np.fromfile(file, np.uint32).reshape(engine.rows, -1) if engine.k and os.path.exists(file) else None


def is_ours(engine):
    return engine.label.startswith("hivescope")


def reference(found, engine):
    """The hivescope pass that gives what the engine gives; for products alone, the first graph."""
    graphs = [other for other in found if other.label.startswith("hivescope, graph")]
    if engine.threshold is not None:
        return next((other for other in graphs if other.threshold is not None), None)
    graphs = [other for other in graphs if other.threshold is None]
    return next((other for other in graphs if engine.k in (None, other.k)), None)


def table(corpus, found, results, rates):
    """Prints medians; returns them."""
    mebibytes = lambda value: f"{value / 2**20:8.0f}" if value else f"{'':8}"
    print(f"{'engine':64} {'k':>4} {'median s':>10} {'min':>9} {'max':>9} {'G op/s':>8} {'of peak':>8} {'/ hivescope':>12} {'peak MiB':>8} {'before':>8}")
    seconds = {key: statistics.median(run["seconds"] for run in runs) for key, runs in results.items() if runs}
    for engine in [engine for engine in found if engine.key in seconds]:
        runs, scale = results[engine.key], engine.whole(corpus)
        mark = "~" if scale > 1 else " "
        times = [run["seconds"] * scale for run in runs]
        rate = engine.operations(corpus) / seconds[engine.key] / 1e9
        # What hivescope chose is known only now.
        number = (runs[-1].get("kernel") or engine.number).split("-")[0]
        of_peak = f"{rate / rates[number]:8.1%}" if number in rates else f"{'':8}"
        ours = reference(found, engine)
        ratio = seconds[engine.key] * scale / seconds[ours.key] if ours and ours.key in seconds else None
        peak, before = (statistics.median(run.get(name) or 0 for run in runs) for name in ["resident_peak", "resident_before"])
        print(
            f"{engine.label:64} {engine.k or '':>4} {mark}{statistics.median(times):9.3f} {min(times):9.3f} {max(times):9.3f} {rate:8.1f} {of_peak}"
            f" {'' if ratio is None else f'{ratio:.2f}':>12} {mebibytes(peak)} {mebibytes(before)}"
        )
        say("median", corpus=corpus.name, engine=engine.label, k=engine.k, threshold=engine.threshold, seconds=statistics.median(times),
            minimum=min(times), maximum=max(times), repetitions=len(runs), searched=engine.rows, extrapolated=scale > 1,
            giga_operations_a_second=rate, number=number, of_peak=rate / rates[number] if number in rates else None,
            over_hivescope=ratio, resident_peak=peak, resident_before=before, version=runs[-1].get("version"), blas=runs[-1].get("blas"))
    return seconds


def passes(corpus, found, results):
    """Prints what hivescope's passes say of themselves, medians of seconds."""
    print(f"\n{'hivescope, of the last run; seconds: medians':48} {'k':>4} {'survivors/row':>14} {'rescored/row':>13} {'redone':>7} {'repeated':>9} {'settled':>10}  seconds by phase")
    for engine in [engine for engine in found if is_ours(engine) and results[engine.key]]:
        runs = results[engine.key]
        stats, n = runs[-1]["stats"], corpus.rows
        phases = {name: statistics.median(run["stats"]["seconds"][name] for run in runs) for name in stats["seconds"]}
        multiply = corpus.dim * n * n / phases["multiply"] / 1e9
        phases = sorted(phases.items(), key=lambda phase: -phase[1])
        print(
            f"{engine.label:48} {engine.k:>4} {stats['survivors'] / n:14.1f} {stats['rescored'] / n:13.1f} {stats['rows_redone']:7} {stats['repeated']:9} {stats['settled']:10}  "
            + ", ".join(f"{name} {seconds:.3f}" for name, seconds in phases) + f" ({multiply:.0f} G op/s in multiply, kernel {runs[-1]['kernel']})"
        )


def check(corpus, found, results, directory):
    """Prints whether hivescope's neighbours are the true ones, and how many of them the peers found."""
    rows = np.sort(np.random.default_rng().choice(corpus.rows, min(200, corpus.rows), replace=False))
    truth, wrong = {}, any(is_ours(engine) and not results[engine.key] for engine in found)
    print(f"\nneighbours of {len(rows)} random rows beside numpy's in f64; recall of the peers beside hivescope's on all they searched")
    for engine in [engine for engine in found if results[engine.key]]:
        got = answers(engine, directory)
        if got is None:
            continue
        if is_ours(engine):
            k = got.shape[1]
            if k not in truth:
                truth[k] = checks.exact(corpus, rows, k)
            equal = int((got[rows] == truth[k]).all(axis=1).sum())
            wrong |= equal < len(rows)
            print(f"{engine.label:64} {engine.k:>4} {equal} of {len(rows)} rows equal{'' if equal == len(rows) else '  WRONG'}")
            say("check", corpus=corpus.name, engine=engine.label, k=engine.k, rows=len(rows), equal=equal)
        elif (ours := reference(found, engine)) and (true := answers(ours, directory)) is not None:
            share, with_ties = checks.recall(corpus, checks.without_self(got), true[:engine.rows])
            print(f"{engine.label:64} {engine.k:>4} recall {share:.6f}, {with_ties:.6f} if ties at the k-th place are right, on {engine.rows} rows")
            say("check", corpus=corpus.name, engine=engine.label, k=engine.k, rows=engine.rows, recall=share, recall_with_ties=with_ties)
    for engine in [engine for engine in found if engine.threshold is not None and results[engine.key]]:
        run = results[engine.key][-1]
        edges = run["edges"] if is_ours(engine) else (run["pairs"] - engine.rows) // 2
        print(f"{engine.label:64}      {edges} pairs at {engine.threshold} or above")
        say("check", corpus=corpus.name, engine=engine.label, threshold=engine.threshold, edges=edges)
    return wrong


def growth_table(sizes, columns):
    """Seconds by N, and how they grow from one size to the next: the exponent of N."""
    print("\ngrowth: seconds (exponent of N since the size before)")
    print(f"{'engine':64} " + " ".join(f"{n:>16,}" for n in sizes))
    for label in dict.fromkeys(label for column in columns for label in column):
        cells, last = [], None
        for n, column in zip(sizes, columns):
            now = column.get(label)
            exponent = f" ({np.log(now / last[1]) / np.log(n / last[0]):.2f})" if now and last else ""
            cells.append(f"{now:.3f}{exponent}" if now else "")
            last = (n, now) if now else None
        print(f"{label:64} " + " ".join(f"{cell:>16}" for cell in cells))


def benchmark(corpus, directory):
    """Everything of one corpus; median seconds by engine, and whether a check failed."""
    threshold = checks.threshold(corpus, a.pairs_a_row) if a.pairs_a_row else None
    found = engines(corpus, binaries["pairs"], threshold, a)
    print(f"\n{corpus.name}: {corpus.rows:,} rows x {corpus.dim}, {corpus.rows * (corpus.rows - 1) // 2:,} pairs, median of {a.repetitions} ({a.slow_repetitions} where ~)")
    say("corpus", name=corpus.name, rows=corpus.rows, dim=corpus.dim, threshold=threshold)
    results = measure(corpus, found, directory)
    seconds = table(corpus, found, results, rates)
    passes(corpus, found, results)
    wrong = check(corpus, found, results, directory)
    versions = {f"{run['version']}{f', {blas}' if (blas := run.get('blas')) else ''}" for runs in results.values() for run in runs if "version" in run}
    print("\n" + "; ".join(sorted(versions)))
    return {engine.label: seconds[engine.key] * engine.whole(corpus) for engine in found if engine.key in seconds}, wrong


a = parser.parse_args()
prefix = ["chrt", "-f", "10"] if a.realtime else []
json_lines = open(a.json, "w") if a.json else None
note = machine.note()
print("; ".join(f"{name}: {value}" for name, value in note.items()))
say("machine", **note, arguments=vars(a))
binaries = hivescope_binaries()
rates = {} if a.no_peaks else peaks(binaries["peaks"], prefix)
wrong = False
if a.growth is None:
    planted = a.planted if a.planted is not None else ["50000x384", "50000x768", "50000x1536"]
    makers = [lambda directory: corpora.read(a.input, directory)] if a.input else []
    makers += [lambda directory, size=size: corpora.plant(*map(int, size.split("x")), directory) for size in planted]
else:
    sizes = a.growth or GROWTH
    a.only = a.only or GROWTH_ENGINES
    a.k, a.pairs_a_row = a.k[:1], 0
    makers = [lambda directory, n=n: corpora.plant(n, 384, directory) for n in sizes]
print(LEGEND)
columns = []
for make in makers:
    with tempfile.TemporaryDirectory() as directory:
        medians, failed = benchmark(make(directory), directory)
        columns.append(medians)
        wrong |= failed
if a.growth is not None:
    growth_table(sizes, columns)
sys.exit(int(wrong))
