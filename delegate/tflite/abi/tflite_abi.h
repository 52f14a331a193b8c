// This declares the TFLite C ABI as far as a delegate uses it.
//
// We declare it ourselves, since no wheel of a TFLite runtime ships headers or exports TfLite* symbols, so a plugin
// that works with all of them must bring its own declarations and call nothing but the function pointers it is handed.
// TFLite only ever appends fields to these structs; everything here lies in the part that is the same from 2.9 to 2.21,
// on x86-64 and aarch64 (LP64). The static_asserts pin each offset that we read, tests/e2e runs against three runtimes.
//
//     TfLiteDelegate --Prepare(context)--> context->GetExecutionPlan, GetNodeAndRegistration, tensors
//                                          context->ReplaceNodeSubsetsWithDelegateKernels(registration by value)
//     TfLiteRegistration --init/prepare/invoke/free--> the delegate's kernel, one for each partition
//
// The names are TFLite's, in the global namespace, because the plugin's symbols and mcpruner_delegate.h name
// TfLiteDelegate. Do not include this file together with TFLite's own headers.

#ifndef MCPRUNER_DELEGATE_TFLITE_ABI_TFLITE_ABI_H_
#define MCPRUNER_DELEGATE_TFLITE_ABI_TFLITE_ABI_H_

#include <cstddef>
#include <cstdint>

struct TfLiteContext;
struct TfLiteDelegate;

enum TfLiteStatus : int { kTfLiteOk = 0, kTfLiteError = 1, kTfLiteDelegateError = 2, kTfLiteApplicationError = 3 };

// These are the element types that a sentence may have to name; other numbers exist.
enum TfLiteType : int {
  kTfLiteNoType = 0,
  kTfLiteFloat32 = 1,
  kTfLiteInt32 = 2,
  kTfLiteUInt8 = 3,
  kTfLiteInt64 = 4,
  kTfLiteFloat16 = 10,
};

enum TfLiteAllocationType : int { kTfLiteMemNone = 0, kTfLiteMmapRo = 1, kTfLiteArenaRw = 2, kTfLiteDynamic = 4 };

constexpr int kTfLiteOptionalTensor = -1;

// `size` ints follow the header: {size, data[0], data[1], ...}. int_array.h makes and frees it.
struct TfLiteIntArray {
  int size;
  int data[1];
};

// How TFLite stores a sparse tensor: parse/sparse_tensor.h says what these mean.
enum TfLiteDimensionType : int { kTfLiteDimDense = 0, kTfLiteDimSparseCsr = 1 };
struct TfLiteDimensionMetadata {
  TfLiteDimensionType format;
  int dense_size;
  TfLiteIntArray* array_segments;
  TfLiteIntArray* array_indices;
};
struct TfLiteSparsity {
  TfLiteIntArray* traversal_order;
  TfLiteIntArray* block_map;
  TfLiteDimensionMetadata* dim_metadata;
  int dim_metadata_size;
};

struct TfLiteTensor {
  TfLiteType type;
  void* data;
  TfLiteIntArray* dims;
  float scale;  // TfLiteQuantizationParams
  int32_t zero_point;
  TfLiteAllocationType allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  int quantization_type;  // TfLiteQuantization
  void* quantization_params;
  const TfLiteSparsity* sparsity;  // not null when the elements are stored in TFLite's own sparse encoding
  const TfLiteIntArray* dims_signature;
};

struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
  TfLiteDelegate* delegate;
  bool might_have_side_effect;
};

// This struct is passed *by value* into ReplaceNodeSubsetsWithDelegateKernels, so it must be as large as the newest
// runtime's: the layout of 2.9 (64 bytes) crashes later ones. `reserve` is for fields yet to come; all of it is
// zero-filled.
struct TfLiteRegistration {
  void* (*init)(TfLiteContext* context, const char* buffer, size_t length);
  void (*free)(TfLiteContext* context, void* buffer);
  TfLiteStatus (*prepare)(TfLiteContext* context, TfLiteNode* node);
  TfLiteStatus (*invoke)(TfLiteContext* context, TfLiteNode* node);
  const char* (*profiling_string)(const TfLiteContext* context, const TfLiteNode* node);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  void* async_kernel;
  uint64_t inplace_operator;
  uint64_t reserve[5];
};

// A delegate kernel's `init` finds this in `buffer`.
struct TfLiteDelegateParams {
  TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;  // constants among them
  TfLiteIntArray* output_tensors;
};

struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext*, TfLiteIntArray** execution_plan);
  TfLiteTensor* tensors;  // moves when tensors are added: keep indices, not pointers
  void* impl_;
  TfLiteStatus (*ResizeTensor)(TfLiteContext*, TfLiteTensor* tensor, TfLiteIntArray* new_size);  // takes new_size
  void (*ReportError)(TfLiteContext*, const char* format, ...);
  TfLiteStatus (*AddTensors)(TfLiteContext*, int tensors_to_add, int* first_new_tensor_index);
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext*, int node_index, TfLiteNode** node,
                                         TfLiteRegistration** registration);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext*, TfLiteRegistration registration,
                                                        const TfLiteIntArray* nodes_to_replace,
                                                        TfLiteDelegate* delegate);
  int recommended_num_threads;
  void* GetExternalContext;
  void* SetExternalContext;
  bool allow_fp32_relax_to_fp16;
  void* profiler;
  void* AllocatePersistentBuffer;
  void* AllocateBufferForEval;
  void* RequestScratchBufferInArena;
  void* GetScratchBuffer;
  TfLiteStatus (*ResizeTensorExplicit)(TfLiteContext*, TfLiteTensor* tensor, int dims, const int* shape);
  TfLiteStatus (*PreviewDelegatePartitioning)(TfLiteContext*, const TfLiteIntArray* nodes_to_replace,
                                              TfLiteDelegateParams** partitions, int* num_partitions);
  void* GetTensor;
  void* GetEvalTensor;
  // Points into the file: `bytes` at `data`.
  TfLiteStatus (*GetModelMetadata)(const TfLiteContext*, const char* name, const char** data, size_t* bytes);
  void* AcquireSubgraphContext;
  void* ReleaseSubgraphContext;
};

// With this flag the delegate handles dynamic tensors. Without it, a runtime refuses a model with custom ops that
// nobody registered before it asks the delegate.
constexpr int64_t kTfLiteDelegateFlagsAllowDynamicTensors = 1;

struct TfLiteDelegate {
  void* data_;
  TfLiteStatus (*Prepare)(TfLiteContext*, TfLiteDelegate*);
  void* CopyFromBufferHandle;
  void* CopyToBufferHandle;
  void* FreeBufferHandle;
  int64_t flags;
  void* opaque_delegate_builder;
};

static_assert(sizeof(void*) == 8, "the TFLite ABI is declared for 64-bit targets only");
static_assert(offsetof(TfLiteIntArray, data) == 4);

static_assert(sizeof(TfLiteDimensionMetadata) == 24);
static_assert(offsetof(TfLiteDimensionMetadata, array_segments) == 8);
static_assert(sizeof(TfLiteSparsity) == 32);
static_assert(offsetof(TfLiteSparsity, dim_metadata) == 16);

static_assert(sizeof(TfLiteTensor) == 112);
static_assert(offsetof(TfLiteTensor, data) == 8);
static_assert(offsetof(TfLiteTensor, dims) == 16);
static_assert(offsetof(TfLiteTensor, allocation_type) == 32);
static_assert(offsetof(TfLiteTensor, bytes) == 40);
static_assert(offsetof(TfLiteTensor, name) == 56);
static_assert(offsetof(TfLiteTensor, delegate) == 64);
static_assert(offsetof(TfLiteTensor, quantization_type) == 80);
static_assert(offsetof(TfLiteTensor, sparsity) == 96);
static_assert(offsetof(TfLiteTensor, dims_signature) == 104);

static_assert(sizeof(TfLiteNode) == 80);
static_assert(offsetof(TfLiteNode, outputs) == 8);
static_assert(offsetof(TfLiteNode, user_data) == 32);
static_assert(offsetof(TfLiteNode, builtin_data) == 40);
static_assert(offsetof(TfLiteNode, custom_initial_data) == 48);
static_assert(offsetof(TfLiteNode, custom_initial_data_size) == 56);

static_assert(offsetof(TfLiteRegistration, prepare) == 16);
static_assert(offsetof(TfLiteRegistration, builtin_code) == 40);
static_assert(offsetof(TfLiteRegistration, custom_name) == 48);
static_assert(offsetof(TfLiteRegistration, version) == 56);
static_assert(offsetof(TfLiteRegistration, registration_external) == 64);
static_assert(offsetof(TfLiteRegistration, inplace_operator) == 80);
static_assert(offsetof(TfLiteRegistration, reserve) == 88);  // sizeof the struct in 2.21

static_assert(sizeof(TfLiteDelegateParams) == 32);

static_assert(sizeof(TfLiteContext) == 200);
static_assert(offsetof(TfLiteContext, tensors) == 16);
static_assert(offsetof(TfLiteContext, ResizeTensor) == 32);
static_assert(offsetof(TfLiteContext, GetNodeAndRegistration) == 56);
static_assert(offsetof(TfLiteContext, ReplaceNodeSubsetsWithDelegateKernels) == 64);
static_assert(offsetof(TfLiteContext, recommended_num_threads) == 72);
static_assert(offsetof(TfLiteContext, profiler) == 104);
static_assert(offsetof(TfLiteContext, ResizeTensorExplicit) == 144);
static_assert(offsetof(TfLiteContext, PreviewDelegatePartitioning) == 152);
static_assert(offsetof(TfLiteContext, GetModelMetadata) == 176);

static_assert(sizeof(TfLiteDelegate) == 56);
static_assert(offsetof(TfLiteDelegate, flags) == 40);

#endif  // MCPRUNER_DELEGATE_TFLITE_ABI_TFLITE_ABI_H_
