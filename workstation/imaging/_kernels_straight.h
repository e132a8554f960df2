/* Acquired images that lie straight in the viewport, grown or shrunk: two of their rows are joined once, then every pixel
   takes two neighbours of that line, eight at a time where AVX2 is. Included by _kernels_flat.h. */

/* Whether the image is neither turned nor sheared, with one sample a pixel, through a table. */
static int TYPED(flat_is_straight)(const Flat *f)
{
    return f->channels == 1 && f->lut && f->interpolation == LINEAR && f->samples <= 1 && f->nx > 1 && f->ny > 1
        && !(fabs(f->across[1]) > 1e-300) && !(fabs(f->down[0]) > 1e-300);
}

#ifndef READING_ROOM_STRAIGHT
#define READING_ROOM_STRAIGHT

/* Lines of one picture: the joined rows (nx + 8 floats), where each pixel begins, how far it lies to the next voxel, and
   its value; x0, x1 are the pixels inside, low, high the voxels they read; `near_by`: eight pixels begin at eight
   neighbouring voxels at most, so that two loads hold all they need. */
typedef struct {
    float *row, *part;
    int *from, *value;
    int x0, x1, low, high, near_by;
} Straight;

#endif

static TARGET void TYPED(straight_places)(const Flat *f, float *work, Straight *s)
{
    int x;
    s->row = work;
    s->part = s->row + f->nx + 8;
    s->from = (int *)(s->part + f->width);
    s->value = s->from + f->width;
    s->x0 = 0;
    s->x1 = f->width;
    s->low = s->high = 0;
    s->near_by = 1;
    clip(f->origin[0], f->across[0], -0.5, f->nx - 0.5, &s->x0, &s->x1);
    for (x = s->x0; x < s->x1; x++) {
        const double place = held(f->origin[0] + x * f->across[0], f->nx - 1);
        s->from[x] = place < f->nx - 1 ? (int)place : f->nx - 2;
        s->part[x] = (float)(place - s->from[x]);
    }
    if (s->x1 > s->x0) {
        const int a = s->from[s->x0], b = s->from[s->x1 - 1];
        s->low = a < b ? a : b;
        s->high = (a < b ? b : a) + 2;
    }
    for (x = s->x0; x + 7 < s->x1; x++) s->near_by &= abs(s->from[x + 7] - s->from[x]) < 8;
    memset(s->row, 0, sizeof(float) * (size_t)(f->nx + 8));
}

/* The line's values between voxels, rounded, BIAS still off. */
static TARGET void TYPED(straight_values)(const Flat *f, const Straight *s)
{
    int x = s->x0;
#ifdef WITH_AVX2
    const int first = f->across[0] < 0.0 ? 7 : 0;
    while (s->near_by && s->x1 - s->x0 >= 8 && x < s->x1) {
        const int at = x + 8 > s->x1 ? s->x1 - 8 : x;
        const float *v = s->row + s->from[at + first];
        const __m256i lane = _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)(s->from + at)),
                                              _mm256_set1_epi32(s->from[at + first]));
        const __m256 a = _mm256_permutevar8x32_ps(_mm256_loadu_ps(v), lane);
        const __m256 b = _mm256_permutevar8x32_ps(_mm256_loadu_ps(v + 1), lane);
        const __m256 value = _mm256_fmadd_ps(_mm256_loadu_ps(s->part + at), _mm256_sub_ps(b, a), a);
        _mm256_storeu_si256((__m256i *)(s->value + at), _mm256_cvtps_epi32(value));
        x += 8;
    }
#endif
    for (; x < s->x1; x++) {
        const float *v = s->row + s->from[x];
        const float value = v[0] + s->part[x] * (v[1] - v[0]);
        s->value[x] = (int)((value + ROUNDING) - ROUNDING);
    }
}

static TARGET void TYPED(flat_straight)(const Flat *f, int row0, int row1, uint8_t *out, float *work)
{
    Straight s;
    int x, y;
    TYPED(straight_places)(f, work, &s);
    for (y = row0; y < row1; y++, out += f->width) {
        const double at = f->origin[1] + y * f->down[1], place = held(at, f->ny - 1);
        const int iy = place < f->ny - 1 ? (int)place : f->ny - 2;
        const float fy = (float)(place - iy);
        const T *p = (const T *)f->pixels + (ptrdiff_t)iy * f->nx, *q = p + f->nx;
        if (s.x1 <= s.x0 || !(at >= -0.5 && at <= f->ny - 0.5)) {
            memset(out, f->background, (size_t)f->width);
            continue;
        }
        for (x = s.low; x < s.high; x++) s.row[x] = (float)((int)p[x] - BIAS) + fy * (float)((int)q[x] - (int)p[x]);
        TYPED(straight_values)(f, &s);
        memset(out, f->background, (size_t)s.x0);
        for (x = s.x0; x < s.x1; x++) out[x] = f->lut[(uint16_t)(s.value[x] + BIAS)];
        memset(out + s.x1, f->background, (size_t)(f->width - s.x1));
    }
}
