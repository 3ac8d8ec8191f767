"""Opens every table of a result directory in DuckDB, Polars and pandas: column names, types, row order, joins.

usage: python tests/tables.py DIR THRESHOLD README.md

DIR is a result with `--threshold THRESHOLD`. The README's DuckDB and pandas examples are run as they stand on it.
Needs duckdb, numpy, pandas, polars, pyarrow.
"""
import contextlib, io, json, os, re, sys, tempfile
import duckdb, numpy as np, pandas as pd, polars as pl, pyarrow.parquet as pq

out, threshold, readme = os.path.abspath(sys.argv[1]), float(sys.argv[2]), open(sys.argv[3], encoding="utf-8").read()
failures = 0

def check(name, ok, detail=""):
    global failures
    failures += not ok
    if not ok:
        print(f"FAIL {name} {detail}")

# The contract. A table may grow columns; these stay, in this order. Names: s string, the rest numbers, b bool, l list of
# numbers, t list of strings.
TABLES = {
    "responses": "row:u32 file:s file_row:u64 query:s model:s nn_row:u32 nn_similarity:f32 nn_model:s duplicate_group:u32 cluster:u32",
    "neighbors": "src:u32 rank:u16 dst:u32 similarity:f32",
    "intra": "query:s model:s n:u32 mean:f64",
    "models": "model:s n:u64 queries:u64 common_queries:u64 intra_mean:f64 intra_ci_low:f64 intra_ci_high:f64 share_ge_0_8:f64 "
    "bins:l paper_bins:l floor:f64 answers_regardless:b vendi_1:f64 vendi_2:f64 distinct:f64 distinct_adjusted:f64 "
    "distinct_ci_low:f64 distinct_ci_high:f64 intra_joint_low:f64 intra_joint_high:f64 intra_next:u32 with_others:f64 "
    "with_others_joint_low:f64 with_others_joint_high:f64 with_others_next:u32 most_like:s most_like_mean:f64 most_like_next:u32 "
    "empty_share:f64 refusal_share:f64 verbatim_share:f64",
    "model_pairs": "model_a:s model_b:s queries:u64 pairs:u64 mean:f64 query_mean:f64 paper_mean:f64 ci_low:f64 ci_high:f64 floor:f64",
    "queries": "query:s n:u64 models:u64 mean:f64 intra_mean:f64 inter_mean:f64 vendi_1:f64 vendi_2:f64 vendi_inf:f64 distinct:f64 hill_1:f64 hill_2:f64 "
    "chao1:f64 coverage:f64 nearest_other_model:f64 nearest_null:f64 ensemble_gain:f64 ensemble_gain_unrelated:f64 ensemble_gain_1:f64 "
    "ensemble_gain_1_error:f64 ensemble_gain_1_unrelated:f64 r2_cell:f64 length_ratio_rho:f64 shorter_length_rho:f64",
    "topn": "query:s top_n:u16 distinct_models_mean:f64 null:f64 least:f64",
    "histogram": "relation:s bin:u16 low:f64 high:f64 pairs:u64 exact:b",
    "meanings": "query:s kind:s name:s labels:s c:f64 tau:f64 chosen:b n:u32 distinct:u32 singletons:u32 doubletons:u32 coverage:f64 "
    "chao1:f64 at_n:u32 hill_0:f64 hill_1:f64 hill_2:f64 per_1000:f64 extrapolated:b adjusted_rand:f64",
    "growth": "query:s kind:s name:s n:u32 distinct:f64 exponent:f64 time:f64 distinct_in_time:f64",
    "sources": "source:s model:s people:b individual_queries:u64 individual_models:f64 individual_people:f64 individual_rho:f64 "
    "individual_rho_ci_low:f64 individual_rho_ci_high:f64 individual_crowding:f64 individual_crowding_ci_low:f64 "
    "individual_crowding_ci_high:f64 population_queries:u64 population_models:f64 population_people:f64 population_rho:f64 "
    "population_rho_ci_low:f64 population_rho_ci_high:f64 population_crowding:f64 population_crowding_ci_low:f64 "
    "population_crowding_ci_high:f64 nearest_queries:u64 nearest_n_least:u32 nearest_n_most:u32 people_to_models:f64 "
    "people_to_people:f64 people_difference:f64 people_ci_low:f64 people_ci_high:f64 models_to_people:f64 models_to_models:f64 "
    "models_difference:f64 models_ci_low:f64 models_ci_high:f64 adds_queries:u64 adds_n_least:u32 adds_n_most:u32 adds_with:f64 "
    "adds_without:f64 adds:f64 adds_ci_low:f64 adds_ci_high:f64 placebo:f64 placebo_low:f64 placebo_high:f64",
    "map": "row:u32 x:f64 y:f64",
    "edges": "src:u32 dst:u32 similarity:f32",
    "contexts": "against:s family:s contexts:t n:u32 queries:u64 other_context:f64 other_context_floor:f64 reference:f64 "
    "reference_floor:f64 ratio:f64 ci_low:f64 ci_high:f64",
    "stages": "stage_a:s stage_b:s arm:s families:t inter_queries:u64 inter_a:f64 inter_b:f64 inter_difference:f64 inter_ci_low:f64 "
    "inter_ci_high:f64 inter_a_ci_low:f64 inter_a_ci_high:f64 inter_b_ci_low:f64 inter_b_ci_high:f64 floor_a:f64 floor_b:f64 "
    "kept_a:f64 kept_b:f64 matched_queries:u64 matched_a:f64 matched_b:f64 matched_difference:f64 matched_ci_low:f64 "
    "matched_ci_high:f64 unmatched_queries:u64 unmatched_a:f64 unmatched_b:f64 unmatched_difference:f64 unmatched_ci_low:f64 "
    "unmatched_ci_high:f64 intra_queries:u64 intra_a:f64 intra_b:f64 intra_difference:f64 intra_ci_low:f64 intra_ci_high:f64 distinct_queries:u64 distinct_a:f64 distinct_b:f64 distinct_difference:f64 distinct_ci_low:f64 distinct_ci_high:f64 evenness_queries:u64 evenness_a:f64 evenness_b:f64 evenness_difference:f64 evenness_ci_low:f64 evenness_ci_high:f64 frequency_slope_queries:u64 frequency_slope_a:f64 frequency_slope_b:f64 frequency_slope_difference:f64 tail_threshold:f64 tail_queries:u64 tail_a:f64 tail_b:f64 tail_difference:f64 tail_ci_low:f64 tail_ci_high:f64 coverage_queries:u64 coverage_a:f64 coverage_b:f64 coverage_difference:f64 coverage_ci_low:f64 coverage_ci_high:f64",
    "trends": "course:s measure:s arm:s reference:s stage_a:s stage_b:s stages:u32 families:t paired_by:s queries:u64 value:f64 ci_low:f64 "
    "ci_high:f64 arm_value:f64 arm_ci_low:f64 arm_ci_high:f64 reference_value:f64 reference_ci_low:f64 reference_ci_high:f64",
    "form": "pairs:s model:s responses:u64 queries:u64 "
    + " ".join(f"{relation}_{channel}{part}:f64" for relation in ("other_query", "same_query") for channel in ("form", "content", "opening")
               for part in ("", "_ci_low", "_ci_high"))
    + " compression:f64",
    "teams": "query:s team:s n:u64 quality:f64 expertise:f64 diversity:f64 pairs:u64 good:u64 distinct_pairs:u64 effective_pairs:u64 "
    "effective:f64 null:f64",
}
# Tables that only some corpora have, and whether this one does.
of_responses = pq.read_schema(os.path.join(out, "responses.parquet")).names
summary = json.load(open(os.path.join(out, "summary.json")))
OPTIONAL = {"contexts": "context" in of_responses, "stages": "stage" in of_responses, "trends": "arm" in of_responses, "sources": "source" in of_responses,
            "form": summary["form"] is not None, "teams": summary["teams"] is not None,
            "map": summary["map"] is not None}
SORTED_BY = {
    "responses": ["row"], "neighbors": ["src", "rank"], "intra": ["query", "model"], "models": ["model"],
    "model_pairs": ["model_a", "model_b"], "queries": ["query"], "topn": ["query", "top_n"], "edges": ["src", "dst"],
    "meanings": ["query", "kind", "name", "labels", "c"], "contexts": ["-against", "family"], "teams": ["query", "team"],
    "growth": ["query", "kind", "name", "n"], "sources": ["source", "model"], "map": ["row"],
}
ARROW = {"u16": ["uint16"], "u32": ["uint32"], "u64": ["uint64"], "f32": ["float"], "f64": ["double"], "b": ["bool"],
         "t": ["list<item: string not null>"], "s": ["dictionary<values=string, indices=int32, ordered=0>"], "l": ["fixed_size_list<item: double not null>[10]"]}
DUCK = {"u16": ["USMALLINT"], "u32": ["UINTEGER"], "u64": ["UBIGINT"], "f32": ["FLOAT"], "f64": ["DOUBLE"], "b": ["BOOLEAN"],
        "s": ["VARCHAR"], "l": ["DOUBLE[]", "DOUBLE[10]"], "t": ["VARCHAR[]"]}
POLARS = {"u16": ["UInt16"], "u32": ["UInt32"], "u64": ["UInt64"], "f32": ["Float32"], "f64": ["Float64"], "b": ["Boolean"],
          "s": ["String", "Categorical"], "l": ["Array(Float64, shape=(10,))", "List(Float64)"], "t": ["List(String)"]}
PANDAS = {"u16": ["uint16"], "u32": ["uint32"], "u64": ["uint64"], "f32": ["float32"], "f64": ["float64"], "b": ["bool"],
          "s": ["category", "object", "str", "string"], "l": ["object"], "t": ["object"]}

for name, contract in TABLES.items():
    path = os.path.join(out, f"{name}.parquet")
    if not OPTIONAL.get(name, True):
        check(f"{name}: absent without what it needs", not os.path.exists(path))
        continue
    contract = dict(column.split(":") for column in contract.split())
    schema = pq.read_schema(path)
    described = {row[0]: row[1] for row in duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()}
    polars, pandas = pl.read_parquet(path), pd.read_parquet(path)
    kept = [column for column in schema.names if column in contract]
    check(f"{name}: columns", kept == list(contract), f"{schema.names}")
    for column, kind in contract.items():
        nullable = pandas[column].isna().any()  # pandas widens integers with gaps
        for tool, found, known in (
            ("arrow", str(schema.field(column).type), ARROW),
            ("DuckDB", described[column], DUCK),
            ("Polars", str(polars.schema[column]).split("(ordering")[0], POLARS),
            ("pandas", str(pandas[column].dtype), PANDAS),
        ):
            accepted = known[kind] + (["float64"] if tool == "pandas" and nullable and kind[0] == "u" else [])
            check(f"{name}.{column} in {tool}", found in accepted, f"is {found}, not {accepted}")
    rows = duckdb.sql(f"SELECT count(*) FROM '{path}'").fetchall()[0][0]
    check(f"{name}: rows", rows == len(polars) == len(pandas) > 0, f"{rows} {len(polars)} {len(pandas)}")
    if name in SORTED_BY:
        columns = SORTED_BY[name]
        keys = zip(*([("" if pd.isna(value) else value) for value in pandas[column.lstrip("-")]] for column in columns))
        # A null comes first; after a minus the order is descending.
        part = lambda k, column: [-b for b in k.encode()] if column[0] == "-" else k.encode() if isinstance(k, str) else k
        as_bytes = [tuple(map(part, key, columns)) for key in keys]
        check(f"{name}: sorted by {SORTED_BY[name]}, no key twice", all(a < b for a, b in zip(as_bytes, as_bytes[1:])))
    print(f"{name}: {rows} rows, {len(schema.names)} columns")

# Tables that are about each other agree, by SQL.
def none(name, sql):
    found = duckdb.sql(sql.replace("@", out + "/")).fetchall()[0][0]
    check(name, found == 0, f"{found} rows")

none("a nearest neighbour is the neighbour of rank 1",
     "SELECT count(*) FROM '@responses.parquet' r LEFT JOIN '@neighbors.parquet' n ON n.src = r.row AND n.rank = 1 "
     "LEFT JOIN '@responses.parquet' o ON o.row = n.dst "
     "WHERE n.dst IS DISTINCT FROM r.nn_row OR n.similarity IS DISTINCT FROM r.nn_similarity OR o.model IS DISTINCT FROM r.nn_model")
none("every neighbour is a response, never the row itself",
     "SELECT count(*) FROM '@neighbors.parquet' n LEFT JOIN '@responses.parquet' r ON r.row = n.dst WHERE r.row IS NULL OR n.src = n.dst")
none("neighbours come in descending order, ties by row",
     "SELECT count(*) FROM '@neighbors.parquet' a JOIN '@neighbors.parquet' b ON a.src = b.src AND b.rank = a.rank + 1 "
     "WHERE b.similarity > a.similarity OR (b.similarity = a.similarity AND b.dst < a.dst)")
none("an edge goes up and holds the threshold",
     f"SELECT count(*) FROM '@edges.parquet' WHERE src >= dst OR similarity < {threshold}")
none("neighbours at or above the threshold are edges",
     f"SELECT count(*) FROM '@neighbors.parquet' n LEFT JOIN '@edges.parquet' e ON e.src = least(n.src, n.dst) "
     f"AND e.dst = greatest(n.src, n.dst) AND e.similarity = n.similarity WHERE n.similarity >= {threshold} AND e.src IS NULL")
none("a cell of intra.parquet has as many responses",
     "SELECT count(*) FROM '@intra.parquet' i LEFT JOIN (SELECT query, model, count(*) n FROM '@responses.parquet' GROUP BY ALL) r "
     "ON r.query = i.query AND r.model = i.model WHERE r.n IS DISTINCT FROM i.n")
none("models.parquet counts responses",
     "SELECT count(*) FROM '@models.parquet' m LEFT JOIN (SELECT model, count(*) n FROM '@responses.parquet' GROUP BY ALL) r "
     "USING (model) WHERE r.n IS DISTINCT FROM m.n")
none("queries.parquet counts the clusters of responses.parquet, the largest numbered 0",
     "SELECT count(*) FROM '@queries.parquet' q LEFT JOIN (SELECT query, count(DISTINCT cluster) k, max(cluster) + 1 top, "
     "count(*) FILTER (cluster = 0) first, max(size) most FROM (SELECT query, cluster, count(*) OVER (PARTITION BY query, cluster) size "
     "FROM '@responses.parquet') GROUP BY query) r USING (query) WHERE r.k <> q.distinct OR r.top <> r.k OR r.first <> r.most OR r.k IS NULL")
none("meanings.parquet has the lines that queries.parquet shows",
     "SELECT count(*) FROM '@queries.parquet' q LEFT JOIN '@meanings.parquet' m ON m.query = q.query AND m.kind = 'all' AND m.chosen "
     "WHERE m.hill_0 <> q.distinct OR m.hill_1 <> q.hill_1 OR m.hill_2 <> q.hill_2 OR m.coverage <> q.coverage OR m.n IS DISTINCT FROM q.n")
none("models.parquet has the mean of the lines of meanings.parquet",
     "SELECT count(*) FROM '@models.parquet' o LEFT JOIN (SELECT name, avg(hill_0) mean FROM '@meanings.parquet' WHERE kind = 'model' "
     "AND chosen GROUP BY name) m ON m.name = o.model WHERE abs(m.mean - o.distinct) > 1e-12 OR (m.mean IS NULL) <> (o.distinct IS NULL)")
if summary["map"] is not None:
    none("every point of the map is a response, with a place", "SELECT count(*) FROM '@map.parquet' m LEFT JOIN '@responses.parquet' r USING (row) "
         "WHERE r.row IS NULL OR NOT isfinite(m.x) OR NOT isfinite(m.y)")
n = len(pd.read_parquet(os.path.join(out, "responses.parquet")))
histogram = pl.read_parquet(os.path.join(out, "histogram.parquet"))
check("the histogram holds every pair", histogram["pairs"].sum() == n * (n - 1) // 2)
check("bins of 0.01", np.allclose(histogram["high"] - histogram["low"], 0.01) and len(histogram) == 800)
bins = np.stack(pd.read_parquet(os.path.join(out, "models.parquet"))["bins"])
check("bins are percent", np.allclose(bins.sum(1), 100))

# The README's examples, as they stand, beside a result called hivescope-out.
def example(heading):
    block = re.search(rf"^{heading}:\n\n((?:    .*\n|\n)+)", readme, re.M)
    return re.sub(r"^    ", "", block.group(1), flags=re.M)

with tempfile.TemporaryDirectory() as here:
    os.symlink(out, os.path.join(here, "hivescope-out"), target_is_directory=True)
    os.chdir(here)
    rows = duckdb.sql(example("In DuckDB")).fetchall()
    check("README: DuckDB", rows and all(a != b for a, b, *_ in rows) and [r[2] for r in rows] == sorted((r[2] for r in rows), reverse=True))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example("In pandas"), {})
    share = float(printed.getvalue())
    models = pd.read_parquet("hivescope-out/responses.parquet")
    check("README: pandas", abs(share - (models["model"].astype(str) != models["nn_model"].astype(str)).mean()) < 1e-12, printed.getvalue())
    os.chdir("/")

print("0 failed" if failures == 0 else f"{failures} failed")
sys.exit(failures > 0)
