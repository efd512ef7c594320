"""A figure of the report on the page, and what saves it.

Notes
-----
PNG and SVG are made in the browser from the chart as it is drawn, on the color of the page, so that what one saves is what one sees; a
renderer on the server (kaleido) would want a browser of its own and some seconds. Plotly's own button above the chart saves one of the
two alone, and a phone shows it all the time. Streamlit has no button that runs in the browser, so this one place has a component of its
own: two plain buttons, which the keyboard reaches, with the colors of the theme.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

_CONFIG = {"displayModeBar": False}
_BUTTONS = """
<button type="button" data-ending="png">Picture (PNG)</button>
<button type="button" data-ending="svg">Drawing (SVG)</button>
"""
_LOOK = """
button {
  min-height: 2.5rem; margin: 0 1rem 0 0; padding: 0.25rem 0.75rem; font: inherit; cursor: pointer;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
button:last-child { margin-right: 0; }
button:hover, button:focus-visible { color: var(--st-primary-color); border-color: var(--st-primary-color); }
"""
_pictures: Callable[..., Any] = st.components.v2.component(
    "estimator.save_figure",
    html=_BUTTONS,
    css=_LOOK,
    js=Path(__file__).with_name("save_figure.js").read_text(encoding="utf-8"),
)


def show(figure: go.Figure, *, key: str, alt: str, name: str, on_select: Any = "ignore") -> Any:
    """Show a figure, and what saves it as PNG, SVG or HTML.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure.
    key : str
        Name of the chart on the page, such as ``chart.bill``.
    alt : str
        What one would hear who does not see it.
    name : str
        Name of the saved file without its ending, such as ``bill``.
    on_select : str or callable
        What a click on a point does, as for ``st.plotly_chart``: nothing by default, or ``rerun``.

    Returns
    -------
    object
        What is selected, if clicks select; else nothing of use.
    """
    with st.container(gap="small"):
        event = st.plotly_chart(
            figure,
            key=key,
            config=_CONFIG,
            alt=alt,
            on_select=on_select,
            selection_mode="points",
        )
        # Not a popover: the keyboard comes into one only at the end of the page.
        with (
            st.expander("Save", type="compact", icon=":material/download:", key=f"save.{key}.box"),
            st.container(horizontal=True),
        ):
            _pictures(key=f"save.{key}", data={"holder": _holder(key), "alt": alt, "name": name}, width="content")
            st.download_button(
                "Page (HTML)",
                lambda: page(figure, alt),
                f"{name}.html",
                "text/html",
                key=f"download.{key}",
                on_click="ignore",
                help="One file that shows the figure with its values at the pointer, without a network (5 MB).",
            )
    return event


def page(figure: go.Figure, title: str) -> str:
    """Write a figure as one HTML page that needs nothing else.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure.
    title : str
        Title of the page.

    Returns
    -------
    str
        The page.
    """
    text = figure.to_html(include_plotlyjs=True, include_mathjax=False, config={"displaylogo": False})
    return str(text).replace("<head>", f'<head lang="en"><title>{escape(title)}</title>', 1)


def _holder(key: str) -> str:
    """Return the class that Streamlit gives the element of a key."""
    return "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())
