/* What the ray caster is told, and the small parts that both of its inner loops share. */

#ifndef READING_ROOM_RAYCAST_TYPES
#define READING_ROOM_RAYCAST_TYPES

#define BLOCK 8            /* cells to the edge of a block */
#define MOST_PLANES 32
#define GONE 0.002f        /* of the light left: less than half a grey is still to come */

enum { COMPOSITE = 0, MAXIMUM = 1, MINIMUM = 2 };

typedef struct {
    const int16_t *v;
    int nx, ny, nz;          /* columns, rows, slices; two at least of each */
    int bx, by, bz;          /* blocks */
    const int16_t *ranges;   /* bz, by, bx, (lowest, highest) */
    const uint8_t *leaps;    /* bz, by, bx: blocks to the nearest that shows anything, 0 in one; 4 bytes more at the end */
    const uint8_t *mask;     /* nz, ny, nx: 0 hides a voxel; or NULL */
} Field;

typedef struct {
    double origin[3], across[3], down[3], along[3]; /* index space; `along` is one step */
    int width;
    int planes;
    double plane[MOST_PLANES][4];                   /* a x + b y + c z + d >= 0 is kept */
    float scale, bias;                              /* entry = value * scale + bias */
    int entries;
    const float *alpha;      /* of one step */
    const uint32_t *colour;  /* 10 bits each of red, green, blue from the lowest bit */
    const float *edge;       /* 256 factors of opacity by gradient, or NULL */
    float edge_scale;        /* entry = gradient in units a mm * edge_scale */
    const float *light;      /* 257 pairs (diffuse and ambient, specular) by cosine, or NULL */
    float metric[6];         /* xx, yy, zz, 2xy, 2xz, 2yz of the inverse metric: |gradient| squared in mm */
    float sight[3];          /* the direction of sight in index space, one mm long */
    float faint;             /* the fainter a gradient below this, the more it is noise, and lit as if seen from the front */
    int mode;
    float floor, ceiling;    /* of MIP and MinIP: values beyond make no difference */
    const volatile int32_t *newest;
    int32_t mine;
} Cast;

/* Steps [first, last] of the ray from o that lie in the volume and before every plane; 0 where none does. */
static int ray_extent(const Field *f, const Cast *c, const double o[3], double *first, double *last)
{
    double a = -1e9, b = 1e9;
    const double ends[3] = { f->nx - 1.0, f->ny - 1.0, f->nz - 1.0 };
    int i;
    for (i = 0; i < 3 + c->planes; i++) {
        double start, slope, far_end;
        if (i < 3) {
            start = o[i];
            slope = c->along[i];
            far_end = ends[i];
        } else {
            const double *p = c->plane[i - 3];
            start = p[0] * o[0] + p[1] * o[1] + p[2] * o[2] + p[3];
            slope = p[0] * c->along[0] + p[1] * c->along[1] + p[2] * c->along[2];
            far_end = INFINITY;
        }
        if (fabs(slope) < 1e-12) {
            if (start < 0.0 || start > far_end) return 0;
            continue;
        }
        {
            double near_t = -start / slope, far_t = (far_end - start) / slope;
            double lo = near_t < far_t ? near_t : far_t, hi = near_t < far_t ? far_t : near_t;
            if (lo > a) a = lo;
            if (hi < b) b = hi;
        }
    }
    *first = ceil(a);
    *last = floor(b);
    return *last >= *first && *last - *first < 1e7;
}

static void ray_origin(const Cast *c, int x, int y, double o[3])
{
    int i;
    for (i = 0; i < 3; i++) o[i] = c->origin[i] + x * c->across[i] + y * c->down[i];
}

static uint8_t grey_of(float v)
{
    v = v * 255.0f + 0.5f;
    return v <= 0.0f ? 0 : v >= 255.0f ? 255 : (uint8_t)v;
}

static int stopped(const Cast *c)
{
    return c->newest && *c->newest != c->mine;
}
#endif
