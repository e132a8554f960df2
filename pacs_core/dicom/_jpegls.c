/* Lossless JPEG-LS frames of one component to plain values (ISO 14495-1, ITU-T T.87).
 *
 * decode(frame, rows, columns) -> (bytes of a sample, bytes)
 *     answer   1 or 2 bytes a sample, little endian, rows * columns of them
 * What DICOM's grey frames are: one scan, one component, 2 to 16 bits, NEAR 0, the largest value 2^bits - 1, thresholds
 * and reset of the standard or of a preset segment. Raises ValueError, saying what, where a frame is anything else or
 * its data do not end exactly where the image does; another decoder may know better. Nothing is read beyond the frame
 * and nothing written beyond the answer, whatever the bytes are. The GIL is released.
 *
 * Made for the way processors wait: what a sample needs of its context (the Golomb parameter, the turn of the sign) is
 * worked out when the context is left, not when it is met again; two of the three gradients come from the line above;
 * the stuffed bits are taken out beforehand, so that eight bytes can be taken at once.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#ifdef _MSC_VER
#include <intrin.h>
#define INLINE static __forceinline
#define RARE(x) (x)
#else
#define INLINE static inline __attribute__((always_inline))
#define RARE(x) __builtin_expect(!!(x), 0)
#endif

#include "_eight_bytes.h"
#include "_jpegls_headers.h"

#define CONTEXTS 365
#define SPARE 32 /* zeros behind the data: a code of zeros is false, so that nothing goes on there */

typedef struct { /* A.2.1; in an order that no compiler joins stores of, which would wait for each other */
    int32_t a;    /* sum of the errors' sizes */
    int16_t n;    /* their count */
    int16_t k;    /* Golomb parameter (A.5.1), kept up to date */
    int32_t b;    /* sum of the errors */
    int16_t c;    /* correction of the guess */
    int16_t flip; /* -1 where the mapping of A.5.2 is turned over, else 0 */
} Context;

typedef struct {
    int32_t a, n, negative;
} RunContext;

typedef struct {
    const uint8_t *next; /* the next byte not yet in `cache` */
    uint64_t cache;      /* left-aligned */
    int32_t count;       /* bits of it that count */
} Bits;

typedef struct {
    Context regular[CONTEXTS];
    RunContext run[2];
    Bits bits;
    int32_t run_index;
    int32_t largest, depth, longest, reset; /* `longest` row of zeros before a code (A.5.3) */
    const int8_t *quantised; /* of a gradient, its middle at 0 */
} State;

static const uint8_t J[32] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
                              4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

INLINE int leading_zeros(uint64_t v) /* v is not 0 */
{
#ifdef _MSC_VER
    unsigned long place;

    _BitScanReverse64(&place, v);
    return 63 - (int)place;
#else
    return __builtin_clzll(v);
#endif
}

INLINE uint64_t eight_bytes(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
           (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

/* ---- bits ---------------------------------------------------------------------------------------------------------- */

/* At least 56 bits in the cache.
 *
 * Behind the data come zeros. Every code has a one among its first 56 bits and at most 32 bits behind that, or is false
 * and ends the image; so `next` is never more than 16 bytes behind the data, and loads end within SPARE.
 */
INLINE void refill(Bits *b)
{
    b->cache |= eight_bytes(b->next) >> b->count;
    b->next += (63 - b->count) >> 3;
    b->count |= 56;
}

INLINE uint32_t take(Bits *b, int count) /* 0 to 63, which the cache has; the value of no more than 32 */
{
    uint32_t value = (uint32_t)(b->cache >> 1 >> (63 - count));

    b->cache <<= count;
    b->count -= count;
    return value;
}

/* What follows the longest row of zeros: the value as it is (A.5.3), or -1. */
static int64_t escaped(Bits *b, int zeros, int longest, int depth)
{
    if (zeros != longest)
        return -1;
    take(b, zeros);
    take(b, 1);
    refill(b);
    return (int64_t)take(b, depth) + 1;
}

/* A limited Golomb code (A.5.3): its value, or -1 where there is none of this length. */
INLINE int64_t golomb(Bits *b, int k, int longest, int depth)
{
    int zeros;
    uint64_t value;

    refill(b);
    if (RARE(b->cache < 256))
        return -1;
    zeros = leading_zeros(b->cache);
    if (RARE(zeros >= longest)) {
        Bits aside = *b;
        int64_t found = escaped(&aside, zeros, longest, depth);

        *b = aside;
        return found;
    }
    b->cache = b->cache << zeros << 1;
    b->count -= zeros + 1;
    if (RARE(b->count < k))
        refill(b);
    value = ((uint64_t)zeros << k) + (b->cache >> 1 >> (63 - k));
    b->cache <<= k;
    b->count -= k;
    return (int64_t)value;
}

/* ---- samples ------------------------------------------------------------------------------------------------------- */

/* The smallest k with n << k >= a. */
INLINE int32_t parameter(int32_t a, int32_t n)
{
    int k = leading_zeros((uint64_t)n) - leading_zeros((uint64_t)a | 1);

    k = k < 0 ? 0 : k;
    return k + (((int64_t)n << k) < a);
}

INLINE int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
INLINE int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

/* A.6: what an error teaches its context; without branches, which nobody could foresee. */
INLINE void learn(Context *q, int32_t error, int32_t reset)
{
    int32_t turn = error >> 31, a = q->a + ((error ^ turn) - turn), b = q->b + error, n = q->n, low, high, k;

    if (RARE(n == reset)) {
        a >>= 1;
        b >>= 1;
        n >>= 1;
    }
    n++;
    low = -(int32_t)(b <= -n);
    high = -(int32_t)(b > 0);
    b += (n & low) - (n & high);
    b = most(least(b, 0), 1 - n); /* neither changes anything where the bias was within bounds */
    k = parameter(a, n);
    q->a = a;
    q->n = (int16_t)n;
    q->k = (int16_t)k;
    q->b = b;
    q->c = (int16_t)most(least(q->c + low - high, 127), -128);
    q->flip = (int16_t)-((k | (2 * b > -n)) == 0);
}

/* A.4 to A.6: a sample outside of runs; -1 where its code cannot be true. */
INLINE int32_t regular(State *s, Bits *bits, int32_t index, int32_t left, int32_t above, int32_t corner)
{
    int32_t sign = index >> 31, low = least(left, above), high = most(left, above);
    int32_t guess = most(low, least(high, left + above - corner)), error;
    Context *q = &s->regular[(index ^ sign) - sign];
    int64_t mapped;

    guess = most(0, least(s->largest, guess + ((q->c ^ sign) - sign)));
    mapped = golomb(bits, q->k, s->longest, s->depth);
    if (RARE((uint64_t)mapped > (uint64_t)s->largest))
        return -1;
    error = ((int32_t)(mapped >> 1) ^ -(int32_t)(mapped & 1)) ^ q->flip;
    learn(q, error, s->reset);
    return (guess + ((error ^ sign) - sign)) & s->largest;
}

/* A.7.2: the sample that ends a run; -1 where its code cannot be true. */
static int32_t interruption(State *s, int32_t left, int32_t above)
{
    int32_t same = left == above, temp, map, error, turned;
    RunContext *q = &s->run[same];
    int k = parameter(same ? q->a + (q->n >> 1) : q->a, q->n);
    int64_t mapped = golomb(&s->bits, k, s->longest - J[s->run_index] - 1, s->depth);

    if (mapped < 0 || mapped > 2 * (int64_t)s->largest)
        return -1;
    temp = (int32_t)mapped + same;
    map = temp & 1;
    error = (temp + map) / 2;
    if ((k || 2 * q->negative >= q->n) == map)
        error = -error;
    q->negative += error < 0;
    q->a += ((int32_t)mapped + 1 - same) >> 1;
    if (q->n == s->reset) {
        q->a >>= 1;
        q->n >>= 1;
        q->negative >>= 1;
    }
    q->n++;
    if (s->run_index > 0)
        s->run_index--;
    turned = !same && left > above ? -error : error;
    return ((same ? left : above) + turned) & s->largest;
}

/* A.7.1: how many of `left_over` samples a run goes on for. */
static uint32_t run_length(State *s, uint32_t left_over)
{
    uint32_t done = 0, more;

    for (;;) {
        if (s->bits.count < 32)
            refill(&s->bits);
        if (!take(&s->bits, 1))
            break;
        more = 1u << J[s->run_index];
        if (more > left_over - done)
            return left_over;
        done += more;
        if (s->run_index < 31)
            s->run_index++;
        if (done == left_over)
            return done;
    }
    more = take(&s->bits, J[s->run_index]);
    return more > left_over - done ? UINT32_MAX : done + more;
}

/* A.7: a run and the sample that ends it, or the line; how many samples, 0 at a false code. */
static uint32_t decode_run(State *s, const uint16_t *above, uint16_t *line, uint32_t left_over)
{
    uint16_t left = line[-1];
    uint32_t n, run = run_length(s, left_over);
    int32_t value;

    if (run > left_over)
        return 0;
    for (n = 0; n < run; n++)
        line[n] = left;
    if (run == left_over)
        return run;
    value = interruption(s, left, above[run]);
    if (value < 0)
        return 0;
    line[run] = (uint16_t)value;
    return run + 1;
}

/* One line; `above` and `line` have a sample before their first and one behind their last. 0, or -1 at a false code. */
INLINE int decode_line(State *s, const uint16_t *above, uint16_t *line, uint32_t columns)
{
    const int8_t *quantised = s->quantised;
    Bits bits = s->bits; /* in registers while no run is decoded */
    int32_t left = line[0], corner = above[0], up = above[1], second = quantised[up - corner], value;
    uint32_t x = 0, run;

    while (x < columns) {
        int32_t next = above[x + 2], first = quantised[next - up];
        int32_t index = 81 * first + 9 * second + quantised[corner - left];

        if (index) {
            value = regular(s, &bits, index, left, up, corner);
            if (value < 0)
                return -1;
            line[++x] = (uint16_t)value;
            left = value;
            corner = up;
            up = next;
            second = first;
            continue;
        }
        s->bits = bits;
        run = decode_run(s, above + x + 1, line + x + 1, columns - x);
        bits = s->bits;
        if (!run)
            return -1;
        x += run;
        left = line[x];
        corner = above[x];
        up = above[x + 1];
        second = quantised[up - corner];
    }
    s->bits = bits;
    return 0;
}

/* Whether no more than padding is left, and that of zeros. */
static int ends_here(Bits *b, const uint8_t *start, uint64_t held, uint64_t padding)
{
    uint64_t taken = 8 * (uint64_t)(b->next - start) - (uint64_t)b->count;

    refill(b);
    return taken <= held && held - taken < padding && !b->cache;
}

/* Every line into `out`; -1 where a code is false or bits are missing or left. */
INLINE int decode_lines(State *s, const Image *image, uint16_t *lines, uint8_t *out, uint64_t held)
{
    uint32_t columns = image->columns, y, x;
    uint16_t *above = lines, *line = lines + columns + 2, *other;
    const uint8_t *start = s->bits.next, *last = image->marker - 1;
    uint64_t padding = last > image->data && last[-1] == 0xFF ? 15 : 8; /* the last byte may be stuffed itself */

    for (y = 0; y < image->rows; y++) {
        above[columns + 1] = above[columns];
        line[0] = above[1];
        if (decode_line(s, above, line, columns))
            return -1;
        if (image->bits > 8)
            for (x = 0; x < columns; x++) {
                out[2 * x] = (uint8_t)line[x + 1];
                out[2 * x + 1] = (uint8_t)(line[x + 1] >> 8);
            }
        else
            for (x = 0; x < columns; x++)
                out[x] = (uint8_t)line[x + 1];
        out += (size_t)columns * (image->bits > 8 ? 2 : 1);
        other = above;
        above = line;
        line = other;
    }
    return ends_here(&s->bits, start, held, padding) ? 0 : -1;
}

typedef int (*Lines)(State *, const Image *, uint16_t *, uint8_t *, uint64_t);

static int lines_anywhere(State *s, const Image *image, uint16_t *lines, uint8_t *out, uint64_t held)
{
    return decode_lines(s, image, lines, out, held);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("bmi,bmi2,lzcnt"))) static int lines_bmi(State *s, const Image *image, uint16_t *lines,
                                                               uint8_t *out, uint64_t held)
{
    return decode_lines(s, image, lines, out, held);
}

static Lines best_lines(void)
{
    /* who has AVX2 and BMI2 has the leading zeros' instruction, for which not every compiler knows a question */
    return __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("avx2")
               ? lines_bmi
               : lines_anywhere;
}
#else
static Lines best_lines(void) { return lines_anywhere; }
#endif

/* ---- the frame ----------------------------------------------------------------------------------------------------- */

/* The scan's bits without those that are stuffed in behind 255 (A.1): how many, or -1 where no end follows them. */
static int64_t unstuffed(Image *image, uint8_t *out)
{
    const uint8_t *p = image->data, *end = image->end;
    uint64_t pending = 0; /* its lowest `waiting` bits are not written yet */
    int waiting = 0, after = 0;
    uint8_t *start = out;

    for (; p < end; p++) {
        uint8_t byte;

        while (!after && end - p > 8 && has_no_255(eight_bytes(p))) {
            uint64_t eight = eight_bytes(p);

            put_eight(out, pending << 1 << (63 - waiting) | eight >> waiting);
            pending = eight;
            out += 8;
            p += 8;
        }
        byte = *p;
        if (after && byte & 0x80)
            break;
        pending = pending << (after ? 7 : 8) | byte;
        waiting += after ? 7 : 8;
        after = byte == 0xFF;
        while (waiting >= 8) {
            waiting -= 8;
            *out++ = (uint8_t)(pending >> waiting);
        }
    }
    if (p >= end || !after || *p != 0xD9)
        return -1;
    image->marker = p - 1;
    /* the marker's own first byte was written as data: its eight bits are the last */
    *out = (uint8_t)(pending << (8 - waiting));
    return 8 * (int64_t)(out - start) + waiting - 8;
}

static void quantise(const Image *image, int8_t *middle)
{
    int32_t d, n;

    for (d = 0; d <= image->largest; d++) {
        int8_t q = d > 0;

        for (n = 0; n < 3; n++)
            q = (int8_t)(q + (d >= image->thresholds[n]));
        middle[d] = q;
        middle[-d] = (int8_t)-q;
    }
}

static void begin(State *s, const Image *image, const uint8_t *data, const int8_t *quantised)
{
    int32_t a = (image->largest + 33) / 64, bits = image->bits < 2 ? 2 : (int32_t)image->bits, n;

    memset(s, 0, sizeof *s);
    a = a < 2 ? 2 : a;
    for (n = 0; n < CONTEXTS; n++) {
        s->regular[n].a = a;
        s->regular[n].n = 1;
        s->regular[n].k = (int16_t)parameter(a, 1);
    }
    for (n = 0; n < 2; n++) {
        s->run[n].a = a;
        s->run[n].n = 1;
    }
    s->bits.next = data;
    s->largest = image->largest;
    s->depth = bits;
    s->longest = 2 * (bits + (bits < 8 ? 8 : bits)) - bits - 1;
    s->reset = image->reset;
    s->quantised = quantised;
}

/* 0; -1 without memory; -2 where the data are not those of the image. */
static int decode_image(Image *image, uint8_t *out)
{
    size_t coded = (size_t)(image->end - image->data), table = 2 * (size_t)image->largest + 1;
    size_t line = (size_t)image->columns + 2;
    uint8_t *data = PyMem_RawMalloc(coded + 2 * SPARE);
    int8_t *quantised = PyMem_RawMalloc(table);
    uint16_t *lines = PyMem_RawCalloc(2 * line, sizeof *lines);
    State *s = PyMem_RawMalloc(sizeof *s);
    int failed = -1;

    if (data && quantised && lines && s) {
        int64_t held = unstuffed(image, data);

        failed = -2;
        if (held >= 0) {
            memset(data + (held + 7) / 8, 0, SPARE);
            if (held % 8)
                data[held / 8] &= (uint8_t)(0xFF00 >> held % 8);
            quantise(image, quantised + image->largest);
            begin(s, image, data, quantised + image->largest);
            if (!best_lines()(s, image, lines, out, (uint64_t)held))
                failed = 0;
        }
    }
    PyMem_RawFree(data);
    PyMem_RawFree(quantised);
    PyMem_RawFree(lines);
    PyMem_RawFree(s);
    return failed;
}

static PyObject *decode_checked(Image *image)
{
    Py_ssize_t width = image->bits > 8 ? 2 : 1;
    PyObject *values = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)image->rows * image->columns * width);
    int failed;

    if (!values)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    failed = decode_image(image, (uint8_t *)PyBytes_AS_STRING(values));
    Py_END_ALLOW_THREADS
    if (!failed)
        return Py_BuildValue("(nN)", width, values);
    Py_DECREF(values);
    if (failed == -1)
        return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, "the data do not end where the image does");
    return NULL;
}

static PyObject *decode(PyObject *self, PyObject *args)
{
    Py_buffer view;
    unsigned int rows, columns;
    Image image;
    const char *wrong;
    PyObject *answer = NULL;

    if (!PyArg_ParseTuple(args, "y*II", &view, &rows, &columns))
        return NULL;
    wrong = read_headers(view.buf, (const uint8_t *)view.buf + view.len, &image);
    if (!wrong && (image.rows != rows || image.columns != columns))
        wrong = "an image of another size";
    if (wrong)
        PyErr_SetString(PyExc_ValueError, wrong);
    else
        answer = decode_checked(&image);
    PyBuffer_Release(&view);
    return answer;
}

static PyMethodDef methods[] = {
    {"decode", decode, METH_VARARGS, "decode(frame, rows, columns) -> (bytes of a sample, bytes)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_jpegls", "Lossless JPEG-LS frames of one component to plain values.", -1, methods,
};

PyMODINIT_FUNC PyInit__jpegls(void) { return PyModule_Create(&module); }
