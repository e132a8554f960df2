/* What every kernel is told, and the small arithmetic they share; independent of stored type and processor. */

#ifndef READING_ROOM_KERNELS_COMMON
#define READING_ROOM_KERNELS_COMMON

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define INLINE inline __attribute__((always_inline))
#else
#define INLINE
#endif

typedef struct {
    const void *pixels;
    int nx, ny, nz;           /* columns, rows, slices */
    const double *stations;   /* place of each slice in steps, or NULL */
} Grid;

/* A plane or slab. With `rows` every row has its own origin, across and through (9 doubles), as a curved one has. */
typedef struct {
    double origin[3], across[3], down[3], through[3];
    const double *rows;
    int width, planes, mode, interpolation;
    int outside;
    const uint8_t *lut;       /* 65536 greys, or NULL for stored values out */
} Cut;

/* One row of it: the first place of the first plane, the steps along the row and from plane to plane. */
typedef struct { double s[3], a[3], t[3]; } Row;

enum { NEAREST = 0, LINEAR = 1, CUBIC = 2 };
enum { MAXIMUM = 0, MINIMUM = 1, MEAN = 2 };

#define AHEAD 4       /* steps of eight pixels, where the next rows lie nobody knows where */
#define ROWS_AHEAD 8  /* of a plane */
#define SLAB_AHEAD 4  /* rows of a slab */
#define MARGIN 1e-7
#ifndef SLAB_TILE
#define SLAB_TILE 96
#endif
#ifndef PLANE_TILE
#define PLANE_TILE 512
#endif
#define ROUNDING 12582912.0f /* 1.5 * 2^23: adding and taking it off rounds a float to the nearest integer */

static void row_at(const Cut *c, int y, Row *r)
{
    int k;
    for (k = 0; k < 3; k++) {
        r->s[k] = c->rows ? c->rows[9 * (ptrdiff_t)y + k] : c->origin[k] + y * c->down[k];
        r->a[k] = c->rows ? c->rows[9 * (ptrdiff_t)y + 3 + k] : c->across[k];
        r->t[k] = c->rows ? c->rows[9 * (ptrdiff_t)y + 6 + k] : c->through[k];
    }
}

/* Narrow [*x0, *x1) to where low <= start + x * step <= high; exact at the ends, as the loops evaluate it. */
static void clip(double start, double step, double low, double high, int *x0, int *x1)
{
    double a, b;
    int lo = *x0, hi = *x1;
    if (!(fabs(step) > 1e-300)) {
        if (!(start >= low && start <= high)) *x1 = *x0;
        return;
    }
    if (start + lo * step >= low && start + lo * step <= high && start + (hi - 1) * step >= low
        && start + (hi - 1) * step <= high)
        return; /* both ends, so everything between */
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

/* Places a fast run may go to along one axis, and what they are held to where the row does not move along it. */
typedef struct { double low, high; } Reach;

static void reach_of(int interpolation, int n, double step, Reach *run, Reach *hold)
{
    const int still = !(fabs(step) > 1e-300);
    hold->low = still ? 0.0 : -1e300;
    hold->high = still ? (n > 1 ? n - 1 - 1.5e-8 : 0.0) : 1e300;
    run->low = still ? -0.5 : 0.0;
    run->high = still ? n - 0.5 : n - 1 - MARGIN;
    if (interpolation == CUBIC) {
        run->low = 1.0;
        run->high = n - 2 - MARGIN;
        hold->low = -1e300;
        hold->high = 1e300;
    }
}

/* A place in 1/2^32 of a voxel; a hair above, so that rounding, of seven lanes and of fifteen steps added up, never leads
   below the first voxel. */
static int64_t fixed_at(double place, const Reach *hold)
{
    const double v = place < hold->low ? hold->low : place > hold->high ? hold->high : place;
    return (int64_t)(v * 4294967296.0) + 16;
}

#endif
