"""What is said when there is no plan."""

from __future__ import annotations

import streamlit as st

from estimator.errors import EstimatorError, NoFeasiblePlan
from estimator.planning.promise import Rejection
from estimator.report.tables import rejections_table
from estimator.ui import tables
from estimator.ui.uploads import FileWanted

#: Misses that are shown. [1]
NEAREST = 8


def show(error: EstimatorError) -> None:
    """Show the sentence, and the nearest misses if candidates broke limits.

    Parameters
    ----------
    error : EstimatorError
        Why there is no plan.
    """
    if isinstance(error, FileWanted):
        st.info(tables.plain(str(error)), icon=":material/upload_file:")
        return
    st.error(tables.plain(str(error)), icon=":material/error:")
    if isinstance(error, NoFeasiblePlan) and error.rejections:
        st.subheader("Nearest misses")
        tables.show(rejections_table(_unlike(error.rejections)[:NEAREST]), save="nearest-misses")


def _unlike(rejections: tuple[Rejection, ...]) -> list[Rejection]:
    """Keep the nearest of those that are alike but for memory, target and bounds."""
    kinds: dict[tuple[str, str, int], Rejection] = {}
    for rejection in rejections:
        spec = rejection.spec
        kinds.setdefault((rejection.constraint, spec.cpu_architecture, spec.task_size.cpu_units), rejection)
    return list(kinds.values())
