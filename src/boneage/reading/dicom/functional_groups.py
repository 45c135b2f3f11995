"""Where a dataset states something of its image: itself, or in its functional groups.

Enhanced objects (PS3.3, C.7.6.16) state of their frames what others state of the image.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

GROUPS = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")


def stating(dataset: Dataset, keyword: str, macro: str) -> Dataset:
    """Find what states an element.

    Parameters
    ----------
    dataset : Dataset
        Of one frame.
    keyword : str
        The element, such as ``"WindowCenter"``.
    macro : str
        The sequence that holds it in functional groups, such as ``"FrameVOILUTSequence"``.

    Returns
    -------
    Dataset
        The dataset itself where it has the element, or nothing has.
    """
    if _has(dataset, keyword):
        return dataset
    for group in GROUPS:
        found = first_item(first_item(dataset, group), macro)
        if _has(found, keyword):
            return found
    return dataset


def _has(dataset: Dataset, keyword: str) -> bool:
    """Whether an element has a value, of a sequence an item; also one that makes no sense."""
    try:
        value = dataset.get(keyword)
        return value is not None and (not hasattr(value, "__len__") or len(value) > 0)
    except Exception:  # malformed, and there
        return True


def first_item(dataset: Dataset, keyword: str) -> Dataset:
    """Open a sequence; an empty dataset where there is none, or a garbled one."""
    try:
        items = dataset.get(keyword) or []
        item = items[0] if len(items) else None
    except Exception:  # a garbled sequence is none
        item = None
    return item if isinstance(item, Dataset) else Dataset()
