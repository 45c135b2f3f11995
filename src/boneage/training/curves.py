"""The loss curves of a run, drawn from its per-epoch logs."""

from __future__ import annotations

from pathlib import Path

from boneage.training.fitting import LOG, read_log

CURVES = "curves.png"


def draw_curves(run_folder: Path) -> list[Path]:
    """Draw ``curves.png`` beside every log of a run: loss, and error in months.

    Returns
    -------
    list of Path
        The figures, one a phase that has begun.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  slow to load; no window, no state

    drawn = []
    for log in sorted(run_folder.rglob(LOG)):
        rows = read_log(log.parent)
        if not rows:
            continue
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        for axes, (name, label) in zip(figure.subplots(1, 2), _SHOWN.items(), strict=True):
            epochs = [row["epoch"] + 1 for row in rows]
            axes.plot(epochs, [row[name] for row in rows], "o-", ms=3, label="training")
            held_back = f"val_{name}"
            if held_back in rows[0]:
                values = [row[held_back] for row in rows]
                axes.plot(epochs, values, "s--", ms=3, label="held back")
            axes.set(xlabel="epoch", ylabel=label, ylim=(0, None))
            axes.grid(alpha=0.3)
            axes.legend()
        figure.suptitle(log.parent.relative_to(run_folder).as_posix())
        path = log.with_name(CURVES)
        figure.savefig(path, dpi=120)
        drawn.append(path)
    return drawn


_SHOWN = {"loss": "loss", "mae_months": "mean absolute error, months"}
