/* Pixels straight from files into an array, many frames in one call, without the GIL.
 *
 * fill(array, frames) -> bytes
 *     array   a writable, contiguous buffer
 *     frames  sequence of (path, offset in the file, offset in the array, length)
 *     answer  a byte a frame: 1 filled, 0 where the file is missing, cannot be read or ends before
 * Frames that follow each other in one file share its opening. Raises ValueError where a frame does not lie within the
 * array; nothing is read then. Where there is no pread (Windows) the module has no `fill`, and Python reads.
 */
#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifndef _WIN32
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    PyObject *path; /* owned, as the file system writes it */
    long long from;
    char *into;
    size_t length;
} Frame;

/* The bytes of one frame: 1, or 0 where they are not all there. */
static char read_frame(int file, const Frame *f)
{
    size_t done = 0;

    while (done < f->length) {
        ssize_t got = pread(file, f->into + done, f->length - done, (off_t)(f->from + (long long)done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        done += (size_t)got;
    }
    return 1;
}

static void read_frames(const Frame *frames, Py_ssize_t count, char *filled)
{
    const char *opened = NULL;
    int file = -1;
    Py_ssize_t n;

    for (n = 0; n < count; n++) {
        const char *path = PyBytes_AS_STRING(frames[n].path);

        if (!opened || strcmp(opened, path)) {
            if (file >= 0)
                close(file);
            do
                file = open(path, O_RDONLY | O_CLOEXEC);
            while (file < 0 && errno == EINTR);
            opened = path;
        }
        filled[n] = file < 0 ? 0 : read_frame(file, &frames[n]);
    }
    if (file >= 0)
        close(file);
}

static int take_frame(PyObject *given, const Py_buffer *view, Frame *f)
{
    PyObject *path;
    long long from, at, length;

    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a frame is (path, offset, place, length)");
        return -1;
    }
    if (!PyArg_ParseTuple(given, "OLLL", &path, &from, &at, &length))
        return -1;
    if (from < 0 || at < 0 || length < 0 || at > view->len || length > view->len - at || from > INT64_MAX - length) {
        PyErr_SetString(PyExc_ValueError, "a frame does not lie within the array");
        return -1;
    }
    if (!PyUnicode_FSConverter(path, &f->path))
        return -1;
    f->from = from;
    f->into = (char *)view->buf + at;
    f->length = (size_t)length;
    return 0;
}

static PyObject *fill_frames(const Py_buffer *view, PyObject *given)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(given), taken = 0;
    Frame *frames = PyMem_New(Frame, count ? count : 1);
    PyObject *filled = frames ? PyBytes_FromStringAndSize(NULL, count) : PyErr_NoMemory();

    while (filled && taken < count)
        if (take_frame(PySequence_Fast_GET_ITEM(given, taken), view, &frames[taken]))
            Py_CLEAR(filled);
        else
            taken++;
    if (filled) {
        Py_BEGIN_ALLOW_THREADS
        read_frames(frames, count, PyBytes_AS_STRING(filled));
        Py_END_ALLOW_THREADS
    }
    while (taken > 0)
        Py_DECREF(frames[--taken].path);
    PyMem_Free(frames);
    return filled;
}

static PyObject *fill(PyObject *self, PyObject *args)
{
    Py_buffer view;
    PyObject *sequence, *given, *answer = NULL;

    if (!PyArg_ParseTuple(args, "w*O", &view, &sequence))
        return NULL;
    given = PySequence_Fast(sequence, "frames are a sequence");
    if (given) {
        answer = fill_frames(&view, given);
        Py_DECREF(given);
    }
    PyBuffer_Release(&view);
    return answer;
}
#endif

static PyMethodDef methods[] = {
#ifndef _WIN32
    {"fill", fill, METH_VARARGS, "fill(array, frames) -> bytes, 1 for each frame that was filled"},
#endif
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_fill", "Pixels straight from files into an array.", -1, methods,
};

PyMODINIT_FUNC PyInit__fill(void) { return PyModule_Create(&module); }
