// Tests call these before and after a run: OpenClExecutable::FillMemory and CheckMemory.

#include <cstring>
#include <string>
#include <vector>

#include "delegate/opencl/plan/weights.h"
#include "delegate/opencl/run/executable.h"

namespace mcpruner::opencl {
namespace {

// Returns the first byte of `bytes` in [first, last) that is not `expected`, or -1 if all are.
int64_t FirstOther(const std::vector<uint8_t>& bytes, int64_t first, int64_t last, uint8_t expected) {
  for (int64_t i = first; i < last; ++i) {
    if (bytes[static_cast<size_t>(i)] != expected) return i;
  }
  return -1;
}

// Returns the first byte around a tensor's pixels that is not zero, or -1 if all are.
int64_t FirstNonzeroBorder(const std::vector<uint8_t>& bytes, const PlaneTensor& tensor, int64_t size) {
  const PlaneLayout& layout = tensor.layout;
  int64_t zeros = tensor.offset;  // begin of the zeros before the next row of pixels
  for (int plane = 0; plane < layout.shape.n * layout.shape.c; ++plane) {
    for (int row = 0; row < layout.shape.h; ++row) {
      const int64_t pixels =
          tensor.offset + plane * layout.plane + int64_t{layout.border.top + row} * layout.pitch + layout.border.left;
      const int64_t other = FirstOther(bytes, zeros * size, pixels * size, 0);
      if (other >= 0) return other;
      zeros = pixels + layout.shape.w;
    }
  }
  return FirstOther(bytes, zeros * size, (tensor.offset + layout.elements) * size, 0);
}

// Writes `element` (`size` bytes) over the pixels of a tensor, and over nothing around them.
void FillPixels(const PlaneTensor& tensor, const void* element, size_t size, uint8_t* arena) {
  const PlaneLayout& layout = tensor.layout;
  const int64_t origin = tensor.offset + int64_t{layout.border.top} * layout.pitch + layout.border.left;
  for (int64_t plane = 0; plane < int64_t{layout.shape.n} * layout.shape.c; ++plane) {
    for (int row = 0; row < layout.shape.h; ++row) {
      uint8_t* to = arena + static_cast<size_t>(origin + plane * layout.plane + int64_t{row} * layout.pitch) * size;
      for (int column = 0; column < layout.shape.w; ++column, to += size) std::memcpy(to, element, size);
    }
  }
}

}  // namespace

// The host writes this and not a micro-kernel, since the values must not depend on what is tested.
Status OpenClExecutable::FillMemory(float value) {
  const OpenClApi& api = tools_.device->api();
  const auto bytes = static_cast<size_t>(ArenaBytes());
  if (bytes == 0) return Status::Ok();
  const uint16_t half = ToHalf(value);
  const bool halves = tools_.precision != Precision::kFloat32;
  const void* const element = halves ? static_cast<const void*>(&half) : &value;
  cl_int error = CL_SUCCESS;
  void* const arena = api.clEnqueueMapBuffer(queue(), arena_.get(), CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0,
                                             nullptr, nullptr, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "mapping the arena"));
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].offset < 0 || graph_.tensors[i].data != nullptr) continue;
    FillPixels(tensors_[i], element, static_cast<size_t>(ElementBytes(tools_.precision)), static_cast<uint8_t*>(arena));
  }
  return ClStatus(api.clEnqueueUnmapMemObject(queue(), arena_.get(), arena, 0, nullptr, nullptr), "filling the arena");
}

Status OpenClExecutable::CheckMemory() const {
  const OpenClApi& api = tools_.device->api();
  const int64_t size = ElementBytes(tools_.precision);
  std::vector<uint8_t> bytes(static_cast<size_t>(ArenaBytes()));
  if (bytes.empty()) return Status::Ok();
  MCPRUNER_RETURN_IF_ERROR(ClStatus(
      api.clEnqueueReadBuffer(queue_.get(), arena_.get(), CL_TRUE, 0, bytes.size(), bytes.data(), 0, nullptr, nullptr),
      "reading the arena"));
  for (const int64_t end : plan_.ends) {
    const int64_t other = FirstOther(bytes, end * size, (end + guard_elements_) * size, kGuardByte);
    if (other >= 0) return Status::Error("byte " + std::to_string(other) + ", behind a slot, was overwritten");
  }
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].offset < 0) continue;
    const int64_t other = FirstNonzeroBorder(bytes, tensors_[i], size);
    if (other >= 0) {
      return Status::Error("byte " + std::to_string(other) + ", around tensor '" + graph_.tensors[i].name +
                           "', is not zero any more");
    }
  }
  return Status::Ok();
}

}  // namespace mcpruner::opencl
