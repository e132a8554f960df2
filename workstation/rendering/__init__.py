"""Pictures as arrays: a view is a function of (view state, volume, size). No Qt.

How a cell uses it::

    from workstation.rendering.render import render
    from workstation.rendering.overlays import Corner
    picture = render(state, volume, width, height, corner=Corner(series="3 T2 tra"))    # any thread
    picture.pixels        # uint8 (height, width) grey or (height, width, 3) RGB, row 0 on top
    picture.display_list  # letters, scale bar, corner texts in viewport pixels, to paint over it
    picture.frame         # ViewFrame: patient(x, y) -> mm; viewport(point) -> (x, y, mm off the plane)
    picture.status        # shown, loading, approximate (nearest loaded slice), failed; `words` says it
    picture.window        # (centre, width, label) as applied, or None (LUT, colour)
    picture.sha256, picture.png(texts)

    from workstation.rendering.strokes import measurement_list
    from workstation.rendering.overlays import crosshair_list, reference_line
    measurement_list(picture.frame, measurements, selected="uid", prior=False)      # DisplayList
    crosshair_list(picture.frame, point); reference_line(picture.frame, other.frame)

``display_list``  frozen items `Line Polyline Ellipse Text Handle` in viewport pixels, each with a `role`
                  (current, prior, selected, overlay, quiet, warning, crosshair), painted over a dark
                  halo; `DisplayList.handle_at(x, y)`.
``render``        `render` chooses `stack_view.render_stack`, `mpr_view.render_reformat` or
                  `mip_view.render_slab`; a reformat of what is no volume shows the image and says why.
``mip_view``      `whole_slab(state, volume)`: the slab through everything; `render_rotated(..., degrees,
                  moving=True)`: the whole volume's MIP turned about the long axis.
``fusion_view``   `render_fused(state, below, Overlay(above, window, colours, opacity, into), w, h)`: RGB.
``change_view``   `change(state, current, prior, into, w, h)`: current less prior, in its unit.
``curved_view``   `render_curved(state, volume, centreline(points, step), across_mm, curving=...)`.
``thumbnails``    `thumbnail(volume, edge=112, index=None) -> Picture`.
``overlays``      `Corner`, texts in their places, letters from the vectors, scale bar only when trusted.
``engines``       one `Engine` Protocol: `kernel` (compiled), `vtk` (fallback), `reference` (NumPy);
                  `choose()`, `engine_words()` for doctor and the about page.
"""
