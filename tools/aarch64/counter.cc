// A plugin for qemu-aarch64 (user mode, plugin API 1, qemu 7.2) that counts what an emulated program executes, exactly.
//
//     qemu-aarch64 -plugin file=libcounter.so,out=counts.jsonl program
//
// The program marks points by prctl(0x4d435052, id), which fails and does nothing else. Each mark ends a region; the
// line written for it has the counts since the mark before:
//
//     {"mark": id, "kinds": {"fmla": 1000, ...}, "blocks": [[address, executions, instructions, fmla], ...]}
//
// A block is a piece of straight code, counted as a whole: kinds are known when it is translated, so that counting
// costs one addition a block. Counters are not locked: the program must run one thread.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

// qemu's documented interface; Debian does not package its header.
extern "C" {
struct qemu_plugin_tb;
struct qemu_plugin_insn;
using qemu_plugin_id_t = uint64_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
using SyscallCallback = void(qemu_plugin_id_t, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                             uint64_t, uint64_t, uint64_t);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_inline(qemu_plugin_tb* tb, qemu_plugin_op op, void* to, uint64_t value);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, SyscallCallback* callback);
size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* tb);
uint64_t qemu_plugin_tb_vaddr(const qemu_plugin_tb* tb);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb* tb, size_t index);
const void* qemu_plugin_insn_data(const qemu_plugin_insn* insn);
}

namespace {

constexpr int64_t kPrctl = 167;
constexpr uint64_t kMark = 0x4d435052;

enum Kind { kFmla, kVectorLoad, kVectorStore, kPrefetch, kVector, kLoad, kStore, kBranch, kOther, kNumKinds };
constexpr const char* kNames[kNumKinds] = {"fmla", "vector_load", "vector_store", "prefetch", "vector",
                                           "load", "store",       "branch",       "other"};

// Instructions whose bits under `mask` are `value`; the first that fits says the kind.
struct Encoding {
  uint32_t mask, value;
  Kind kind;
};
constexpr Encoding kEncodings[] = {
    {0xBFA0FC00, 0x0E20CC00, kFmla},         // FMLA of vectors, float32 and float64
    {0xBFA0FC00, 0x0EA0CC00, kFmla},         // FMLS
    {0xBF80F400, 0x0F801000, kFmla},         // FMLA by element
    {0xBF80F400, 0x0F805000, kFmla},         // FMLS by element
    {0x3F400000, 0x3D400000, kVectorLoad},   // LDR, unsigned displacement
    {0x3F400000, 0x3C400000, kVectorLoad},   // LDR and LDUR, other addresses
    {0x3F000000, 0x1C000000, kVectorLoad},   // LDR, literal
    {0x3E400000, 0x2C400000, kVectorLoad},   // LDP, LDNP
    {0xBF400000, 0x0C400000, kVectorLoad},   // LD1 .. LD4 of whole registers
    {0xBF400000, 0x0D400000, kVectorLoad},   // LD1 .. LD4 of one lane, LD1R
    {0x3E400000, 0x3C000000, kVectorStore},  // STR, STUR
    {0x3E400000, 0x2C000000, kVectorStore},  // STP, STNP
    {0xBE400000, 0x0C000000, kVectorStore},  // ST1 .. ST4
    {0xFFC00000, 0xF9800000, kPrefetch},     // PRFM, unsigned displacement
    {0xFFE00C00, 0xF8A00800, kPrefetch},     // PRFM, register
    {0xFFE00C00, 0xF8800000, kPrefetch},     // PRFUM
    {0xFF000000, 0xD8000000, kPrefetch},     // PRFM, literal
    {0x0E000000, 0x0E000000, kVector},       // other SIMD and floating-point arithmetic
    {0x3A400000, 0x28400000, kLoad},         // LDP, LDR of general registers
    {0x3A000000, 0x28000000, kStore},        // STP
    {0x3AC00000, 0x38000000, kStore},        // STR
    {0x3A000000, 0x38000000, kLoad},         // LDR, sign-extending too
    {0x3F400000, 0x08400000, kLoad},         // exclusive and acquiring loads
    {0x3F400000, 0x08000000, kStore},        // exclusive and releasing stores
    {0x3F000000, 0x18000000, kLoad},         // LDR, literal
    {0x1C000000, 0x14000000, kBranch},       // branches, system instructions
};

Kind KindOf(uint32_t instruction) {
  for (const Encoding& e : kEncodings) {
    if ((instruction & e.mask) == e.value) return e.kind;
  }
  return kOther;
}

struct Block {
  uint64_t executions = 0;  // qemu adds to it
  uint64_t seen = 0;        // of those, before the last mark
  uint64_t address = 0;
  size_t instructions = 0;
  std::array<uint64_t, kNumKinds> kinds{};
};

// qemu calls back without a pointer of ours, so there is one counter.
struct Counter {
  std::vector<std::unique_ptr<Block>> blocks;
  FILE* out = nullptr;
};
Counter& TheCounter() {
  static Counter counter;
  return counter;
}

void OnTranslation(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  auto block = std::make_unique<Block>();
  block->address = qemu_plugin_tb_vaddr(tb);
  block->instructions = qemu_plugin_tb_n_insns(tb);
  for (size_t i = 0; i < block->instructions; ++i) {
    uint32_t instruction;
    std::memcpy(&instruction, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof instruction);
    ++block->kinds[KindOf(instruction)];
  }
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &block->executions, 1);
  TheCounter().blocks.push_back(std::move(block));
}

void WriteRegion(uint64_t mark) {
  FILE* const out = TheCounter().out;
  std::array<uint64_t, kNumKinds> kinds{};
  std::fprintf(out, "{\"mark\": %lu, \"blocks\": [", mark);
  const char* comma = "";
  for (const auto& block : TheCounter().blocks) {
    const uint64_t executions = block->executions - block->seen;
    block->seen = block->executions;
    if (executions == 0) continue;
    for (size_t k = 0; k < kNumKinds; ++k) kinds[k] += executions * block->kinds[k];
    std::fprintf(out, "%s[%lu, %lu, %zu, %lu]", comma, block->address, executions, block->instructions,
                 block->kinds[kFmla]);
    comma = ", ";
  }
  std::fprintf(out, "], \"kinds\": {");
  for (size_t k = 0; k < kNumKinds; ++k) std::fprintf(out, "%s\"%s\": %lu", k == 0 ? "" : ", ", kNames[k], kinds[k]);
  std::fprintf(out, "}}\n");
  std::fflush(out);
}

void OnSyscall(qemu_plugin_id_t, unsigned, int64_t number, uint64_t a1, uint64_t a2, uint64_t, uint64_t, uint64_t,
               uint64_t, uint64_t, uint64_t) {
  if (number == kPrctl && a1 == kMark) WriteRegion(a2);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void*, int argc,
                                                               char** argv) {
  if (argc != 1 || std::strncmp(argv[0], "out=", 4) != 0) {
    std::fprintf(stderr, "counter: expected the one option out=FILE\n");
    return 1;
  }
  TheCounter().out = std::fopen(argv[0] + 4, "w");
  if (TheCounter().out == nullptr) {
    std::perror(argv[0] + 4);
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, OnTranslation);
  qemu_plugin_register_vcpu_syscall_cb(id, OnSyscall);
  return 0;
}
}
