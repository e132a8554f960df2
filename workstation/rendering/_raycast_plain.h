/* One ray at a time, for any processor. */

static float sample_1(const Field *f, const float p[3])
{
    int i[3];
    float w[3];
    const int16_t *v;
    const ptrdiff_t row = f->nx, slice = (ptrdiff_t)f->nx * f->ny;
    const int top[3] = { f->nx - 2, f->ny - 2, f->nz - 2 };
    float a, b, c, d;
    int k;
    for (k = 0; k < 3; k++) {
        i[k] = (int)p[k];
        if (i[k] < 0) i[k] = 0;
        if (i[k] > top[k]) i[k] = top[k];
        w[k] = p[k] - (float)i[k];
        w[k] = w[k] < 0.0f ? 0.0f : w[k] > 1.0f ? 1.0f : w[k];
    }
    v = f->v + i[2] * slice + i[1] * row + i[0];
    a = (float)v[0] + w[0] * (float)(v[1] - v[0]);
    b = (float)v[row] + w[0] * (float)(v[row + 1] - v[row]);
    c = (float)v[slice] + w[0] * (float)(v[slice + 1] - v[slice]);
    d = (float)v[slice + row] + w[0] * (float)(v[slice + row + 1] - v[slice + row]);
    a += w[1] * (b - a);
    c += w[1] * (d - c);
    return a + w[2] * (c - a);
}

static int entry_1(const Cast *c, float value)
{
    float e = value * c->scale + c->bias;
    return e <= 0.0f ? 0 : e >= (float)(c->entries - 1) ? c->entries - 1 : (int)(e + 0.5f);
}

static int block_1(const Field *f, const float p[3], int b[3])
{
    int k;
    const int top[3] = { f->bx - 1, f->by - 1, f->bz - 1 };
    for (k = 0; k < 3; k++) {
        b[k] = (int)p[k] / BLOCK;
        if (b[k] < 0) b[k] = 0;
        if (b[k] > top[k]) b[k] = top[k];
    }
    return (b[2] * f->by + b[1]) * f->bx + b[0];
}

/* Steps until the ray has left the cube of blocks `reach` around block b. */
static float steps_out_1(const float p[3], const int b[3], int reach, const float d[3])
{
    float least = 1e9f;
    int k;
    for (k = 0; k < 3; k++) {
        float wall = d[k] > 0.0f ? (float)((b[k] + reach) * BLOCK) : (float)((b[k] - reach + 1) * BLOCK), s;
        if (fabsf(d[k]) < 1e-9f) continue;
        s = (wall - p[k]) / d[k];
        if (s < least) least = s;
    }
    return least < 0.0f ? 1.0f : floorf(least) + 1.0f;
}

static int visible_1(const Field *f, const float p[3])
{
    int x = (int)(p[0] + 0.5f), y = (int)(p[1] + 0.5f), z = (int)(p[2] + 0.5f);
    if (x > f->nx - 1) x = f->nx - 1;
    if (y > f->ny - 1) y = f->ny - 1;
    if (z > f->nz - 1) z = f->nz - 1;
    return f->mask[((ptrdiff_t)(z < 0 ? 0 : z) * f->ny + (y < 0 ? 0 : y)) * f->nx + (x < 0 ? 0 : x)] != 0;
}

/* Opacity factor, and the two factors of light, of one place. */
static void lit_1(const Field *f, const Cast *c, const float p[3], float *alpha, float *dim, float *shine)
{
    float g[3], square, length;
    int k;
    for (k = 0; k < 3; k++) {
        float q[3] = { p[0], p[1], p[2] }, high;
        q[k] += 1.0f;
        high = sample_1(f, q);
        q[k] -= 2.0f;
        g[k] = 0.5f * (high - sample_1(f, q));
    }
    square = c->metric[0] * g[0] * g[0] + c->metric[1] * g[1] * g[1] + c->metric[2] * g[2] * g[2]
             + c->metric[3] * g[0] * g[1] + c->metric[4] * g[0] * g[2] + c->metric[5] * g[1] * g[2];
    if (!(square > 1e-12f)) square = 1e-12f;
    length = sqrtf(square);
    if (c->edge) {
        float e = length * c->edge_scale;
        *alpha *= c->edge[!(e < 255.0f) ? 255 : (int)(e + 0.5f)]; /* what is no number is steep */
    }
    if (c->light) {
        float cosine = fabsf(g[0] * c->sight[0] + g[1] * c->sight[1] + g[2] * c->sight[2]) / length;
        int n;
        if (!(cosine < 1.0f)) cosine = 1.0f;
        if (length < c->faint) cosine = 1.0f - square / (c->faint * c->faint) * (1.0f - cosine);
        n = (int)(cosine * 256.0f + 0.5f);
        *dim = c->light[2 * n];
        *shine = c->light[2 * n + 1];
    }
}

static void composite_1(const Field *f, const Cast *c, const double o[3], double first, double last, float rgb[3])
{
    const float d[3] = { (float)c->along[0], (float)c->along[1], (float)c->along[2] };
    const float o1[3] = { (float)o[0], (float)o[1], (float)o[2] };
    float t = (float)first, light = 1.0f;
    const float end = (float)last;
    int k;
    while (t <= end) {
        float p[3], n;
        int b[3], leap;
        for (k = 0; k < 3; k++) p[k] = o1[k] + t * d[k];
        leap = f->leaps[block_1(f, p, b)];
        n = steps_out_1(p, b, leap ? leap : 1, d);
        if (leap) { t += n; continue; }
        for (; n > 0.0f && t <= end; n -= 1.0f, t += 1.0f) {
            float a, dim = 1.0f, shine = 0.0f, w;
            uint32_t packed;
            int e;
            for (k = 0; k < 3; k++) p[k] = o1[k] + t * d[k];
            e = entry_1(c, sample_1(f, p));
            a = c->alpha[e];
            if (a <= 0.0f || (f->mask && !visible_1(f, p))) continue;
            if (c->edge || c->light) lit_1(f, c, p, &a, &dim, &shine);
            w = light * a;
            packed = c->colour[e];
            for (k = 0; k < 3; k++) rgb[k] += w * ((float)((packed >> (10 * k)) & 1023) * (1.0f / 1023.0f) * dim + shine);
            light -= w;
            if (light < GONE) return;
        }
    }
}

/* The highest value on the way (or the lowest, with the sign turned), no lower than floor; 0 where there is none. */
static int extreme_1(const Field *f, const Cast *c, const double o[3], double first, double last, float *found)
{
    const float d[3] = { (float)c->along[0], (float)c->along[1], (float)c->along[2] };
    const float o1[3] = { (float)o[0], (float)o[1], (float)o[2] };
    const float sign = c->mode == MINIMUM ? -1.0f : 1.0f;
    const int end_of = c->mode == MINIMUM ? 0 : 1;
    float t = (float)first, best = c->floor;
    const float end = (float)last;
    int k, any = !f->mask;
    while (t <= end && best < c->ceiling) {
        float p[3], n;
        int b[3], at;
        for (k = 0; k < 3; k++) p[k] = o1[k] + t * d[k];
        at = block_1(f, p, b);
        n = steps_out_1(p, b, 1, d);
        if (sign * (float)f->ranges[2 * at + end_of] <= best) { t += n; continue; }
        for (; n > 0.0f && t <= end; n -= 1.0f, t += 1.0f) {
            float value;
            for (k = 0; k < 3; k++) p[k] = o1[k] + t * d[k];
            value = sign * sample_1(f, p);
            if (value <= best || (f->mask && !visible_1(f, p))) continue;
            best = value;
            any = 1;
        }
    }
    *found = best;
    return any;
}

static int cast_rows_plain(const Field *f, const Cast *c, int row0, int row1, uint8_t *out)
{
    int x, y, k;
    for (y = row0; y < row1; y++) {
        uint8_t *line = out + (size_t)(y - row0) * (size_t)c->width * 3;
        if (stopped(c)) return 0;
        for (x = 0; x < c->width; x++) {
            double o[3], first, last;
            float rgb[3] = { 0.0f, 0.0f, 0.0f }, value;
            ray_origin(c, x, y, o);
            if (ray_extent(f, c, o, &first, &last)) {
                if (c->mode == COMPOSITE) composite_1(f, c, o, first, last, rgb);
                else if (extreme_1(f, c, o, first, last, &value)) {
                    uint32_t packed = c->colour[entry_1(c, c->mode == MINIMUM ? -value : value)];
                    for (k = 0; k < 3; k++) rgb[k] = (float)((packed >> (10 * k)) & 1023) * (1.0f / 1023.0f);
                }
            }
            for (k = 0; k < 3; k++) line[3 * x + k] = grey_of(rgb[k]);
        }
    }
    return 1;
}
