/* The order of a tile's packets over its tile-parts (ITU-T T.800 A.4.2, B.12); included by _jpeg2000.c alone.
 *
 * Components are sampled alike and coded alike, so that a precinct's place is the same in all of them.
 */
#ifndef JPEG2000_ORDER_H
#define JPEG2000_ORDER_H

#include "_jpeg2000_packets.h"

typedef struct {
    uint32_t tile, next; /* the next part of the same tile or NONE */
    const uint8_t *data, *end;
} TilePart;

typedef struct {
    Tile *tile;
    const TilePart *parts; /* of every tile */
    uint32_t next;         /* of this one */
    const uint8_t *frame;
} Reading;

/* Onwards to the part that has the next packet; whether there is one. */
static int has_packet(Reading *reading)
{
    Tile *tile = reading->tile;

    while (tile->p == tile->end) {
        const TilePart *part;

        if (reading->next == NONE)
            return 0;
        part = &reading->parts[reading->next];
        tile->p = part->data;
        tile->end = part->end;
        reading->next = part->next;
    }
    return 1;
}

static int packet(Reading *reading, int32_t component, int32_t level, int64_t precinct, int32_t layer)
{
    const Resolution *r = reading->tile->resolutions + component * (reading->tile->image->levels + 1) + level;

    return has_packet(reading) ? read_packet(reading->tile, r, precinct, (uint32_t)layer, reading->frame) : OTHERWISE;
}

/* A resolution's packets of one layer, or of all where `layer` is -1, in the order of RPCL. */
static int packets_of_level(Reading *reading, int32_t level, int32_t layer)
{
    const Image *image = reading->tile->image;
    const Resolution *r = reading->tile->resolutions + level;
    int64_t k, count = r->across * r->down;
    int32_t n, l;

    if (layer >= 0) {
        for (n = 0; n < image->components; n++)
            for (k = 0; k < count; k++)
                if (packet(reading, n, level, k, layer))
                    return OTHERWISE;
        return 0;
    }
    for (k = 0; k < count; k++)
        for (n = 0; n < image->components; n++)
            for (l = 0; l < image->layers; l++)
                if (packet(reading, n, level, k, l))
                    return OTHERWISE;
    return 0;
}

/* B.12.1.3: which row or column of precincts begins at a place of the reference grid; -1: none. */
static int64_t begins_at(int64_t place, int64_t first, int64_t level_first, int32_t below, int32_t precinct, int64_t count)
{
    int64_t mask = ((int64_t)1 << (precinct + below)) - 1, n;

    if (place & mask && (place != first || !((level_first << below) & mask)))
        return -1;
    n = (up(place, below) >> precinct) - (level_first >> precinct);
    return n < count ? n : -1;
}

/* The packets of some components whose precincts begin at a place. */
static int packets_at(Reading *reading, int64_t x, int64_t y, int32_t from, int32_t before)
{
    const Tile *tile = reading->tile;
    int32_t levels = tile->image->levels, n, level, l;

    for (n = from; n < before; n++)
        for (level = 0; level <= levels; level++) {
            const Resolution *r = tile->resolutions + level;
            int64_t column = begins_at(x, tile->box.left, r->box.left, levels - level, r->wide_bits, r->across);
            int64_t row = begins_at(y, tile->box.top, r->box.top, levels - level, r->high_bits, r->down);

            for (l = 0; l < tile->image->layers && column >= 0 && row >= 0; l++)
                if (packet(reading, n, level, row * r->across + column, l))
                    return OTHERWISE;
        }
    return 0;
}

static int packets_by_place(Reading *reading, int32_t from, int32_t before)
{
    const Tile *tile = reading->tile;
    int32_t levels = tile->image->levels, level, across = 62, down = 62;
    int64_t x, y;

    for (level = 0; level <= levels; level++) {
        across = (int32_t)smaller(across, tile->resolutions[level].wide_bits + levels - level);
        down = (int32_t)smaller(down, tile->resolutions[level].high_bits + levels - level);
    }
    for (y = tile->box.top; y < tile->box.bottom; y = ((y >> down) + 1) << down)
        for (x = tile->box.left; x < tile->box.right; x = ((x >> across) + 1) << across)
            if (packets_at(reading, x, y, from, before))
                return OTHERWISE;
    return 0;
}

/* Every packet of a tile, and nothing behind them; A.6.1 table A.16. */
static int read_packets(Reading *reading)
{
    const Image *image = reading->tile->image;
    int32_t l, r, failed = 0;

    if (image->order == 0)
        for (l = 0; l < image->layers && !failed; l++)
            for (r = 0; r <= image->levels && !failed; r++)
                failed = packets_of_level(reading, r, l);
    else if (image->order == 1)
        for (r = 0; r <= image->levels && !failed; r++)
            for (l = 0; l < image->layers && !failed; l++)
                failed = packets_of_level(reading, r, l);
    else if (image->order == 2)
        for (r = 0; r <= image->levels && !failed; r++)
            failed = packets_of_level(reading, r, -1);
    else if (image->order == 3)
        failed = packets_by_place(reading, 0, image->components);
    else
        for (r = 0; r < image->components && !failed; r++)
            failed = packets_by_place(reading, r, r + 1);
    return failed || has_packet(reading) ? OTHERWISE : 0;
}

#endif
