/* Acquired images to the viewport: rotate, flip, zoom and window in one pass. Included like _kernels_body.h. */

#ifndef READING_ROOM_FLAT_COMMON
#define READING_ROOM_FLAT_COMMON

typedef struct {
    const void *pixels;
    int nx, ny, channels;
    double origin[2], across[2], down[2];
    int width, samples, interpolation, background;
    const uint8_t *lut;
} Flat;

#endif

/* One channel of one place, edges held, BIAS off. */
static TARGET float TYPED(flat_sample)(const Flat *f, double x, double y, int channel)
{
    const T *v = (const T *)f->pixels + channel;
    const ptrdiff_t n = f->channels, sy = (ptrdiff_t)f->nx * n;
    int ix, iy;
    float fx, fy;
    x = held(x, f->nx - 1);
    y = held(y, f->ny - 1);
    if (f->interpolation == NEAREST) return (float)((int)v[(int)(y + 0.5) * sy + (int)(x + 0.5) * n] - BIAS);
    ix = (int)x; iy = (int)y;
    fx = (float)(x - ix); fy = (float)(y - iy);
    if (f->interpolation == LINEAR) {
        const ptrdiff_t dx = ix + 1 < f->nx ? n : 0, dy = iy + 1 < f->ny ? sy : 0;
        const T *p = v + iy * sy + ix * n;
        const float a = (float)((int)p[0] - BIAS) + fx * (float)((int)p[dx] - (int)p[0]);
        const float b = (float)((int)p[dy] - BIAS) + fx * (float)((int)p[dy + dx] - (int)p[dy]);
        return a + fy * (b - a);
    } else {
        float wx[4], wy[4], sum = 0.0f;
        int i, j;
        catmull_rom(fx, wx); catmull_rom(fy, wy);
        for (j = 0; j < 4; j++)
            for (i = 0; i < 4; i++)
                sum += wy[j] * wx[i]
                     * (float)((int)v[within(iy - 1 + j, f->ny) * sy + within(ix - 1 + i, f->nx) * n] - BIAS);
        return sum;
    }
}

/* Mean of samples x samples places within one viewport pixel, so that shrinking does not flicker. */
static TARGET float TYPED(flat_pixel)(const Flat *f, double x, double y, int channel)
{
    const int n = f->samples;
    double sum = 0.0;
    int i, j;
    if (n <= 1) return TYPED(flat_sample)(f, x, y, channel);
    for (j = 0; j < n; j++) {
        const double v = (j + 0.5) / n - 0.5;
        for (i = 0; i < n; i++) {
            const double u = (i + 0.5) / n - 0.5;
            sum += TYPED(flat_sample)(f, x + u * f->across[0] + v * f->down[0], y + u * f->across[1] + v * f->down[1],
                                      channel);
        }
    }
    return (float)(sum / (n * n));
}

static int TYPED(flat_value)(float value)
{
    const float r = (value + 12582912.0f) - 12582912.0f;
    const int v = (int)r + BIAS;
    return v < LOWEST ? LOWEST : v > HIGHEST ? HIGHEST : v;
}

/* A run of one-channel bilinear pixels whose four neighbours all exist. */
static TARGET void TYPED(flat_run)(const Flat *f, const double s[2], int x0, int x1, uint8_t *out)
{
    const T *v = (const T *)f->pixels;
    const ptrdiff_t sy = f->nx;
    int x;
    for (x = x0; x < x1; x++) {
        const double px = s[0] + x * f->across[0], py = s[1] + x * f->across[1];
        const int ix = (int)px, iy = (int)py;
        const float fx = (float)(px - ix), fy = (float)(py - iy);
        const T *p = v + iy * sy + ix;
        const float a = (float)((int)p[0] - BIAS) + fx * (float)((int)p[1] - (int)p[0]);
        const float b = (float)((int)p[sy] - BIAS) + fx * (float)((int)p[sy + 1] - (int)p[sy]);
        const float r = ((a + fy * (b - a)) + 12582912.0f) - 12582912.0f;
        out[x] = f->lut[(uint16_t)((int)r + BIAS)];
    }
}

static TARGET void TYPED(flat_rows)(const Flat *f, int row0, int row1, uint8_t *out)
{
    const int n = f->channels;
    int y, x, k;
    for (y = row0; y < row1; y++, out += (size_t)f->width * (size_t)n) {
        const double s[2] = {f->origin[0] + y * f->down[0], f->origin[1] + y * f->down[1]};
        int x0 = 0, x1 = f->width, i0, i1;
        memset(out, f->background, (size_t)f->width * (size_t)n);
        clip(s[0], f->across[0], -0.5, f->nx - 0.5, &x0, &x1);
        clip(s[1], f->across[1], -0.5, f->ny - 0.5, &x0, &x1);
        i0 = x0;
        i1 = x1;
        if (n == 1 && f->lut && f->samples <= 1 && f->interpolation == LINEAR) {
            clip(s[0], f->across[0], 0.0, f->nx - 1 - MARGIN, &i0, &i1);
            clip(s[1], f->across[1], 0.0, f->ny - 1 - MARGIN, &i0, &i1);
            if (i1 > i0) TYPED(flat_run)(f, s, i0, i1, out);
            else i0 = i1 = x1;
        } else i0 = i1 = x1;
        for (x = x0; x < x1; x++) {
            if (x == i0 && i1 > i0) { x = i1 - 1; continue; }
            for (k = 0; k < n; k++) {
                const int v = TYPED(flat_value)(
                    TYPED(flat_pixel)(f, s[0] + x * f->across[0], s[1] + x * f->across[1], k));
                out[(size_t)x * (size_t)n + (size_t)k] = f->lut ? f->lut[(uint16_t)v] : (uint8_t)v;
            }
        }
    }
}
