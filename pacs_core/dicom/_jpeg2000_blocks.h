/* Code-blocks of JPEG 2000 to their values (ITU-T T.800 annex D); included by _jpeg2000.c alone.
 *
 * A pass goes through four rows at a time, column by column. 16 columns of four rows are a group of 64 bits in just this
 * order, so that the values a pass concerns are found for a group at once and met by counting zeros. Beside that stands a
 * word for each column of four rows with the significance of all neighbours, nine neighbouring bits of which are the
 * context of a value.
 */
#ifndef JPEG2000_BLOCKS_H
#define JPEG2000_BLOCKS_H

#include "_jpeg2000_mq.h"

#define MOST_VALUES 4096 /* of a block (table A.18) */
#define LONGEST_SIDE 1024
#define MOST_WORDS (MOST_VALUES / 4 + LONGEST_SIDE / 2 + 3 * LONGEST_SIDE + 8) /* of a block with their border */
#define MOST_GROUPS 1024 /* the same; 774 where it is narrow */
#define FIRST_ROWS 0x1111111111111111u
#define LAST_ROWS 0x8888888888888888u

/* Significance of six rows of three columns, bit 3 r + c; row 0 is above the word's own, row 5 below them. Signs of the
   middle column: bit 32 + 3 r. */
typedef uint64_t Word;

typedef struct {
    uint64_t significant, visited, refined; /* visited: in this plane; refined: before */
} Group;

typedef struct {
    Mq mq;
    uint64_t contexts[CONTEXTS];
    Group groups[MOST_GROUPS];
    Word words[MOST_WORDS];
    uint32_t values[MOST_VALUES + 3 * LONGEST_SIDE]; /* by words: sign, magnitude and half a step more */
    int32_t wide, high;
    int32_t word_row, group_row; /* from one to that below it */
    const uint8_t *zero;         /* contexts by neighbours (table D.1), of the block's band */
} Block;

typedef struct { /* where a pass is: a group, its first word and value, and which of its bits are values */
    Group *group;
    Word *word;
    uint32_t *values;
    uint64_t whole;
} Place;

static uint8_t zero_contexts[3][512], sign_contexts[256]; /* a sign's context and, in bit 7, whether it is turned over */

static uint8_t zero_context(int across, int along, int aslant)
{
    if (across == 2)
        return 8;
    if (across == 1)
        return along ? 7 : aslant ? 6 : 5;
    if (along)
        return along == 2 ? 4 : 3;
    return (uint8_t)(aslant > 2 ? 2 : aslant);
}

static uint8_t diagonal_context(int straight, int aslant)
{
    if (aslant >= 3)
        return 8;
    if (aslant == 2)
        return straight ? 7 : 6;
    if (aslant == 1)
        return (uint8_t)(straight > 1 ? 5 : 3 + straight);
    return (uint8_t)(straight > 2 ? 2 : straight);
}

/* Table D.2: -1, 0 or 1 of two neighbours; each is a bit of significance and behind it one of sign. */
static int inclination(int first, int second)
{
    int sum = (first & 2 ? 1 - 2 * (first & 1) : 0) + (second & 2 ? 1 - 2 * (second & 1) : 0);

    return sum > 1 ? 1 : sum < -1 ? -1 : sum;
}

static uint8_t sign_context(int n) /* bits, in pairs: above, left, right, below */
{
    int across = inclination(n >> 2, n >> 4), along = inclination(n, n >> 6), turned = across < 0 || (!across && along < 0);

    if (turned) {
        across = -across;
        along = -along;
    }
    return (uint8_t)((across ? 12 + along : 9 + along) | turned << 7);
}

static void make_contexts(void)
{
    int n;

    for (n = 0; n < 512; n++) {
        int across = (n >> 3 & 1) + (n >> 5 & 1), along = (n >> 1 & 1) + (n >> 7 & 1);
        int aslant = (n & 1) + (n >> 2 & 1) + (n >> 6 & 1) + (n >> 8 & 1);

        zero_contexts[0][n] = zero_context(across, along, aslant);
        zero_contexts[1][n] = zero_context(along, across, aslant);
        zero_contexts[2][n] = diagonal_context(across + along, aslant);
    }
    for (n = 0; n < 256; n++)
        sign_contexts[n] = sign_context(n);
}

/* ---- groups -------------------------------------------------------------------------------------------------------- */

INLINE uint64_t bits_below(int32_t count) { return count >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1; }

INLINE Place place_of(Block *b, int32_t x, int32_t y)
{
    Place place;
    int32_t rows = b->high - y;

    place.group = b->groups + (y / 4 + 1) * b->group_row + 1 + x / 16;
    place.word = b->words + (y / 4 + 1) * b->word_row + 1 + x;
    place.values = b->values + y * b->wide + 4 * x;
    place.whole = bits_below(4 * (b->wide - x)) & (rows >= 4 ? ~(uint64_t)0 : FIRST_ROWS * (((uint64_t)1 << rows) - 1));
    return place;
}

/* Significance of a group's values above and below each. */
INLINE uint64_t along(const Group *group, int32_t row)
{
    uint64_t own = group->significant;

    return (own << 1 & ~FIRST_ROWS) | (own >> 1 & ~LAST_ROWS) | (group[-row].significant >> 3 & FIRST_ROWS) |
           (group[row].significant << 3 & LAST_ROWS);
}

/* Which values of a group have a significant neighbour. */
INLINE uint64_t beside_significant(const Group *group, int32_t row)
{
    uint64_t middle = along(group, row), own = middle | group->significant;
    uint64_t left = along(group - 1, row) | group[-1].significant, right = along(group + 1, row) | group[1].significant;

    return middle | own << 4 | own >> 4 | left >> 60 | right << 60;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

/* D.3.2: the sign of a value, which becomes significant; `at` is three times its row. */
INLINE uint32_t becomes_significant(Block *b, Mq *m, Word *word, uint32_t at)
{
    Word *above = word - b->word_row, *below = word + b->word_row;
    uint64_t own = *word >> at, left = word[-1] >> at, right = word[1] >> at, sign;
    uint32_t context = sign_contexts[(own & 0xAA) | (own >> 32 & 0x41) | (left >> 33 & 4) | (right >> 31 & 16)];

    sign = symbol_in(m, &b->contexts[context & 0x7F]) ^ context >> 7;
    word[-1] |= 0x20u << at;
    word[0] |= (sign << 35 | 0x10) << at;
    word[1] |= 0x08u << at;
    if (at == 0) {
        above[-1] |= 1u << 17;
        above[0] |= sign << 47 | 1u << 16;
        above[1] |= 1u << 15;
    }
    if (at == 9) {
        below[-1] |= 4;
        below[0] |= sign << 32 | 2;
        below[1] |= 1;
    }
    return (uint32_t)sign << 31;
}

/* D.3.1: whether value n of a group becomes significant; if so it gets its sign and `plane`. */
INLINE int turns_significant(Block *b, Mq *m, const Place *place, uint32_t n, uint32_t plane)
{
    Word *word = place->word + (n >> 2);
    uint32_t at = 3 * (n & 3);

    if (!symbol_in(m, &b->contexts[b->zero[*word >> at & 0x1EF]]))
        return 0;
    place->values[n] = plane | becomes_significant(b, m, word, at);
    place->group->significant |= (uint64_t)1 << n;
    return 1;
}

/* D.3.1: the significance propagation pass; `plane` is a value's bit with half a step behind it. */
INLINE void propagate(Block *b, Mq *m, const Place *place, uint32_t plane)
{
    uint64_t not_yet = ~place->group->significant & place->whole, visited = 0;
    uint64_t left = beside_significant(place->group, b->group_row) & not_yet;

    while (left) {
        uint32_t n = trailing_zeros(left);
        uint64_t one = left & (0 - left);

        visited |= one;
        left ^= one;
        if (turns_significant(b, m, place, n, plane)) {
            uint64_t down = one & ~LAST_ROWS;

            left |= (down << 1 | down << 5 | one << 4 | (one & ~FIRST_ROWS) << 3) & not_yet;
        }
    }
    place->group->visited = visited;
}

/* D.3.3: the magnitude refinement pass. No value has an influence on another here. */
INLINE void refine(Block *b, Mq *m, const Place *place, uint32_t plane)
{
    Group *group = place->group;
    uint64_t left = group->significant & ~group->visited, before = group->refined;
    uint64_t beside = beside_significant(group, b->group_row) & ~before;
    uint32_t half = plane & plane >> 1, step = plane ^ half;

    group->refined |= left;
    while (left) {
        uint32_t n = trailing_zeros(left), context = (uint32_t)(14 + 2 * (before >> n & 1) + (beside >> n & 1));

        left &= left - 1;
        place->values[n] += ((0 - symbol_in(m, &b->contexts[context])) & step) - half;
    }
}

/* D.3.4: the clean-up pass. */
INLINE void clean_up(Block *b, Mq *m, const Place *place, uint32_t plane)
{
    uint64_t left = ~(place->group->significant | place->group->visited) & place->whole;

    place->group->visited = 0;
    while (left) {
        uint32_t n = trailing_zeros(left), row;
        Word *word = place->word + (n >> 2);

        if (n & 3 || (left >> n & 15) != 15 || (uint32_t)*word) {
            left &= left - 1;
            turns_significant(b, m, place, n, plane);
            continue;
        }
        if (!likely_symbol_in(m, &b->contexts[RUN_CONTEXT])) {
            left &= ~((uint64_t)15 << n);
            continue;
        }
        row = symbol_in(m, &b->contexts[UNIFORM_CONTEXT]) << 1;
        row |= symbol_in(m, &b->contexts[UNIFORM_CONTEXT]);
        place->values[n + row] = plane | becomes_significant(b, m, word, 3 * row);
        place->group->significant |= (uint64_t)1 << (n + row);
        left &= ~((uint64_t)((2u << row) - 1) << n);
    }
}

/* One pass over every group; `kind` 0 to 2. */
INLINE void decode_pass(Block *b, int32_t kind, uint32_t plane)
{
    Mq m = b->mq; /* in registers */
    int32_t x, y;

    for (y = 0; y < b->high; y += 4)
        for (x = 0; x < b->wide; x += 16) {
            Place place = place_of(b, x, y);

            if (kind == 0)
                propagate(b, &m, &place, plane);
            else if (kind == 1)
                refine(b, &m, &place, plane);
            else
                clean_up(b, &m, &place, plane);
        }
    b->mq = m;
}

/* D.4: so many passes from the highest of so many planes, 30 at most, down. */
INLINE void decode_passes(Block *b, int32_t passes, int32_t planes)
{
    int32_t kind = 2;
    uint32_t plane = planes ? 3u << (planes - 1) : 0;

    for (; passes; passes--) {
        if (kind == 0)
            decode_pass(b, 0, plane);
        else if (kind == 1)
            decode_pass(b, 1, plane);
        else
            decode_pass(b, 2, plane);
        if (++kind == 3) {
            kind = 0;
            plane >>= 1;
        }
    }
}

/* A block's values without their last bit, half a step. */
INLINE void put_values(const Block *b, int32_t *out, size_t stride)
{
    int32_t x, y;

    for (y = 0; y < b->high; y++) {
        const uint32_t *values = b->values + (size_t)(y / 4) * 4 * b->wide + y % 4;

        for (x = 0; x < b->wide; x++) {
            int32_t size = (int32_t)(values[4 * x] >> 1 & 0x3FFFFFFF), sign = -(int32_t)(values[4 * x] >> 31);

            out[x] = (size ^ sign) - sign;
        }
        out += stride;
    }
}

/* A block of `data`, a segment without stuffed bits, into `out`. */
INLINE void decode_block(Block *b, const uint8_t *data, const uint8_t *last, int32_t passes, int32_t planes, int32_t *out,
                         size_t stride)
{
    size_t rows = (size_t)(b->high + 3) / 4;

    b->word_row = b->wide + 2;
    b->group_row = (b->wide + 15) / 16 + 2;
    memset(b->words, 0, sizeof *b->words * (size_t)b->word_row * (rows + 2));
    memset(b->groups, 0, sizeof *b->groups * (size_t)b->group_row * (rows + 2));
    memset(b->values, 0, sizeof *b->values * (size_t)b->wide * rows * 4);
    begin_contexts(b->contexts);
    begin_code(&b->mq, data, last);
    decode_passes(b, passes, planes);
    put_values(b, out, stride);
}

#endif
