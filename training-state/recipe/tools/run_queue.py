"""Run the trainings of queue.txt one after another; start again at any time: finished ones are skipped.

Each line: NAME WORKTREE [boneage train options]. The profile is profiles/NAME.toml. Stop it: touch /work/runs/STOP
"""
import fcntl, os, shutil, subprocess, sys, time, csv
from pathlib import Path
R = Path("/work/runs"); PY = "/work/main/.venv/bin/python"; MAIN=Path("/work/shared")
lock = open(R / "queue.lock", "w")
try: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError: sys.exit("the queue is running already")
JE = next(Path("/usr/lib").glob("*/libjemalloc.so.2"), None)
def say(*a): print(time.strftime("%H:%M:%S"), *a, flush=True)
def jobs():
    for line in (R / "queue.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"): yield line.split()
def keep(name, worktree):
    src, out = R / name / "attention", R / "keep" / name
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(R / "profiles" / f"{name}.toml", out / "profile.toml")
    for f in ("log.txt", "cost.csv"): shutil.copy(R / name / f, out / f)
    phases = sorted(src.glob("phase-*"))
    for p in phases:
        for f in ("epochs.csv", "held-out.csv"):
            if (p / f).is_file(): shutil.copy(p / f, out / f"{p.name}-{f}")
    code = ("import sys,h5py\nfrom boneage.training.export import _pack\n"
            "with h5py.File(sys.argv[1]) as s, h5py.File(sys.argv[2],'w',libver='latest') as t: _pack(s,t)")
    subprocess.run([PY, "-c", code, str(phases[-1] / "final.weights.h5"), str(out / "final.weights.h5")],
                   env=os.environ | {"PYTHONPATH": f"{worktree}/src", "TF_CPP_MIN_LOG_LEVEL": "3"}, check=True)
failed = {}
while not (R / "STOP").exists():
    todo = [j for j in jobs() if not (R / j[0] / "done").is_file() and failed.get(j[0], 0) < 2]
    if not todo:
        time.sleep(30); continue
    name, worktree, *options = todo[0]
    run = R / name; run.mkdir(exist_ok=True)
    env = os.environ | {"PYTHONPATH": f"{worktree}/src", "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}
    if JE: env |= {"LD_PRELOAD": str(JE), "MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1"}
    command = [PY, "-m", "boneage", "train", "--profile", str(R / "profiles" / f"{name}.toml"),
               "--data", str(MAIN / "data/rsna"), "--run", str(run), "--images", str(R / "images"),
               "--initial-weights", str(MAIN / "weights"), "--fold", "0/10", "--stage", "attention", *options]
    commit = subprocess.run(["git", "-C", worktree, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
    say("start", name, commit)
    start = time.time()
    with open(run / "log.txt", "a") as log:
        child = subprocess.Popen(["nice", "-n", "5", *command], stdout=log, stderr=log, env=env, cwd=run)
        (run / "pid").write_text(str(child.pid))
        _, status, usage = os.wait4(child.pid, 0)
    with open(run / "cost.csv", "a") as file:
        csv.writer(file).writerow([commit, round(time.time() - start), round(usage.ru_utime + usage.ru_stime), status])
    say("end", name, "status", status, f"{time.time() - start:.0f} s wall, {usage.ru_utime + usage.ru_stime:.0f} s processor")
    if status == 0:
        keep(name, worktree); (run / "done").touch()
    else:
        failed[name] = failed.get(name, 0) + 1
