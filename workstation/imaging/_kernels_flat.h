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

#if defined(WITH_AVX2) && PAIRS
/* Eight bilinear samples with the bias off. */
static TARGET __m256 TYPED(flat_eight)(const Flat *f, const double s[2], int x)
{
    const __m256d first = _mm256_add_pd(_mm256_set1_pd((double)x), _mm256_setr_pd(0.0, 1.0, 2.0, 3.0));
    const __m256d second = _mm256_add_pd(first, _mm256_set1_pd(4.0));
    __m256i index[2], at;
    __m256 part[2], edge[2];
    int k;
    for (k = 0; k < 2; k++) {
        const __m256d start = _mm256_set1_pd(s[k]), step = _mm256_set1_pd(f->across[k]);
        const __m256d p = _mm256_fmadd_pd(first, step, start), q = _mm256_fmadd_pd(second, step, start);
        const __m128i pi = _mm256_cvttpd_epi32(p), qi = _mm256_cvttpd_epi32(q);
        const __m128 pf = _mm256_cvtpd_ps(_mm256_sub_pd(p, _mm256_cvtepi32_pd(pi)));
        const __m128 qf = _mm256_cvtpd_ps(_mm256_sub_pd(q, _mm256_cvtepi32_pd(qi)));
        index[k] = _mm256_set_m128i(qi, pi);
        part[k] = _mm256_set_m128(qf, pf);
    }
    at = _mm256_add_epi32(_mm256_mullo_epi32(index[1], _mm256_set1_epi32(f->nx)), index[0]);
    for (k = 0; k < 2; k++) {
        const __m256i place = k ? _mm256_add_epi32(at, _mm256_set1_epi32(f->nx)) : at;
        const __m256i pair = _mm256_xor_si256(_mm256_i32gather_epi32((const int *)f->pixels, place, 2),
                                              _mm256_set1_epi32(FLIP));
        const __m256i low = _mm256_srai_epi32(_mm256_slli_epi32(pair, 16), 16);
        const __m256i high = _mm256_srai_epi32(pair, 16);
        edge[k] = _mm256_fmadd_ps(part[0], _mm256_cvtepi32_ps(_mm256_sub_epi32(high, low)), _mm256_cvtepi32_ps(low));
    }
    return _mm256_fmadd_ps(part[1], _mm256_sub_ps(edge[1], edge[0]), edge[0]);
}
#endif

/* Add a run of one-channel bilinear samples, all four neighbours of which exist, to a line, `weight` times. */
static TARGET void TYPED(flat_line)(const Flat *f, const double s[2], int x0, int x1, float weight, float *line)
{
    const T *v = (const T *)f->pixels;
    const ptrdiff_t sy = f->nx;
    int x = x0;
#if defined(WITH_AVX2) && PAIRS
    const __m256 w = _mm256_set1_ps(weight);
    if ((int64_t)f->nx * f->ny < INT32_MAX)
        for (; x + 8 <= x1; x += 8)
            _mm256_storeu_ps(line + x, _mm256_fmadd_ps(w, TYPED(flat_eight)(f, s, x), _mm256_loadu_ps(line + x)));
#endif
    for (; x < x1; x++) {
        const double px = s[0] + x * f->across[0], py = s[1] + x * f->across[1];
        const int ix = (int)px, iy = (int)py;
        const float fx = (float)(px - ix), fy = (float)(py - iy);
        const T *p = v + iy * sy + ix;
        const float a = (float)((int)p[0] - BIAS) + fx * (float)((int)p[1] - (int)p[0]);
        const float b = (float)((int)p[sy] - BIAS) + fx * (float)((int)p[sy + 1] - (int)p[sy]);
        line[x] += weight * (a + fy * (b - a));
    }
}

/* Pixels [*i0, *i1) whose samples all lie within the image: of a line of samples the ends decide. */
static void TYPED(flat_inner)(const Flat *f, const double s[2], int *i0, int *i1)
{
    const double reach = f->samples > 1 ? 0.5 - 0.5 / f->samples : 0.0;
    int k;
    for (k = 0; k < 4; k++) {
        const double u = k & 1 ? reach : -reach, v = k & 2 ? reach : -reach;
        clip(s[0] + u * f->across[0] + v * f->down[0], f->across[0], 0.0, f->nx - 1 - MARGIN, i0, i1);
        clip(s[1] + u * f->across[1] + v * f->down[1], f->across[1], 0.0, f->ny - 1 - MARGIN, i0, i1);
    }
}

/* One-channel bilinear pixels, the mean of their samples, through the table. */
static TARGET void TYPED(flat_run)(const Flat *f, const double s[2], int x0, int x1, float *line, uint8_t *out)
{
    const int n = f->samples > 1 ? f->samples : 1;
    const float weight = 1.0f / (float)(n * n);
    int x, i, j;
    memset(line + x0, 0, sizeof(float) * (size_t)(x1 - x0));
    for (j = 0; j < n; j++)
        for (i = 0; i < n; i++) {
            const double u = n > 1 ? (i + 0.5) / n - 0.5 : 0.0, v = n > 1 ? (j + 0.5) / n - 0.5 : 0.0;
            const double at[2] = {s[0] + u * f->across[0] + v * f->down[0], s[1] + u * f->across[1] + v * f->down[1]};
            TYPED(flat_line)(f, at, x0, x1, weight, line);
        }
    for (x = x0; x < x1; x++) out[x] = f->lut[(uint16_t)TYPED(flat_value)(line[x])];
}

#include "_kernels_straight.h"

static TARGET void TYPED(flat_rows)(const Flat *f, int row0, int row1, uint8_t *out, float *line)
{
    const int n = f->channels;
    int y, x, k;
    if (TYPED(flat_is_straight)(f)) {
        TYPED(flat_straight)(f, row0, row1, out, line);
        return;
    }
    for (y = row0; y < row1; y++, out += (size_t)f->width * (size_t)n) {
        const double s[2] = {f->origin[0] + y * f->down[0], f->origin[1] + y * f->down[1]};
        int x0 = 0, x1 = f->width, i0, i1;
        memset(out, f->background, (size_t)f->width * (size_t)n);
        clip(s[0], f->across[0], -0.5, f->nx - 0.5, &x0, &x1);
        clip(s[1], f->across[1], -0.5, f->ny - 0.5, &x0, &x1);
        i0 = x0;
        i1 = x1;
        if (n == 1 && f->lut && f->interpolation == LINEAR) {
            TYPED(flat_inner)(f, s, &i0, &i1);
            if (i1 > i0) TYPED(flat_run)(f, s, i0, i1, line, out);
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
