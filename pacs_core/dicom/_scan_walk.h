/* Stepping over the elements of an encoded little-endian data set; included by _scan.c alone. */
#ifndef SCAN_WALK_H
#define SCAN_WALK_H

#define UNDEFINED 0xFFFFFFFFu
#define ITEM 0xFFFEE000u
#define ITEM_END 0xFFFEE00Du
#define SEQUENCE_END 0xFFFEE0DDu
#define FLOAT_PIXELS 0x7FE00008u
#define DOUBLE_PIXELS 0x7FE00009u
#define PIXELS 0x7FE00010u
#define DEEPEST 64

static PyObject *Surprise; /* (kind, tag, offset, needed) */

typedef struct {
    const uint8_t *bytes;
    uint64_t have; /* bytes in the buffer */
    uint64_t end;  /* bytes of the data set */
} Source;

typedef struct {
    uint32_t tag;
    uint32_t length;
    uint64_t value;
    char vr[3];
} Element;

static uint32_t u16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return u16(p) | u16(p + 2) << 16; }
static uint32_t tag_at(const uint8_t *p) { return u16(p) << 16 | u16(p + 2); }

static int surprise(const char *kind, uint32_t tag, uint64_t offset, uint64_t needed)
{
    PyObject *args = Py_BuildValue("(sIKK)", kind, tag, (unsigned long long)offset, (unsigned long long)needed);
    if (args) {
        PyErr_SetObject(Surprise, args);
        Py_DECREF(args);
    }
    return -1;
}

/* Are `count` bytes at `offset` there to be read? */
static int readable(const Source *s, uint32_t tag, uint64_t offset, uint64_t count)
{
    if (offset + count > s->end)
        return surprise("truncated", tag, offset, count);
    if (offset + count > s->have)
        return surprise("window", tag, offset, count);
    return 0;
}

/* 2: a 16-bit length follows; 4: two reserved bytes and a 32-bit length; 0: no VR of PS3.5 6.2. */
static int length_bytes(const uint8_t *vr)
{
    switch (vr[0] << 8 | vr[1]) {
    case 'A' << 8 | 'E': case 'A' << 8 | 'S': case 'A' << 8 | 'T': case 'C' << 8 | 'S': case 'D' << 8 | 'A':
    case 'D' << 8 | 'S': case 'D' << 8 | 'T': case 'F' << 8 | 'D': case 'F' << 8 | 'L': case 'I' << 8 | 'S':
    case 'L' << 8 | 'O': case 'L' << 8 | 'T': case 'P' << 8 | 'N': case 'S' << 8 | 'H': case 'S' << 8 | 'L':
    case 'S' << 8 | 'S': case 'S' << 8 | 'T': case 'T' << 8 | 'M': case 'U' << 8 | 'I': case 'U' << 8 | 'L':
    case 'U' << 8 | 'S':
        return 2;
    case 'O' << 8 | 'B': case 'O' << 8 | 'D': case 'O' << 8 | 'F': case 'O' << 8 | 'L': case 'O' << 8 | 'V':
    case 'O' << 8 | 'W': case 'S' << 8 | 'Q': case 'S' << 8 | 'V': case 'U' << 8 | 'C': case 'U' << 8 | 'N':
    case 'U' << 8 | 'R': case 'U' << 8 | 'T': case 'U' << 8 | 'V':
        return 4;
    }
    return 0;
}

static int read_header(const Source *s, uint64_t at, int implicit, Element *e)
{
    const uint8_t *p;
    int width;

    e->tag = 0;
    if (readable(s, 0, at, 8))
        return -1;
    p = s->bytes + at;
    e->tag = tag_at(p);
    e->vr[0] = e->vr[1] = e->vr[2] = 0;
    if (implicit || e->tag >> 16 == 0xFFFE) {
        e->length = u32(p + 4);
        e->value = at + 8;
        return 0;
    }
    width = length_bytes(p + 4);
    if (!width)
        return surprise("vr", e->tag, at, 0);
    memcpy(e->vr, p + 4, 2);
    if (width == 2) {
        e->length = u16(p + 6);
        e->value = at + 8;
        return 0;
    }
    if (readable(s, e->tag, at, 12))
        return -1;
    e->length = u32(p + 8);
    e->value = at + 12;
    return 0;
}

static int skip_items(const Source *s, uint64_t *at, uint32_t owner, int implicit, int depth);

/* Steps over the elements of an item of undefined length; *at ends behind its delimiter. */
static int skip_item(const Source *s, uint64_t *at, int implicit, int depth)
{
    Element e;

    for (;;) {
        if (read_header(s, *at, implicit, &e))
            return -1;
        *at = e.value;
        if (e.tag == ITEM_END)
            return 0;
        if (e.tag >> 16 == 0xFFFE)
            return surprise("delimiter", e.tag, e.value - 8, 0);
        if (e.length == UNDEFINED) {
            if (skip_items(s, at, e.tag, implicit || !strcmp(e.vr, "UN"), depth + 1))
                return -1;
        } else {
            if (e.value + e.length > s->end)
                return surprise("truncated", e.tag, e.value, e.length);
            *at = e.value + e.length;
        }
    }
}

/* Steps over the items of a value of undefined length; *at ends behind the sequence delimiter. */
static int skip_items(const Source *s, uint64_t *at, uint32_t owner, int implicit, int depth)
{
    Element e;

    if (depth > DEEPEST)
        return surprise("depth", owner, *at, 0);
    for (;;) {
        if (read_header(s, *at, 1, &e))
            return -1;
        *at = e.value;
        if (e.tag == SEQUENCE_END)
            return 0;
        if (e.tag != ITEM)
            return surprise("item", owner, e.value - 8, 0);
        if (e.length == UNDEFINED) {
            if (skip_item(s, at, implicit, depth))
                return -1;
        } else {
            if (e.value + e.length > s->end)
                return surprise("truncated", owner, e.value, e.length);
            *at = e.value + e.length;
        }
    }
}

static int is_pixels(uint32_t tag) { return tag == PIXELS || tag == FLOAT_PIXELS || tag == DOUBLE_PIXELS; }

#endif
