/* RLE frames to plain values (PS3.5 annex G).
 *
 * decode(frame, pixels, samples, width) -> bytes
 *     pixels   of the frame; samples of a pixel; width in bytes of a sample (1, 2, 4, 8)
 *     answer   pixels * samples * width bytes: samples of a pixel side by side, each little endian
 * Raises ValueError, saying which segment and what, where the frame's header or a run cannot be true. Nothing is
 * read beyond the frame and nothing written beyond the answer, whatever the bytes are. The GIL is released.
 * The pure Python twin with the same answers is rle_fallback.py.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define HEADER 64
#define MOST_SEGMENTS 15

enum { FINE, RUN_CUT, TOO_SHORT };

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* One PackBits segment into `count` bytes; what a segment holds beyond them is left alone. */
static int unpack(const uint8_t *in, size_t length, uint8_t *out, size_t count)
{
    const uint8_t *end = in + length;
    size_t done = 0;

    while (done < count) {
        size_t run, left = count - done;
        uint8_t control;

        if (in == end)
            return TOO_SHORT;
        control = *in++;
        if (control == 128)
            continue;
        if (control < 128) {
            run = (size_t)control + 1;
            if ((size_t)(end - in) < run) {
                if ((size_t)(end - in) < left)
                    return RUN_CUT;
                run = left;
            }
            memcpy(out + done, in, run < left ? run : left);
            in += run;
        } else {
            run = 257 - (size_t)control;
            if (in == end)
                return RUN_CUT;
            memset(out + done, *in++, run < left ? run : left);
        }
        done += run < left ? run : left;
    }
    return FINE;
}

static void join2(const uint8_t *high, const uint8_t *low, uint8_t *out, size_t pixels)
{
    size_t i;

    for (i = 0; i < pixels; i++) {
        out[2 * i] = low[i];
        out[2 * i + 1] = high[i];
    }
}

static void scatter(const uint8_t *plane, uint8_t *out, size_t pixels, size_t step)
{
    size_t i;

    for (i = 0; i < pixels; i++)
        out[i * step] = plane[i];
}

/* Offsets of the segments, the frame's length behind the last; -1 where they cannot be true. */
static int read_header(const uint8_t *in, size_t length, uint32_t segments, size_t *places)
{
    uint32_t i;

    for (i = 0; i < segments; i++) {
        places[i] = u32(in + 4 + 4 * i);
        if (places[i] < HEADER || places[i] > length || (i && places[i] < places[i - 1]))
            return -1;
    }
    places[segments] = length;
    return 0;
}

/* Every segment to its place in the answer; the first failure and its segment. */
static int decode_segments(const uint8_t *in, const size_t *places, uint8_t *planes, uint8_t *out, size_t pixels,
                           uint32_t samples, uint32_t width, uint32_t *segment)
{
    uint32_t s, b, n = 0;
    size_t step = (size_t)samples * width;

    for (s = 0; s < samples; s++)
        for (b = 0; b < width; b++, n++) {
            uint8_t *plane = step == 1 ? out : planes + (width == 2 ? b * pixels : 0);
            int failed = unpack(in + places[n], places[n + 1] - places[n], plane, pixels);

            if (failed) {
                *segment = n;
                return failed;
            }
            if (step == 1)
                continue;
            if (step == 2 && width == 2) {
                if (b)
                    join2(planes, planes + pixels, out, pixels);
            } else {
                scatter(plane, out + (size_t)s * width + (width - 1 - b), pixels, step);
            }
        }
    return FINE;
}

static PyObject *refuse(int failed, uint32_t segment)
{
    const char *what = failed == RUN_CUT ? "ends within a run" : "holds too few bytes";

    return PyErr_Format(PyExc_ValueError, "segment %u %s", (unsigned)segment + 1, what);
}

static PyObject *decode(PyObject *self, PyObject *args)
{
    Py_buffer view;
    Py_ssize_t pixels;
    unsigned int samples, width;
    uint32_t said, segment = 0;
    size_t places[MOST_SEGMENTS + 1];
    uint8_t *planes = NULL;
    PyObject *answer = NULL;
    int failed;

    if (!PyArg_ParseTuple(args, "y*nII", &view, &pixels, &samples, &width))
        return NULL;
    if (pixels < 1 || samples < 1 || width < 1 || samples > MOST_SEGMENTS || width > MOST_SEGMENTS ||
        samples * width > MOST_SEGMENTS || pixels > PY_SSIZE_T_MAX / (Py_ssize_t)(samples * width) / 2) {
        PyErr_SetString(PyExc_ValueError, "pixels, samples and width are no frame");
        goto out;
    }
    if (view.len < HEADER) {
        PyErr_SetString(PyExc_ValueError, "the frame is shorter than its header");
        goto out;
    }
    said = u32(view.buf);
    if (said != samples * width) {
        PyErr_Format(PyExc_ValueError, "%u segments where %u are needed", (unsigned)said, samples * width);
        goto out;
    }
    if (read_header(view.buf, (size_t)view.len, said, places)) {
        PyErr_SetString(PyExc_ValueError, "the segments' offsets cannot be true");
        goto out;
    }
    if (samples * width > 1 && !(planes = PyMem_RawMalloc((size_t)pixels * (width == 2 ? 2 : 1)))) {
        PyErr_NoMemory();
        goto out;
    }
    answer = PyBytes_FromStringAndSize(NULL, pixels * (Py_ssize_t)(samples * width));
    if (!answer)
        goto out;
    Py_BEGIN_ALLOW_THREADS
    failed = decode_segments(view.buf, places, planes, (uint8_t *)PyBytes_AS_STRING(answer), (size_t)pixels, samples,
                             width, &segment);
    Py_END_ALLOW_THREADS
    if (failed) {
        Py_CLEAR(answer);
        refuse(failed, segment);
    }
out:
    PyMem_RawFree(planes);
    PyBuffer_Release(&view);
    return answer;
}

static PyMethodDef methods[] = {
    {"decode", decode, METH_VARARGS, "decode(frame, pixels, samples, width) -> bytes"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_rle", "RLE frames to plain values.", -1, methods,
};

PyMODINIT_FUNC PyInit__rle(void) { return PyModule_Create(&module); }
