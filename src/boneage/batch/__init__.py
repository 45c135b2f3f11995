"""Big batches: films as a stream, by several processes or machines, that survive a kill.

Cases stream in (:mod:`.items`), an engine answers them (:mod:`.processes` or
:mod:`.ray_data`), and each answer becomes exactly one row of a folder of part files
(:mod:`.results`). Nothing on the way holds all films or all answers.
"""
