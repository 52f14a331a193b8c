#include "delegate/tflite/run/partition.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "delegate/cost/amounts.h"
#include "delegate/cost/decide.h"
#include "delegate/cost/predictor.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/lower/graph_builder.h"
#include "delegate/tflite/parse/node_plan.h"
#include "delegate/tflite/parse/partition_key.h"
#include "delegate/tflite/predict/layer_times.h"
#include "delegate/tflite/predict/make_subgraph.h"
#include "delegate/tflite/predict/pack_pruned.h"
#include "delegate/tflite/run/expanders.h"
#include "delegate/tflite/run/preview.h"
#include "delegate/tflite/run/tuning.h"

namespace mcpruner {
namespace {

// Adds the tensors that the node reads from memory, no constants, to `computed`.
Status CanRun(const ModelView& view, const NodeRef& node, LayerCache* cache, std::set<int>* computed) {
  if (IsSparseOp(*node.registration)) {
    computed->insert(InputIndex(node, 0));
    return Status::Ok();
  }
  if (IsAnothers(view, node)) return Status::Error("another delegate has taken it");
  const Result<std::vector<NodePlan>> plans = ParseNode(view, node, cache);
  if (!plans.ok()) return plans.status();
  const auto dims_of = [&view](int tensor) {
    const TfLiteTensor* t = TensorAt(view.context, tensor);
    return t != nullptr ? TensorDims(*t) : Dims();
  };
  std::vector<int> outputs;
  for (const NodePlan& plan : *plans) {
    outputs.push_back(plan.output);
    for (const Operand& input : plan.inputs) {
      if (input.constant == nullptr) computed->insert(input.tensor);
    }
  }
  return BuildGraph(*plans, outputs, dims_of).status();
}

// The same by its name alone.
Status MayRun(const ModelView& view, const NodeRef& node) {
  if (IsAnothers(view, node)) return Status::Error("another delegate has taken it");
  const std::string name = OpName(*node.registration);
  return cost::KindOf(name) ? Status::Ok() : Status::Error("the delegate does not run " + name);
}

Result<std::vector<NodeRef>> ListNodes(TfLiteContext* context) {
  TfLiteIntArray* execution_plan = nullptr;
  if (context->GetExecutionPlan(context, &execution_plan) != kTfLiteOk || execution_plan == nullptr) {
    return Status::Error("the runtime gave no execution plan");
  }
  std::vector<NodeRef> nodes;
  for (const int index : IntArrayVector(execution_plan)) {
    const Result<NodeRef> node = GetNode(context, index);
    if (!node.ok()) return node.status();
    nodes.push_back(*node);
  }
  return nodes;
}

// Adds the outputs of a candidate that no other node reads: those the caller reads.
void AddGraphOutputs(const Candidate& candidate, cost::Subgraph* graph) {
  std::set<int> read;
  for (size_t i = 0; i < graph->operators.size(); ++i) {
    if (candidate.rows.count(i) > 0) continue;
    read.insert(graph->operators[i].inputs.begin(), graph->operators[i].inputs.end());
  }
  for (const int output : candidate.outputs) {
    if (read.count(output) == 0) graph->outputs.insert(output);
  }
}

void Leave(const std::set<size_t>& left, const std::string& reason, std::vector<NodeReport>* rows) {
  for (const size_t i : left) {
    (*rows)[i].taken = false;
    (*rows)[i].reason = reason;
  }
}

// A Partitioner decides together what each node could be taken for alone.
class Partitioner {
 public:
  // Row i of the report is that of nodes[i]. A null `tuning` decides nothing.
  Partitioner(const ModelView& view, const std::vector<NodeRef>& nodes, const Expanders& expanders,
              const Tuning* tuning, bool takes_all, SubgraphReport* report)
      : view_(view), nodes_(nodes), expanders_(expanders), tuning_(tuning), takes_all_(takes_all), report_(report) {}

  void Decide(cost::Subgraph graph, const cost::CostTable& table) {
    const std::vector<Candidate> candidates = expanders_.Partitions(report_->nodes);
    for (const Candidate& candidate : candidates) AddGraphOutputs(candidate, &graph);
    const cost::Predictor predictor(graph, table);
    for (const Candidate& candidate : candidates) {
      const cost::Contents contents = ContentsOf(candidate);
      cost::Decision decision = cost::Decide(contents, takes_all_);
      if (!decision.take && contents.dense_layers) {
        if (const Measured* const measured = FindMeasured(candidate)) decision = FollowMeasured(*measured);
      }
      LeaveUnless(decision, candidate, predictor);
    }
    if (!takes_all_) {
      DropSlowRims(predictor);
      LeaveWhatIsNotWorthIt(graph, predictor, table);
    }
    for (const Candidate& taken : expanders_.Partitions(report_->nodes)) {
      Report(predictor, taken.rows, cost::Decide(ContentsOf(taken), takes_all_));
    }
  }

 private:
  cost::Contents ContentsOf(const Candidate& candidate) const {
    cost::Contents contents;
    for (const size_t i : candidate.rows) {
      const NodeReport& row = report_->nodes[i];
      contents.packed_layers |= row.packed && row.group_size == 0;
      contents.packed_at_load |= row.group_size > 0;
      contents.dense_layers |= row.has_weights && !row.packed;
    }
    return contents;
  }

  void DropSlowRims(const cost::Predictor& predictor) {
    const std::vector<Candidate> candidates = expanders_.Partitions(report_->nodes);
    size_t count = candidates.size();
    for (const Candidate& taken : candidates) {
      const cost::Contents contents = ContentsOf(taken);
      if (!contents.packed_layers && !contents.packed_at_load) continue;  // it was measured as it is
      const std::set<size_t> slow = predictor.SlowRim(taken.rows);
      if (slow.empty()) continue;
      std::vector<NodeReport> without = report_->nodes;
      Leave(slow, "at the rim of its partition, it is predicted to be faster in TFLite", &without);
      const size_t count_without = expanders_.Partitions(without).size();
      if (count_without > count) continue;
      report_->nodes = std::move(without);
      count = count_without;
    }
  }

  // Leaves partitions whose layers were packed at load, as they were measured, or else by the rule of _decide_graph in
  // converter/tflite/decide.py.
  void LeaveWhatIsNotWorthIt(const cost::Subgraph& graph, const cost::Predictor& predictor,
                             const cost::CostTable& table) {
    double tflite_ns = table.Time(cost::InferenceAmounts()), saved_ns = 0;
    for (const cost::Operator& op : graph.operators) tflite_ns += op.tflite_ns;
    std::vector<Candidate> taken;
    for (Candidate& candidate : expanders_.Partitions(report_->nodes)) {
      if (!ContentsOf(candidate).packed_at_load) continue;
      const cost::Times times = predictor.PartitionTimes(candidate.rows);
      const Measured* const measured = FindMeasured(candidate);
      const cost::Decision decision =
          measured != nullptr ? FollowMeasured(*measured) : cost::IsWorthIt(times.tflite_ns / times.plugin_ns, false);
      if (LeaveUnless(decision, candidate, predictor)) continue;
      saved_ns += times.tflite_ns - times.plugin_ns;
      if (measured == nullptr) taken.push_back(std::move(candidate));
    }
    const cost::Decision whole = cost::IsWorthIt(tflite_ns / (tflite_ns - saved_ns), true);
    for (const Candidate& candidate : taken) LeaveUnless(whole, candidate, predictor);
  }

  // Returns whether it was left.
  bool LeaveUnless(const cost::Decision& decision, const Candidate& candidate, const cost::Predictor& predictor) {
    if (decision.take) return false;
    Leave(candidate.rows, decision.reason, &report_->nodes);
    Report(predictor, candidate.rows, decision);
    return true;
  }

  // Returns null where it was not measured. Its key is noted for the report.
  const Measured* FindMeasured(const Candidate& candidate) {
    if (tuning_ == nullptr || !tuning_->enabled()) return nullptr;
    std::vector<NodeRef> members;
    for (const size_t i : candidate.rows) members.push_back(nodes_[i]);
    const PartitionKey key = KeyOf(view_, members, candidate.outputs);
    keys_[candidate.rows] = key;
    return tuning_->Find(key);
  }

  void Report(const cost::Predictor& predictor, const std::set<size_t>& partition, cost::Decision decision) {
    DecisionReport row;
    if (const auto key = keys_.find(partition); key != keys_.end()) {
      const Measured* const measured = tuning_->Find(key->second);
      row.key = KeyText(key->second);
      row.tuned = measured != nullptr;
      if (measured != nullptr) decision = FollowMeasured(*measured);
    }
    for (const size_t i : partition) {
      row.nodes.push_back(report_->nodes[i].node);
      report_->nodes[i].plugin_ns = predictor.OperatorTimes(i, partition).plugin_ns;
    }
    const cost::Times times = predictor.PartitionTimes(partition);
    row.tflite_ns = times.tflite_ns;
    row.plugin_ns = times.plugin_ns;
    row.taken = decision.take;
    row.reason = decision.reason;
    report_->decisions.push_back(std::move(row));
  }

  const ModelView& view_;
  const std::vector<NodeRef>& nodes_;
  const Expanders& expanders_;
  const Tuning* const tuning_;
  const bool takes_all_;
  SubgraphReport* const report_;
  std::map<std::set<size_t>, PartitionKey> keys_;  // of partitions that `mcpruner tune` decides of, by their rows
};

// Returns the row of a node of which nothing is decided yet.
NodeReport RowOf(const ModelView& view, const NodeRef& node, const cost::Operator& op) {
  NodeReport row;
  row.node = node.index;
  row.name = NodeName(view.context, node);
  row.op = op.name;
  row.has_weights = HasWeights(*node.registration);
  row.packed = op.packed;
  row.tflite_ns = op.tflite_ns;
  row.plugin_ns = op.plugin_ns;
  return row;
}

// Says whether partitions of a model without packed layers are worth to be looked at. Without measurements auto takes
// none, and their constants need not be read. With option tune, `mcpruner tune` is told the keys.
bool MayBeTuned(const Options& options, const ModelView& view, const std::vector<NodeRef>& nodes, const Tuning& tuning,
                SubgraphReport* report) {
  if (!options.tune && tuning.empty()) return false;
  const PartitionKey model = KeyOf(view, nodes, {});
  report->tuning.model = KeyText(model);
  const Measured* const measured = tuning.Find(model);
  return options.tune || (measured != nullptr && measured->take);
}

// Returns why no layer is packed when the model is loaded, or nothing.
std::string WhyNotPacked(const Options& options, bool converted) {
  if (!options.packs_at_load) return "option pack is never";
  return converted ? kLeftDense : "";
}

void ReportPacking(const LoadPacking& packing, NodeReport* row) {
  row->group_size = packing.group_size;
  row->density = packing.density;
  row->packing_reason = packing.reason;
  row->planned = packing.planned;
  row->plan_reason = packing.plan_reason;
}

// Lets go of layers that were packed and then left.
void DropUnusedPacking(ModelView* view, SubgraphReport* report) {
  for (NodeReport& row : report->nodes) {
    if (row.taken || view->packed.erase(row.node) == 0) continue;
    LoadPacking left;
    left.reason = "it would be packed, but it is left to TFLite";
    ReportPacking(left, &row);
  }
}

}  // namespace

Result<SubgraphReport> PartitionModel(const Options& options, ModelView* view, LayerCache* cache) {
  Result<std::vector<NodeRef>> nodes = ListNodes(view->context);
  if (!nodes.ok()) return nodes.status();
  FindExpanded(*nodes, view);
  const int recommended_num_threads = view->context->recommended_num_threads;
  const cost::CostTable table =
      options.costs.ForModel(WeightBytes(*view, *nodes)).ForThreads(NumThreads(options, recommended_num_threads));
  const bool takes_all = options.backend != BackendChoice::kAuto;
  const bool converted =
      std::any_of(nodes->begin(), nodes->end(), [](const NodeRef& node) { return IsSparseOp(*node.registration); });
  const std::string not_packed = WhyNotPacked(options, converted);
  std::map<int, LoadPacking> packing;
  if (not_packed.empty()) packing = PackPruned(*nodes, table, cache, view);
  const Tuning tuning(options, recommended_num_threads);
  SubgraphReport report;
  report.tuning = tuning.report();
  const bool looks =
      takes_all || converted || !view->packed.empty() || MayBeTuned(options, *view, *nodes, tuning, &report);
  cost::Subgraph graph = MakeSubgraph(*view, *nodes, table, cache);
  std::set<int> computed;
  for (size_t i = 0; i < nodes->size(); ++i) {
    const NodeRef& node = (*nodes)[i];
    Status status = looks ? CanRun(*view, node, cache, &computed) : MayRun(*view, node);
    const auto packed = packing.find(node.index);
    if (status.ok() && packed != packing.end() && !packed->second.runs) status = Status::Error(packed->second.reason);
    NodeReport row = RowOf(*view, node, graph.operators[i]);
    row.taken = status.ok();
    row.reason = status.message();
    if (packed != packing.end()) {
      ReportPacking(packed->second, &row);
    } else if (row.has_weights && !IsSparseOp(*node.registration)) {
      row.packing_reason = not_packed.empty() ? row.op + " is not packed when a file is loaded" : not_packed;
    }
    report.nodes.push_back(std::move(row));
  }
  const Expanders expanders(*view, *nodes, computed, report.nodes);
  Partitioner(*view, *nodes, expanders, looks ? &tuning : nullptr, takes_all, &report).Decide(std::move(graph), table);
  expanders.Claim(&report.nodes);
  DropUnusedPacking(view, &report);
  return report;
}

}  // namespace mcpruner
