#pragma once
#include <cstddef>

namespace diffpair::cuda {

/** Where the operators get their scratch memory from: whoever calls them passes his allocator (torch's, in cpp/torch). */
class DeviceMemory {
public:
    virtual ~DeviceMemory() = default;
    /** Memory of the device, aligned to 256 bytes, that lives as long as this object. */
    virtual void* allocate(size_t bytes) = 0;
};

} // namespace diffpair::cuda
