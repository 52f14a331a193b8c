// PackPruned packs the layers of a file that has none packed, when it is loaded: those with zeros enough, where that is
// predicted to pay, by the rule of `convert` (choose_packing.h).
//
//     a layer ──┬── KeepsTooMuch? ─────────── ChoosePacking ──┬── speed-up above 1? ── LayerCache ──> view->packed
//               │        └ yes: a reason                      │      └ no: a reason
//               └── a plan in the file? ───── CheckPlan ──────┘
//                        └ it does not fit: as above, and a reason
//
// Layers are CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED.
//
// A file that `convert` wrote as portable or dense has in its metadata how its layers were packed (model_plan.h). A
// layer whose weights have the key of a plan is packed by it, whatever its density. Where all plans are found, layers
// without one stay as convert left them; where some are not, weights were changed since, and they are packed as in any
// file. A runtime shows a model subgraph by subgraph: plans are read anew for each.
//
// Weights are constants of any kind that ReadFloats reads (parse/model_view.h): float32, float16 behind a DEQUANTIZE,
// sparse tensors. What the plugin then takes is decided as ever (run/partition.h).

#ifndef MCPRUNER_DELEGATE_TFLITE_PREDICT_PACK_PRUNED_H_
#define MCPRUNER_DELEGATE_TFLITE_PREDICT_PACK_PRUNED_H_

#include <map>
#include <string>
#include <vector>

#include "delegate/cost/cost_table.h"
#include "delegate/tflite/parse/layer_cache.h"
#include "delegate/tflite/parse/model_view.h"

namespace mcpruner {

// A LoadPacking says what became of one layer.
struct LoadPacking {
  int group_size = 0;       // 0: it was not packed
  double density = 0.0;     // of a packed one: the share of its weights that are not zero
  std::string reason;       // why it was not packed
  bool runs = true;         // false: `reason` keeps every backend from running it, dense or packed
  bool planned = false;     // whether it was packed by the file's plan
  std::string plan_reason;  // of a file with plans: why not
};

// Why a layer stays dense where others of the file are packed in it, or have plans.
constexpr char kLeftDense[] = "convert packed other layers of the file, and left this one dense";

// Returns a row for each of these layers, by the number of the node. Fills view->packed; view->expanded must be there.
std::map<int, LoadPacking> PackPruned(const std::vector<NodeRef>& nodes, const cost::CostTable& table,
                                      LayerCache* cache, ModelView* view);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PREDICT_PACK_PRUNED_H_
