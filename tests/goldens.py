"""Vendi scores by numpy, from their definition: writes src/measure/vendi_goldens.json, which tests embed.

usage: python tests/goldens.py

Order 1 is exp(-sum l ln l), order 2 is 1 / sum l^2, order infinity is 1 / max l, over the eigenvalues l of K / n (the
definition of vendi-score: `vendi.score_K(K, q=...)`, compared where that package is installed). Rows are rounded to
f32 before anything is computed, so that both sides start from the same numbers.
"""
import json, os
import numpy as np

rng = np.random.default_rng(20251)
around = lambda n, d, spread: np.ones(d) + spread * rng.standard_normal((n, d))
cases = {
    "fewer rows than dimensions": around(12, 20, 1.0),
    "more rows than dimensions": around(40, 6, 1.0),
    "as many": around(9, 9, 0.3),
    "copies": np.repeat(around(3, 8, 1.0), [1, 2, 4], axis=0),
    "nearly alike": around(15, 10, 1e-3),
    "opposite": np.array([[1.0, 2.0, 0.5], [-1.0, -2.0, -0.5], [0.3, 0.0, 1.0]]),
    "more rows than a block": around(300, 5, 1.0),
}
goldens = []
for name, rows in cases.items():
    rows = rows.astype(np.float32)
    x = rows.astype(np.float64)
    e = x / np.sqrt((x * x).sum(1))[:, None]
    k = e @ e.T
    n = len(e)
    l = np.clip(np.linalg.eigvalsh(k / n), 0, None)
    l = l[l > 0]
    one, two, inf = np.exp(-(l * np.log(l)).sum()), 1 / (l**2).sum(), 1 / l.max()
    assert abs(two - n * n / (k**2).sum()) < 1e-9 * two
    try:
        from vendi_score import vendi
        for q, value in ((1, one), (2, two), ("inf", inf)):
            assert abs(vendi.score_K(k, q=q) - value) < 1e-9 * value, (name, q)
        print("vendi-score agrees:", name)
    except ImportError:
        pass
    goldens.append({"name": name, "dim": e.shape[1], "rows": [float(v) for v in rows.ravel()],
                    "one": float(one), "two": float(two), "inf": float(inf)})
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "..", "src", "measure", "vendi_goldens.json"), "w") as file:
    json.dump(goldens, file, indent=None, separators=(",", ":"))
    file.write("\n")
