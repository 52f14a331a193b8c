// This target tests the files of the OpenCL cache: whatever lies in the folder is what was stored under its key, or
// counts as absent; a tile that is read is one that the device could have been given. (A program's binary goes to the
// driver as it was stored.)
//
// The first byte says what the others are: a whole file, or a value that is stored with its checksum.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "delegate/fuzz/fuzz.h"
#include "delegate/opencl/driver/disk_cache.h"
#include "delegate/opencl/plan/tuned_tiles.h"

namespace mcpruner::opencl {
namespace {

constexpr size_t kHeaderBytes = 28;  // before the key

// The Folder belongs to this process and goes with it. It lies in memory where that can be had, since a disk takes
// milliseconds for each file.
class Folder {
 public:
  Folder() : path_(Parent() / ("mcpruner-fuzz-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }
  std::filesystem::path OnlyFile() const { return *std::filesystem::directory_iterator(path_); }

 private:
  static std::filesystem::path Parent() {
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  }

  const std::filesystem::path path_;
};

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteFile(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A Case is a convolution, its device, and the file in which its tile is kept.
struct Case {
  Case() {
    device.compute_units = 4;
    device.max_work_group = 256;
    conv.layer = std::make_shared<const SparseLayer>(
        *SparseLayerFromDense(LayerKind::kConv2D, {8, 3, 3, 4}, std::vector<float>(288, 1.0f), {}, 4));
    TunedTiles(DiskCache(folder.path()), device, Precision::kFloat32).Store(conv, out, {64, 1, 1});
    file = folder.OnlyFile();
    const std::string bytes = ReadFile(file);
    key = bytes.substr(kHeaderBytes, bytes.size() - 3 - kHeaderBytes);
  }

  Folder folder;
  DeviceInfo device;
  ConvParams conv;
  const Shape out{1, 14, 14, 8};
  std::filesystem::path file;
  std::string key;
};

void LoadWhatIsThere(bool whole_file, const std::string& bytes) {
  static const Case c;
  const DiskCache cache(c.folder.path());
  const Span<const uint8_t> value(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (whole_file) {
    WriteFile(c.file, bytes);
  } else {
    WriteFile(c.file, "");
    cache.Store(c.key, value);
  }
  const std::vector<uint8_t> loaded = cache.Load(c.key);
  if (whole_file && !loaded.empty()) {
    cache.Store(c.key, loaded);
    Check(ReadFile(c.file) == bytes, "a file that is read is one that was stored");
  }
  if (!whole_file)
    Check(std::equal(loaded.begin(), loaded.end(), value.begin(), value.end()), "what is stored is read");
  const auto tile = TunedTiles(DiskCache(c.folder.path()), c.device, Precision::kFloat32).Load(c.conv, c.out);
  if (!tile) return;
  const std::vector<ConvTile> candidates = ConvTileCandidates(c.device, ConvSizesOf(*c.conv.layer, c.out));
  Check(std::find(candidates.begin(), candidates.end(), *tile) != candidates.end(), "a tile is a candidate");
}

}  // namespace
}  // namespace mcpruner::opencl

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  mcpruner::opencl::LoadWhatIsThere(data[0] % 2 == 0, std::string(data + 1, data + size));
  return 0;
}
