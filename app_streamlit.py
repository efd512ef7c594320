"""The app's front door: page config and navigation, nothing else.

``streamlit run app_streamlit.py [-- scenario.yaml]``; ``estimator ui`` runs it from an installed package.
"""

import streamlit as st

from estimator.ui import plan_page

st.set_page_config(page_title="Fargate estimator", page_icon="🧮", layout="wide", initial_sidebar_state="auto")
st.navigation([st.Page(plan_page.show, title="Plan", url_path="plan", default=True)], position="hidden").run()
