/* Fast scan of an encoded little-endian DICOM data set (PS3.5 chapter 7 and annex A).
 *
 * scan(buffer, start, end, implicit) -> (elements, pixels)
 *     elements  dict: tag -> (vr or "", value offset, value length); of an element of undefined length the
 *               length reaches up to, not including, its delimiter
 *     pixels    None, or (tag, vr, offset, length, fragments) of the Pixel Data element; fragments is None for
 *               native pixels, else a list of (offset, length), the basic offset table first
 * items(buffer, start, end, implicit) -> list of (offset, length) of a sequence's items
 * pick(buffer, start, end, implicit, tags) -> list of (value or None), one for each of the ascending tags; a pixel data
 *     element gives its place (offset, length) instead. Stops behind the last of them.
 *
 * `end` is the length of the whole data set, which may reach beyond the buffer (a window on a large file).
 * Whatever it cannot follow raises Surprise(kind, tag, offset, needed); the caller then reads another way.
 * The pure Python twin with the same answers is scan_fallback.py.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define UNDEFINED 0xFFFFFFFFu
#define ITEM 0xFFFEE000u
#define ITEM_END 0xFFFEE00Du
#define SEQUENCE_END 0xFFFEE0DDu
#define FLOAT_PIXELS 0x7FE00008u
#define DOUBLE_PIXELS 0x7FE00009u
#define PIXELS 0x7FE00010u
#define DEEPEST 64

static PyObject *Surprise;

typedef struct {
    const uint8_t *bytes;
    uint64_t have; /* bytes in the buffer */
    uint64_t end;  /* bytes of the data set */
} Source;

typedef struct {
    uint32_t tag;
    uint32_t length;
    uint64_t value;
    char vr[3];
} Element;

static uint32_t u16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return u16(p) | u16(p + 2) << 16; }
static uint32_t tag_at(const uint8_t *p) { return u16(p) << 16 | u16(p + 2); }

static int surprise(const char *kind, uint32_t tag, uint64_t offset, uint64_t needed)
{
    PyObject *args = Py_BuildValue("(sIKK)", kind, tag, (unsigned long long)offset, (unsigned long long)needed);
    if (args) {
        PyErr_SetObject(Surprise, args);
        Py_DECREF(args);
    }
    return -1;
}

/* Are `count` bytes at `offset` there to be read? */
static int readable(const Source *s, uint32_t tag, uint64_t offset, uint64_t count)
{
    if (offset + count > s->end)
        return surprise("truncated", tag, offset, count);
    if (offset + count > s->have)
        return surprise("window", tag, offset, count);
    return 0;
}

/* 2: a 16-bit length follows; 4: two reserved bytes and a 32-bit length; 0: no VR of PS3.5 6.2. */
static int length_bytes(const uint8_t *vr)
{
    switch (vr[0] << 8 | vr[1]) {
    case 'A' << 8 | 'E': case 'A' << 8 | 'S': case 'A' << 8 | 'T': case 'C' << 8 | 'S': case 'D' << 8 | 'A':
    case 'D' << 8 | 'S': case 'D' << 8 | 'T': case 'F' << 8 | 'D': case 'F' << 8 | 'L': case 'I' << 8 | 'S':
    case 'L' << 8 | 'O': case 'L' << 8 | 'T': case 'P' << 8 | 'N': case 'S' << 8 | 'H': case 'S' << 8 | 'L':
    case 'S' << 8 | 'S': case 'S' << 8 | 'T': case 'T' << 8 | 'M': case 'U' << 8 | 'I': case 'U' << 8 | 'L':
    case 'U' << 8 | 'S':
        return 2;
    case 'O' << 8 | 'B': case 'O' << 8 | 'D': case 'O' << 8 | 'F': case 'O' << 8 | 'L': case 'O' << 8 | 'V':
    case 'O' << 8 | 'W': case 'S' << 8 | 'Q': case 'S' << 8 | 'V': case 'U' << 8 | 'C': case 'U' << 8 | 'N':
    case 'U' << 8 | 'R': case 'U' << 8 | 'T': case 'U' << 8 | 'V':
        return 4;
    }
    return 0;
}

static int read_header(const Source *s, uint64_t at, int implicit, Element *e)
{
    const uint8_t *p;
    int width;

    e->tag = 0;
    if (readable(s, 0, at, 8))
        return -1;
    p = s->bytes + at;
    e->tag = tag_at(p);
    e->vr[0] = e->vr[1] = e->vr[2] = 0;
    if (implicit || e->tag >> 16 == 0xFFFE) {
        e->length = u32(p + 4);
        e->value = at + 8;
        return 0;
    }
    width = length_bytes(p + 4);
    if (!width)
        return surprise("vr", e->tag, at, 0);
    memcpy(e->vr, p + 4, 2);
    if (width == 2) {
        e->length = u16(p + 6);
        e->value = at + 8;
        return 0;
    }
    if (readable(s, e->tag, at, 12))
        return -1;
    e->length = u32(p + 8);
    e->value = at + 12;
    return 0;
}

static int skip_items(const Source *s, uint64_t *at, uint32_t owner, int implicit, int depth);

/* Steps over the elements of an item of undefined length; *at ends behind its delimiter. */
static int skip_item(const Source *s, uint64_t *at, int implicit, int depth)
{
    Element e;

    for (;;) {
        if (read_header(s, *at, implicit, &e))
            return -1;
        *at = e.value;
        if (e.tag == ITEM_END)
            return 0;
        if (e.tag >> 16 == 0xFFFE)
            return surprise("delimiter", e.tag, e.value - 8, 0);
        if (e.length == UNDEFINED) {
            if (skip_items(s, at, e.tag, implicit || !strcmp(e.vr, "UN"), depth + 1))
                return -1;
        } else {
            if (e.value + e.length > s->end)
                return surprise("truncated", e.tag, e.value, e.length);
            *at = e.value + e.length;
        }
    }
}

/* Steps over the items of a value of undefined length; *at ends behind the sequence delimiter. */
static int skip_items(const Source *s, uint64_t *at, uint32_t owner, int implicit, int depth)
{
    Element e;

    if (depth > DEEPEST)
        return surprise("depth", owner, *at, 0);
    for (;;) {
        if (read_header(s, *at, 1, &e))
            return -1;
        *at = e.value;
        if (e.tag == SEQUENCE_END)
            return 0;
        if (e.tag != ITEM)
            return surprise("item", owner, e.value - 8, 0);
        if (e.length == UNDEFINED) {
            if (skip_item(s, at, implicit, depth))
                return -1;
        } else {
            if (e.value + e.length > s->end)
                return surprise("truncated", owner, e.value, e.length);
            *at = e.value + e.length;
        }
    }
}

static int append_span(PyObject *list, uint64_t offset, uint64_t length)
{
    PyObject *span = Py_BuildValue("(KK)", (unsigned long long)offset, (unsigned long long)length);
    int failed = !span || PyList_Append(list, span);

    Py_XDECREF(span);
    return failed ? -1 : 0;
}

/* The fragments of encapsulated pixel data (PS3.5 A.4), the basic offset table first. */
static PyObject *fragments_at(const Source *s, uint64_t *at, uint32_t owner)
{
    PyObject *list = PyList_New(0);
    Element e;

    while (list) {
        if (read_header(s, *at, 1, &e))
            break;
        *at = e.value;
        if (e.tag == SEQUENCE_END)
            return list;
        if (e.tag != ITEM || e.length == UNDEFINED) {
            surprise("item", owner, e.value - 8, 0);
            break;
        }
        if (e.value + e.length > s->end) {
            surprise("truncated", owner, e.value, e.length);
            break;
        }
        if (append_span(list, e.value, e.length))
            break;
        *at = e.value + e.length;
    }
    Py_XDECREF(list);
    return NULL;
}

static int keep_element(PyObject *elements, const Element *e, uint64_t length)
{
    PyObject *tag = PyLong_FromUnsignedLong(e->tag);
    PyObject *place = Py_BuildValue("(sKK)", e->vr, (unsigned long long)e->value, (unsigned long long)length);
    int failed = !tag || !place || PyDict_SetItem(elements, tag, place);

    Py_XDECREF(tag);
    Py_XDECREF(place);
    return failed ? -1 : 0;
}

static int is_pixels(uint32_t tag) { return tag == PIXELS || tag == FLOAT_PIXELS || tag == DOUBLE_PIXELS; }

static PyObject *keep_pixels(const Element *e, uint64_t length, PyObject *fragments)
{
    return Py_BuildValue("(IsKKO)", e->tag, e->vr, (unsigned long long)e->value, (unsigned long long)length,
                         fragments ? fragments : Py_None);
}

/* One top-level element: note it and move behind it. */
static int take_element(const Source *s, uint64_t *at, int implicit, PyObject *elements, PyObject **pixels)
{
    Element e;
    PyObject *fragments = NULL;
    uint64_t length;

    if (read_header(s, *at, implicit, &e))
        return -1;
    if (e.tag >> 16 == 0xFFFE)
        return surprise("delimiter", e.tag, *at, 0);
    *at = e.value;
    if (e.length != UNDEFINED) {
        if (e.value + e.length > s->end)
            return surprise("truncated", e.tag, e.value, e.length);
        *at = e.value + e.length;
        length = e.length;
    } else if (e.tag == PIXELS) {
        fragments = fragments_at(s, at, e.tag);
        if (!fragments)
            return -1;
        length = *at - 8 - e.value;
    } else {
        if (skip_items(s, at, e.tag, implicit || !strcmp(e.vr, "UN"), 1))
            return -1;
        length = *at - 8 - e.value;
    }
    if (is_pixels(e.tag)) {
        Py_XDECREF(*pixels);
        *pixels = keep_pixels(&e, length, fragments);
        Py_XDECREF(fragments);
        return *pixels ? 0 : -1;
    }
    return keep_element(elements, &e, length);
}

static int parse_arguments(PyObject *args, Py_buffer *view, Source *s, uint64_t *start, int *implicit)
{
    unsigned long long first, end;

    if (!PyArg_ParseTuple(args, "y*KKp", view, &first, &end, implicit))
        return -1;
    s->bytes = view->buf;
    s->have = (uint64_t)view->len;
    s->end = end;
    if (end > (uint64_t)INT64_MAX || first > end) {
        PyBuffer_Release(view);
        PyErr_SetString(PyExc_ValueError, "start and end do not lie within a data set");
        return -1;
    }
    *start = first;
    return 0;
}

static PyObject *scan(PyObject *self, PyObject *args)
{
    Py_buffer view;
    Source s;
    uint64_t at;
    int implicit, failed;
    PyObject *elements, *pixels = NULL, *answer = NULL;

    if (parse_arguments(args, &view, &s, &at, &implicit))
        return NULL;
    elements = PyDict_New();
    failed = !elements;
    while (!failed && at < s.end)
        failed = take_element(&s, &at, implicit, elements, &pixels);
    if (!failed)
        answer = Py_BuildValue("(OO)", elements, pixels ? pixels : Py_None);
    Py_XDECREF(elements);
    Py_XDECREF(pixels);
    PyBuffer_Release(&view);
    return answer;
}

static PyObject *items(PyObject *self, PyObject *args)
{
    Py_buffer view;
    Source s;
    Element e;
    uint64_t at, length;
    int implicit, failed = 0;
    PyObject *list;

    if (parse_arguments(args, &view, &s, &at, &implicit))
        return NULL;
    list = PyList_New(0);
    while (list && !failed && at < s.end) {
        failed = read_header(&s, at, 1, &e);
        if (failed)
            break;
        if (e.tag == SEQUENCE_END)
            break;
        if (e.tag != ITEM) {
            failed = surprise("item", e.tag, at, 0);
            break;
        }
        at = e.value;
        if (e.length == UNDEFINED) {
            failed = skip_item(&s, &at, implicit, 1);
            length = at - 8 - e.value;
        } else {
            length = e.length;
            at = e.value + length;
            if (at > s.end)
                failed = surprise("truncated", e.tag, e.value, length);
        }
        if (!failed)
            failed = append_span(list, e.value, length);
    }
    PyBuffer_Release(&view);
    if (failed)
        Py_CLEAR(list);
    return list;
}

/* The value of an element that was asked for; of pixel data its place. */
static PyObject *picked(const Source *s, const Element *e)
{
    if (is_pixels(e->tag) && e->length != UNDEFINED && e->value + e->length > s->end) {
        surprise("truncated", e->tag, e->value, e->length);
        return NULL;
    }
    if (is_pixels(e->tag))
        return Py_BuildValue("(KK)", (unsigned long long)e->value, (unsigned long long)e->length);
    if (e->length == UNDEFINED) {
        surprise("undefined", e->tag, e->value, 0);
        return NULL;
    }
    if (readable(s, e->tag, e->value, e->length))
        return NULL;
    return PyBytes_FromStringAndSize((const char *)s->bytes + e->value, (Py_ssize_t)e->length);
}

/* Moves behind an element that was not asked for. */
static int pass_by(const Source *s, uint64_t *at, const Element *e, int implicit)
{
    *at = e->value;
    if (e->length == UNDEFINED)
        return skip_items(s, at, e->tag, implicit || !strcmp(e->vr, "UN"), 1);
    if (e->value + e->length > s->end)
        return surprise("truncated", e->tag, e->value, e->length);
    *at = e->value + e->length;
    return 0;
}

/* One step of pick: takes the element at *at, or passes by; *n is the place of the next tag wanted. */
static int pick_step(const Source *s, uint64_t *at, int implicit, const uint32_t *tags, Py_ssize_t count,
                     Py_ssize_t *n, PyObject *values)
{
    Element e;
    PyObject *value;

    if (read_header(s, *at, implicit, &e))
        return -1;
    if (e.tag >> 16 == 0xFFFE)
        return surprise("delimiter", e.tag, *at, 0);
    while (*n < count && tags[*n] < e.tag)
        ++*n;
    if (*n == count)
        return 0;
    if (tags[*n] == e.tag) {
        value = picked(s, &e);
        if (!value)
            return -1;
        PyList_SetItem(values, (*n)++, value);
        if (*n == count)
            return 0;
    }
    if (is_pixels(e.tag) && e.length == UNDEFINED) {
        *n = count;
        return 0;
    }
    return pass_by(s, at, &e, implicit);
}

#define MOST_TAGS 128

static PyObject *pick(PyObject *self, PyObject *args)
{
    Py_buffer view;
    Source s;
    uint64_t at;
    unsigned long long first, end;
    int implicit, failed = 0;
    uint32_t tags[MOST_TAGS];
    PyObject *wanted, *values;
    Py_ssize_t count, i, n = 0;

    if (!PyArg_ParseTuple(args, "y*KKpO!", &view, &first, &end, &implicit, &PyTuple_Type, &wanted))
        return NULL;
    count = PyTuple_GET_SIZE(wanted);
    if (count > MOST_TAGS || end > (uint64_t)INT64_MAX || first > end) {
        PyBuffer_Release(&view);
        PyErr_SetString(PyExc_ValueError, "too many tags, or start and end do not lie within a data set");
        return NULL;
    }
    s.bytes = view.buf;
    s.have = (uint64_t)view.len;
    s.end = end;
    at = first;
    for (i = 0; i < count; i++)
        tags[i] = (uint32_t)PyLong_AsUnsignedLongMask(PyTuple_GET_ITEM(wanted, i));
    values = PyErr_Occurred() ? NULL : PyList_New(count);
    for (i = 0; values && i < count; i++)
        PyList_SET_ITEM(values, i, Py_NewRef(Py_None));
    while (values && !failed && n < count && at < s.end)
        failed = pick_step(&s, &at, implicit, tags, count, &n, values);
    PyBuffer_Release(&view);
    if (failed)
        Py_CLEAR(values);
    return values;
}

static PyMethodDef methods[] = {
    {"pick", pick, METH_VARARGS, "pick(buffer, start, end, implicit, tags) -> list of values"},
    {"scan", scan, METH_VARARGS, "scan(buffer, start, end, implicit) -> (elements, pixels)"},
    {"items", items, METH_VARARGS, "items(buffer, start, end, implicit) -> list of (offset, length)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_scan", "Fast scan of an encoded little-endian DICOM data set.", -1, methods,
};

PyMODINIT_FUNC PyInit__scan(void)
{
    PyObject *m = PyModule_Create(&module);

    if (!m)
        return NULL;
    Surprise = PyErr_NewException("pacs_core.dicom._scan.Surprise", PyExc_ValueError, NULL);
    if (!Surprise || PyModule_AddObjectRef(m, "Surprise", Surprise)) {
        Py_DECREF(m);
        return NULL;
    }
    return m;
}
