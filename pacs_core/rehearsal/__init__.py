"""Rehearsal: the house played through by its own scanner, its own RIS and pictures whose truth is known.

Pictures: ``phantoms`` (analytic, with their exact truth) · ``chest`` ``prior`` ``pet`` ``radiograph``
``brain`` (of pinned public pixels, see ``resources/demo/ATTRIBUTION.md``) · ``images`` (the sets by name) ·
``demo.demo_images`` (made once, cached).
Who and what: ``recipe`` (``resources/demo``) · ``identity`` (what a machine stamps) · ``mistakes``.
Players, each a class and a process of its own: ``ris`` · ``scanner`` · ``reader``; ``company`` starts them.
Plays: ``history`` (what was there before) · ``populate`` (the demo's day) · ``play`` and ``drills``.

Nothing here is imported by the doors or the services; ``runtime`` starts it.
"""
