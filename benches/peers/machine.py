"""What the figures were measured on."""
import os, platform, re, subprocess, sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ["numpy", "pyarrow", "faiss-cpu", "usearch", "scikit-learn", "numkong", "threadpoolctl"]
FLAGS = ["avx2", "fma", "avx_vnni", "avx512f", "avx512_bf16", "avx512_vnni", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16"]


def threads():
    """Logical processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def note():
    try:
        listed = subprocess.run(["lscpu"], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    except OSError:
        listed = ""
    field = lambda name: (re.search(rf"^{name}:\s*(.*)$", listed, re.M) or [None, None])[1]
    flags = set((field("Flags") or "").split())
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()
    return {
        "cpu": field("Model name") or platform.processor(),
        "family": field("CPU family"),
        "model": field("Model"),
        "hypervisor": field("Hypervisor vendor"),
        "threads": threads(),
        "caches": {name: field(f"{name} cache") for name in ["L1d", "L2", "L3"]},
        "flags": [flag for flag in FLAGS if flag in flags],
        "system": platform.platform(),
        "rustc": rustc[1] if len(rustc) > 1 else None,
        "python": sys.version.split()[0],
        "packages": {name: installed(name) for name in PACKAGES},
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def installed(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None
