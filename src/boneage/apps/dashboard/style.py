"""The few rules of style that Streamlit's themes cannot say."""

from __future__ import annotations

STYLE = """<style>
.block-container {
  max-width: 1680px; padding: 4.25rem clamp(1rem, 3vw, 3rem) 3rem;
}
h1 { font-size: 1.6rem !important; padding: 0 !important; }
h2 { font-size: 1.2rem !important; padding: .25rem 0 .1rem !important; }
[data-testid="stSliderThumbValue"], [data-testid="stSliderThumbValue"] * {
  color: inherit !important;
}
/* Streamlit's own ring round what is not chosen can hardly be seen. */
[data-testid="stRadioOption"]:not(:has(input:checked)) > div > div:first-child {
  border-color: color-mix(in srgb, currentColor 65%, transparent) !important;
}
/* Streamlit says why a file is refused only to screen readers and in a tooltip. */
[data-testid="stFileChip"] { flex-wrap: wrap; height: auto !important; }
[data-testid="stFileChip"] [role="alert"] {
  position: static !important; flex-basis: 100%; width: auto !important; height: auto !important;
  margin: .25rem 0 0 !important; overflow: visible !important; white-space: normal !important;
  clip: auto !important; clip-path: none !important; font-size: .85rem;
}
.notice { font-size: .95rem; opacity: .85; margin: 0; }
.film-name { font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.bone-age { font-size: clamp(2rem, 2.6vw, 3rem); line-height: 1.15; font-weight: 650; margin: 0; }
.bone-age-label {
  font-size: .85rem; letter-spacing: .06em; text-transform: uppercase; opacity: .8; margin: 0;
}
.bone-age-months { font-size: 1.15rem; margin: .2rem 0 0; }
.bone-age-more { font-size: 1rem; margin: .5rem 0 0; }
.facts {
  display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem;
  margin: 0; padding: 0 !important; font-size: .95rem;
}
.facts dt, .facts dd { margin: 0 !important; }
.facts dt { opacity: .8; }
.facts dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.heat-scale { display: flex; align-items: center; gap: .6rem; font-size: .85rem; margin: 0; }
.heat-scale i {
  flex: 0 1 9rem; height: .7rem; border-radius: 2px;
  background: linear-gradient(90deg, #000004, #420a68, #932667, #dd513a, #fca50a, #fcffa4);
}
</style>"""
