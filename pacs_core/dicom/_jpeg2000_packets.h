/* The packets of a tile to its code-blocks' pieces of data (ITU-T T.800 annex B.9 to B.12); included by _jpeg2000.c
   alone. */
#ifndef JPEG2000_PACKETS_H
#define JPEG2000_PACKETS_H

#include "_jpeg2000_tiles.h"

#define MOST_LENGTH_BITS 31

typedef struct { /* of a packet's header: B.10.1 */
    const uint8_t *p, *end;
    uint32_t byte;
    int32_t left; /* bits of `byte` */
    int32_t over; /* whether bits were asked for behind the end; they are ones, which end every loop */
} Header;

static uint32_t bit(Header *h)
{
    if (!h->left) {
        h->left = h->byte == 0xFF ? 7 : 8;
        h->over |= h->p >= h->end;
        h->byte = h->p < h->end ? *h->p++ : 0xFF;
    }
    return h->byte >> --h->left & 1;
}

static uint32_t bits(Header *h, int32_t count)
{
    uint32_t value = 0;

    while (count--)
        value = value << 1 | bit(h);
    return value;
}

/* B.10.2: whether a leaf's value is less than `limit`; reads what is needed to know it. */
static int less_than(Header *h, Node *nodes, uint32_t wide, uint32_t high, uint32_t x, uint32_t y, uint32_t limit)
{
    Node *path[16];
    int32_t depth = 0;
    uint32_t lowest = 0;

    for (;;) { /* the path from the leaf to the root */
        path[depth++] = nodes + (size_t)y * wide + x;
        if (wide == 1 && high == 1)
            break;
        nodes += (size_t)wide * high;
        wide = (wide + 1) / 2;
        high = (high + 1) / 2;
        x /= 2;
        y /= 2;
    }
    while (depth--) {
        Node *node = path[depth];

        if (node->value < lowest)
            node->value = (uint16_t)lowest;
        while (!node->known && node->value < limit) {
            if (bit(h))
                node->known = 1;
            else
                node->value++;
        }
        lowest = node->value;
    }
    return path[0]->known && path[0]->value < limit;
}

/* Table B.4 */
static uint32_t passes_of(Header *h)
{
    uint32_t n;

    if (!bit(h))
        return 1;
    if (!bit(h))
        return 2;
    if ((n = bits(h, 2)) < 3)
        return 3 + n;
    if ((n = bits(h, 5)) < 31)
        return 6 + n;
    return 37 + bits(h, 7);
}

static int32_t log2_of(uint32_t n)
{
    int32_t found = 0;

    while (n >>= 1)
        found++;
    return found;
}

/* B.10.4: a block's first inclusion; its planes become known. */
static int include(Tile *tile, Header *h, const Part *part, CodeBlock *block, uint32_t x, uint32_t y, int32_t planes,
                   uint32_t layer)
{
    uint32_t none = 1;

    if (!less_than(h, (Node *)tile->nodes.items + part->included, part->wide, part->high, x, y, layer + 1))
        return 0;
    while (!less_than(h, (Node *)tile->nodes.items + part->planes, part->wide, part->high, x, y, none))
        if (++none > (uint32_t)planes + 1)
            return OTHERWISE;
    block->planes = (uint8_t)((uint32_t)planes - (none - 1));
    return 1;
}

/* What the header says of one block; the length of its piece goes to a new piece without a place yet. */
static int read_block(Tile *tile, Header *h, const Part *part, CodeBlock *block, uint32_t n, int32_t planes, uint32_t layer)
{
    uint32_t passes, place = (uint32_t)tile->pieces.count;
    int found = block->passes ? (int)bit(h)
                              : include(tile, h, part, block, n % part->wide, n / part->wide, planes, layer);
    Piece *piece;

    if (found != 1)
        return found;
    passes = passes_of(h);
    while (bit(h) && !h->over)
        if (++block->length_bits > MOST_LENGTH_BITS)
            return OTHERWISE;
    block->passes = (uint16_t)(block->passes + passes);
    if (h->over || block->passes > 3 * block->planes - 2 || block->length_bits + log2_of(passes) > MOST_LENGTH_BITS)
        return OTHERWISE;
    piece = more(&tile->pieces, 1, sizeof *piece);
    if (!piece)
        return OTHERWISE;
    piece->length = bits(h, block->length_bits + log2_of(passes));
    piece->next = NONE;
    if (block->last == NONE)
        block->first = place;
    else
        ((Piece *)tile->pieces.items)[block->last].next = place;
    block->last = place;
    return 0;
}

static int read_header(Tile *tile, Header *h, const Resolution *r, const Part *parts, uint32_t layer)
{
    int32_t n, failed = 0;
    uint32_t k;

    if (bit(h))
        for (n = 0; n < r->bands; n++)
            for (k = 0; k < parts[n].wide * parts[n].high && !failed; k++)
                failed = read_block(tile, h, &parts[n], (CodeBlock *)tile->blocks.items + parts[n].block + k, k,
                                    r->band[n].planes, layer);
    if (h->byte == 0xFF && !failed) { /* the byte behind 255 is the header's, whatever it holds */
        h->left = 0;
        bit(h);
    }
    return failed || h->over ? OTHERWISE : 0;
}

/* B.9: one packet at tile->p, of so manieth precinct of a resolution. */
static int read_packet(Tile *tile, const Resolution *r, int64_t precinct, uint32_t layer, const uint8_t *frame)
{
    const Part *parts = (Part *)tile->parts.items + r->first_part + precinct * r->bands;
    Header header = {tile->p, tile->end, 0, 0, 0};
    size_t n = tile->pieces.count;

    if (read_header(tile, &header, r, parts, layer))
        return OTHERWISE;
    tile->p = header.p;
    for (; n < tile->pieces.count; n++) {
        Piece *piece = (Piece *)tile->pieces.items + n;

        if (piece->length > (size_t)(tile->end - tile->p))
            return OTHERWISE;
        piece->data = (uint32_t)(tile->p - frame);
        tile->p += piece->length;
    }
    return 0;
}

#endif
