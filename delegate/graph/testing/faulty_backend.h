// A FaultyBackend does what another backend does, until a test's fault comes in between.
//
//     FaultyBackend backend(CreateReferenceBackend(), {[] { return Status::Error("no memory"); }, nullptr});

#ifndef MCPRUNER_DELEGATE_GRAPH_TESTING_FAULTY_BACKEND_H_
#define MCPRUNER_DELEGATE_GRAPH_TESTING_FAULTY_BACKEND_H_

#include <functional>
#include <memory>

#include "delegate/graph/backend.h"

namespace mcpruner {

// An error that a fault returns, or an exception that it throws, is what the call ends with. Where a fault is
// null, nothing happens.
struct BackendFaults {
  std::function<Status()> compile;                        // instead of Compile; Ok lets it go on
  std::function<Status(Span<float* const> outputs)> run;  // behind each Run; it may change what came out
};

class FaultyBackend : public Backend {
 public:
  FaultyBackend(std::unique_ptr<Backend> good, BackendFaults faults);

  Result<std::unique_ptr<Executable>> Compile(const Graph& graph) override;

 private:
  const std::unique_ptr<Backend> good_;
  const BackendFaults faults_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_FAULTY_BACKEND_H_
