"""Large batches, assessed as a stream by several processes or machines, resumable after a kill.

Cases stream in (:mod:`.cases`), an engine assesses them (:mod:`.processes` or
:mod:`.ray_data`), and each outcome becomes exactly one row in a folder of part files
(:mod:`.results`); :mod:`.run` connects them. Nothing holds all images or all rows.
"""
