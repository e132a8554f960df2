/* The inner loops once per instruction set: for the plain processor and, on x86-64 with GCC or Clang, for x86-64-v2, v3
   and v4 (AVX-512). KERNEL_BODY names what is compiled for each stored type; the best set is chosen at run time. */

#include "_kernels_common.h"

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define READING_ROOM_X86 1
#else
#define READING_ROOM_X86 0
#endif

#define TARGET
#define NAMED(name, type) name##_##type##_plain
#include "_kernels_types.h"
#undef TARGET
#undef NAMED

#if READING_ROOM_X86
#include <immintrin.h>

#define TARGET __attribute__((target("sse3,ssse3,sse4.1,sse4.2,popcnt")))
#define NAMED(name, type) name##_##type##_v2
#include "_kernels_types.h"
#undef TARGET
#undef NAMED

#define WITH_AVX2 1
#define TARGET __attribute__((target("sse3,ssse3,sse4.1,sse4.2,popcnt,avx,avx2,bmi,bmi2,fma,f16c,lzcnt,movbe")))
#define NAMED(name, type) name##_##type##_v3
#include "_kernels_types.h"
#undef TARGET
#undef NAMED

#define TARGET \
    __attribute__((target("sse4.2,popcnt,avx,avx2,bmi,bmi2,fma,f16c,lzcnt,movbe,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")))
#define NAMED(name, type) name##_##type##_v4
#include "_kernels_types.h"
#undef WITH_AVX2
#undef TARGET
#undef NAMED
#endif

static const char *const processors[] = {"plain", "x86-64-v2", "x86-64-v3", "x86-64-v4"};
static int processor_count = 1;
static int chosen = 0;

static void find_processors(void)
{
#if READING_ROOM_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) {
        processor_count = 2;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) {
            processor_count = 3;
            if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd")
                && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
                processor_count = 4;
        }
    }
#endif
    chosen = processor_count - 1;
}

/* Tables indexed by instruction set and stored type (int16, uint16, uint8): { EVERY_TYPE(name) }. */
#define OF_TYPES(name, suffix) { name##_i16_##suffix, name##_u16_##suffix, name##_u8_##suffix }
#if READING_ROOM_X86
#define EVERY_PROCESSOR(name) OF_TYPES(name, plain), OF_TYPES(name, v2), OF_TYPES(name, v3), OF_TYPES(name, v4)
#else
#define EVERY_PROCESSOR(name) OF_TYPES(name, plain)
#endif
