// These read and write files that are either whole or not there.
//
//     pieces ──> <path>.<process>.<thread>.<try>.part ── fsync ── rename ──> <path> ── fsync of the folder
//
// Nobody sees half a file under `path`, whatever ends the process or the machine in between. The part must not exist
// before (O_EXCL). So threads and processes each have their own, even those of another container with the same numbers,
// and no link that somebody put there is followed. A part that is left behind by a kill is never read.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_WHOLE_FILE_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_WHOLE_FILE_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/base/status.h"

namespace mcpruner::opencl {

// Puts a file of these bytes, one piece after the other, in the place of `path`. The error names `path`.
Status WriteWholeFile(const std::string& path, std::initializer_list<Span<const uint8_t>> pieces);

// Returns an empty vector where `path` is no ordinary file of at most `limit` bytes that can be read.
std::vector<uint8_t> ReadWholeFile(const std::string& path, int64_t limit);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_WHOLE_FILE_H_
