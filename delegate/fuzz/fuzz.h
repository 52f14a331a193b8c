// The fuzz targets share this. Each target is one function, LLVMFuzzerTestOneInput, which any bytes may be given to.
//
//     <name>.cc + replay.cc                 <name>_test: its seeds and a fixed number of damaged ones, by any compiler
//     <name>.cc + Clang's libFuzzer         <name>_fuzz: `make fuzz`, led by what the code covers
//
// A finding ends the process; it comes from a sanitizer, or from a Check that does not hold.

#ifndef MCPRUNER_DELEGATE_FUZZ_FUZZ_H_
#define MCPRUNER_DELEGATE_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace mcpruner {

inline void Check(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what.c_str());
  std::abort();
}

// Decisions are taken from the bytes one after the other; each is 0 where the bytes have ended.
class Decisions {
 public:
  Decisions(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool ended() const { return at_ == end_; }
  // Returns 0 .. n - 1, from one byte where n allows.
  int Below(int n) {
    unsigned number = Byte();
    if (n > 256) number = number << 8 | Byte();
    return static_cast<int>(number % static_cast<unsigned>(n));
  }
  // Returns `usual` for three quarters of all bytes and 0 .. n - 1 for the others, so that graphs mostly fit together.
  int Seldom(int n, int usual) { return Below(4) < 3 ? usual : Below(n); }

 private:
  unsigned Byte() { return at_ == end_ ? 0 : *at_++; }

  const uint8_t* at_;
  const uint8_t* const end_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_FUZZ_FUZZ_H_
