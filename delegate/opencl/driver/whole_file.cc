#include "delegate/opencl/driver/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>

namespace mcpruner::opencl {
namespace {

constexpr int kTries = 100;  // at a name for the part: killed processes may have left some

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() { (void)Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool ok() const { return number_ >= 0; }
  int get() const { return number_; }
  // Some file systems say only on closing that the disk is full.
  bool Close() { return number_ < 0 || close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

std::string PartName(const std::string& path, int attempt) {
  const size_t thread = std::hash<std::thread::id>()(std::this_thread::get_id());
  return path + "." + std::to_string(getpid()) + "." + std::to_string(thread) + "." + std::to_string(attempt) + ".part";
}

bool WriteAll(int file, Span<const uint8_t> bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(file, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) done += static_cast<size_t>(count);
  }
  return true;
}

bool WritePart(Descriptor* part, std::initializer_list<Span<const uint8_t>> pieces) {
  for (const Span<const uint8_t>& piece : pieces) {
    if (!WriteAll(part->get(), piece)) return false;
  }
  return fsync(part->get()) == 0 && part->Close();
}

// This keeps a power cut from undoing the rename. Errors are ignored, since some file systems cannot do it.
void SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const Descriptor folder(slash == std::string::npos ? "." : path.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
  if (folder.ok()) (void)fsync(folder.get());
}

Status Failure(const std::string& path) {
  return Status::Error("writing " + path + " failed: " + std::generic_category().message(errno));
}

}  // namespace

Status WriteWholeFile(const std::string& path, std::initializer_list<Span<const uint8_t>> pieces) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const std::string name = PartName(path, attempt);
    Descriptor part(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    if (!part.ok() && errno == EEXIST) continue;
    if (!part.ok()) return Failure(path);
    if (!WritePart(&part, pieces) || std::rename(name.c_str(), path.c_str()) != 0) {
      const Status failure = Failure(path);
      (void)unlink(name.c_str());
      return failure;
    }
    SyncFolderOf(path);
    return Status::Ok();
  }
  return Failure(path);
}

std::vector<uint8_t> ReadWholeFile(const std::string& path, int64_t limit) {
  const Descriptor file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);  // a pipe would be waited for
  struct stat info{};
  if (!file.ok() || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > limit) return {};
  std::vector<uint8_t> bytes(static_cast<size_t>(info.st_size));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count == 0 || (count < 0 && errno != EINTR)) return {};
    if (count > 0) done += static_cast<size_t>(count);
  }
  return bytes;
}

}  // namespace mcpruner::opencl
