#include "delegate/cpu/threads/core_types.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace mcpruner {
namespace {

constexpr long kArm = 0x41, kQualcomm = 0x51;

// Names and numbers are those of Linux, arch/arm64/include/asm/cputype.h.
bool RunsInOrder(long implementer, long part) {
  if (implementer == kArm) {
    return part == 0xd03 || part == 0xd04 || part == 0xd05 ||  // Cortex-A53, A35, A55
           part == 0xd46 || part == 0xd80;                     // Cortex-A510, A520
  }
  return implementer == kQualcomm && (part == 0x801 || part == 0x803 || part == 0x805);  // Kryo Silver 2xx, 3xx, 4xx
}

bool MayRunOn(const cpu_set_t& mask, int core) {
  return core < CPU_SETSIZE && CPU_ISSET(static_cast<size_t>(core), &mask);
}

}  // namespace

CoreSets ParseCpuInfo(std::istream& text) {
  CoreSets cores;
  long core = -1, implementer = 0;
  const auto make_slow = [&] {
    if (cores.fast.empty() || cores.fast.back() != core) return;
    cores.fast.pop_back();
    cores.slow.push_back(static_cast<int>(core));
  };
  for (std::string line; std::getline(text, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    const long value = std::strtol(line.c_str() + colon + 1, nullptr, 0);
    if (key == "processor") {
      core = value;
      cores.fast.push_back(static_cast<int>(core));
    } else if (key == "CPU implementer") {
      implementer = value;
    } else if (key == "CPU part" && RunsInOrder(implementer, value)) {
      make_slow();
    }
  }
  return cores;
}

const CoreSets& CoresOfThisMachine() {
  static const CoreSets cores = [] {
    std::ifstream text("/proc/cpuinfo");
    text.exceptions(std::ios::badbit);  // running out of memory must not look like the end of the text
    return ParseCpuInfo(text);
  }();
  return cores;
}

CoreSets CoresOfThisThread() {
  CoreSets cores = CoresOfThisMachine();
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return cores;
  for (std::vector<int>* set : {&cores.fast, &cores.slow}) {
    set->erase(std::remove_if(set->begin(), set->end(), [&](int core) { return !MayRunOn(mask, core); }), set->end());
  }
  return cores;
}

bool IsOnSlowCore(const CoreSets& cores) {
  return !cores.slow.empty() && std::binary_search(cores.slow.begin(), cores.slow.end(), sched_getcpu());
}

void KeepThisThreadOn(const std::vector<int>& cores) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (const int core : cores) {
    if (core < CPU_SETSIZE) CPU_SET(static_cast<size_t>(core), &mask);
  }
  sched_setaffinity(0, sizeof(mask), &mask);
}

}  // namespace mcpruner
