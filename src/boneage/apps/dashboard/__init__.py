"""The dashboard: Streamlit pages over the same Assessor, and what they say, apart from them.

``app``, the ``*_page`` and the ``*_view`` modules draw; everything else knows
nothing of Streamlit.
"""
