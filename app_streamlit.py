"""The app's front door: page config and navigation, nothing else.

``streamlit run app_streamlit.py [-- scenario.yaml]``; ``estimator ui`` runs it from an installed package.
"""

import streamlit as st

from estimator.ui import (
    commitments_page,
    compare_page,
    flash_crowd_page,
    plan_page,
    prices_page,
    stack_page,
    uncertainty_page,
    what_if_page,
)

st.set_page_config(page_title="Fargate estimator", page_icon="🧮", layout="wide", initial_sidebar_state=340)
pages = [
    st.Page(plan_page.show, title="Plan", icon=":material/calculate:", url_path="plan", default=True),
    st.Page(what_if_page.show, title="What if", icon=":material/tune:", url_path="what-if"),
    st.Page(flash_crowd_page.show, title="Flash crowd", icon=":material/bolt:", url_path="flash-crowd"),
    st.Page(compare_page.show, title="Compare", icon=":material/compare_arrows:", url_path="compare"),
    st.Page(uncertainty_page.show, title="Uncertainty", icon=":material/casino:", url_path="uncertainty"),
    st.Page(commitments_page.show, title="Commitments", icon=":material/handshake:", url_path="commitments"),
    st.Page(stack_page.show, title="Stack", icon=":material/deployed_code:", url_path="stack"),
    st.Page(prices_page.show, title="Prices", icon=":material/sell:", url_path="prices"),
]
st.navigation(pages, position="top").run()
