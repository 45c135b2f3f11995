"""The reading room: add radiographs, state the sex, see the bone ages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from boneage.apps.dashboard import downloads
from boneage.apps.dashboard.analysis import Outcome
from boneage.apps.dashboard.entry import Status
from boneage.apps.dashboard.language import ask_language, page_words
from boneage.apps.dashboard.launch import UPLOAD_LIMIT_MB
from boneage.apps.dashboard.markup import escape_markdown
from boneage.apps.dashboard.reader import READER_FIRST, READER_NAME, ask_own_reading, is_hidden
from boneage.apps.dashboard.result_view import show_headline, show_result
from boneage.apps.dashboard.uploads import EXAMPLE, Uploaded, read_upload
from boneage.apps.dashboard.viewer import viewer
from boneage.apps.dashboard.visit import Visit, assessor, history_place, weights_problem
from boneage.apps.dashboard.worklist import (
    failure_text,
    handle,
    new_events,
    patient_text,
    worklist,
)
from boneage.domain.assessment import Failure
from boneage.i18n.words import Words, noop
from boneage.reports.wording import DISCLAIMER

POLL_SECONDS = 0.6
"""Between two looks at analyses under way."""
EXAMPLE_KEY = "example"
IDENTITIES = "show-identities"
MOST_BYTES = 1_500_000_000
"""Of the files of one worklist, as they are held."""
HOW = (
    noop(
        "**Add radiographs** of the left hand, single or a whole morning's: PNG, JPEG, TIFF, WebP, "
        "BMP or DICOM, also as ZIP archives, with a CSV table of sex, age and height beside them."
    ),
    noop(
        "**State the sex**: girls mature earlier, so the standards differ. A DICOM file may "
        "state it."
    ),
    noop("**Assess the bone age**, and look at the image beside it."),
)
NOTHING_LEAVES = noop(
    "Images stay in the memory of this computer. Nothing is written to disk or sent anywhere, and "
    "everything is discarded when this page is closed or reloaded."
)
SAVED = noop(
    "Only what you save to the history, under a pseudonym, is stored: ages, height and SDS, no "
    "image."
)
FILES: tuple[tuple[str, str, str, Callable[[Sequence[Outcome]], bytes]], ...] = (
    (noop("Table (CSV)"), "bone_ages.csv", "text/csv", downloads.csv_of),
    ("JSON", "bone_ages.json", "application/json", downloads.json_of),
    (noop("Pictures (ZIP)"), "bone_ages.zip", downloads.ZIP_TYPE, downloads.pictures_of),
)


def assessment_page() -> None:
    """Draw the page."""
    words, visit = page_words(), Visit.current()
    _ = words.gettext
    title, switches = st.columns([5, 1], vertical_alignment="center")
    with title:
        st.title(_("Bone age from a hand radiograph"))
        st.html(f'<p class="notice">{_(DISCLAIMER)}</p>')
    with switches.popover(_("Settings"), icon=":material/tune:", width="stretch"):
        _ask_settings(words)
    busy = visit.is_busy
    st.fragment(_room, run_every=POLL_SECONDS if busy else None)(visit, busy)


def _ask_settings(words: Words) -> None:
    _ = words.gettext
    ask_language()
    st.toggle(
        _("Read first: my own reading before the program's"),
        key=READER_FIRST,
        help=_("The bone age of the program is shown after yours; both are kept."),
    )
    st.toggle(
        _("Show names and patient IDs"),
        key=IDENTITIES,
        help=_("Of DICOM files, on this page only: never logged, never written to the history."),
    )
    st.text_input(
        _("Name of the reader"),
        key=READER_NAME,
        help=_("States who verified a bone age in report, DICOM and FHIR; needed for those only."),
    )


def _room(visit: Visit, polling: bool) -> None:
    """Draw everything below the title; drawn again while analyses are under way."""
    words = page_words()
    if visit.is_busy is not polling:
        st.rerun()  # to begin, or to end, looking again and again
    problem = weights_problem()
    if problem:
        st.error(problem)
    hidden = bool(st.session_state.get(READER_FIRST))
    left, right = st.columns([1.12, 1] if visit.entries else [1, 1.6], gap="medium")
    with left:
        _add(visit, words)
        _show_notes(visit)
        if visit.entries or visit.rejected:
            _show_list(visit, words, possible=not problem, hidden=hidden)
    with right:
        if visit.entries:
            _show_opened(visit, words, hidden=hidden)
        elif not visit.rejected:
            _explain(words)


def _explain(words: Words) -> None:
    _ = words.gettext
    st.header(_("How it works"))
    st.markdown("\n".join(f"{number}. {_(text)}" for number, text in enumerate(HOW, 1)))
    st.markdown(_(NOTHING_LEAVES))
    if history_place() is not None:
        st.markdown(_(SAVED))


def _add(visit: Visit, words: Words) -> None:
    _ = words.gettext
    uploads = st.file_uploader(
        _("Drop radiographs here (PNG, JPEG, TIFF, WebP, BMP, DICOM, ZIP), or a CSV table"),
        accept_multiple_files=True,
        max_upload_size=UPLOAD_LIMIT_MB,
        key=f"uploads-{visit.uploader}",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Try the synthetic example"),
            type="tertiary",
            icon=":material/draw:",
            on_click=_add_example,
            args=(visit,),
        )
        st.caption(_("Up to {size} MB each.").format(size=UPLOAD_LIMIT_MB))
    if uploads:
        _take(visit, [(one.file_id, one.name, one.getvalue) for one in uploads], words)
        visit.uploader += 1
        _forget_uploads()
        st.rerun()


def _take(
    visit: Visit, files: Sequence[tuple[str, str, Callable[[], bytes]]], words: Words
) -> None:
    """Read files, with a bar; those too many are named."""
    bar = st.progress(0.0)
    for number, (key, name, data) in enumerate(files):
        text = words.gettext("Reading {number} of {count} …")
        bar.progress(number / len(files), text.format(number=number + 1, count=len(files)))
        if sum(len(entry.image.held) for entry in visit.entries.values()) > MOST_BYTES:
            message = words.gettext("The list is full: remove images before you add {name}.")
            visit.note(message.format(name=name), failed=True)
            break
        visit.take(list(read_upload(key, name, data())))
    bar.empty()


def _forget_uploads() -> None:
    """Let Streamlit forget the files: the visit holds what it needs of them."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)


def _add_example(visit: Visit) -> None:
    if EXAMPLE_KEY not in visit.entries:
        found: list[Uploaded] = list(
            read_upload(EXAMPLE_KEY, f"{EXAMPLE.file_name}.dcm", EXAMPLE.dicom())
        )
        visit.take(found)
    visit.open(EXAMPLE_KEY)


def _show_notes(visit: Visit) -> None:
    for number, note in enumerate(visit.notes):
        with st.container(horizontal=True, vertical_alignment="center"):
            (st.error if note.failed else st.info)(escape_markdown(note.text))
            st.button(
                "✕",
                key=f"note-{number}",
                type="tertiary",
                on_click=visit.notes.remove,
                args=(note,),
            )


def _show_list(visit: Visit, words: Words, *, possible: bool, hidden: bool) -> None:
    _ = words.gettext
    ready = visit.ready()
    many = len(visit.entries) != 1
    label = _("Analyse {count} radiographs").format(count=len(ready))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            label if many else _("Assess bone age"),
            type="primary",
            disabled=not ready or not possible,
            on_click=_analyse_ready,
            args=(visit,),
        )
        st.caption(_what_is_missing(visit, words))
    with st.container(key="worklist-holder"):
        worklist(
            visit,
            words,
            identities=bool(st.session_state.get(IDENTITIES)),
            hidden=hidden,
            on_events=partial(_handle_events, visit),
        )
    if visit.shown_outcomes(hidden=hidden):
        with st.container(horizontal=True):
            for label, name, kind, write in FILES:
                st.download_button(
                    _(label),
                    partial(_written, visit, write, hidden=hidden),
                    name,
                    kind,
                    on_click="ignore",
                    icon=":material/download:",
                )


def _written(visit: Visit, write: Callable[[Sequence[Outcome]], bytes], *, hidden: bool) -> bytes:
    """Write all results at the click; Streamlit holds the button's function, and no image by it."""
    return write(visit.shown_outcomes(hidden=hidden))


def _what_is_missing(visit: Visit, words: Words) -> str:
    """How many images wait for something, and what."""
    counts = dict.fromkeys(Status, 0)
    for entry in visit.entries.values():
        counts[entry.status] += 1
    _ = words.gettext
    texts = {
        _("{count} without a sex"): counts[Status.NO_SEX],
        _("{count} to be corrected"): counts[Status.INVALID],
        _("{count} to come"): counts[Status.WAITING] + counts[Status.ANALYSING],
        _("{count} assessed"): counts[Status.READ],
        _("{count} refused or failed"): counts[Status.REFUSED] + counts[Status.FAILED],
        _("{count} cannot be read"): len(visit.rejected),
    }
    return ", ".join(text.format(count=count) for text, count in texts.items() if count)


def _handle_events(visit: Visit) -> None:
    for event in new_events(visit):
        handle(visit, event)


def _analyse_ready(visit: Visit) -> None:
    visit.analyse(visit.ready(), assessor())


def _show_opened(visit: Visit, words: Words, *, hidden: bool) -> None:
    """Draw the answer of the opened image, the image, and what there is to know."""
    entry = visit.opened_entry
    if entry is None:
        return
    _ = words.gettext
    st.html(f'<p class="image-name">{_named(visit, words)}</p>')
    if is_hidden(entry, hidden=hidden):
        ask_own_reading(entry, words)
    elif entry.analysed is not None:
        show_headline(entry.analysed.assessment, words)
    elif isinstance(entry.outcome, Failure):
        st.error(escape_markdown(failure_text(entry.outcome, words)))
        if entry.outcome.refused:
            st.button(
                _("Analyse anyway"),
                key=f"force-{entry.key}",
                on_click=_analyse_anyway,
                args=(visit, entry.key),
            )
    elif entry.status is Status.NO_SEX:
        st.info(_("State the sex in the row of the image."))
    viewer(visit, words, hidden=hidden)
    show_result(visit, entry, words, hidden=hidden)


def _named(visit: Visit, words: Words) -> str:
    entry = visit.opened_entry
    if entry is None:
        return ""
    date = entry.image.metadata.study_date
    patient = patient_text(
        entry.image.header,
        words.date(str(date)) if date else "",
        identities=bool(st.session_state.get(IDENTITIES)),
    )
    return " — ".join(escape(part) for part in (entry.image.name, patient) if part)


def _analyse_anyway(visit: Visit, key: str) -> None:
    entry = visit.entries.get(key)
    if entry is not None and entry.sex is not None:
        visit.analyse([entry], assessor(), force=True)
