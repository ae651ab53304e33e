// For ThreadSanitizer, which does not see how libgomp's threads wait for each other, since libgomp is not compiled with it: tells
// it what OpenMP promises of a parallel region, and no more. What is written before the region is seen in all of its threads, and
// what these write is seen after it. The region itself runs in libgomp as ever. To be preloaded, before libgomp.

#include <dlfcn.h>

extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);

struct Region {
    void (*body)(void*);
    void* data;
    char end; // its address stands for the region's end, that of the whole for its beginning
};

static void runBody(void* data) {
    Region* region = static_cast<Region*>(data);
    __tsan_acquire(region);
    region->body(region->data);
    __tsan_release(&region->end);
}

void GOMP_parallel(void (*body)(void*), void* data, unsigned numThreads, unsigned flags) {
    using Function = void (*)(void (*)(void*), void*, unsigned, unsigned);
    static const Function original = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "GOMP_parallel"));
    Region region = {body, data, 0};
    __tsan_release(&region);
    original(runBody, &region, numThreads, flags);
    __tsan_acquire(&region.end);
}

} // extern "C"
