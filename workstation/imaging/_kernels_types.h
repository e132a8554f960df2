/* All stored types for one instruction set: NAMED(name, type) and TARGET are defined by _kernels_isa.h. */

#define T int16_t
#define PAIRS 1
#define FLIP 0
#define BIAS 0
#define LOWEST (-32768)
#define HIGHEST 32767
#define TYPED(name) NAMED(name, i16)
#include KERNEL_BODY
#undef T
#undef PAIRS
#undef FLIP
#undef BIAS
#undef LOWEST
#undef HIGHEST
#undef TYPED

#define T uint16_t
#define PAIRS 1
#define FLIP (int)0x80008000u
#define BIAS 32768
#define LOWEST 0
#define HIGHEST 65535
#define TYPED(name) NAMED(name, u16)
#include KERNEL_BODY
#undef T
#undef PAIRS
#undef FLIP
#undef BIAS
#undef LOWEST
#undef HIGHEST
#undef TYPED

#define T uint8_t
#define PAIRS 0
#define FLIP 0
#define BIAS 0
#define LOWEST 0
#define HIGHEST 255
#define TYPED(name) NAMED(name, u8)
#include KERNEL_BODY
#undef T
#undef PAIRS
#undef FLIP
#undef BIAS
#undef LOWEST
#undef HIGHEST
#undef TYPED
