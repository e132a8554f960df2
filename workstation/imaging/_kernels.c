/* Cuts through volumes and images to the viewport, without the GIL; rows are independent, so bands may run in a pool.

   Compiled for the plain processor and, on x86-64 with GCC or Clang, for x86-64-v2, v3 and v4 (AVX-512) as well; the
   module takes the best one the machine has (PS3.3 C.7.6.2 gives the geometry; all arrives here in index space). */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define KERNEL_BODY "_kernels_rows.h"
#include "_kernels_isa.h"
#include "_kernels_python.h"

typedef void (*CutRows)(const Grid *, const Cut *, int, int, void *, void *);
typedef void (*FlatRows)(const Flat *, int, int, uint8_t *, float *);

static const CutRows cut_rows[][3] = { EVERY_PROCESSOR(cut_rows) };
static const FlatRows flat_rows[][3] = { EVERY_PROCESSOR(flat_rows) };

PyDoc_STRVAR(cut_doc,
"cut(pixels, out, width, row0, row1, origin, across, down, through, planes, mode, interpolation, outside, lut, stations,\n"
"    rows)\n\n"
"Rows row0..row1 of a plane or slab through pixels (slices, rows, columns) into out, which holds just those rows:\n"
"stored values, or greys where lut (65536 bytes) is given. Vectors are (column, row, slice) in voxels.\n"
"mode 0 MIP 1 MinIP 2 mean; interpolation 0 nearest 1 linear 2 cubic; stations: float64 per slice, or None.\n"
"rows: None, or nine float64 a row of the whole picture (origin, across, through) in place of the vectors.");

static PyObject *cut(PyObject *self, PyObject *args)
{
    PyObject *pixels, *out, *lut, *stations, *rows;
    Buffers b = {{0}};
    Grid g;
    Cut c;
    int row0, row1, type, i;
    const void *memory;
    void *work = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOiii(ddd)(ddd)(ddd)(ddd)iiiiOOO", &pixels, &out, &c.width, &row0, &row1,
                          &c.origin[0], &c.origin[1], &c.origin[2], &c.across[0], &c.across[1], &c.across[2],
                          &c.down[0], &c.down[1], &c.down[2], &c.through[0], &c.through[1], &c.through[2],
                          &c.planes, &c.mode, &c.interpolation, &c.outside, &lut, &stations, &rows))
        return NULL;
    if (PyObject_GetBuffer(pixels, &b.pixels, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) goto fail;
    if (PyObject_GetBuffer(out, &b.out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) goto fail;
    if ((type = stored_type(&b.pixels)) < 0) goto fail;
    if (optional(lut, &b.lut, 65536, "lut", &memory) < 0) goto fail;
    c.lut = (const uint8_t *)memory;
    if (!sizes_hold(&b, 3, c.lut ? 1 : (int)b.pixels.itemsize, c.width, row0, row1, 1) || !dimensions_hold(&b)) goto fail;
    if (!usable(c.origin, 3) || !usable(c.across, 3) || !usable(c.down, 3) || !usable(c.through, 3)) goto fail;
    if (c.planes < 1 || c.planes > 100000 || c.mode < 0 || c.mode > 2 || c.interpolation < 0 || c.interpolation > 2) {
        PyErr_SetString(PyExc_ValueError, "planes, mode or interpolation out of range");
        goto fail;
    }
    g.pixels = b.pixels.buf;
    g.nz = (int)b.pixels.shape[0];
    g.ny = (int)b.pixels.shape[1];
    g.nx = (int)b.pixels.shape[2];
    if (optional(stations, &b.stations, (Py_ssize_t)sizeof(double) * g.nz, "stations", &memory) < 0) goto fail;
    g.stations = (const double *)memory;
    for (i = 0; g.stations && i < g.nz; i++)
        if (!isfinite(g.stations[i]) || (i && !(g.stations[i] > g.stations[i - 1]))) {
            PyErr_SetString(PyExc_ValueError, "stations have to ascend");
            goto fail;
        }
    if (optional(rows, &b.rows, -1, "rows", &memory) < 0) goto fail;
    c.rows = (const double *)memory;
    if (c.rows && (b.rows.len % 72 || b.rows.len / 72 < row1)) {
        PyErr_SetString(PyExc_ValueError, "rows has to hold nine float64 for every row of the picture");
        goto fail;
    }
    if (c.rows && !usable(c.rows + 9 * (Py_ssize_t)row0, 9 * (row1 - row0))) goto fail;
    work = PyMem_Malloc((size_t)c.width * (2 * sizeof(double) + sizeof(float) + sizeof(int)));
    if (!work) { PyErr_NoMemory(); goto fail; }
    Py_BEGIN_ALLOW_THREADS
    cut_rows[chosen][type](&g, &c, row0, row1, b.out.buf, work);
    Py_END_ALLOW_THREADS
    PyMem_Free(work);
    let_go(&b);
    Py_RETURN_NONE;
fail:
    let_go(&b);
    return NULL;
}

PyDoc_STRVAR(flat_doc,
"flat(pixels, out, width, row0, row1, origin, across, down, samples, interpolation, background, lut)\n\n"
"Rows row0..row1 of the viewport from one image: pixels (rows, columns) with lut (65536 bytes), or uint8\n"
"(rows, columns, 3) without. Vectors are (column, row) in pixels; samples > 1 takes the mean of so many squared.");

static PyObject *flat(PyObject *self, PyObject *args)
{
    PyObject *pixels, *out, *lut;
    Buffers b = {{0}};
    Flat f;
    int row0, row1, type;
    const void *memory;
    float *line;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOiii(dd)(dd)(dd)iiiO", &pixels, &out, &f.width, &row0, &row1, &f.origin[0],
                          &f.origin[1], &f.across[0], &f.across[1], &f.down[0], &f.down[1], &f.samples,
                          &f.interpolation, &f.background, &lut))
        return NULL;
    if (PyObject_GetBuffer(pixels, &b.pixels, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) goto fail;
    if (PyObject_GetBuffer(out, &b.out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) goto fail;
    if ((type = stored_type(&b.pixels)) < 0) goto fail;
    if (optional(lut, &b.lut, 65536, "lut", &memory) < 0) goto fail;
    f.lut = (const uint8_t *)memory;
    if (!f.lut && type != 2) {
        PyErr_SetString(PyExc_ValueError, "16-bit pixels need a lut");
        goto fail;
    }
    f.channels = b.pixels.ndim == 3 ? 3 : 1;
    if (b.pixels.ndim == 3 && b.pixels.shape[2] != 3) {
        PyErr_SetString(PyExc_ValueError, "colour pixels need three channels");
        goto fail;
    }
    if (!sizes_hold(&b, b.pixels.ndim == 3 ? 3 : 2, 1, f.width, row0, row1, f.channels) || !dimensions_hold(&b)) goto fail;
    if (!usable(f.origin, 2) || !usable(f.across, 2) || !usable(f.down, 2)) goto fail;
    if (f.samples < 1 || f.samples > 64 || f.interpolation < 0 || f.interpolation > 2) {
        PyErr_SetString(PyExc_ValueError, "samples or interpolation out of range");
        goto fail;
    }
    f.pixels = b.pixels.buf;
    f.ny = (int)b.pixels.shape[0];
    f.nx = (int)b.pixels.shape[1];
    line = (float *)PyMem_Malloc(((size_t)f.width * 3 + (size_t)f.nx + 8) * sizeof(float));
    if (!line) { PyErr_NoMemory(); goto fail; }
    Py_BEGIN_ALLOW_THREADS
    flat_rows[chosen][type](&f, row0, row1, (uint8_t *)b.out.buf, line);
    Py_END_ALLOW_THREADS
    PyMem_Free(line);
    let_go(&b);
    Py_RETURN_NONE;
fail:
    let_go(&b);
    return NULL;
}

static PyMethodDef methods[] = {
    {"cut", cut, METH_VARARGS, cut_doc},
    {"flat", flat, METH_VARARGS, flat_doc},
    PROCESSOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_kernels", "Cuts through volumes and images to the viewport.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    find_processors();
    return PyModule_Create(&module);
}
