// mcpruner._native is the native side of the Python package. Its functions are documented where they are bound, below.
//
// It raises TypeError for arguments of another type or dtype, and ValueError with the sentence of the Status for
// everything else. The interpreter lock is released while native code runs.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/graph/weights/blob_reader.h"
#include "python/native/cpu_features.h"
#include "python/native/layer_runner.h"
#include "python/native/machine_limits.h"
#include "python/native/opencl_devices.h"
#include "python/native/plugin_calls.h"

namespace py = pybind11;

namespace mcpruner {
namespace {

// These are 4 GiB of float32. The limit is needed because a small damaged blob can claim far more than exists.
constexpr double kMaxDenseWeights = double{1 << 30};

Span<const uint8_t> BytesOf(const py::bytes& bytes) {
  const std::string_view view = bytes;
  return {reinterpret_cast<const uint8_t*>(view.data()), view.size()};
}

py::object ParseJson(const std::string& text) { return py::module_::import("json").attr("loads")(text); }

py::object TakeJson(const Result<std::string>& text) {
  if (!text.ok()) throw py::value_error(text.message());
  return ParseJson(*text);
}

py::object Profile(const std::string& library_path, uintptr_t delegate) {
  const auto text = [&] {
    const py::gil_scoped_release release;
    return PluginProfile(library_path, delegate);
  }();
  return TakeJson(text);
}

py::object Report(const std::string& library_path, uintptr_t delegate) {
  const auto text = [&] {
    const py::gil_scoped_release release;
    return PluginReport(library_path, delegate);
  }();
  return TakeJson(text);
}

void SetProfiling(const std::string& library_path, uintptr_t delegate, bool enabled) {
  const auto status = [&] {
    const py::gil_scoped_release release;
    return PluginSetProfiling(library_path, delegate, enabled);
  }();
  if (!status.ok()) throw py::value_error(status.message());
}

// Returns `x` as it is: a copy would hide a wrong dtype and so test something else than what was asked for.
py::array CheckInput(const py::object& x) {
  if (!py::isinstance<py::array>(x)) {
    throw py::type_error("x must be a NumPy array, got " + std::string(py::str(py::type::of(x))));
  }
  py::array array = py::reinterpret_borrow<py::array>(x);
  if (!py::isinstance<py::array_t<float>>(array)) {
    throw py::type_error("x must be float32, got " + std::string(py::str(array.dtype())));
  }
  if ((array.flags() & py::array::c_style) == 0) {
    throw py::value_error("x must be C-contiguous; use numpy.ascontiguousarray");
  }
  return array;
}

py::array_t<float> RunLayerArray(const py::bytes& blob, const py::bytes& options, const py::object& x,
                                 const std::string& backend, const std::string& simd, int num_threads) {
  const py::array array = CheckInput(x);
  std::vector<int> dims;
  for (py::ssize_t i = 0; i < array.ndim(); ++i) {
    if (array.shape(i) > INT32_MAX) throw py::value_error("x has a dimension of 2^31 or more");
    dims.push_back(static_cast<int>(array.shape(i)));
  }
  const LayerRun how{backend, simd, num_threads};
  const auto* data = static_cast<const float*>(array.data());
  const Span<const uint8_t> blob_bytes = BytesOf(blob), option_bytes = BytesOf(options);
  const auto output = [&] {
    const py::gil_scoped_release release;
    return RunLayer(blob_bytes, option_bytes, dims, data, how);
  }();
  if (!output.ok()) throw py::value_error(output.message());
  py::array_t<float> result(std::vector<py::ssize_t>(output->dims.begin(), output->dims.end()));
  std::copy(output->values.begin(), output->values.end(), result.mutable_data());
  return result;
}

double Measured(const std::function<Result<double>()>& measure) {
  const Result<double> rate = [&] {
    const py::gil_scoped_release release;
    return measure();
  }();
  if (!rate.ok()) throw py::value_error(rate.message());
  return *rate;
}

py::dict OpenClDict(const std::string& library) {
  const Result<OpenClDevices> found = [&] {
    const py::gil_scoped_release release;
    return ListOpenClDevices(library);
  }();
  if (!found.ok()) throw py::value_error(found.message());
  py::list devices;
  for (const OpenClDevice& device : found->devices) {
    const opencl::DeviceInfo& info = device.info;
    devices.append(
        py::dict(py::arg("platform") = info.platform, py::arg("name") = info.name, py::arg("vendor") = info.vendor,
                 py::arg("version") = info.version, py::arg("driver") = info.driver, py::arg("type") = info.type,
                 py::arg("compute_units") = info.compute_units, py::arg("max_work_group") = info.max_work_group,
                 py::arg("memory_bytes") = info.memory_bytes, py::arg("local_bytes") = info.local_bytes,
                 py::arg("half_arithmetic") = info.half_arithmetic, py::arg("tiles") = device.tiles,
                 py::arg("unusable") = info.unusable));
  }
  return py::dict(py::arg("library") = found->library, py::arg("devices") = devices);
}

template <typename Vector>
py::array_t<typename Vector::value_type> ToArray(const Vector& values) {
  return py::array_t<typename Vector::value_type>(static_cast<py::ssize_t>(values.size()), values.data());
}

const char* KindName(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConv2D:
      return "Conv2D";
    case LayerKind::kFullyConnected:
      return "FullyConnected";
    case LayerKind::kTransposeConv2D:
      return "TransposeConv2D";
  }
  return "unknown";
}

const char* ValueTypeName(ValueType type) {
  switch (type) {
    case ValueType::kFloat32:
      return "float32";
    case ValueType::kFloat16:
      return "float16";
    case ValueType::kInt8:
      return "int8";
  }
  return "unknown";
}

py::dict ReadLayer(const py::bytes& blob) {
  const Result<SparseLayer> layer = ReadSparseLayer(BytesOf(blob));
  if (!layer.ok()) throw py::value_error(layer.message());
  std::vector<uint32_t> group_runs;
  for (size_t g = 1; g < layer->group_run_begin.size(); ++g) {
    group_runs.push_back(layer->group_run_begin[g] - layer->group_run_begin[g - 1]);
  }
  std::vector<uint16_t> run_patterns, run_counts;
  for (const SparseLayer::Run& run : layer->runs) {
    run_patterns.push_back(run.pattern);
    run_counts.push_back(run.count);
  }
  py::dict out;
  out["kind"] = KindName(layer->kind);
  out["kernel_size"] = py::make_tuple(layer->kernel_height, layer->kernel_width);
  out["in_channels"] = layer->in_channels;
  out["out_channels"] = layer->out_channels;
  out["group_size"] = layer->group_size;
  out["value_type"] = ValueTypeName(layer->value_type);
  out["patterns"] = ToArray(layer->patterns);
  out["group_runs"] = ToArray(group_runs);
  out["run_patterns"] = ToArray(run_patterns);
  out["run_counts"] = ToArray(run_counts);
  out["channels"] = ToArray(layer->channels);
  out["values"] = ToArray(FloatValues(*layer));
  out["permutation"] = ToArray(layer->permutation);
  out["bias"] = ToArray(layer->bias);
  out["density"] = layer->Density();
  out["weights"] = [&] {
    const double count =
        double{1} * layer->out_channels * layer->kernel_height * layer->kernel_width * layer->in_channels;
    if (count > kMaxDenseWeights) throw py::value_error("expected a layer of at most 2^30 weights; is it damaged?");
    const std::vector<float> dense = DenseWeights(*layer);
    py::array_t<float> array({layer->out_channels, layer->kernel_height, layer->kernel_width, layer->in_channels});
    std::copy(dense.begin(), dense.end(), array.mutable_data());
    return array;
  }();
  return out;
}

}  // namespace

PYBIND11_MODULE(_native, m) {
  m.doc() = "The native side of mcpruner: profiles and reports of loaded delegates, kernels, and single layers.";
  m.def("profile", &Profile, py::arg("library_path"), py::arg("delegate"),
        "Profile of a delegate: a list with a dict for each op. `delegate` is its address, `library_path` the plugin "
        "that made it. ValueError: no such plugin or delegate.");
  m.def("report", &Report, py::arg("library_path"), py::arg("delegate"),
        "Report of a delegate: a dict with `nodes` and `partitions`; arguments as for `profile`.");
  m.def("set_profiling", &SetProfiling, py::arg("library_path"), py::arg("delegate"), py::arg("enabled"),
        "Times every op of a delegate from now on, or stops to.");
  m.def("cpu_features", &CpuFeatures,
        "Names of the instruction sets that this CPU has, of those the kernels look for.");
  m.def("simd_targets", &CpuSimdTargets, "SIMD targets that run here, best first: values of `simd` in `run_layer`.");
  m.def("opencl_devices", &OpenClDict, py::arg("library") = "",
        "OpenCL's `library` and its `devices`, a dict each: the one that the backend takes first; `unusable` says why "
        "one "
        "cannot be taken. ValueError: no library, or no platform.");
  m.def(
      "peak_gflops", [](const std::string& simd) { return Measured([&] { return PeakGflops(simd); }); },
      py::arg("simd"),
      "Measures the most float32 operations a second of one core, in 10^9; two for each multiply-add. ValueError: the "
      "CPU has no such instruction set.");
  m.def(
      "read_gigabytes",
      [](const std::string& simd, size_t bytes) { return Measured([&] { return ReadGigabytes(simd, bytes); }); },
      py::arg("simd"), py::arg("bytes"),
      "Measures how fast one core reads a buffer of `bytes` (4096 to 2^30) again and again, in 10^9 bytes a second. "
      "ValueError: no such instruction set or size.");
  m.def("kernels", &MicroKernelNames,
        "Names of the cpu backend's kernels: the list delegate/cpu/kernels/micro_kernels.inc.");
  m.def(
      "run_layer", &RunLayerArray, py::arg("blob"), py::arg("options"), py::arg("x"), py::arg("backend") = "cpu",
      py::arg("simd") = "", py::arg("num_threads") = 1,
      "Output (float32) of one packed layer. blob: MCP1 bytes; options: SparseOptions bytes; x: float32, C-contiguous, "
      "NHWC (any rank for a FullyConnected layer). TypeError for another dtype, ValueError for what does not fit.");
  m.def("read_layer", &ReadLayer, py::arg("blob"),
        "An MCP1 blob as the delegate reads it: a dict with the fields of mcpruner.converter's SparseLayer, `density`, "
        "and `weights`, the dense float32 [out, height, width, in]. ValueError: the blob is damaged.");
}

}  // namespace mcpruner
