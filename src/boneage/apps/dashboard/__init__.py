"""The dashboard: Streamlit pages over the same Assessor, and what they show, apart from them.

``app``, the ``*_page`` and the ``*_view`` modules draw; ``visit`` keeps what a visitor has;
everything else knows nothing of Streamlit.
"""
