#include "diffpair/openmm/PairTabulator.h"
#include "GilRelease.h"
#include <c10/core/InferenceMode.h>
#include <cctype>
#include <iostream>
#include <mutex>
#include <openmm/OpenMMException.h>
#include <optional>
#include <set>
#include <sstream>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

using OpenMM::OpenMMException;
using std::string;
using std::vector;

namespace DiffPairPlugin {

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

/**
 * What the caller's thread may have switched on (torch.no_grad, inference_mode, autocast) is no business of a table: it would
 * be without derivatives, or in half precision.
 */
struct PlainMode {
    const c10::InferenceMode noInference{false};
    const torch::AutoGradMode autograd{true};
    const c10::impl::ExcludeDispatchKeyGuard noAutocast{c10::autocast_dispatch_keyset};
    /** Called a few times only: compiling specialised code for a module would take longer than running it. */
    const torch::jit::GraphOptimizerEnabledGuard noOptimization{false};
};

/** Tells once per module on stderr that it does not compute in double precision. */
void warnOfPrecision(const string& module, torch::ScalarType precision) {
    static std::mutex lock;
    static std::set<size_t> warned;
    const std::lock_guard<std::mutex> guard(lock);
    if (warned.insert(std::hash<string>()(module)).second)
        std::cerr << "DiffPair warning: the TorchScript module computes in "
                  << (precision == torch::kFloat32 ? "single" : c10::toString(precision))
                  << " precision instead of double, and its table is as smooth as that (said once per module)" << std::endl;
}

class TorchTabulator : public PairTabulator {
public:
    TorchTabulator(const string& bytes, int numPairs) : bytes(bytes), numPairs(numPairs) {
        const PlainMode mode;
        module = load();
        // Module::to would also turn index buffers into floating point.
        for (torch::Tensor tensor : module.parameters())
            makeDouble(tensor);
        for (torch::Tensor tensor : module.buffers())
            makeDouble(tensor);
    }

    Values evaluate(const vector<double>& r, const vector<double>& parameters, const vector<int>& differentiated) const override {
        const GilRelease noLock;
        const PlainMode mode;
        const torch::Tensor distances = torch::tensor(r, torch::kFloat64).requires_grad_(true);
        vector<torch::Tensor> scalars;
        for (double value : parameters)
            scalars.push_back(torch::tensor(value, torch::kFloat64));
        for (int index : differentiated)
            scalars[index].requires_grad_(true);
        const torch::Tensor result = energies(distances, scalars).to(torch::kFloat64).contiguous();
        Values values;
        values.energies = numbersOf(result);
        for (int pair = 0; pair < numPairs; pair++) {
            // Each energy depends on its own distance alone, so the gradient of their sum holds every derivative.
            const vector<double> slope = numbersOf(gradient(result[pair].sum(), distances));
            values.slopes.insert(values.slopes.end(), slope.begin(), slope.end());
        }
        for (int index : differentiated)
            values.derivatives.push_back(numbersOf(derivative(result, scalars[index])));
        return values;
    }

private:
    torch::jit::Module load() const {
        std::istringstream stream(bytes);
        try {
            torch::jit::Module loaded = torch::jit::load(stream, c10::kCPU);
            loaded.eval();
            return loaded;
        } catch (const std::exception& problem) {
            fail("the module is not a TorchScript module, as torch.jit.save writes it (" + reasonOf(problem) + ")");
        }
    }

    static void makeDouble(torch::Tensor& tensor) {
        if (tensor.is_floating_point())
            tensor.set_data(tensor.to(torch::kFloat64));
    }

    static vector<double> numbersOf(const torch::Tensor& tensor) {
        const torch::Tensor plain = tensor.detach().to(torch::kFloat64).contiguous();
        return vector<double>(plain.data_ptr<double>(), plain.data_ptr<double>() + plain.numel());
    }

    /**
     * Energies [numPairs, n], if possible in double precision. A module whose constants are single (torch.jit.freeze makes
     * constants of weights), or that asks for single itself, gets what it was written for.
     */
    torch::Tensor energies(const torch::Tensor& distances, const vector<torch::Tensor>& scalars) const {
        c10::IValue output;
        try {
            output =
                single ? call(*single, distances, scalars, torch::kFloat32) : call(module, distances, scalars, torch::kFloat64);
        } catch (const std::exception& problem) {
            try {
                torch::jit::Module asWritten = load();
                output = call(asWritten, distances, scalars, torch::kFloat32);
                single = asWritten;
            } catch (const std::exception&) {
                fail("the module could not be evaluated (" + reasonOf(problem) + ")");
            }
        }
        const torch::Tensor result = checked(output, distances.size(0));
        if (single || result.scalar_type() != torch::kFloat64)
            warnOfPrecision(bytes, single ? torch::kFloat32 : result.scalar_type());
        return result;
    }

    static c10::IValue call(torch::jit::Module evaluated, const torch::Tensor& distances, const vector<torch::Tensor>& scalars,
                            torch::ScalarType precision) {
        vector<c10::IValue> arguments = {distances.to(precision)};
        for (const torch::Tensor& scalar : scalars)
            arguments.push_back(scalar.to(precision));
        return evaluated.forward(arguments);
    }

    torch::Tensor checked(const c10::IValue& output, int64_t n) const {
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
        return gradients[0];
    }

    /**
     * d(energies)/d(parameter), all of them at once: with weights w, g = sum w dU/d(parameter) is linear in w, and dg/dw is what
     * is looked for. 0 where energies do not depend on the parameter.
     */
    static torch::Tensor derivative(const torch::Tensor& energies, const torch::Tensor& parameter) {
        try {
            const torch::Tensor weights = torch::ones_like(energies).requires_grad_(true);
            const torch::Tensor sum = torch::autograd::grad({energies}, {parameter}, {weights}, true, true, true)[0];
            if (!sum.defined() || !sum.requires_grad())
                return torch::zeros_like(energies);
            const torch::Tensor each = torch::autograd::grad({sum}, {weights}, {}, true, false, true)[0];
            return each.defined() ? each : torch::zeros_like(energies);
        } catch (const std::exception& problem) {
            fail("the module's energies cannot be differentiated with respect to a parameter (" + reasonOf(problem) + ")");
        }
    }

    const string bytes;
    int numPairs;
    torch::jit::Module module;                        // in double precision
    mutable std::optional<torch::jit::Module> single; // as it was written, where double precision does not work
};

std::unique_ptr<PairTabulator> createTabulator(const string& module, int numPairs) {
    return std::make_unique<TorchTabulator>(module, numPairs);
}

} // namespace

} // namespace DiffPairPlugin

extern "C" DIFFPAIR_OPENMM_EXPORT void registerKernelFactories() {
    DiffPairPlugin::PairTabulator::registerFactory(DiffPairPlugin::createTabulator);
}
