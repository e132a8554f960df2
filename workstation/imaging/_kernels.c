/* Cuts through volumes and images to the viewport, without the GIL; rows are independent, so bands may run in a pool.

   Compiled for the plain processor and, on x86-64 with GCC or Clang, for x86-64-v2 and x86-64-v3 as well; the module
   takes the best one the machine has (PS3.3 C.7.6.2 gives the geometry; all of it arrives here in index space). */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define READING_ROOM_X86 1
#else
#define READING_ROOM_X86 0
#endif

#define TARGET
#define NAMED(name, type) name##_##type##_plain
#include "_kernels_types.h"
#undef TARGET
#undef NAMED

#if READING_ROOM_X86
#include <immintrin.h>

#define TARGET __attribute__((target("sse3,ssse3,sse4.1,sse4.2,popcnt")))
#define NAMED(name, type) name##_##type##_v2
#include "_kernels_types.h"
#undef TARGET
#undef NAMED

#define WITH_AVX2 1
#define TARGET __attribute__((target("sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi,bmi2,fma,f16c,lzcnt,movbe")))
#define NAMED(name, type) name##_##type##_v3
#include "_kernels_types.h"
#undef WITH_AVX2
#undef TARGET
#undef NAMED
#endif

typedef void (*CutRows)(const Grid *, const Cut *, int, int, void *, void *);
typedef void (*FlatRows)(const Flat *, int, int, uint8_t *, float *);

typedef struct {
    const char *name;
    CutRows cut[3];   /* int16, uint16, uint8 */
    FlatRows flat[3];
} Variant;

#define VARIANT(label, suffix)                                                                          \
    { label, { cut_rows_i16_##suffix, cut_rows_u16_##suffix, cut_rows_u8_##suffix },                    \
      { flat_rows_i16_##suffix, flat_rows_u16_##suffix, flat_rows_u8_##suffix } }

static const Variant variants[] = {
    VARIANT("plain", plain),
#if READING_ROOM_X86
    VARIANT("x86-64-v2", v2),
    VARIANT("x86-64-v3", v3),
#endif
};
static int variant_count = 1;
static const Variant *chosen = &variants[0];

static void find_variants(void)
{
#if READING_ROOM_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) {
        variant_count = 2;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
            variant_count = 3;
    }
#endif
    chosen = &variants[variant_count - 1];
}

/* 0 int16, 1 uint16, 2 uint8, or -1 with an exception. */
static int stored_type(const Py_buffer *b)
{
    const char *f = b->format ? b->format : "B";
    if (*f == '<' || *f == '=' || *f == '@') f++;
    if (!strcmp(f, "h") && b->itemsize == 2) return 0;
    if (!strcmp(f, "H") && b->itemsize == 2) return 1;
    if (!strcmp(f, "B") && b->itemsize == 1) return 2;
    PyErr_Format(PyExc_TypeError, "pixels have to be int16, uint16 or uint8, not '%s'", f);
    return -1;
}

static int usable(const double *v, int n)
{
    int i;
    for (i = 0; i < n; i++)
        if (!isfinite(v[i]) || fabs(v[i]) > 1e9) {
            PyErr_SetString(PyExc_ValueError, "a coordinate is not finite, or absurd");
            return 0;
        }
    return 1;
}

/* The optional LUT and stations: their memory, or NULL for None; -1 with an exception. */
static int optional(PyObject *given, Py_buffer *b, Py_ssize_t bytes, const char *what, const void **memory)
{
    *memory = NULL;
    b->obj = NULL;
    if (given == Py_None) return 0;
    if (PyObject_GetBuffer(given, b, PyBUF_C_CONTIGUOUS) < 0) return -1;
    if (b->len != bytes) {
        PyErr_Format(PyExc_ValueError, "%s has %zd bytes, needs %zd", what, b->len, bytes);
        return -1;
    }
    *memory = b->buf;
    return 0;
}

typedef struct { Py_buffer pixels, out, lut, stations; } Buffers;

static void let_go(Buffers *b)
{
    if (b->pixels.obj) PyBuffer_Release(&b->pixels);
    if (b->out.obj) PyBuffer_Release(&b->out);
    if (b->lut.obj) PyBuffer_Release(&b->lut);
    if (b->stations.obj) PyBuffer_Release(&b->stations);
}

static int sizes_hold(const Buffers *b, int pixel_dimensions, int out_bytes, int width, int row0, int row1, int channels)
{
    Py_ssize_t need;
    if (b->pixels.ndim != pixel_dimensions) {
        PyErr_Format(PyExc_ValueError, "pixels have %d dimensions, needs %d", b->pixels.ndim, pixel_dimensions);
        return 0;
    }
    if (width < 1 || row0 < 0 || row1 < row0 || width > 1 << 20 || row1 > 1 << 20) {
        PyErr_SetString(PyExc_ValueError, "the rows or the width of the picture make no sense");
        return 0;
    }
    need = (Py_ssize_t)width * (row1 - row0) * out_bytes * channels;
    if (b->out.len != need) {
        PyErr_Format(PyExc_ValueError, "the picture has %zd bytes, needs %zd", b->out.len, need);
        return 0;
    }
    return 1;
}

static int dimensions_hold(const Buffers *b)
{
    int i;
    for (i = 0; i < b->pixels.ndim; i++)
        if (b->pixels.shape[i] < 1 || b->pixels.shape[i] > 1 << 20) {
            PyErr_SetString(PyExc_ValueError, "pixels with an empty or absurd dimension");
            return 0;
        }
    return 1;
}

PyDoc_STRVAR(cut_doc,
"cut(pixels, out, width, row0, row1, origin, across, down, through, planes, mode, interpolation, outside, lut, stations)\n\n"
"Rows row0..row1 of a plane or slab through pixels (slices, rows, columns) into out, which holds just those rows:\n"
"stored values, or greys where lut (65536 bytes) is given. Vectors are (column, row, slice) in voxels.\n"
"mode 0 MIP 1 MinIP 2 mean; interpolation 0 nearest 1 linear 2 cubic; stations: float64 per slice, or None.");

static PyObject *cut(PyObject *self, PyObject *args)
{
    PyObject *pixels, *out, *lut, *stations;
    Buffers b = {{0}};
    Grid g;
    Cut c;
    int row0, row1, type, i;
    const void *memory;
    void *work = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOiii(ddd)(ddd)(ddd)(ddd)iiiiOO", &pixels, &out, &c.width, &row0, &row1,
                          &c.origin[0], &c.origin[1], &c.origin[2], &c.across[0], &c.across[1], &c.across[2],
                          &c.down[0], &c.down[1], &c.down[2], &c.through[0], &c.through[1], &c.through[2],
                          &c.planes, &c.mode, &c.interpolation, &c.outside, &lut, &stations))
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
    work = PyMem_Malloc((size_t)c.width * (sizeof(double) + 2 * sizeof(float) + sizeof(int)));
    if (!work) { PyErr_NoMemory(); goto fail; }
    Py_BEGIN_ALLOW_THREADS
    chosen->cut[type](&g, &c, row0, row1, b.out.buf, work);
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
    line = (float *)PyMem_Malloc((size_t)f.width * sizeof(float));
    if (!line) { PyErr_NoMemory(); goto fail; }
    Py_BEGIN_ALLOW_THREADS
    chosen->flat[type](&f, row0, row1, (uint8_t *)b.out.buf, line);
    Py_END_ALLOW_THREADS
    PyMem_Free(line);
    let_go(&b);
    Py_RETURN_NONE;
fail:
    let_go(&b);
    return NULL;
}

PyDoc_STRVAR(processor_doc, "processor() -> str\n\nThe instruction set in use: plain, x86-64-v2 or x86-64-v3.");

static PyObject *processor(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return PyUnicode_FromString(chosen->name);
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
            chosen = &variants[i];
            Py_RETURN_NONE;
        }
    PyErr_Format(PyExc_ValueError, "this machine cannot run '%s'", name);
    return NULL;
}

static PyMethodDef methods[] = {
    {"cut", cut, METH_VARARGS, cut_doc},
    {"flat", flat, METH_VARARGS, flat_doc},
    {"processor", processor, METH_NOARGS, processor_doc},
    {"choices", choices, METH_NOARGS, choices_doc},
    {"use", use, METH_VARARGS, use_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_kernels", "Cuts through volumes and images to the viewport.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    find_variants();
    return PyModule_Create(&module);
}
