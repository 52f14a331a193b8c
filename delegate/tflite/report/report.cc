#include "delegate/tflite/report/report.h"

#include <algorithm>

#include "delegate/tflite/report/json.h"

namespace mcpruner {
namespace {

void WriteShape(const Shape& shape, JsonWriter* json) {
  json->BeginList().Number(shape.n).Number(shape.h).Number(shape.w).Number(shape.c).EndList();
}

void WriteOp(const PartitionReport& partition, const OpProfile& op, JsonWriter* json) {
  json->BeginObject();
  json->Key("subgraph").Number(partition.subgraph);
  json->Key("partition").Number(partition.partition);
  json->Key("backend").String(partition.backend);
  json->Key("name").String(op.name);
  json->Key("type").String(op.type);
  json->Key("kernel").String(op.kernel);
  WriteShape(op.input, &json->Key("input"));
  WriteShape(op.output, &json->Key("output"));
  json->Key("density").Fraction(op.density);
  json->Key("macs").Number(op.macs);
  json->Key("bytes").Number(op.bytes);
  json->Key("runs").Number(op.runs);
  json->Key("nanoseconds").Number(op.nanoseconds);
  json->EndObject();
}

void WriteNumbers(const std::vector<int>& numbers, JsonWriter* json) {
  json->BeginList();
  for (const int number : numbers) json->Number(number);
  json->EndList();
}

void WritePartition(const PartitionReport& partition, JsonWriter* json) {
  json->BeginObject();
  json->Key("subgraph").Number(partition.subgraph);
  json->Key("partition").Number(partition.partition);
  json->Key("backend").String(partition.backend);
  json->Key("reason").String(partition.reason);
  WriteNumbers(partition.nodes, &json->Key("nodes"));
  json->Key("arena_bytes").Number(partition.arena_bytes);
  json->Key("weight_bytes").Number(partition.weight_bytes);
  json->EndObject();
}

void WriteTimes(double tflite_ns, double plugin_ns, JsonWriter* json) {
  json->Key("tflite_nanoseconds").Fraction(tflite_ns);
  json->Key("plugin_nanoseconds").Fraction(plugin_ns);
}

void WriteDecision(int subgraph, const DecisionReport& decision, JsonWriter* json) {
  json->BeginObject();
  json->Key("subgraph").Number(subgraph);
  json->Key("taken").Bool(decision.taken);
  WriteTimes(decision.tflite_ns, decision.plugin_ns, json);
  json->Key("reason").String(decision.reason);
  WriteNumbers(decision.nodes, &json->Key("nodes"));
  json->Key("key").String(decision.key);
  json->Key("tuned").Bool(decision.tuned);
  json->EndObject();
}

// That of the main subgraph. Of others, only the key of the model could differ.
void WriteTuning(const std::vector<SubgraphReport>& subgraphs, JsonWriter* json) {
  const TuningReport tuning = subgraphs.empty() ? TuningReport() : subgraphs.front().tuning;
  json->BeginObject();
  json->Key("file").String(tuning.file);
  json->Key("machine").String(tuning.machine);
  json->Key("model").String(tuning.model);
  json->Key("reason").String(tuning.reason);
  json->EndObject();
}

void WriteNode(int subgraph, const NodeReport& node, const PartitionReport* partition, JsonWriter* json) {
  json->BeginObject();
  json->Key("subgraph").Number(subgraph);
  json->Key("node").Number(node.node);
  json->Key("name").String(node.name);
  json->Key("op").String(node.op);
  json->Key("taken").Bool(node.taken);
  json->Key("partition").Number(partition != nullptr ? partition->partition : -1);
  json->Key("backend").String(partition != nullptr ? partition->backend : "");
  json->Key("reason").String(node.taken && partition != nullptr ? partition->reason : node.reason);
  WriteTimes(node.tflite_ns, node.plugin_ns, json);
  json->Key("packed_at_load").Bool(node.group_size > 0);
  json->Key("group_size").Number(node.group_size);
  json->Key("density").Fraction(node.density);
  json->Key("packing_reason").String(node.packing_reason);
  json->Key("planned").Bool(node.planned);
  json->Key("plan_reason").String(node.plan_reason);
  json->EndObject();
}

// Returns the partition that a node is in, or null.
const PartitionReport* FindPartition(const std::vector<PartitionReport>& partitions, int subgraph, int node) {
  const auto found = std::find_if(partitions.begin(), partitions.end(), [&](const PartitionReport& p) {
    return p.subgraph == subgraph && std::find(p.nodes.begin(), p.nodes.end(), node) != p.nodes.end();
  });
  return found == partitions.end() ? nullptr : &*found;
}

}  // namespace

std::string WriteProfile(const std::vector<PartitionReport>& partitions) {
  JsonWriter json;
  json.BeginList();
  for (const PartitionReport& partition : partitions) {
    for (const OpProfile& op : partition.profile) WriteOp(partition, op, &json);
  }
  json.EndList();
  return json.text();
}

std::string WriteReport(const DelegateReport& report) {
  int64_t arena_bytes = 0, weight_bytes = 0;
  for (const PartitionReport& partition : report.partitions) {
    arena_bytes += partition.arena_bytes;
    weight_bytes += partition.weight_bytes;
  }
  JsonWriter json;
  json.BeginObject();
  json.Key("backend").String(report.backend);
  json.Key("num_threads").Number(report.num_threads);
  json.Key("arena_bytes").Number(arena_bytes);
  json.Key("weight_bytes").Number(weight_bytes);
  json.Key("costs").String(report.costs);
  WriteTuning(report.subgraphs, &json.Key("tuning"));
  json.Key("partitions").BeginList();
  for (const PartitionReport& partition : report.partitions) WritePartition(partition, &json);
  json.EndList();
  json.Key("decisions").BeginList();
  for (size_t s = 0; s < report.subgraphs.size(); ++s) {
    for (const DecisionReport& decision : report.subgraphs[s].decisions) {
      WriteDecision(static_cast<int>(s), decision, &json);
    }
  }
  json.EndList();
  json.Key("nodes").BeginList();
  for (size_t s = 0; s < report.subgraphs.size(); ++s) {
    const int subgraph = static_cast<int>(s);
    for (const NodeReport& node : report.subgraphs[s].nodes) {
      WriteNode(subgraph, node, FindPartition(report.partitions, subgraph, node.node), &json);
    }
  }
  json.EndList();
  json.EndObject();
  return json.text();
}

}  // namespace mcpruner
