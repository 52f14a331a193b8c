// A FakeModel is a TFLite model and runtime small enough to read, for tests without a runtime.
//
//     FakeModel model;
//     const int x = model.Input("x", {1, 4, 4, 3});
//     const int y = model.Tensor("y", {1, 4, 4, 8});
//     model.Node(kTfLiteBuiltinConv2d, {x, model.Constant("w", {8, 1, 1, 3}, weights)}, {y}, &params);
//     model.Output(y);
//     model.Apply(delegate);  model.Allocate();  model.Data(x)[0] = 1;  model.Invoke();
//
// It behaves as the full runtimes do where a delegate can see it: AllocatePersistentBuffer and GetTensor are null,
// tensors inside a partition have no data, messages of ReportError are joined. Nodes that no delegate takes are not
// run: Invoke runs kernels only. Each run of consecutive taken nodes is one partition. When the delegate fails to apply
// itself, its kernels are freed, and it may be applied again.

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_FAKE_MODEL_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_FAKE_MODEL_H_

#include <list>
#include <map>
#include <string>
#include <vector>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/parse/model_view.h"

namespace mcpruner {

class FakeModel {
 public:
  FakeModel();
  ~FakeModel();
  FakeModel(const FakeModel&) = delete;
  FakeModel& operator=(const FakeModel&) = delete;

  int Tensor(const std::string& name, const Dims& dims, TfLiteType type = kTfLiteFloat32);
  int Input(const std::string& name, const Dims& dims) { return Tensor(name, dims); }
  int Constant(const std::string& name, const Dims& dims, const std::vector<float>& values);
  int Constant(const std::string& name, const Dims& dims, const void* data, size_t bytes, TfLiteType type);
  int Ints(const std::string& name, const Dims& dims, const std::vector<int32_t>& values);
  void Output(int tensor) { outputs_.push_back(tensor); }
  void Metadata(const std::string& name, const std::vector<uint8_t>& bytes) { metadata_[name] = bytes; }

  // `params` must outlive the model.
  int Node(int32_t code, const std::vector<int>& inputs, const std::vector<int>& outputs, void* params = nullptr);
  int CustomNode(const std::string& name, const std::vector<int>& inputs, const std::vector<int>& outputs,
                 const std::vector<uint8_t>& options);
  NodeRef Ref(int node);

  TfLiteStatus Apply(TfLiteDelegate* delegate);
  // Frees the kernels and applies the delegate again, as tflite-runtime 2.14 does when an input is resized.
  TfLiteStatus Reapply(TfLiteDelegate* delegate);
  void FreeKernels();
  void Resize(int tensor, const Dims& dims);
  TfLiteStatus Allocate();
  TfLiteStatus Invoke();

  float* Data(int tensor) { return static_cast<float*>(At(tensor).data); }
  Dims DimsOf(int tensor) { return TensorDims(At(tensor)); }
  TfLiteTensor& At(int tensor) { return tensors_[static_cast<size_t>(tensor)]; }
  TfLiteContext* context() { return &context_; }
  const std::string& errors() const { return errors_; }
  size_t num_kernels() const { return kernels_.size(); }

 private:
  struct FakeNode {
    TfLiteNode node = {};
    TfLiteRegistration registration = {};
    std::string custom_name;
    std::vector<uint8_t> options;
    IntArrayPtr inputs, outputs;
  };
  struct FakeKernel {
    TfLiteRegistration registration = {};
    TfLiteNode node = {};
    IntArrayPtr nodes, inputs, outputs;
  };

  static FakeModel* Self(TfLiteContext* context) { return static_cast<FakeModel*>(context->impl_); }
  static TfLiteStatus GetExecutionPlan(TfLiteContext* context, TfLiteIntArray** plan);
  static TfLiteStatus GetNodeAndRegistration(TfLiteContext* context, int index, TfLiteNode** node,
                                             TfLiteRegistration** registration);
  static TfLiteStatus Replace(TfLiteContext* context, TfLiteRegistration registration, const TfLiteIntArray* nodes,
                              TfLiteDelegate* delegate);
  static TfLiteStatus Preview(TfLiteContext* context, const TfLiteIntArray* nodes, TfLiteDelegateParams** partitions,
                              int* count);
  static TfLiteStatus ResizeTensor(TfLiteContext* context, TfLiteTensor* tensor, TfLiteIntArray* dims);
  static TfLiteStatus GetModelMetadata(const TfLiteContext* context, const char* name, const char** data,
                                       size_t* bytes);
  static void ReportError(TfLiteContext* context, const char* format, ...);

  FakeNode& AddNode(int32_t code, const std::vector<int>& inputs, const std::vector<int>& outputs);
  FakeKernel MakeKernel(const std::vector<int>& nodes) const;
  std::vector<std::vector<int>> Runs(const TfLiteIntArray* nodes) const;

  TfLiteContext context_ = {};
  std::vector<TfLiteTensor> tensors_;
  std::vector<IntArrayPtr> dims_;           // of tensors_
  std::vector<std::vector<char>> storage_;  // of tensors_
  std::list<std::string> names_;
  std::list<FakeNode> nodes_;
  std::list<FakeKernel> kernels_, previews_;
  std::vector<TfLiteDelegateParams> preview_params_;
  std::vector<int> outputs_;
  std::map<std::string, std::vector<uint8_t>> metadata_;
  IntArrayPtr plan_;
  std::string errors_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_FAKE_MODEL_H_
