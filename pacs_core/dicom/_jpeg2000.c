/* Reversible JPEG 2000 frames to plain values (ITU-T T.800 | ISO 15444-1).
 *
 * decode(frame, rows, columns, components) -> (bytes of a sample, whether signed, bytes)
 *     answer   1 or 2 bytes a sample in the machine's order, rows * columns * components of them
 * What DICOM's lossless frames are: one to four components, sampled alike, of 1 to 16 bits; any tiles, precincts, levels,
 * layers and orders; the 5-3 wavelet, the reversible mixture of colours, code-blocks of the plain style. Raises
 * ValueError, saying what, where a frame is anything else, or where its packets do not end exactly where its tile-parts do
 * or a block has more passes than planes; another decoder may know better. Nothing is read beyond the frame and nothing
 * written beyond the answer, whatever the bytes are; memory is bounded by the frame's bytes and the answer's. The GIL is
 * released.
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
#ifdef __SANITIZE_ADDRESS__
#define INLINE static /* inlined and instrumented at once takes the compiler half a minute */
#else
#define INLINE static inline __attribute__((always_inline))
#endif
#define RARE(x) __builtin_expect(!!(x), 0)
#endif

#ifdef __has_builtin
#if __has_builtin(__builtin_expect_with_probability)
#define EITHER(x) __builtin_expect_with_probability(!!(x), 1, 0.5) /* nobody could foresee it: no jump, please */
#endif
#endif
#ifndef EITHER
#define EITHER(x) (x)
#endif

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

INLINE uint32_t trailing_zeros(uint64_t v) /* v is not 0 */
{
#ifdef _MSC_VER
    unsigned long place;

    _BitScanForward64(&place, v);
    return (uint32_t)place;
#else
    return (uint32_t)__builtin_ctzll(v);
#endif
}

#include "_eight_bytes.h"
#include "_jpeg2000_headers.h"
#include "_jpeg2000_blocks.h"
#include "_jpeg2000_order.h"
#include "_jpeg2000_wavelet.h"

typedef struct { /* what every tile of a frame needs */
    const Image *image;
    const uint8_t *frame;
    List tile_parts;
    Block *block;
    uint8_t *joined, *plain; /* a block's pieces; these without stuffed bits */
    size_t room;
    uint8_t *out;
} Work;

/* ---- tier 1 -------------------------------------------------------------------------------------------------------- */

/* A block's pieces one behind the other; its end, or NULL without memory. */
static const uint8_t *join(Work *work, const Tile *tile, const CodeBlock *from)
{
    const Piece *pieces = tile->pieces.items;
    size_t length = 0;
    uint32_t n;
    uint8_t *out;

    for (n = from->first; n != NONE; n = pieces[n].next)
        length += pieces[n].length;
    if (length > work->room || !work->joined) {
        PyMem_RawFree(work->joined);
        PyMem_RawFree(work->plain);
        work->room = 2 * length + 4096;
        work->joined = PyMem_RawMalloc(work->room);
        work->plain = PyMem_RawMalloc(work->room + 2 * SPARE);
        if (!work->joined || !work->plain)
            return NULL;
    }
    out = work->joined;
    for (n = from->first; n != NONE; n = pieces[n].next) {
        memcpy(out, work->frame + pieces[n].data, pieces[n].length);
        out += pieces[n].length;
    }
    return out;
}

INLINE int decode_blocks(Work *work, Tile *tile, const Band *band, const Part *part)
{
    size_t stride = (size_t)width(&band->box);
    uint32_t n;

    for (n = 0; n < part->wide * part->high; n++) {
        const CodeBlock *from = (CodeBlock *)tile->blocks.items + part->block + n;
        const uint8_t *end, *last;

        if (!from->passes)
            continue;
        end = join(work, tile, from);
        if (!end)
            return NO_MEMORY;
        last = unstuffed(work->joined, end, work->plain);
        work->block->wide = from->wide;
        work->block->high = from->high;
        work->block->zero = zero_contexts[band->kind];
        decode_block(work->block, work->plain, last, from->passes, from->planes,
                     band->values + (size_t)from->y * stride + (size_t)from->x, stride);
    }
    return 0;
}

INLINE int decode_bands(Work *work, Tile *tile)
{
    int32_t count = tile->image->components * (tile->image->levels + 1), n, k, failed = 0;
    int64_t precinct;

    for (n = 0; n < count; n++) {
        const Resolution *r = tile->resolutions + n;
        const Part *part = (Part *)tile->parts.items + r->first_part;

        for (precinct = 0; precinct < r->across * r->down; precinct++)
            for (k = 0; k < r->bands && !failed; k++)
                failed = decode_blocks(work, tile, &r->band[k], part++);
    }
    return failed;
}

/* ---- tiles --------------------------------------------------------------------------------------------------------- */

/* One component from its bands into `out`; `other` and `even` are room for as many values and for a row and two. */
INLINE void decode_component(const Resolution *r, int32_t levels, int32_t *out, int32_t *other, int32_t *even)
{
    const int32_t *low = r->band[0].values;
    int32_t n;

    for (n = 1; n <= levels; n++) {
        int32_t *into = (levels - n) % 2 ? other : out;

        if (empty(&r[n].box))
            continue;
        synthesise(&r[n], low, into, even);
        low = into;
    }
    if (low != out)
        memcpy(out, low, sizeof *out * (size_t)(width(&r[levels].box) * height(&r[levels].box)));
}

INLINE int decode_values(Work *work, Tile *tile)
{
    const Image *image = tile->image;
    size_t size = (size_t)(width(&tile->box) * height(&tile->box)), count = (size_t)image->components, n;
    int32_t *room = PyMem_RawMalloc(sizeof *room * ((count + 1) * size + (size_t)width(&tile->box) + 2));

    if (!room)
        return NO_MEMORY;
    for (n = 0; n < count; n++)
        decode_component(tile->resolutions + n * (size_t)(image->levels + 1), image->levels, room + n * size,
                         room + count * size, room + (count + 1) * size);
    if (image->mixed)
        unmix(room, room + size, room + 2 * size, size);
    for (n = 0; n < count; n++)
        put_tile(image, &tile->box, room + n * size, work->out + n * (image->depth > 8 ? 2 : 1));
    PyMem_RawFree(room);
    return 0;
}

INLINE int decode_data(Work *work, Tile *tile)
{
    int failed = decode_bands(work, tile);

    return failed ? failed : decode_values(work, tile);
}

typedef int (*Data)(Work *, Tile *);

static int data_anywhere(Work *work, Tile *tile) { return decode_data(work, tile); }

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2,bmi,bmi2,lzcnt"))) static int data_v3(Work *work, Tile *tile)
{
    return decode_data(work, tile);
}

static Data best_data(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") ? data_v3
                                                                                                              : data_anywhere;
}
#else
static Data best_data(void) { return data_anywhere; }
#endif

static int decode_tile(Work *work, Box box, uint32_t first_part)
{
    Tile tile;
    Reading reading = {&tile, work->tile_parts.items, first_part, work->frame};
    int failed = open_tile(&tile, work->image, box, (size_t)(work->image->end - work->image->data));

    if (!failed)
        failed = read_packets(&reading);
    if (!failed)
        failed = best_data()(work, &tile);
    close_tile(&tile);
    return failed;
}

/* ---- the frame ----------------------------------------------------------------------------------------------------- */

/* A.4.2: the header of a tile-part at `p` with nothing in it that changes how it is read; where its data begin. */
static const uint8_t *tile_part(const uint8_t *p, const uint8_t *end, TilePart *part, uint32_t *number)
{
    uint32_t length;

    if (end - p < 14 || u16(p) != 0xFF90 || u16(p + 2) != 10)
        return NULL;
    part->tile = u16(p + 4);
    length = u32(p + 6);
    *number = p[10];
    if (length < 14 || length > (size_t)(end - p))
        return NULL;
    part->end = p + length;
    for (p += 12; part->end - p >= 4 && u16(p) != 0xFF93; p += 2 + length) {
        length = u16(p + 2);
        if ((u16(p) != 0xFF58 && u16(p) != 0xFF64) || length < 2 || part->end - p < 2 + (int64_t)length)
            return NULL;
    }
    if (part->end - p < 2 || u16(p) != 0xFF93)
        return NULL;
    part->data = p + 2;
    part->next = NONE;
    return part->data;
}

/* The tile-parts from the headers to the end marker; `tiles` gets the first of each tile, its last and their number. */
static int find_parts(Work *work, uint32_t (*tiles)[3], uint32_t count)
{
    const uint8_t *p = work->image->data, *end = work->image->end;
    uint32_t n, number;

    for (n = 0; n < count; n++)
        tiles[n][0] = NONE;
    while (end - p >= 2 && u16(p) == 0xFF90) {
        TilePart part, *kept;
        uint32_t *of, place = (uint32_t)work->tile_parts.count;

        if (!tile_part(p, end, &part, &number) || part.tile >= count)
            return OTHERWISE;
        of = tiles[part.tile];
        if (number != of[2]++ || !(kept = more(&work->tile_parts, 1, sizeof *kept)))
            return OTHERWISE;
        *kept = part;
        if (of[0] == NONE)
            of[0] = place;
        else
            ((TilePart *)work->tile_parts.items)[of[1]].next = place;
        of[1] = place;
        p = part.end;
    }
    return end - p >= 2 && u16(p) == 0xFFD9 ? 0 : OTHERWISE;
}

static int decode_tiles(Work *work)
{
    const Image *image = work->image;
    int64_t across = (image->image.right - image->tile_left + image->tile_wide - 1) / image->tile_wide;
    int64_t down = (image->image.bottom - image->tile_top + image->tile_high - 1) / image->tile_high, n;
    size_t coded = (size_t)(image->end - image->data);
    uint32_t(*tiles)[3];
    int failed;

    if (across > 65535 || down > 65535 || across * down > 65535 || (size_t)(across * down) > coded / 14)
        return OTHERWISE;
    work->tile_parts.most = coded / 14;
    tiles = PyMem_RawCalloc((size_t)(across * down), sizeof *tiles);
    if (!tiles)
        return NO_MEMORY;
    failed = find_parts(work, tiles, (uint32_t)(across * down));
    for (n = 0; n < across * down && !failed; n++) {
        int64_t left = image->tile_left + n % across * image->tile_wide, top = image->tile_top + n / across * image->tile_high;
        Box box = common(image->image, (Box){left, top, left + image->tile_wide, top + image->tile_high});

        failed = decode_tile(work, box, tiles[n][0]);
    }
    PyMem_RawFree(tiles);
    return failed;
}

static int decode_image(const Image *image, const uint8_t *frame, uint8_t *out)
{
    Work work = {0};
    int failed = NO_MEMORY;

    work.image = image;
    work.frame = frame;
    work.out = out;
    work.block = PyMem_RawMalloc(sizeof *work.block);
    if (work.block)
        failed = decode_tiles(&work);
    PyMem_RawFree(work.block);
    PyMem_RawFree(work.joined);
    PyMem_RawFree(work.plain);
    PyMem_RawFree(work.tile_parts.items);
    return failed;
}

static PyObject *decode_checked(const Image *image, const uint8_t *frame)
{
    Py_ssize_t wide = image->depth > 8 ? 2 : 1;
    PyObject *values = PyBytes_FromStringAndSize(
        NULL, (Py_ssize_t)(width(&image->image) * height(&image->image)) * image->components * wide);
    int failed;

    if (!values)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    failed = decode_image(image, frame, (uint8_t *)PyBytes_AS_STRING(values));
    Py_END_ALLOW_THREADS
    if (!failed)
        return Py_BuildValue("(niN)", wide, image->is_signed, values);
    Py_DECREF(values);
    if (failed == NO_MEMORY)
        return PyErr_NoMemory();
    PyErr_SetString(PyExc_ValueError, "the packets do not end where their tiles do");
    return NULL;
}

static PyObject *decode(PyObject *self, PyObject *args)
{
    Py_buffer view;
    unsigned int rows, columns;
    int components;
    Image image;
    const char *wrong;
    PyObject *answer = NULL;

    if (!PyArg_ParseTuple(args, "y*IIi", &view, &rows, &columns, &components))
        return NULL;
    wrong = read_headers(view.buf, (const uint8_t *)view.buf + view.len, &image);
    if (!wrong && (height(&image.image) != rows || width(&image.image) != columns || image.components != components))
        wrong = "an image of another size";
    if (!wrong && (uint64_t)view.len > UINT32_MAX)
        wrong = "more data than are counted here";
    if (wrong)
        PyErr_SetString(PyExc_ValueError, wrong);
    else
        answer = decode_checked(&image, view.buf);
    PyBuffer_Release(&view);
    return answer;
}

static PyMethodDef methods[] = {
    {"decode", decode, METH_VARARGS, "decode(frame, rows, columns, components) -> (bytes of a sample, signed, bytes)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_jpeg2000", "Reversible JPEG 2000 frames to plain values.", -1, methods,
};

PyMODINIT_FUNC PyInit__jpeg2000(void)
{
    make_states();
    make_contexts();
    return PyModule_Create(&module);
}
