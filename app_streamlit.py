"""The app's front door: page config and navigation, nothing else.

``streamlit run app_streamlit.py [-- scenario.yaml]``; ``estimator ui`` runs it from an installed package.
"""

import streamlit as st

from estimator.ui import flash_crowd_page, plan_page

st.set_page_config(page_title="Fargate estimator", page_icon="🧮", layout="wide", initial_sidebar_state=340)
pages = [
    st.Page(plan_page.show, title="Plan", icon=":material/calculate:", url_path="plan", default=True),
    st.Page(flash_crowd_page.show, title="Flash crowd", icon=":material/bolt:", url_path="flash-crowd"),
]
st.navigation(pages, position="top").run()
