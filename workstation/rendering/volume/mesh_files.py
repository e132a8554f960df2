"""Meshes as files: binary STL and binary PLY, coordinates in LPS millimetres as DICOM has them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]
Triangles = npt.NDArray[np.int32]
STL_HEAD = 80


class NoMesh(ValueError):
    """There is no surface at this value."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """`points` (n, 3) in LPS mm, `triangles` (m, 3) counter-clockwise seen from outside: the side of lower
    values.
    """

    points: Points
    triangles: Triangles

    @property
    def normals(self) -> Points:
        """Unit normals of the triangles, outwards; nought where a triangle has no area."""
        a, b, c = (self.points[self.triangles[:, n]].astype(np.float64) for n in range(3))
        n = np.cross(b - a, c - a)
        length = np.linalg.norm(n, axis=1, keepdims=True)
        unit = np.divide(n, length, out=np.zeros_like(n), where=length > 0)
        return np.asarray(unit, dtype=np.float32)

    @property
    def volume(self) -> float:
        """Cubic mm enclosed, by the divergence theorem; positive where triangles look outwards."""
        a, b, c = (self.points[self.triangles[:, n]].astype(np.float64) for n in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def file_bytes(mesh: Mesh, file_format: str, comment: str = "") -> bytes:
    """`file_format` is stl or ply; raises ValueError for another."""
    if file_format == "stl":
        return stl_bytes(mesh, comment)
    if file_format == "ply":
        return ply_bytes(mesh, comment)
    raise ValueError(f"meshes are written as stl or ply, not {file_format!r}")


def stl_bytes(mesh: Mesh, comment: str = "") -> bytes:
    """Binary STL; the head says LPS and mm (and never begins with "solid", which means text)."""
    record = np.zeros(
        len(mesh.triangles),
        dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")],
    )
    record["normal"] = mesh.normals
    record["corners"] = mesh.points[mesh.triangles]
    head = f"SPACE=LPS UNIT=mm {comment}".encode("ascii", "replace")[:STL_HEAD].ljust(STL_HEAD)
    return head + struct.pack("<I", len(record)) + record.tobytes()


def ply_bytes(mesh: Mesh, comment: str = "") -> bytes:
    """Binary little-endian PLY."""
    note = comment.encode("ascii", "replace").decode().replace("\n", " ")
    head = (
        "ply\nformat binary_little_endian 1.0\ncomment SPACE=LPS UNIT=mm\n"
        + (f"comment {note}\n" if note else "")
        + f"element vertex {len(mesh.points)}\nproperty float x\nproperty float y\nproperty float z\n"
        + f"element face {len(mesh.triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.zeros(len(mesh.triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    faces["count"] = 3
    faces["corners"] = mesh.triangles
    return head.encode() + mesh.points.astype("<f4").tobytes() + faces.tobytes()
