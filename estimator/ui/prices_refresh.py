"""Ask AWS for the prices of a region, or take them from a file: what is asked, how far it has come, what came of it."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import streamlit as st

from estimator.errors import EstimatorError, InvalidScenario
from estimator.pricing.changes import compare_rates
from estimator.pricing.price_list import SOURCES
from estimator.pricing.snapshots import load_rates
from estimator.report.price_tables import changes_frame, leaps_text, newly_known_text, refreshed_table
from estimator.report.tables import changes_table
from estimator.ui import compare_csv, prices_job, prices_worker, tables
from estimator.ui.prices_job import Job

#: Largest file that is taken from a browser, and what it may become when it is unpacked. [MB]
UPLOAD_MB, UNPACKED_MB = 100, 600
#: The one name of an uploaded file on this machine, whatever it is called where it comes from.
UPLOADED = "uploaded.json"
_SOURCE_NAMES = {"bulk": "Public files", "query": "Query API"}
_SOURCE, _KEEP_OLDER = "prices.source", "prices.keep_older"
_GZIP = b"\x1f\x8b"
_PIECE = 1024 * 1024
#: How often the progress is looked at. [s]
_LOOK_S = 0.5


def show_refresh(region: str) -> None:
    """Show what asks AWS for the prices of a region.

    Parameters
    ----------
    region : str
        Region code.
    """
    with st.grid(2, min_column_width=320, vertical_alignment="bottom"):
        st.segmented_control(
            "Read from",
            SOURCES,
            required=True,
            default=SOURCES[0],
            format_func=lambda name: _SOURCE_NAMES[name],
            key=_SOURCE,
            help="AWS's public price files need no account, and have some hundreds of megabytes the first time; later only what changed is "
            "read. The Query API needs AWS credentials on this machine, with the permission `pricing:GetProducts`.",
        )
        st.toggle(
            "Keep older prices that AWS's list lacks",
            key=_KEEP_OLDER,
            help="Off: a region of which one known price is missing on AWS's list, or is unclear, stays as it was. On: the others are taken, "
            "and the older ones keep their dates. The command line's `--keep-older`.",
        )
    st.button(
        f"Refresh {region}",
        key="prices.refresh",
        icon=":material/sync:",
        disabled=prices_job.is_busy(),
        on_click=_refresh,
        args=(region,),
        help="Asks AWS for its prices now. Needs the network, but no account for the public files.",
    )


def show_import(region: str) -> None:
    """Show what takes prices from a file.

    Parameters
    ----------
    region : str
        Region code, of which a change is shown.
    """
    uploaded = st.file_uploader(
        "Price file",
        ["json", "gz"],
        key="prices.file",
        max_upload_size=UPLOAD_MB,
        help="JSON, packed with gzip or not: a bulk offer (index.json of a service), an answer of GetProducts, a Compute Savings Plan file of a "
        f"region, the Fargate Spot feed, or a snapshot of this program. At most {UPLOAD_MB} MB, and {UNPACKED_MB} MB unpacked; larger ones "
        "go by `estimator prices import`.",
    )
    asked = st.button(
        "Import",
        key="prices.import",
        icon=":material/upload_file:",
        disabled=uploaded is None or prices_job.is_busy(),
        help="Keeps what the file says for the next estimates. Of each price the rate counts that was last seen on AWS's list.",
    )
    if asked and uploaded is not None:
        try:
            _import(region, uploaded, shown_name(uploaded.name))
        except EstimatorError as error:
            st.error(tables.plain(str(error)), icon=":material/error:")
        else:
            st.rerun()


def show_progress() -> None:
    """Show how far the work has come, or what came of it."""
    job = prices_job.current()
    if job is None:
        return
    if job.is_running:
        _watch()
    elif job.done is not None:
        _done(job)
    elif job.was_stopped:
        st.warning(
            "Stopped. What was finished keeps its new prices, the rest is as it was.", icon=":material/stop_circle:"
        )
    else:
        st.error(tables.plain(f"{job.title} failed. {job.error}"), icon=":material/error:")


def unpack(source: BinaryIO, path: Path, name: str) -> None:
    """Write an uploaded file, unpacked, unless that is more than a price file has.

    Parameters
    ----------
    source : file
        The upload.
    path : pathlib.Path
        Where to.
    name : str
        What it is called, for messages.

    Raises
    ------
    InvalidScenario
        If it is too large, is packed twice, or is damaged.
    """
    most = UNPACKED_MB * _PIECE
    source.seek(0)
    packed = source.read(len(_GZIP)) == _GZIP
    source.seek(0)
    plain: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=source) if packed else source
    written = 0
    try:
        with path.open("wb") as file:
            while piece := plain.read(_PIECE):
                if packed and not written and piece.startswith(_GZIP):
                    raise InvalidScenario(f"{name} is packed twice. Unpack it once, and import that.")
                written += file.write(piece)
                if written > most:
                    raise InvalidScenario(
                        f"{name} is more than {UNPACKED_MB} MB unpacked. Import it with `estimator prices import`."
                    )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidScenario(f"{name} is a damaged gzip file: {error}. Download it again.") from None


def shown_name(name: str) -> str:
    """Write the name of an uploaded file so that it can stand in a sentence.

    Parameters
    ----------
    name : str
        What the browser says.

    Returns
    -------
    str
        Its last part, without what does not print, and not too long.

    Examples
    --------
    >>> shown_name("../../etc/passwd"), shown_name("")
    ('passwd', 'The file')
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:80] or "The file"


def _refresh(region: str) -> None:
    state, title = st.session_state, f"The refresh of {region}"
    asked = (region, str(state[_SOURCE]), str(bool(state[_KEEP_OLDER])))
    prices_job.begin(Job(prices_worker.REFRESH, *asked, title=title, before=load_rates(region)))


def _import(region: str, uploaded: BinaryIO, name: str) -> None:
    before = load_rates(region)
    folder = TemporaryDirectory(prefix="estimator-prices-")
    path = Path(folder.name) / UPLOADED
    try:
        unpack(uploaded, path, name)
    except InvalidScenario:
        folder.cleanup()
        raise
    title = f"The import of {name}"
    # Its messages name the file by its path here, which says nothing to whoever uploaded it.
    prices_job.begin(
        Job(prices_worker.IMPORT, str(path), title=title, before=before, folder=folder, renamed={str(path): name})
    )


@st.fragment(run_every=_LOOK_S)
def _watch() -> None:
    job = prices_job.current()
    if job is None or not job.is_running:
        st.rerun()
    step = job.step
    if step is None:
        part, text = 0.0, f"{job.title}: just begun"
    else:
        part = step["done"] / step["total"]
        text = f"{job.title}: {step['done']} of {step['total']} lists read, {step['received_bytes'] / 1e6:,.1f} MB"
    st.progress(part, text=tables.plain(text))
    st.button(
        "Stop",
        key="prices.stop",
        icon=":material/stop_circle:",
        on_click=job.stop,
        help="Ends it at once. A region is written whole or not at all.",
    )


def _done(job: Job) -> None:
    assert job.done is not None
    if job.verb == prices_worker.REFRESH:
        _refreshed(job)
    else:
        rates = job.done["rates"]
        where = ", ".join(f"{region} ({count})" for region, count in rates.items())
        days = " to ".join(dict.fromkeys(job.done["published"]))
        st.success(
            tables.plain(
                f"{job.title}: a {job.done['kind']} with {sum(rates.values())} rates"
                + (f" of {where}" if len(rates) <= 4 else f" of {len(rates)} regions")
                + (f", published {days}." if days else ".")
            ),
            icon=":material/check_circle:",
        )
    _changed(job)


def _refreshed(job: Job) -> None:
    assert job.done is not None
    regions = job.done["regions"]
    failed = [outcome for outcome in regions if outcome["error"]]
    for text in dict.fromkeys(outcome["error"] for outcome in failed if outcome["tried"]):
        st.error(tables.plain(text), icon=":material/error:")
    if job.done["unreachable"]:
        st.caption("Check the network and the proxy, or carry the files here and import them.")
    if len(failed) == len(regions):
        return
    if not failed:
        st.success(f"{job.title} is done.", icon=":material/check_circle:")
    table = refreshed_table(regions, job.done["received_bytes"])
    st.caption(table.title)
    tables.show(table)


def _changed(job: Job) -> None:
    """Show what became of the region that the page was about when it began."""
    region = job.before.region
    changes = compare_rates(job.before, load_rates(region))
    listed = [change for change in changes if change.kind != "added"]
    if listed:
        table = changes_table({region: listed}, "before", "now")
        st.caption(table.title)
        tables.show(table, tuple(change.title for change in listed))
        compare_csv.show(
            changes_frame(changes),
            key="download.prices.done",
            name=f"{region}-changes",
            text="A row for each price that differs or became known, in USD per unit.",
        )
    elif job.done is not None and not any(outcome["error"] for outcome in job.done.get("regions", ())):
        st.caption(f"No known price of {region} differs from before.")
    for text in (newly_known_text(changes), leaps_text(changes)):
        if text:
            st.caption(tables.plain(text))
