"""Strokes and key images as DICOM objects: SR TID 1500, presentation states, key object selections.

``objects``   `annotation_objects(strokes, images, ...)`: what a study's strokes become; imports highdicom.
``shapes``    a kind of stroke as the shapes DICOM knows.
``coding``    our quantities and kinds as codes, and back.
"""
