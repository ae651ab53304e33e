#include "diffpair/openmm/PairTabulator.h"
#include "GilRelease.h"
#include <cctype>
#include <openmm/OpenMMException.h>
#include <sstream>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

using OpenMM::OpenMMException;
using std::string;
using std::vector;

namespace DiffPair {

namespace {

/** The sentence in libtorch's many lines: the last one of a TorchScript traceback, otherwise the first. */
string reasonOf(const std::exception& problem) {
    string message = problem.what();
    const size_t end = message.find("\nException raised from");
    if (end != string::npos)
        message.resize(end);
    while (!message.empty() && std::isspace(static_cast<unsigned char>(message.back())))
        message.pop_back();
    return message.find("Traceback of TorchScript") != string::npos ? message.substr(message.rfind('\n') + 1)
                                                                    : message.substr(0, message.find('\n'));
}

[[noreturn]] void fail(const string& problem) {
    throw OpenMMException("TorchPairForce: " + problem);
}

class TorchTabulator : public PairTabulator {
public:
    TorchTabulator(const string& bytes, int numPairs) : numPairs(numPairs) {
        std::istringstream stream(bytes);
        try {
            module = torch::jit::load(stream, c10::kCPU);
        } catch (const std::exception& problem) {
            fail("the module is not a TorchScript module, as torch.jit.save writes it (" + reasonOf(problem) + ")");
        }
        module.eval();
        // Module::to would also turn index buffers into floating point.
        for (torch::Tensor tensor : module.parameters())
            makeDouble(tensor);
        for (torch::Tensor tensor : module.buffers())
            makeDouble(tensor);
    }

    void evaluate(const vector<double>& r, const vector<double>& parameters, vector<double>& energies,
                  vector<double>& slopes) const override {
        const GilRelease noLock;
        const torch::Tensor distances = torch::tensor(r, torch::kFloat64).requires_grad_(true);
        const torch::Tensor result = forward(distances, parameters).to(torch::kFloat64).contiguous();
        energies.assign(result.data_ptr<double>(), result.data_ptr<double>() + result.numel());
        slopes.clear();
        for (int pair = 0; pair < numPairs; pair++) {
            // Each energy depends on its own distance alone, so the gradient of their sum holds every derivative.
            const torch::Tensor slope = gradient(result[pair].sum(), distances);
            slopes.insert(slopes.end(), slope.data_ptr<double>(), slope.data_ptr<double>() + slope.numel());
        }
    }

private:
    static void makeDouble(torch::Tensor& tensor) {
        if (tensor.is_floating_point())
            tensor.set_data(tensor.to(torch::kFloat64));
    }

    /** Energies [numPairs, n]. */
    torch::Tensor forward(const torch::Tensor& distances, const vector<double>& parameters) const {
        vector<c10::IValue> arguments = {distances};
        for (double value : parameters)
            arguments.push_back(torch::tensor(value, torch::kFloat64));
        c10::IValue output;
        try {
            // Called a few times only: compiling specialised code for it would take longer than running it.
            torch::jit::GraphOptimizerEnabledGuard noOptimization(false);
            output = torch::jit::Module(module).forward(arguments);
        } catch (const std::exception& problem) {
            fail("the module could not be evaluated (" + reasonOf(problem) + ")");
        }
        const int64_t n = distances.size(0);
        if (!output.isTensor())
            fail("the module must return a tensor, but returns " + output.tagKind());
        torch::Tensor result = output.toTensor();
        if (numPairs == 1 && result.dim() == 1)
            result = result.unsqueeze(0);
        if (result.dim() != 2 || result.size(0) != numPairs || result.size(1) != n) {
            std::ostringstream problem;
            problem << "the module must return energies of shape [" << numPairs << ", " << n
                    << "], pairs of types by distances, but for " << n << " distances returns shape "
                    << output.toTensor().sizes();
            fail(problem.str());
        }
        if (!result.is_floating_point())
            fail("the module must return floating-point energies, but returns " + string(result.dtype().name()));
        return result;
    }

    static torch::Tensor gradient(const torch::Tensor& sum, const torch::Tensor& distances) {
        vector<torch::Tensor> gradients;
        try {
            if (sum.requires_grad())
                gradients = torch::autograd::grad({sum}, {distances}, {}, true, false, true);
        } catch (const std::exception& problem) {
            fail("the module's energies cannot be differentiated (" + reasonOf(problem) + ")");
        }
        if (gradients.empty() || !gradients[0].defined())
            fail("the module's energies do not depend on r through differentiable operations, so they give no forces");
        return gradients[0].contiguous();
    }

    int numPairs;
    torch::jit::Module module;
};

std::unique_ptr<PairTabulator> createTabulator(const string& module, int numPairs) {
    return std::make_unique<TorchTabulator>(module, numPairs);
}

} // namespace

} // namespace DiffPair

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPair::PairTabulator::registerFactory(DiffPair::createTabulator);
}
