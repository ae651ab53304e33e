#pragma once
#include "DeviceMemory.h"
#include "Team.h"
#include <algorithm>
#include <cuda_runtime.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace diffpair::cuda {

/** A thread block. Its methods are empty for the host, which only names them in functors that run on both. */
class BlockTeam {
public:
    DIFFPAIR_HD int rank() const {
#ifdef __CUDA_ARCH__
        return static_cast<int>(threadIdx.x);
#else
        return 0;
#endif
    }
    DIFFPAIR_HD int size() const {
#ifdef __CUDA_ARCH__
        return static_cast<int>(blockDim.x);
#else
        return 1;
#endif
    }
    DIFFPAIR_HD void sync() const {
#ifdef __CUDA_ARCH__
        __syncthreads();
#endif
    }
};

template <class F> __global__ void __launch_bounds__(128) elementKernel(size_t count, const F f) {
    for (size_t k = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; k < count;
         k += static_cast<size_t>(gridDim.x) * blockDim.x)
        f(k);
}

template <class F> __global__ void teamKernel(const F f) {
    extern __shared__ __align__(16) char shared[];
    BlockTeam team;
    f(team, static_cast<int>(blockIdx.x), shared);
}

/** A stream of kernels and copies; see DeviceLists.h for what a Queue is. */
class CudaQueue {
public:
    CudaQueue(cudaStream_t stream, DeviceMemory& memory) : stream(stream), memory(memory) {
    }

    template <class T> T* allocate(size_t count) {
        T* result = static_cast<T*>(memory.allocate(std::max<size_t>(1, count) * sizeof(T)));
        clear(result, count);
        return result;
    }
    template <class T> T* upload(const std::vector<T>& values) {
        T* copy = static_cast<T*>(memory.allocate(std::max<size_t>(1, values.size()) * sizeof(T)));
        // From pageable memory: the values are taken over before the call returns.
        if (!values.empty())
            check(cudaMemcpyAsync(copy, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, stream));
        return copy;
    }
    template <class T> std::vector<T> download(const T* values, size_t count) {
        std::vector<T> result(count);
        if (count > 0)
            check(cudaMemcpyAsync(result.data(), values, count * sizeof(T), cudaMemcpyDeviceToHost, stream));
        check(cudaStreamSynchronize(stream));
        return result;
    }
    template <class T> void clear(T* values, size_t count) {
        if (count > 0)
            check(cudaMemsetAsync(values, 0, count * sizeof(T), stream));
    }
    template <class F> void forEach(size_t count, const F& f) {
        constexpr size_t threads = 128, mostBlocks = 1 << 20;
        if (count == 0)
            return;
        elementKernel<<<static_cast<unsigned>(std::min(mostBlocks, (count + threads - 1) / threads)), threads, 0, stream>>>(count,
                                                                                                                            f);
        check(cudaGetLastError());
    }
    template <class F> void forTeams(int numTeams, int size, size_t sharedBytes, const F& f) {
        if (numTeams == 0)
            return;
        teamKernel<<<numTeams, size, sharedBytes, stream>>>(f);
        check(cudaGetLastError());
    }

private:
    static void check(cudaError_t status) {
        if (status != cudaSuccess)
            throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(status) + ".");
    }
    cudaStream_t stream;
    DeviceMemory& memory;
};

} // namespace diffpair::cuda
