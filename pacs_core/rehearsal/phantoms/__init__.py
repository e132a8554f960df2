"""Analytic phantoms: series whose every length, position and value is known before a pixel is painted.

A `Scene` is what there is (shapes in LPS millimetres and HU), a `SliceStack` is where it is cut, `render`
makes the pixels with partial volume at every edge; `classic_series`, `enhanced_image` and `multiframe_image`
make DICOM of it, `ultrasound_clip` a calibrated ultrasound loop, `mammogram` a view of a breast, and `Truth`
is what a measurement of them has to give.
"""

from pacs_core.rehearsal.phantoms.enhanced import enhanced_image
from pacs_core.rehearsal.phantoms.geometry import SliceStack, oblique, stack
from pacs_core.rehearsal.phantoms.mammogram import MammogramTruth, mammogram
from pacs_core.rehearsal.phantoms.multiframe import multiframe_image
from pacs_core.rehearsal.phantoms.rendering import Scene, render
from pacs_core.rehearsal.phantoms.scenes import ball_scene, chest_scene, lattice_scene, plain_scene
from pacs_core.rehearsal.phantoms.series import PhantomSeries, classic_series
from pacs_core.rehearsal.phantoms.shapes import Box, Ellipsoid, Grid, Rod, Shape, Sphere
from pacs_core.rehearsal.phantoms.truth import Truth
from pacs_core.rehearsal.phantoms.ultrasound import UltrasoundTruth, ultrasound_clip

__all__ = [
    "Box",
    "Ellipsoid",
    "Grid",
    "MammogramTruth",
    "PhantomSeries",
    "Rod",
    "Scene",
    "Shape",
    "SliceStack",
    "Sphere",
    "Truth",
    "UltrasoundTruth",
    "ball_scene",
    "chest_scene",
    "classic_series",
    "enhanced_image",
    "lattice_scene",
    "mammogram",
    "multiframe_image",
    "oblique",
    "plain_scene",
    "render",
    "stack",
    "ultrasound_clip",
]
