"""An assessment as text, table, JSON, picture, PDF, DICOM and FHIR.

Each output is one module that takes an Assessment, and the Radiograph where it shows pixels:
``text``, ``table``, ``record``, ``picture``, ``pdf.writing``, ``dicom.writing``, ``fhir``
and ``chart_svg``. Their texts for people are in ``wording``, the parts of their pictures in
``panels``; ``exports`` lists the files that every interface offers.
"""
