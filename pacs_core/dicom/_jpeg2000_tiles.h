/* The parts of a tile (ITU-T T.800 annex B): resolutions, bands, precincts, code-blocks, and memory for them; included
   by _jpeg2000.c alone. */
#ifndef JPEG2000_TILES_H
#define JPEG2000_TILES_H

#define NONE UINT32_MAX
#define NO_MEMORY (-1)
#define OTHERWISE (-2) /* not as it is known here, or damaged */

typedef struct { /* of a tag tree (B.10.2) */
    uint16_t value; /* as far as it is known */
    uint16_t known; /* whether it is */
} Node;

typedef struct {
    uint32_t data, length, next; /* into the frame; the next piece or NONE */
} Piece;

typedef struct {
    int32_t x, y; /* in its band's values */
    uint16_t wide, high;
    uint8_t planes, length_bits; /* without those that are zero; B.10.7 */
    uint16_t passes;             /* 0: not yet included */
    uint32_t first, last;        /* pieces */
} CodeBlock;

typedef struct { /* of a precinct, in one band */
    uint32_t block, wide, high; /* its first */
    uint32_t included, planes;  /* roots of tag trees are the last of their nodes */
} Part;

typedef struct {
    Box box;
    int32_t *values;
    int32_t kind, planes; /* 0: low or high downwards, 1: high across, 2: both */
} Band;

typedef struct {
    Box box;
    int32_t wide_bits, high_bits; /* of a precinct */
    int64_t across, down;         /* precincts */
    int32_t bands;
    Band band[3];
    uint32_t first_part;
} Resolution;

typedef struct {
    void *items;
    size_t count, room, most;
} List;

typedef struct {
    const Image *image;
    Box box;
    Resolution *resolutions; /* of the first component, of the second, ... */
    int32_t *values;
    List nodes, pieces, blocks, parts;
    const uint8_t *p, *end; /* of the tile-part that is read */
} Tile;

static int64_t up(int64_t value, int32_t bits) { return (value + ((int64_t)1 << bits) - 1) >> bits; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t width(const Box *box) { return box->right - box->left; }
static int64_t height(const Box *box) { return box->bottom - box->top; }
static int empty(const Box *box) { return box->left >= box->right || box->top >= box->bottom; }
static Box common(Box a, Box b)
{
    return (Box){larger(a.left, b.left), larger(a.top, b.top), smaller(a.right, b.right), smaller(a.bottom, b.bottom)};
}

/* Room for so many more items; the first of them, all 0. NULL without memory or where there would be more than `most`. */
static void *more(List *list, size_t count, size_t size)
{
    size_t needed = list->count + count;

    if (needed > list->most)
        return NULL;
    if (needed > list->room) {
        size_t room = needed + list->room;
        void *items = PyMem_RawRealloc(list->items, room * size);

        if (!items)
            return NULL;
        list->items = items;
        list->room = room;
    }
    list->count = needed;
    return memset((char *)list->items + (needed - count) * size, 0, count * size);
}

/* B.5: a resolution's or a band's box; `levels` below the tile, high across or downwards where 1. */
static Box shrunk(const Box *box, int32_t levels, int32_t across, int32_t down)
{
    int64_t x = levels ? (int64_t)across << (levels - 1) : 0, y = levels ? (int64_t)down << (levels - 1) : 0;

    return (Box){up(box->left - x, levels), up(box->top - y, levels), up(box->right - x, levels), up(box->bottom - y, levels)};
}

/* The nodes of a tag tree over so many leaves. */
static uint32_t tree(Tile *tile, uint32_t wide, uint32_t high)
{
    uint32_t start = (uint32_t)tile->nodes.count;
    size_t count = (size_t)wide * high;

    while (wide > 1 || high > 1) {
        wide = (wide + 1) / 2;
        high = (high + 1) / 2;
        count += (size_t)wide * high;
    }
    return more(&tile->nodes, count, sizeof(Node)) ? start : NONE;
}

static int make_blocks(Tile *tile, const Box *box, const Box *band, int32_t wide_bits, int32_t high_bits)
{
    Part *part = more(&tile->parts, 1, sizeof *part);
    CodeBlock *block;
    int64_t left, top, x, y;

    if (!part)
        return OTHERWISE;
    part->block = (uint32_t)tile->blocks.count;
    if (empty(box))
        return 0;
    left = box->left >> wide_bits;
    top = box->top >> high_bits;
    part->wide = (uint32_t)(up(box->right, wide_bits) - left);
    part->high = (uint32_t)(up(box->bottom, high_bits) - top);
    block = more(&tile->blocks, (size_t)part->wide * part->high, sizeof *block);
    part->included = tree(tile, part->wide, part->high);
    part->planes = tree(tile, part->wide, part->high);
    if (!block || part->included == NONE || part->planes == NONE)
        return OTHERWISE;
    for (y = top; y < top + part->high; y++)
        for (x = left; x < left + part->wide; x++, block++) {
            Box own = common(*box, (Box){x << wide_bits, y << high_bits, (x + 1) << wide_bits, (y + 1) << high_bits});

            block->x = (int32_t)(own.left - band->left);
            block->y = (int32_t)(own.top - band->top);
            block->wide = (uint16_t)width(&own);
            block->high = (uint16_t)height(&own);
            block->length_bits = 3;
            block->first = block->last = NONE;
        }
    return 0;
}

/* B.6, B.7: the precincts of a resolution, each with its part in every band. */
static int make_parts(Tile *tile, Resolution *r, int32_t high)
{
    const Image *image = tile->image;
    int32_t wide_bits = r->wide_bits - high, high_bits = r->high_bits - high, n, failed = 0;
    int64_t left = r->box.left >> r->wide_bits, top = r->box.top >> r->high_bits, x, y;

    r->first_part = (uint32_t)tile->parts.count;
    if (empty(&r->box))
        return 0;
    r->across = up(r->box.right, r->wide_bits) - left;
    r->down = up(r->box.bottom, r->high_bits) - top;
    if ((double)r->across * (double)r->down > (double)tile->parts.most)
        return OTHERWISE;
    for (y = top; y < top + r->down; y++)
        for (x = left; x < left + r->across; x++)
            for (n = 0; n < r->bands && !failed; n++) {
                Box cell = {x << wide_bits, y << high_bits, (x + 1) << wide_bits, (y + 1) << high_bits};
                Box part = common(cell, r->band[n].box);

                failed = make_blocks(tile, &part, &r->band[n].box, (int32_t)smaller(image->block_wide, wide_bits),
                                     (int32_t)smaller(image->block_high, high_bits));
            }
    return failed;
}

/* One component's resolutions; its values stand from `values` on, band after band. */
static int make_resolutions(Tile *tile, Resolution *r, int32_t *values)
{
    const Image *image = tile->image;
    int32_t level, n, failed = 0;

    for (level = 0; level <= image->levels && !failed; level++, r++) {
        int32_t high = level > 0, below = image->levels - level;

        r->box = shrunk(&tile->box, below, 0, 0);
        r->wide_bits = image->part_wide[level];
        r->high_bits = image->part_high[level];
        r->bands = high ? 3 : 1;
        for (n = 0; n < r->bands; n++) {
            Band *band = &r->band[n];

            band->box = high ? shrunk(&tile->box, below + 1, n != 1, n != 0) : r->box;
            band->kind = high ? n == 0 ? 1 : n == 1 ? 0 : 2 : 0;
            band->planes = image->planes[high ? 3 * (level - 1) + 1 + n : 0];
            band->values = values;
            if (!empty(&band->box))
                values += width(&band->box) * height(&band->box);
        }
        failed = make_parts(tile, r, high);
    }
    return failed;
}

static void close_tile(Tile *tile)
{
    PyMem_RawFree(tile->resolutions);
    PyMem_RawFree(tile->values);
    PyMem_RawFree(tile->nodes.items);
    PyMem_RawFree(tile->pieces.items);
    PyMem_RawFree(tile->blocks.items);
    PyMem_RawFree(tile->parts.items);
}

/* What a tile is made of, before its data are read; memory as its values need, and that again for its parts. */
static int open_tile(Tile *tile, const Image *image, Box box, size_t coded)
{
    size_t size = (size_t)(width(&box) * height(&box)), count = (size_t)image->components;
    int32_t n, failed = 0;

    memset(tile, 0, sizeof *tile);
    tile->image = image;
    tile->box = box;
    tile->parts.most = tile->blocks.most = count * (size / 8 + 1024);
    tile->nodes.most = 4 * tile->blocks.most;
    tile->pieces.most = 2 * coded + 16;
    tile->resolutions = PyMem_RawCalloc(count * (size_t)(image->levels + 1), sizeof *tile->resolutions);
    tile->values = PyMem_RawCalloc(count * size, sizeof *tile->values);
    if (!tile->resolutions || !tile->values)
        return NO_MEMORY;
    for (n = 0; n < image->components && !failed; n++)
        failed = make_resolutions(tile, tile->resolutions + n * (image->levels + 1), tile->values + (size_t)n * size);
    return failed;
}

#endif
