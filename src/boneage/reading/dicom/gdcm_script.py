"""Run by decoding as a script: one JPEG frame on stdin, its pixels on stdout."""

from __future__ import annotations

import sys

import gdcm


def main() -> None:
    columns, rows, samples, bits_allocated, bits_stored, lossless = map(int, sys.argv[1:])
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(sys.stdin.buffer.read())
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind = "RGB" if samples > 1 else "MONOCHROME2"
    kind = gdcm.PhotometricInterpretation.GetPIType(kind)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    syntax = "1.2.840.10008.1.2.4." + ("57" if lossless else "51")
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    stored = gdcm.PixelFormat(samples, bits_allocated, bits_stored, bits_stored - 1, 0)
    image.SetPixelFormat(stored)
    # GDCM hands its bytes over as text.
    sys.stdout.buffer.write(image.GetBuffer().encode("utf-8", "surrogateescape"))


main()
