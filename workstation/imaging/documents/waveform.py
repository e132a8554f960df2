"""Waveforms in their units: ECG, pressures, sound (PS3.3 C.10.9)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workstation.imaging.documents.model import Block, Channel, Curves, Text
from workstation.imaging.documents.reading import items, meaning, number, text, unit, value

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TYPES = {"SB": "i1", "UB": "u1", "SS": "<i2", "US": "<u2", "SL": "<i4", "UL": "<u4", "SV": "<i8", "UV": "<u8"}
LAW = ("MB", "AB")
BELIEVED_HZ = (0.01, 10e6)
"""Sampling frequencies a curve may have: far below a respiration, far above ultrasound."""


def waveform(data: Dataset) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """The groups of channels, the machine's and reader's words, and what cannot be shown."""
    blocks: list[Block] = []
    warnings: list[str] = []
    for place, group in enumerate(items(data, "WaveformSequence"), 1):
        try:
            curves = _group(group)
            blocks.append(curves)
            if not BELIEVED_HZ[0] <= curves.rate <= BELIEVED_HZ[1]:
                warnings.append(
                    f"Group {place} says that it was sampled at {curves.rate:g} Hz: "
                    "its seconds cannot be believed."
                )
        except (ValueError, TypeError, KeyError) as found:
            warnings.append(f"Group {place} cannot be shown: {found}.")
    said = dict.fromkeys(
        words for item in items(data, "WaveformAnnotationSequence") if (words := _annotation(item))
    )
    if said:
        blocks.append(Text("\n".join(said), "Annotations"))
    if not items(data, "WaveformSequence"):
        warnings.append("There is no waveform in it.")
    return tuple(blocks), tuple(warnings)


def _annotation(item: Dataset) -> str:
    name = meaning(item, "ConceptNameCodeSequence")
    said = text(item, "UnformattedTextValue") or meaning(item, "ConceptCodeSequence")
    measured = f"{text(item, 'NumericValue')} {unit(item)}".strip()
    return ": ".join(part for part in (name, said or measured) if part)


def _group(group: Dataset) -> Curves:
    count, samples = (
        int(number(group, "NumberOfWaveformChannels") or 0),
        int(number(group, "NumberOfWaveformSamples") or 0),
    )
    rate = number(group, "SamplingFrequency") or 0.0
    if count < 1 or samples < 1 or not (rate > 0 and math.isfinite(rate) and math.isfinite(samples / rate)):
        raise ValueError(f"{count} channels of {samples} samples at {rate:g} Hz are none")
    stored = _stored(group, count, samples)
    defined = items(group, "ChannelDefinitionSequence")
    channels = tuple(
        _channel(defined[k] if k < len(defined) else None, stored[:, k], _padding(group), k)
        for k in range(count)
    )
    title = text(group, "MultiplexGroupLabel")
    return Curves(channels, rate, (number(group, "MultiplexGroupTimeOffset") or 0.0) / 1000.0, title)


def _stored(group: Dataset, count: int, samples: int) -> npt.NDArray[np.float64]:
    """(samples, channels) as stored, before sensitivity; short data ends early."""
    kind = text(group, "WaveformSampleInterpretation")
    raw = value(group, "WaveformData") or b""
    if kind in LAW:
        raise ValueError("sound in 8-bit μ-law or A-law is not read")
    if kind not in TYPES:
        raise ValueError(f"samples of kind {kind or 'unknown'} are not read")
    step = np.dtype(TYPES[kind])
    whole = min(samples, len(raw) // (step.itemsize * count))
    if whole == 0:
        raise ValueError("its data is missing")
    return np.frombuffer(raw, step, whole * count).reshape(whole, count).astype(np.float64)


def _padding(group: Dataset) -> float | None:
    found = value(group, "WaveformPaddingValue")
    if isinstance(found, bytes) and len(found) >= 2:
        return float(
            int.from_bytes(found[:2], "little", signed=text(group, "WaveformSampleInterpretation") == "SS")
        )
    return number(group, "WaveformPaddingValue")


def _channel(
    item: Dataset | None, stored: npt.NDArray[np.float64], padding: float | None, place: int
) -> Channel:
    samples = np.where(stored == padding, np.nan, stored) if padding is not None else stored
    if item is None:
        return Channel(f"Channel {place + 1}", "", samples)
    name = meaning(item, "ChannelSourceSequence") or text(item, "ChannelLabel") or f"Channel {place + 1}"
    sensitivity = number(item, "ChannelSensitivity")
    if sensitivity is None:
        return Channel(name, "", samples)
    factor = sensitivity * (number(item, "ChannelSensitivityCorrectionFactor") or 1.0)
    offset = number(item, "ChannelBaseline") or 0.0
    return Channel(name, unit(item, "ChannelSensitivityUnitsSequence"), samples * factor + offset)
