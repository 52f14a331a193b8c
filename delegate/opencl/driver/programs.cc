#include "delegate/opencl/driver/programs.h"

#include <algorithm>

#include "delegate/opencl/driver/kernel_sources.h"

namespace mcpruner::opencl {
namespace {

constexpr size_t kQuotedLog = 400;  // bytes of a compiler's output in an error

std::string OptionsOf(const Defines& common, const Defines& defines) {
  std::string options = "-cl-std=CL1.2 -cl-mad-enable";
  for (const Defines* list : {&common, &defines}) {
    for (const auto& [name, value] : *list) options += " -D" + name + "=" + value;
  }
  return options;
}

std::string BuildLog(const Device& device, cl_program program) {
  size_t size = 0;
  device.api().clGetProgramBuildInfo(program, device.info().id, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size);
  std::string log(size, '\0');
  device.api().clGetProgramBuildInfo(program, device.info().id, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  return log.substr(0, std::min(log.find('\0'), kQuotedLog));
}

// Returns everything that a binary depends on.
std::string KeyOf(const DeviceInfo& device, const std::string& options, const char* const (&sources)[3]) {
  std::string key = DeviceKey(device) + options + '\n';
  for (const char* source : sources) key += source;
  return key;
}

}  // namespace

Result<ClKernel> Programs::MakeKernel(const std::string& file, const std::string& kernel, const Defines& defines) {
  const Result<ClProgram>& program = Get(file, OptionsOf(common_, defines));
  if (!program.ok()) return program.status();
  cl_int error = CL_SUCCESS;
  const cl_kernel object = device_->api().clCreateKernel(program->get(), kernel.c_str(), &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "making kernel '" + kernel + "' of " + file));
  return ClKernel(device_->api(), object);
}

const Result<ClProgram>& Programs::Get(const std::string& file, const std::string& options) {
  Entry* entry = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    entry = &programs_[{file, options}];  // stays where it is
  }
  std::call_once(entry->once, [&] { entry->program = Build(file, options); });
  return entry->program;
}

Result<ClProgram> Programs::Build(const std::string& file, const std::string& options) const {
  const char* sources[] = {KernelSource("args.h"), KernelSource("common.cl"), KernelSource(file.c_str())};
  if (sources[2] == nullptr) return Status::Error("there is no kernel source '" + file + "'");
  const std::string key = KeyOf(device_->info(), options, sources);
  if (ClProgram program = FromCache(key, options)) return program;
  const OpenClApi& api = device_->api();
  cl_int error = CL_SUCCESS;
  const cl_program object = api.clCreateProgramWithSource(device_->context(), 3, sources, nullptr, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "making a program of " + file));
  ClProgram program(api, object);
  error = api.clBuildProgram(object, 1, &device_->info().id, options.c_str(), nullptr, nullptr);
  if (error == CL_SUCCESS) {
    ToCache(key, object);
    return program;
  }
  return Status::Error("building " + file + " for '" + device_->info().name + "' with options '" + options +
                       "' failed: " + ClErrorName(error) + "; the compiler says: " + BuildLog(*device_, object));
}

ClProgram Programs::FromCache(const std::string& key, const std::string& options) const {
  const std::vector<uint8_t> binary = cache_.Load(key);
  if (binary.empty()) return {};
  const OpenClApi& api = device_->api();
  const size_t size = binary.size();
  const unsigned char* data = binary.data();
  cl_int status = CL_SUCCESS, error = CL_SUCCESS;
  ClProgram program(
      api, api.clCreateProgramWithBinary(device_->context(), 1, &device_->info().id, &size, &data, &status, &error));
  if (error != CL_SUCCESS || status != CL_SUCCESS) return {};
  error = api.clBuildProgram(program.get(), 1, &device_->info().id, options.c_str(), nullptr, nullptr);
  return error == CL_SUCCESS ? std::move(program) : ClProgram();
}

void Programs::ToCache(const std::string& key, cl_program program) const {
  if (!cache_.enabled()) return;
  const OpenClApi& api = device_->api();
  size_t size = 0;  // of the binary for the only device
  if (api.clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr) != CL_SUCCESS) return;
  std::vector<uint8_t> binary(size);
  unsigned char* data = binary.data();
  if (api.clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof data, static_cast<void*>(&data), nullptr) ==
      CL_SUCCESS) {
    cache_.Store(key, binary);
  }
}

}  // namespace mcpruner::opencl
