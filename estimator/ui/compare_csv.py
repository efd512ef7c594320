"""The button that takes a table away as CSV."""

from __future__ import annotations

from typing import Any

import streamlit as st


def show(frame: Any, *, key: str, name: str, text: str) -> None:
    """Show the button.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table, with its numbers as they are.
    key : str
        Name of the button.
    name : str
        Name of the file without its ending.
    text : str
        What a row of it is, a sentence.
    """
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: frame.to_csv(index=False, float_format="%.12g", lineterminator="\n"),
            f"{name}.csv",
            "text/csv",
            key=key,
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            help=f"{text} Numbers are not rounded.",
        )
