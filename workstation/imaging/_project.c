/* Maximum intensity projections of whole volumes, without the GIL. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define KERNEL_BODY "_project_rows.h"
#include "_kernels_isa.h"
#include "_kernels_python.h"

typedef void (*Summits)(const Grid *, int, int, int, int, uint16_t *);
typedef void (*ProjectRows)(const Grid *, const Bricks *, const Projection *, int, int, void *);

static const Summits summits_of[][3] = { EVERY_PROCESSOR(summits) };
static const ProjectRows project_rows[][3] = { EVERY_PROCESSOR(project_rows) };
static const float biases[3] = {0.0f, 32768.0f, 0.0f};

static int bricks(int n, int edge) { return (n + edge - 1) / edge; }

static int read_grid(PyObject *pixels, Buffers *b, Grid *g)
{
    int type;
    if (PyObject_GetBuffer(pixels, &b->pixels, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return -1;
    if ((type = stored_type(&b->pixels)) < 0) return -1;
    if (b->pixels.ndim != 3) {
        PyErr_SetString(PyExc_ValueError, "pixels need three dimensions");
        return -1;
    }
    if (!dimensions_hold(b)) return -1;
    memset(g, 0, sizeof *g);
    g->pixels = b->pixels.buf;
    g->nz = (int)b->pixels.shape[0];
    g->ny = (int)b->pixels.shape[1];
    g->nx = (int)b->pixels.shape[2];
    return type;
}

PyDoc_STRVAR(summits_doc,
"summits(pixels, out, z0, z1)\n\n"
"The largest value of each brick of 8 voxels, those shared with the next brick included, into slices z0..z1 of out,\n"
"uint16 (slices, rows, columns of bricks, rounded up), as value + 32768 (uint16 pixels: the value).");

static PyObject *summits(PyObject *self, PyObject *args)
{
    PyObject *pixels, *out;
    Buffers b = {{0}};
    Grid g;
    int z0, z1, type;
    Py_ssize_t need;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOii", &pixels, &out, &z0, &z1)) return NULL;
    if ((type = read_grid(pixels, &b, &g)) < 0) goto fail;
    if (PyObject_GetBuffer(out, &b.out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) goto fail;
    need = (Py_ssize_t)2 * bricks(g.nx, FINE) * bricks(g.ny, FINE) * bricks(g.nz, FINE);
    if (b.out.len != need || z0 < 0 || z1 < z0 || z1 > bricks(g.nz, FINE)) {
        PyErr_SetString(PyExc_ValueError, "the bricks do not fit the volume");
        goto fail;
    }
    Py_BEGIN_ALLOW_THREADS
    summits_of[chosen][type](&g, z0, z1, bricks(g.nx, FINE), bricks(g.ny, FINE), (uint16_t *)b.out.buf);
    Py_END_ALLOW_THREADS
    let_go(&b);
    Py_RETURN_NONE;
fail:
    let_go(&b);
    return NULL;
}

PyDoc_STRVAR(project_doc,
"project(pixels, out, width, row0, row1, origin, across, down, through, planes, fine, coarse, lowest, highest, outside,\n"
"    lut)\n\n"
"Rows row0..row1 of the MIP of all planes, trilinear, as _kernels.cut would make it. width has to be a multiple of 8.\n"
"fine are the summits, coarse the maxima of 4 x 4 x 4 of them, both uint16. Below lowest and above highest (stored\n"
"values) samples may be taken for just that.");

static PyObject *project(PyObject *self, PyObject *args)
{
    PyObject *pixels, *out, *fine, *coarse, *lut;
    Buffers b = {{0}};
    Bricks k;
    Projection c;
    Grid g;
    int row0, row1, type;
    double lowest, highest;
    const void *memory;
    Py_ssize_t size;
    (void)self;
    memset(&c, 0, sizeof c);
    if (!PyArg_ParseTuple(args, "OOiii(ddd)(ddd)(ddd)(ddd)iOOddiO", &pixels, &out, &c.cut.width, &row0, &row1,
                          &c.cut.origin[0], &c.cut.origin[1], &c.cut.origin[2], &c.cut.across[0], &c.cut.across[1],
                          &c.cut.across[2], &c.cut.down[0], &c.cut.down[1], &c.cut.down[2], &c.cut.through[0],
                          &c.cut.through[1], &c.cut.through[2], &c.cut.planes, &fine, &coarse, &lowest, &highest,
                          &c.cut.outside, &lut))
        return NULL;
    if ((type = read_grid(pixels, &b, &g)) < 0) goto fail;
    if (PyObject_GetBuffer(out, &b.out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) goto fail;
    if (optional(lut, &b.lut, 65536, "lut", &memory) < 0) goto fail;
    c.cut.lut = (const uint8_t *)memory;
    if (!sizes_hold(&b, 3, c.cut.lut ? 1 : (int)b.pixels.itemsize, c.cut.width, row0, row1, 1)) goto fail;
    if (!usable(c.cut.origin, 3) || !usable(c.cut.across, 3) || !usable(c.cut.down, 3) || !usable(c.cut.through, 3))
        goto fail;
    if (c.cut.planes < 1 || c.cut.planes > 100000 || c.cut.width % LANES || !isfinite(lowest) || !isfinite(highest)) {
        PyErr_SetString(PyExc_ValueError, "planes, width or levels out of range");
        goto fail;
    }
    k.fx = bricks(g.nx, FINE); k.fy = bricks(g.ny, FINE); k.fz = bricks(g.nz, FINE);
    k.cx = bricks(g.nx, COARSE); k.cy = bricks(g.ny, COARSE); k.cz = bricks(g.nz, COARSE);
    size = (Py_ssize_t)2 * k.fx * k.fy * k.fz;
    if (optional(fine, &b.stations, size, "fine", &memory) < 0 || !memory) goto refuse;
    k.fine = (const uint16_t *)memory;
    size = (Py_ssize_t)2 * k.cx * k.cy * k.cz;
    if (optional(coarse, &b.rows, size, "coarse", &memory) < 0 || !memory) goto refuse;
    k.coarse = (const uint16_t *)memory;
    c.lowest = (float)lowest - biases[type];
    c.highest = (float)highest - biases[type];
    Py_BEGIN_ALLOW_THREADS
    project_rows[chosen][type](&g, &k, &c, row0, row1, b.out.buf);
    Py_END_ALLOW_THREADS
    let_go(&b);
    Py_RETURN_NONE;
refuse:
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "the maxima of the bricks are needed");
fail:
    let_go(&b);
    return NULL;
}

static PyMethodDef methods[] = {
    {"summits", summits, METH_VARARGS, summits_doc},
    {"project", project, METH_VARARGS, project_doc},
    PROCESSOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_project", "Maximum intensity projections of whole volumes.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__project(void)
{
    find_processors();
    return PyModule_Create(&module);
}
