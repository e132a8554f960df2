/* Rays through a volume, without the GIL: colour and opacity front to back, MIP and MinIP.

   Empty space is leapt over block by block (the lowest and highest value of each block against the transfer function,
   and the Chebyshev distance to the next block that shows anything); a ray ends when less than half a grey can still
   come. Geometry arrives in index space, so sheared, left-handed and anisotropic volumes are cast as they are.
   Compiled for any processor and, on x86-64 with GCC or Clang, eight rays at a time for x86-64-v3. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "_raycast_types.h"
#include "_raycast_plain.h"

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#include <immintrin.h>
#include "_raycast_avx2.h"
#define WITH_V3 1
#else
#define WITH_V3 0
#endif

typedef int (*CastRows)(const Field *, const Cast *, int, int, uint8_t *);

static const struct { const char *name; CastRows rows; } variants[] = {
    { "plain", cast_rows_plain },
#if WITH_V3
    { "x86-64-v3", cast_rows_v3 },
#endif
};
static int variant_count = 1, chosen = 0;

static void find_variants(void)
{
#if WITH_V3
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) variant_count = 2;
#endif
    chosen = variant_count - 1;
}

/* ---- buffers ---- */

typedef struct { Py_buffer of[12]; int used; } Buffers;

static void let_go(Buffers *b)
{
    while (b->used) PyBuffer_Release(&b->of[--b->used]);
}

/* Memory of an object of `bytes` bytes (any number where negative), or NULL with an exception. */
static void *memory(Buffers *b, PyObject *given, Py_ssize_t bytes, int writable, const char *what)
{
    Py_buffer *one = &b->of[b->used];
    if (PyObject_GetBuffer(given, one, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) < 0) return NULL;
    b->used++;
    if (bytes >= 0 && one->len != bytes) {
        PyErr_Format(PyExc_ValueError, "%s has %zd bytes, needs %zd", what, one->len, bytes);
        return NULL;
    }
    return one->buf;
}

/* The same, and NULL without an exception for None: look at `fine`. */
static void *perhaps(Buffers *b, PyObject *given, Py_ssize_t bytes, const char *what, int *fine)
{
    void *found;
    if (given == Py_None) return NULL;
    found = memory(b, given, bytes, 0, what);
    if (!found) *fine = 0;
    return found;
}

/* The voxels (slices, rows, columns) of int16, two at least each way, fewer than 2**31 in all; 0 with an exception. */
static int take_volume(Buffers *b, PyObject *given, Field *f)
{
    const Py_buffer *one;
    const char *format;
    memset(f, 0, sizeof *f);
    f->v = (const int16_t *)memory(b, given, -1, 0, "volume");
    if (!f->v) return 0;
    one = &b->of[b->used - 1];
    format = one->format ? one->format : "B";
    if (*format == '<' || *format == '=' || *format == '@') format++;
    if (strcmp(format, "h") || one->itemsize != 2 || one->ndim != 3) {
        PyErr_SetString(PyExc_TypeError, "a volume has to be int16 of three dimensions");
        return 0;
    }
    if (one->shape[0] < 2 || one->shape[1] < 2 || one->shape[2] < 2 || one->shape[0] > 32767 || one->shape[1] > 32767
        || one->shape[2] > 32767 || one->len / 2 >= 2147483647) {
        PyErr_SetString(PyExc_ValueError, "a volume needs two voxels at least each way, and fewer than 2**31 in all");
        return 0;
    }
    f->nz = (int)one->shape[0];
    f->ny = (int)one->shape[1];
    f->nx = (int)one->shape[2];
    f->bz = (f->nz - 2) / BLOCK + 1;
    f->by = (f->ny - 2) / BLOCK + 1;
    f->bx = (f->nx - 2) / BLOCK + 1;
    return 1;
}

static Py_ssize_t block_count(const Field *f)
{
    return (Py_ssize_t)f->bx * f->by * f->bz;
}

static int finite_all(const double *v, int n)
{
    int i;
    for (i = 0; i < n; i++)
        if (!isfinite(v[i]) || fabs(v[i]) > 1e9) {
            PyErr_SetString(PyExc_ValueError, "a number is not finite, or absurd");
            return 0;
        }
    return 1;
}

/* ---- what each block holds ---- */

static void block_range(const Field *f, int x, int y, int z, int16_t *out)
{
    const int x0 = x * BLOCK, x1 = x0 + BLOCK < f->nx - 1 ? x0 + BLOCK : f->nx - 1;
    const int y0 = y * BLOCK, y1 = y0 + BLOCK < f->ny - 1 ? y0 + BLOCK : f->ny - 1;
    const int z0 = z * BLOCK, z1 = z0 + BLOCK < f->nz - 1 ? z0 + BLOCK : f->nz - 1;
    int16_t low = INT16_MAX, high = INT16_MIN;
    int i, j, k;
    for (k = z0; k <= z1; k++)
        for (j = y0; j <= y1; j++) {
            const int16_t *v = f->v + ((ptrdiff_t)k * f->ny + j) * f->nx;
            for (i = x0; i <= x1; i++) {
                low = v[i] < low ? v[i] : low;
                high = v[i] > high ? v[i] : high;
            }
        }
    out[0] = low;
    out[1] = high;
}

PyDoc_STRVAR(block_shape_doc, "block_shape(volume) -> (slices, rows, columns) of its blocks");

static PyObject *block_shape(PyObject *self, PyObject *args)
{
    PyObject *volume;
    Buffers b = {0};
    Field f;
    (void)self;
    if (!PyArg_ParseTuple(args, "O", &volume) || !take_volume(&b, volume, &f)) {
        let_go(&b);
        return NULL;
    }
    let_go(&b);
    return Py_BuildValue("(iii)", f.bz, f.by, f.bx);
}

PyDoc_STRVAR(ranges_doc,
"ranges(volume, out, first, last)\n\nLowest and highest value of the blocks of layers first..last into out,\n"
"int16 (layers, rows, columns, 2) of all blocks; a block takes in the first voxels of the next.");

static PyObject *ranges(PyObject *self, PyObject *args)
{
    PyObject *volume, *out;
    Buffers b = {0};
    Field f;
    int16_t *to;
    int first, last, x, y, z;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOii", &volume, &out, &first, &last) || !take_volume(&b, volume, &f)) goto fail;
    if (!(to = (int16_t *)memory(&b, out, block_count(&f) * 4, 1, "ranges"))) goto fail;
    if (first < 0 || last > f.bz || first > last) {
        PyErr_SetString(PyExc_ValueError, "there are no such layers of blocks");
        goto fail;
    }
    Py_BEGIN_ALLOW_THREADS
    for (z = first; z < last; z++)
        for (y = 0; y < f.by; y++)
            for (x = 0; x < f.bx; x++) block_range(&f, x, y, z, to + 2 * (((ptrdiff_t)z * f.by + y) * f.bx + x));
    Py_END_ALLOW_THREADS
    let_go(&b);
    Py_RETURN_NONE;
fail:
    let_go(&b);
    return NULL;
}

static int block_has_visible(const Field *f, int x, int y, int z)
{
    const int x0 = x * BLOCK, x1 = x0 + BLOCK < f->nx - 1 ? x0 + BLOCK : f->nx - 1;
    const int y0 = y * BLOCK, y1 = y0 + BLOCK < f->ny - 1 ? y0 + BLOCK : f->ny - 1;
    const int z0 = z * BLOCK, z1 = z0 + BLOCK < f->nz - 1 ? z0 + BLOCK : f->nz - 1;
    int i, j, k;
    for (k = z0; k <= z1; k++)
        for (j = y0; j <= y1; j++)
            for (i = x0; i <= x1; i++)
                if (f->mask[((ptrdiff_t)k * f->ny + j) * f->nx + i]) return 1;
    return 0;
}

/* The table's place of a value as the casters round it, `slack` entries to the side of them. */
static int entry_of(double value, double scale, double bias, double slack, int entries)
{
    double e = value * scale + bias + 0.5 + slack;
    return e <= 0.0 ? 0 : e >= entries - 1 ? entries - 1 : (int)e;
}

/* Chebyshev distance in blocks to the nearest block of distance 0, in two passes over half of the neighbours each. */
static void spread(const Field *f, uint8_t *d)
{
    int pass, x, y, z, i, j, k;
    for (pass = 0; pass < 2; pass++) {
        const int s = pass ? -1 : 1;
        for (z = pass ? f->bz - 1 : 0; z >= 0 && z < f->bz; z += s)
            for (y = pass ? f->by - 1 : 0; y >= 0 && y < f->by; y += s)
                for (x = pass ? f->bx - 1 : 0; x >= 0 && x < f->bx; x += s) {
                    uint8_t *here = d + ((ptrdiff_t)z * f->by + y) * f->bx + x;
                    int least = *here;
                    for (k = -1; k <= 0 && least > 1; k++)
                        for (j = -1; j <= (k ? 1 : 0); j++)
                            for (i = -1; i <= (k || j ? 1 : -1); i++) {
                                const int zz = z + s * k, yy = y + s * j, xx = x + s * i;
                                int near_by;
                                if (zz < 0 || zz >= f->bz || yy < 0 || yy >= f->by || xx < 0 || xx >= f->bx) continue;
                                near_by = d[((ptrdiff_t)zz * f->by + yy) * f->bx + xx] + 1;
                                if (near_by < least) least = near_by;
                            }
                    *here = (uint8_t)least;
                }
    }
}

PyDoc_STRVAR(leaps_doc,
"leaps(volume, ranges, mask, alpha, scale, bias, out)\n\nFor every block how far the nearest block lies that shows\n"
"anything through alpha (float32 a table entry) and mask (uint8 like volume, or None): 0 in one, 1 beside it ...;\n"
"out has a byte a block and four more.");

static PyObject *leaps(PyObject *self, PyObject *args)
{
    PyObject *volume, *ranges_of, *mask, *alpha, *out;
    Buffers b = {0};
    Field f;
    const float *a;
    uint8_t *to;
    int32_t *before;
    double scale, bias;
    int fine = 1, entries, i, x, y, z;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOOddO", &volume, &ranges_of, &mask, &alpha, &scale, &bias, &out) || !take_volume(&b, volume, &f))
        goto fail;
    if (!(f.ranges = (const int16_t *)memory(&b, ranges_of, block_count(&f) * 4, 0, "ranges"))) goto fail;
    f.mask = (const uint8_t *)perhaps(&b, mask, (Py_ssize_t)f.nx * f.ny * f.nz, "mask", &fine);
    if (!fine || !(a = (const float *)memory(&b, alpha, -1, 0, "alpha"))) goto fail;
    entries = (int)(b.of[b.used - 1].len / 4);
    if (entries < 2 || entries > 65536 || !isfinite(scale) || !isfinite(bias)) {
        PyErr_SetString(PyExc_ValueError, "a table has 2 to 65536 entries, and a scale that is finite");
        goto fail;
    }
    if (!(to = (uint8_t *)memory(&b, out, block_count(&f) + 4, 1, "leaps"))) goto fail;
    before = (int32_t *)PyMem_Malloc(sizeof(int32_t) * ((size_t)entries + 1));
    if (!before) { PyErr_NoMemory(); goto fail; }
    Py_BEGIN_ALLOW_THREADS
    before[0] = 0;
    for (i = 0; i < entries; i++) before[i + 1] = before[i] + (a[i] > 0.0f);
    for (z = 0; z < f.bz; z++)
        for (y = 0; y < f.by; y++)
            for (x = 0; x < f.bx; x++) {
                const ptrdiff_t at = ((ptrdiff_t)z * f.by + y) * f.bx + x;
                const double one = f.ranges[2 * at + (scale < 0.0)], two = f.ranges[2 * at + (scale >= 0.0)];
                const int low = entry_of(one, scale, bias, -0.05, entries), high = entry_of(two, scale, bias, 0.05, entries);
                const int shows = before[high + 1] - before[low] > 0;
                to[at] = shows && (!f.mask || block_has_visible(&f, x, y, z)) ? 0 : 254;
            }
    spread(&f, to);
    memset(to + block_count(&f), 0, 4);
    Py_END_ALLOW_THREADS
    PyMem_Free(before);
    let_go(&b);
    Py_RETURN_NONE;
fail:
    let_go(&b);
    return NULL;
}

/* ---- the picture ---- */

static int numbers_hold(const Cast *c, int row0, int row1)
{
    int i;
    for (i = 0; i < c->planes; i++)
        if (!finite_all(c->plane[i], 4)) return 0;
    if (c->width < 1 || c->width > 16384 || row0 < 0 || row1 < row0 || row1 > 16384) {
        PyErr_SetString(PyExc_ValueError, "the rows or the width of the picture make no sense");
        return 0;
    }
    if (c->mode < 0 || c->mode > 2 || c->entries < 2 || c->entries > 65536 || !isfinite(c->scale) || !isfinite(c->bias)
        || !(c->edge_scale >= 0.0f && c->edge_scale < 1e9f) || !(c->faint >= 0.0f && c->faint < 1e9f) || isnan(c->floor) || isnan(c->ceiling)) {
        PyErr_SetString(PyExc_ValueError, "mode or tables out of range");
        return 0;
    }
    return finite_all(c->origin, 3) && finite_all(c->across, 3) && finite_all(c->down, 3) && finite_all(c->along, 3);
}

/* Planes from float64 (n, 4); 0 with an exception. */
static int take_planes(Buffers *b, PyObject *given, Cast *c)
{
    const double *found;
    Py_ssize_t n;
    int i, k;
    c->planes = 0;
    if (given == Py_None) return 1;
    if (!(found = (const double *)memory(b, given, -1, 0, "planes"))) return 0;
    n = b->of[b->used - 1].len;
    if (n % 32 || n / 32 > MOST_PLANES) {
        PyErr_Format(PyExc_ValueError, "planes are %d at most, of four float64 each", MOST_PLANES);
        return 0;
    }
    c->planes = (int)(n / 32);
    for (i = 0; i < c->planes; i++)
        for (k = 0; k < 4; k++) c->plane[i][k] = found[4 * i + k];
    return 1;
}

PyDoc_STRVAR(cast_doc,
"cast(volume, ranges, leaps, mask, out, width, row0, row1, origin, across, down, along, planes, mode, scale, bias,\n"
"     alpha, colour, edge, edge_scale, light, metric, sight, faint, floor, ceiling, newest, mine) -> bool\n\n"
"Rows row0..row1 of a picture into out, uint8 (rows, width, 3). Vectors are (column, row, slice) in voxels; `along` is\n"
"one step of the ray. alpha float32 and colour uint32 (10 bits each) have an entry a table place; edge is None or 256\n"
"float32, light None or 257 pairs. mode 0 composite 1 MIP 2 MinIP. newest: an int32 in shared memory, or None; as soon\n"
"as it is not `mine` the work stops and the answer is False.");

static PyObject *cast(PyObject *self, PyObject *args)
{
    PyObject *volume, *ranges_of, *leaps_of, *mask, *out, *planes, *alpha, *colour, *edge, *light, *newest;
    Buffers b = {0};
    Field f;
    Cast c;
    int row0, row1, fine = 1, done;
    uint8_t *to;
    (void)self;
    memset(&c, 0, sizeof c);
    if (!PyArg_ParseTuple(args, "OOOOOiii(ddd)(ddd)(ddd)(ddd)OiffOOOfO(ffffff)(fff)fffOi", &volume, &ranges_of, &leaps_of, &mask,
                          &out, &c.width, &row0, &row1, &c.origin[0], &c.origin[1], &c.origin[2], &c.across[0], &c.across[1],
                          &c.across[2], &c.down[0], &c.down[1], &c.down[2], &c.along[0], &c.along[1], &c.along[2], &planes,
                          &c.mode, &c.scale, &c.bias, &alpha, &colour, &edge, &c.edge_scale, &light, &c.metric[0], &c.metric[1],
                          &c.metric[2], &c.metric[3], &c.metric[4], &c.metric[5], &c.sight[0], &c.sight[1], &c.sight[2], &c.faint,
                          &c.floor, &c.ceiling, &newest, &c.mine))
        return NULL;
    if (!take_volume(&b, volume, &f) || !take_planes(&b, planes, &c)) goto fail;
    if (!(f.ranges = (const int16_t *)memory(&b, ranges_of, block_count(&f) * 4, 0, "ranges"))) goto fail;
    if (!(f.leaps = (const uint8_t *)memory(&b, leaps_of, block_count(&f) + 4, 0, "leaps"))) goto fail;
    f.mask = (const uint8_t *)perhaps(&b, mask, (Py_ssize_t)f.nx * f.ny * f.nz, "mask", &fine);
    if (!fine || !(c.alpha = (const float *)memory(&b, alpha, -1, 0, "alpha"))) goto fail;
    c.entries = (int)(b.of[b.used - 1].len / 4);
    if (!(c.colour = (const uint32_t *)memory(&b, colour, (Py_ssize_t)c.entries * 4, 0, "colour"))) goto fail;
    c.edge = (const float *)perhaps(&b, edge, 256 * 4, "edge", &fine);
    if (fine) c.light = (const float *)perhaps(&b, light, 257 * 8, "light", &fine);
    if (fine) c.newest = (const volatile int32_t *)perhaps(&b, newest, 4, "newest", &fine);
    if (!fine || !numbers_hold(&c, row0, row1)) goto fail;
    if (!(to = (uint8_t *)memory(&b, out, (Py_ssize_t)c.width * (row1 - row0) * 3, 1, "out"))) goto fail;
    Py_BEGIN_ALLOW_THREADS
    done = variants[chosen].rows(&f, &c, row0, row1, to);
    Py_END_ALLOW_THREADS
    let_go(&b);
    return PyBool_FromLong(done);
fail:
    let_go(&b);
    return NULL;
}

/* ---- scissors ---- */

PyDoc_STRVAR(snip_doc,
"snip(mask, shape, stencil, origin, right, down_, step, inside, first, last) -> int\n\nHide voxels of slices first..last in mask\n"
"(uint8, shape = (slices, rows, columns)) whose projection into the stencil (uint8 rows, columns) is marked (inside 1)\n"
"or is not (0). A voxel (x, y, z) falls on column origin[0] + x right[0] + y down_[0] + z step[0], row the same with [1].\n"
"Answers how many were hidden anew.");

static PyObject *snip(PyObject *self, PyObject *args)
{
    PyObject *mask, *stencil;
    Buffers b = {0};
    uint8_t *to;
    const uint8_t *marks;
    double o[2], r[2], d[2], s[2];
    int nz, ny, nx, inside, first, last, x, y, z, w, h;
    long long hidden = 0;
    (void)self;
    if (!PyArg_ParseTuple(args, "O(iii)O(dd)(dd)(dd)(dd)pii", &mask, &nz, &ny, &nx, &stencil, &o[0], &o[1], &r[0], &r[1], &d[0],
                          &d[1], &s[0], &s[1], &inside, &first, &last))
        return NULL;
    if (nz < 1 || ny < 1 || nx < 1 || nz > 32767 || ny > 32767 || nx > 32767 || first < 0 || last > nz || first > last) {
        PyErr_SetString(PyExc_ValueError, "the shape or the slices make no sense");
        return NULL;
    }
    if (!finite_all(o, 2) || !finite_all(r, 2) || !finite_all(d, 2) || !finite_all(s, 2)) return NULL;
    if (!(to = (uint8_t *)memory(&b, mask, (Py_ssize_t)nx * ny * nz, 1, "mask"))) goto fail;
    if (!(marks = (const uint8_t *)memory(&b, stencil, -1, 0, "stencil"))) goto fail;
    if (b.of[b.used - 1].ndim != 2 || b.of[b.used - 1].itemsize != 1 || b.of[b.used - 1].len < 1) {
        PyErr_SetString(PyExc_ValueError, "a stencil has rows and columns of bytes");
        goto fail;
    }
    h = (int)b.of[b.used - 1].shape[0];
    w = (int)b.of[b.used - 1].shape[1];
    Py_BEGIN_ALLOW_THREADS
    for (z = first; z < last; z++)
        for (y = 0; y < ny; y++) {
            uint8_t *row = to + ((ptrdiff_t)z * ny + y) * nx;
            const double u = o[0] + y * d[0] + z * s[0] + 0.5, v = o[1] + y * d[1] + z * s[1] + 0.5;
            for (x = 0; x < nx; x++) {
                const double px = u + x * r[0], py = v + x * r[1];
                int marked = px >= 0.0 && py >= 0.0 && px < w && py < h && marks[(ptrdiff_t)(int)py * w + (int)px];
                if (row[x] && marked == inside) {
                    row[x] = 0;
                    hidden++;
                }
            }
        }
    Py_END_ALLOW_THREADS
    let_go(&b);
    return PyLong_FromLongLong(hidden);
fail:
    let_go(&b);
    return NULL;
}

/* ---- the module ---- */

PyDoc_STRVAR(processor_doc, "processor() -> str\n\nThe instruction set in use: plain or x86-64-v3.");

static PyObject *processor(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return PyUnicode_FromString(variants[chosen].name);
}

PyDoc_STRVAR(choices_doc, "choices() -> tuple[str, ...]\n\nThe instruction sets this machine can run, the best last.");

static PyObject *choices(PyObject *self, PyObject *args)
{
    PyObject *names = PyTuple_New(variant_count);
    int i;
    (void)self;
    (void)args;
    for (i = 0; names && i < variant_count; i++) {
        PyObject *name = PyUnicode_FromString(variants[i].name);
        if (!name) { Py_CLEAR(names); break; }
        PyTuple_SET_ITEM(names, i, name);
    }
    return names;
}

PyDoc_STRVAR(use_doc, "use(name)\n\nTake this one of the choices from now on; for tests and benchmarks.");

static PyObject *use(PyObject *self, PyObject *args)
{
    const char *name;
    int i;
    (void)self;
    if (!PyArg_ParseTuple(args, "s", &name)) return NULL;
    for (i = 0; i < variant_count; i++)
        if (!strcmp(variants[i].name, name)) {
            chosen = i;
            Py_RETURN_NONE;
        }
    PyErr_Format(PyExc_ValueError, "this machine cannot run '%s'", name);
    return NULL;
}

static PyMethodDef methods[] = {
    {"block_shape", block_shape, METH_VARARGS, block_shape_doc},
    {"ranges", ranges, METH_VARARGS, ranges_doc},
    {"leaps", leaps, METH_VARARGS, leaps_doc},
    {"cast", cast, METH_VARARGS, cast_doc},
    {"snip", snip, METH_VARARGS, snip_doc},
    {"processor", processor, METH_NOARGS, processor_doc},
    {"choices", choices, METH_NOARGS, choices_doc},
    {"use", use, METH_VARARGS, use_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_raycast", "Rays through a volume.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__raycast(void)
{
    find_variants();
    return PyModule_Create(&module);
}
