"""The compiled kernels are built and loaded; where CI=true their absence is a failure."""

import importlib

import pytest

from tests.machine import CHECKOUT, missing, tracked

SOURCES = [path.relative_to(CHECKOUT) for path in tracked("pacs_core/**/_*.c", "workstation/**/_*.c")]


def test_there_are_kernels():
    assert {"_scan.c", "_kernels.c", "_fusion.c", "_project.c"} <= {path.name for path in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_kernel_is_built_and_loads(source):
    name = ".".join(source.with_suffix("").parts)
    if not list((CHECKOUT / source.parent).glob(source.stem + ".*.so")) + list(
        (CHECKOUT / source.parent).glob(source.stem + ".*.pyd")
    ):
        missing(f"{name} is not compiled")
    assert importlib.import_module(name).__spec__.origin.endswith((".so", ".pyd"))
