"""The dashboard: Streamlit pages over the Assessor.

``app``, the ``*_page`` and the ``*_view`` modules draw; ``visit`` holds the state of a browser
tab; the other modules do not use Streamlit.
"""
