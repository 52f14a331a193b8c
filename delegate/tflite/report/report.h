// The delegate tells this about itself, as JSON. mcpruner_delegate.h documents the keys.

#ifndef MCPRUNER_DELEGATE_TFLITE_REPORT_REPORT_H_
#define MCPRUNER_DELEGATE_TFLITE_REPORT_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "delegate/graph/backend.h"

namespace mcpruner {

// A NodeReport is one node of a model, taken or left (run/partition.h).
struct NodeReport {
  int node = -1;  // index in the model
  std::string name;
  std::string op;
  bool taken = false;
  bool has_weights = false;  // a convolution or fully-connected layer: worth a line when it is left
  bool packed = false;       // one of the project's own operators, or packed at load
  // Of a layer that was packed at load, the filters of a group and the share of the weights that are not zero, else 0.
  int group_size = 0;
  double density = 0.0;
  std::string packing_reason;  // why a convolution or fully-connected layer was not packed at load
  bool planned = false;        // whether one was packed at load by the file's plan
  std::string plan_reason;     // why not, in a file with plans
  std::string reason;          // why it is left
  // Nanoseconds that are predicted on the plugin's number of threads: in TFLite, and in the plugin as part of its
  // partition.
  double tflite_ns = 0.0, plugin_ns = 0.0;
};

// A DecisionReport is a partition that the plugin could run, taken or left (cost/decide.h).
struct DecisionReport {
  std::vector<int> nodes;  // of the model
  bool taken = false;
  double tflite_ns = 0.0, plugin_ns = 0.0;  // of all its nodes, in the plugin with its edges and its call
  std::string reason;
  // The partition's key, where `mcpruner tune` can decide of it and there is a cache_dir; else empty (run/tuning.h).
  std::string key;
  bool tuned = false;  // it did
};

// A TuningReport says where measured decisions are looked for; all is empty where none are.
struct TuningReport {
  std::string file;
  std::string machine;  // the key of the file's content
  std::string model;    // the key of all nodes, where no layer is packed
  std::string reason;   // why the file is ignored
};

struct SubgraphReport {
  std::vector<NodeReport> nodes;
  std::vector<DecisionReport> decisions;
  TuningReport tuning;
};

struct PartitionReport {
  int subgraph = 0;
  int partition = 0;
  std::vector<int> nodes;  // of the model
  std::string backend;     // empty until it is prepared
  std::string reason;      // why it is not the backend that was asked for
  int64_t arena_bytes = 0;
  int64_t weight_bytes = 0;
  std::vector<OpProfile> profile;
};

struct DelegateReport {
  std::string backend;  // the one that was asked for
  int num_threads = 0;  // of the cpu backend; 0 until a partition is prepared
  std::vector<PartitionReport> partitions;
  std::string costs;  // the table that predictions are made by
  std::vector<SubgraphReport> subgraphs;
};

std::string WriteProfile(const std::vector<PartitionReport>& partitions);
std::string WriteReport(const DelegateReport& report);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_REPORT_REPORT_H_
