"""Big batches: images as a stream, by several processes or machines, that survive a kill.

Cases stream in (:mod:`.cases`), an engine assesses them (:mod:`.processes` or
:mod:`.ray_data`), and each outcome becomes exactly one row of a folder of part files
(:mod:`.results`); :mod:`.run` is the walk. Nothing on the way holds all images or all rows.
"""
