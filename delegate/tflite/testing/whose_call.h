// This says whether a thread is in the delegate's code or in the runtime's. The fake runtime marks it at each call from
// one into the other: a test that lets the delegate's allocations fail must not fail those of its runtime.

#ifndef MCPRUNER_DELEGATE_TFLITE_TESTING_WHOSE_CALL_H_
#define MCPRUNER_DELEGATE_TFLITE_TESTING_WHOSE_CALL_H_

namespace mcpruner {

inline thread_local bool in_delegate = false;

// The mark holds for as long as this lives.
class WhoseCall {
 public:
  explicit WhoseCall(bool delegates) : before_(in_delegate) { in_delegate = delegates; }
  ~WhoseCall() { in_delegate = before_; }
  WhoseCall(const WhoseCall&) = delete;
  WhoseCall& operator=(const WhoseCall&) = delete;

 private:
  const bool before_;
};

// Makes a call of the delegate's and returns what it returns.
template <typename Call>
auto CallDelegate(const Call& call) {
  const WhoseCall mark(true);
  return call();
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_TESTING_WHOSE_CALL_H_
