"""An answer out: text, table, JSON, picture, COCO; one file each."""
