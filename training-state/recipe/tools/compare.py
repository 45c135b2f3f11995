"""Compare runs on the same held-out ids: compare.py BASE OTHER... ; MAE, difference and its paired standard error."""
import csv, sys
import numpy as np
from pathlib import Path
R = Path(__file__).parent
def load(name):
    for root in (R / name / "attention", R / "keep" / name):
        files = sorted(root.glob("phase-*/held-out.csv")) + sorted(root.glob("phase-*held-out.csv"))
        if files:
            with files[-1].open() as f:
                return {r["id"]: (float(r["age_months"]), float(r["predicted_months"]), r["sex"]) for r in csv.DictReader(f)}
    raise SystemExit(f"{name}: nothing yet")
runs = {n: load(n) for n in sys.argv[1:]}
ids = sorted(set.intersection(*(set(r) for r in runs.values())))
age = np.array([next(iter(runs.values()))[i][0] for i in ids])
bands = {"<4": age < 48, "4-8": (age >= 48) & (age < 96), "8-12": (age >= 96) & (age < 144), "12-16": (age >= 144) & (age < 192), ">=16": age >= 192}
base = None
print("| run | n | MAE | RMSE | bias | difference of MAE | paired SE | " + " | ".join(f"MAE (bias) {b}, n={int(m.sum())}" for b, m in bands.items()) + " |")
for n, r in runs.items():
    e = np.array([r[i][1] - r[i][0] for i in ids]); a = np.abs(e)
    base = a if base is None else base
    d = a - base
    print(f"| {n} | {len(ids)} | {a.mean():.2f} | {np.sqrt((e**2).mean()):.2f} | {e.mean():+.2f} | {d.mean():+.2f} | {d.std(ddof=1)/len(d)**.5:.2f} | " + " | ".join(f"{a[m].mean():.1f} ({e[m].mean():+.1f})" for m in bands.values()) + " |")
