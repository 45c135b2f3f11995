"""``boneage node``: a DICOM node that receives images and sends the results."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from pathlib import Path

import click

from boneage.apps.cli.options import IN_FILE, OUT_FOLDER, audit_option
from boneage.apps.cli.output import echo, images
from boneage.apps.dicom_node.settings import NodeSettings, read_settings
from boneage.apps.dicom_node.spool import Spool
from boneage.apps.dicom_node.spool_database import SpoolEntry, State

SHORT = 12
LEAST_KEY = 4


@click.group(invoke_without_command=True)
@click.option(
    "--config", type=IN_FILE, help="The settings, in TOML; options given here take precedence."
)
@click.option("--ae-title", metavar="TITLE", help="The AE title of this node. [default: BONEAGE]")
@click.option("--host", metavar="ADDRESS", help="The address to listen at. [default: 127.0.0.1]")
@click.option("--port", type=int, metavar="N", help="The port; 0: any free one. [default: 11112]")
@click.option(
    "--calling",
    multiple=True,
    metavar="TITLE",
    help="An AE title that may call; may be repeated. Required unless the host is loopback.",
)
@click.option("--destination", metavar="TITLE@HOST:PORT", help="Where the results go: the archive.")
@click.option("--spool", type=OUT_FOLDER, help="The folder of the images being processed.")
@audit_option
@click.pass_context
def node(
    ctx: click.Context,
    config: Path | None,
    ae_title: str | None,
    host: str | None,
    port: int | None,
    calling: tuple[str, ...],
    destination: str | None,
    spool: Path | None,
    audit: Path | None,
) -> None:
    """Receive images by DICOM C-STORE, assess them, and send the results by C-STORE.

    For each hand radiograph the picture (secondary capture) and the
    measurements (structured report) go to the destination, in the study of the
    image. Sex and birth date are those that the image states. An image without
    result stays in the spool with the reason: see 'boneage node list'.

    Exit status: 0 when it was stopped; 2 when it could not start.

    \b
    boneage node --config node.toml
    boneage node --spool spool --destination PACS@127.0.0.1:4242
    boneage node --config node.toml list
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    import pynetdicom  # noqa: F401, PLC0415  needs the extra: reported first

    options: dict[str, dict[str, object]] = {
        "node": {
            "ae_title": ae_title,
            "host": host,
            "port": port,
            "calling_ae_titles": calling or None,
        },
        "destination": _destination(destination),
        "spool": {"folder": spool and spool.absolute()},
        "audit": {"log": audit and audit.absolute()},
    }
    ctx.obj = lambda: read_settings(config, options)
    if ctx.invoked_subcommand is None:
        from boneage.apps.dicom_node.launch import run  # noqa: PLC0415

        for handler in logging.getLogger("boneage").handlers:
            handler.setLevel(min(handler.level, logging.INFO))
        run(ctx.obj(), echo)


@node.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only images in this state; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def list_images(ctx: click.Context, states: tuple[str, ...], as_json: bool) -> None:
    """List the images in the spool, and their state."""
    spool = _spool(ctx.obj())
    entries = spool.entries([State(state) for state in states] or list(State))
    if as_json:
        echo(json.dumps([asdict(entry) for entry in entries], indent=2))
        return
    for entry in entries:
        echo(_line(entry))
    counts = ", ".join(f"{count} {state}" for state, count in spool.counts().items())
    echo(f"in the spool: {counts}")


@node.command()
@click.argument("keys", nargs=-1, metavar="[IMAGE]...")
@click.option("--all", "everything", is_flag=True, help="Retry every image that was given up.")
@click.pass_context
def requeue(ctx: click.Context, keys: tuple[str, ...], everything: bool) -> None:
    """Retry images that were given up: IMAGE is the beginning of its key."""
    if bool(keys) == everything:
        raise click.UsageError("name images, or give --all")
    spool = _spool(ctx.obj())
    dead = spool.entries([State.DEAD])
    chosen = dead if everything else [_found(key, dead) for key in keys]
    for entry in chosen:
        spool.requeue(entry.key)
    echo(f"{images(len(chosen))} will be tried again")


def _spool(settings: NodeSettings) -> Spool:
    if not settings.spool.folder.is_dir():
        raise click.UsageError(f"there is no spool {str(settings.spool.folder)!r}")
    return Spool(settings.spool)


def _found(key: str, dead: list[SpoolEntry]) -> SpoolEntry:
    found = [entry for entry in dead if entry.key.startswith(key)]
    if len(key) < LEAST_KEY or len(found) != 1:
        raise click.BadParameter(
            f"{key!r} begins the key of {len(found)} images that were given up; "
            f"give {LEAST_KEY} or more characters, as 'boneage node list' shows them"
        )
    return found[0]


def _line(entry: SpoolEntry) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.received))
    why = f" {entry.code}: {entry.reason}" if entry.code else ""
    caller = "".join(sign if sign.isprintable() else "?" for sign in entry.caller)
    return f"{entry.key[:SHORT]} {entry.state:8} {when} {caller}{why}"


def _destination(text: str | None) -> dict[str, object]:
    if text is None:
        return {}
    title, _, address = text.rpartition("@")
    host, _, port = address.rpartition(":")
    if not title or not host or not port.isdecimal():
        raise click.BadParameter(
            f"{text!r} is not TITLE@HOST:PORT, such as PACS@10.1.2.3:104",
            param_hint="--destination",
        )
    return {"ae_title": title, "host": host.strip("[]"), "port": int(port)}
