/* The public C API of the mcpruner delegate.
 *
 * An app that can load TFLite external delegates needs none of this: give it libmcpruner_delegate.so and the options
 * below as strings. An app that links the library uses McprunerDelegateCreate:
 *
 *     McprunerDelegateOptions options = McprunerDelegateOptionsDefault();
 *     options.num_threads = 2;
 *     TfLiteDelegate* delegate = McprunerDelegateCreate(&options);
 *     interpreter->ModifyGraphWithDelegate(delegate);      ... AllocateTensors, Invoke ...
 *     McprunerDelegateDelete(delegate);                    after the interpreter is gone
 *
 * No function throws. The delegate must outlive every interpreter that uses it.
 *
 * McprunerDelegateOptions grows at its end. An app that was compiled with an older header runs with a newer library,
 * which takes the defaults for what the app does not know. An app that was compiled with a newer header runs with an
 * older library as long as what that does not know is zero, which every field to come will have as its default;
 * otherwise McprunerDelegateCreate says so and returns NULL.
 */

#ifndef MCPRUNER_DELEGATE_TFLITE_MCPRUNER_DELEGATE_H_
#define MCPRUNER_DELEGATE_TFLITE_MCPRUNER_DELEGATE_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define MCPRUNER_EXPORT __attribute__((visibility("default")))
#else
#define MCPRUNER_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct TfLiteDelegate;

typedef struct McprunerDelegateOptions {
  /* sizeof(McprunerDelegateOptions) of the header that the app was compiled with; McprunerDelegateOptionsDefault fills
   * it. */
  size_t struct_size;
  /* Threads of the cpu backend, 1..64. 0: what the runtime recommends (Interpreter's num_threads), else 1. */
  int32_t num_threads;
  /* "auto" (partitions with packed layers, on the cpu backend, or with cache_dir on the faster of cpu and opencl,
   * measured at each load; other partitions are left, since TFLite runs dense layers as fast), "cpu" (every partition
   * that it can run), "opencl" (the same on a GPU; where there is none, or it fails, the cpu backend runs and the
   * reason is printed), or "reference" (plain loops, slow, for comparison). NULL: "auto". */
  const char* backend;
  /* What is printed to stderr (Android: the log). 0: nothing. 1: one line for each model, and one for each
   * reason for which convolutions or fully-connected layers are left to TFLite. 2: every node that is left, with the
   * reason. */
  int32_t verbosity;
  /* Instruction set of the cpu backend, one that this CPU has ("avx512", "avx2", "neon", "scalar"), to compare them; on
   * ARM also "neon_a53", which is neon in the order that suits cores like the Cortex-A53. NULL: the best. */
  const char* simd;
  /* How the opencl backend keeps numbers: "float32", "float16_storage" (binary16 in memory, float32 arithmetic), or
   * "float16" (short sums in binary16 too; where the device cannot, the cpu backend runs and the reason is printed).
   * NULL: "float32". */
  const char* precision;
  /* The OpenCL library, a path or a name for dlopen. NULL: the first that is found of the known names. */
  const char* opencl_library;
  /* An existing folder with what is kept for later starts. The opencl backend keeps compiled programs there, so that
   * the next start is quick, and tiles that were tuned. Backend "auto" follows what `mcpruner tune` measured into it
   * on this machine: whether a partition is taken. NULL: nothing is kept, and auto goes by predictions. */
  const char* cache_dir;
  /* 1: measure on the OpenCL device how to cut the work of each convolution that cache_dir does not know yet, which
   * takes minutes, and keep it there; and with backend "auto" look at all partitions, so that the report has their
   * keys. 0: do not. */
  int32_t tune;
  /* A number as text, such as "nan" or "1e30", that is written over all working memory before each inference, for
   * tests: no result may depend on it. NULL: nothing is written, which costs nothing. */
  const char* poison_memory;
  /* A file that `mcpruner calibrate` wrote on this machine: what its operators cost, by which the delegate predicts
   * times, for its decisions and its report. NULL: the table that is compiled in for the instruction set. */
  const char* costs;
  /* "auto": CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED whose weights have zeros are packed when the model is loaded,
   * where that is predicted to be faster, unless other layers of the file are packed already; backend "auto" then takes
   * their partitions. "never": only layers that the file has packed are. NULL: "auto". */
  const char* pack;
} McprunerDelegateOptions;

/* Compiled into the app: the library's own function would return the struct of another size. Padding is zero too, since
 * an older library sees bytes, not fields. */
static inline McprunerDelegateOptions McprunerDelegateOptionsDefault(void) {
  McprunerDelegateOptions options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.verbosity = 1;
  return options;
}

/* NULL `options`: the default. NULL is returned for bad options, with the reason printed to stderr; a struct_size below
 * that of the first version, or above 4096 bytes, is one of them. Any size between them is read as far as it goes. */
MCPRUNER_EXPORT struct TfLiteDelegate* McprunerDelegateCreate(const McprunerDelegateOptions* options);
MCPRUNER_EXPORT void McprunerDelegateDelete(struct TfLiteDelegate* delegate);

/* Times every op from now on (enabled != 0) or stops to. Off at first. */
MCPRUNER_EXPORT void McprunerDelegateSetProfiling(struct TfLiteDelegate* delegate, int enabled);

/* Both write JSON text with a terminating zero, cut to `size` bytes, and return the bytes that the whole needs, the
 * zero included (0: out of memory). Call with (NULL, 0) to ask for the size.
 *
 * Profile: a list with one object for each op: subgraph, partition, backend, name, type, kernel, input and output
 * (shapes), density, macs, bytes, runs, nanoseconds (of all runs). Report: {backend, num_threads, arena_bytes,
 * weight_bytes, costs, tuning: {file, machine, model, reason}, partitions: [{subgraph, partition, backend, reason,
 * nodes, arena_bytes, weight_bytes}], decisions: [{subgraph, taken, tflite_nanoseconds, plugin_nanoseconds, reason,
 * nodes, key, tuned}], nodes: [{subgraph, node, name, op, taken, partition, backend, reason, tflite_nanoseconds,
 * plugin_nanoseconds, packed_at_load, group_size, density, packing_reason, planned, plan_reason}]}. A node that is left
 * to TFLite has taken = false and the reason; a layer that was packed at load has its group size and the density of its
 * weights, another dense one the reason why it was not; planned says that it was packed as the file's metadata has it,
 * plan_reason why not, where the file has plans; a partition has a reason where its backend is not the chosen one.
 * Decisions are of the partitions that the delegate could run, also those that it leaves; nanoseconds are predicted by
 * the table `costs`, of both TFLite and the delegate for the number of threads of the cpu backend (see num_threads).
 * With backend auto and a cache_dir, `file` is where decisions that `mcpruner tune` made are looked for, `machine` what
 * they hold for, `model` the key of a model without packed layers, and `reason` says why the file is ignored where it
 * is; `key` is the name of a partition there, and `tuned` whether the decision came from there. */
MCPRUNER_EXPORT size_t McprunerDelegateProfileJson(struct TfLiteDelegate* delegate, char* buffer, size_t size);
MCPRUNER_EXPORT size_t McprunerDelegateReportJson(struct TfLiteDelegate* delegate, char* buffer, size_t size);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MCPRUNER_DELEGATE_TFLITE_MCPRUNER_DELEGATE_H_ */
