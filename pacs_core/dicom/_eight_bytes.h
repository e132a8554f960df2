/* Eight bytes of a bit stream at once: JPEG-LS (ITU-T T.87) and JPEG 2000 (T.800) both stuff bits behind 255. */

static int has_no_255(uint64_t eight)
{
    return !((~eight - 0x0101010101010101u) & eight & 0x8080808080808080u);
}

static void put_eight(uint8_t *out, uint64_t eight)
{
    int n;

    for (n = 0; n < 8; n++)
        out[n] = (uint8_t)(eight >> (56 - 8 * n));
}
