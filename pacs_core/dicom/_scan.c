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
 * file(path, tags, syntaxes, before) -> (transfer syntax, values as of pick, places that changed)
 *     Picks from a Part 10 file of which no more than the first bytes are read. `syntaxes` maps what the file may be
 *     written in, as bytes, to (its name, whether implicit). `before` is None or the values of another file: equal
 *     ones are the same objects, and the places of all others are told. Raises OSError too. Not on Windows.
 *
 * `end` is the length of the whole data set, which may reach beyond the buffer (a window on a large file).
 * Whatever it cannot follow raises Surprise(kind, tag, offset, needed); the caller then reads another way.
 * The pure Python twin with the same answers is scan_fallback.py.
 */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#ifndef _WIN32
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "_scan_walk.h"

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

typedef struct {
    uint32_t tags[MOST_TAGS];
    Py_ssize_t count;
} Wanted;

static int take_wanted(PyObject *given, Wanted *w)
{
    Py_ssize_t i;

    w->count = PyTuple_GET_SIZE(given);
    if (w->count > MOST_TAGS) {
        PyErr_SetString(PyExc_ValueError, "too many tags");
        return -1;
    }
    for (i = 0; i < w->count; i++)
        w->tags[i] = (uint32_t)PyLong_AsUnsignedLongMask(PyTuple_GET_ITEM(given, i));
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *pick_all(const Source *s, uint64_t at, int implicit, const Wanted *w)
{
    PyObject *values = PyList_New(w->count);
    Py_ssize_t i, n = 0;
    int failed = 0;

    for (i = 0; values && i < w->count; i++)
        PyList_SET_ITEM(values, i, Py_NewRef(Py_None));
    while (values && !failed && n < w->count && at < s->end)
        failed = pick_step(s, &at, implicit, w->tags, w->count, &n, values);
    if (failed)
        Py_CLEAR(values);
    return values;
}

static PyObject *pick(PyObject *self, PyObject *args)
{
    Py_buffer view;
    Source s;
    Wanted w;
    unsigned long long first, end;
    int implicit;
    PyObject *wanted, *values = NULL;

    if (!PyArg_ParseTuple(args, "y*KKpO!", &view, &first, &end, &implicit, &PyTuple_Type, &wanted))
        return NULL;
    s.bytes = view.buf;
    s.have = (uint64_t)view.len;
    s.end = end;
    if (end > (uint64_t)INT64_MAX || first > end)
        PyErr_SetString(PyExc_ValueError, "start and end do not lie within a data set");
    else if (!take_wanted(wanted, &w))
        values = pick_all(&s, first, implicit, &w);
    PyBuffer_Release(&view);
    return values;
}

#ifndef _WIN32
#define WINDOW 16384
#define META 132        /* behind preamble and prefix (PS3.10 7.1) */
#define TRANSFER_SYNTAX 0x00020010u

/* The first bytes of a file and its length, or -1 and errno. */
static int read_head(const char *path, uint8_t *head, Source *s)
{
    struct stat about;
    ssize_t got = -1;
    int why, file = open(path, O_RDONLY | O_CLOEXEC);

    if (file < 0)
        return -1;
    do
        got = read(file, head, WINDOW);
    while (got < 0 && errno == EINTR);
    if (got >= 0 && fstat(file, &about))
        got = -1;
    why = errno;
    close(file);
    errno = why;
    if (got < 0)
        return -1;
    s->bytes = head;
    s->have = (uint64_t)got;
    s->end = about.st_size > 0 ? (uint64_t)about.st_size : 0;
    return 0;
}

/* What `syntaxes` says of the file's transfer syntax, borrowed; *start is where the data set begins. */
static PyObject *syntax_of(const Source *s, PyObject *syntaxes, uint64_t *start)
{
    static const uint8_t first[] = {2, 0, 0, 0, 'U', 'L', 4, 0};
    const Wanted wanted = {{TRANSFER_SYNTAX}, 1};
    Source meta = *s;
    PyObject *values, *said, *found = NULL;
    const char *text;
    Py_ssize_t length;

    if (s->have < META + 12 || memcmp(s->bytes + META - 4, "DICM", 4) || memcmp(s->bytes + META, first, 8)) {
        surprise("vr", 0, 0, 0);
        return NULL;
    }
    *start = META + 12 + (uint64_t)u32(s->bytes + META + 8);
    meta.end = *start < s->have ? *start : s->have;
    values = pick_all(&meta, META + 12, 0, &wanted);
    if (!values)
        return NULL;
    said = PyList_GET_ITEM(values, 0);
    if (PyBytes_Check(said)) {
        text = PyBytes_AS_STRING(said);
        length = PyBytes_GET_SIZE(said);
        while (length && (!text[length - 1] || text[length - 1] == ' '))
            length--;
        said = PyBytes_FromStringAndSize(text, length);
        found = said ? PyDict_GetItemWithError(syntaxes, said) : NULL;
        Py_XDECREF(said);
    }
    Py_DECREF(values);
    if ((!found || *start >= s->end) && !PyErr_Occurred())
        surprise("vr", TRANSFER_SYNTAX, META + 12, 0);
    return PyErr_Occurred() ? NULL : found;
}

/* Puts values of the other file where ours are equal; answers the places of all others. */
static PyObject *share(PyObject *values, PyObject *before)
{
    PyObject *changed = PyList_New(0), *place;
    Py_ssize_t i;
    int same, failed;

    for (i = 0; changed && i < PyList_GET_SIZE(values); i++) {
        PyObject *ours = PyList_GET_ITEM(values, i);
        PyObject *theirs = before == Py_None ? NULL : PyList_GET_ITEM(before, i);

        same = theirs ? PyObject_RichCompareBool(ours, theirs, Py_EQ) : 0;
        if (same > 0) {
            PyList_SetItem(values, i, Py_NewRef(theirs));
            continue;
        }
        place = same < 0 ? NULL : PyLong_FromSsize_t(i);
        failed = !place || PyList_Append(changed, place);
        Py_XDECREF(place);
        if (failed)
            Py_CLEAR(changed);
    }
    return changed;
}

static PyObject *pick_from(const Source *s, PyObject *syntaxes, const Wanted *w, PyObject *before)
{
    uint64_t start = 0;
    PyObject *known = syntax_of(s, syntaxes, &start), *name, *values, *changed, *answer = NULL;
    int implicit;

    if (!known || !PyArg_ParseTuple(known, "Op", &name, &implicit))
        return NULL;
    values = pick_all(s, start, implicit, w);
    changed = values ? share(values, before) : NULL;
    if (changed)
        answer = PyTuple_Pack(3, name, values, changed);
    Py_XDECREF(values);
    Py_XDECREF(changed);
    return answer;
}

static PyObject *file(PyObject *self, PyObject *args)
{
    uint8_t head[WINDOW];
    Source s;
    Wanted w;
    PyObject *path, *wanted, *syntaxes, *before, *encoded = NULL, *answer = NULL;
    int failed;

    if (!PyArg_ParseTuple(args, "OO!O!O", &path, &PyTuple_Type, &wanted, &PyDict_Type, &syntaxes, &before))
        return NULL;
    if (take_wanted(wanted, &w))
        return NULL;
    if (before != Py_None && !(PyList_Check(before) && PyList_GET_SIZE(before) == w.count)) {
        PyErr_SetString(PyExc_ValueError, "the values before are not of these tags");
        return NULL;
    }
    if (!PyUnicode_FSConverter(path, &encoded))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    failed = read_head(PyBytes_AS_STRING(encoded), head, &s);
    Py_END_ALLOW_THREADS
    if (failed)
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
    else
        answer = pick_from(&s, syntaxes, &w, before);
    Py_DECREF(encoded);
    return answer;
}
#endif

typedef struct {
    const char *vr;
    unsigned long long offset, length;
} Place;

/* Where a value lies, by the (vr, offset, length) that scan answered; checked against the buffer. */
static int place_of(PyObject *given, const Py_buffer *view, Place *p)
{
    uint64_t have = (uint64_t)view->len;

    if (!PyTuple_Check(given) || !PyArg_ParseTuple(given, "sKK", &p->vr, &p->offset, &p->length)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "elements are tuples of VR, offset and length");
        return -1;
    }
    if (p->offset > have || p->length > have - p->offset) {
        PyErr_SetString(PyExc_ValueError, "an element lies beyond its bytes");
        return -1;
    }
    return 0;
}

/* Walks both sets of elements in their order; *alike is 0 once they are not the same ones. */
static PyObject *differing_tags(const Py_buffer *ours, PyObject *elements, const Py_buffer *theirs,
                                PyObject *those, int *alike)
{
    PyObject *found = PyList_New(0), *tag, *place, *other, *its;
    Py_ssize_t at = 0, there = 0;
    Place a, b;
    int same;

    while (found && *alike && PyDict_Next(elements, &at, &tag, &place)) {
        if (!PyDict_Next(those, &there, &other, &its)) {
            *alike = 0;
            break;
        }
        same = PyObject_RichCompareBool(tag, other, Py_EQ);
        if (same < 0 || place_of(place, ours, &a) || place_of(its, theirs, &b)) {
            Py_CLEAR(found);
            break;
        }
        if (!same || strcmp(a.vr, b.vr)) {
            *alike = 0;
            break;
        }
        same = a.length == b.length &&
               !memcmp((const char *)ours->buf + a.offset, (const char *)theirs->buf + b.offset, a.length);
        if (!same && PyList_Append(found, tag))
            Py_CLEAR(found);
    }
    return found;
}

static PyObject *differing(PyObject *self, PyObject *args)
{
    Py_buffer ours, theirs;
    PyObject *elements, *those, *found;
    int alike;

    if (!PyArg_ParseTuple(args, "y*O!y*O!", &ours, &PyDict_Type, &elements, &theirs, &PyDict_Type, &those))
        return NULL;
    alike = PyDict_GET_SIZE(elements) == PyDict_GET_SIZE(those);
    found = differing_tags(&ours, elements, &theirs, those, &alike);
    PyBuffer_Release(&ours);
    PyBuffer_Release(&theirs);
    if (found && !alike) {
        Py_DECREF(found);
        Py_RETURN_NONE;
    }
    return found;
}

static PyMethodDef methods[] = {
    {"differing", differing, METH_VARARGS, "differing(buffer, elements, before, those) -> list of tags, or None"},
    {"pick", pick, METH_VARARGS, "pick(buffer, start, end, implicit, tags) -> list of values"},
#ifndef _WIN32
    {"file", file, METH_VARARGS, "file(path, tags, syntaxes, before) -> (transfer syntax, values, places that changed)"},
#endif
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
