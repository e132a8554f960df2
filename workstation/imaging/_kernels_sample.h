/* Samples: one anywhere, and runs of a row whose neighbours all exist, eight at a time where AVX2 is.
   Included once per stored type and instruction set with T, BIAS, FLIP, PAIRS, TYPED(name) and TARGET defined.
   Values are held as float after BIAS was taken off, so that 16 bits leave the interpolation within 0.51. */

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

#ifndef READING_ROOM_LANES
#define READING_ROOM_LANES

/* How eight neighbours of a row lie to the first of them: voxels away, and fractions in 1/2^32 to be carried. */
typedef struct {
    __m256i part[3], offset, row, plane;
    int32_t away[8]; /* as `offset` */
    int held; /* the row stands still along an axis, so places may have to be held */
} Lanes;

static TARGET int lanes_of(const Grid *g, const double a[3], Lanes *l)
{
    const __m256i count = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const int64_t sy = g->nx, sz = (int64_t)g->nx * g->ny;
    int64_t step[3], away[3] = {0, 0, 0};
    int k, x;
    l->held = !(fabs(a[0]) > 1e-300 && fabs(a[1]) > 1e-300 && fabs(a[2]) > 1e-300);
    if (g->nx < 2 || sz > 1 << 28) return 0;
    if (fabs(a[0]) + fabs(a[1]) * (double)sy + fabs(a[2]) * (double)sz > 1e8) return 0;
    for (k = 0; k < 3; k++) {
        step[k] = llrint(a[k] * 4294967296.0);
        l->part[k] = _mm256_mullo_epi32(_mm256_set1_epi32((int32_t)(uint32_t)(uint64_t)step[k]), count);
    }
    for (x = 0; x < 8; x++) {
        l->away[x] = (int32_t)((away[2] >> 32) * sz + (away[1] >> 32) * sy + (away[0] >> 32));
        for (k = 0; k < 3; k++) away[k] += step[k];
    }
    l->offset = _mm256_loadu_si256((const __m256i *)l->away);
    l->row = _mm256_set1_epi32((int32_t)sy);
    l->plane = _mm256_set1_epi32((int32_t)sz);
    return 1;
}

/* Fractions as floats, and the voxel of each lane counted from that of the first. */
static INLINE TARGET __m256i lanes_at(const Lanes *l, const int64_t at[3], __m256 part[3])
{
    const __m256 scale = _mm256_set1_ps(1.0f / 4294967296.0f), half = _mm256_set1_ps(0.5f);
    __m256i carry[3], index;
    int k;
    for (k = 0; k < 3; k++) {
        /* the fraction less 2^31, so that a signed comparison finds the carry and a signed conversion the float */
        const __m256i first = _mm256_set1_epi32((int32_t)((uint32_t)(uint64_t)at[k] ^ 0x80000000u));
        const __m256i sum = _mm256_add_epi32(first, l->part[k]);
        carry[k] = _mm256_cmpgt_epi32(first, sum);
        part[k] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), scale, half);
    }
    index = _mm256_sub_epi32(l->offset, carry[0]);
    index = _mm256_add_epi32(index, _mm256_and_si256(carry[1], l->row));
    return _mm256_add_epi32(index, _mm256_and_si256(carry[2], l->plane));
}

/* What will be read some rows on: how far it is in 1/2^32 of a voxel, the two corners of a cell by which rows come to what
   none before has read, and whether asking is of use: where neighbouring pixels lie in rows of their own, what was asked for pushes out what is
   needed (rows of 1,024 bytes share few sets of the cache). Only a hint, so a place beyond the volume does no harm. */
typedef struct { int64_t away[3]; ptrdiff_t corner, second; int of_use; } Ahead;

static TARGET void ahead_of(const double *down, int rows, const double a[3], ptrdiff_t dy, ptrdiff_t dz, Ahead *ahead)
{
    const double times = down ? rows : 8 * AHEAD;
    int k;
    if (!down) down = a;
    for (k = 0; k < 3; k++) {
        const double away = times * down[k];
        ahead->away[k] = fabs(away) < 1e6 ? llrint(away * 4294967296.0) : 0;
    }
    ahead->corner = (down[1] < 0.0 ? 0 : dy) + (down[2] < 0.0 ? 0 : dz);
    if (fabs(down[1]) < fabs(down[2])) ahead->second = (down[1] < 0.0 ? dy : 0) + (down[2] < 0.0 ? 0 : dz);
    else ahead->second = (down[1] < 0.0 ? 0 : dy) + (down[2] < 0.0 ? dz : 0);
    ahead->of_use = fabs(a[1]) + fabs(a[2]) <= 0.75;
}

static INLINE TARGET void ask_ahead(const Grid *g, const Lanes *l, const int64_t at[3], const Ahead *ahead, int both)
{
    if (ahead->of_use) {
        const int64_t x = (at[0] + ahead->away[0]) >> 32, y = (at[1] + ahead->away[1]) >> 32;
        const int64_t z = (at[2] + ahead->away[2]) >> 32;
        const intptr_t first = (intptr_t)g->pixels + 2 * (intptr_t)((z * g->ny + y) * g->nx + x);
        const intptr_t p = first + 2 * (intptr_t)ahead->corner, q = first + 2 * (intptr_t)ahead->second;
        _mm_prefetch((const char *)p, _MM_HINT_T1);
        _mm_prefetch((const char *)(p + 2 * (intptr_t)l->away[4]), _MM_HINT_T1);
        if (!both) return; /* the planes of a slab come to what their neighbours have read */
        _mm_prefetch((const char *)(q + 2 * (intptr_t)l->away[2]), _MM_HINT_T1);
        _mm_prefetch((const char *)(q + 2 * (intptr_t)l->away[6]), _MM_HINT_T1);
    }
}

static INLINE TARGET __m128i pair_at(const char *p)
{
    int32_t both;
    memcpy(&both, p, 4);
    return _mm_cvtsi32_si128(both);
}

/* Eight pairs of neighbours along x: loads and shuffles, which beat the gather instruction on most processors. */
static INLINE TARGET __m256i pairs_at(const char *p, const ptrdiff_t i[8])
{
    const __m128i a = _mm_unpacklo_epi32(pair_at(p + 2 * i[0]), pair_at(p + 2 * i[1]));
    const __m128i b = _mm_unpacklo_epi32(pair_at(p + 2 * i[2]), pair_at(p + 2 * i[3]));
    const __m128i c = _mm_unpacklo_epi32(pair_at(p + 2 * i[4]), pair_at(p + 2 * i[5]));
    const __m128i d = _mm_unpacklo_epi32(pair_at(p + 2 * i[6]), pair_at(p + 2 * i[7]));
    return _mm256_set_m128i(_mm_unpacklo_epi64(c, d), _mm_unpacklo_epi64(a, b));
}

#endif

/* Eight trilinear samples; dy, dz lead to the next row and slice. */
static INLINE TARGET __m256 TYPED(eight)(const Grid *g, const Lanes *l, const int64_t at[3], ptrdiff_t dy, ptrdiff_t dz)
{
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    const T *p = (const T *)g->pixels + (at[2] >> 32) * sz + (at[1] >> 32) * sy + (at[0] >> 32);
    const T *at_edge[4] = {p, p + dy, p + dz, p + dz + dy};
    int32_t kept[8];
    ptrdiff_t voxel[8];
    __m256 part[3], edge[4];
    const __m256i index = lanes_at(l, at, part);
    int k;
    /* through memory on purpose: a store and eight loads cost less than eight extracts */
    _mm256_storeu_si256((__m256i *)kept, index);
    __asm__("" : "+m"(kept));
    for (k = 0; k < 8; k++) voxel[k] = kept[k];
    for (k = 0; k < 4; k++) {
        __m256i both = pairs_at((const char *)at_edge[k], voxel);
        __m256i rise;
        if (FLIP) both = _mm256_xor_si256(both, _mm256_set1_epi32(FLIP));
        rise = _mm256_madd_epi16(both, _mm256_set1_epi32(0x0001ffff)); /* the second less the first */
        both = _mm256_madd_epi16(both, _mm256_set1_epi32(1));
        edge[k] = _mm256_fmadd_ps(part[0], _mm256_cvtepi32_ps(rise), _mm256_cvtepi32_ps(both));
    }
    edge[0] = _mm256_fmadd_ps(part[1], _mm256_sub_ps(edge[1], edge[0]), edge[0]);
    edge[2] = _mm256_fmadd_ps(part[1], _mm256_sub_ps(edge[3], edge[2]), edge[2]);
    return _mm256_fmadd_ps(part[2], _mm256_sub_ps(edge[2], edge[0]), edge[0]);
}

#ifndef READING_ROOM_CUBIC_WEIGHTS
#define READING_ROOM_CUBIC_WEIGHTS

/* Catmull-Rom weights as polynomials of the fraction, lane by lane; `c` holds constant, linear, square, cube. */
static INLINE TARGET __m256 polynomial(const __m256 c[4], __m256 f)
{
    return _mm256_fmadd_ps(_mm256_fmadd_ps(_mm256_fmadd_ps(c[3], f, c[2]), f, c[1]), f, c[0]);
}

static INLINE TARGET void cubic_constants(__m256 x[4], __m256 low[4], __m256 high[4])
{
    x[0] = _mm256_setr_ps(0.0f, 1.0f, 0.0f, 0.0f, 0.0f, 1.0f, 0.0f, 0.0f);
    x[1] = _mm256_setr_ps(-0.5f, 0.0f, 0.5f, 0.0f, -0.5f, 0.0f, 0.5f, 0.0f);
    x[2] = _mm256_setr_ps(1.0f, -2.5f, 2.0f, -0.5f, 1.0f, -2.5f, 2.0f, -0.5f);
    x[3] = _mm256_setr_ps(-0.5f, 1.5f, -1.5f, 0.5f, -0.5f, 1.5f, -1.5f, 0.5f);
    low[0] = _mm256_setr_ps(0.0f, 0.0f, 0.0f, 0.0f, 1.0f, 1.0f, 1.0f, 1.0f);
    low[1] = _mm256_setr_ps(-0.5f, -0.5f, -0.5f, -0.5f, 0.0f, 0.0f, 0.0f, 0.0f);
    low[2] = _mm256_setr_ps(1.0f, 1.0f, 1.0f, 1.0f, -2.5f, -2.5f, -2.5f, -2.5f);
    low[3] = _mm256_setr_ps(-0.5f, -0.5f, -0.5f, -0.5f, 1.5f, 1.5f, 1.5f, 1.5f);
    high[0] = _mm256_setzero_ps();
    high[1] = _mm256_setr_ps(0.5f, 0.5f, 0.5f, 0.5f, 0.0f, 0.0f, 0.0f, 0.0f);
    high[2] = _mm256_setr_ps(2.0f, 2.0f, 2.0f, 2.0f, -0.5f, -0.5f, -0.5f, -0.5f);
    high[3] = _mm256_setr_ps(-1.5f, -1.5f, -1.5f, -1.5f, 0.5f, 0.5f, 0.5f, 0.5f);
}

#endif

/* Two rows of four neighbours as floats. */
static INLINE TARGET __m256 TYPED(two_rows)(const T *p, const T *q)
{
    __m128i both = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)p), _mm_loadl_epi64((const __m128i *)q));
    if (FLIP) both = _mm_xor_si128(both, _mm_set1_epi32(FLIP));
    return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(both));
}

/* Tricubic samples of a run whose 64 neighbours all exist. */
static TARGET void TYPED(cubic_run)(const Grid *g, const double s[3], const double a[3], int x0, int x1, float *line)
{
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    __m256 cx[4], low[4], high[4];
    int x, k;
    cubic_constants(cx, low, high);
    for (x = x0; x < x1; x++) {
        const double px = s[0] + x * a[0], py = s[1] + x * a[1], pz = s[2] + x * a[2];
        const int ix = (int)px, iy = (int)py, iz = (int)pz;
        const __m256 fy = _mm256_set1_ps((float)(py - iy));
        const __m256 wx = polynomial(cx, _mm256_set1_ps((float)(px - ix)));
        const __m256 w01 = polynomial(low, fy), w23 = polynomial(high, fy);
        const T *p = (const T *)g->pixels + (iz - 1) * sz + (iy - 1) * sy + (ix - 1);
        __m256 sum = _mm256_setzero_ps();
        __m128 half;
        float wz[4];
        catmull_rom((float)(pz - iz), wz);
        for (k = 0; k < 4; k++, p += sz) {
            __m256 plane = _mm256_mul_ps(w01, TYPED(two_rows)(p, p + sy));
            plane = _mm256_fmadd_ps(w23, TYPED(two_rows)(p + 2 * sy, p + 3 * sy), plane);
            sum = _mm256_fmadd_ps(_mm256_set1_ps(wz[k]), plane, sum);
        }
        sum = _mm256_mul_ps(sum, wx);
        half = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
        half = _mm_add_ps(half, _mm_movehl_ps(half, half));
        line[x] = _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
    }
}

#else

static TARGET void TYPED(cubic_run)(const Grid *g, const double s[3], const double a[3], int x0, int x1, float *line)
{
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    int x, j, k;
    for (x = x0; x < x1; x++) {
        const double px = s[0] + x * a[0], py = s[1] + x * a[1], pz = s[2] + x * a[2];
        const int ix = (int)px, iy = (int)py, iz = (int)pz;
        const T *p = (const T *)g->pixels + (iz - 1) * sz + (iy - 1) * sy + (ix - 1);
        float wx[4], wy[4], wz[4], sum = 0.0f;
        catmull_rom((float)(px - ix), wx); catmull_rom((float)(py - iy), wy); catmull_rom((float)(pz - iz), wz);
        for (k = 0; k < 4; k++, p += sz) {
            float plane = 0.0f;
            for (j = 0; j < 4; j++) {
                const T *q = p + j * sy;
                plane += wy[j] * (wx[0] * (float)((int)q[0] - BIAS) + wx[1] * (float)((int)q[1] - BIAS)
                                  + wx[2] * (float)((int)q[2] - BIAS) + wx[3] * (float)((int)q[3] - BIAS));
            }
            sum += wz[k] * plane;
        }
        line[x] = sum;
    }
}

#endif

/* Trilinear samples of a run whose eight neighbours all exist (or the row is held there); `down` leads to the next row
   where that is known. */
static TARGET void TYPED(linear_run)(const Grid *g, const double s[3], const double a[3], const double *down,
                                     const Reach hold[3], int x0, int x1, float *line)
{
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    const ptrdiff_t dy = g->ny > 1 ? sy : 0, dz = g->nz > 1 ? sz : 0;
    const int dx = g->nx > 1;
    int x = x0, k;
#if defined(WITH_AVX2) && PAIRS
    Lanes l;
    if (x1 - x0 >= 8 && lanes_of(g, a, &l)) {
        int64_t at[3] = {0, 0, 0}, step[3];
        Ahead ahead;
        int turn = 0;
        ahead_of(down, ROWS_AHEAD, a, dy, dz, &ahead);
        for (k = 0; k < 3; k++) step[k] = llrint(8.0 * a[k] * 4294967296.0);
        while (x < x1) {
            if (x + 8 > x1) {
                x = x1 - 8;
                turn = 0;
            }
            for (k = 0; k < 3; k++) at[k] = turn & 15 ? at[k] + step[k] : fixed_at(s[k] + x * a[k], &hold[k]);
            turn++;
            ask_ahead(g, &l, at, &ahead, 1);
            _mm256_storeu_ps(line + x, TYPED(eight)(g, &l, at, dy, dz));
            x += 8;
        }
    }
#endif
    for (; x < x1; x++) {
        double at[3];
        int i[3];
        float f[3];
        for (k = 0; k < 3; k++) {
            const double p = s[k] + x * a[k];
            at[k] = p < hold[k].low ? hold[k].low : p > hold[k].high ? hold[k].high : p;
            i[k] = (int)at[k];
            f[k] = (float)(at[k] - i[k]);
        }
        {
            const T *p = (const T *)g->pixels + i[2] * sz + i[1] * sy + i[0];
            const T *q = p + dz;
            const float b = (float)((int)p[0] - BIAS) + f[0] * (float)((int)p[dx] - (int)p[0]);
            const float c = (float)((int)p[dy] - BIAS) + f[0] * (float)((int)p[dy + dx] - (int)p[dy]);
            const float d = (float)((int)q[0] - BIAS) + f[0] * (float)((int)q[dx] - (int)q[0]);
            const float e = (float)((int)q[dy] - BIAS) + f[0] * (float)((int)q[dy + dx] - (int)q[dy]);
            const float h = b + f[1] * (c - b), m = d + f[1] * (e - d);
            line[x] = h + f[2] * (m - h);
        }
    }
}

static TARGET void TYPED(nearest_run)(const Grid *g, const double s[3], const double a[3], const Reach hold[3], int x0,
                                      int x1, float *line)
{
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    int x, k;
    for (x = x0; x < x1; x++) {
        ptrdiff_t i[3];
        for (k = 0; k < 3; k++) {
            const double p = s[k] + x * a[k];
            i[k] = (int)((p < hold[k].low ? hold[k].low : p > hold[k].high ? hold[k].high : p) + 0.5);
        }
        line[x] = (float)((int)((const T *)g->pixels)[i[2] * sz + i[1] * sy + i[0]] - BIAS);
    }
}
