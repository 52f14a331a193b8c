#include "delegate/opencl/opencl_backend.h"

#include <utility>

#include "delegate/opencl/driver/device.h"
#include "delegate/opencl/run/executable.h"
#include "delegate/opencl/run/self_check.h"
#include "delegate/opencl/run/tuner.h"

namespace mcpruner::opencl {
namespace {

Defines PrecisionDefines(Precision precision) {
  return {{"STORAGE_HALF", precision == Precision::kFloat32 ? "0" : "1"},
          {"ARITHMETIC_HALF", precision == Precision::kFloat16 ? "1" : "0"}};
}

class OpenClBackend : public Backend {
 public:
  OpenClBackend(std::shared_ptr<const Device> device, const OpenClOptions& options)
      : programs_(device, PrecisionDefines(options.precision), DiskCache(options.cache_dir, options.log)),
        tuned_(DiskCache(options.cache_dir, options.log), device->info(), options.precision),
        tools_{device,  &programs_,  &weights_,   TilesFor(device->info()), options.precision,
               &tuned_, options.log, std::nullopt},
        guard_elements_(options.guard_elements) {}

  // Tuning starts only after the self-check, whose network is not worth it.
  void StartTuning() { tune_ = tuned_.enabled(); }

  Result<std::unique_ptr<Executable>> Compile(const Graph& graph) override {
    if (tune_) MCPRUNER_RETURN_IF_ERROR(TuneGraph(graph, tools_));
    auto executable = OpenClExecutable::Make(graph, tools_, guard_elements_);
    if (!executable.ok()) return executable.status();
    return std::unique_ptr<Executable>(std::move(*executable));
  }

 private:
  Programs programs_;
  WeightCache weights_;
  const TunedTiles tuned_;
  const DeviceTools tools_;
  bool tune_ = false;
  const int guard_elements_;
};

}  // namespace
}  // namespace mcpruner::opencl

namespace mcpruner {

Result<std::unique_ptr<Backend>> CreateOpenClBackend(const OpenClOptions& options) {
  const Result<opencl::OpenClApi> api = opencl::LoadOpenCl(options.library);
  if (!api.ok()) return api.status();
  const Result<opencl::DeviceInfo> info = opencl::ChooseDevice(*api);
  if (!info.ok()) return info.status();
  if (options.precision == Precision::kFloat16 && !info->half_arithmetic) {
    return Status::Error("precision float16 needs cl_khr_fp16, which '" + info->name +
                         "' does not have; float16_storage works everywhere");
  }
  if (options.gpu_only && info->type != "gpu") {
    return Status::Error("the first device, '" + info->name + "', is no GPU but of type " + info->type);
  }
  Result<std::shared_ptr<const opencl::Device>> device = opencl::Device::Open(*api, *info);
  if (!device.ok()) return device.status();
  auto backend = std::make_unique<opencl::OpenClBackend>(std::move(*device), options);
  if (options.self_check != 0) MCPRUNER_RETURN_IF_ERROR(opencl::SelfCheck(backend.get(), options.self_check));
  if (options.tune) backend->StartTuning();
  return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace mcpruner
