#include "delegate/tflite/lower/find_norms.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace mcpruner {
namespace {

// A Term says what a tensor is made of.
struct Term {
  enum Kind {
    kLinear,     // (x * the input + mean * the mean) * factor * scale + shift
    kFactor,     // 1 / the deviation, times `scale`
    kSquares,    // of the differences from the mean
    kVariance,   // the mean of the squares
    kSpread,     // the variance plus epsilon
    kDeviation,  // the root of the spread
  };
  Kind kind = kLinear;
  int x = 0, mean = 0;   // -1, 0 or 1
  bool divided = false;  // whether there is a factor
  const Operand* scale = nullptr;
  const Operand* shift = nullptr;
  float epsilon = 0.0f;
  std::set<size_t> plans;

  bool IsPlain() const { return !divided && scale == nullptr && shift == nullptr; }
  bool IsDifference() const { return kind == kLinear && x * mean == -1 && IsPlain(); }
  bool IsNormalized() const { return kind == kLinear && x == 1 && mean == -1 && divided; }
};
using MaybeTerm = std::optional<Term>;

// Returns `term` with the plans of both.
Term With(Term term, const Term& other) {
  term.plans.insert(other.plans.begin(), other.plans.end());
  return term;
}

MaybeTerm Negative(Term term) {
  if (term.kind != Term::kLinear || term.shift != nullptr) return std::nullopt;
  term.x = -term.x;
  term.mean = -term.mean;
  return term;
}

MaybeTerm Sum(const Term& a, const Term& b) {
  const bool alike = a.kind == Term::kLinear && b.kind == Term::kLinear && a.divided == b.divided &&
                     a.scale == b.scale && a.epsilon == b.epsilon;
  if (!alike || a.x * b.x != 0 || a.mean * b.mean != 0) return std::nullopt;
  if (a.shift != nullptr && b.shift != nullptr) return std::nullopt;
  Term sum = With(a, b);
  sum.x += b.x;
  sum.mean += b.mean;
  if (sum.shift == nullptr) sum.shift = b.shift;
  return sum;
}

// Returns a * factor.
MaybeTerm Product(const Term& a, const Term& factor) {
  if (a.kind != Term::kLinear || factor.kind != Term::kFactor) return std::nullopt;
  if (a.divided || a.shift != nullptr || (a.scale != nullptr && factor.scale != nullptr)) return std::nullopt;
  Term product = With(a, factor);
  product.divided = true;
  product.epsilon = factor.epsilon;
  if (product.scale == nullptr) product.scale = factor.scale;
  return product;
}

// Follows the terms of one input and its mean through the plans behind that mean.
class Algebra {
 public:
  Algebra(const std::vector<NodePlan>& plans, size_t mean) : plans_(plans), axes_(AxesOf(plans[mean])) {
    Term x, average;
    x.x = 1;
    average.mean = 1;
    average.plans = {mean};
    terms_[plans[mean].inputs[0].tensor] = x;
    terms_[plans[mean].output] = average;
  }

  // Returns the term of a plan's output, if it is one.
  const Term* Follow(size_t index) {
    const NodePlan& plan = plans_[index];
    MaybeTerm term = TermOf(plan);
    if (!term.has_value()) return nullptr;
    // Behind an activation nothing is a term, unless it is the end.
    if (plan.activation != Activation::kNone && !term->IsNormalized()) return nullptr;
    term->plans.insert(index);
    const Term& kept = terms_[plan.output] = std::move(*term);
    if (plan.activation != Activation::kNone) {
      ended_ = kept;
      terms_.erase(plan.output);
      return &ended_;
    }
    return &kept;
  }

 private:
  static Dims AxesOf(const NodePlan& plan) { return std::get<ReduceAxes>(plan.deferred).axes; }

  const Term* Find(const Operand& operand) const {
    const auto found = operand.constant == nullptr ? terms_.find(operand.tensor) : terms_.end();
    return found == terms_.end() ? nullptr : &found->second;
  }

  MaybeTerm TermOf(const NodePlan& plan) const {
    if (plan.type == OpType::kMean) return OfMean(plan);
    if (plan.type == OpType::kUnary) return OfUnary(plan);
    if (plan.inputs.size() != 2) return std::nullopt;
    const Operand &left = plan.inputs[0], &right = plan.inputs[1];
    const Term *a = Find(left), *b = Find(right);
    if (a != nullptr && b != nullptr) return OfTerms(plan.type, *a, *b, left.tensor == right.tensor);
    if (a != nullptr && right.constant != nullptr) return OfConstant(plan.type, *a, right, true);
    if (b != nullptr && left.constant != nullptr) return OfConstant(plan.type, *b, left, false);
    return std::nullopt;
  }

  MaybeTerm OfMean(const NodePlan& plan) const {
    const auto& reduced = std::get<ReduceAxes>(plan.deferred);
    const Term* a = Find(plan.inputs[0]);
    if (a == nullptr || a->kind != Term::kSquares || !reduced.keep_dims || reduced.axes != axes_) return std::nullopt;
    return As(Term::kVariance, *a);
  }

  MaybeTerm OfUnary(const NodePlan& plan) const {
    const Term* a = Find(plan.inputs[0]);
    if (a == nullptr) return std::nullopt;
    switch (std::get<UnaryParams>(plan.params).function) {
      case UnaryFunction::kNeg:
        return Negative(*a);
      case UnaryFunction::kSquare:
        return a->IsDifference() ? As(Term::kSquares, *a) : std::nullopt;
      case UnaryFunction::kRsqrt:
        return a->kind == Term::kSpread ? As(Term::kFactor, *a) : std::nullopt;
      case UnaryFunction::kSqrt:
        return a->kind == Term::kSpread ? As(Term::kDeviation, *a) : std::nullopt;
      default:
        return std::nullopt;
    }
  }

  static MaybeTerm OfTerms(OpType type, const Term& a, const Term& b, bool same) {
    switch (type) {
      case OpType::kAdd:
        return Sum(a, b);
      case OpType::kSub: {
        const MaybeTerm negative = Negative(b);
        return negative.has_value() ? Sum(a, *negative) : std::nullopt;
      }
      case OpType::kMul:
        if (same) return a.IsDifference() ? As(Term::kSquares, a) : std::nullopt;
        return a.kind == Term::kFactor ? Product(b, a) : Product(a, b);
      case OpType::kDiv:
        return b.kind == Term::kDeviation ? Product(a, *As(Term::kFactor, b)) : std::nullopt;
      case OpType::kSquaredDifference: {
        const MaybeTerm negative = Negative(b), sum = negative.has_value() ? Sum(a, *negative) : std::nullopt;
        return sum.has_value() && sum->IsDifference() ? As(Term::kSquares, *sum) : std::nullopt;
      }
      default:
        return std::nullopt;
    }
  }

  // `first` says whether the term is the first operand.
  static MaybeTerm OfConstant(OpType type, Term a, const Operand& constant, bool first) {
    if (type == OpType::kAdd && a.kind == Term::kVariance && constant.constant->size() == 1) {
      a.epsilon = constant.constant->front();
      return As(Term::kSpread, a);
    }
    if (a.shift != nullptr || (a.kind != Term::kLinear && a.kind != Term::kFactor)) return std::nullopt;
    if (type == OpType::kMul && a.scale == nullptr) {
      a.scale = &constant;
      return a;
    }
    if (a.kind != Term::kLinear) return std::nullopt;
    if (type == OpType::kSub && !first) {
      MaybeTerm negative = Negative(a);
      if (negative.has_value()) negative->shift = &constant;
      return negative;
    }
    if (type != OpType::kAdd) return std::nullopt;
    a.shift = &constant;
    return a;
  }

  static MaybeTerm As(Term::Kind kind, const Term& from) {
    Term term;
    term.kind = kind;
    term.epsilon = from.epsilon;
    term.plans = from.plans;
    return term;
  }

  const std::vector<NodePlan>& plans_;
  const Dims axes_;
  std::map<int, Term> terms_;  // by TFLite's number of the tensor
  Term ended_;
};

std::map<int, int> CountReaders(const std::vector<NodePlan>& plans, const std::vector<int>& outputs) {
  std::map<int, int> readers;
  for (const NodePlan& plan : plans) {
    for (const Operand& operand : plan.inputs) ++readers[operand.tensor];
  }
  for (const int output : outputs) ++readers[output];
  return readers;
}

// Returns whether only the plans of the set read what all of them but the last make.
bool IsClosed(const std::vector<NodePlan>& plans, const std::set<size_t>& members, std::map<int, int> readers) {
  for (const size_t member : members) {
    for (const Operand& operand : plans[member].inputs) --readers[operand.tensor];
  }
  return std::all_of(members.begin(), std::prev(members.end()),
                     [&](size_t member) { return readers[plans[member].output] == 0; });
}

}  // namespace

std::vector<Normalization> FindNormalizations(const std::vector<NodePlan>& plans, const std::vector<int>& outputs) {
  const std::map<int, int> readers = CountReaders(plans, outputs);
  std::vector<Normalization> found;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].type != OpType::kMean || !std::get<ReduceAxes>(plans[i].deferred).keep_dims) continue;
    Algebra algebra(plans, i);
    std::optional<Normalization> largest;
    for (size_t k = i + 1; k < plans.size(); ++k) {
      const Term* const term = algebra.Follow(k);
      if (term == nullptr || !term->IsNormalized() || !IsClosed(plans, term->plans, readers)) continue;
      largest =
          Normalization{plans[i].inputs[0], std::get<ReduceAxes>(plans[i].deferred).axes, term->epsilon, term->scale,
                        term->shift,        {term->plans.begin(), term->plans.end()}};
    }
    if (largest.has_value()) found.push_back(std::move(*largest));
  }
  return found;
}

}  // namespace mcpruner
