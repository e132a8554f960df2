/* What a JPEG 2000 codestream says of itself before its data (ITU-T T.800 annex A); included by _jpeg2000.c alone. */
#ifndef JPEG2000_HEADERS_H
#define JPEG2000_HEADERS_H

#define MOST_COMPONENTS 4
#define MOST_LEVELS 32
#define MOST_PLANES 30

typedef struct { /* from here to before there, on the reference grid or in a band */
    int64_t left, top, right, bottom;
} Box;

typedef struct {
    Box image;
    int64_t tile_left, tile_top, tile_wide, tile_high;
    int32_t components, depth, is_signed;
    int32_t order, layers, mixed, levels, block_wide, block_high; /* exponents of a code-block's sides */
    uint8_t part_wide[MOST_LEVELS + 1], part_high[MOST_LEVELS + 1]; /* exponents of a precinct's sides */
    uint8_t planes[3 * MOST_LEVELS + 1];                            /* of a band */
    int32_t has_coding, bands_told;
    const uint8_t *data, *end; /* of the first tile-part; of the frame */
} Image;

static uint32_t u16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t u32(const uint8_t *p) { return u16(p) << 16 | u16(p + 2); }

/* A.5.1 */
static const char *take_size(const uint8_t *p, uint32_t length, Image *image)
{
    int32_t n;

    if (length < 36 || u16(p) & 0xC000)
        return "a size of another part of the standard";
    image->image = (Box){u32(p + 10), u32(p + 14), u32(p + 2), u32(p + 6)};
    image->tile_wide = u32(p + 18);
    image->tile_high = u32(p + 22);
    image->tile_left = u32(p + 26);
    image->tile_top = u32(p + 30);
    image->components = (int32_t)u16(p + 34);
    if (image->components < 1 || image->components > MOST_COMPONENTS || length != 36 + 3 * (uint32_t)image->components)
        return "no image of one to four components";
    image->depth = (p[36] & 0x7F) + 1;
    image->is_signed = p[36] >> 7;
    for (n = 0; n < image->components; n++)
        if (p[36 + 3 * n] != p[36] || p[37 + 3 * n] != 1 || p[38 + 3 * n] != 1)
            return "components that are not alike";
    if (image->depth > 16)
        return "more than 16 bits";
    if (image->image.left >= image->image.right || image->image.top >= image->image.bottom || !image->tile_wide ||
        !image->tile_high || image->tile_left > image->image.left || image->tile_top > image->image.top ||
        image->tile_left + image->tile_wide <= image->image.left || image->tile_top + image->tile_high <= image->image.top ||
        image->image.right > INT32_MAX || image->image.bottom > INT32_MAX)
        return "a size that contradicts itself";
    return NULL;
}

/* A.6.1 */
static const char *take_coding(const uint8_t *p, uint32_t length, Image *image)
{
    int32_t n;

    if (length < 10 || p[0] > 1)
        return "markers in the data";
    image->order = p[1];
    image->layers = (int32_t)u16(p + 2);
    image->mixed = p[4];
    image->levels = p[5];
    image->block_wide = p[6] + 2;
    image->block_high = p[7] + 2;
    if (image->order > 4 || !image->layers || image->layers == 0xFFFF || image->mixed > 1 || image->levels > MOST_LEVELS || p[6] > 8 || p[7] > 8 ||
        image->block_wide + image->block_high > 12)
        return "no coding style of the standard";
    if (p[8] || p[9] != 1)
        return "another style of code-blocks, or not reversible";
    if (length != 10 + (p[0] ? (uint32_t)image->levels + 1 : 0))
        return "a coding style of another length";
    for (n = 0; n <= image->levels; n++) {
        uint8_t sides = p[0] ? p[10 + n] : 0xFF;

        image->part_wide[n] = sides & 15;
        image->part_high[n] = sides >> 4;
        if (n && (!(sides & 15) || !(sides >> 4)))
            return "precincts without extent";
    }
    if (image->mixed && image->components < 3)
        return "colours mixed of less than three";
    image->has_coding = 1;
    return NULL;
}

/* A.6.4, without quantisation */
static const char *take_planes(const uint8_t *p, uint32_t length, Image *image)
{
    uint32_t n;

    if (length < 2 || length > 2 + 3 * MOST_LEVELS || p[0] & 0x1F)
        return "quantised";
    for (n = 1; n < length; n++) {
        int32_t planes = (p[0] >> 5) + (p[n] >> 3) - 1;

        if (planes < 0 || planes > MOST_PLANES)
            return "too many bits";
        image->planes[n - 1] = (uint8_t)planes;
    }
    image->bands_told = (int32_t)length - 1;
    return NULL;
}

/* The main header; NULL, or what is not as it is known here. */
static const char *read_headers(const uint8_t *p, const uint8_t *end, Image *image)
{
    const char *wrong = NULL;
    uint32_t length;

    memset(image, 0, sizeof *image);
    if (end - p < 6 || u32(p) != 0xFF4FFF51)
        return "no start of a codestream";
    for (p += 2; !wrong; p += 2 + length) {
        uint32_t marker, after;

        if (end - p < 4)
            return "the headers are cut";
        marker = u16(p);
        if (marker == 0xFF90)
            break;
        length = u16(p + 2);
        if (length < 2 || (size_t)(end - p) < 2 + (size_t)length)
            return "a segment is cut";
        after = length - 2;
        if (marker == 0xFF51)
            wrong = image->components ? "two sizes" : take_size(p + 4, after, image);
        else if (marker == 0xFF52)
            wrong = image->has_coding ? "two coding styles" : take_coding(p + 4, after, image);
        else if (marker == 0xFF5C)
            wrong = image->bands_told ? "two quantisations" : take_planes(p + 4, after, image);
        else if (marker != 0xFF55 && marker != 0xFF64) /* lengths of tile-parts; a comment */
            wrong = "a segment that is not known here";
    }
    if (wrong)
        return wrong;
    if (!image->has_coding || image->bands_told < 3 * image->levels + 1)
        return "no coding style, or not of each band";
    image->data = p;
    image->end = end;
    return NULL;
}

#endif
