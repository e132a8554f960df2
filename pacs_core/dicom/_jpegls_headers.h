/* What a JPEG-LS frame says of itself before its data (ISO 14495-1 annex C); included by _jpegls.c alone. */
#ifndef JPEGLS_HEADERS_H
#define JPEGLS_HEADERS_H

#define MOST_RESET 1024 /* the standard's is 64; more than 16 bits hold is never meant */

typedef struct {
    uint32_t rows, columns, bits;
    int32_t largest, thresholds[3], reset;
    const uint8_t *data; /* of the scan */
    const uint8_t *end;  /* of the frame */
    const uint8_t *marker; /* behind the data, once that is known */
} Image;

static int32_t u16(const uint8_t *p) { return p[0] << 8 | p[1]; }

static int32_t clamped(int32_t value, int32_t lowest, int32_t highest)
{
    return value > highest || value < lowest ? lowest : value;
}

/* C.2.4.1.1.1: the thresholds where none are given. */
static void default_thresholds(Image *image)
{
    int32_t top = image->largest, factor;

    if (top >= 128) {
        factor = ((top < 4095 ? top : 4095) + 128) / 256;
        image->thresholds[0] = clamped(factor + 2, 1, top);
        image->thresholds[1] = clamped(factor * 4 + 3, image->thresholds[0], top);
        image->thresholds[2] = clamped(factor * 17 + 4, image->thresholds[1], top);
        return;
    }
    factor = 256 / (top + 1);
    image->thresholds[0] = clamped(3 / factor > 2 ? 3 / factor : 2, 1, top);
    image->thresholds[1] = clamped(7 / factor > 3 ? 7 / factor : 3, image->thresholds[0], top);
    image->thresholds[2] = clamped(21 / factor > 4 ? 21 / factor : 4, image->thresholds[1], top);
}

static const char *take_frame_header(const uint8_t *p, int32_t length, Image *image)
{
    if (length != 9 || p[5] != 1)
        return "not one component";
    image->bits = p[0];
    image->rows = (uint32_t)u16(p + 1);
    image->columns = (uint32_t)u16(p + 3);
    if (image->bits < 2 || image->bits > 16 || !image->rows || !image->columns)
        return "no image of 2 to 16 bits";
    image->largest = (int32_t)((1u << image->bits) - 1);
    return NULL;
}

/* C.2.4.1.1: preset coding parameters; 0 says the default. */
static const char *take_preset(const uint8_t *p, int32_t length, int32_t *preset)
{
    int n;

    if (length != 11 || p[0] != 1)
        return "a preset segment of another kind";
    for (n = 0; n < 5; n++)
        preset[n] = u16(p + 1 + 2 * n);
    return NULL;
}

static const char *use_preset(Image *image, const int32_t *preset)
{
    int n;

    default_thresholds(image);
    for (n = 0; n < 3; n++)
        if (preset[n + 1])
            image->thresholds[n] = preset[n + 1];
    image->reset = preset[4] ? preset[4] : 64;
    if (preset[0] && preset[0] != image->largest)
        return "another largest value";
    if (image->thresholds[0] < 1 || image->thresholds[1] < image->thresholds[0] ||
        image->thresholds[2] < image->thresholds[1] || image->thresholds[2] > image->largest ||
        image->reset < 3 || image->reset > MOST_RESET)
        return "thresholds or reset out of order";
    return NULL;
}

/* The segments before the image's data; NULL, or what is not as it is known here. */
static const char *read_headers(const uint8_t *p, const uint8_t *end, Image *image)
{
    int32_t length, preset[5] = {0};
    const char *wrong = NULL;
    int marker;

    memset(image, 0, sizeof *image);
    if (end - p < 2 || p[0] != 0xFF || p[1] != 0xD8)
        return "no start of an image";
    for (p += 2; !wrong; p += 2 + length) {
        if (end - p < 4 || p[0] != 0xFF)
            return "no segment where one is needed";
        marker = p[1];
        length = u16(p + 2);
        if (length < 2 || end - p < 2 + length)
            return "a segment is cut";
        if (marker == 0xF7)
            wrong = image->bits ? "two frame headers" : take_frame_header(p + 4, length - 2, image);
        else if (marker == 0xF8)
            wrong = take_preset(p + 4, length - 2, preset);
        else if (marker == 0xDA)
            break;
        else if (marker != 0xFE && (marker & 0xF0) != 0xE0)
            return "a segment that is not known here";
    }
    if (wrong)
        return wrong;
    if (!image->bits || length != 8 || p[4] != 1 || p[6] || p[7] || p[8] || p[9])
        return "no lossless scan of one component";
    image->data = p + 2 + length;
    image->end = end;
    return use_preset(image, preset);
}

#endif
