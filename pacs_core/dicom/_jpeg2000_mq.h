/* The arithmetic decoder of JPEG 2000 (ITU-T T.800 annex C); included by _jpeg2000_blocks.h alone.
 *
 * Code and interval stand at the top of 64 bits, the next 16 to 48 bits of the segment already behind the code's. The
 * stuffed bits are taken out beforehand, so that eight bytes can be taken at once. A symbol is found without a branch on
 * the data, which nobody could foresee: what a processor waits for at a wrong guess is more than the few operations.
 */
#ifndef JPEG2000_MQ_H
#define JPEG2000_MQ_H

#define CONTEXTS 19
#define RUN_CONTEXT 17
#define UNIFORM_CONTEXT 18
#define SPARE 32 /* bytes of ones behind a segment */

/* A state: its Qe in the highest 16 bits, the more probable symbol in bit 16, the states that follow the less and the
   more probable symbol in bits 8 to 15 and 0 to 7. Those of symbol 1 stand 47 behind those of symbol 0. */
static uint64_t states[94];

typedef struct {
    uint64_t interval, code;
    const uint8_t *next; /* the next byte not yet wholly in `code` */
    const uint8_t *last; /* from here on there are only ones */
    int32_t count;       /* bits of `code` behind its first 16 that count */
} Mq;

static const struct {
    uint16_t qe;
    uint8_t more, less, turns;
} estimates[47] = { /* table C.2 */
    {0x5601, 1, 1, 1},    {0x3401, 2, 6, 0},    {0x1801, 3, 9, 0},    {0x0AC1, 4, 12, 0},   {0x0521, 5, 29, 0},
    {0x0221, 38, 33, 0},  {0x5601, 7, 6, 1},    {0x5401, 8, 14, 0},   {0x4801, 9, 14, 0},   {0x3801, 10, 14, 0},
    {0x3001, 11, 17, 0},  {0x2401, 12, 18, 0},  {0x1C01, 13, 20, 0},  {0x1601, 29, 21, 0},  {0x5601, 15, 14, 1},
    {0x5401, 16, 14, 0},  {0x5101, 17, 15, 0},  {0x4801, 18, 16, 0},  {0x3801, 19, 17, 0},  {0x3401, 20, 18, 0},
    {0x3001, 21, 19, 0},  {0x2801, 22, 19, 0},  {0x2401, 23, 20, 0},  {0x2201, 24, 21, 0},  {0x1C01, 25, 22, 0},
    {0x1801, 26, 23, 0},  {0x1601, 27, 24, 0},  {0x1401, 28, 25, 0},  {0x1201, 29, 26, 0},  {0x1101, 30, 27, 0},
    {0x0AC1, 31, 28, 0},  {0x09C1, 32, 29, 0},  {0x08A1, 33, 30, 0},  {0x0521, 34, 31, 0},  {0x0441, 35, 32, 0},
    {0x02A1, 36, 33, 0},  {0x0221, 37, 34, 0},  {0x0141, 38, 35, 0},  {0x0111, 39, 36, 0},  {0x0085, 40, 37, 0},
    {0x0049, 41, 38, 0},  {0x0025, 42, 39, 0},  {0x0015, 43, 40, 0},  {0x0009, 44, 41, 0},  {0x0005, 45, 42, 0},
    {0x0001, 45, 43, 0},  {0x5601, 46, 46, 0},
};

static void make_states(void)
{
    uint32_t n, symbol;

    for (symbol = 0; symbol < 2; symbol++)
        for (n = 0; n < 47; n++) {
            uint32_t more = estimates[n].more + 47 * symbol;
            uint32_t less = estimates[n].less + 47 * (symbol ^ estimates[n].turns);

            states[n + 47 * symbol] = (uint64_t)estimates[n].qe << 48 | symbol << 16 | less << 8 | more;
        }
}

/* Table D.7. */
static void begin_contexts(uint64_t *contexts)
{
    int n;

    for (n = 0; n < CONTEXTS; n++)
        contexts[n] = states[0];
    contexts[0] = states[4];
    contexts[RUN_CONTEXT] = states[3];
    contexts[UNIFORM_CONTEXT] = states[46];
}

INLINE uint64_t eight_bytes(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
           (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 | (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

INLINE void refill(Mq *m)
{
    int32_t bytes = (48 - m->count) >> 3;

    m->code |= eight_bytes(m->next) >> (16 + m->count);
    m->count += 8 * bytes;
    m->next += bytes;
    if (RARE(m->next > m->last))
        m->next = m->last;
}

INLINE void begin_code(Mq *m, const uint8_t *data, const uint8_t *last)
{
    m->interval = (uint64_t)0x8000 << 48;
    m->code = 0;
    m->count = -16;
    m->next = data;
    m->last = last;
    refill(m);
}

/* C.3.2: the next symbol in a context, whose state is brought on. A mask, not a condition, where compilers make a jump of
   it all the same. */
INLINE uint32_t symbol_in(Mq *m, uint64_t *context)
{
    uint64_t state = *context, qe = state & ((uint64_t)0xFFFF << 48), rest = m->interval - qe;
    uint64_t more = states[state & 0xFF], less = states[state >> 8 & 0xFF];
    uint64_t below = 0 - (uint64_t)(m->code < qe);
    int rare = (int)(below & 1) ^ (rest < qe), shift;

    m->code -= qe & ~below;
    m->interval = rest ^ ((rest ^ qe) & below);
    more = EITHER(rare) ? less : more;
    more = EITHER(m->interval >> 63) ? state : more;
    *context = more;
    shift = leading_zeros(m->interval);
    m->interval <<= shift;
    m->code <<= shift;
    m->count -= shift;
    if (RARE(m->count < 16))
        refill(m);
    return (uint32_t)(state >> 16 & 1) ^ (uint32_t)rare;
}

/* The same where the more probable symbol is mostly met and asks for no more bits: one jump instead of the rest. */
INLINE uint32_t likely_symbol_in(Mq *m, uint64_t *context)
{
    uint64_t state = *context, qe = state & ((uint64_t)0xFFFF << 48), rest = m->interval - qe;

    if (!(rest >> 63) || m->code < qe)
        return symbol_in(m, context);
    m->interval = rest;
    m->code -= qe;
    return (uint32_t)(state >> 16 & 1);
}

/* ---- segments without stuffed bits --------------------------------------------------------------------------------- */

static void carry_into(uint8_t *first, uint8_t *behind)
{
    while (behind > first && ++*--behind == 0)
        ;
}

/* C.3.4: a zero bit, then the segment's bits without those that are stuffed in behind 255, then ones; where the ones begin.
 *
 * The first bit of a byte behind 255 is added to the last of the 255. It is added here before the decoder has come to
 * the 255, which is the same number; a decoder that adds it later can only see something else in data that no encoder
 * made. What is more than 0x8F behind 255 is a marker: from there on there are ones, as behind the last byte.
 */
static const uint8_t *unstuffed(const uint8_t *p, const uint8_t *end, uint8_t *out)
{
    uint8_t *first = out;
    uint32_t pending = 0; /* its lowest `waiting` bits are not written yet */
    int waiting = 1, after = 0;

    while (p < end) {
        while (!after && end - p > 8 && has_no_255(eight_bytes(p))) {
            uint64_t eight = eight_bytes(p);

            put_eight(out, (uint64_t)pending << 1 << (63 - waiting) | eight >> waiting);
            pending = (uint32_t)(eight & ((1u << waiting) - 1));
            out += 8;
            p += 8;
        }
        if (after && *p > 0x8F)
            break;
        pending = (pending << (after ? 7 : 8)) + *p;
        waiting += after ? 7 : 8;
        if (pending >> waiting)
            carry_into(first, out);
        after = *p++ == 0xFF;
        while (waiting >= 8) {
            waiting -= 8;
            *out++ = (uint8_t)(pending >> waiting);
        }
        pending &= (1u << waiting) - 1;
    }
    *out++ = (uint8_t)(pending << (8 - waiting) | 0xFFu >> waiting);
    memset(out, 0xFF, SPARE - 1);
    return out;
}

#endif
