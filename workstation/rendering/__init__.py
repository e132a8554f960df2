"""Pictures as arrays: a view is a function of (view state, volume, size). No Qt.

How a cell uses it::

    from workstation.rendering.render import render
    picture = render(state, volume, width, height, corner=facts)   # any thread; state is session.view_state.ViewState
    picture.pixels          # uint8 (height, width) grey or (height, width, 3) RGB, C-contiguous, row 0 on top
    picture.display_list    # DisplayList: letters, scale bar, corner texts in viewport pixels, to paint over it
    picture.frame           # ViewFrame: frame.patient(x, y) -> mm; frame.viewport(point) -> (x, y, distance mm)
    picture.sha256          # of shape and pixels;  picture.png() -> bytes

    from workstation.rendering.overlays import Corner, crosshair_list, reference_line
    from workstation.rendering.strokes import measurement_list
    measurement_list(picture.frame, measurements, selected="uid", prior=False)      # DisplayList
    crosshair_list(picture.frame, point)

``display_list``   frozen items `Line Polyline Ellipse Text Handle`, each with `role` (current, prior, selected, overlay,
                   quiet, warning) and, to be painted under it, a dark halo; units are viewport pixels.
``render``         `render` chooses `stack_view.render_stack`, `mpr_view.render_reformat` or `mip_view.render_slab`.
``stack_view``     acquired images with window, zoom, pan, quarter turns and flips.
``mpr_view``       axial, coronal, sagittal, oblique planes; `plane_axes(state, volume)`, `scrolled(state, volume, steps)`.
``mip_view``       thick slabs (MIP, MinIP, mean).
``thumbnails``     `thumbnail(volume, edge) -> Picture`.
``overlays``       `Corner` facts -> texts in their places, letters from the vectors, scale bar only when trusted.
``picture``        `Picture`, `png_bytes`.
``engines``        one `Engine` Protocol: `kernel` (compiled), `vtk` (fallback), `reference` (float64 NumPy);
                   `choose() -> Engine`; `Engine.name` is told by doctor and the about page.
"""
