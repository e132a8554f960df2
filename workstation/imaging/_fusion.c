/* Two volumes in one picture: the upper one's colours laid over the greys of the lower, each sampled in its own grid
   on the same places of the patient, without a picture in between. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define KERNEL_BODY "_fusion_rows.h"
#include "_kernels_isa.h"
#include "_kernels_python.h"

typedef const int *(*CutPart)(const Grid *, const Cut *, int, int, int, float *, void *, int *, int *);
typedef void (*LevelPart)(const Cut *, const float *, const int *, int, int, int, int, void *);

static const CutPart cut_part[][3] = { EVERY_PROCESSOR(cut_part) };
static const LevelPart level_part[][3] = { EVERY_PROCESSOR(write_part) };

/* One of the two: its grid, its places, its stored type, its 65536 levels. */
typedef struct { Grid g; Cut c; int type; Buffers b; } Layer;

/* A row of levels; what is outside gets 0 and `inside` 0. */
static void level_row(const Layer *l, int y, int width, float *line, void *work, uint8_t *level, uint8_t *inside)
{
    int x0, x1, x;
    const int *count = cut_part[chosen][l->type](&l->g, &l->c, y, 0, width, line, work, &x0, &x1);
    level_part[chosen][l->type](&l->c, line, count, 0, width, x0, x1, level);
    if (!inside) return;
    for (x = 0; x < width; x++) inside[x] = x >= x0 && x < x1 && (!count || count[x]);
}

/* colours: 256 of red, green, blue, opacity. Rounded as (a * b + 127) / 255 for 8 bits. */
static void blend_row(const uint8_t *grey, const uint8_t *level, const uint8_t *inside, const uint16_t *over, int width,
                      uint8_t *out)
{
    int x, k;
    for (x = 0; x < width; x++, out += 3) {
        const uint16_t *c = over + 4 * level[x];
        if (!inside[x]) {
            out[0] = out[1] = out[2] = grey[x];
            continue;
        }
        for (k = 0; k < 3; k++) {
            const uint32_t sum = (uint32_t)grey[x] * c[3] + c[k] + 127u;
            out[k] = (uint8_t)((sum * 32897u) >> 23); /* divided by 255, exact below 65,790 */
        }
    }
}

static int read_layer(PyObject *given, int width, Layer *l)
{
    PyObject *pixels, *lut, *stations;
    const void *memory;
    int i;
    memset(l, 0, sizeof *l);
    l->c.width = width;
    if (!PyArg_ParseTuple(given, "O(ddd)(ddd)(ddd)(ddd)iiiOO", &pixels, &l->c.origin[0], &l->c.origin[1],
                          &l->c.origin[2], &l->c.across[0], &l->c.across[1], &l->c.across[2], &l->c.down[0],
                          &l->c.down[1], &l->c.down[2], &l->c.through[0], &l->c.through[1], &l->c.through[2],
                          &l->c.planes, &l->c.mode, &l->c.interpolation, &lut, &stations))
        return 0;
    if (PyObject_GetBuffer(pixels, &l->b.pixels, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return 0;
    if ((l->type = stored_type(&l->b.pixels)) < 0) return 0;
    if (l->b.pixels.ndim != 3) {
        PyErr_SetString(PyExc_ValueError, "pixels need three dimensions");
        return 0;
    }
    if (!dimensions_hold(&l->b) || optional(lut, &l->b.lut, 65536, "lut", &memory) < 0) return 0;
    l->c.lut = (const uint8_t *)memory;
    if (!l->c.lut) {
        PyErr_SetString(PyExc_ValueError, "a layer needs its lut");
        return 0;
    }
    if (!usable(l->c.origin, 3) || !usable(l->c.across, 3) || !usable(l->c.down, 3) || !usable(l->c.through, 3)) return 0;
    if (l->c.planes < 1 || l->c.planes > 100000 || l->c.mode < 0 || l->c.mode > 2 || l->c.interpolation < 0
        || l->c.interpolation > 2) {
        PyErr_SetString(PyExc_ValueError, "planes, mode or interpolation out of range");
        return 0;
    }
    l->g.pixels = l->b.pixels.buf;
    l->g.nz = (int)l->b.pixels.shape[0];
    l->g.ny = (int)l->b.pixels.shape[1];
    l->g.nx = (int)l->b.pixels.shape[2];
    if (optional(stations, &l->b.stations, (Py_ssize_t)sizeof(double) * l->g.nz, "stations", &memory) < 0) return 0;
    l->g.stations = (const double *)memory;
    for (i = 0; l->g.stations && i < l->g.nz; i++)
        if (!isfinite(l->g.stations[i]) || (i && !(l->g.stations[i] > l->g.stations[i - 1]))) {
            PyErr_SetString(PyExc_ValueError, "stations have to ascend");
            return 0;
        }
    return 1;
}

PyDoc_STRVAR(fuse_doc,
"fuse(out, width, row0, row1, below, above, background, colours)\n\n"
"Rows row0..row1 of a fused plane or slab into out, uint8 (rows, width, 3) of just those rows. A layer is (pixels,\n"
"origin, across, down, through, planes, mode, interpolation, lut, stations) as in _kernels.cut; colours is 1024 bytes,\n"
"red, green, blue and opacity for each of the 256 levels of the upper layer, which is clear where it is outside.");

static PyObject *fuse(PyObject *self, PyObject *args)
{
    PyObject *out_object, *below_given, *above_given, *colours_given, *answer = NULL;
    Layer below, above;
    Buffers b = {{0}};
    Py_buffer colours;
    uint16_t over[1024];
    int width, row0, row1, background, i;
    char *work = NULL;
    (void)self;
    memset(&below, 0, sizeof below);
    memset(&above, 0, sizeof above);
    colours.obj = NULL;
    if (!PyArg_ParseTuple(args, "OiiiO!O!iO", &out_object, &width, &row0, &row1, &PyTuple_Type, &below_given,
                          &PyTuple_Type, &above_given, &background, &colours_given))
        return NULL;
    if (!read_layer(below_given, width, &below) || !read_layer(above_given, width, &above)) goto done;
    below.c.outside = background;
    if (PyObject_GetBuffer(out_object, &b.out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) goto done;
    b.pixels = below.b.pixels;
    i = sizes_hold(&b, 3, 1, width, row0, row1, 3);
    b.pixels.obj = NULL;
    if (!i) goto done;
    if (PyObject_GetBuffer(colours_given, &colours, PyBUF_C_CONTIGUOUS) < 0) goto done;
    if (colours.len != 1024) {
        PyErr_SetString(PyExc_ValueError, "colours has to hold 256 of red, green, blue and opacity");
        goto done;
    }
    for (i = 0; i < 256; i++) {
        const uint8_t *c = (const uint8_t *)colours.buf + 4 * i;
        int k;
        for (k = 0; k < 3; k++) over[4 * i + k] = (uint16_t)(c[k] * c[3]);
        over[4 * i + 3] = (uint16_t)(255 - c[3]);
    }
    work = PyMem_Malloc((size_t)width * 32);
    if (!work) { PyErr_NoMemory(); goto done; }
    Py_BEGIN_ALLOW_THREADS
    {
        const size_t w = (size_t)width;
        float *line = (float *)(work + 16 * w);
        uint8_t *grey = (uint8_t *)(work + 20 * w), *level = grey + w, *inside = level + w;
        int y;
        for (y = row0; y < row1; y++) {
            level_row(&below, y, width, line, work, grey, NULL);
            level_row(&above, y, width, line, work, level, inside);
            blend_row(grey, level, inside, over, width, (uint8_t *)b.out.buf + (size_t)(y - row0) * w * 3);
        }
    }
    Py_END_ALLOW_THREADS
    PyMem_Free(work);
    answer = Py_NewRef(Py_None);
done:
    if (colours.obj) PyBuffer_Release(&colours);
    let_go(&b);
    let_go(&below.b);
    let_go(&above.b);
    return answer;
}

static PyMethodDef methods[] = {
    {"fuse", fuse, METH_VARARGS, fuse_doc},
    PROCESSOR_METHODS,
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_fusion", "Two volumes in one picture.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__fusion(void)
{
    find_processors();
    return PyModule_Create(&module);
}
