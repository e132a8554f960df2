"""Rehearsal: the house played through by its own scanner, its own RIS and pictures whose truth is known.

``phantoms``  analytic pictures with their exact truth · ``demo`` recipe → studies · ``scanner`` a modality
that asks the worklist and sends images · ``ris`` a RIS that sends ADT and ORM and answers results.
Nothing here is imported by the doors or the services; ``runtime`` starts it.
"""
