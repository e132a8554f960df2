"""The compiled parts, all optional: without a compiler everything works, only slower."""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HOUSES = ("pacs_core", "workstation")
FLAGS = {
    "msvc": ["/O2", "/fp:precise"],
    # no module uses every one of the loops that are compiled for each type and instruction set
    "unix": ["-O3", "-std=c11", "-fno-math-errno", "-fno-trapping-math", "-Wno-unused-function"],
}


class BuildForCompiler(build_ext):
    """Chooses the flags once the compiler is known."""

    def build_extensions(self) -> None:
        kind = "msvc" if self.compiler.compiler_type == "msvc" else "unix"
        for extension in self.extensions:
            extension.extra_compile_args = FLAGS[kind]
        super().build_extensions()


def extensions() -> list[Extension]:
    """Every `_*.c` of this tree as a module of its own beside it."""
    here = Path(__file__).resolve().parent
    libraries = [] if sys.platform == "win32" else ["m"]
    found = []
    for source in sorted(path for house in HOUSES for path in (here / house).rglob("_*.c")):
        place = source.relative_to(here)
        headers = [str(h.relative_to(here)) for h in sorted(source.parent.glob("*.h"))]
        name = ".".join(place.with_suffix("").parts)
        found.append(Extension(name, [place.as_posix()], depends=headers, libraries=libraries, optional=True))
    return found


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildForCompiler})
