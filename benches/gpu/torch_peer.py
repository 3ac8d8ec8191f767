"""What torch makes of the same task on the same card: matrix product and topk in chunks, JSON lines as benches/gpu writes them.

usage: python benches/gpu/torch_peer.py [--out FILE] [--commit C] [--scale F] [--budget SECONDS] COMMAND...

Commands: `limits` (a large matrix product in f32, tf32 and f16), `slab` (65,536 rows against all 2,059,530 of S3 in f32,
tf32 and f16, multiplied up), `whole` (all rows of S3 in f16, if the slab says that it fits into --budget, else said aloud).

Rows are planted on the card by the recipe of benches/gpu/corpus.rs (common direction, centres, styles, noise, radii; same
sizes, same order, other random numbers). k = 10: torch asks for 11 and drops the row itself. Every row meets all rows, so
2 N^2 d operations are executed, twice what each unordered pair needs; no histogram, no thresholds, no ties settled, f16
answers are not computed again. Chunks: the best of several on a part of the slab, for each number type of its own.
Skipped aloud where python has no torch; without CUDA it runs on the CPU, for a --scale under 0.001.
"""
import argparse, json, math, os, statistics, sys, time

QUERIES, MODELS, DIM, SLAB, K = 26_070, 79, 1536, 65_536, 10

parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
parser.add_argument("commands", nargs="+", choices=["limits", "slab", "whole"])
parser.add_argument("--out")
parser.add_argument("--commit", default="unknown")
parser.add_argument("--scale", type=float, default=1.0)
parser.add_argument("--budget", type=float, default=150, help="seconds that one measurement may take")
arguments = parser.parse_args()

try:
    import torch
except ImportError as error:
    print(f"skipped: {error}", file=sys.stderr)
    sys.exit(0)

cuda = torch.cuda.is_available()
device = torch.device("cuda" if cuda else "cpu")
NAME = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
DRIVER = f"torch {torch.__version__}, CUDA {torch.version.cuda}" if cuda else f"torch {torch.__version__}"
if not cuda and arguments.scale > 0.001:
    sys.exit("no CUDA: give a --scale of at most 0.001")
# Sums of f16 products in f32, as the certificate of our kernels has them.
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
KINDS = {"f32": torch.float32, "tf32": torch.float32, "f16": torch.float16}


def lines():
    if not arguments.out or not os.path.exists(arguments.out):
        return []
    with open(arguments.out) as file:
        return [json.loads(line) for line in file if line.strip()]


def has(measurement, kernel):
    wanted = {"measurement": measurement, "kernel": kernel, "scale": arguments.scale, "device": NAME, "driver": DRIVER, "commit": arguments.commit}
    known = any(all(line.get(key) == value for key, value in wanted.items()) for line in lines())
    if known:
        print(f"{measurement}, {kernel}: measured already", file=sys.stderr)
    return known


def command():
    """The command line, without where the file lies."""
    words = sys.argv[1:]
    if "--out" in words:
        at = words.index("--out")
        del words[at : at + 2]
    return " ".join(["torch_peer.py", *words])


def add(measurement, kernel, figures):
    line = json.dumps({
        "measurement": measurement, "kernel": kernel, "scale": arguments.scale, "device": NAME, "driver": DRIVER,
        "commit": arguments.commit, "command": command(), "figures": figures,
    })
    print(line, flush=True)
    if arguments.out:
        with open(arguments.out, "a") as file:
            file.write(line + "\n")


def choose(kind):
    """tf32 only where it is asked for."""
    torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
    torch.backends.cudnn.allow_tf32 = False
    return KINDS[kind]


def wait():
    if cuda:
        torch.cuda.synchronize()


def timed(work):
    wait()
    started = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - started


def limits():
    """The largest rate of several square products on random values."""
    sizes = [4096, 8192, 16384] if cuda else [512]
    for kind in KINDS:
        if has("torch limits", f"torch {kind}"):
            continue
        dtype, rates = choose(kind), {}
        for n in sizes:
            a, b = (torch.randn(n, n, device=device, dtype=torch.float32).to(dtype) for _ in range(2))
            out = torch.empty(n, n, device=device, dtype=dtype)
            for _ in range(3):
                torch.matmul(a, b, out=out)
            seconds = statistics.median(timed(lambda: torch.matmul(a, b, out=out)) for _ in range(7))
            rates[n] = 2 * n**3 / seconds * 1e-12
            del a, b, out
        add("torch limits", f"torch {kind}", {"tflops_executed": max(rates.values()), "by_size": rates})


def deviations(total, rate, power):
    j = torch.arange(1, DIM + 1, device=device, dtype=torch.float64) / DIM
    variance = torch.exp(-rate * j**power)
    return (variance / variance.sum() * total).sqrt().float()


def plant(rows, queries):
    """Unit rows in f32, query by query, a model each."""
    torch.manual_seed(1)
    between, within = deviations(0.69, 5.8, 0.65), deviations(1.0, 3.6, 0.31)
    unit = torch.empty(rows, DIM, device=device)
    uniform = lambda *shape: (torch.rand(*shape, device=device) - 0.5) * math.sqrt(12)
    at_once = max(1, 65_536 // MODELS)
    for query in range(0, queries, at_once):
        some = min(at_once, queries - query)
        radius = 0.46 * torch.exp(0.33 * torch.randn(some * MODELS, 1, device=device))
        centre = (uniform(some, DIM) * between).repeat_interleave(MODELS, 0)
        x = math.sqrt(0.035 / DIM) + centre + radius * (math.sqrt(0.6) * uniform(some * MODELS, DIM) + math.sqrt(0.4) * uniform(some * MODELS, DIM)) * within
        unit[query * MODELS : (query + some) * MODELS] = torch.nn.functional.normalize(x)
    # One row in 101 is a copy of the one before.
    copies = torch.arange(100, rows, 101, device=device)
    unit[copies] = unit[copies - 1]
    return unit


def search(x, rows, chunk):
    """The K nearest of the rows `rows` of x: chunks of queries against chunks of the corpus, best lists merged."""
    found = []
    query_chunk, column_chunk = chunk
    for start in range(rows.start, rows.stop, query_chunk):
        queries = x[start : min(start + query_chunk, rows.stop)]
        values = indices = None
        for column in range(0, len(x), column_chunk):
            product = queries @ x[column : column + column_chunk].T
            v, i = product.topk(min(K + 1, product.shape[1]), dim=1)
            i = i + column
            if values is not None:
                v, place = torch.cat([values, v], 1).topk(K + 1, dim=1)
                i = torch.cat([indices, i], 1).gather(1, place)
            values, indices = v, i
        found.append((values, indices))
    return torch.cat([v for v, _ in found]), torch.cat([i for _, i in found])


def best_chunk(x, rows):
    """The fastest on a part; those that find no memory are passed over."""
    if cuda:
        part = range(min(rows.stop, 8192))
        tried = [(q, c) for q in (2048, 4096, 8192) for c in (32_768, 131_072, 524_288)]
    else:
        part, tried = range(min(rows.stop, 64)), [(64, 512), (64, 4096)]
    seconds = {}
    for chunk in tried:
        try:
            search(x, range(min(len(part), chunk[0])), chunk)
            seconds[chunk] = timed(lambda: search(x, part, chunk))
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
    return min(seconds, key=seconds.get), {f"{q} x {c}": s for (q, c), s in seconds.items()}


def check(x, kind, chunk):
    """Share of the K nearest of 64 rows that f64 finds too."""
    rows = range(min(64, len(x)))
    _, found = search(x, rows, chunk)
    recall = []
    for row in rows:
        right = torch.cat([x[part : part + 131_072].double() @ x[row].double() for part in range(0, len(x), 131_072)])
        right[row] = -2
        least = right.topk(K).values[-1]
        own = [i for i in found[row].tolist() if i != row][:K]
        recall.append(sum(right[i] >= least for i in own).item() / K)
    return statistics.mean(recall)


def measure(commands):
    queries = max(1, math.ceil(QUERIES * arguments.scale))
    n = queries * MODELS
    slab = min(n, max(256, int(SLAB * arguments.scale)))
    unit = plant(n, queries)
    whole_seconds = {}
    for kind in KINDS:
        kernel = f"torch {kind}"
        needed = [c for c in commands if not has({"slab": "slab of S3", "whole": "S3"}[c], kernel)]
        needed = [c for c in needed if c == "slab" or kind == "f16"]
        if not needed:
            continue
        dtype = choose(kind)
        x = unit if dtype == torch.float32 else unit.to(dtype)
        chunk, tried = best_chunk(x, range(slab))
        base = {"rows": n, "dim": DIM, "chunk": f"{chunk[0]} x {chunk[1]}", "chunks_tried": tried, "recall_of_64_rows": check(x, kind, chunk)}
        part = min(slab, 4 * chunk[0])
        predicted = timed(lambda: search(x, range(part), chunk)) / part
        if "slab" in needed:
            if predicted * slab > arguments.budget:
                print(f"slab, {kind}: {predicted * slab:.0f} s predicted, more than the budget; {part} rows only", file=sys.stderr)
            rows = slab if predicted * slab <= arguments.budget else part
            seconds = timed(lambda: search(x, range(rows), chunk))
            add("slab of S3", kernel, base | {
                "slab": rows, "seconds": seconds, "tflops_executed": 2 * rows * n * DIM / seconds * 1e-12,
                "whole_device_seconds_extrapolated": seconds * n / rows,
            })
        if "whole" in needed:
            if predicted * n > arguments.budget:
                print(f"whole, {kind}: skipped, {predicted * n:.0f} s predicted, more than the budget", file=sys.stderr)
                continue
            seconds = timed(lambda: search(x, range(n), chunk))
            add("S3", kernel, base | {"seconds": seconds, "tflops_executed": 2 * n * n * DIM / seconds * 1e-12})


if "limits" in arguments.commands:
    limits()
rest = [command for command in arguments.commands if command != "limits"]
if rest:
    with torch.inference_mode():
        measure(rest)
