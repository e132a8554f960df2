/* The inner loops, compiled once per instruction set: ISA(name) names them, TARGET asks the compiler for the set.
   This file is included by _kernels.c once per stored type and instruction set with T, BIAS, TYPED(name) defined.
   Values are held as float after BIAS was taken off, so that 16 bits leave the interpolation within 0.51. */

#ifndef READING_ROOM_BODY_COMMON
#define READING_ROOM_BODY_COMMON

typedef struct {
    const void *pixels;
    int nx, ny, nz;           /* columns, rows, slices */
    const double *stations;   /* place of each slice in steps, or NULL */
} Grid;

typedef struct {
    double origin[3], across[3], down[3], through[3];
    int width, planes, mode, interpolation;
    int outside;
    const uint8_t *lut;       /* 65536 greys, or NULL for stored values out */
} Cut;

enum { NEAREST = 0, LINEAR = 1, CUBIC = 2 };
enum { MAXIMUM = 0, MINIMUM = 1, MEAN = 2 };

#define MARGIN 1e-7

/* Narrow [*x0, *x1) to where low <= start + x * step <= high; exact at the ends, as the loops evaluate it. */
static void clip(double start, double step, double low, double high, int *x0, int *x1)
{
    double a, b;
    int lo = *x0, hi = *x1;
    if (!(fabs(step) > 1e-300)) {
        if (!(start >= low && start <= high)) *x1 = *x0;
        return;
    }
    a = (low - start) / step;
    b = (high - start) / step;
    if (a > b) { double t = a; a = b; b = t; }
    if (!(a > -1.0)) a = -1.0;
    if (!(b < (double)hi + 1.0)) b = (double)hi + 1.0;
    if (a > (double)hi || b < (double)lo) { *x1 = *x0; return; }
    a = ceil(a) - 1.0;
    b = floor(b) + 2.0;
    if (a > lo) lo = (int)a;
    if (b < hi) hi = (int)b;
    while (lo < hi && !(start + lo * step >= low && start + lo * step <= high)) lo++;
    while (hi > lo && !(start + (hi - 1) * step >= low && start + (hi - 1) * step <= high)) hi--;
    *x0 = lo;
    *x1 = hi;
}

/* Slice index of a place between stations; `hint` remembers where the last one was. */
static double slice_at(const double *stations, int n, double place, int *hint)
{
    int k = *hint;
    if (n < 2) return 0.0;
    if (k > n - 2) k = n - 2;
    while (k > 0 && place < stations[k]) k--;
    while (k < n - 2 && place >= stations[k + 1]) k++;
    *hint = k;
    return k + (place - stations[k]) / (stations[k + 1] - stations[k]);
}

static void catmull_rom(float f, float w[4])
{
    w[0] = f * (-0.5f + f * (1.0f - 0.5f * f));
    w[1] = 1.0f + f * f * (-2.5f + 1.5f * f);
    w[2] = f * (0.5f + f * (2.0f - 1.5f * f));
    w[3] = f * f * (-0.5f + 0.5f * f);
}

static int within(int v, int n) { return v < 0 ? 0 : v >= n ? n - 1 : v; }

static double held(double v, double high) { return v < 0.0 ? 0.0 : v > high ? high : v; }

#endif

/* One sample anywhere inside the volume, edges held; index space, z already a slice index. */
static TARGET float TYPED(sample)(const Grid *g, double x, double y, double z, int interpolation)
{
    const T *v = (const T *)g->pixels;
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    int ix, iy, iz;
    float fx, fy, fz;
    x = held(x, g->nx - 1);
    y = held(y, g->ny - 1);
    z = held(z, g->nz - 1);
    if (interpolation == NEAREST)
        return (float)((int)v[(int)(z + 0.5) * sz + (int)(y + 0.5) * sy + (int)(x + 0.5)] - BIAS);
    ix = (int)x; iy = (int)y; iz = (int)z;
    fx = (float)(x - ix); fy = (float)(y - iy); fz = (float)(z - iz);
    if (interpolation == LINEAR) {
        const int dx = ix + 1 < g->nx;
        const ptrdiff_t dy = iy + 1 < g->ny ? sy : 0, dz = iz + 1 < g->nz ? sz : 0;
        const T *p = v + iz * sz + iy * sy + ix;
        float a = (float)((int)p[0] - BIAS) + fx * (float)((int)p[dx] - (int)p[0]);
        float b = (float)((int)p[dy] - BIAS) + fx * (float)((int)p[dy + dx] - (int)p[dy]);
        float c = (float)((int)p[dz] - BIAS) + fx * (float)((int)p[dz + dx] - (int)p[dz]);
        float d = (float)((int)p[dz + dy] - BIAS) + fx * (float)((int)p[dz + dy + dx] - (int)p[dz + dy]);
        a += fy * (b - a);
        c += fy * (d - c);
        return a + fz * (c - a);
    } else {
        float wx[4], wy[4], wz[4], sum = 0.0f;
        int i, j, k, cx[4];
        const int depth = g->nz > 1 ? 4 : 1;
        catmull_rom(fx, wx); catmull_rom(fy, wy); catmull_rom(fz, wz);
        if (depth == 1) wz[0] = 1.0f;
        for (i = 0; i < 4; i++) cx[i] = within(ix - 1 + i, g->nx);
        for (k = 0; k < depth; k++) {
            const T *plane = v + (ptrdiff_t)within(depth == 1 ? 0 : iz - 1 + k, g->nz) * sz;
            for (j = 0; j < 4; j++) {
                const T *row = plane + (ptrdiff_t)within(iy - 1 + j, g->ny) * sy;
                float line = wx[0] * (float)((int)row[cx[0]] - BIAS) + wx[1] * (float)((int)row[cx[1]] - BIAS)
                           + wx[2] * (float)((int)row[cx[2]] - BIAS) + wx[3] * (float)((int)row[cx[3]] - BIAS);
                sum += wz[k] * wy[j] * line;
            }
        }
        return sum;
    }
}

#if defined(WITH_AVX2) && PAIRS
/* Eight trilinear samples: neighbours along x come as one 32-bit gather, so that half the loads are saved and many
   of them wait for memory at once. FLIP takes the bias off both halves. */
static TARGET __m256 TYPED(eight)(const Grid *g, const double s[3], const double a[3], int x)
{
    const __m256d first = _mm256_add_pd(_mm256_set1_pd((double)x), _mm256_setr_pd(0.0, 1.0, 2.0, 3.0));
    const __m256d second = _mm256_add_pd(first, _mm256_set1_pd(4.0));
    const int *base = (const int *)g->pixels;
    __m256i index[3];
    __m256 part[3];
    int k;
    for (k = 0; k < 3; k++) {
        const __m256d start = _mm256_set1_pd(s[k]), step = _mm256_set1_pd(a[k]);
        const __m256d p = _mm256_fmadd_pd(first, step, start), q = _mm256_fmadd_pd(second, step, start);
        const __m128i pi = _mm256_cvttpd_epi32(p), qi = _mm256_cvttpd_epi32(q);
        const __m128 pf = _mm256_cvtpd_ps(_mm256_sub_pd(p, _mm256_cvtepi32_pd(pi)));
        const __m128 qf = _mm256_cvtpd_ps(_mm256_sub_pd(q, _mm256_cvtepi32_pd(qi)));
        index[k] = _mm256_set_m128i(qi, pi);
        part[k] = _mm256_set_m128(qf, pf);
    }
    {
        const __m256i row = _mm256_set1_epi32(g->nx), plane = _mm256_set1_epi32(g->nx * g->ny);
        const __m256i at = _mm256_add_epi32(_mm256_add_epi32(_mm256_mullo_epi32(index[2], plane),
                                                             _mm256_mullo_epi32(index[1], row)), index[0]);
        const __m256i near[4] = {at, _mm256_add_epi32(at, row), _mm256_add_epi32(at, plane),
                                 _mm256_add_epi32(_mm256_add_epi32(at, row), plane)};
        __m256 edge[4];
        for (k = 0; k < 4; k++) {
            const __m256i pair = _mm256_xor_si256(_mm256_i32gather_epi32(base, near[k], 2), _mm256_set1_epi32(FLIP));
            const __m256i low = _mm256_srai_epi32(_mm256_slli_epi32(pair, 16), 16);
            const __m256i high = _mm256_srai_epi32(pair, 16);
            const __m256 from = _mm256_cvtepi32_ps(low), by = _mm256_cvtepi32_ps(_mm256_sub_epi32(high, low));
            edge[k] = _mm256_fmadd_ps(part[0], by, from);
        }
        edge[0] = _mm256_fmadd_ps(part[1], _mm256_sub_ps(edge[1], edge[0]), edge[0]);
        edge[2] = _mm256_fmadd_ps(part[1], _mm256_sub_ps(edge[3], edge[2]), edge[2]);
        edge[0] = _mm256_fmadd_ps(part[2], _mm256_sub_ps(edge[2], edge[0]), edge[0]);
        return edge[0];
    }
}
#endif

/* Trilinear samples of a run whose eight neighbours all exist. */
static TARGET void TYPED(run)(const Grid *g, const double s[3], const double a[3], int x0, int x1, float *line)
{
    const T *v = (const T *)g->pixels;
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    int x = x0;
#if defined(WITH_AVX2) && PAIRS
    if ((int64_t)g->nx * g->ny * g->nz < INT32_MAX)
        for (; x + 8 <= x1; x += 8) _mm256_storeu_ps(line + x, TYPED(eight)(g, s, a, x));
#endif
    for (; x < x1; x++) {
        const double px = s[0] + x * a[0], py = s[1] + x * a[1], pz = s[2] + x * a[2];
        const int ix = (int)px, iy = (int)py, iz = (int)pz;
        const float fx = (float)(px - ix), fy = (float)(py - iy), fz = (float)(pz - iz);
        const T *p = v + iz * sz + iy * sy + ix;
        const T *q = p + sz;
        const float e = (float)((int)p[0] - BIAS) + fx * (float)((int)p[1] - (int)p[0]);
        const float f = (float)((int)p[sy] - BIAS) + fx * (float)((int)p[sy + 1] - (int)p[sy]);
        const float h = (float)((int)q[0] - BIAS) + fx * (float)((int)q[1] - (int)q[0]);
        const float i = (float)((int)q[sy] - BIAS) + fx * (float)((int)q[sy + 1] - (int)q[sy]);
        const float j = e + fy * (f - e), k = h + fy * (i - h);
        line[x] = j + fz * (k - j);
    }
}

/* One plane's part of a row: samples into line[x0..x1), the range told. */
static TARGET void TYPED(plane_row)(const Grid *g, const Cut *c, const double s[3], float *line, int *from, int *to)
{
    int x0 = 0, x1 = c->width, i0, i1, x, hint = 0;
    const double last = g->stations ? g->stations[g->nz - 1] : g->nz - 1;
    clip(s[0], c->across[0], -0.5, g->nx - 0.5, &x0, &x1);
    clip(s[1], c->across[1], -0.5, g->ny - 0.5, &x0, &x1);
    clip(s[2], c->across[2], -0.5, last + 0.5, &x0, &x1);
    *from = x0;
    *to = x1;
    i0 = x0;
    i1 = x1;
    if (c->interpolation == LINEAR && !g->stations) {
        clip(s[0], c->across[0], 0.0, g->nx - 1 - MARGIN, &i0, &i1);
        clip(s[1], c->across[1], 0.0, g->ny - 1 - MARGIN, &i0, &i1);
        clip(s[2], c->across[2], 0.0, g->nz - 1 - MARGIN, &i0, &i1);
        if (i1 > i0) TYPED(run)(g, s, c->across, i0, i1, line);
        else i0 = i1 = x1;
    } else i0 = i1 = x1;
    for (x = x0; x < x1; x++) {
        double z;
        if (x == i0 && i1 > i0) { x = i1 - 1; continue; }
        z = s[2] + x * c->across[2];
        if (g->stations) z = slice_at(g->stations, g->nz, held(z, last), &hint);
        line[x] = TYPED(sample)(g, s[0] + x * c->across[0], s[1] + x * c->across[1], z, c->interpolation);
    }
}

static TARGET void TYPED(write_row)(const Cut *c, const float *line, const int *count, void *out)
{
    int x;
    for (x = 0; x < c->width; x++) {
        const float r = (line[x] + 12582912.0f) - 12582912.0f; /* to the nearest integer */
        int value = (int)r + BIAS;
        value = value < LOWEST ? LOWEST : value > HIGHEST ? HIGHEST : value;
        if (!count[x]) value = c->outside;
        if (c->lut) ((uint8_t *)out)[x] = count[x] ? c->lut[(uint16_t)value] : (uint8_t)c->outside;
        else ((T *)out)[x] = (T)value;
    }
}

/* Join one more plane's samples to what the row holds; `sum` is the exact one of a mean. */
static TARGET void TYPED(join)(int mode, const float *add, float *line, double *sum, int *count, int x0, int x1)
{
    int x;
    if (mode == MEAN) {
        for (x = x0; x < x1; x++) { sum[x] += add[x]; count[x]++; }
        return;
    }
    for (x = x0; x < x1; x++) {
        const float a = add[x], b = line[x];
        const float best = mode == MAXIMUM ? (a > b ? a : b) : (a < b ? a : b);
        line[x] = count[x] ? best : a;
        count[x]++;
    }
}

/* Rows [row0, row1) of a cut, single planes and slabs. `work` holds 2 float lines, 1 double line, 1 int line. */
static TARGET void TYPED(cut_rows)(const Grid *g, const Cut *c, int row0, int row1, void *out, void *work)
{
    double *sum = (double *)work;
    float *line = (float *)(sum + c->width), *add = line + c->width;
    int *count = (int *)(add + c->width);
    const size_t stride = (size_t)c->width * (c->lut ? 1 : sizeof(T));
    int y, p, x, k, x0, x1;
    for (y = row0; y < row1; y++) {
        memset(count, 0, sizeof(int) * (size_t)c->width);
        memset(line, 0, sizeof(float) * (size_t)c->width);
        if (c->mode == MEAN) memset(sum, 0, sizeof(double) * (size_t)c->width);
        for (p = 0; p < c->planes; p++) {
            double s[3];
            for (k = 0; k < 3; k++) s[k] = c->origin[k] + y * c->down[k] + p * c->through[k];
            if (c->planes == 1) {
                TYPED(plane_row)(g, c, s, line, &x0, &x1);
                for (x = x0; x < x1; x++) count[x] = 1;
            } else {
                TYPED(plane_row)(g, c, s, add, &x0, &x1);
                TYPED(join)(c->mode, add, line, sum, count, x0, x1);
            }
        }
        if (c->mode == MEAN && c->planes > 1)
            for (x = 0; x < c->width; x++) line[x] = count[x] ? (float)(sum[x] / count[x]) : 0.0f;
        TYPED(write_row)(c, line, count, (char *)out + (size_t)(y - row0) * stride);
    }
}
