"""How often 95 % intervals of a mean hold it, by distribution and number of queries: Student's, percentiles of resamples, the
studentised bootstrap, and what src/measure/intervals makes of it (no limit nearer than Student's, at most twice that).

usage: python benches/intervals.py [--corpora 2000]

Percent that held, and in brackets the percent whose interval lay above and below the mean.
"""
import argparse
import numpy as np
from scipy import stats

parser = argparse.ArgumentParser()
parser.add_argument("--corpora", type=int, default=2000)
corpora = parser.parse_args().corpora
random = np.random.default_rng(1)
size, resamples = 20000, 1000

def meanings():
    """Most queries have one meaning, a few up to twenty."""
    few = random.random(size) < 0.15
    return 1 + few * np.minimum(random.geometric(0.15, size), 19.0)

distributions = {
    "normal": random.normal(size=size),
    "square of a uniform": random.random(size) ** 2,
    "exponential": random.exponential(size=size),
    "lognormal, s = .7": np.exp(0.7 * random.normal(size=size)),
    "one meaning, few of 20": meanings(),
    "Laplace": random.laplace(size=size),
    "Student's, 5": random.standard_t(5, size=size),
    "Student's, 3": random.standard_t(3, size=size),
}
print(f"{'':24}{'':>5}" + "".join(f"{name:>22}" for name in ("Student's", "percentiles", "studentised", "ours")))
for name, values in distributions.items():
    truth = values.mean()
    for n in (10, 20, 50, 100):
        student = stats.t.ppf(0.975, n - 1)
        tail = stats.norm.cdf(-np.sqrt(n / (n - 1)) * student)
        above, below = np.zeros(4), np.zeros(4)
        for _ in range(corpora):
            x = random.choice(values, n)
            w = random.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)
            mean, error = x.mean(), x.std(ddof=1) / np.sqrt(n)
            off = w @ (x - mean) / n
            errors = np.sqrt(np.maximum(w @ (x - mean) ** 2 / n - off ** 2, 0) / (n - 1))
            with np.errstate(all="ignore"):
                missed = np.where(off == 0, 0, off / errors)
            plain = np.sort(missed)[[round(0.025 * (resamples - 1)), round(0.975 * (resamples - 1))]]
            low, high = np.quantile(np.clip(missed, -2 * student, 2 * student), [0.025, 0.975])
            away = lambda far: max(far, student)
            limits = [(mean - student * error, mean + student * error), mean + np.quantile(off, [tail, 1 - tail]),
                      (mean - plain[1] * error, mean - plain[0] * error),
                      (mean - away(high) * error, mean + away(-low) * error)]
            above += [low > truth for low, _ in limits]
            below += [high < truth for _, high in limits]
        cells = [f"{100 - 100 * (a + b) / corpora:.1f} ({100 * a / corpora:.1f}, {100 * b / corpora:.1f})" for a, b in zip(above, below)]
        print(f"{name:24}{n:>5}" + "".join(f"{cell:>22}" for cell in cells), flush=True)
