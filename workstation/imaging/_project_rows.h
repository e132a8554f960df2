/* The brightest value along each ray through a whole volume, what cannot be brighter skipped: the maxima of bricks of
   8 and of 32 voxels bound what the samples within can be. Exact: the same as a slab of all planes. Levoy 1990 describes
   the skipping of bricks. */

#include "_kernels_sample.h"

#ifndef READING_ROOM_PROJECT_COMMON
#define READING_ROOM_PROJECT_COMMON

enum { FINE = 8, COARSE = 32, LANES = 8 };

/* Maxima of bricks, voxels shared with the next brick included: fine and coarse, x fastest. */
typedef struct {
    const uint16_t *fine, *coarse; /* value + 32768 - bias: in the order of the values */
    int fx, fy, fz, cx, cy, cz;
} Bricks;

/* A projection: as a Cut; `lowest` and `highest` are levels beyond which all look the same. */
typedef struct {
    Cut cut;
    float lowest, highest;
} Projection;

static void places_of(const Row *r, int x, int p, double at[3])
{
    int k;
    for (k = 0; k < 3; k++) at[k] = r->s[k] + x * r->a[k] + p * r->t[k];
}

static int brick_of(double place, int n, int edge)
{
    const int voxel = place < 0.0 ? 0 : place > n - 1 ? n - 1 : (int)place;
    return voxel / edge;
}

/* The largest of the bricks that a stretch of planes [p0, p1) of pixels [x, x + wide) touches, less 32768. */
static float bound(const Grid *g, const Bricks *b, const Row *r, int x, int wide, int p0, int p1, int edge)
{
    const uint16_t *maxima = edge == FINE ? b->fine : b->coarse;
    const int bx = edge == FINE ? b->fx : b->cx, by = edge == FINE ? b->fy : b->cy;
    const int n[3] = {g->nx, g->ny, g->nz};
    int low[3], high[3], i, j, k, c;
    uint16_t most = 0;
    for (k = 0; k < 3; k++) {
        double least = 1e300, largest = -1e300;
        for (c = 0; c < 4; c++) {
            const double at = r->s[k] + (x + (c & 1 ? wide - 1 : 0)) * r->a[k] + (c & 2 ? p1 - 1 : p0) * r->t[k];
            if (at < least) least = at;
            if (at > largest) largest = at;
        }
        low[k] = brick_of(least - 1e-6, n[k], edge);
        high[k] = brick_of(largest + 1e-6, n[k], edge);
    }
    for (k = low[2]; k <= high[2]; k++)
        for (j = low[1]; j <= high[1]; j++) {
            const uint16_t *row = maxima + ((ptrdiff_t)k * by + j) * bx;
            for (i = low[0]; i <= high[0]; i++)
                if (row[i] > most) most = row[i];
        }
    return (float)most - 32768.0f;
}

/* Planes of one pixel whose sample is inside (half a voxel beyond the centres), or whose neighbours all exist. */
static void planes_of(const Grid *g, const Row *r, int x, int planes, int inner, int *p0, int *p1)
{
    const int n[3] = {g->nx, g->ny, g->nz};
    int k;
    *p0 = 0;
    *p1 = planes;
    for (k = 0; k < 3; k++)
        clip(r->s[k] + x * r->a[k], r->t[k], inner ? 0.0 : -0.5, inner ? n[k] - 1 - MARGIN : n[k] - 0.5, p0, p1);
    if (*p1 < *p0) *p1 = *p0;
}

#endif

/* Maxima of fine bricks in slices of bricks [z0, z1) of `out` (fz, fy, fx). */
static TARGET void TYPED(summits)(const Grid *g, int z0, int z1, int bx, int by, uint16_t *out)
{
    const T *v = (const T *)g->pixels;
    const ptrdiff_t sy = g->nx, sz = (ptrdiff_t)g->nx * g->ny;
    int bz, j, i, z, y, x;
    for (bz = z0; bz < z1; bz++)
        for (j = 0; j < by; j++) {
            uint16_t *row = out + ((ptrdiff_t)bz * by + j) * bx;
            memset(row, 0, sizeof(uint16_t) * (size_t)bx);
            for (z = bz * FINE; z <= bz * FINE + FINE && z < g->nz; z++)
                for (y = j * FINE; y <= j * FINE + FINE && y < g->ny; y++) {
                    const T *p = v + z * sz + y * sy;
                    for (i = 0; i < bx; i++) {
                        const int end = i * FINE + FINE < g->nx ? i * FINE + FINE + 1 : g->nx;
                        int most = row[i];
                        for (x = i * FINE; x < end; x++) {
                            const int value = (int)p[x] - BIAS + 32768;
                            if (value > most) most = value;
                        }
                        row[i] = (uint16_t)most;
                    }
                }
        }
}

/* Planes [p0, p1) of eight neighbouring pixels, all of whose neighbours exist, joined to `most`. */
static TARGET void TYPED(stretch)(const Grid *g, const Row *r, const void *lanes, int x, int p0, int p1, float most[LANES])
{
    static const Reach free[3] = {{-1e300, 1e300}, {-1e300, 1e300}, {-1e300, 1e300}};
    int p, k;
#if defined(WITH_AVX2) && PAIRS
    if (lanes) {
        const ptrdiff_t dy = g->ny > 1 ? g->nx : 0, dz = g->nz > 1 ? (ptrdiff_t)g->nx * g->ny : 0;
        __m256 best = _mm256_loadu_ps(most);
        int64_t at[3], step[3];
        for (k = 0; k < 3; k++) {
            at[k] = fixed_at(r->s[k] + x * r->a[k] + p0 * r->t[k], &free[k]);
            step[k] = llrint(r->t[k] * 4294967296.0);
        }
        for (p = p0; p < p1; p++) {
            best = _mm256_max_ps(best, TYPED(eight)(g, (const Lanes *)lanes, at, dy, dz));
            for (k = 0; k < 3; k++) at[k] += step[k];
        }
        _mm256_storeu_ps(most, best);
        return;
    }
#endif
    (void)lanes;
    for (p = p0; p < p1; p++) {
        double s[3];
        float line[LANES];
        places_of(r, x, p, s);
        TYPED(linear_run)(g, s, r->a, NULL, free, 0, LANES, line);
        for (k = 0; k < LANES; k++) most[k] = line[k] > most[k] ? line[k] : most[k];
    }
}

/* Planes [p0, p1) of one pixel wherever they lie, joined to what it has. */
static TARGET float TYPED(ends)(const Grid *g, const Bricks *b, const Row *r, int x, int p0, int p1, float most, float high)
{
    int p, from;
    for (from = p0; from < p1; from += FINE) {
        const int to = from + FINE < p1 ? from + FINE : p1;
        const float can = bound(g, b, r, x, 1, from, to, FINE);
        if (most >= (can < high ? can : high)) continue;
        for (p = from; p < to; p++) {
            double at[3];
            float value;
            places_of(r, x, p, at);
            value = TYPED(sample)(g, at[0], at[1], at[2], LINEAR);
            if (value > most) most = value;
        }
    }
    return most;
}

static int TYPED(beaten)(const float most[LANES], float can, float high)
{
    int k;
    if (can > high) can = high;
    for (k = 0; k < LANES; k++)
        if (most[k] < can) return 0;
    return 1;
}

/* The inner planes [p0, p1) of eight pixels: first where the bound is largest, then whatever could still be brighter. */
static TARGET void TYPED(rays)(const Grid *g, const Bricks *b, const Projection *c, const Row *r, const void *lanes, int x,
                               int p0, int p1, float most[LANES])
{
    int turn, p, q, first = p0;
    float best = -1e30f;
    for (p = p0; p < p1; p += COARSE) {
        const float can = bound(g, b, r, x, LANES, p, p + COARSE < p1 ? p + COARSE : p1, COARSE);
        if (can > best) { best = can; first = p; }
    }
    for (turn = 0; turn < 2; turn++)
        for (p = turn ? p0 : first; p < p1; p += COARSE) {
            const int end = p + COARSE < p1 ? p + COARSE : p1;
            if (turn && p == first) continue;
            if (TYPED(beaten)(most, best, c->highest)) return;
            if (!turn || !TYPED(beaten)(most, bound(g, b, r, x, LANES, p, end, COARSE), c->highest))
                for (q = p; q < end; q += FINE) {
                    const int to = q + FINE < end ? q + FINE : end;
                    if (!TYPED(beaten)(most, bound(g, b, r, x, LANES, q, to, FINE), c->highest))
                        TYPED(stretch)(g, r, lanes, x, q, to, most);
                }
            if (!turn) break;
        }
}

/* Eight pixels of a row; `inside` says which of them meet the volume at all. */
static TARGET void TYPED(eight_rays)(const Grid *g, const Bricks *b, const Projection *c, const Row *r, const void *lanes,
                                     int x, float most[LANES], int inside[LANES])
{
    int p0 = 0, p1 = c->cut.planes, k, any = 0, lo[LANES], hi[LANES];
    for (k = 0; k < LANES; k++) {
        planes_of(g, r, x + k, c->cut.planes, 0, &lo[k], &hi[k]);
        inside[k] = hi[k] > lo[k];
        any |= inside[k];
        most[k] = c->lowest;
    }
    if (!any) return;
    for (k = 0; k < LANES; k += LANES - 1) {
        int q0, q1;
        planes_of(g, r, x + k, c->cut.planes, 1, &q0, &q1);
        if (q0 > p0) p0 = q0;
        if (q1 < p1) p1 = q1;
    }
    if (p1 > p0) TYPED(rays)(g, b, c, r, lanes, x, p0, p1, most);
    else p0 = p1 = c->cut.planes;
    for (k = 0; k < LANES; k++) {
        if (!inside[k]) continue;
        most[k] = TYPED(ends)(g, b, r, x + k, lo[k], hi[k] < p0 ? hi[k] : p0, most[k], c->highest);
        most[k] = TYPED(ends)(g, b, r, x + k, lo[k] > p1 ? lo[k] : p1, hi[k], most[k], c->highest);
    }
}

/* Rows [row0, row1) of a projection; the width is a multiple of eight. */
static TARGET void TYPED(project_rows)(const Grid *g, const Bricks *b, const Projection *c, int row0, int row1, void *out)
{
    int y, x, k;
    for (y = row0; y < row1; y++) {
        const ptrdiff_t at = (ptrdiff_t)(y - row0) * c->cut.width;
        const void *lanes = NULL;
        Row r;
#if defined(WITH_AVX2) && PAIRS
        Lanes l;
        row_at(&c->cut, y, &r);
        if (lanes_of(g, r.a, &l)) lanes = &l;
#endif
        row_at(&c->cut, y, &r);
        for (x = 0; x < c->cut.width; x += LANES) {
            float most[LANES];
            int inside[LANES];
            TYPED(eight_rays)(g, b, c, &r, lanes, x, most, inside);
            for (k = 0; k < LANES; k++) {
                int value = (int)((most[k] + ROUNDING) - ROUNDING) + BIAS;
                value = value < LOWEST ? LOWEST : value > HIGHEST ? HIGHEST : value;
                if (!inside[k]) value = c->cut.outside;
                if (!c->cut.lut) ((T *)out)[at + x + k] = (T)value;
                else ((uint8_t *)out)[at + x + k] = inside[k] ? c->cut.lut[(uint16_t)value] : (uint8_t)c->cut.outside;
            }
        }
    }
}
