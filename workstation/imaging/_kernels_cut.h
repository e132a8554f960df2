/* Rows of planes and slabs from runs of samples; included like _kernels_sample.h, after it. */

/* One plane's part of a row within [from, to): samples into line[*x0..*x1), what is inside told. */
static TARGET void TYPED(plane_row)(const Grid *g, const Cut *c, const double s[3], const double a[3], int from, int to,
                                    float *line, int *x0, int *x1)
{
    const int n[3] = {g->nx, g->ny, g->nz};
    const double last = g->stations ? g->stations[g->nz - 1] : g->nz - 1;
    Reach run[3], hold[3];
    int i0, i1, x, k, hint = 0;
    *x0 = from;
    *x1 = to;
    for (k = 0; k < 3; k++) {
        clip(s[k], a[k], -0.5, (k == 2 ? last : n[k] - 1) + 0.5, x0, x1);
        reach_of(c->interpolation, n[k], a[k], &run[k], &hold[k]);
    }
    i0 = *x0;
    i1 = *x1;
    for (k = 0; k < 3; k++) clip(s[k], a[k], run[k].low, run[k].high, &i0, &i1);
    if (g->stations || i1 <= i0) i0 = i1 = *x1;
    else if (c->interpolation == LINEAR) TYPED(linear_run)(g, s, a, c->rows ? NULL : c->down, hold, i0, i1, line);
    else if (c->interpolation == CUBIC) TYPED(cubic_run)(g, s, a, i0, i1, line);
    else TYPED(nearest_run)(g, s, a, hold, i0, i1, line);
    for (x = *x0; x < *x1; x++) {
        double z;
        if (x == i0 && i1 > i0) { x = i1 - 1; continue; }
        z = s[2] + x * a[2];
        if (g->stations) z = slice_at(g->stations, g->nz, held(z, last), &hint);
        line[x] = TYPED(sample)(g, s[0] + x * a[0], s[1] + x * a[1], z, c->interpolation);
    }
}

/* A value with the bias off as stored. */
static INLINE TARGET T TYPED(stored)(float value)
{
    const int v = (int)((value + ROUNDING) - ROUNDING) + BIAS;
    return (T)(v < LOWEST ? LOWEST : v > HIGHEST ? HIGHEST : v);
}

#if defined(WITH_AVX2) && PAIRS
static INLINE TARGET __m256i TYPED(sixteen_stored)(const float *v)
{
    const __m256i a = _mm256_cvtps_epi32(_mm256_loadu_ps(v)), b = _mm256_cvtps_epi32(_mm256_loadu_ps(v + 8));
    const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
    return FLIP ? _mm256_xor_si256(both, _mm256_set1_epi32(FLIP)) : both;
}
#endif

/* Values [x0, x1) of a line as stored, or through the table. */
static TARGET void TYPED(write_run)(const uint8_t *lut, const float *line, int x0, int x1, void *out)
{
    uint8_t *grey = (uint8_t *)out;
    T *stored = (T *)out;
    int x = x0;
#if defined(WITH_AVX2) && PAIRS
    for (; x + 16 <= x1; x += 16) {
        const __m256i sixteen = TYPED(sixteen_stored)(line + x);
        uint16_t index[16];
        int k;
        if (!lut) {
            _mm256_storeu_si256((__m256i *)(stored + x), sixteen);
            continue;
        }
        _mm256_storeu_si256((__m256i *)index, sixteen);
        __asm__("" : "+m"(index));
        for (k = 0; k < 16; k++) grey[x + k] = lut[index[k]];
    }
#endif
    for (; x < x1; x++) {
        const T value = TYPED(stored)(line[x]);
        if (lut) grey[x] = lut[(uint16_t)value];
        else stored[x] = value;
    }
}

/* Part [from, to) of a row rounded into the type of the pixels, or through the table; [x0, x1) of it is inside, where
   `count`, if there is one, says so. */
static TARGET void TYPED(write_part)(const Cut *c, const float *line, const int *count, int from, int to, int x0, int x1,
                                     void *out)
{
    uint8_t *grey = (uint8_t *)out;
    T *stored = (T *)out;
    int x;
    if (x1 < x0) x0 = x1 = from;
    TYPED(write_run)(c->lut, line, x0, x1, out);
    for (x = from; x < to; x++) {
        if (x == x0 && x1 > x0 && !count) { x = x1 - 1; continue; }
        if (x >= x0 && x < x1 && (!count || count[x])) continue;
        if (c->lut) grey[x] = (uint8_t)c->outside;
        else stored[x] = (T)c->outside;
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

/* Part [from, to) of a slab's row, plane after plane: right at every edge. */
static TARGET void TYPED(slab_part)(const Grid *g, const Cut *c, const Row *r, int from, int to, float *line, float *add,
                                    double *sum, int *count)
{
    int p, k, x, x0, x1;
    if (to <= from) return;
    for (x = from; x < to; x++) { count[x] = 0; line[x] = 0.0f; sum[x] = 0.0; }
    for (p = 0; p < c->planes; p++) {
        double s[3];
        for (k = 0; k < 3; k++) s[k] = r->s[k] + p * r->t[k];
        TYPED(plane_row)(g, c, s, r->a, from, to, add, &x0, &x1);
        TYPED(join)(c->mode, add, line, sum, count, x0, x1);
    }
    if (c->mode == MEAN)
        for (x = from; x < to; x++) line[x] = count[x] ? (float)(sum[x] / count[x]) : 0.0f;
}

#if defined(WITH_AVX2) && PAIRS
/* Where in [*x0, *x1) a run may go in every plane of [*p0, *p1), the planes that are inside where the row stands still. */
static TARGET void TYPED(slab_inside)(const Grid *g, const Cut *c, const Row *r, Reach hold[3], int *p0, int *p1, int *x0,
                                      int *x1)
{
    const int n[3] = {g->nx, g->ny, g->nz};
    int k;
    *p0 = 0;
    *p1 = c->planes;
    for (k = 0; k < 3; k++)
        if (!(fabs(r->a[k]) > 1e-300)) clip(r->s[k], r->t[k], -0.5, n[k] - 0.5, p0, p1);
    for (k = 0; k < 3; k++) {
        Reach run;
        reach_of(LINEAR, n[k], r->a[k], &run, &hold[k]);
        if (!(fabs(r->a[k]) > 1e-300)) continue;
        clip(r->s[k] + *p0 * r->t[k], r->a[k], run.low, run.high, x0, x1);
        clip(r->s[k] + (*p1 - 1) * r->t[k], r->a[k], run.low, run.high, x0, x1);
    }
    if (*p1 <= *p0) *x1 = *x0;
}

/* The inner part of a slab's row, eight pixels through all of its planes before the next eight. */
static TARGET void TYPED(slab_run)(const Grid *g, const Cut *c, const Row *r, const Lanes *l, const Reach hold[3], int p0,
                                   int p1, int x0, int x1, float *line)
{
    const ptrdiff_t dy = g->ny > 1 ? g->nx : 0, dz = g->nz > 1 ? (ptrdiff_t)g->nx * g->ny : 0;
    int64_t step[3];
    Ahead ahead;
    int x = x0, p, k;
    ahead_of(c->rows ? NULL : c->down, SLAB_AHEAD, r->a, dy, dz, &ahead);
    for (k = 0; k < 3; k++) step[k] = llrint(r->t[k] * 4294967296.0);
    while (x < x1) {
        __m256 joined = _mm256_setzero_ps(), lost = _mm256_setzero_ps();
        int64_t at[3] = {0, 0, 0};
        if (x + 8 > x1) x = x1 - 8;
        for (p = p0; p < p1; p++) {
            __m256 v;
            if (l->held || !((p - p0) & 15)) /* now and then anew, so that no error grows */
                for (k = 0; k < 3; k++) at[k] = fixed_at(r->s[k] + x * r->a[k] + p * r->t[k], &hold[k]);
            else
                for (k = 0; k < 3; k++) at[k] += step[k];
            ask_ahead(g, l, at, &ahead, 0);
            v = TYPED(eight)(g, l, at, dy, dz);
            if (c->mode == MEAN) { /* with Kahan's correction: 24 bits would not do */
                const __m256 y = _mm256_sub_ps(v, lost), t = _mm256_add_ps(joined, y);
                lost = _mm256_sub_ps(_mm256_sub_ps(t, joined), y);
                joined = t;
            } else if (p == p0) joined = v;
            else joined = c->mode == MAXIMUM ? _mm256_max_ps(joined, v) : _mm256_min_ps(joined, v);
        }
        if (c->mode == MEAN) joined = _mm256_div_ps(joined, _mm256_set1_ps((float)(p1 - p0)));
        _mm256_storeu_ps(line + x, joined);
        x += 8;
    }
}
#endif

/* Part [from, to) of a row as floats with the bias off; [*x0, *x1) is inside, of a slab where the answer says so.
   `work` holds a double, a float and an int line. */
static TARGET const int *TYPED(cut_part)(const Grid *g, const Cut *c, int y, int from, int to, float *line, void *work,
                                         int *x0, int *x1)
{
    double *sum = (double *)work;
    float *add = (float *)(sum + c->width);
    int *count = (int *)(add + c->width);
    int i0 = from, i1 = from, x;
    Row r;
    row_at(c, y, &r);
    if (c->planes == 1) {
        TYPED(plane_row)(g, c, r.s, r.a, from, to, line, x0, x1);
        return NULL;
    }
#if defined(WITH_AVX2) && PAIRS
    if (c->interpolation == LINEAR && !g->stations) {
        Lanes l;
        Reach hold[3];
        int p0, p1;
        i1 = to;
        TYPED(slab_inside)(g, c, &r, hold, &p0, &p1, &i0, &i1);
        if (i1 - i0 >= 8 && lanes_of(g, r.a, &l)) TYPED(slab_run)(g, c, &r, &l, hold, p0, p1, i0, i1, line);
        else i0 = i1 = from;
    }
#endif
    for (x = i0; x < i1; x++) count[x] = 1;
    TYPED(slab_part)(g, c, &r, from, i0, line, add, sum, count);
    TYPED(slab_part)(g, c, &r, i1, to, line, add, sum, count);
    *x0 = from;
    *x1 = to;
    return count;
}
