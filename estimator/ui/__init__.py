"""Streamlit pages and components; the only folder that imports streamlit."""
