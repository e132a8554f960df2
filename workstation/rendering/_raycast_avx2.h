/* Eight rays at a time (four across, two down) for x86-64-v3; every ray goes just the steps that it would go alone. */

#define AVX2 __attribute__((target("sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi,bmi2,fma,lzcnt")))
#define ACROSS 4
#define DOWN 2
#define RUN 8

typedef __m256 F8;
typedef __m256i I8;

typedef struct { F8 x, y, z; } P8;

typedef struct {           /* what does not change from packet to packet */
    F8 topx, topy, topz;   /* highest cell */
    I8 row, slice;
    I8 bx, bxy;
    I8 tbx, tby, tbz;      /* highest block */
    F8 dx, dy, dz, ix, iy, iz; /* the step, and one over it */
    I8 forwardx, forwardy, forwardz; /* all ones where the ray goes up */
    F8 scale, bias, entries;
} Wide;

AVX2 static inline F8 all8(float v) { return _mm256_set1_ps(v); }
AVX2 static inline I8 all8i(int v) { return _mm256_set1_epi32(v); }

AVX2 static inline F8 one_over(double d)
{
    return all8(fabs(d) < 1e-9 ? INFINITY : (float)(1.0 / d));
}

AVX2 static void widen(const Field *f, const Cast *c, Wide *w)
{
    w->topx = all8((float)(f->nx - 2));
    w->topy = all8((float)(f->ny - 2));
    w->topz = all8((float)(f->nz - 2));
    w->row = all8i(f->nx);
    w->slice = all8i(f->nx * f->ny);
    w->bx = all8i(f->bx);
    w->bxy = all8i(f->bx * f->by);
    w->tbx = all8i(f->bx - 1);
    w->tby = all8i(f->by - 1);
    w->tbz = all8i(f->bz - 1);
    w->dx = all8((float)c->along[0]);
    w->dy = all8((float)c->along[1]);
    w->dz = all8((float)c->along[2]);
    w->ix = one_over(c->along[0]);
    w->iy = one_over(c->along[1]);
    w->iz = one_over(c->along[2]);
    w->forwardx = all8i(c->along[0] > 0.0 ? -1 : 0);
    w->forwardy = all8i(c->along[1] > 0.0 ? -1 : 0);
    w->forwardz = all8i(c->along[2] > 0.0 ? -1 : 0);
    w->scale = all8(c->scale);
    w->bias = all8(c->bias);
    w->entries = all8((float)(c->entries - 1));
}

AVX2 static inline P8 at8(const P8 *o, const Wide *w, F8 t)
{
    P8 p;
    p.x = _mm256_fmadd_ps(t, w->dx, o->x);
    p.y = _mm256_fmadd_ps(t, w->dy, o->y);
    p.z = _mm256_fmadd_ps(t, w->dz, o->z);
    return p;
}

AVX2 static inline F8 cell8(F8 p, F8 top)
{
    return _mm256_round_ps(_mm256_min_ps(_mm256_max_ps(p, _mm256_setzero_ps()), top), _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

AVX2 static inline F8 weight8(F8 p, F8 cell)
{
    return _mm256_min_ps(_mm256_max_ps(_mm256_sub_ps(p, cell), _mm256_setzero_ps()), all8(1.0f));
}

/* Eight voxels by their offsets, and their neighbours along x: loads and shuffles, which beat the gather instruction on
   most processors. `at` goes through memory on purpose: a store and eight loads cost less than eight extracts. */
typedef struct { ptrdiff_t at[8]; I8 pair; } Cells;

AVX2 static inline void take_offsets(I8 offset, Cells *cells)
{
    int32_t kept[8];
    int i;
    _mm256_storeu_si256((I8 *)(void *)kept, offset);
    __asm__("" : "+m"(kept));
    for (i = 0; i < 8; i++) cells->at[i] = kept[i];
}

AVX2 static inline __m128i two_at(const int16_t *v)
{
    int32_t both;
    memcpy(&both, v, 4);
    return _mm_cvtsi32_si128(both);
}

/* The value between two neighbours along x of each cell, 16384 times too large: a multiply-add of 16 bits. */
AVX2 static inline F8 edge8(const int16_t *v, const Cells *cells)
{
    const ptrdiff_t *at = cells->at;
    const __m128i a = _mm_unpacklo_epi32(two_at(v + at[0]), two_at(v + at[1]));
    const __m128i b = _mm_unpacklo_epi32(two_at(v + at[2]), two_at(v + at[3]));
    const __m128i c = _mm_unpacklo_epi32(two_at(v + at[4]), two_at(v + at[5]));
    const __m128i d = _mm_unpacklo_epi32(two_at(v + at[6]), two_at(v + at[7]));
    const I8 pairs = _mm256_set_m128i(_mm_unpacklo_epi64(c, d), _mm_unpacklo_epi64(a, b));
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, cells->pair));
}

AVX2 static inline I8 offset8(const Wide *w, F8 cx, F8 cy, F8 cz)
{
    const I8 row = _mm256_mullo_epi32(_mm256_cvtps_epi32(cy), w->row);
    return _mm256_add_epi32(_mm256_cvtps_epi32(cx), _mm256_add_epi32(row, _mm256_mullo_epi32(_mm256_cvtps_epi32(cz), w->slice)));
}

/* Weights of two neighbours along x in 1/16384 of a voxel. */
AVX2 static inline I8 pair8(F8 wx)
{
    const I8 high = _mm256_cvtps_epi32(_mm256_mul_ps(wx, all8(16384.0f)));
    return _mm256_or_si256(_mm256_sub_epi32(all8i(16384), high), _mm256_slli_epi32(high, 16));
}

AVX2 static inline F8 between8(F8 a, F8 b, F8 w) { return _mm256_fmadd_ps(w, _mm256_sub_ps(b, a), a); }

/* Trilinear values. */
AVX2 static inline F8 sample8(const Field *f, const Wide *w, P8 p)
{
    const F8 cx = cell8(p.x, w->topx), cy = cell8(p.y, w->topy), cz = cell8(p.z, w->topz);
    const F8 wy = weight8(p.y, cy), wz = weight8(p.z, cz);
    const ptrdiff_t row = f->nx, slice = (ptrdiff_t)f->nx * f->ny;
    const int16_t *v = f->v;
    F8 near_by, beyond;
    Cells cells;
    cells.pair = pair8(weight8(p.x, cx));
    take_offsets(offset8(w, cx, cy, cz), &cells);
    near_by = between8(edge8(v, &cells), edge8(v + row, &cells), wy);
    beyond = between8(edge8(v + slice, &cells), edge8(v + slice + row, &cells), wy);
    return _mm256_mul_ps(between8(near_by, beyond, wz), all8(1.0f / 16384.0f));
}

/* Central differences one voxel to either side, from six samples: right at the ends too. */
AVX2 static void slope_anywhere8(const Field *f, const Wide *w, P8 p, F8 g[3])
{
    const F8 one = all8(1.0f), half = all8(0.5f);
    P8 q = p, r = p;
    q.x = _mm256_add_ps(p.x, one);
    r.x = _mm256_sub_ps(p.x, one);
    g[0] = _mm256_mul_ps(half, _mm256_sub_ps(sample8(f, w, q), sample8(f, w, r)));
    q.x = r.x = p.x;
    q.y = _mm256_add_ps(p.y, one);
    r.y = _mm256_sub_ps(p.y, one);
    g[1] = _mm256_mul_ps(half, _mm256_sub_ps(sample8(f, w, q), sample8(f, w, r)));
    q.y = r.y = p.y;
    q.z = _mm256_add_ps(p.z, one);
    r.z = _mm256_sub_ps(p.z, one);
    g[2] = _mm256_mul_ps(half, _mm256_sub_ps(sample8(f, w, q), sample8(f, w, r)));
}

/* The same from the 32 voxels around, each read once, where a cell lies all about; only of rays `wanted`. */
AVX2 static void slope8(const Field *f, const Wide *w, P8 p, F8 wanted, F8 g[3])
{
    const F8 one = all8(1.0f), scale = all8(0.5f / 16384.0f);
    const F8 cx = cell8(p.x, w->topx), cy = cell8(p.y, w->topy), cz = cell8(p.z, w->topz);
    const F8 ix = _mm256_min_ps(_mm256_max_ps(cx, one), _mm256_sub_ps(w->topx, one));
    const F8 iy = _mm256_min_ps(_mm256_max_ps(cy, one), _mm256_sub_ps(w->topy, one));
    const F8 iz = _mm256_min_ps(_mm256_max_ps(cz, one), _mm256_sub_ps(w->topz, one));
    F8 inner = _mm256_and_ps(_mm256_cmp_ps(ix, cx, _CMP_EQ_OQ), _mm256_cmp_ps(iy, cy, _CMP_EQ_OQ));
    const ptrdiff_t row = f->nx, slice = (ptrdiff_t)f->nx * f->ny;
    const int16_t *v = f->v;
    inner = _mm256_and_ps(inner, _mm256_cmp_ps(iz, cz, _CMP_EQ_OQ));
    if (f->nx < 4 || f->ny < 4 || f->nz < 4 || _mm256_movemask_ps(_mm256_andnot_ps(inner, wanted))) {
        slope_anywhere8(f, w, p, g);
        return;
    }
    {
        const F8 wy = weight8(p.y, iy), wz = weight8(p.z, iz);
        F8 rows[2][2], outer[2], up, down, x[2][2];
        Cells cells;
        int k;
        cells.pair = pair8(weight8(p.x, ix));
        take_offsets(offset8(w, ix, iy, iz), &cells);
        for (k = 0; k < 2; k++) {
            const int16_t *here = v + k * slice;
            rows[k][0] = edge8(here, &cells);
            rows[k][1] = edge8(here + row, &cells);
            /* from the row before to this one, and from the next to the one after: how y rises at either end */
            outer[k] = between8(_mm256_sub_ps(rows[k][1], edge8(here - row, &cells)),
                                _mm256_sub_ps(edge8(here + 2 * row, &cells), rows[k][0]), wy);
            x[k][0] = _mm256_sub_ps(edge8(here + 1, &cells), edge8(here - 1, &cells));
            x[k][1] = _mm256_sub_ps(edge8(here + row + 1, &cells), edge8(here + row - 1, &cells));
        }
        g[0] = _mm256_mul_ps(scale, between8(between8(x[0][0], x[0][1], wy), between8(x[1][0], x[1][1], wy), wz));
        g[1] = _mm256_mul_ps(scale, between8(outer[0], outer[1], wz));
        down = between8(edge8(v - slice, &cells), edge8(v - slice + row, &cells), wy);
        up = between8(edge8(v + 2 * slice, &cells), edge8(v + 2 * slice + row, &cells), wy);
        down = _mm256_sub_ps(between8(rows[1][0], rows[1][1], wy), down);
        up = _mm256_sub_ps(up, between8(rows[0][0], rows[0][1], wy));
        g[2] = _mm256_mul_ps(scale, between8(down, up, wz));
    }
}

AVX2 static inline I8 entry8(const Wide *w, F8 value)
{
    F8 e = _mm256_fmadd_ps(value, w->scale, w->bias);
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(e, _mm256_setzero_ps()), w->entries));
}

typedef struct { I8 x, y, z, at; } B8;

AVX2 static inline I8 block_of(F8 p, I8 top)
{
    I8 b = _mm256_srai_epi32(_mm256_cvttps_epi32(p), 3);
    return _mm256_min_epi32(_mm256_max_epi32(b, _mm256_setzero_si256()), top);
}

AVX2 static inline B8 block8(const Wide *w, P8 p)
{
    B8 b;
    b.x = block_of(p.x, w->tbx);
    b.y = block_of(p.y, w->tby);
    b.z = block_of(p.z, w->tbz);
    b.at = _mm256_add_epi32(b.x, _mm256_add_epi32(_mm256_mullo_epi32(b.y, w->bx), _mm256_mullo_epi32(b.z, w->bxy)));
    return b;
}

AVX2 static inline F8 wall8(F8 p, I8 b, I8 reach, I8 forward, F8 inverse)
{
    const I8 up = _mm256_add_epi32(b, reach), low = _mm256_sub_epi32(_mm256_add_epi32(b, all8i(1)), reach);
    const F8 wall = _mm256_cvtepi32_ps(_mm256_slli_epi32(_mm256_blendv_epi8(low, up, forward), 3));
    const F8 s = _mm256_mul_ps(_mm256_sub_ps(wall, p), inverse);
    /* no step along this axis: infinity, and what infinity times 0 made */
    return _mm256_blendv_ps(s, all8(1e9f), _mm256_cmp_ps(_mm256_andnot_ps(all8(-0.0f), inverse), all8(INFINITY), _CMP_EQ_OQ));
}

/* Steps until each ray has left the cube of blocks `reach` around its block. */
AVX2 static inline F8 steps_out8(const Wide *w, P8 p, B8 b, I8 reach)
{
    F8 s = wall8(p.x, b.x, reach, w->forwardx, w->ix);
    s = _mm256_min_ps(s, wall8(p.y, b.y, reach, w->forwardy, w->iy));
    s = _mm256_min_ps(s, wall8(p.z, b.z, reach, w->forwardz, w->iz));
    return _mm256_add_ps(_mm256_floor_ps(_mm256_max_ps(s, _mm256_setzero_ps())), all8(1.0f));
}

AVX2 static inline F8 visible8(const Field *f, P8 p, F8 wanted)
{
    float x[8], y[8], z[8];
    int i, bits = _mm256_movemask_ps(wanted);
    int32_t kept[8];
    _mm256_storeu_ps(x, p.x);
    _mm256_storeu_ps(y, p.y);
    _mm256_storeu_ps(z, p.z);
    for (i = 0; i < 8; i++) {
        const float one[3] = { x[i], y[i], z[i] };
        kept[i] = (bits >> i & 1) && visible_1(f, one) ? -1 : 0;
    }
    return _mm256_castsi256_ps(_mm256_loadu_si256((const I8 *)(const void *)kept));
}

/* Opacity factor and the two factors of light, of the rays `wanted`. */
AVX2 static inline void lit8(const Field *f, const Cast *c, const Wide *w, P8 p, F8 wanted, F8 *alpha, F8 *dim, F8 *shine)
{
    const F8 one = all8(1.0f);
    F8 g[3], square, length;
    slope8(f, w, p, wanted, g);
    square = _mm256_mul_ps(all8(c->metric[0]), _mm256_mul_ps(g[0], g[0]));
    square = _mm256_fmadd_ps(all8(c->metric[1]), _mm256_mul_ps(g[1], g[1]), square);
    square = _mm256_fmadd_ps(all8(c->metric[2]), _mm256_mul_ps(g[2], g[2]), square);
    square = _mm256_fmadd_ps(all8(c->metric[3]), _mm256_mul_ps(g[0], g[1]), square);
    square = _mm256_fmadd_ps(all8(c->metric[4]), _mm256_mul_ps(g[0], g[2]), square);
    square = _mm256_fmadd_ps(all8(c->metric[5]), _mm256_mul_ps(g[1], g[2]), square);
    square = _mm256_max_ps(square, all8(1e-12f));
    length = _mm256_sqrt_ps(square);
    if (c->edge) {
        const F8 e = _mm256_min_ps(_mm256_mul_ps(length, all8(c->edge_scale)), all8(255.0f));
        *alpha = _mm256_mul_ps(*alpha, _mm256_i32gather_ps(c->edge, _mm256_cvtps_epi32(e), 4));
    }
    if (c->light) {
        F8 along = _mm256_mul_ps(g[0], all8(c->sight[0]));
        I8 n;
        along = _mm256_fmadd_ps(g[1], all8(c->sight[1]), along);
        along = _mm256_fmadd_ps(g[2], all8(c->sight[2]), along);
        along = _mm256_div_ps(_mm256_andnot_ps(all8(-0.0f), along), length);
        along = _mm256_min_ps(along, one);
        if (c->faint > 0.0f) {
            const F8 sure = _mm256_min_ps(_mm256_mul_ps(square, all8(1.0f / (c->faint * c->faint))), one);
            along = _mm256_fnmadd_ps(sure, _mm256_sub_ps(one, along), one);
        }
        n = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_min_ps(along, one), all8(256.0f)));
        *dim = _mm256_i32gather_ps(c->light, n, 8);
        *shine = _mm256_i32gather_ps(c->light + 1, n, 8);
    }
}

AVX2 static inline F8 channel8(I8 packed)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_and_si256(packed, all8i(1023))), all8(1.0f / 1023.0f));
}

AVX2 static inline F8 still_going(F8 t, F8 end) { return _mm256_cmp_ps(t, end, _CMP_LE_OQ); }

/* The fewest steps that any of the rays `going` has left in its block. */
AVX2 static inline int fewest(F8 steps, F8 going)
{
    F8 s = _mm256_blendv_ps(all8(1e6f), steps, going);
    s = _mm256_min_ps(s, _mm256_permute2f128_ps(s, s, 1));
    s = _mm256_min_ps(s, _mm256_permute_ps(s, 0x4E));
    s = _mm256_min_ps(s, _mm256_permute_ps(s, 0xB1));
    return (int)_mm256_cvtss_f32(s);
}

AVX2 static void composite8(const Field *f, const Cast *c, const Wide *w, const P8 *o, F8 t, F8 end, F8 rgb[3])
{
    F8 light = all8(1.0f);
    const F8 one = all8(1.0f), none = _mm256_setzero_ps();
    F8 going = still_going(t, end);
    rgb[0] = rgb[1] = rgb[2] = none;
    while (_mm256_movemask_ps(going)) {
        P8 p = at8(o, w, t);
        B8 b = block8(w, p);
        I8 leap = _mm256_and_si256(_mm256_i32gather_epi32((const int *)(const void *)f->leaps, b.at, 1), all8i(255));
        I8 empty = _mm256_cmpgt_epi32(leap, _mm256_setzero_si256());
        F8 steps = steps_out8(w, p, b, _mm256_max_epi32(leap, all8i(1)));
        F8 jump = _mm256_and_ps(going, _mm256_castsi256_ps(empty));
        int n;
        if (_mm256_movemask_ps(jump)) {
            t = _mm256_add_ps(t, _mm256_and_ps(jump, steps));
            going = _mm256_and_ps(going, still_going(t, end));
            continue;
        }
        for (n = RUN; n > 0; n--) { /* a sample in an empty block shows nothing, so it does no harm */
            F8 a, dim = one, shine = none, weight, shown;
            I8 e, packed;
            p = at8(o, w, t);
            e = entry8(w, sample8(f, w, p));
            a = _mm256_and_ps(_mm256_i32gather_ps(c->alpha, e, 4), going);
            t = _mm256_add_ps(t, _mm256_and_ps(going, one));
            shown = _mm256_cmp_ps(a, none, _CMP_GT_OQ);
            if (!_mm256_movemask_ps(shown)) {
                going = _mm256_and_ps(going, still_going(t, end));
                if (!_mm256_movemask_ps(going)) break;
                continue;
            }
            if (f->mask) a = _mm256_and_ps(a, visible8(f, p, shown));
            if (c->edge || c->light) lit8(f, c, w, p, shown, &a, &dim, &shine);
            packed = _mm256_i32gather_epi32((const int *)(const void *)c->colour, e, 4);
            weight = _mm256_mul_ps(light, a);
            rgb[0] = _mm256_fmadd_ps(weight, _mm256_fmadd_ps(channel8(packed), dim, shine), rgb[0]);
            rgb[1] = _mm256_fmadd_ps(weight, _mm256_fmadd_ps(channel8(_mm256_srli_epi32(packed, 10)), dim, shine), rgb[1]);
            rgb[2] = _mm256_fmadd_ps(weight, _mm256_fmadd_ps(channel8(_mm256_srli_epi32(packed, 20)), dim, shine), rgb[2]);
            light = _mm256_sub_ps(light, weight);
            going = _mm256_and_ps(going, _mm256_and_ps(still_going(t, end), _mm256_cmp_ps(light, all8(GONE), _CMP_GE_OQ)));
            if (!_mm256_movemask_ps(going)) break;
        }
    }
}

AVX2 static F8 extreme8(const Field *f, const Cast *c, const Wide *w, const P8 *o, F8 t, F8 end, F8 *found)
{
    const F8 one = all8(1.0f), sign = c->mode == MINIMUM ? all8(-0.0f) : _mm256_setzero_ps();
    F8 best = all8(c->floor), going = still_going(t, end);
    F8 any = f->mask ? _mm256_setzero_ps() : going;
    while (_mm256_movemask_ps(going)) {
        P8 p = at8(o, w, t);
        B8 b = block8(w, p);
        I8 both = _mm256_i32gather_epi32((const int *)(const void *)f->ranges, b.at, 4);
        I8 end_of = c->mode == MINIMUM ? _mm256_srai_epi32(_mm256_slli_epi32(both, 16), 16) : _mm256_srai_epi32(both, 16);
        F8 bound = _mm256_xor_ps(_mm256_cvtepi32_ps(end_of), sign);
        F8 steps = steps_out8(w, p, b, all8i(1));
        F8 jump = _mm256_and_ps(going, _mm256_cmp_ps(bound, best, _CMP_LE_OQ));
        int n;
        if (_mm256_movemask_ps(jump)) {
            t = _mm256_add_ps(t, _mm256_and_ps(jump, steps));
            going = _mm256_and_ps(going, still_going(t, end));
            continue;
        }
        for (n = fewest(steps, going); n > 0; n--) {
            F8 value, better;
            p = at8(o, w, t);
            value = _mm256_xor_ps(sample8(f, w, p), sign);
            better = _mm256_and_ps(going, _mm256_cmp_ps(value, best, _CMP_GT_OQ));
            t = _mm256_add_ps(t, _mm256_and_ps(going, one));
            if (f->mask && _mm256_movemask_ps(better)) better = visible8(f, p, better);
            best = _mm256_blendv_ps(best, value, better);
            any = _mm256_or_ps(any, better);
            going = _mm256_and_ps(going, _mm256_and_ps(still_going(t, end), _mm256_cmp_ps(best, all8(c->ceiling), _CMP_LT_OQ)));
            if (!_mm256_movemask_ps(going)) break;
        }
    }
    *found = best;
    return any;
}

AVX2 static void packet(const Field *f, const Cast *c, const Wide *w, int x0, int y0, int row0, int row1, uint8_t *out)
{
    float ox[8], oy[8], oz[8], t[8], end[8], shade[3][8];
    F8 rgb[3];
    P8 o;
    int i, k, some = 0;
    for (i = 0; i < 8; i++) {
        const int x = x0 + i % ACROSS, y = y0 + i / ACROSS;
        double one[3] = { 0.0, 0.0, 0.0 }, first = 1.0, last = 0.0;
        int there = x < c->width && y < row1;
        if (there) {
            ray_origin(c, x, y, one);
            there = ray_extent(f, c, one, &first, &last);
            some |= there;
        }
        ox[i] = (float)one[0];
        oy[i] = (float)one[1];
        oz[i] = (float)one[2];
        t[i] = there ? (float)first : 0.0f;
        end[i] = there ? (float)last : -1.0f;
    }
    rgb[0] = rgb[1] = rgb[2] = _mm256_setzero_ps();
    if (some) {
        o.x = _mm256_loadu_ps(ox);
        o.y = _mm256_loadu_ps(oy);
        o.z = _mm256_loadu_ps(oz);
        if (c->mode == COMPOSITE) composite8(f, c, w, &o, _mm256_loadu_ps(t), _mm256_loadu_ps(end), rgb);
        else {
            F8 value, any = extreme8(f, c, w, &o, _mm256_loadu_ps(t), _mm256_loadu_ps(end), &value);
            I8 packed;
            if (c->mode == MINIMUM) value = _mm256_xor_ps(value, all8(-0.0f));
            packed = _mm256_i32gather_epi32((const int *)(const void *)c->colour, entry8(w, value), 4);
            for (k = 0; k < 3; k++) {
                rgb[k] = _mm256_and_ps(any, channel8(packed));
                packed = _mm256_srli_epi32(packed, 10);
            }
        }
    }
    for (k = 0; k < 3; k++) _mm256_storeu_ps(shade[k], rgb[k]);
    for (i = 0; i < 8; i++) {
        const int x = x0 + i % ACROSS, y = y0 + i / ACROSS;
        if (x >= c->width || y >= row1) continue;
        for (k = 0; k < 3; k++) out[((size_t)(y - row0) * (size_t)c->width + (size_t)x) * 3 + k] = grey_of(shade[k][i]);
    }
}

AVX2 static int cast_rows_v3(const Field *f, const Cast *c, int row0, int row1, uint8_t *out)
{
    Wide w;
    int x, y;
    widen(f, c, &w);
    for (y = row0; y < row1; y += DOWN) {
        if (stopped(c)) return 0;
        for (x = 0; x < c->width; x += ACROSS) packet(f, c, &w, x, y, row0, row1, out);
    }
    return 1;
}
