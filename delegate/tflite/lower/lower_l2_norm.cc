#include <memory>
#include <string>
#include <vector>

#include "delegate/tflite/lower/lower.h"

namespace mcpruner {
namespace {

constexpr float kLeastNorm = 1e-6f;  // that TFLite divides by

// Appends ops that have the name of one operator.
class Steps {
 public:
  Steps(const NodePlan& whole, GraphTensors* graph) : name_(whole.name), graph_(graph) {}

  Result<Value> Unary(UnaryFunction function, const Result<Value>& x) const {
    if (!x.ok()) return x;
    NodePlan plan = PlanOf(OpType::kUnary);
    plan.params = UnaryParams{function};
    return LowerUnary(plan, *x, graph_);
  }

  Result<Value> SumOfChannels(const Result<Value>& x) const {
    if (!x.ok()) return x;
    NodePlan plan = PlanOf(OpType::kSum);
    plan.deferred = ReduceAxes{{-1}, true};
    return LowerReduce(plan, *x, graph_);
  }

  Result<Value> Binary(OpType type, const Value& a, const Result<Value>& b) const {
    if (!b.ok()) return b;
    return LowerBinary(PlanOf(type), a, *b, graph_);
  }

 private:
  NodePlan PlanOf(OpType type) const {
    NodePlan plan;
    plan.type = type;
    plan.name = name_;
    return plan;
  }

  const std::string& name_;
  GraphTensors* const graph_;
};

}  // namespace

Result<Value> LowerL2Normalization(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const Steps steps(plan, graph);
  const Value least{{1}, -1, std::make_shared<const std::vector<float>>(1, kLeastNorm)};
  const Result<Value> squares = steps.Unary(UnaryFunction::kSquare, x);
  const Result<Value> norm = steps.Unary(UnaryFunction::kSqrt, steps.SumOfChannels(squares));
  // The constant is the first operand, since a maximum returns its second one where that is NaN.
  return steps.Binary(OpType::kDiv, x, steps.Binary(OpType::kMaximum, least, norm));
}

}  // namespace mcpruner
