/* What _kernels.c compiles for each stored type and instruction set. */

#include "_kernels_sample.h"
#include "_kernels_cut.h"
#include "_kernels_flat.h"

/* Rows [row0, row1) of a cut; slabs in tiles so narrow that what one row has read is at hand for the next. */
static TARGET void TYPED(cut_rows)(const Grid *g, const Cut *c, int row0, int row1, void *out, void *work)
{
    float *line = (float *)work;
    void *rest = (void *)((double *)work + c->width);
    const size_t stride = (size_t)c->width * (c->lut ? 1 : sizeof(T));
    const int tile = c->planes > 1 ? SLAB_TILE : PLANE_TILE;
    int y, from, x0, x1;
    for (from = 0; from < c->width; from += tile) {
        const int to = c->width - from > tile ? from + tile : c->width;
        for (y = row0; y < row1; y++) {
            const int *count = TYPED(cut_part)(g, c, y, from, to, line, rest, &x0, &x1);
            TYPED(write_part)(c, line, count, from, to, x0, x1, (char *)out + (size_t)(y - row0) * stride);
        }
    }
}
