"""The compiled parts, one per house; both optional: without a compiler everything works, only slower."""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = {
    "workstation.imaging._kernels": "workstation/imaging/_kernels.c",
    "workstation.rendering._raycast": "workstation/rendering/_raycast.c",
    "pacs_core.dicom._scan": "pacs_core/dicom/_scan.c",
}
FLAGS = {
    "msvc": ["/O2", "/fp:precise"],
    "unix": ["-O3", "-std=c11", "-fno-math-errno", "-fno-trapping-math"],
}


class BuildForCompiler(build_ext):
    """Chooses the flags once the compiler is known."""

    def build_extensions(self) -> None:
        kind = "msvc" if self.compiler.compiler_type == "msvc" else "unix"
        for extension in self.extensions:
            extension.extra_compile_args = FLAGS[kind]
        super().build_extensions()


def extensions() -> list[Extension]:
    """The extensions whose source is in this tree."""
    here = Path(__file__).resolve().parent
    found = []
    for name, source in SOURCES.items():
        if (here / source).is_file():
            headers = [str(h.relative_to(here)) for h in sorted((here / source).parent.glob("*.h"))]
            libraries = [] if sys.platform == "win32" else ["m"]
            found.append(Extension(name, [source], depends=headers, libraries=libraries, optional=True))
    return found


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildForCompiler})
