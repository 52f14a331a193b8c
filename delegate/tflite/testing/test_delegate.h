// These make a silent delegate for a test, and one whose backends fail.

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_TEST_DELEGATE_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_TEST_DELEGATE_H_

#include <memory>
#include <string>

#include "delegate/tflite/mcpruner_delegate.h"

namespace mcpruner {

struct DelegateDelete {
  void operator()(TfLiteDelegate* delegate) const { McprunerDelegateDelete(delegate); }
};
using DelegatePtr = std::unique_ptr<TfLiteDelegate, DelegateDelete>;

DelegatePtr MakeTestDelegate(const char* backend, int num_threads = 0);
// `fault` is one of those in faulty_backends.h.
DelegatePtr MakeFaultyDelegate(const std::string& fault, const char* backend);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_TEST_DELEGATE_H_
