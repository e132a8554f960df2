"""The pointer tools by name: title, key, icon, and how the hand uses each (keys as reading-room.md §4.1)."""

from __future__ import annotations

TOOLS = (
    (
        "window_level",
        "Window and level",
        "W",
        "contrast-circle",
        "Drag: right widens, down darkens. Right drag does it with any tool",
    ),
    ("scroll", "Scroll", "S", "layers-outline", "Drag up and down through the images"),
    ("zoom", "Zoom", "Z", "magnify-plus-outline", "Drag to zoom. Ctrl and the wheel do it with any tool"),
    ("pan", "Pan", "P", "pan", "Drag the picture. The middle button does it with any tool"),
    (
        "crosshair",
        "Crosshair",
        "X",
        "crosshairs",
        "Point: every linked view goes there. Shift and moving does it with any tool",
    ),
    ("length", "Length", "D", "ruler", "Two clicks or a drag"),
    ("path", "Polyline", "J", "vector-polyline", "A click at each corner; a double click ends it"),
    (
        "bidirectional",
        "Long and short axis",
        "B",
        "arrow-all",
        "Drag along the longest diameter, then along the one across it",
    ),
    ("angle", "Angle", "A", "angle-acute", "Three clicks"),
    ("open_angle", "Open angle", "Shift+A", "angle-obtuse", "Drag along one line, then along the other"),
    (
        "cobb_angle",
        "Cobb angle",
        "C",
        "human-handsdown",
        "Drag along the upper end plate, then along the lower",
    ),
    (
        "ellipse_roi",
        "Ellipse region",
        "E",
        "vector-ellipse",
        "Drag an ellipse: area, mean, deviation, extremes",
    ),
    ("rectangle_roi", "Rectangle region", "Shift+E", "vector-rectangle", "Drag a rectangle"),
    (
        "polygon_roi",
        "Polygon region",
        "Shift+O",
        "vector-polygon",
        "A click at each corner; a click at the first one or a double click closes it",
    ),
    ("freehand_roi", "Freehand region", "O", "draw", "Draw around it"),
    ("probe", "Probe", "U", "eyedropper", "One click: the value there"),
    (
        "cardiothoracic_ratio",
        "Cardiothoracic ratio",
        "Shift+C",
        "heart-pulse",
        "Drag across the heart, then across the thorax",
    ),
    (
        "calibration",
        "Calibration",
        "Shift+U",
        "tape-measure",
        "Drag along something of known length, then its millimetres",
    ),
    ("arrow", "Arrow", "Q", "arrow-top-left", "Drag from what it points to; then its words, if any"),
    ("text", "Text", "N", "format-text-variant-outline", "A click, then the words"),
)
