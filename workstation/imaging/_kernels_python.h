/* What the modules of kernels share at their door: buffers taken, sizes checked, instruction sets named.
   Included after Python.h and _kernels_isa.h. */

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
    if (bytes >= 0 && b->len != bytes) {
        PyErr_Format(PyExc_ValueError, "%s has %zd bytes, needs %zd", what, b->len, bytes);
        return -1;
    }
    *memory = b->buf;
    return 0;
}

typedef struct { Py_buffer pixels, out, lut, stations, rows; } Buffers;

static void let_go(Buffers *b)
{
    if (b->pixels.obj) PyBuffer_Release(&b->pixels);
    if (b->out.obj) PyBuffer_Release(&b->out);
    if (b->lut.obj) PyBuffer_Release(&b->lut);
    if (b->stations.obj) PyBuffer_Release(&b->stations);
    if (b->rows.obj) PyBuffer_Release(&b->rows);
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

PyDoc_STRVAR(processor_doc, "processor() -> str\n\nThe instruction set in use: plain, x86-64-v2, v3 or v4.");

static PyObject *processor(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return PyUnicode_FromString(processors[chosen]);
}

PyDoc_STRVAR(choices_doc, "choices() -> tuple[str, ...]\n\nThe instruction sets this machine can run, the best last.");

static PyObject *choices(PyObject *self, PyObject *args)
{
    PyObject *names = PyTuple_New(processor_count);
    int i;
    (void)self;
    (void)args;
    for (i = 0; names && i < processor_count; i++) {
        PyObject *name = PyUnicode_FromString(processors[i]);
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
    for (i = 0; i < processor_count; i++)
        if (!strcmp(processors[i], name)) {
            chosen = i;
            Py_RETURN_NONE;
        }
    PyErr_Format(PyExc_ValueError, "this machine cannot run '%s'", name);
    return NULL;
}

#define PROCESSOR_METHODS                                  \
    {"processor", processor, METH_NOARGS, processor_doc},  \
    {"choices", choices, METH_NOARGS, choices_doc},        \
    {"use", use, METH_VARARGS, use_doc}
