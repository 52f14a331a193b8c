// This main runs a fuzz target without libFuzzer: on each seed as it is, then on a number of damaged ones, which are
// the same in every run.
//
//     <name>_test RUNS SEED_FILE...

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "delegate/fuzz/fuzz.h"

namespace {

using Bytes = std::vector<uint8_t>;
constexpr size_t kMostBytes = 4096;

Bytes ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  mcpruner::Check(file.good(), std::string("there is a seed ") + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// This input runs. It is printed where it ends the process.
const Bytes* running = nullptr;

void Run(const Bytes& bytes) {
  running = &bytes;
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void PrintInput(int /*signal*/) {
  std::fprintf(stderr, "of the input, in hexadecimal: ");
  for (const uint8_t byte : *running) std::fprintf(stderr, "%02x", byte);
  std::fprintf(stderr, "\n");
}

size_t Below(std::mt19937* rng, size_t n) { return (*rng)() % n; }

// Changes one bit, one byte, or a word to an extreme value; takes bytes out, puts some in, or copies some from
// elsewhere.
void Damage(std::mt19937* rng, Bytes* bytes) {
  constexpr uint8_t kExtremes[][4] = {{0, 0, 0, 0}, {255, 255, 255, 255}, {255, 255, 255, 127}, {0, 0, 0, 128}};
  bytes->resize(std::max<size_t>(bytes->size(), 4));
  const size_t at = Below(rng, bytes->size() - 3);
  uint8_t* const place = bytes->data() + at;
  switch (Below(rng, 6)) {
    case 0:
      *place = static_cast<uint8_t>(*place ^ 1u << Below(rng, 8));
      return;
    case 1:
      *place = static_cast<uint8_t>(Below(rng, 256));
      return;
    case 2:
      std::copy_n(kExtremes[Below(rng, 4)], 4, place);
      return;
    case 3:
      bytes->erase(bytes->begin() + static_cast<ptrdiff_t>(at),
                   bytes->begin() + static_cast<ptrdiff_t>(at + 1 + Below(rng, bytes->size() - at)));
      return;
    case 4:
      bytes->insert(bytes->begin() + static_cast<ptrdiff_t>(at), 1 + Below(rng, 8), static_cast<uint8_t>((*rng)()));
      return;
    default:
      std::memmove(place, bytes->data() + Below(rng, bytes->size() - 3), 4);
  }
}

}  // namespace

int main(int count, char** arguments) {
  mcpruner::Check(count > 2, "arguments are the number of runs and the seeds");
  std::vector<Bytes> seeds;
  for (int i = 2; i < count; ++i) seeds.push_back(ReadFile(arguments[i]));
  std::signal(SIGABRT, PrintInput);
  for (const Bytes& seed : seeds) Run(seed);
  std::mt19937 rng(1);
  const int runs = std::atoi(arguments[1]);
  for (int run = 0; run < runs; ++run) {
    Bytes bytes = seeds[Below(&rng, seeds.size())];
    for (size_t damages = 1 + Below(&rng, 4); damages > 0; --damages) Damage(&rng, &bytes);
    bytes.resize(std::min(bytes.size(), kMostBytes));
    Run(bytes);
  }
  std::printf("%d damaged inputs of %zu seeds\n", runs, seeds.size());
  return 0;
}
