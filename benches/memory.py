"""Anonymous memory of a run against its budget: RssAnon sampled every 20 ms, the peak of each phase.

usage: python benches/memory.py [--rows N] [--dim D] [--memory 64MiB] [-k K] [--threshold T] [--input FILE] [--binary PATH]

Writes a Parquet corpus (clustered by query, so that candidate lists are as long as those of real responses) unless
--input names one, runs `hivescope run --backend cpu`, and prints one line a phase. Linux; needs numpy and pyarrow, and
`cargo build --release` before. The corpus is four times the budget at the defaults: 43,000 x 1536 in f32 and 64 MiB.
Exit code 1 if the peak is over the budget.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, threading, time
import numpy as np
import pyarrow as pa, pyarrow.parquet as pq

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=43000)
parser.add_argument("--dim", type=int, default=1536)
parser.add_argument("--memory", default="64MiB")
parser.add_argument("-k", type=int, default=10)
parser.add_argument("--threshold")
parser.add_argument("--backend", default="cpu")
parser.add_argument("--input")
parser.add_argument("--binary", default="target/release/hivescope")
a = parser.parse_args()


def write(path):
    rng = np.random.default_rng(0)
    queries, models, group = 43, 10, 1000
    centres = rng.standard_normal((queries, a.dim), dtype=np.float32)
    styles = rng.standard_normal((queries, models, a.dim), dtype=np.float32) * 0.4
    kind = pa.list_(pa.field("item", pa.float32(), nullable=False), a.dim)
    schema = pa.schema([("query", pa.string()), ("model", pa.string()), pa.field("embedding", kind, nullable=False)])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=["query", "model"]) as writer:
        for start in range(0, a.rows, group):
            rows = np.arange(start, min(start + group, a.rows))
            query, model = rows % queries, rows // queries % models
            x = centres[query] + styles[query, model] + rng.standard_normal((len(rows), a.dim), dtype=np.float32) * 0.5
            columns = [[f"q{q:04}" for q in query], [f"m{m:02}" for m in model], pa.FixedSizeListArray.from_arrays(x.ravel(), type=kind)]
            writer.write_table(pa.table([pa.array(c, t) for c, t in zip(columns[:2], schema.types)] + columns[2:], schema=schema))


def rss_anon(pid):
    with open(f"/proc/{pid}/status") as status:
        found = re.search(r"RssAnon:\s+(\d+)", status.read())
    return int(found[1]) / 1024 if found else 0.0


unit = {"": 1, "k": 10, "m": 20, "g": 30}
number, letter = re.fullmatch(r"([\d.]+)\s*([kmg]?)i?b?", a.memory.lower()).groups()
budget = float(number) * (1 << unit[letter] if letter else 1) / (1 << 20)
work = tempfile.mkdtemp(dir=os.environ.get("TMPDIR"))
try:
    corpus = a.input or os.path.join(work, "corpus.parquet")
    if not a.input:
        write(corpus)
    command = [a.binary, "run", corpus, "--out", os.path.join(work, "out"), "--memory", a.memory, "--backend", a.backend, "--k", str(a.k), "--json", "-v"]
    command += ["--threshold", a.threshold] if a.threshold else []
    phases = ["start"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def follow():
        for line in run.stdout:
            event = json.loads(line)
            if event["type"] == "stage_started":
                phases.append(event["stage"])
            elif event["type"] == "stage_finished":
                phases.append("after " + event["stage"])
            elif event["type"] == "detail":
                print("  ", event["message"])
                if event["message"].startswith("pairs: "):
                    phases.append(event["message"])
            elif event["type"] == "error":
                print("  ", event["message"])

    reader = threading.Thread(target=follow)
    reader.start()
    began, peaks, ends = time.perf_counter(), {}, {}
    while run.poll() is None:
        try:
            now, phase = rss_anon(run.pid), phases[-1]
            if phase == "after measures":  # tables and report: the newest file says which
                with os.scandir(os.path.join(work, "out.partial")) as entries:
                    phase = "writing " + max((entry.stat().st_mtime_ns, entry.name) for entry in entries)[1]
        except OSError:
            continue
        peaks[phase] = max(peaks.get(phase, 0), now)
        ends[phase] = now
        time.sleep(0.02)
    code = run.wait()
    reader.join()
    print(f"exit code {code}, {time.perf_counter() - began:.1f} s; RssAnon in MiB, budget {budget:.0f}")
    for phase, peak in peaks.items():
        print(f"{phase:28} peak {peak:8.1f}  at its end {ends[phase]:8.1f}  {'over' if peak > budget else ''}")
    peak = max(peaks.values())
    print(f"peak {peak:.1f} of {budget:.0f} MiB")
    sys.exit(code or int(peak > budget))
finally:
    shutil.rmtree(work)
