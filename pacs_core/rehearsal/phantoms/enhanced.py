"""A rendered phantom as one multi-frame Enhanced CT image (PS3.3 A.38), one frame a slice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pacs_core.domain.identifiers import uid_from_name
from pacs_core.rehearsal.headers import (
    CT_WINDOWS,
    ENHANCED_CT_IMAGE,
    SeriesHeader,
    decimal,
    new_image,
    set_frame,
    set_pixels,
    stored_ct,
)
from pacs_core.rehearsal.phantoms.geometry import SliceStack
from pacs_core.rehearsal.phantoms.rendering import Scene, render
from pacs_core.rehearsal.phantoms.series import PhantomSeries, truth_of

STACK_ID = 0x00209056
IN_STACK_POSITION = 0x00209057
FRAME_CONTENT = 0x00209111


def enhanced_image(
    scene: Scene, slices: SliceStack, series: SeriesHeader, *, noise: float = 0.0, seed: int = 0
) -> PhantomSeries:
    """Render the scene as one Enhanced CT image with its functional groups."""
    volume = render(scene, slices, noise=noise, seed=seed)
    return PhantomSeries((enhanced_ct(volume, slices, series),), truth_of(scene, slices, series))


def enhanced_ct(volume: NDArray[np.float32], slices: SliceStack, series: SeriesHeader) -> Dataset:
    """A volume (slices, rows, columns) in HU as one Enhanced CT image."""
    image = new_image(ENHANCED_CT_IMAGE, series, 1)
    image.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    set_frame(image, series)
    image.NumberOfFrames = slices.slices
    image.AcquisitionDateTime = series.date + series.time
    image.ContentQualification = "PRODUCT"
    image.PixelPresentation, image.VolumetricProperties = "MONOCHROME", "VOLUME"
    image.VolumeBasedCalculationTechnique = "NONE"
    image.BurnedInAnnotation, image.LossyImageCompression = "NO", "00"
    image.PresentationLUTShape = "IDENTITY"
    image.AcquisitionNumber = 1
    _dimensions(image, series)
    image.SharedFunctionalGroupsSequence = Sequence([_shared(slices)])
    image.PerFrameFunctionalGroupsSequence = Sequence([_frame(slices, i) for i in range(slices.slices)])
    set_pixels(image, stored_ct(volume))
    return image


def _dimensions(image: Dataset, series: SeriesHeader) -> None:
    uid = uid_from_name(f"rehearsal/dimensions/{series.name}")
    image.DimensionOrganizationSequence = Sequence([_item(DimensionOrganizationUID=uid)])
    image.DimensionOrganizationType = "3D"
    image.DimensionIndexSequence = Sequence(
        _item(
            DimensionOrganizationUID=uid, DimensionIndexPointer=pointer, FunctionalGroupPointer=FRAME_CONTENT
        )
        for pointer in (STACK_ID, IN_STACK_POSITION)
    )


def _shared(slices: SliceStack) -> Dataset:
    spacing = [decimal(slices.row_spacing), decimal(slices.column_spacing)]
    orientation = [decimal(v) for v in (*slices.right, *slices.down)]
    return _item(
        PixelMeasuresSequence=[_item(PixelSpacing=spacing, SliceThickness=decimal(slices.thickness))],
        PlaneOrientationSequence=[_item(ImageOrientationPatient=orientation)],
        PixelValueTransformationSequence=[
            _item(RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU")
        ],
        FrameVOILUTSequence=[_windows()],
        FrameAnatomySequence=[_anatomy()],
        CTImageFrameTypeSequence=[_frame_type()],
    )


def _windows() -> Dataset:
    return _item(
        WindowCenter=[str(centre) for _, centre, _ in CT_WINDOWS],
        WindowWidth=[str(width) for _, _, width in CT_WINDOWS],
        WindowCenterWidthExplanation=[name for name, _, _ in CT_WINDOWS],
    )


def _anatomy() -> Dataset:
    region = _item(CodeValue="51185008", CodingSchemeDesignator="SCT", CodeMeaning="Thorax")
    return _item(AnatomicRegionSequence=[region], FrameLaterality="U")


def _frame_type() -> Dataset:
    return _item(
        FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )


def _frame(slices: SliceStack, index: int) -> Dataset:
    content = _item(
        StackID="1",
        InStackPositionNumber=index + 1,
        DimensionIndexValues=[1, index + 1],
        FrameAcquisitionNumber=1,
    )
    position = _item(ImagePositionPatient=[decimal(v) for v in slices.origins[index]])
    return _item(FrameContentSequence=[content], PlanePositionSequence=[position])


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(
            item,
            keyword,
            Sequence(value) if keyword.endswith("Sequence") and isinstance(value, list) else value,
        )
    return item
