/* What _fusion.c compiles for each stored type and instruction set. */

#include "_kernels_sample.h"
#include "_kernels_cut.h"
