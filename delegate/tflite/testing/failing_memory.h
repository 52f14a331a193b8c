// FailingMemory makes allocations of the delegate fail on purpose. A test that links this has operator new and malloc
// of its own.
//
//     {
//       FailingMemory fails(7, FailingMemory::kOnce);    the delegate's eighth allocation from here fails
//       ... calls into the delegate, marked as in whose_call.h ...
//       fails.happened()
//     }

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_FAILING_MEMORY_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_FAILING_MEMORY_H_

namespace mcpruner {

// There may be one at a time, of one thread.
class FailingMemory {
 public:
  enum Mode { kOnce, kFromThenOn };
  // `first` is how many allocations succeed before.
  FailingMemory(int first, Mode mode);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;

  // Returns whether there were more than `first`.
  bool happened() const;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_FAILING_MEMORY_H_
