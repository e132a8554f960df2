/* The reversible 5-3 wavelet (ITU-T T.800 annex F), colours and levels (annex G); included by _jpeg2000.c alone.
 *
 * Sums are made without a sign, which wrap where damaged values are too large.
 */
#ifndef JPEG2000_WAVELET_H
#define JPEG2000_WAVELET_H

#include "_jpeg2000_tiles.h"

INLINE int32_t less_quarter(int32_t value, int32_t before, int32_t behind)
{
    return (int32_t)((uint32_t)value - (uint32_t)((int32_t)((uint32_t)before + (uint32_t)behind + 2) >> 2));
}

INLINE int32_t plus_half(int32_t value, int32_t before, int32_t behind)
{
    return (int32_t)((uint32_t)value + (uint32_t)((int32_t)((uint32_t)before + (uint32_t)behind) >> 1));
}

/* One row of `low` and `high` into `out`; `odd` where the row begins at an odd place; `even` has a value to spare at
   both ends. */
INLINE void row_of(const int32_t *low, const int32_t *high, int64_t lows, int64_t highs, int odd, int32_t *even, int32_t *out)
{
    int64_t n, from, to;

    if (lows + highs == 1) {
        *out = lows ? *low : *high / 2;
        return;
    }
    /* even place n stands between high[n - 1 + odd] and high[n + odd] */
    from = 1 - odd;
    to = smaller(lows, highs - odd);
    if (from)
        even[0] = less_quarter(low[0], high[0], high[0]);
    for (n = from; n < to; n++)
        even[n] = less_quarter(low[n], high[n - 1 + odd], high[n + odd]);
    for (n = larger(to, from); n < lows; n++)
        even[n] = less_quarter(low[n], high[highs - 1], high[highs - 1]);
    even[-1] = even[0];
    even[lows] = even[lows - 1];
    if (odd) {
        for (n = 0; n < smaller(lows, highs); n++) {
            out[2 * n] = plus_half(high[n], even[n - 1], even[n]);
            out[2 * n + 1] = even[n];
        }
        if (highs > lows)
            out[2 * lows] = plus_half(high[lows], even[lows - 1], even[lows]);
        return;
    }
    for (n = 0; n < highs; n++) {
        out[2 * n] = even[n];
        out[2 * n + 1] = plus_half(high[n], even[n], even[n + 1]);
    }
    if (lows > highs)
        out[2 * highs] = even[highs];
}

INLINE void rows_less_quarter(int32_t *row, const int32_t *before, const int32_t *behind, int64_t count)
{
    int64_t x;

    for (x = 0; x < count; x++)
        row[x] = less_quarter(row[x], before[x], behind[x]);
}

INLINE void rows_plus_half(int32_t *row, const int32_t *before, const int32_t *behind, int64_t count)
{
    int64_t x;

    for (x = 0; x < count; x++)
        row[x] = plus_half(row[x], before[x], behind[x]);
}

/* A row of the column's filter, once those beside it are there: rows of even places first. */
INLINE void lift(int32_t *out, int64_t y, int64_t count, int64_t high, int odd)
{
    const int32_t *before, *behind;

    if (y < 0 || y >= high)
        return;
    before = out + (y > 0 ? y - 1 : 1) * count;
    behind = out + (y < high - 1 ? y + 1 : high - 2) * count;
    if ((y + odd) % 2)
        rows_plus_half(out + y * count, before, behind, count);
    else
        rows_less_quarter(out + y * count, before, behind, count);
}

/* F.3.2: a resolution from that below it, `low`, and its bands; `even` has room for a row and two values. */
INLINE void synthesise(const Resolution *r, const int32_t *low, int32_t *out, int32_t *even)
{
    int64_t wide = width(&r->box), high = height(&r->box), y;
    int64_t highs = width(&r->band[0].box), lows = wide - highs;
    int32_t odd = (int32_t)(r->box.left & 1), down = (int32_t)(r->box.top & 1);
    const int32_t *across = r->band[0].values, *below = r->band[1].values, *aslant = r->band[2].values;

    for (y = 0; y < high; y++) {
        if ((y + down) % 2) {
            row_of(below, aslant, lows, highs, odd, even + 1, out + y * wide);
            below += lows;
            aslant += highs;
        } else {
            row_of(low, across, lows, highs, odd, even + 1, out + y * wide);
            low += lows;
            across += highs;
        }
        /* the last row of even places that has both its neighbours, then that of odd places before it */
        if (high > 1 && (y + down) % 2) {
            lift(out, y - 1, wide, high, down);
            lift(out, y - 2, wide, high, down);
        }
    }
    if (high == 1) {
        if (down)
            for (y = 0; y < wide; y++)
                out[y] /= 2;
        return;
    }
    if ((high - 1 + down) % 2 == 0)
        lift(out, high - 1, wide, high, down);
    lift(out, (high - 1 + down) % 2 ? high - 1 : high - 2, wide, high, down);
}

/* G.2.1, F.3.8: the reversible mixture of colours, back to red, green and blue. */
INLINE void unmix(int32_t *first, int32_t *second, int32_t *third, size_t count)
{
    size_t n;

    for (n = 0; n < count; n++) {
        uint32_t blue = (uint32_t)second[n], red = (uint32_t)third[n];
        uint32_t green = (uint32_t)first[n] - (uint32_t)((int32_t)(blue + red) >> 2);

        first[n] = (int32_t)(red + green);
        second[n] = (int32_t)green;
        third[n] = (int32_t)(blue + green);
    }
}

/* G.1: a tile's values of one component into an image, brought to where they belong and kept within their bits. */
INLINE void put_tile(const Image *image, const Box *tile, const int32_t *values, uint8_t *out)
{
    int32_t half = 1 << (image->depth - 1), lowest = image->is_signed ? -half : 0, highest = lowest + 2 * half - 1;
    int32_t shift = image->is_signed ? 0 : half, step = image->components;
    int64_t wide = width(tile), x, y;

    for (y = tile->top; y < tile->bottom; y++, values += wide) {
        size_t place = (size_t)((y - image->image.top) * width(&image->image) + tile->left - image->image.left);
        uint16_t *words = (uint16_t *)out + place * step;
        uint8_t *bytes = out + place * step;

        for (x = 0; x < wide; x++) {
            int32_t value = (int32_t)((uint32_t)values[x] + (uint32_t)shift);

            value = value < lowest ? lowest : value > highest ? highest : value;
            if (image->depth > 8)
                words[x * step] = (uint16_t)value;
            else
                bytes[x * step] = (uint8_t)value;
        }
    }
}

#endif
